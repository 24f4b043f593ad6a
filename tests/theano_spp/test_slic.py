"""Superpixels that learn: soft iterations of SLIC, and the label maps made of them."""
import unittest

import numpy as np
import theano
import theano.tensor as T
from theano.configparser import change_flags

from tests.theano_spp.test_soft import exact_association, exact_soft_pool, neighbours_of
from theano_spp import differentiable_slic, hard_superpixel_map, soft_superpixel_unpool


def exact_slic(features, grid, iterations):
    """The iterations by walks over the pixels."""
    spatial_shape = features.shape[2:]
    own = np.zeros((len(features), 3 ** len(grid)) + spatial_shape)
    own[:, 3 ** len(grid) // 2] = 1
    sums, totals = exact_soft_pool(features, own, grid)
    for _ in range(iterations):
        pooled = sums / np.where(totals > 0, totals, 1)[:, None]
        association = exact_association(features, pooled, grid)
        sums, totals = exact_soft_pool(features, association, grid)
    return association, sums / np.where(totals > 0, totals, 1)[:, None]


def with_positions(features, grid, compactness):
    """The features, and the position of each pixel in cells as further channels, times `compactness`."""
    axes = [(np.arange(size) + .5) * cells / size for size, cells in zip(features.shape[2:], grid)]
    places = np.stack(np.meshgrid(*axes, indexing='ij'))
    return np.concatenate([features, compactness * np.stack([places] * len(features))], axis=1)


def exact_hard_map(association, grid):
    """The superpixel of the largest weight of each pixel, without those beyond the grid."""
    labels = np.zeros(association.shape[:1] + association.shape[2:], 'int32')
    for place in np.ndindex(*labels.shape[1:]):
        superpixels = list(neighbours_of(place, labels.shape[1:], grid))
        for b in range(len(labels)):
            weights = [-1 if superpixel is None else association[(b, k) + place]
                       for k, superpixel in enumerate(superpixels)]
            labels[(b,) + place] = superpixels[int(np.argmax(weights))]
    return labels


def rectangles(rows, columns, shape):
    """A map of rectangles between these borders."""
    return sum((np.arange(shape[0]) >= row).astype('int64') for row in rows)[:, None] * (len(columns) + 1) + sum(
        (np.arange(shape[1]) >= column).astype('int64') for column in columns)[None]


class ValueTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_the_iterations_equal_walks_over_the_pixels(self):
        for spatial_shape, grid, iterations in ((13, 17), (3, 4), 1), ((9, 10), (2, 3), 3), ((23,), (4,), 2), (
                (4, 5, 6), (2, 1, 2), 2):
            features = self.rng.randn(2, 3, *spatial_shape)
            results = theano.function([], differentiable_slic(features, grid, iterations))()
            for result, expected in zip(results, exact_slic(features, grid, iterations)):
                np.testing.assert_allclose(result, expected, 1e-10, 1e-12)

    def test_positions_count_as_compactness_says(self):
        features = self.rng.randn(1, 2, 9, 10)
        association, pooled = theano.function([], differentiable_slic(features, (2, 3), 2, compactness=1.7))()
        expected = exact_slic(with_positions(features, (2, 3), 1.7), (2, 3), 2)
        np.testing.assert_allclose(association, expected[0], 1e-10, 1e-12)
        np.testing.assert_allclose(pooled, expected[1][:, :2], 1e-10, 1e-12)
        float32 = differentiable_slic(features.astype('float32'), (2, 3), 2, 1.7)
        self.assertEqual([variable.dtype for variable in float32], ['float32', 'float32'])
        np.testing.assert_allclose(float32[0].eval(), expected[0], 1e-4, 1e-5)

    def test_regions_of_one_colour_are_found_although_their_borders_are_not_those_of_the_grid(self):
        truth = rectangles((7,), (11, 19), (16, 30))  # the grid has borders at 8, 10 and 20
        features = 10. * self.rng.permutation(6)[truth]
        association, pooled = differentiable_slic(features[None, None], (2, 3), 3)
        np.testing.assert_array_equal(hard_superpixel_map(association, (2, 3)).eval(), truth[None])
        painted = soft_superpixel_unpool(pooled, association, (2, 3))
        np.testing.assert_allclose(painted.eval()[0, 0], features, atol=1e-6)

    def test_one_function_serves_every_size_and_grid(self):
        x, grid = T.dtensor4(), T.lvector()
        function = theano.function([x, grid], differentiable_slic(x, grid, 2))
        for spatial_shape, cells in ((13, 17), (3, 4)), ((9, 10), (2, 3)), ((9, 10), (5, 1)):
            features = self.rng.randn(1, 2, *spatial_shape)
            for result, expected in zip(function(features, cells), exact_slic(features, cells, 2)):
                np.testing.assert_allclose(result, expected, 1e-10, 1e-12)

    def test_the_gradient_through_all_iterations_equals_differences(self):
        features = self.rng.randn(1, 2, 5, 7)
        upstream = self.rng.randn(1, 9, 5, 7)

        def cost(x, compactness):
            association, pooled = differentiable_slic(x, (2, 3), 2, compactness)
            return T.sum(association * upstream) + T.sum(pooled ** 2)

        T.verify_grad(cost, [features, np.array(1.3)], n_tests=1, rng=self.rng)

    def test_a_superpixel_without_weights_stays_where_it_was(self):
        # Three grid cells of two pixels, of which the second begins at 100, too far from all.
        features = np.array([[[0, 0, 0, 200, 200, 200.]]])
        for iterations in 1, 4:
            association, pooled = differentiable_slic(features, [3], iterations)
            np.testing.assert_array_equal(pooled.eval(), [[[0, 100, 200]]])
            np.testing.assert_array_equal(hard_superpixel_map(association, [3]).eval(), [[0, 0, 0, 2, 2, 2]])

    def test_no_gradient_flows_through_the_label_map(self):
        association = T.dtensor4()
        labels = T.cast(hard_superpixel_map(association, (2, 3)), 'float64')
        with self.assertRaises(theano.gradient.DisconnectedInputError):
            T.grad(T.sum(labels), association)

    def test_a_pixel_without_any_weight_is_still_labelled_with_a_superpixel_of_the_grid(self):
        labels = hard_superpixel_map(np.full((1, 9, 5, 7), -np.inf), (2, 3)).eval()
        self.assertTrue(((0 <= labels) & (labels < 6)).all())

    def test_without_channels_the_positions_alone_make_superpixels(self):
        association, pooled = differentiable_slic(np.ones((1, 0, 6, 9)), (2, 3), 1, 4.)
        self.assertEqual(pooled.eval().shape, (1, 0, 6))
        own = np.arange(6)[:, None] // 3 * 3 + np.arange(9)[None] // 3
        np.testing.assert_array_equal(hard_superpixel_map(association, (2, 3)).eval(), own[None])

    def test_each_pixel_is_labelled_with_the_neighbour_of_its_largest_weight(self):
        for spatial_shape, grid in ((11,), (4,)), ((5, 7), (2, 3)), ((5, 6), (7, 2)), ((3, 4, 5), (2, 2, 2)):
            association = self.rng.rand(2, 3 ** len(grid), *spatial_shape)
            for dtype in 'float64', 'float32', 'float16':
                labels = hard_superpixel_map(association.astype(dtype), grid).eval()
                self.assertEqual(labels.dtype, 'int32')
                np.testing.assert_array_equal(labels, exact_hard_map(association.astype(dtype), grid))


class ErrorTest(unittest.TestCase):

    def assert_says(self, kind, sentence, call, *arguments):
        with self.assertRaises(kind) as caught:
            call(*arguments)
        self.assertIn(sentence, str(caught.exception))

    def test_arguments_that_cannot_be_are_named(self):
        x = np.ones((2, 3, 5, 7))
        self.assert_says(ValueError, 'differentiable_slic: iterations is 0, but must be at least 1',
                         differentiable_slic, x, (2, 3), 0)
        self.assert_says(TypeError, 'differentiable_slic: iterations is 2.5, but an integer is wanted',
                         differentiable_slic, x, (2, 3), 2.5)
        self.assert_says(ValueError, 'differentiable_slic: grid has 1 sizes, but 2', differentiable_slic, x, [6])
        self.assert_says(TypeError, 'differentiable_slic: feature_map has dtype int64', differentiable_slic,
                         x.astype('int64'), (2, 3))
        self.assert_says(ValueError, 'hard_superpixel_map: grid has 3 sizes, but 2', hard_superpixel_map,
                         np.ones((2, 9, 5, 7)), (2, 3, 4))
        self.assert_says(TypeError, 'hard_superpixel_map: association has dtype int64', hard_superpixel_map,
                         np.ones((2, 9, 5, 7), 'int64'), (2, 3))
        grid = T.lvector()
        association, _ = differentiable_slic(x, grid)
        function = theano.function([grid], association)
        labels = theano.function([grid], hard_superpixel_map(np.ones((2, 9, 5, 7)), grid))
        for numbers in (2, 0), (-2, 3), (2 ** 32, 2 ** 32), (2 ** 16, 2 ** 15):
            for name, call in ('differentiable_slic', function), ('hard_superpixel_map', labels):
                self.assert_says(AssertionError, name + ': grid must have at least one grid cell on each axis, and'
                                 ' below 2**31 in all (give numbers of superpixels, such as (10, 10))', call, numbers)
        for weights in 1, 8:
            self.assert_says(AssertionError, 'hard_superpixel_map: association must have 9 weights for each pixel',
                             hard_superpixel_map(np.ones((2, weights, 5, 7)), (2, 3)).eval)
        for compactness, error in (('a', TypeError), (True, TypeError), (T.dvector(), TypeError), (-1, ValueError),
                                   (np.nan, ValueError), (np.inf, ValueError)):
            self.assert_says(error, 'differentiable_slic: compactness ', differentiable_slic, x, (2, 3), 1, compactness)

    def test_where_a_flag_forbids_float64_the_error_says_what_to_do(self):
        with change_flags(warn_float64='raise'):
            for compactness in 0, .5:
                self.assert_says(ValueError, 'differentiable_slic: distances and means are summed in float64',
                                 differentiable_slic, T.ftensor4(), (2, 3), 1, compactness)
