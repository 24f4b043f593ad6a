"""The NumPy reference, against results of code that shares no line with it."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from scipy import ndimage

from tests.label_maps import hard_maps, random_map, regions_map
from tests.numeric import assert_within_promise, exact_unpool
from tests.processes import REPOSITORY
from theano_spp import reference


class ReferenceTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_pooling_equals_exact_sums_for_every_hard_map(self):
        for name, labels in hard_maps().items():
            for dtype in ('float32', 'float64'):
                for mode in ('mean', 'sum'):
                    features = self.rng.randn(2, 3, 5, 7).astype(dtype)
                    assert_within_promise(reference.pool(features, labels, 6, mode), features, labels, 6, mode)

    def test_mean_pooling_equals_scipy_ndimage_mean(self):
        features = self.rng.randn(2, 3, 11, 13)
        labels = regions_map(self.rng, (2, 11, 13), 8)
        pooled = reference.pool(features, labels, 8, 'mean')
        for b in range(2):
            for c in range(3):
                present = np.unique(labels[b])
                np.testing.assert_allclose(pooled[b, c, present],
                                           ndimage.mean(features[b, c], labels[b], present), rtol=1e-12)

    def test_sum_pooling_equals_weighted_bincount(self):
        features = self.rng.randn(2, 3, 11, 13)
        labels = random_map(self.rng, (2, 11, 13), 8, none=0)
        pooled = reference.pool(features, labels, 8, 'sum')
        for b in range(2):
            for c in range(3):
                np.testing.assert_allclose(
                    pooled[b, c], np.bincount(labels[b].ravel(), features[b, c].ravel(), 8), rtol=1e-12, atol=1e-12)

    def test_sizes_equal_a_count_by_hand(self):
        labels = np.array([[[0, 0, -1], [2, 0, -5]], [[3, 3, 3], [1, -1, 3]]], 'int16')
        np.testing.assert_array_equal(reference.sizes(labels, 5), [[3, 0, 1, 0, 0], [0, 1, 0, 4, 0]])

    def test_count_is_the_largest_label_plus_one(self):
        self.assertEqual(reference.count(np.array([[0, 6], [-1, 3]])), 7)
        self.assertEqual(reference.count(np.array([[-1, -9]])), 0)
        self.assertEqual(reference.count(np.zeros((0, 4), 'uint8')), 0)

    def test_unpooling_equals_a_walk_over_the_pixels_for_every_hard_map(self):
        for name, labels in hard_maps().items():
            for mode in ('sum', 'mean'):
                pooled = self.rng.randn(2, 3, 6)
                np.testing.assert_allclose(reference.unpool(pooled, labels, mode),
                                           exact_unpool(pooled, labels, mode), rtol=1e-15)

    def test_a_superpixel_of_ten_million_pixels_keeps_the_promise_in_both_dtypes(self):
        for dtype, promise in (('float32', 1e-6), ('float64', 1e-14)):
            features = np.full((1, 1, 10 ** 7), .1, dtype)
            pooled = reference.pool(features, np.zeros((1, 10 ** 7), 'uint8'), 1, 'mean')
            self.assertLess(abs(float(pooled[0, 0, 0]) - float(features[0, 0, 0])), promise * .1)


class WithoutTheanoTest(unittest.TestCase):
    """In an environment with NumPy and nothing else."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        packages = os.path.dirname(os.path.dirname(np.__file__))
        for name in os.listdir(packages):
            if name in ('numpy', 'numpy.libs'):
                os.symlink(os.path.join(packages, name), os.path.join(self.folder, name))

    def run_python(self, code):
        process = subprocess.Popen([sys.executable, '-S', '-c', code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   universal_newlines=True, cwd=self.folder,
                                   env=dict(os.environ, PYTHONPATH=os.pathsep.join([self.folder, REPOSITORY])))
        return process.communicate()

    @unittest.skipIf(sys.version_info < (3, 7), 'a module cannot say what is missing when it is asked for')
    def test_the_reference_computes_and_says_what_is_wrong(self):
        printed, errors = self.run_python('''
import numpy as np
from theano_spp import reference
features, labels = np.array([[[[.1, .2], [.3, .4]]]]), np.array([[[0, 0], [1, 2]]])
print(reference.pool(features, labels, 3).round(3).tolist())
print(reference.overlap_pool(features, labels, 3).round(3).tolist())
try:
    reference.pool(features, labels, 2)
except IndexError as error:
    print(error)
''')
        self.assertEqual(printed.split('\n')[:2], ['[[[0.15, 0.3, 0.4]]]'] * 2, errors)
        self.assertIn('superpixel_map[0, 1, 1] is 2, but n_superpixels is 2', printed)

    def test_all_else_says_what_to_install(self):
        for code in ('from theano_spp import superpixel_pool', 'import theano_spp; theano_spp.SuperpixelPool',
                     'from theano_spp import *'):
            self.assertIn("ImportError: theano_spp builds on theano.gof.COp of Theano 1.0.4 to 1.0.5 or Theano-PyMC"
                          " 1.0.5 to 1.0.9, but Theano cannot be imported (No module named 'theano'): pip install"
                          " Theano-PyMC==", self.run_python(code)[1])
