"""Theano's DebugMode, which fills arrays with 666 to see whether an op overwrites all of them.

NumPy 2 refuses ``array[...] = 666`` if that is an array of int8: "OverflowError: Python integer 666 out of bounds".
From an array it takes the number as before, modulo 256. And its arrays have no ``itemset``, by which DebugMode writes
what an op left in an input without axes.
"""
import functools

from .changed_source import changed_source
from .version_of_numpy import major


def number_in_an_array(debugmode):
    """Make DebugMode fill arrays from an array."""
    check = debugmode._check_preallocated_output

    @functools.wraps(check)
    def check_with_array(*args, def_val, **kwargs):
        return check(*args, def_val=debugmode.np.asarray(def_val), **kwargs)

    debugmode._check_preallocated_output = check_with_array


def no_itemset(debugmode):
    """Make DebugMode write to arrays without axes as to others."""
    if major() >= 2:
        debugmode._Linker = changed_source(debugmode, debugmode._Linker, '.itemset(dr_vals[r][0])',
                                           '[...] = dr_vals[r][0]')
