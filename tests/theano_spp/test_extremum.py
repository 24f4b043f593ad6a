"""Pooling by the maximum and the minimum: values, argmax pixels, and a gradient only for these."""
import itertools
import unittest

import numpy as np
import theano
import theano.tensor as T
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from theano.compile.debugmode import DebugMode

from tests.label_maps import hard_maps, random_map, regions_map
from tests.memory_layouts import layouts
from tests.numeric import exact_extremum
from theano_spp import SuperpixelExtremum, reference, superpixel_pool
from theano_spp.ops.max_min import PutPixels, TakePixels

MODES = ('max', 'min')
EXTREMUM = {'max': np.max, 'min': np.min}
_compiled = {}


def extremum(mode='max', dtype='float64', axes=2, label_dtype='int32'):
    """feature_map, superpixel_map, n_superpixels -> pooled, argmax; compiled once."""
    key = mode, dtype, axes, label_dtype
    if key not in _compiled:
        x, m = [T.TensorType(d, (False,) * n)() for d, n in ((dtype, 2 + axes), (label_dtype, 1 + axes))]
        n = T.lscalar()
        _compiled[key] = theano.function([x, m, n], SuperpixelExtremum(mode)(x, m, n))
    return _compiled[key]


class ValuesTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def check(self, features, labels, n, mode, actual):
        pooled, argmax = exact_extremum(features, labels, n, mode)
        np.testing.assert_array_equal(actual[0], pooled)
        np.testing.assert_array_equal(actual[1], argmax)
        self.assertEqual((actual[0].dtype, actual[1].dtype), (features.dtype, np.dtype('int64')))

    def test_the_seeds_example_by_hand(self):
        features, labels = np.array([[[[.1, .2], [.4, .3]]]]), np.array([[[0, 0], [1, 1]]])
        for mode, values in (('max', [.2, .4]), ('min', [.1, .3])):
            np.testing.assert_array_equal(superpixel_pool(features, labels, 3, mode).eval(), [[values + [0]]])
        argmax = SuperpixelExtremum('max')(features, labels, 3)[1]
        np.testing.assert_array_equal(argmax.eval(), [[[1, 2, -1]]])

    def test_the_first_of_equal_pixels_in_row_major_order_wins(self):
        features = np.array([[[[0., 5, 5, 1], [5, 1, 1, 5]]]])
        labels = np.array([[[0, 0, 1, 1], [0, 2, 2, 1]]], 'int32')
        np.testing.assert_array_equal(extremum('max')(features, labels, 3)[1], [[[1, 2, 5]]])
        np.testing.assert_array_equal(extremum('min')(-features, labels, 3)[1], [[[1, 2, 5]]])

    def test_values_and_winners_equal_a_walk_over_the_pixels_for_every_hard_map(self):
        for mode, dtype in itertools.product(MODES, ('float32', 'float64')):
            for labels in hard_maps().values():
                features = self.rng.randint(-3, 4, (2, 19, 5, 7)).astype(dtype)  # many ties
                self.check(features, labels, 6, mode, extremum(mode, dtype)(features, labels, 6))
                self.check(features, labels, 6, mode, reference.extremum(features, labels, 6, mode))

    def test_the_reference_equals_scipy_ndimage(self):
        features, labels = self.rng.randn(2, 3, 11, 13), regions_map(self.rng, (2, 11, 13), 8)
        for mode, of in (('max', ndimage.maximum), ('min', ndimage.minimum)):
            pooled, _ = reference.extremum(features, labels, 8, mode)
            for b, c in np.ndindex(2, 3):
                present = np.unique(labels[b])
                np.testing.assert_array_equal(pooled[b, c, present], of(features[b, c], labels[b], present))

    def test_one_and_three_spatial_axes_and_unsigned_labels(self):
        for axes, spatial in ((1, (131,)), (3, (2, 3, 5))):
            labels = random_map(self.rng, (2,) + spatial, 6, dtype='uint8')
            features = self.rng.randint(-3, 4, (2, 3) + spatial).astype('float32')
            actual = extremum('max', 'float32', axes, 'uint8')(features, labels, 6)
            self.check(features, labels, 6, 'max', actual)

    def test_labels_at_the_limits_of_int64_belong_to_none_or_are_an_error(self):
        features, labels = np.array([[[[1., 2, 3]]]]), np.array([[[np.iinfo('int64').min, 0, -1]]])
        function = extremum('max', label_dtype='int64')
        self.check(features, labels, 1, 'max', function(features, labels, 1))
        labels[0, 0, 2] = np.iinfo('int64').max
        with self.assertRaises(IndexError) as caught:
            function(features, labels, 1)
        self.assertIn('superpixel_map[0, 0, 2] is 9223372036854775807', str(caught.exception))

    def test_any_number_of_channels_and_rows_longer_than_a_strip(self):
        for channels in (1, 2, 15, 16, 17, 33):
            labels = np.repeat(random_map(self.rng, (2, 3, 30), 6), 7, axis=2)
            features = self.rng.randint(-30, 40, (2, channels, 3, 210)).astype('float32')
            self.check(features, labels, 6, 'max', extremum('max', 'float32')(features, labels, 6))

    def test_a_nan_wins_its_own_superpixel_and_no_other_and_the_first_nan_is_the_winner(self):
        features, labels = self.rng.randn(2, 3, 5, 7), random_map(self.rng, (2, 5, 7), 6, none=0)
        labels[1, 2:4, 3] = labels[0, 1, 1] = 4
        clean = [extremum(mode)(features, labels, 6) for mode in MODES]
        features[1, 2, 2, 3] = features[1, 2, 3, 3] = features[0, 0, 1, 1] = np.nan
        for mode, (pooled, argmax) in zip(MODES, clean):
            pooled[1, 2, 4] = pooled[0, 0, 4] = np.nan
            argmax[1, 2, 4], argmax[0, 0, 4] = 17, 8
            actual = extremum(mode)(features, labels, 6)
            np.testing.assert_array_equal(actual[0], pooled)
            np.testing.assert_array_equal(actual[1], argmax)
            self.check(features, labels, 6, mode, actual)

    def test_infinities_are_values_like_others(self):
        features = np.array([[[[-np.inf, -np.inf, np.inf, 1, -np.inf, 2]]]])
        labels = np.array([[[0, 0, 1, 1, 2, 2]]], 'int32')
        for mode, pooled, argmax in (('max', [-np.inf, np.inf, 2], [0, 2, 5]),
                                     ('min', [-np.inf, 1, -np.inf], [0, 3, 4])):
            actual = extremum(mode)(features, labels, 3)
            np.testing.assert_array_equal(actual[0], [[pooled]])
            np.testing.assert_array_equal(actual[1], [[argmax]])

    def test_zero_sizes(self):
        for shape in ((0, 3, 5, 7), (2, 0, 5, 7), (2, 3, 0, 7), (2, 3, 5, 0)):
            for n in (0, 6):
                labels = np.full(shape[:1] + shape[2:], n - 1, 'int32')
                pooled, argmax = extremum('max')(np.ones(shape), labels, n)
                np.testing.assert_array_equal(pooled, np.zeros(shape[:2] + (n,)))
                np.testing.assert_array_equal(argmax, np.full(shape[:2] + (n,), -1))

    def test_float16_features_pool_by_the_reference(self):
        features = self.rng.randn(2, 3, 5, 7).astype('float16')
        labels = random_map(self.rng, (2, 5, 7), 6)
        self.check(features, labels, 6, 'max', extremum('max', 'float16')(features, labels, 6))

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_generated_shapes_maps_and_values(self, data):
        batch, channels, height, width = [data.draw(st.integers(0, most)) for most in (3, 20, 6, 140)]
        n, seed = data.draw(st.integers(1, 9)), data.draw(st.integers(0, 2 ** 31))
        run, levels = data.draw(st.sampled_from([1, 3, 70])), data.draw(st.sampled_from([1, 4, 1000]))
        rng = np.random.RandomState(seed)
        labels = np.repeat(rng.randint(-1, n, (batch, height, width)).astype('int32'), run, axis=2)[:, :, :width]
        features = rng.randint(-levels, levels, (batch, channels, height, width)).astype('float32')
        features[rng.uniform(size=features.shape) < .02] = np.nan
        mode = data.draw(st.sampled_from(MODES))
        self.check(features, labels, n, mode, extremum(mode, 'float32')(features, labels, n))


class LayoutTest(unittest.TestCase):

    def test_values_and_winners_are_the_same_for_every_layout_of_features_and_labels(self):
        rng = np.random.RandomState(0)
        features, labels = rng.randint(-3, 4, (2, 9, 5, 7)).astype('float64'), random_map(rng, (2, 5, 7), 6)
        expected = reference.extremum(features, labels, 6, 'max')
        for (name, some), (other, their) in itertools.product(layouts(features), layouts(labels)):
            for actual, wanted in zip(extremum('max')(some, their, 6), expected):
                np.testing.assert_array_equal(actual, wanted, '%s, %s' % (name, other))

    def test_debug_mode_with_every_kind_of_preallocated_output_finds_nothing(self):
        mode = DebugMode(check_preallocated_output=['ALL'], check_isfinite=True, stability_patience=2)
        rng = np.random.RandomState(0)
        x, m, n = T.ftensor4(), T.itensor3(), T.lscalar()
        pooled = superpixel_pool(x, m, n, 'max')
        first = T.grad(T.sum(T.exp(pooled)), x)
        function = theano.function([x, m, n], [pooled, first, T.grad(T.sum(first ** 2), x)], mode=mode)
        for name in ('random with none', 'no pixel belongs to any', 'labels with gaps'):
            features = rng.randn(2, 3, 5, 7).astype('float32')
            actual = function(features, hard_maps()[name], 6)
            np.testing.assert_array_equal(actual[0], reference.extremum(features, hard_maps()[name], 6)[0])


class GradientTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def distinct(self, *shape):
        """Values so far from each other that no step of a difference changes the argmax."""
        return self.rng.permutation(int(np.prod(shape))).reshape(shape) / 10.

    def verify(self, function, *points):
        T.verify_grad(function, list(points), n_tests=1, rng=self.rng)

    def test_the_gradient_equals_differences(self):
        for mode in MODES:
            for name in ('random with none', 'islands with one label'):
                labels = hard_maps()[name]
                self.verify(lambda x: superpixel_pool(x, labels, 6, mode), self.distinct(2, 3, 5, 7))

    def test_the_gradient_of_ties_goes_to_the_first_pixel_alone(self):
        features, labels = np.array([[[[1., 3, 3], [3, 0, 7]]]]), np.array([[[0, 0, 0], [0, 0, -1]]], 'int32')
        x = T.dtensor4()
        for mode, sign in (('max', 1), ('min', -1)):
            upstream = np.array([[[2.5, np.nan]]])  # NaN for an empty superpixel: it reaches no pixel
            gradient = T.grad(None, x, known_grads={superpixel_pool(x, labels, 2, mode): T.constant(upstream)})
            np.testing.assert_array_equal(gradient.eval({x: sign * features}), [[[[0, 2.5, 0], [0, 0, 0]]]])

    def test_the_gradient_of_a_nan_goes_to_the_nan(self):
        features = np.array([[[[1., np.nan, 3], [np.nan, 0, 7]]]])
        x = T.dtensor4()
        gradient = T.grad(T.sum(superpixel_pool(x, np.zeros((1, 2, 3), 'int32'), 1, 'max')), x)
        np.testing.assert_array_equal(gradient.eval({x: features}), [[[[0, 1, 0], [0, 0, 0]]]])

    def test_the_second_derivative_equals_differences_of_the_first(self):
        labels = hard_maps()['random with none']

        def first_derivative(x):
            x = x * 1.
            return T.grad(T.sum(T.exp(superpixel_pool(x, labels, 6, 'max') / 30) * T.arange(6)), x)

        self.verify(first_derivative, self.distinct(2, 3, 5, 7))

    def test_taking_and_putting_are_adjoint_and_linear(self):
        pixels = self.rng.randint(-1, 35, (2, 3, 6))
        pixels[..., 1] = pixels[..., 0]  # two values on one pixel are summed
        self.verify(lambda x: TakePixels()(x, pixels, (5, 7)), self.rng.randn(2, 3, 5, 7))
        self.verify(lambda y: PutPixels()(y, pixels, (5, 7), (5, 7)), self.rng.randn(2, 3, 6))
        painted = PutPixels()(np.ones((2, 3, 6)), pixels, (5, 7), (5, 7)).eval()
        expected = [[np.bincount(p[p >= 0], minlength=35).reshape(5, 7) for p in image] for image in pixels]
        np.testing.assert_array_equal(painted, expected)

    def test_the_r_operator_equals_differences(self):
        labels = hard_maps()['random with none']
        x, v, point = T.dtensor4(), self.rng.randn(2, 3, 5, 7), self.distinct(2, 3, 5, 7)
        f = T.exp(superpixel_pool(x, labels, 6, 'max') / 30)
        value = theano.function([x], f)
        differences = (value(point + 1e-4 * v) - value(point - 1e-4 * v)) / 2e-4
        np.testing.assert_allclose(T.Rop(f, x, T.constant(v)).eval({x: point}), differences, rtol=1e-6, atol=1e-7)

    def test_labels_are_disconnected_and_the_winner_carries_no_gradient(self):
        x, m, n = T.dtensor4(), T.itensor3(), T.lscalar()
        pooled, argmax = SuperpixelExtremum('max')(x, m, n)
        for cost, variable in ((pooled, m), (pooled, n), (argmax * 1., x)):
            with self.assertRaises(theano.gradient.DisconnectedInputError):
                T.grad(T.sum(cost), variable)

    def test_the_gradient_keeps_the_type_of_a_broadcastable_input(self):
        x = T.TensorType('float64', (True, True, True, False))()
        gradient = T.grad(T.sum(superpixel_pool(x, np.array([[[0, 1, 1]]]), 2, 'max') ** 2), x)
        self.assertEqual(gradient.type, x.type)
        np.testing.assert_array_equal(gradient.eval({x: [[[[1., 2., 4.]]]]}), [[[[2, 0, 8]]]])

    def test_shapes_are_known_without_computing_the_values(self):
        x, m, n = T.dtensor4(), T.itensor3(), T.lscalar()
        pooled = superpixel_pool(x, m, n, 'max')
        function = theano.function([x, m, n], [pooled.shape, T.grad(T.sum(pooled), x).shape])
        pooled, gradient = function(np.zeros((2, 3, 5, 7)), np.zeros((2, 5, 7), 'int32'), 9)
        np.testing.assert_array_equal(np.concatenate([pooled, gradient]), [2, 3, 9, 2, 3, 5, 7])
        self.assertNotIn('Superpixel', str(function.maker.fgraph))


class ErrorTest(unittest.TestCase):

    def assert_says(self, kind, sentence, call, *arguments, **named):
        with self.assertRaises(kind) as caught:
            call(*arguments, **named)
        self.assertIn(sentence, str(caught.exception))

    def test_bad_labels_and_shapes_are_named_in_c_and_in_the_reference(self):
        labels = np.zeros((2, 5, 7), 'int32')
        labels[1, 4, 5] = 64
        for call in (extremum('max'), reference.extremum):
            self.assert_says(IndexError, 'SuperpixelExtremum: superpixel_map[1, 4, 5] is 64, but n_superpixels is 64',
                             call, np.ones((2, 3, 5, 7)), labels, 64)
            self.assert_says(ValueError, 'SuperpixelExtremum: feature_map has shape (2, 3, 5, 8), but superpixel_map'
                             " has shape (2, 5, 7); (batch, channels, *spatial) and (batch, *spatial) must agree in"
                             ' batch and spatial sizes: resize the superpixel map to the features by nearest neighbour,'
                             " or have superpixel_pool resize the features: resize='bilinear' or resize='nearest'",
                             call, np.ones((2, 3, 5, 8)), labels, 65)
            self.assert_says(ValueError, '(batch, channels, *spatial) and (batch, *spatial) must agree in batch, which'
                             ' is 3 and 2: give one superpixel map for each image, or one for all, (1, *spatial)',
                             call, np.ones((3, 3, 5, 7)), labels, 65)
            self.assert_says(ValueError, 'SuperpixelExtremum: n_superpixels is -1, but must not be negative',
                             call, np.ones((2, 3, 5, 7)), labels, -1)

    def test_the_mean_pooling_op_names_the_op_for_the_maximum(self):
        from theano_spp import SuperpixelPool
        self.assert_says(ValueError, "SuperpixelPool: mode is 'max', but must be 'mean' or 'sum' (use"
                         " superpixel_pool(..., mode='max') or the op SuperpixelExtremum)", SuperpixelPool, 'max')
        self.assert_says(ValueError, "SuperpixelExtremum: mode is 'maximum', but must be 'max' or 'min' (use 'max')",
                         SuperpixelExtremum, 'maximum')

    def test_pixels_beyond_the_map_are_an_error_and_never_a_crash(self):
        x, y, pixels = T.dtensor4(), T.dtensor3(), T.ltensor3()
        bad = np.array([[[0, 35], [7, -1]]])
        take = theano.function([x, pixels], TakePixels()(x, pixels, (5, 7)))
        put = theano.function([y, pixels], PutPixels()(y, pixels, (5, 7), (5, 7)))
        sentence = ('Pixels: pixels[0, 0, 1] is 35, but an image has 35 pixels (give the argmax pixels of'
                    ' SuperpixelExtremum')
        self.assert_says(IndexError, 'Take' + sentence, take, np.ones((1, 2, 5, 7)), bad)
        self.assert_says(IndexError, 'Put' + sentence, put, np.ones((1, 2, 2)), bad)
        self.assert_says(IndexError, 'Take' + sentence, reference.take_pixels, np.ones((1, 2, 5, 7)), bad, (5, 7))
        self.assert_says(IndexError, 'Put' + sentence, reference.put_pixels, np.ones((1, 2, 2)), bad, (5, 7), (5, 7))
        self.assert_says(ValueError, 'PutPixels: values has shape (1, 3, 2), but pixels has shape (1, 2, 2)',
                         put, np.ones((1, 3, 2)), bad)
        self.assert_says(ValueError, 'TakePixels: feature_map has shape (2, 2, 5, 7), but pixels has shape (1, 2, 2)',
                         take, np.ones((2, 2, 5, 7)), bad)
        self.assert_says(TypeError, 'TakePixels: pixels is TensorType(float64, 3D), but must be int64',
                         TakePixels(), x, y, (5, 7))
