"""``theano.tensor.inv`` without a compiler, in FAST_COMPILE and in DebugMode: ``numpy.float32(1.0) / x``.

That is a float32 if x is a float of Python, since NumPy 2, and was a float64 before: half of the digits are lost.
"""
from .version_of_numpy import major


def precision_of_inv(scalar):
    """Make ``theano.scalar.Inv`` divide by a number of NumPy, which keeps its precision."""
    numpy = scalar.np
    if major() >= 2:
        scalar.Inv.impl = lambda self, x: numpy.float32(1) / numpy.asarray(x)[()]
