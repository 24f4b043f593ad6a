"""Tests of `spn.data.sources`: where pictures come from."""
