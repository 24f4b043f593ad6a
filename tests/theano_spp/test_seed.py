"""The question that this project answers: what the asker tried, compared with our answer."""
import sys
import unittest

import numpy as np
import theano
import theano.tensor as T

from tests.label_maps import regions_map
from theano_spp import superpixel_pool


def loops_of_inc_subtensor(features, labels, n_superpixels):
    """The first try: one node of the graph for each pixel."""
    pooled, sizes = T.zeros((n_superpixels,), features.dtype), T.zeros((n_superpixels,), features.dtype)
    height, width = labels.shape
    for i in range(height):
        for j in range(width):
            pooled = T.inc_subtensor(pooled[int(labels[i, j])], features[i, j])
            sizes = T.inc_subtensor(sizes[int(labels[i, j])], 1.)
    return pooled / sizes


def frozen_positions(features, labels, n_superpixels):
    """The second try: index arrays of one image in the graph.

    positions: pixel numbers sorted by superpixel; superpixel_positions: their superpixels;
    superpixel_hist: the sizes.
    """
    positions = np.argsort(labels.ravel(), kind='mergesort')
    superpixel_positions = labels.ravel()[positions]
    superpixel_hist = np.bincount(labels.ravel(), minlength=n_superpixels)
    by_superpixel = features.reshape((features.shape[0], -1))[:, positions]
    zeros = T.zeros((n_superpixels, features.shape[0]), features.dtype)
    return (T.inc_subtensor(zeros[superpixel_positions], by_superpixel.T) / superpixel_hist[:, None]).T


class SeedTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_nested_loops_fail_at_32x32_where_ours_gives_their_numbers(self):
        small = regions_map(self.rng, (1, 4, 5), 3)
        features = self.rng.randn(1, 1, 4, 5)
        x = T.dmatrix()
        theirs = theano.function([x], loops_of_inc_subtensor(x, small[0], 3), mode='FAST_COMPILE')
        x4, m = T.dtensor4(), T.itensor3()
        ours = theano.function([x4, m], superpixel_pool(x4, m))
        np.testing.assert_allclose(ours(features, small)[0, 0], theirs(features[0, 0]), rtol=1e-6)

        large = regions_map(self.rng, (1, 32, 32), 20)
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(1000)  # Python's own; Theano and test runners raise it
        try:
            with self.assertRaises(RuntimeError) as caught:  # RecursionError is one
                theano.function([x], T.grad(T.sum(loops_of_inc_subtensor(x, large[0], 20) ** 2), x),
                                mode='FAST_COMPILE')
        finally:
            sys.setrecursionlimit(limit)
        self.assertIn('maximum recursion depth exceeded', str(caught.exception))
        gradient = theano.function([x4, m], T.grad(T.sum(superpixel_pool(x4, m) ** 2), x4))
        self.assertEqual(gradient(self.rng.randn(1, 1, 32, 32), large).shape, (1, 1, 32, 32))

    def test_ours_runs_at_1024x2048_forward_and_backward(self):
        x, m = T.ftensor4(), T.itensor3()
        pooled = superpixel_pool(x, m, 32)
        function = theano.function([x, m], [pooled, T.grad(T.sum(pooled), x)])
        labels = np.repeat(np.arange(32, dtype='int32'), 64)[None, None].repeat(1024, 1)
        features = np.ones((1, 2, 1024, 2048), 'float32') * np.array([1, 2], 'float32')[:, None, None]
        values, gradient = function(features, labels)
        np.testing.assert_array_equal(values, [[[1] * 32, [2] * 32]])
        np.testing.assert_allclose(gradient, np.float32(1) / (1024 * 64), rtol=1e-6)

    def test_frozen_index_arrays_give_the_same_numbers_as_ours_for_a_batch_of_different_maps(self):
        labels = regions_map(self.rng, (3, 11, 13), 9)
        labels[:, 0, :9] = np.arange(9)  # theirs divides by zero where a superpixel is empty
        features = self.rng.randn(3, 4, 11, 13)
        x, m = T.dtensor4(), T.itensor3()
        ours = theano.function([x, m], superpixel_pool(x, m))(features, labels)
        one = T.dtensor3()
        for image, label, pooled in zip(features, labels, ours):
            theirs = theano.function([one], frozen_positions(one, label, 9), mode='FAST_COMPILE')
            np.testing.assert_allclose(pooled, theirs(image), rtol=1e-6)
