"""Theano's own operations in Python.

Most of what g++ compiles for a test is the sums and products of Theano around our ops, once for each dtype and number
of axes, to be called once. Theano can have NumPy compute them. Ours stay in C, and so do those of Theano that Python
takes long for.
"""
from theano.compile import debugmode
from theano.gof.op import Op
from theano.tensor.elemwise import Elemwise
from theano.tensor.opt import FusionOptimizer

#: Where the operations are for which Theano calls NumPy, once for an array. Others have loops over elements in Python.
CALL_NUMPY = ('theano.compile.ops', 'theano.tensor.basic', 'theano.tensor.blas', 'theano.tensor.elemwise',
              'theano.tensor.opt', 'theano.tensor.subtensor', 'theano.tensor.type_other')


class TheanoInPython:
    """From now on no operation of Theano is compiled that NumPy computes, while `wanted` is true."""

    def __init__(self):
        self.wanted = False
        in_c, fuse = Op.make_thunk, FusionOptimizer.apply

        def make_thunk(op, node, storage_map, compute_map, no_recycling, impl=None):
            if impl is None and self.wanted and _numpy_computes(node):
                impl = 'py'
            return in_c(op, node, storage_map, compute_map, no_recycling, impl)

        Op.make_thunk = make_thunk
        # DebugMode compares the two for an operation that has this method of Op, and asks by this list.
        debugmode.default_make_thunk.append(make_thunk)
        # A product of fusion exists in C alone.
        FusionOptimizer.apply = lambda optimizer, graph: None if self.wanted else fuse(optimizer, graph)


def _numpy_computes(node):
    op = node.op
    if type(op).__module__ not in CALL_NUMPY:
        return False
    if isinstance(op, Elemwise):
        return bool(op.nfunc_spec) and op.nfunc_spec[1] == len(node.inputs)  # not for three summands
    return type(op).perform is not Op.perform
