"""Theano's own operations in Python.

Most of what g++ compiles for a test is the sums and products of Theano around our ops, once for each dtype and number
of axes, to be called once. Theano can have NumPy compute them. Ours stay in C, and so do those of Theano that Python
takes long for.
"""
import functools

import numpy as np
from theano import scalar
from theano.gof.op import Op
from theano.tensor.elemwise import Elemwise
from theano.tensor.opt import FusionOptimizer

#: Where the operations are for which Theano calls NumPy, once for an array. Others have loops over elements in Python.
CALL_NUMPY = ('theano.compile.ops', 'theano.tensor.basic', 'theano.tensor.blas', 'theano.tensor.elemwise',
              'theano.tensor.opt', 'theano.tensor.subtensor', 'theano.tensor.type_other')


class NumpyFunction:
    """What Theano calls in place of a loop over elements where it knows no function of NumPy itself."""

    nout = 1

    def __init__(self, function):
        self.function = function

    def __call__(self, *arrays):
        return self.function(arrays)


NUMPY = {scalar.Add: NumpyFunction(functools.partial(functools.reduce, np.add)),  # of more than two summands
         scalar.Mul: NumpyFunction(functools.partial(functools.reduce, np.multiply)),
         scalar.Second: NumpyFunction(lambda arrays: np.broadcast_arrays(*arrays)[1].copy()),
         scalar.Identity: NumpyFunction(lambda arrays: arrays[0].copy()),
         scalar.Cast: NumpyFunction(lambda arrays: arrays[0].copy())}  # Theano goes on to convert it


class TheanoInPython:
    """From now on no operation of Theano is compiled that NumPy computes, while `wanted` is true."""

    def __init__(self):
        self.wanted = False
        compile_it, fuse = Op.make_c_thunk, FusionOptimizer.apply

        def make_c_thunk(op, node, *storage):
            if self.wanted and _given_to_numpy(node):
                raise NotImplementedError  # Theano goes on with Python
            return compile_it(op, node, *storage)

        Op.make_c_thunk = make_c_thunk
        # A product of fusion exists in C alone.
        FusionOptimizer.apply = lambda optimizer, graph: None if self.wanted else fuse(optimizer, graph)


def _given_to_numpy(node):
    """Whether NumPy computes it; if so, Theano has been told by which function."""
    op = node.op
    if type(op).__module__ not in CALL_NUMPY:
        return False
    if isinstance(op, Elemwise):
        if op.nfunc_spec and op.nfunc_spec[1] == len(node.inputs):
            return True
        op.ufunc = NUMPY.get(type(op.scalar_op), op.ufunc)
        return isinstance(op.ufunc, NumpyFunction)
    return type(op).perform is not Op.perform
