"""Tests of `spn`: data, superpixels, networks, commands."""
