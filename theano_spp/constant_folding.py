"""Constants that Theano computes while it optimizes a graph, computed in Python.

Theano has g++ compile each of these operations, a second for a sum of two numbers, and runs it once.
"""


def fold_in_python():
    """From now on, have NumPy compute constants, where it gives the bits that C gives.

    These are the operations that move numbers, or round once: not a power, for example, nor floats to integers.
    """
    from theano import scalar
    from theano.tensor.elemwise import DimShuffle, Elemwise
    from theano.tensor.opt import MakeVector
    from theano.tensor.subtensor import Subtensor
    for op in DimShuffle, MakeVector, Subtensor:
        op.python_constant_folding = lambda self, node: True
    of_two = scalar.Add, scalar.Sub, scalar.Mul, scalar.TrueDiv
    theanos_own = Elemwise.python_constant_folding

    def can_fold(self, node):
        dtypes = [variable.dtype for variable in node.inputs + node.outputs]
        if isinstance(self.scalar_op, scalar.Cast):
            rounds_once = dtypes[1] in ('float32', 'float64') and 'complex' not in dtypes[0]
        else:
            rounds_once = (type(self.scalar_op) in of_two and len(node.inputs) == 2
                           and set(dtypes) in ({'float32'}, {'float64'}))
        return rounds_once or theanos_own(self, node)

    Elemwise.python_constant_folding = can_fold
