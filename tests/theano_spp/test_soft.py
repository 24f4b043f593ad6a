"""Soft superpixels: pooling, unpooling and distances with weights in the superpixels of the grid cells around."""
import functools
import itertools
import math
import pickle
import unittest

import numpy as np
import theano
import theano.tensor as T
from theano.compile.debugmode import DebugMode

from tests.derivatives import first_derivatives
from tests.memory_layouts import layouts
from tests.numeric import exact_pool, exact_unpool
from tests.threads import digests_of_results
from theano_spp import soft_superpixel_association, soft_superpixel_pool, soft_superpixel_unpool
from theano_spp.ops.soft import SoftAssociation, SoftDot, SoftPool, SoftUnpool

BOTH = ('FAST_RUN', 'FAST_COMPILE')  # C code and the reference
#: Spatial sizes and grids: cells of several sizes, more cells than pixels, more pixels or columns than a strip has.
CASES = (((11,), (4,)), ((13, 17), (3, 4)), ((5, 6), (7, 2)), ((21, 40), (2, 1)), ((2, 600), (1, 2)), ((1, 1), (1, 1)),
         ((4, 5, 7), (2, 3, 2)))


def neighbours_of(place, spatial_shape, grid):
    """For each neighbour of a pixel, the number of its superpixel as the docs define it; None where the grid ends."""
    cell = [math.floor(p * cells / pixels) for p, pixels, cells in zip(place, spatial_shape, grid)]
    for offsets in itertools.product((-1, 0, 1), repeat=len(grid)):
        there = [c + offset for c, offset in zip(cell, offsets)]
        inside = all(0 <= c < cells for c, cells in zip(there, grid))
        yield int(np.ravel_multi_index(there, grid)) if inside else None


def pairs(spatial_shape, grid):
    """Each pixel with each of its neighbours: place, number of the neighbour, superpixel."""
    for place in np.ndindex(*spatial_shape):
        for k, superpixel in enumerate(neighbours_of(place, spatial_shape, grid)):
            yield place, k, superpixel


def exact_soft_pool(features, association, grid):
    """Sums and totals by a walk over the pixels and ``math.fsum``."""
    n = int(np.prod(grid))
    sums, totals = np.zeros(features.shape[:2] + (n,)), np.zeros((len(features), n))
    for b in range(len(features)):
        terms = [[[] for _ in range(n)] for _ in range(1 + features.shape[1])]
        for place, k, superpixel in pairs(features.shape[2:], grid):
            if superpixel is not None:
                weight = float(association[(b, k) + place])
                terms[-1][superpixel].append(weight)
                for c in range(features.shape[1]):
                    terms[c][superpixel].append(weight * float(features[(b, c) + place]))
        totals[b] = [math.fsum(values) for values in terms.pop()]
        sums[b] = [[math.fsum(values) for values in channel] for channel in terms]
    return sums, totals


def exact_soft_unpool(pooled, association, grid):
    painted = np.zeros(pooled.shape[:2] + association.shape[2:])
    for place, k, superpixel in pairs(association.shape[2:], grid):
        for b, c in np.ndindex(*pooled.shape[:2]):
            if superpixel is not None:
                painted[(b, c) + place] += association[(b, k) + place] * pooled[b, c, superpixel]
    return painted


def exact_association(features, pooled, grid):
    distances = exact_comparison(features, pooled, grid, lambda x, y: (x - y) ** 2, np.inf)
    powers = np.exp(distances.min(axis=1, keepdims=True) - distances)
    return powers / powers.sum(axis=1, keepdims=True)


def exact_comparison(features, pooled, grid, term, beyond):
    compared = np.full((len(features), 3 ** len(grid)) + features.shape[2:], beyond, 'float64')
    for place, k, superpixel in pairs(features.shape[2:], grid):
        for b in range(len(features)):
            if superpixel is not None:
                compared[(b, k) + place] = math.fsum(
                    term(float(x), float(y))
                    for x, y in zip(features[(b, slice(None)) + place], pooled[b, :, superpixel]))
    return compared


def variables(dtype='float64', axes=2):
    """Features and weights."""
    return [T.TensorType(dtype, (False,) * (2 + axes))() for _ in range(2)]


@functools.lru_cache(maxsize=None)
def compiled(dtype='float64', axes=2, mode='FAST_RUN'):
    """f(features, weights, values, grid) -> sums, totals, painted, dots, weights."""
    x, a = variables(dtype, axes)
    y, grid = T.dtensor3(), T.lvector()
    return theano.function([x, a, y, grid], SoftPool()(x, a, grid) + [SoftUnpool()(y, a, grid), SoftDot()(x, y, grid),
                                                                     SoftAssociation()(x, y, grid)], mode=mode)


class ValueTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def arrays(self, spatial_shape, grid, dtype='float64', batch=2, channels=3):
        return (self.rng.randn(batch, channels, *spatial_shape).astype(dtype),
                self.rng.uniform(0, 2, (batch, 3 ** len(grid)) + spatial_shape).astype(dtype),
                self.rng.randn(batch, channels, int(np.prod(grid))))

    def test_four_pixels_in_two_cells_by_hand(self):
        features = np.array([[[1., 3, 5, 7]]])
        association = np.array([[[9., 9, 0, 2], [1, .5, 1, 1], [0, .5, 9, 9]]])  # 9 is beyond the grid
        function = compiled(axes=1)
        sums, totals, painted, dots, _ = function(features, association, [[[10., 20]]], [2])
        np.testing.assert_array_equal(sums, [[[1 + 1.5 + 14, 1.5 + 5 + 7]]])
        np.testing.assert_array_equal(totals, [[3.5, 2.5]])
        np.testing.assert_array_equal(painted, [[[10, 15, 20, 40]]])
        np.testing.assert_array_equal(dots, [[[0, 0, 50, 70], [10, 30, 100, 140], [20, 60, 0, 0]]])
        weights = function(np.log([[[1., 2, 4, 8]]]), association, np.log([[[1., 2]]]), [2])[4]
        np.testing.assert_allclose(weights.sum(axis=1), np.ones((1, 4)), 1e-15)
        near, far = np.log(2) ** 2, np.log(4) ** 2
        np.testing.assert_allclose(weights[0, 2, :2], [1 / (1 + np.exp(near)), 1 / (1 + np.exp(-near))], 1e-14)
        np.testing.assert_allclose(weights[0, 0, 2:], [1 / (1 + np.exp(far - near)), 1 / (
            1 + np.exp(np.log(8) ** 2 - far))], 1e-14)

    def test_all_ops_equal_a_walk_over_the_pixels_in_one_to_three_axes(self):
        for (spatial_shape, grid), dtype in itertools.product(CASES, ('float64', 'float32')):
            if dtype == 'float32' and len(grid) != 2:
                continue
            features, association, pooled = self.arrays(spatial_shape, grid, dtype)
            expected = exact_soft_pool(features, association, grid) + (
                exact_soft_unpool(pooled, association, grid),
                exact_comparison(features, pooled, grid, lambda x, y: x * y, 0),
                exact_association(features, pooled, grid))
            for mode in BOTH:
                values = compiled(dtype, len(grid), mode)(features, association, pooled, grid)
                for i, (value, exact) in enumerate(zip(values, expected)):
                    self.assertEqual(value.dtype, 'float64' if i < 2 else dtype)
                    np.testing.assert_allclose(value, exact, *(
                        (1e-12, 1e-13) if dtype == 'float64' or i < 2 else (1e-6, 1e-6)))

    def test_any_number_of_channels(self):
        for channels in (1, 31, 33, 70):  # around the widths of the blocks of channels
            features, association, pooled = self.arrays((7, 9), (2, 3), channels=channels)
            values = compiled()(features, association, pooled, (2, 3))
            reference = compiled(mode='FAST_COMPILE')(features, association, pooled, (2, 3))
            for value, expected in zip(values, reference):
                np.testing.assert_allclose(value, expected, 1e-12, 1e-13)

    def test_weights_of_the_own_cell_alone_are_plain_pooling_of_the_grid(self):
        features, association, pooled = self.arrays((13, 17), (3, 4))
        cells = np.array([[row * 3 // 13 * 4 + column * 4 // 17 for column in range(17)] for row in range(13)])
        association[...] = 0
        association[:, 4] = 1
        means = soft_superpixel_pool(features, association, (3, 4)).eval()
        np.testing.assert_allclose(means, exact_pool(features, np.stack([cells] * 2), 12, 'mean'), 1e-12)
        painted = soft_superpixel_unpool(pooled, association, (3, 4)).eval()
        np.testing.assert_array_equal(painted, exact_unpool(pooled, np.stack([cells] * 2), 'sum'))

    def test_means_are_sums_divided_by_weights_and_zero_where_there_are_none(self):
        features, association, _ = self.arrays((13, 17), (3, 4))
        association[:, :, :9] = 0  # the first row of cells has the weights of the pixels below alone
        association[0] = 0
        sums, totals = exact_soft_pool(features, association, (3, 4))
        for mode in BOTH:
            means = soft_superpixel_pool(features, association, (3, 4))
            means = theano.function([], means, mode=mode)()
            expected = np.where(totals[:, None] > 0, sums / np.where(totals > 0, totals, 1)[:, None], 0)
            np.testing.assert_allclose(means, expected, 1e-12, 1e-13)
            self.assertFalse(means[0].any())

    def test_a_superpixel_keeps_the_promise_of_precision_with_a_hundred_thousand_pixels(self):
        for dtype, tolerance in (('float32', 1e-6), ('float64', 1e-14)):
            features, association = (1 + self.rng.rand(1, 1, 400, 300)).astype(dtype), self.rng.rand(1, 9, 400, 300)
            association = association.astype(dtype)
            x, a = variables(dtype)
            summed = theano.function([x, a], soft_superpixel_pool(x, a, (1, 1), 'sum'))(features, association)
            exact = math.fsum((features[0, 0].astype('float64') * association[0, 4]).ravel())
            self.assertLess(abs(summed[0, 0, 0] - exact), tolerance * exact)

    def test_a_nan_in_weights_beyond_the_grid_reaches_no_value_and_no_derivative(self):
        features, association, pooled = self.arrays((7, 9), (2, 3))
        beyond = np.array([[superpixel is None for superpixel in neighbours_of(place, (7, 9), (2, 3))]
                           for place in np.ndindex(7, 9)]).T.reshape(9, 7, 9)
        association[:, beyond] = np.nan
        x, a = variables()
        for mode in BOTH:
            for value in (soft_superpixel_pool(x, a, (2, 3)), soft_superpixel_unpool(pooled, a, (2, 3))):
                value_and_gradient = theano.function([x, a], [value] + T.grad(
                    T.sum(value ** 2), [x, a], disconnected_inputs='ignore'), on_unused_input='ignore', mode=mode)
                results = value_and_gradient(features, association)
                self.assertTrue(all(np.isfinite(result).all() for result in results))
                self.assertFalse(results[-1][:, beyond].any())

    def test_a_nan_of_a_feature_reaches_the_superpixels_around_its_pixel_in_its_channel_alone(self):
        features, association, _ = self.arrays((6, 9), (2, 3))
        features[1, 2, 0, 0] = np.nan  # in the first cell, next to those in its row, below, and below that
        for mode in BOTH:
            sums, totals = compiled(mode=mode)(features, association, np.zeros((2, 3, 6)), (2, 3))[:2]
            expected = np.zeros(sums.shape, bool)
            expected[1, 2, [0, 1, 3, 4]] = True
            np.testing.assert_array_equal(np.isnan(sums), expected)
            self.assertTrue(np.isfinite(totals).all())

    def test_batch_channels_and_space_may_be_zero(self):
        for batch, channels, spatial_shape in ((0, 3, (5, 7)), (2, 0, (5, 7)), (2, 3, (0, 7)), (2, 3, (5, 0))):
            for mode in BOTH:
                sums, totals, painted, dots, weights = compiled(mode=mode)(
                    np.ones((batch, channels) + spatial_shape), np.ones((batch, 9) + spatial_shape),
                    np.ones((batch, channels, 6)), (2, 3))
                self.assertEqual((sums.shape, totals.shape), ((batch, channels, 6), (batch, 6)))
                self.assertFalse(sums.any())
                self.assertEqual(totals.any(), channels == 0)
                self.assertEqual(painted.shape, (batch, channels) + spatial_shape)
                self.assertEqual((dots.shape, weights.shape), ((batch, 9) + spatial_shape,) * 2)
                self.assertFalse(dots.any())
                np.testing.assert_allclose(weights.sum(axis=1), np.ones((batch,) + spatial_shape), 1e-14)
        self.assertEqual(compiled()(np.ones((2, 3, 0, 7)), np.ones((2, 9, 0, 7)), np.ones((2, 3, 0)), (0, 3))[0].shape,
                         (2, 3, 0))

    def test_without_channels_there_are_gradients(self):
        x, a = variables()
        for mode in BOTH:
            function = theano.function([x, a], T.grad(T.sum(soft_superpixel_pool(x, a, (2, 3))), [x, a]), mode=mode)
            gradients = function(np.ones((2, 0, 5, 7)), np.ones((2, 9, 5, 7)))
            self.assertEqual([gradient.shape for gradient in gradients], [(2, 0, 5, 7), (2, 9, 5, 7)])
            self.assertFalse(gradients[1].any())

    def test_float16_is_computed_in_float32(self):
        features, association, pooled = [array.astype('float16').astype('float64')
                                         for array in self.arrays((13, 17), (3, 4))]
        x, a, y = [array.astype('float16') for array in (features, association, pooled)]
        sums = soft_superpixel_pool(x, a, (3, 4), 'sum')
        painted = soft_superpixel_unpool(y, a, (3, 4))
        weights = soft_superpixel_association(x, y, (3, 4))
        for value, expected in ((sums, exact_soft_pool(features, association, (3, 4))[0]),
                                (painted, exact_soft_unpool(pooled, association, (3, 4))),
                                (weights.sum(axis=1), np.ones((2, 13, 17)))):
            self.assertEqual(value.dtype, 'float16')
            np.testing.assert_allclose(value.eval(), expected, 2e-3, 1e-3)

    def test_weights_are_right_for_distances_of_every_magnitude(self):
        for scale in (1e-8, 1, 20, 1e4, 1e150):
            features, association, pooled = self.arrays((7, 9), (2, 3))
            features, pooled = scale * features, scale * pooled
            weights = compiled()(features, association, pooled, (2, 3))[4]
            np.testing.assert_allclose(weights, exact_association(features, pooled, (2, 3)), 1e-11, 1e-300)
        # One superpixel at 0, the other at distances from the smallest to beyond what exp can give.
        distances = np.concatenate([np.linspace(0, 745, 3001), np.linspace(690, 6000, 30000), 10. ** np.arange(4, 300)])
        pooled = np.stack([np.zeros(len(distances)), distances ** .5], axis=1)[:, None]
        weights = compiled(axes=1)(np.zeros((len(distances), 1, 2)), np.ones((len(distances), 3, 2)), pooled, [2])[4]
        expected = np.exp(-np.where(distances < 700, distances, np.inf))
        np.testing.assert_allclose(weights[:, 2, 0], expected / (1 + expected), 1e-12, 1e-304)
        np.testing.assert_allclose(weights[:, 1, 0], 1 / (1 + expected), 1e-14)

    def test_a_superpixel_infinitely_far_away_has_no_weight(self):
        features, association, pooled = self.arrays((6, 9), (2, 3))
        pooled[0, 1, 0] = np.inf
        for mode in BOTH:
            weights = compiled(mode=mode)(features, association, pooled, (2, 3))[4]
            expected = exact_association(features[1:], pooled[1:], (2, 3))
            np.testing.assert_allclose(weights[1:], expected, 1e-12)
            self.assertTrue(np.isfinite(weights[0, :, :, 3:]).all())
            np.testing.assert_allclose(weights[0, :, :, 3:].sum(axis=0), np.ones((6, 6)), 1e-14)
            self.assertFalse(weights[0, 0, 3:, 3:6].any())  # in the grid cell below and to the right

    def test_a_nan_or_an_infinity_of_a_pixel_gives_nans_in_its_own_weights_on_the_grid_alone(self):
        for value, mode in itertools.product((np.nan, np.inf), BOTH):
            features, association, pooled = self.arrays((6, 9), (2, 3))
            features[1, 2, 0, 0] = value
            weights = compiled(mode=mode)(features, association, pooled, (2, 3))[4]
            expected = np.zeros(weights.shape, bool)
            expected[1, [4, 5, 7, 8], 0, 0] = True
            np.testing.assert_array_equal(np.isnan(weights), expected)


class DerivativeTest(unittest.TestCase):

    grid = 2, 3

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.features, self.pooled = self.rng.randn(2, 3, 5, 7), self.rng.randn(2, 3, 6)
        self.association = self.rng.uniform(.5, 2, (2, 9, 5, 7))
        #: Each op as a function of its two factors, and values for these.
        self.products = [
            (lambda x, a: SoftPool()(x, a, self.grid)[0], (self.features, self.association)),
            (lambda y, a: SoftUnpool()(y, a, self.grid), (self.pooled, self.association)),
            (lambda x, y: SoftDot()(x, y, self.grid), (self.features, self.pooled))]
        #: And what is made of them.
        self.others = [
            (lambda x, y: soft_superpixel_association(x, y, self.grid), (self.features, self.pooled)),
            (lambda x, a: soft_superpixel_pool(x, a, self.grid), (self.features, self.association))]

    def test_the_three_ops_are_the_derivatives_of_one_product(self):
        sums, _, painted, dots, _ = compiled()(self.features, self.association, self.pooled, self.grid)
        expected = math.fsum(
            self.features[(b, c) + place] * self.association[(b, k) + place] * self.pooled[b, c, superpixel]
            for b, c in np.ndindex(2, 3) for place, k, superpixel in pairs((5, 7), self.grid) if superpixel is not None)
        for value, other in ((sums, self.pooled), (painted, self.features), (dots, self.association)):
            np.testing.assert_allclose((value * other).sum(), expected, rtol=1e-12)

    def test_the_gradients_equal_differences(self):
        for product, points in self.products + self.others:
            T.verify_grad(product, list(points), n_tests=1, rng=self.rng)
        T.verify_grad(lambda a: SoftPool()(self.features, a, self.grid)[1], [self.association], n_tests=1, rng=self.rng)

    def test_the_second_derivatives_equal_differences_of_the_first(self):
        for value_of, points in self.products + self.others:
            T.verify_grad(functools.partial(first_derivatives, value_of), list(points), n_tests=1, rng=self.rng)

    def test_the_r_operator_equals_differences_for_one_factor_and_for_both(self):
        for value_of, points in self.products + self.others:
            factors = [T.TensorType('float64', (False,) * point.ndim)() for point in points]
            value = value_of(*factors)
            function = theano.function(factors, value)
            directions = [self.rng.randn(*point.shape) for point in points]
            for some in ((0,), (1,), (0, 1)):
                forward = T.Rop(value, [factors[i] for i in some], [T.constant(directions[i]) for i in some])
                step = [1e-6 * direction if i in some else 0. for i, direction in enumerate(directions)]
                differences = (function(*[p + s for p, s in zip(points, step)])
                               - function(*[p - s for p, s in zip(points, step)])) / 2e-6
                forward = theano.function(factors, forward, on_unused_input='ignore')(*points)
                np.testing.assert_allclose(forward, differences, rtol=1e-6, atol=1e-7)

    def test_where_weights_sum_to_zero_the_gradients_are_finite(self):
        x, a = variables()
        pooled = soft_superpixel_pool(x, a, self.grid)
        for mode in BOTH:
            gradients = theano.function([x, a], T.grad(T.sum(T.exp(pooled)), [x, a]), mode=mode)
            for gradient in gradients(self.features, np.zeros((2, 9, 5, 7))):
                self.assertFalse(gradient.any())

    def test_each_gradient_has_the_dtype_of_its_factor_and_uses_threads_as_the_op_does(self):
        for dtype, openmp in itertools.product(('float32', 'float64'), (True, False)):
            (x, a), y = variables(dtype), T.dtensor3()
            for value, factors in ((SoftPool(openmp)(x, a, self.grid)[0], [x, a]),
                                   (SoftUnpool(openmp)(y, a, self.grid), [a]),
                                   (SoftDot(openmp)(x, y, self.grid), [x]),
                                   (SoftAssociation(openmp)(x, y, self.grid), [x])):
                gradients = T.grad(T.sum(T.exp(-value)), factors)
                self.assertEqual([gradient.dtype for gradient in gradients], [dtype] * len(factors))
                self.assertEqual({v.owner.op.openmp for v in theano.gof.graph.ancestors(gradients)
                                  if v.owner and hasattr(v.owner.op, 'openmp') and 'Soft' in str(v.owner.op)}, {openmp})

    def test_an_r_operator_without_directions_has_none_and_the_grid_is_disconnected(self):
        (x, a), y, grid = variables(), T.dtensor3(), T.lvector()
        for op, inputs in ((SoftPool(), (x, a, grid)), (SoftUnpool(), (y, a, grid)), (SoftDot(), (x, y, grid)),
                           (SoftAssociation(), (x, y, grid))):
            node = op.make_node(*inputs)
            self.assertEqual(op.R_op(node.inputs, [None] * 3), [None] * len(node.outputs))
            self.assertFalse(any(op.connection_pattern(node)[2]))


class MemoryTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_every_op_gives_the_same_bits_for_every_layout_of_its_inputs(self):
        arrays = self.rng.randn(2, 9, 13, 17), self.rng.randn(2, 9, 13, 17), self.rng.randn(2, 9, 12)
        function = compiled()
        bits = function(*(arrays + ((3, 4),)))
        for several in itertools.zip_longest(*[layouts(array) for array in arrays]):
            for some in itertools.product((False, True), repeat=3):
                given = [one[1] if take and one else array for take, one, array in zip(some, several, arrays)]
                for value, expected in zip(function(*(given + [(3, 4)])), bits):
                    np.testing.assert_array_equal(value, expected, str([one and one[0] for one in several]))

    def test_painted_features_have_their_channels_last_in_memory_where_the_values_have(self):
        pooled = np.ones((2, 12, 5)).transpose(0, 2, 1)
        painted = compiled()(np.ones((2, 5, 13, 17)), np.ones((2, 9, 13, 17)), pooled, (3, 4))[2]
        self.assertTrue(painted.transpose(0, 2, 3, 1).flags.c_contiguous)

    def test_debug_mode_with_every_kind_of_preallocated_output_finds_nothing(self):
        mode = DebugMode(check_preallocated_output=['ALL'], check_isfinite=True, stability_patience=2)
        (x, a), y, grid = variables('float32'), T.dtensor3(), T.lvector()
        results = SoftPool()(x, a, grid) + [SoftUnpool()(y, a, grid), SoftDot()(x, y, grid),
                                            SoftAssociation()(x, y, grid)]
        function = theano.function([x, a, y, grid], results, mode=mode)
        function(self.rng.randn(2, 3, 5, 7).astype('float32'), self.rng.rand(2, 9, 5, 7).astype('float32'),
                 self.rng.randn(2, 3, 6), (2, 3))

    def test_one_function_called_with_changing_shapes_stays_right(self):
        for spatial_shape, grid in ((5, 7), (2, 3)), ((13, 17), (3, 4)), ((5, 7), (3, 2)), ((5, 7), (2, 3)):
            arrays = (self.rng.randn(2, 3, *spatial_shape), self.rng.rand(2, 9, *spatial_shape),
                      self.rng.randn(2, 3, int(np.prod(grid))), grid)
            for value, expected in zip(compiled()(*arrays), compiled(mode='FAST_COMPILE')(*arrays)):
                np.testing.assert_allclose(value, expected, 1e-12, 1e-13)

    def test_one_to_four_threads_and_none_at_all_give_the_same_bits(self):
        (x, a), y = variables('float32'), T.dtensor3()
        functions = [theano.function([x, a, y], SoftPool(openmp)(x, a, (8, 9)) + [
            SoftUnpool(openmp)(y, a, (8, 9)), SoftDot(openmp)(x, y, (8, 9)), SoftAssociation(openmp)(x, y, (8, 9))])
            for openmp in (True, False)]
        for batch, channels in (1, 67), (3, 21):
            arrays = self.rng.randn(batch, channels, 61, 67), self.rng.rand(batch, 9, 61, 67)
            self.assertGreaterEqual(arrays[0].size, 100000)
            self.assertEqual(len(digests_of_results(*functions, *[array.astype('float32') for array in arrays],
                                                    self.rng.randn(batch, channels, 72))), 1)


class GraphTest(unittest.TestCase):

    def test_shapes_are_known_without_computing_the_values(self):
        (x, a), y, grid = variables(), T.dtensor3(), T.lvector()
        values = SoftPool()(x, a, grid) + [SoftUnpool()(y, a, grid), SoftDot()(x, y, grid)]
        function = theano.function([x, a, y, grid], [value.shape for value in values])
        self.assertNotIn('Soft', str(function.maker.fgraph))
        shapes = function(np.ones((2, 3, 5, 7)), np.ones((2, 9, 5, 7)), np.ones((2, 3, 6)), (2, 3))
        self.assertEqual([shape.tolist() for shape in shapes], [[2, 3, 6], [2, 6], [2, 3, 5, 7], [2, 9, 5, 7]])

    def test_ops_with_the_same_parameters_are_equal_and_can_be_pickled(self):
        for op, other in ((SoftPool(), SoftUnpool()), (SoftDot(), SoftAssociation())):
            self.assertEqual(pickle.loads(pickle.dumps(op)), op)
            self.assertNotEqual(op, other)


class ErrorTest(unittest.TestCase):

    def assert_says(self, kind, sentence, call, *arguments):
        with self.assertRaises(kind) as caught:
            call(*arguments)
        self.assertIn(sentence, str(caught.exception))

    def test_dtypes_axes_and_modes_that_cannot_be(self):
        x, a, y = np.ones((2, 3, 5, 7)), np.ones((2, 9, 5, 7)), np.ones((2, 3, 6))
        self.assert_says(ValueError, "soft_superpixel_pool: mode is 'max', but must be 'mean' or 'sum'",
                         soft_superpixel_pool, x, a, (2, 3), 'max')
        self.assert_says(TypeError, 'SoftPool: association has dtype int64, but weights are floats (use'
                         " association.astype('float32'))", soft_superpixel_pool, x, a.astype('int64'), (2, 3))
        self.assert_says(ValueError, 'SoftPool: association has 3 axes, but (batch, 3 ** axes, *spatial) is wanted,'
                         ' 4 in all, as feature_map has', soft_superpixel_pool, x, a[:, 0], (2, 3))
        self.assert_says(ValueError, 'SoftUnpool: association has 2 axes', soft_superpixel_unpool, y, a[0, 0], (2, 3))
        self.assert_says(ValueError, 'SoftPool: grid has 1 sizes, but 2 for the spatial axes of the image are wanted',
                         soft_superpixel_pool, x, a, [6])
        self.assert_says(TypeError, 'one for each spatial axis (give numbers of superpixels, such as (10, 10))',
                         soft_superpixel_pool, x, a, 5)
        self.assert_says(TypeError, 'SoftAssociation: feature_map has dtype int64', soft_superpixel_association,
                         x.astype('int64'), y, (2, 3))

    def test_shapes_that_do_not_agree_and_grids_that_cannot_be_are_named_in_c_and_in_the_reference(self):
        x, a, y = np.ones((2, 3, 5, 7)), np.ones((2, 9, 5, 7)), np.ones((2, 3, 6))
        (X, A), Y, grid = variables(), T.dtensor3(), T.lvector()
        for mode in BOTH:
            pool = theano.function([X, A, grid], SoftPool()(X, A, grid), mode=mode)
            unpool = theano.function([Y, A, grid], SoftUnpool()(Y, A, grid), mode=mode)
            compare = theano.function([X, Y, grid], SoftAssociation()(X, Y, grid), mode=mode)
            self.assert_says(ValueError, 'SoftPool: association has shape (2, 8, 5, 7), but with 2 spatial axes each'
                             ' pixel has 9 weights: (batch, 9, *spatial)', pool, x, a[:, :8], (2, 3))
            self.assert_says(ValueError, 'SoftPool: feature_map has shape (2, 3, 5, 6), but association has shape (2,'
                             ' 9, 5, 7); (batch, channels, *spatial) and (batch, 9, *spatial) must agree in batch and'
                             ' spatial sizes', pool, x[..., :6], a, (2, 3))
            self.assert_says(ValueError, 'SoftPool: feature_map has shape (2, 3, 5, 7), but association has shape (1,'
                             ' 9, 5, 7);', pool, x, a[:1], (2, 3))
            self.assert_says(ValueError, 'SoftUnpool: pooled has shape (2, 3, 6), but a grid of 3 x 3 has 9'
                             ' superpixels;', unpool, y, a, (3, 3))
            self.assert_says(ValueError, 'SoftUnpool: pooled has shape (1, 3, 6), but association has shape (2, 9, 5,'
                             ' 7); both must have the same batch', unpool, y[:1], a, (2, 3))
            self.assert_says(ValueError, 'SoftAssociation: feature_map has shape (2, 3, 5, 7), but pooled has shape (2,'
                             ' 2, 6); (batch, channels, *spatial) and (batch, channels, n_superpixels) must agree in'
                             ' batch and channels', compare, x, y[:, :2], (2, 3))
            for numbers, sentence in (((2, 0), 'SoftPool: grid[1] is 0, but at least one grid cell for the 7 pixels of'
                                       ' this axis is wanted'),
                                      ((-2, 3), 'SoftPool: grid[0] is -2, but must not be negative'),
                                      ((2, 3, 1), 'SoftPool: grid has 3 sizes, but 2 are wanted'),
                                      ((1, 2 ** 31), 'SoftPool: grid[1] is 2147483648'),
                                      ((2 ** 40, 2 ** 40), 'SoftPool: grid is (1099511627776, 1099511627776), but')):
                self.assert_says(ValueError, sentence, pool, x, a, numbers)
            self.assertEqual(pool(x, a, (2, 3))[0].shape, (2, 3, 6))

    def test_more_superpixels_than_memory_is_an_error_and_never_a_crash(self):
        x, a = variables()
        pool = theano.function([x, a], SoftPool()(x, a, (2 ** 30, 2 ** 30)))
        self.assert_says(MemoryError, 'SoftPool: no memory for %d superpixels of a grid (give one with fewer grid'
                         ' cells)' % 2 ** 60, pool, np.ones((2, 3, 5, 7)), np.ones((2, 9, 5, 7)))
