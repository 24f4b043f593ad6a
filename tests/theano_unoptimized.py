"""Theano's own operations, compiled without optimization.

Most of what g++ compiles for a test is Theano's loops over elements, each called a few times with small arrays, and
most of that time is optimization. Ours are compiled as for users: what an optimizer makes of them is tested.
"""
from theano.gof.op import CLinkerOp


def compile_theano_unoptimized():
    """From now on Theano's own operations are compiled without ``-O3``."""
    CLinkerOp.c_no_compile_args = lambda op: [] if _is_ours(op) else ['-O3']


def _is_ours(op):
    return any(kind.__module__.startswith('theano_spp') for kind in type(op).__mro__)
