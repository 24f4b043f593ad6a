"""Tests of `spn.sources`: where pictures come from."""
