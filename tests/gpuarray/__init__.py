"""Tests of the ops on a GPU, run by ``make test-gpu``; PoCL's device on the processor will do."""
