"""Weighted sums and means: pixels that count more, less, or not at all."""
import unittest

import numpy as np
import theano
import theano.tensor as T

from tests.label_maps import hard_maps, random_map
from tests.numeric import exact_pool
from theano_spp import superpixel_pool


def exact_weighted(features, labels, n, mode, weights):
    """numpy.average and a sum over the pixels of each superpixel."""
    pooled = np.zeros(features.shape[:2] + (n,))
    for b, label in np.ndindex(len(features), n):
        here = labels[b] == label
        total = weights[b, here].sum()
        if mode == 'sum':
            pooled[b, :, label] = (features[b][:, here] * weights[b, here]).sum(-1)
        elif total != 0:
            pooled[b, :, label] = np.average(features[b][:, here], axis=-1, weights=weights[b, here])
    return pooled


class WeightTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.x, self.m, self.w = T.dtensor4(), T.itensor3(), T.dtensor3()

    def compiled(self, mode):
        return theano.function([self.x, self.m, self.w], superpixel_pool(self.x, self.m, 6, mode, self.w))

    def test_weighted_sums_and_means_equal_numpy_average_for_every_hard_map(self):
        for mode in ('mean', 'sum'):
            function = self.compiled(mode)
            for labels in hard_maps().values():
                features, weights = self.rng.randn(2, 3, 5, 7), self.rng.uniform(0, 2, (2, 5, 7))
                np.testing.assert_allclose(function(features, labels, weights),
                                           exact_weighted(features, labels, 6, mode, weights), rtol=1e-12, atol=1e-13)

    def test_weights_of_one_change_nothing(self):
        features, labels = self.rng.randn(2, 3, 5, 7), random_map(self.rng, (2, 5, 7), 6)
        for mode in ('mean', 'sum'):
            np.testing.assert_allclose(self.compiled(mode)(features, labels, np.ones((2, 5, 7))),
                                       exact_pool(features, labels, 6, mode), rtol=1e-13, atol=1e-14)

    def test_where_the_weights_sum_to_zero_the_mean_and_its_gradients_are_zero(self):
        labels = np.array([[[0, 0, 1], [2, 2, 2]]], 'int32')
        weights = np.array([[[0, 0, .5], [1, -1, 0]]])
        features = np.array([[[[1., 2, 3], [4, 5, 6]]]])
        np.testing.assert_array_equal(self.compiled('mean')(features, labels, weights), [[[0, 3, 0, 0, 0, 0]]])
        cost = T.sum(superpixel_pool(self.x, self.m, 6, 'mean', self.w))
        for mode in ('FAST_RUN', 'FAST_COMPILE'):  # the first one's optimizations hide a 0 / 0
            gradients = theano.function([self.x, self.m, self.w], T.grad(cost, [self.x, self.w]), mode=mode)
            for gradient, expected in zip(gradients(features, labels, weights), (1, 0)):
                np.testing.assert_allclose(gradient.ravel(), [0, 0, expected, 0, 0, 0], atol=1e-15)

    def test_a_mask_of_bools_or_integers_is_a_weight_and_keeps_the_dtype_of_the_features(self):
        features, labels = self.rng.randn(2, 3, 5, 7).astype('float32'), random_map(self.rng, (2, 5, 7), 6)
        mask = self.rng.uniform(size=(2, 5, 7)) < .5
        expected = exact_pool(features, np.where(mask, labels, -1), 6, 'mean')
        for weights in (mask, mask.astype('int8'), mask.astype('float64')):
            pooled = superpixel_pool(features, labels, 6, 'mean', weights).eval()
            self.assertEqual(pooled.dtype, 'float32')
            np.testing.assert_allclose(pooled, expected, rtol=1e-5, atol=1e-6)

    def test_the_gradients_for_features_and_weights_equal_differences(self):
        labels = hard_maps()['random with none']
        for mode in ('mean', 'sum'):
            T.verify_grad(lambda x, w: superpixel_pool(x, labels, 6, mode, w),
                          [self.rng.randn(2, 3, 5, 7), self.rng.uniform(.5, 2, (2, 5, 7))], n_tests=1, rng=self.rng)

    def test_the_second_derivative_equals_differences_of_the_first(self):
        labels = hard_maps()['islands with one label']

        def first_derivatives(x, w):
            x, w = x * 1., w * 1.
            cost = T.sum(T.exp(superpixel_pool(x, labels, 6, 'mean', w)) * T.arange(6))
            return T.concatenate([gradient.flatten() for gradient in T.grad(cost, [x, w])])

        T.verify_grad(first_derivatives, [self.rng.randn(2, 2, 5, 7), self.rng.uniform(.5, 2, (2, 5, 7))], n_tests=1,
                      rng=self.rng)

    def test_the_r_operator_equals_differences(self):
        labels = hard_maps()['random with none']
        f = superpixel_pool(self.x, labels, 6, 'mean', self.w)
        value = theano.function([self.x, self.w], f)
        x, w, v, u = [self.rng.uniform(.5, 2, shape) for shape in ((2, 3, 5, 7), (2, 5, 7)) * 2]
        forward = T.Rop(f, [self.x, self.w], [T.constant(v), T.constant(u)])
        differences = (value(x + 1e-6 * v, w + 1e-6 * u) - value(x - 1e-6 * v, w - 1e-6 * u)) / 2e-6
        np.testing.assert_allclose(forward.eval({self.x: x, self.w: w}), differences, rtol=1e-6, atol=1e-8)


class WeightErrorTest(unittest.TestCase):

    def assert_says(self, kind, sentence, call, *arguments, **named):
        with self.assertRaises(kind) as caught:
            call(*arguments, **named)
        self.assertIn(sentence, str(caught.exception))

    def test_weights_with_a_mode_or_a_resize_that_has_none(self):
        x, m, w = np.ones((2, 3, 5, 7)), np.zeros((2, 5, 7), 'int32'), np.ones((2, 5, 7))
        self.assert_says(ValueError, "SuperpixelPool: pixel_weights go with mode 'mean' or 'sum', but mode is 'max' (label"
                         ' the pixels that shall not count with -1)', superpixel_pool, x, m, 3, 'max', w)
        self.assert_says(ValueError, "SuperpixelPool: pixel_weights go with resize=None, but resize is 'nearest' (give"
                         ' features of the size of the superpixel map', superpixel_pool, x, m, 3, 'mean', w, 'nearest')

    def test_weights_that_are_not_one_for_each_pixel(self):
        x, m = np.ones((2, 3, 5, 7)), np.zeros((2, 5, 7), 'int32')
        self.assert_says(ValueError, 'SuperpixelPool: pixel_weights has 4 axes, but one weight for each pixel of'
                         ' superpixel_map is wanted, (batch, *spatial), 3 in all', superpixel_pool, x, m, 3, 'sum', x)
        self.assert_says(TypeError, 'SuperpixelPool: pixel_weights has dtype complex128', superpixel_pool, x, m, 3,
                         'sum', m + 1j)
        w = T.dtensor3()
        function = theano.function([w], superpixel_pool(x, m, 3, 'mean', w))
        for shape in ((2, 5, 6), (1, 5, 7), (2, 1, 1)):
            self.assert_says(ValueError, 'SuperpixelPool: pixel_weights has shape %s, but superpixel_map has shape'
                             ' (2, 5, 7); one weight for each pixel is wanted' % (shape,), function, np.ones(shape))
