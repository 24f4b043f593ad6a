"""Weighted sums and means, and the three ops behind them."""
import functools
import itertools
import math
import unittest

import numpy as np
import theano
import theano.tensor as T
from theano.compile.debugmode import DebugMode

from tests.derivatives import first_derivatives
from tests.label_maps import hard_maps, random_map, regions_map
from tests.memory_layouts import layouts
from tests.numeric import exact_pool, tolerance
from tests.processes import run_python
from tests.threads import digests_of_results
from theano_spp import reference, superpixel_pool, superpixel_sizes
from theano_spp.ops.weighted import PixelDot, WeightedPool, WeightedUnpool

BOTH = ('FAST_RUN', 'FAST_COMPILE')  # C code and the reference


def exact_weighted(features, labels, n, mode, weights):
    """A walk over the pixels and ``math.fsum``."""
    pooled = np.zeros(features.shape[:2] + (n,))
    for b, c, label in np.ndindex(*pooled.shape):
        here = labels[b] == label
        w = [float(weight) for weight in weights[b][here]]
        total = 1 if mode == 'sum' else math.fsum(w)
        if total != 0:
            pooled[b, c, label] = math.fsum(a * float(x) for a, x in zip(w, features[b, c][here])) / total
    return pooled


def variables(dtype='float64', spatial=2):
    """Features, labels and weights."""
    return [T.TensorType(kind, (False,) * (spatial + more))()
            for kind, more in ((dtype, 2), ('int32', 1), (dtype, 1))]


class ValueTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def compiled(self, mode, n=6, dtype='float64', spatial=2):
        x, m, w = variables(dtype, spatial)
        return theano.function([x, m, w], superpixel_pool(x, m, n, mode, w))

    def test_sums_and_means_of_a_case_by_hand(self):
        features = np.array([[[[1., 2], [3, 4]], [[10, 20], [30, 40]]]])
        labels, weights = np.array([[[0, 0], [-1, 2]]], 'int32'), np.array([[[3, 1], [5, .5]]])
        np.testing.assert_array_equal(self.compiled('sum', 4)(features, labels, weights),
                                      [[[5, 0, 2, 0], [50, 0, 20, 0]]])
        np.testing.assert_array_equal(self.compiled('mean', 4)(features, labels, weights),
                                      [[[1.25, 0, 4, 0], [12.5, 0, 40, 0]]])

    def test_sums_and_means_equal_exact_ones_for_every_hard_map(self):
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

    def test_one_two_and_three_spatial_axes_and_any_number_of_channels(self):
        for spatial, channels in (((11,), 1), ((5, 7), 9), ((5, 7), 64), ((5, 7), 67), ((2, 3, 5), 8)):
            function = self.compiled('mean', 6, 'float64', len(spatial))
            features, weights = self.rng.randn(2, channels, *spatial), self.rng.uniform(.1, 2, (2,) + spatial)
            labels = random_map(self.rng, (2,) + spatial, 6)
            for name in ('C order', 'channels last'):
                np.testing.assert_allclose(function(dict(layouts(features))[name], labels, weights),
                                           exact_weighted(features, labels, 6, 'mean', weights), rtol=1e-12, atol=1e-13)

    def test_batch_channels_space_and_superpixels_may_be_zero(self):
        x, m, w = variables('float32')
        for mode in BOTH:
            pooled = superpixel_pool(x, m, T.constant(0) + m.shape[2], 'mean', w)
            function = theano.function([x, m, w], [pooled] + T.grad(T.sum(pooled), [x, w]), mode=mode)
            for shape in ((0, 3, 5, 7), (2, 0, 5, 7), (2, 3, 0, 7), (2, 3, 5, 0), (2, 3, 5, 7)):
                space = shape[:1] + shape[2:]
                values = function(np.ones(shape, 'float32'), np.full(space, -1, 'int32'), np.ones(space, 'float32'))
                for value, expected in zip(values, (shape[:2] + shape[3:], shape, space)):
                    self.assertEqual(value.shape, expected)
                    self.assertFalse(value.any())

    def test_without_channels_the_weights_are_still_summed(self):
        labels, weights = random_map(self.rng, (2, 5, 7), 6), self.rng.uniform(size=(2, 5, 7))
        for mode in BOTH:
            total = theano.function([], WeightedPool()(np.zeros((2, 0, 5, 7)), labels, 6, weights)[1], mode=mode)()
            np.testing.assert_allclose(total, exact_pool(weights[:, None], labels, 6, 'sum')[:, 0], rtol=1e-13)

    def test_where_the_weights_sum_to_zero_the_mean_and_its_gradients_are_zero(self):
        labels = np.array([[[0, 0, 1], [2, 2, 2]]], 'int32')
        weights = np.array([[[0, 0, .5], [1, -1, 0]]])
        features = np.array([[[[1., 2, 3], [4, 5, 6]]]])
        x, m, w = variables()
        pooled = superpixel_pool(x, m, 6, 'mean', w)
        for mode in BOTH:  # the first one's optimizations hide a 0 / 0
            function = theano.function([x, m, w], [pooled] + T.grad(T.sum(pooled), [x, w]), mode=mode)
            value, feature_gradient, weight_gradient = function(features, labels, weights)
            np.testing.assert_array_equal(value, [[[0, 3, 0, 0, 0, 0]]])
            np.testing.assert_array_equal(feature_gradient.ravel(), [0, 0, 1, 0, 0, 0])
            np.testing.assert_allclose(weight_gradient.ravel(), 0, atol=1e-15)

    def test_where_the_weights_sum_to_zero_not_even_a_nan_reaches_the_mean_or_the_gradient_for_the_features(self):
        features = np.array([[[[np.nan, 2.]]]])
        x, m, w = variables()
        pooled = superpixel_pool(x, m, 1, 'mean', w)
        for mode in BOTH:
            function = theano.function([x, m, w], [pooled, T.grad(T.sum(pooled), x)], mode=mode)
            for values in function(features, np.zeros((1, 1, 2), 'int32'), np.zeros((1, 1, 2))):
                self.assertFalse(values.any())

    def test_weight_zero_on_a_nan_gives_nan_in_its_own_superpixel_and_channel_only(self):
        features, labels = np.ones((1, 2, 1, 4)), np.array([[[0, 0, 1, 1]]], 'int32')
        features[0, 1, 0, 3] = np.nan
        for mode in ('mean', 'sum'):
            pooled = self.compiled(mode, 2)(features, labels, np.array([[[1., 1, 1, 0]]]))
            np.testing.assert_array_equal(np.isnan(pooled), [[[False, False], [False, True]]])

    def test_a_mask_of_bools_or_integers_is_a_weight_and_keeps_the_dtype_of_the_features(self):
        features, labels = self.rng.randn(2, 3, 5, 7).astype('float32'), random_map(self.rng, (2, 5, 7), 6)
        mask = self.rng.uniform(size=(2, 5, 7)) < .5
        expected = exact_pool(features, np.where(mask, labels, -1), 6, 'mean')
        for weights in (mask, mask.astype('int8'), mask.astype('float64'), mask.astype('float16')):
            pooled = superpixel_pool(features, labels, 6, 'mean', weights).eval()
            self.assertEqual(pooled.dtype, 'float32')
            np.testing.assert_allclose(pooled, expected, rtol=1e-5, atol=1e-6)


class PrecisionTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_weights_of_every_magnitude_keep_the_promise(self):
        labels = regions_map(self.rng, (2, 23, 29), 5)
        for dtype, scales in (('float32', (1e-42, 1e-38, 1, 1e37)), ('float64', (1e-307, 1, 1e300))):
            x, m, w = variables(dtype)
            functions = [(mode, theano.function([x, m, w], superpixel_pool(x, m, 5, mode, w)))
                         for mode in ('mean', 'sum')]
            features = self.rng.randn(2, 3, 23, 29).astype(dtype)
            for scale in scales:
                weights = (scale * self.rng.uniform(.1, 1, labels.shape)).astype(dtype)
                for mode, function in functions:
                    if (mode, scale, dtype) == ('sum', 1e-42, 'float32'):
                        continue  # float32 is too coarse for the sums themselves
                    pooled = function(features, labels, weights)
                    self.assertEqual(pooled.dtype, dtype)
                    error = abs(pooled - exact_weighted(features, labels, 5, mode, weights))
                    magnitudes = exact_weighted(abs(features), labels, 5, mode, weights)
                    self.assertLess((error / magnitudes).max(), tolerance(dtype), (dtype, scale, mode))

    def test_a_large_superpixel_keeps_the_promise(self):
        for dtype in ('float32', 'float64'):
            x, m, w = variables(dtype, 1)
            function = theano.function([x, m, w], superpixel_pool(x, m, 1, 'sum', w))
            features, weights = [np.full(shape, .1, dtype) for shape in ((1, 1, 3000017), (1, 3000017))]
            expected = 3000017 * (float(features[0, 0, 0]) * float(weights[0, 0]))
            pooled = function(features, np.zeros(weights.shape, 'int32'), weights)
            self.assertLess(abs(pooled[0, 0, 0] / expected - 1), tolerance(dtype))

    def test_the_products_of_many_channels_keep_the_promise(self):
        for dtype in ('float32', 'float64'):
            features, pooled = [self.rng.randn(*shape).astype(dtype) for shape in ((1, 5003, 3), (1, 5003, 1))]
            pooled = pooled.astype('float64')
            features[0, ::2] = features[0, 1::2].tolist() + [features[0, 0].tolist()]  # sums that cancel in part
            pooled[0, ::2] = (-pooled[0, 1::2]).tolist() + [[1e-3]]
            x, m, _ = variables(dtype, 1)
            for mode in BOTH:
                dot = theano.function([x, m], PixelDot()(x, pooled, m), mode=mode)(features, np.zeros((1, 3), 'int32'))
                for p in range(3):
                    products = [float(a) * float(b) for a, b in zip(features[0, :, p], pooled[0, :, 0])]
                    self.assertLess(abs(dot[0, p] - math.fsum(products)),
                                    1e-14 * math.fsum(abs(product) for product in products))

    def test_the_gradients_for_tiny_weights_are_finite_and_right(self):
        labels = regions_map(self.rng, (2, 5, 7), 3)
        features, upstream = self.rng.randn(2, 4, 5, 7).astype('float32'), self.rng.randn(2, 4, 3).astype('float32')
        weights = (1e-25 * self.rng.uniform(.5, 1, labels.shape)).astype('float32')
        gradients = []
        for dtype in ('float32', 'float64'):
            x, m, w = variables(dtype)
            cost = T.sum(superpixel_pool(x, m, 3, 'mean', w) * upstream.astype(dtype))
            gradients.append(theano.function([x, m, w], T.grad(cost, [x, w]))(
                features.astype(dtype), labels, weights.astype(dtype)))
        for some, expected in zip(*gradients):
            np.testing.assert_allclose(some, expected, rtol=1e-6, atol=1e-6 * abs(expected).max())

    def test_float16_means_and_gradients_are_summed_in_float64(self):
        x, m, w = variables('float16')
        mean, total = [superpixel_pool(x, m, 1, mode, w) for mode in ('mean', 'sum')]
        function = theano.function([x, m, w], [mean, total] + T.grad(T.sum(mean), [x, w]))
        features, labels = np.ones((1, 2, 300, 300), 'float16'), np.zeros((1, 300, 300), 'int32')
        values = function(features, labels, np.ones((1, 300, 300), 'float16'))
        self.assertEqual([str(value.dtype) for value in values], ['float16'] * 4)
        np.testing.assert_array_equal(values[0], 1)
        np.testing.assert_array_equal(values[1], np.inf)  # 90000 is more than float16 can hold
        np.testing.assert_allclose(values[2], 1 / 90000., rtol=1e-2)
        np.testing.assert_allclose(values[3], 0, atol=1e-7)


class NotLookedAtTest(unittest.TestCase):
    """Features and weights of pixels that belong to no superpixel have no influence on anything."""

    def test_a_nan_at_a_negative_label_reaches_no_value_and_no_derivative(self):
        rng = np.random.RandomState(0)
        labels = random_map(rng, (2, 5, 7), 6, none=.4)
        clean = rng.randn(2, 3, 5, 7), labels, rng.uniform(.5, 2, (2, 5, 7))
        x, m, w = variables()
        for pooling in ('mean', 'sum'):
            pooled = superpixel_pool(x, m, 6, pooling, w)
            first = T.grad(T.sum(T.exp(pooled) * T.arange(6)), [x, w])
            second = T.grad(sum(T.sum(T.switch(T.ge(m if g.ndim == 3 else m.dimshuffle(0, 'x', 1, 2), 0), g, 0) ** 3)
                                for g in first), [x, w])
            for mode in BOTH:
                function = theano.function([x, m, w], [pooled] + first + second, mode=mode)
                expected = function(*clean)
                for nothing in (np.nan, np.inf):
                    features = np.where(labels[:, None] < 0, nothing, clean[0])
                    for weights in (clean[2], np.where(labels < 0, nothing, clean[2])):
                        for values, right in zip(function(features, labels, weights), expected):
                            np.testing.assert_array_equal(values, right)
                for gradient in expected[1:]:
                    self.assertTrue(gradient.any())
                    none = labels < 0 if gradient.ndim == 3 else np.broadcast_to(labels[:, None] < 0, gradient.shape)
                    self.assertFalse(gradient[none].any())


class DerivativeTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.labels = hard_maps()['random with none']
        self.features, self.weights = self.rng.randn(2, 3, 5, 7), self.rng.uniform(.5, 2, (2, 5, 7))
        self.pooled = self.rng.randn(2, 3, 6)
        #: Each op as a function of its two factors, and values for these.
        self.products = [
            (lambda x, w: WeightedPool()(x, self.labels, 6, w)[0], (self.features, self.weights)),
            (lambda y, w: WeightedUnpool('float64')(y, self.labels, w), (self.pooled, self.weights)),
            (lambda x, y: PixelDot()(x, y, self.labels), (self.features, self.pooled))]

    def test_the_three_ops_are_the_derivatives_of_one_product(self):
        sums, _ = WeightedPool()(self.features, self.labels, 6, self.weights)
        painted = WeightedUnpool('float64')(self.pooled, self.labels, self.weights)
        dot = PixelDot()(self.features, self.pooled, self.labels)
        expected = math.fsum(w * x * y for b, c, i, j in np.ndindex(2, 3, 5, 7) if self.labels[b, i, j] >= 0
                             for w, x, y in [(self.weights[b, i, j], self.features[b, c, i, j],
                                              self.pooled[b, c, self.labels[b, i, j]])])
        for mode in BOTH:
            values = theano.function([], [sums, painted, dot], mode=mode)()
            for value, other in zip(values, (self.pooled, self.features, self.weights)):
                np.testing.assert_allclose((value * other).sum(), expected, rtol=1e-12)

    def test_the_gradients_for_features_and_weights_equal_differences(self):
        for mode in ('mean', 'sum'):
            T.verify_grad(lambda x, w: superpixel_pool(x, self.labels, 6, mode, w),
                          [self.features, self.weights], n_tests=1, rng=self.rng)

    def test_the_gradients_of_each_op_equal_differences(self):
        for product, points in self.products:
            T.verify_grad(product, list(points), n_tests=1, rng=self.rng)
        T.verify_grad(lambda w: WeightedPool()(self.features, self.labels, 6, w)[1], [self.weights], n_tests=1,
                      rng=self.rng)

    def test_the_second_derivatives_equal_differences_of_the_first(self):
        labels = hard_maps()['islands with one label']

        for value_of, points in self.products + [
                (lambda x, w: superpixel_pool(x, labels, 6, 'mean', w), (self.features, self.weights))]:
            T.verify_grad(functools.partial(first_derivatives, value_of), list(points), n_tests=1, rng=self.rng)

    def test_the_r_operator_equals_differences_for_one_factor_and_for_both(self):
        values_of = self.products + [(lambda x, w: superpixel_pool(x, self.labels, 6, 'mean', w),
                                      (self.features, self.weights)),
                                     (lambda x, w: WeightedPool()(x, self.labels, 6, w)[1],
                                      (self.features, self.weights))]
        for value_of, points in values_of:
            factors = [T.TensorType('float64', (False,) * point.ndim)() for point in points]
            value = value_of(*factors)
            function = theano.function(factors, value, on_unused_input='ignore')
            directions = [self.rng.randn(*point.shape) for point in points]
            for some in ((0,), (1,), (0, 1)):
                if value_of is values_of[-1][0] and some == (0,):
                    continue  # sums of weights do not depend on features
                forward = T.Rop(value, [factors[i] for i in some], [T.constant(directions[i]) for i in some])
                step = [1e-6 * direction if i in some else 0. for i, direction in enumerate(directions)]
                differences = (function(*[p + s for p, s in zip(points, step)])
                               - function(*[p - s for p, s in zip(points, step)])) / 2e-6
                forward = theano.function(factors, forward, on_unused_input='ignore')(*points)
                np.testing.assert_allclose(forward, differences, rtol=1e-6, atol=1e-7)

    def test_an_r_operator_without_directions_has_none(self):
        x, m, w = variables()
        for op, inputs in ((WeightedPool(), (x, m, 6, w)), (WeightedUnpool('float64'), (T.dtensor3(), m, w)),
                           (PixelDot(), (x, T.dtensor3(), m))):
            node = op.make_node(*inputs)
            self.assertEqual(op.R_op(node.inputs, [None] * len(node.inputs)), [None] * len(node.outputs))

    def test_each_gradient_has_the_dtype_of_its_factor_and_uses_threads_as_the_op_does(self):
        ops = WeightedPool, WeightedUnpool, PixelDot
        for dtype, openmp in itertools.product(('float32', 'float64'), (True, False)):
            x, m, w = variables(dtype)
            for value, factors in ((WeightedPool(openmp)(x, m, 6, w)[0], [x, w]),
                                   (WeightedUnpool(dtype, openmp)(T.dtensor3('y'), m, w), [w]),
                                   (PixelDot(openmp)(x, T.dtensor3(), m), [x])):
                gradients = T.grad(T.sum(value ** 2), factors)
                self.assertEqual([gradient.dtype for gradient in gradients], [dtype] * len(factors))
                self.assertEqual({v.owner.op.openmp for v in theano.gof.graph.ancestors(gradients)
                                  if v.owner and isinstance(v.owner.op, ops)}, {openmp})

    def test_labels_made_from_the_features_themselves_have_a_gradient_that_ends_there(self):
        x = T.dtensor4()
        labels = T.cast(x[:, 0] > 0, 'int32')
        gradient = T.grad(T.sum(superpixel_pool(x, labels, 2, 'mean', x[:, 1])), x)
        self.assertTrue(np.isfinite(gradient.eval({x: self.features})).all())


class LayoutTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.labels = random_map(self.rng, (2, 5, 7), 6)
        self.features, self.weights = self.rng.randn(2, 9, 5, 7), self.rng.randn(2, 5, 7)

    def check(self, op_of, types, arrays):
        """The same bits for every layout of every argument, and those of the reference but for rounding."""
        inputs = [T.TensorType(dtype, (False,) * array.ndim)() for dtype, array in zip(types, arrays)]
        function = theano.function(inputs, op_of(*inputs))
        bits = function(*arrays)
        expected = theano.function(inputs, op_of(*inputs), mode='FAST_COMPILE')(*arrays)
        np.testing.assert_allclose(bits, expected, rtol=1e-12, atol=1e-13)
        for several in itertools.zip_longest(*[layouts(array) for array in arrays]):
            for some in itertools.product(*[{(), (i,)} for i in range(len(arrays))]):
                some = {i for one in some for i in one}
                given = [several[i][1] if i in some and several[i] else array for i, array in enumerate(arrays)]
                np.testing.assert_array_equal(function(*given), bits, str([one and one[0] for one in several]))

    def test_every_op_gives_the_same_bits_for_every_layout_of_its_inputs(self):
        pooled = self.rng.randn(2, 9, 6)
        for dtype in ('float64', 'float32'):
            features = self.features.astype(dtype)
            self.check(lambda x, m, w: WeightedPool()(x, m, 6, w)[0], (dtype, 'int32', 'float64'),
                       (features, self.labels, self.weights))
            self.check(WeightedUnpool(dtype), ('float64', 'int32', 'float64'), (pooled, self.labels, self.weights))
            self.check(PixelDot(), (dtype, 'float64', 'int32'), (features, pooled, self.labels))

    def test_volumes_and_sequences_in_every_layout(self):
        for spatial in ((11,), (2, 3, 5)):
            features, pooled = self.rng.randn(2, 3, *spatial), self.rng.randn(2, 3, 6)
            labels, weights = random_map(self.rng, (2,) + spatial, 6), self.rng.randn(2, *spatial)
            self.check(lambda x, m, w: WeightedPool()(x, m, 6, w)[0], ('float64', 'int32', 'float64'),
                       (features, labels, weights))
            self.check(WeightedUnpool('float64'), ('float64', 'int32', 'float64'), (pooled, labels, weights))
            self.check(PixelDot(), ('float64', 'float64', 'int32'), (features, pooled, labels))

    def test_rows_longer_than_a_strip(self):
        x, m, w = variables()
        pooled = superpixel_pool(x, m, 6, 'sum', w)
        features, weights = self.rng.randn(2, 11, 3, 1030), self.rng.randn(2, 3, 1030)
        labels, upstream = random_map(self.rng, (2, 3, 1030), 6), self.rng.randn(2, 11, 6)
        gradients = theano.function([x, m, w], T.grad(T.sum(pooled * upstream), [x, w]))(features, labels, weights)
        np.testing.assert_allclose(gradients[0], reference.weighted_unpool(upstream, labels, weights), rtol=1e-14)
        np.testing.assert_allclose(gradients[1], reference.pixel_dot(features, upstream, labels),
                                   rtol=1e-12, atol=1e-12)


class ReuseTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_debug_mode_with_every_kind_of_preallocated_output_finds_nothing(self):
        mode = DebugMode(check_preallocated_output=['ALL'], check_isfinite=True, stability_patience=2)
        x, m, w = variables('float32')
        n = T.lscalar()
        pooled = superpixel_pool(x, m, n, 'mean', w)
        function = theano.function([x, m, w, n], [pooled] + T.grad(T.sum(T.exp(pooled)), [x, w]), mode=mode)
        features, weights = [self.rng.uniform(.5, 2, shape).astype('float32') for shape in ((2, 3, 5, 7), (2, 5, 7))]
        for name in ('random with none', 'no pixel belongs to any', 'labels with gaps'):
            labels = hard_maps()[name]
            np.testing.assert_allclose(function(features, labels, weights, 6)[0],
                                       exact_weighted(features, labels, 6, 'mean', weights), rtol=1e-5, atol=1e-6)

    def test_one_function_called_with_changing_shapes_stays_right(self):
        x, m, w = variables('float32')
        pooled = superpixel_pool(x, m, mode='mean', pixel_weights=w)
        function = theano.function([x, m, w], [pooled] + T.grad(T.sum(pooled ** 2), [x, w]))
        for shape in ((2, 3, 5, 7), (1, 3, 11, 2), (2, 3, 7, 5), (4, 9, 1, 1), (0, 3, 5, 7), (2, 3, 5, 7)):
            labels = random_map(self.rng, shape[:1] + shape[2:], max(1, shape[3]))
            features, weights = [self.rng.uniform(.5, 2, s).astype('float32') for s in (shape, labels.shape)]
            n = reference.count(labels)
            values = function(features, labels, weights)
            means = exact_weighted(features, labels, n, 'mean', weights)
            total = np.maximum(exact_weighted(np.ones((len(labels), 1) + shape[2:]), labels, n, 'sum', weights), 1e-9)
            np.testing.assert_allclose(values[0], means, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(values[1], reference.weighted_unpool(2 * means / total, labels, weights),
                                       rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(values[2], reference.pixel_dot(features, 2 * means / total, labels)
                                       - reference.pixel_dot(np.ones_like(features), 2 * means ** 2 / total, labels),
                                       rtol=1e-4, atol=1e-5)

    def test_pooling_with_weights_works_inside_scan(self):
        x, m, w = [T.TensorType(kind, (False,) * axes)() for kind, axes in (
            ('float64', 5), ('int32', 4), ('float64', 4))]
        pooled, _ = theano.scan(lambda *three: superpixel_pool(three[0], three[1], 6, 'mean', three[2]),
                                sequences=[x, m, w])
        function = theano.function([x, m, w], [pooled] + T.grad(T.sum(pooled ** 2), [x, w]))
        features, labels = self.rng.randn(3, 2, 4, 5, 7), random_map(self.rng, (3, 2, 5, 7), 6)
        weights = self.rng.uniform(.5, 2, (3, 2, 5, 7))
        values = function(features, labels, weights)
        for t in range(3):
            np.testing.assert_allclose(values[0][t], exact_weighted(features[t], labels[t], 6, 'mean', weights[t]),
                                       rtol=1e-12, atol=1e-13)
        for gradient in values[1:]:
            self.assertTrue(np.isfinite(gradient).all() and gradient.any())

    def test_inputs_are_left_as_they_were(self):
        x, m, w = variables()
        arrays = self.rng.randn(2, 9, 5, 7), random_map(self.rng, (2, 5, 7), 6), self.rng.randn(2, 5, 7)
        copies = [array.copy() for array in arrays]
        pooled = superpixel_pool(x, m, 6, 'mean', w)
        theano.function([x, m, w], [pooled] + T.grad(T.sum(pooled ** 2), [x, w]))(*arrays)
        for array, copy in zip(arrays, copies):
            np.testing.assert_array_equal(array, copy)


class ErrorTest(unittest.TestCase):

    def assert_says(self, kind, sentence, call, *arguments, **named):
        with self.assertRaises(kind) as caught:
            call(*arguments, **named)
        self.assertIn(sentence, str(caught.exception))

    def test_weights_with_a_mode_or_a_resize_that_has_none(self):
        x, m, w = np.ones((2, 3, 5, 7)), np.zeros((2, 5, 7), 'int32'), np.ones((2, 5, 7))
        self.assert_says(ValueError, "SuperpixelPool: pixel_weights go with mode 'mean', 'sum', 'var' or 'std', but"
                         " mode is 'max' (label the pixels that shall not count with -1)",
                         superpixel_pool, x, m, 3, 'max', w)
        self.assert_says(ValueError, "SuperpixelPool: pixel_weights go with resize=None, but resize is 'nearest' (give"
                         ' features of the size of the superpixel map', superpixel_pool, x, m, 3, 'mean', w, 'nearest')

    def test_weights_that_cannot_be_one_for_each_pixel(self):
        x, m = np.ones((2, 3, 5, 7)), np.zeros((2, 5, 7), 'int32')
        self.assert_says(ValueError, 'WeightedPool: pixel_weights has 4 axes, but one weight for each pixel of'
                         ' superpixel_map is wanted, (batch, *spatial), 3 in all', superpixel_pool, x, m, 3, 'sum', x)
        self.assert_says(TypeError, 'WeightedPool: pixel_weights has dtype complex128, but real numbers are wanted',
                         superpixel_pool, x, m, 3, 'sum', m + 1j)
        self.assert_says(TypeError, 'WeightedPool: feature_map has dtype int32',
                         superpixel_pool, x.astype('int32'), m, 3, 'sum', m)

    def test_features_that_a_product_with_the_weights_would_repeat(self):
        m = np.zeros((2, 5, 7), 'int32')
        shapes = (2, 3, 1, 7), (2, 3, 1, 1), (2, 3, 5, 6)
        for shape, broadcastable, mode in itertools.product(shapes, (True, False), BOTH):
            x = T.TensorType('float64', [broadcastable and size == 1 for size in shape])()
            function = theano.function([x], superpixel_pool(x, m, 3, 'sum', np.ones(m.shape)), mode=mode)
            self.assert_says(ValueError, 'WeightedPool: feature_map has shape %s, but superpixel_map has shape (2, 5,'
                             ' 7); (batch, channels, *spatial) and (batch, *spatial) must agree in batch and spatial'
                             ' sizes: resize the superpixel map to the features by nearest neighbour (pixel_weights go'
                             ' with resize=None)' % (shape,), function, np.ones(shape))

    def test_maps_for_some_of_the_images(self):
        x, y, w, m = np.ones((3, 3, 5, 7)), np.ones((3, 3, 4)), np.ones((1, 5, 7)), T.itensor3()
        values = (('WeightedPool', 'feature_map', '*spatial', superpixel_pool(x, m, 3, 'sum', w)),
                  ('WeightedUnpool', 'pooled', 'n_superpixels', WeightedUnpool('float64')(y, m, w)),
                  ('PixelDot', 'feature_map', '*spatial', PixelDot()(x, y, m)))
        for (op, argument, layout, value), mode in itertools.product(values, BOTH):
            self.assert_says(ValueError, '%s: %s has shape %s, but superpixel_map has shape (2, 5, 7); (batch,'
                             ' channels, %s) and (batch, *spatial) must agree in batch, which is 3 and 2: give one'
                             ' superpixel map for each image, or one for all, (1, *spatial)'
                             % (op, argument, (y if argument == 'pooled' else x).shape, layout),
                             theano.function([m], value, mode=mode), np.zeros((2, 5, 7), 'int32'))

    def test_weights_of_another_shape_than_the_map(self):
        x, m, w = np.ones((2, 3, 5, 7)), np.zeros((2, 5, 7), 'int32'), T.dtensor3()
        values = (('WeightedPool', superpixel_pool(x, m, 3, 'mean', w)),
                  ('WeightedUnpool', WeightedUnpool('float32')(np.ones((2, 3, 3)), m, w)))
        for (op, value), mode in itertools.product(values, BOTH):
            function = theano.function([w], value, mode=mode)
            for shape in ((2, 5, 6), (3, 5, 7), (2, 1, 1), (1, 5, 1)):
                self.assert_says(ValueError, op + ': pixel_weights has shape %s, but for a batch of 2 and'
                                 ' superpixel_map of shape (2, 5, 7) one weight for each pixel is wanted: (2, 5, 7), or'
                                 ' (1, 5, 7) to weight all images alike (use pixel_weights *'
                                 ' T.ones_like(superpixel_map) for weights that repeat)' % (shape,),
                                 function, np.ones(shape))

    def test_pooled_values_of_another_shape_than_features_and_map(self):
        m, w = np.zeros((2, 5, 7), 'int32'), np.ones((2, 5, 7))
        x, y = T.dtensor4(), T.dtensor3()
        for mode in BOTH:
            dot = functools.partial(theano.function([x, y], PixelDot()(x, y, m), mode=mode), np.ones((2, 3, 5, 7)))
            unpool = theano.function([y], WeightedUnpool('float64')(y, m, w), mode=mode)
            self.assert_says(ValueError, 'PixelDot: feature_map has shape (2, 3, 5, 7), but pooled has shape (2, 4, 6);'
                             ' (batch, channels, *spatial) and (batch, channels, n_superpixels) must agree in batch and'
                             ' channels: give one value for each image, channel and superpixel',
                             dot, np.ones((2, 4, 6)))
            for op, function in (('PixelDot', dot), ('WeightedUnpool', unpool)):
                self.assert_says(ValueError, op + ': pooled has shape (1, 3, 6), but superpixel_map has shape (2, 5,'
                                 ' 7); (batch, channels, n_superpixels) and (batch, *spatial) must agree in batch',
                                 function, np.ones((1, 3, 6)))
            self.assert_says(ValueError, 'PixelDot: feature_map has shape (2, 3, 1, 7), but superpixel_map has shape',
                             dot.func, np.ones((2, 3, 1, 7)), np.ones((2, 3, 6)))

    def test_a_label_that_is_too_large_or_a_number_that_is_negative(self):
        x, w, y, n = np.ones((2, 3, 5, 7)), np.ones((2, 5, 7)), np.ones((2, 3, 6)), T.lscalar()
        m, labels = T.itensor3(), np.zeros((2, 5, 7), 'int32')
        labels[1, 4, 6] = 6
        for mode in BOTH:
            pool = functools.partial(theano.function([m, n], superpixel_pool(x, m, n, 'mean', w), mode=mode), labels)
            self.assert_says(IndexError, 'WeightedPool: superpixel_map[1, 4, 6] is 6, but n_superpixels is 6 (labels'
                             ' are 0..5; use -1', pool, 6)
            self.assert_says(ValueError, 'WeightedPool: n_superpixels is -7, but must not be negative', pool, -7)
            for op, value in (('WeightedUnpool', WeightedUnpool('float64')(y, m, w)),
                              ('PixelDot', PixelDot()(x, y, m))):
                self.assert_says(IndexError, op + ': superpixel_map[1, 4, 6] is 6, but the number of superpixels in'
                                 ' pooled is 6 (labels are 0..5; use -1',
                                 theano.function([m], value, mode=mode), labels)
            self.assertEqual(pool(7).shape, (2, 3, 7))


class ModeTest(unittest.TestCase):

    def check(self, mode):
        rng = np.random.RandomState(0)
        features, labels, weights = rng.randn(2, 3, 5, 7), random_map(rng, (2, 5, 7), 6), rng.uniform(.5, 2, (2, 5, 7))
        x, m, w = variables()
        pooled = superpixel_pool(x, m, 6, 'mean', w)
        function = theano.function([x, m, w], [pooled, superpixel_sizes(m)] + T.grad(T.sum(pooled ** 2), [x, w]),
                                   mode=mode)
        values = function(features, labels, weights)
        expected = exact_weighted(features, labels, 6, 'mean', weights)
        np.testing.assert_allclose(values[0], expected, rtol=1e-12)
        total = exact_weighted(np.ones((2, 1, 5, 7)), labels, 6, 'sum', weights)
        for b, i, j in np.ndindex(2, 5, 7):
            label = labels[b, i, j]
            upstream = 2 * expected[b, :, label] / total[b, 0, label] * (label >= 0)
            np.testing.assert_allclose(values[2][b, :, i, j], upstream * weights[b, i, j], rtol=1e-12)
            np.testing.assert_allclose(values[3][b, i, j],
                                       (upstream * (features[b, :, i, j] - expected[b, :, label])).sum(), rtol=1e-11,
                                       atol=1e-13)

    def test_every_mode_and_linker_gives_the_right_values(self):
        for mode in ('FAST_RUN', 'FAST_COMPILE', DebugMode(stability_patience=2),
                     theano.Mode(linker='c', optimizer='fast_run'), theano.Mode(linker='py', optimizer='fast_run')):
            self.check(mode)

    def test_without_a_compiler_the_values_are_the_same(self):
        printed = run_python('''
from theano_spp import superpixel_pool
import theano, theano.tensor as T
assert not theano.config.cxx
x, m, w = T.dtensor4(), T.itensor3(), T.dtensor3()
pooled = superpixel_pool(x, m, 3, 'mean', w)
f = theano.function([x, m, w], [pooled] + T.grad(T.sum(pooled ** 2), [x, w]))
for values in f([[[[1, 2], [3, 4]]]], [[[0, 0], [1, -1]]], [[[3, 1], [2, 2]]]):
    print(values.round(4).tolist())
''', {'cxx': ''})
        self.assertEqual(printed.split('\n')[:3], [
            '[[[1.25, 3.0, 0.0]]]', '[[[[1.875, 0.625], [6.0, 0.0]]]]', '[[[-0.1562, 0.4688], [0.0, 0.0]]]'])

    def test_one_to_four_threads_and_none_at_all_give_the_same_bits(self):
        rng = np.random.RandomState(0)
        for dtype in 'float32', 'float64':
            x, m, w, y = T.TensorType(dtype, (False,) * 4)(), T.itensor3(), T.dtensor3(), T.dtensor3()
            functions = [theano.function([x, m, w, y], WeightedPool(openmp)(x, m, 1600, w) + [
                WeightedUnpool(dtype, openmp)(y, m, w), PixelDot(openmp)(x, y, m)]) for openmp in (True, False)]
            for batch, channels, last in (1, 25, False), (1, 67, True), (3, 21, False), (2, 64, True):
                features = rng.randn(batch, channels, 61, 67).astype(dtype)
                self.assertGreaterEqual(features.size, 100000)
                if last:
                    features = np.ascontiguousarray(features.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
                labels = np.repeat(rng.randint(-1, 40, (batch, 61, 12)), 6, axis=2)[:, :, :67].astype('int32')
                self.assertEqual(len(digests_of_results(*functions, features, labels, rng.randn(*labels.shape),
                                                        rng.randn(batch, channels, 1600))), 1)
