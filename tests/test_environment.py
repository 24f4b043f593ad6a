"""The tests run in the environment of users."""
import unittest

from tests.processes import run_python

# Resized features are sums of products, which the processor may round once instead of twice: one in thousands differs.
CODE = '''
from theano_spp import superpixel_pool
import hashlib, numpy as np, theano, theano.tensor as T
rng = np.random.RandomState(0)
x, m = T.ftensor4(), T.itensor3()
resized = theano.function([x, m], superpixel_pool(x, m, 300, 'max', resize='bilinear'))
print(hashlib.sha256(resized(rng.randn(2, 400, 1, 8).astype('float32'),
                             rng.randint(-1, 300, (2, 2, 65)).astype('int32')).tobytes()).hexdigest())
'''


class EnvironmentTest(unittest.TestCase):

    def test_results_have_the_bits_that_they_have_without_precompiled_headers(self):
        self.assertEqual(run_python(CODE), run_python(CODE, {'gcc.cxxflags': ''}))
