"""The random numbers of Theano without a compiler and in FAST_COMPILE: those that Keras's layers start from.

Theano takes the 32 lowest bits of an int32: ``number & 0xFFFFFFFF``. NumPy 2 refuses: "OverflowError: Python integer
4294967295 out of bounds for int32".
"""
import functools

from .version_of_numpy import major


def mask_that_fits(rng_mrg):
    """Make ``theano.sandbox.rng_mrg`` take all bits of an int32 by a mask that is one."""
    next_value = rng_mrg.mrg_next_value
    if major() < 2:
        return

    @functools.wraps(next_value)
    def next_value_by_int32(rstate, new_rstate, NORM, mask, offset):
        return next_value(rstate, new_rstate, NORM=NORM, mask=-1 if mask == 0xFFFFFFFF else mask, offset=offset)

    rng_mrg.mrg_next_value = next_value_by_int32
