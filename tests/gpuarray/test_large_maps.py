"""Superpixels in several tiles of sorted pixels, and more superpixels than a digit of the sort can distinguish."""
import unittest
from fractions import Fraction

import numpy as np
import theano
import theano.tensor as T

from theano_spp import superpixel_pool, superpixel_unpool
from theano_spp.ops.max_min import PutPixels, SuperpixelExtremum

TILE = 4096  # SPP_SEGMENT


def pool(features, labels, n, mode='sum'):
    """Pool one image of one row."""
    x, m = T.TensorType(features.dtype, (False,) * 3)(), T.imatrix()
    return theano.function([x, m], superpixel_pool(x, m, n, mode))(features[None], labels[None].astype('int32'))[0]


class LargeMapTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_as_many_superpixels_as_three_digits_tell_apart(self):
        n = 5000
        labels = self.rng.randint(-1, n, 30011)
        labels[labels == 77] = 4999
        features = self.rng.rand(3, labels.size).astype('float32')
        for c, actual in enumerate(pool(features, labels, n, 'mean')):
            there = labels >= 0
            sums = np.bincount(labels[there], features[c][there].astype('float64'), n)
            sizes = np.bincount(labels[there], minlength=n)
            np.testing.assert_allclose(actual, sums / np.maximum(sizes, 1), rtol=1e-6)
        y, m = T.ftensor3(), T.imatrix()
        painted = theano.function([y, m], superpixel_unpool(y, m))(np.arange(n, dtype='float32')[None, None],
                                                                   labels[None].astype('int32'))
        np.testing.assert_array_equal(painted[0, 0], np.where(labels >= 0, labels, 0))

    def test_the_mean_of_large_superpixels_is_divided_by_all_of_their_pixels_when_it_is_unpooled(self):
        labels = np.repeat(np.array([2, -1, 0, 1], 'int32'), [5003, 77, 30001, 1])[None]
        values = np.array([[[3., -5, 7]]], 'float32')
        y, m = T.ftensor3(), T.imatrix()
        painted = theano.function([y, m], superpixel_unpool(y, m, 'mean'))(values, labels)
        quotients = np.array([3. / 30001, -5., 7. / 5003, 0], 'float32')
        np.testing.assert_array_equal(painted[0, 0], quotients[labels[0]])

    def test_infinities_and_nans_of_single_tiles_reach_their_superpixels(self):
        labels = np.repeat([0, 1, 2], [3 * TILE, 2 * TILE + 5, 2 * TILE])
        features = np.ones((1, labels.size), 'float32')
        features[0, TILE + 3], features[0, 4 * TILE] = np.inf, np.nan
        np.testing.assert_array_equal(pool(features, labels, 3), [[np.inf, np.nan, 2 * TILE]])

    def test_small_values_next_to_those_of_another_tile_are_not_lost(self):
        tiles = 2000
        features = np.zeros((1, tiles * TILE))
        features[0, ::TILE] = 100
        features[0, 0] = 2. ** 60  # next to it 100 is less than half of the last bit
        actual = pool(features, np.zeros(features.size, 'int32'), 1)[0, 0]
        self.assertLess(abs(actual - (2. ** 60 + 100 * (tiles - 1))), 1e-14 * 2. ** 60)

    def test_values_smaller_than_the_first_of_a_tile_are_not_lost(self):
        features = np.full((1, TILE), 5e-8, 'float32')  # less than half of the last bit of 1
        features[0, :32] = 1
        exact = features.astype('float64').sum()
        self.assertLess(abs(pool(features, np.zeros(TILE, 'int32'), 1)[0, 0] - exact), 1e-6 * exact)

    def test_the_first_of_equal_pixels_in_several_tiles_wins(self):
        labels = np.zeros(5 * TILE, 'int32')
        labels[:3], labels[-7:] = -1, 1
        features = np.zeros((1, labels.size), 'float32')
        features[0, [TILE + 9, 2 * TILE, 3 * TILE + 1]] = 2
        features[0, [4 * TILE - 1, TILE + 70]] = -3
        x, m = T.ftensor3(), T.imatrix()
        for mode, value, place in (('max', 2, TILE + 9), ('min', -3, TILE + 70)):
            pooled, argmax = theano.function([x, m], SuperpixelExtremum(mode)(x, m, 3))(features[None], labels[None])
            np.testing.assert_array_equal(pooled, [[[value, 0, 0]]])
            np.testing.assert_array_equal(argmax, [[[place, 5 * TILE - 7, -1]]])

    def test_values_that_meet_on_a_pixel_are_added_and_those_of_other_channels_go_to_theirs(self):
        n, pixels = 700, 4001
        for dtype in 'float32', 'float64':
            numbers = np.array([[self.rng.permutation(pixels)[:n] for _ in range(3)] for _ in range(2)])
            numbers[0, 1, 600] = numbers[0, 1, 3]  # numbers of superpixels that different groups of threads have
            numbers[1, 2, :40] = numbers[1, 2, 650]
            numbers[:, 0, ::7] = -1
            values = self.rng.randn(2, 3, n).astype(dtype)
            values[0, 0, :9] = np.arange(9, dtype='uint32').view('float32')  # the bits of a superpixel's number
            expected = np.zeros((2, 3, pixels))
            for image, channel, superpixel in np.ndindex(*values.shape):
                if numbers[image, channel, superpixel] >= 0:
                    expected[image, channel, numbers[image, channel, superpixel]] += values[image, channel, superpixel]
            y, p = T.TensorType(dtype, (False,) * 3)(), T.ltensor3()
            put = theano.function([y, p], PutPixels()(y, p, (pixels,), (pixels,)))
            np.testing.assert_allclose(put(values, numbers), expected, rtol=1e-6, atol=1e-6 * (dtype == 'float32'))
            np.testing.assert_array_equal(put(values, numbers)[0, 0], expected[0, 0].astype(dtype))

    def test_equal_features_that_are_resized_do_not_lose_digits(self):
        labels = np.concatenate([np.zeros(6 * TILE, 'int32'), np.arange(1, 3001, dtype='int32')])[None]
        x, m = T.dtensor3(), T.imatrix()
        for kind in ('nearest', 'bilinear'):
            actual = theano.function([x, m], superpixel_pool(x, m, 3001, 'sum', resize=kind))(
                np.full((1, 1, 3), .1), labels)
            self.assertLess(abs(actual[0, 0, 0] - .1 * 6 * TILE), 1e-14 * .1 * 6 * TILE)

    def test_a_cell_that_many_pixels_see_does_not_lose_digits(self):
        labels = np.zeros((1, 400, 500), 'int32')
        exact = float(Fraction(.1) * labels.size)
        y, m = T.dtensor3(), T.itensor3()
        for kind in ('nearest', 'bilinear'):
            actual = theano.function([y, m], superpixel_unpool(y, m, 'sum', kind, (1, 1)))(
                np.full((1, 1, 1), .1), labels)
            self.assertLess(abs(actual[0, 0, 0, 0] - exact), 1e-14 * exact)

    def test_a_cell_that_many_winners_see_does_not_lose_digits(self):
        n = 5000
        x, m = T.ftensor3(), T.imatrix()
        gradient = T.grad((superpixel_pool(x, m, n, 'max', resize='bilinear') * np.float32(.1)).sum(), x)
        actual = theano.function([x, m], gradient)(np.ones((1, 1, 1), 'float32'), np.arange(n, dtype='int32')[None])
        exact = float(Fraction(float(np.float32(.1))) * n)
        self.assertLess(abs(actual[0, 0, 0] - exact), 1e-7 * exact)
