"""Constants that Theano computes while it optimizes a graph, computed in Python.

Theano has g++ compile each of these operations, a second for a sum of two numbers, and runs it once.
"""
import numpy as np

#: Items of a constant: Theano converts them one by one in Python.
MOST_ITEMS = 1000


def fold_in_python():
    """From now on, have NumPy compute constants, where it gives the bits that C gives.

    These are the operations that move numbers, or round once, as sums, products and conversions to floats do. Not a
    power, for example; nor floats to integers; nor 64-bit integers to float32, which Python rounds twice; nor a
    quotient, for which NumPy would warn of a zero.
    """
    from theano import scalar
    from theano.tensor import discrete_dtypes
    from theano.tensor.elemwise import DimShuffle, Elemwise
    from theano.tensor.opt import MakeVector
    from theano.tensor.subtensor import Subtensor
    for op in DimShuffle, MakeVector, Subtensor:
        op.python_constant_folding = lambda self, node: True
    of_two = scalar.Add, scalar.Sub, scalar.Mul
    floats = ['float32', 'float64']
    theanos_own = Elemwise.python_constant_folding

    def can_fold(self, node):
        dtypes = [variable.dtype for variable in node.inputs + node.outputs]
        if isinstance(self.scalar_op, scalar.Cast):
            rounds_once = dtypes[1] in floats and dtypes[0] in discrete_dtypes + floats
            rounds_once &= not (dtypes[1] == 'float32' and dtypes[0] in ('int64', 'uint64'))
        else:
            rounds_once = (type(self.scalar_op) in of_two and len(node.inputs) == 2
                           and set(dtypes) in ({'float32'}, {'float64'}))
        is_small = all(np.size(variable.data) <= MOST_ITEMS for variable in node.inputs)
        return rounds_once and is_small or theanos_own(self, node)

    Elemwise.python_constant_folding = can_fold
