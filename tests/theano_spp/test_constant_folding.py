"""Constants that are computed in Python while a graph is optimized."""
import unittest

from tests.processes import run_python

# Each of these of constants, folded, and of inputs, compiled by g++. The last three are left to g++ in any case.
CODE = '''
from theano_spp.constant_folding import fold_in_python
import numpy as np, theano, theano.tensor as T
fold_in_python()
rng = np.random.RandomState(0)
of_two = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b,
          lambda a, b: T.cast(a, 'float32'), lambda a, b: T.cast(a, 'float64'), lambda a, b: a.dimshuffle(1, 'x', 0),
          lambda a, b: b[:, 1:3], lambda a, b: T.stack([a[0, 0], b[0, 1]]), lambda a, b: T.cast(b, 'int8'),
          lambda a, b: T.exp(a), lambda a, b: a / b]
from theano.tensor import opt
impls = []
make_thunk = theano.gof.Op.make_thunk
def recorded(self, node, storage_map, compute_map, no_recycling, impl=None):
    if all(isinstance(i, theano.Constant) for i in node.inputs):
        impls.append((str(self), impl))
    return make_thunk(self, node, storage_map, compute_map, no_recycling, impl=impl)
theano.gof.Op.make_thunk = recorded
whole = np.array([2 ** 54 + 2 ** 30 + 1] * 2)  # rounded to float64 first, it would be rounded down
assert theano.function([], T.cast(T.constant(whole), 'float32'))().tobytes() == whole.astype('float32').tobytes()
theano.function([], T.cast(T.constant(np.ones((1001,), 'uint8')), 'float64'))
print([impl for name, impl in impls if 'Cast' in name])
del impls[:]
for dtype in 'float32', 'float64':
    a, b = [rng.standard_normal((4, 5)).astype(dtype) for _ in range(2)]
    a[0, 0], b[0, 1] = np.nan, 0
    inputs = [T.TensorType(dtype, (False, False))() for _ in range(2)]
    for function in of_two:
        folded = theano.function([], function(T.constant(a), T.constant(b)))
        compiled = theano.function(inputs, function(*inputs), on_unused_input='ignore')
        actual, expected = folded(), compiled(a, b)
        assert isinstance(folded.maker.fgraph.toposort()[0].inputs[0], theano.Constant)
        assert actual.dtype == expected.dtype and actual.shape == expected.shape
        assert actual.tobytes() == expected.tobytes(), (actual, expected)
print(sorted({name for name, impl in impls if impl != 'py'} - {'DeepCopyOp'}))  # of a constant that is the result
'''


class ConstantFoldingTest(unittest.TestCase):

    def test_constants_have_the_bits_of_compiled_code_and_only_what_may_round_otherwise_is_compiled(self):
        self.assertEqual(run_python(CODE).splitlines()[-2:], ['[None, None]', str([
            'Elemwise{Cast{int8}}', 'Elemwise{exp,no_inplace}', 'Elemwise{true_div,no_inplace}'])])
