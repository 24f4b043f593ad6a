"""Tests of the ops on the GPU, run by ``make test-gpu``: they need a device, if only PoCL's on the processor."""
