"""Variance, standard deviation, logsumexp, softmax and normalization: values, gradients and errors."""
import math
import unittest
from fractions import Fraction

import numpy as np
import scipy.special
import theano
import theano.tensor as T
from theano.compile.debugmode import DebugMode

from tests.label_maps import hard_maps, random_map
from tests.memory_layouts import layouts
from theano_spp import SuperpixelPool, reference, superpixel_normalize, superpixel_pool, superpixel_softmax

EPSILON = 1e-5
#: name -> graph of features, labels and the number of superpixels.
COMPOSITES = {
    'var': lambda x, m, n: superpixel_pool(x, m, n, 'var'),
    'std': lambda x, m, n: superpixel_pool(x, m, n, 'std'),
    'logsumexp': lambda x, m, n: superpixel_pool(x, m, n, 'logsumexp'),
    'softmax': superpixel_softmax,
    'normalize': superpixel_normalize,
}
POOLED = ('var', 'std', 'logsumexp')
_compiled = {}


def compiled(dtype='float64', axes=2, label_dtype='int32', mode=None, gradients=False):
    """features, labels, n -> a dict of the result of each composite; with upstream gradients too, of its gradient."""
    key = dtype, axes, label_dtype, mode, gradients
    if key not in _compiled:
        x, m = [T.TensorType(d, (False,) * k)() for d, k in ((dtype, 2 + axes), (label_dtype, 1 + axes))]
        n = T.lscalar()
        graphs = {name: build(x, m, n) for name, build in COMPOSITES.items()}
        inputs, outputs = [x, m, n], dict(graphs)
        if gradients:
            upstream = {name: graph.type() for name, graph in graphs.items()}
            outputs = {name: T.grad(None, x, known_grads={graph: upstream[name]}) for name, graph in graphs.items()}
            inputs += [upstream[name] for name in sorted(upstream)]
        names = sorted(outputs)
        function = theano.function(inputs, [outputs[name] for name in names], mode=mode, on_unused_input='ignore')
        _compiled[key] = lambda *arrays: dict(zip(names, function(*arrays)))
    return _compiled[key]


def members(labels, n):
    """(image, superpixel, places of its pixels) for each superpixel that has pixels."""
    for b, label in np.ndindex(len(labels), n):
        places = [place for place in np.ndindex(*labels.shape[1:]) if labels[(b,) + place] == label]
        if places:
            yield b, label, tuple(np.transpose(places))


def exact(features, labels, n, weights=None):
    """All composites by a walk over the pixels: deviations in fractions, exponentials summed by ``math.fsum``."""
    results = {name: np.zeros(features.shape[:2] + (n,)) for name in POOLED}
    results.update({name: np.zeros(features.shape) for name in ('softmax', 'normalize')})
    for b, label, places in members(labels, n):
        for c in range(features.shape[1]):
            values = [float(value) for value in features[b, c][places]]
            w = [Fraction(1 if weights is None else float(weights[b][place])) for place in zip(*places)]
            if sum(w) == 0:
                continue
            mean = sum(a * Fraction(value) for a, value in zip(w, values)) / sum(w)
            deviations = [Fraction(value) - mean for value in values]
            variance = float(sum(a * d ** 2 for a, d in zip(w, deviations)) / sum(w))
            results['var'][b, c, label], results['std'][b, c, label] = variance, math.sqrt(variance)
            results['normalize'][b, c][places] = [float(d) / math.sqrt(variance + EPSILON) for d in deviations]
            powers = [math.exp(value - max(values)) for value in values]
            results['logsumexp'][b, c, label] = math.log(math.fsum(powers)) + max(values)
            results['softmax'][b, c][places] = [power / math.fsum(powers) for power in powers]
    return results


def exact_gradients(features, labels, n, upstream):
    """The gradient of each composite by textbook formulas, one superpixel at a time."""
    results = {name: np.zeros(features.shape) for name in COMPOSITES}
    for b, label, places in members(labels, n):
        for c in range(features.shape[1]):
            x, size = features[b, c][places], len(places[0])
            centred, power = x - x.mean(), np.exp(x - x.max())
            share, scale = power / power.sum(), 1 / math.sqrt(x.var() + EPSILON)
            results['var'][b, c][places] = upstream['var'][b, c, label] * 2 * centred / size
            if size > 1:
                results['std'][b, c][places] = upstream['std'][b, c, label] * centred / (size * x.std())
            results['logsumexp'][b, c][places] = upstream['logsumexp'][b, c, label] * share
            g = upstream['softmax'][b, c][places]
            results['softmax'][b, c][places] = share * (g - (share * g).sum())
            g = upstream['normalize'][b, c][places]
            results['normalize'][b, c][places] = scale * (g - g.mean() - centred * scale ** 2 * (g * centred).mean())
    return results


class ValuesTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def check(self, actual, features, labels, n=6, rtol=1e-12, atol=1e-13):
        for name, expected in exact(features, labels, n).items():
            self.assertEqual(actual[name].dtype, features.dtype)
            np.testing.assert_allclose(actual[name], expected, rtol=rtol, atol=atol, err_msg=name)

    def test_a_case_by_hand(self):
        labels = np.array([[[0, 0, -1], [2, 0, 2]]], 'int32')
        actual = compiled()(np.array([[[[1., 3, 9], [6, 8, 6]]]]), labels, 4)
        np.testing.assert_allclose(actual['var'], [[[26 / 3., 0, 0, 0]]])
        np.testing.assert_allclose(actual['std'], [[[math.sqrt(26 / 3.), 0, 0, 0]]])
        np.testing.assert_allclose(actual['normalize'], [[[[-3 / math.sqrt(26 / 3.), -1 / math.sqrt(26 / 3.), 0],
                                                          [0, 4 / math.sqrt(26 / 3.), 0]]]], rtol=1e-5)
        actual = compiled()(np.log([[[[1., 3, 9], [6, 8, 6]]]]), labels, 4)
        np.testing.assert_allclose(actual['logsumexp'], [[[math.log(12), 0, math.log(12), 0]]])
        np.testing.assert_allclose(actual['softmax'], [[[[1 / 12., 3 / 12., 0], [.5, 8 / 12., .5]]]])

    def test_values_equal_a_walk_over_the_pixels_for_every_hard_map(self):
        for dtype, rtol in (('float64', 1e-12), ('float32', 2e-6)):
            for labels in hard_maps().values():
                features = self.rng.randn(2, 3, 5, 7).astype(dtype)
                self.check(compiled(dtype)(features, labels, 6), features, labels, 6, rtol, rtol)

    def test_the_reference_equals_a_walk_over_the_pixels_for_every_hard_map(self):
        for labels in hard_maps().values():
            features = self.rng.randn(2, 3, 5, 7)
            actual = {mode: reference.composite_pool(features, labels, 6, mode) for mode in POOLED}
            actual.update(softmax=reference.softmax(features, labels), normalize=reference.normalize(features, labels))
            self.check(actual, features, labels)

    def test_logsumexp_and_softmax_are_those_of_scipy(self):
        features, labels = 9 * self.rng.randn(2, 3, 5, 7), random_map(self.rng, (2, 5, 7), 4, none=0)
        actual = compiled()(features, labels, 4)
        for b, label, places in members(labels, 4):
            inside = features[b][(slice(None),) + places]
            np.testing.assert_allclose(actual['logsumexp'][b, :, label], scipy.special.logsumexp(inside, axis=1))
            np.testing.assert_allclose(actual['softmax'][b][(slice(None),) + places],
                                       scipy.special.softmax(inside, axis=1))

    def test_one_and_three_spatial_axes_and_unsigned_labels(self):
        for axes, spatial in ((1, (31,)), (3, (2, 3, 5))):
            features, labels = self.rng.randn(2, 3, *spatial), random_map(self.rng, (2,) + spatial, 6, dtype='uint8')
            self.check(compiled(axes=axes, label_dtype='uint8')(features, labels, 6), features, labels)

    def test_the_number_of_superpixels_is_counted_where_none_is_given(self):
        features, labels = self.rng.randn(2, 3, 5, 7), random_map(self.rng, (2, 5, 7), 6)
        expected = exact(features, labels, 6)
        for name, build in COMPOSITES.items():
            np.testing.assert_allclose(build(features, labels, None).eval(), expected[name], rtol=1e-12, atol=1e-13)

    def test_the_values_are_the_same_for_every_layout_of_features_and_labels(self):
        features, labels = self.rng.randn(2, 9, 5, 7), random_map(self.rng, (2, 5, 7), 6)
        expected = compiled()(features, labels, 6)
        cases = [(name, some, labels) for name, some in layouts(features)]
        cases += [(name, features, their) for name, their in layouts(labels)]
        for layout, some, their in cases:
            for name, values in compiled()(some, their, 6).items():
                np.testing.assert_array_equal(values, expected[name], '%s, %s' % (name, layout))

    def test_zero_sizes(self):
        for shape in ((0, 3, 5, 7), (2, 0, 5, 7), (2, 3, 0, 7), (2, 3, 5, 0), (2, 3, 5, 7)):
            for n in (0, 6):
                labels = np.full(shape[:1] + shape[2:], -1, 'int32')
                for name, values in compiled()(np.ones(shape), labels, n).items():
                    self.assertEqual(values.shape, shape[:2] + (n,) if name in POOLED else shape)
                    self.assertFalse(values.any())

    def test_float16_is_computed_in_float32_and_has_gradients_of_float16(self):
        features = (self.rng.randn(2, 3, 5, 7) * 100).astype('float16')  # many squares are above 65504
        features[0] /= 2 ** 14  # and here below the smallest float16
        labels = random_map(self.rng, (2, 5, 7), 6)
        actual, expected = compiled('float16')(features, labels, 6), exact(features, labels, 6)
        for name, values in actual.items():
            self.assertEqual(values.dtype, np.dtype('float16'))
            np.testing.assert_allclose(values, expected[name].astype('float16'), rtol=2e-3, atol=1e-6)
        self.assertTrue((actual['std'][1] > 50).any() and (actual['std'][0] > 0).any())
        x = T.TensorType('float16', (False,) * 4)()
        for name, build in COMPOSITES.items():
            self.assertEqual(T.grad(T.sum(build(x, labels, 6)), x).dtype, 'float16')

    def test_fast_compile_and_debug_mode_give_the_same(self):
        features, labels = self.rng.randn(2, 3, 5, 7), random_map(self.rng, (2, 5, 7), 6)
        for mode in ('FAST_COMPILE', DebugMode(stability_patience=1, check_preallocated_output=[])):
            self.check(compiled(mode=mode)(features, labels, 6), features, labels)


class PrecisionTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_equal_features_have_exactly_no_deviation_and_no_gradient(self):
        labels = random_map(self.rng, (1, 20, 30), 9)
        for dtype in ('float32', 'float64'):
            features = np.empty((1, 64, 20, 30), dtype)
            features[...] = self.rng.randn(64, 1, 1) * 10. ** self.rng.uniform(-9, 9, (64, 1, 1))
            actual = compiled(dtype)(features, labels, 9)
            upstream = {name: self.rng.randn(*actual[name].shape).astype(dtype) for name in sorted(actual)}
            upstream = [upstream[name] for name in sorted(actual)]
            gradients = compiled(dtype, gradients=True)(features, labels, 9, *upstream)
            for name in ('var', 'std', 'normalize'):
                self.assertFalse(actual[name].any(), name)
            for name in ('var', 'std'):
                self.assertFalse(gradients[name].any(), name)

    def test_a_large_mean_costs_no_digits(self):
        labels = random_map(self.rng, (2, 20, 30), 6)
        for dtype, mean, rtol in (('float32', 1e4, 1e-5), ('float64', 1e8, 1e-12)):
            features = (self.rng.randn(2, 3, 20, 30) + mean).astype(dtype)
            expected = exact(features, labels, 6)
            actual = compiled(dtype)(features, labels, 6)
            for name in ('var', 'std', 'normalize'):
                np.testing.assert_allclose(actual[name], expected[name], rtol=rtol, atol=rtol)

    def test_features_of_any_magnitude_overflow_neither_in_logsumexp_nor_in_softmax(self):
        features = np.array([[[[1e30, 1e30, -1e30], [-1e30, -1e30, -3e38], [200, 201, -500], [3e38, -3e38, 0]]]],
                            'float32')
        labels = np.array([[[0, 0, 0], [1, 1, 1], [2, 2, 2], [3, 3, 3]]], 'int32')
        actual = compiled('float32')(features, labels, 4)
        small = math.log(1 + math.e) + 200
        np.testing.assert_allclose(actual['logsumexp'], [[[1e30, -1e30, small, 3e38]]], rtol=1e-6)
        share = 1 / (1 + math.e)
        np.testing.assert_allclose(actual['softmax'], [[[[.5, .5, 0], [.5, .5, 0], [share, 1 - share, 0], [1, 0, 0]]]],
                                   rtol=1e-6)
        upstream = [np.ones(actual[name].shape, 'float32') for name in sorted(actual)]
        gradients = compiled('float32', gradients=True)(features, labels, 4, *upstream)
        np.testing.assert_allclose(gradients['logsumexp'], actual['softmax'], rtol=1e-6)
        np.testing.assert_allclose(gradients['softmax'], 0, atol=1e-6)

    def test_each_superpixel_of_a_softmax_sums_to_one(self):
        features, labels = self.rng.randn(2, 3, 50, 70).astype('float32') * 20, random_map(self.rng, (2, 50, 70), 6)
        shares = compiled('float32')(features, labels, 6)['softmax']
        self.assertTrue((shares >= 0).all())
        np.testing.assert_allclose(reference.pool(shares, labels, 6, 'sum'), 1, rtol=1e-6)


class NotFiniteTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.features, self.labels = self.rng.randn(2, 3, 5, 7), random_map(self.rng, (2, 5, 7), 6)

    def run_with_gradients(self, features):
        actual = compiled()(features, self.labels, 6)
        upstream = np.random.RandomState(1)
        upstream = [upstream.randn(*actual[name].shape) for name in sorted(actual)]
        return actual, compiled(gradients=True)(features, self.labels, 6, *upstream)

    def test_a_nan_stays_in_its_own_superpixel_and_channel(self):
        place = tuple(np.argwhere(self.labels[1] == 4)[0])
        clean = self.run_with_gradients(self.features)
        self.features[(1, 2) + place] = np.nan
        for actual, before in zip(self.run_with_gradients(self.features), clean):
            for name, values in actual.items():
                own = np.zeros(values.shape, bool)
                own[1, 2, ..., :] = 4 == (np.arange(6) if values.ndim == 3 else self.labels[1])
                self.assertTrue(np.isnan(values[own]).all(), name)
                np.testing.assert_array_equal(values[~own], before[name][~own], name)

    def test_what_pixels_hold_that_belong_to_none_reaches_no_value_and_no_gradient(self):
        none = np.nonzero(np.broadcast_to(self.labels[:, None] < 0, self.features.shape))
        clean = self.run_with_gradients(self.features)
        for value in (np.nan, np.inf, 1e300):
            self.features[none] = value
            for actual, before in zip(self.run_with_gradients(self.features), clean):
                for name, values in actual.items():
                    np.testing.assert_array_equal(values, before[name], name)
                    if values.ndim == 4:
                        self.assertFalse(values[none].any(), name)

    def test_infinities(self):
        features = np.array([[[[-np.inf, 1, 1, 9], [-np.inf, -np.inf, np.inf, 3]]]])
        labels = np.array([[[0, 0, 0, -1], [1, 1, 2, 2]]], 'int32')
        actual = compiled()(features, labels, 3)
        np.testing.assert_allclose(actual['logsumexp'], [[[1 + math.log(2), -np.inf, np.inf]]])
        np.testing.assert_allclose(actual['softmax'], [[[[0, .5, .5, 0], [np.nan] * 4]]])
        for name in ('var', 'std'):
            self.assertTrue(np.isnan(actual[name]).all(), name)
        np.testing.assert_array_equal(np.isnan(actual['normalize']), labels[None] >= 0)
        upstream = [np.ones(actual[name].shape) for name in sorted(actual)]
        gradient = compiled(gradients=True)(features, labels, 3, *upstream)['logsumexp']
        np.testing.assert_allclose(gradient[0, 0, 0], [0, .5, .5, 0])
        np.testing.assert_allclose(gradient[0, 0, 1, :2], 0)


class WeightsTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.labels = random_map(self.rng, (2, 5, 7), 6)

    def test_variance_and_standard_deviation_of_weighted_pixels_equal_a_walk(self):
        x, m, w = T.dtensor4(), T.itensor3(), T.dtensor3()
        function = theano.function([x, m, w], [superpixel_pool(x, m, 6, mode, w) for mode in ('var', 'std')])
        for labels in hard_maps().values():
            features, weights = self.rng.randn(2, 3, 5, 7), self.rng.uniform(size=(2, 5, 7)).round(1)
            weights[0, 0] = 0
            weights[labels == 1] = 0
            expected = exact(features, labels, 6, weights)
            for mode, values in zip(('var', 'std'), function(features, labels, weights)):
                np.testing.assert_allclose(values, expected[mode], rtol=1e-12, atol=1e-13)
                np.testing.assert_allclose(reference.composite_pool(features, labels, 6, mode, weights), expected[mode],
                                           rtol=1e-12, atol=1e-13)

    def test_a_mask_as_weights_is_the_same_as_labels_of_minus_one(self):
        features, mask = self.rng.randn(2, 3, 5, 7).astype('float32'), self.rng.uniform(size=(2, 5, 7)) < .5
        for mode in ('var', 'std'):
            values = superpixel_pool(features, self.labels, 6, mode, mask).eval()
            self.assertEqual(values.dtype, np.dtype('float32'))
            expected = exact(features, np.where(mask, self.labels, -1), 6)[mode]
            np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)

    def test_the_gradients_for_features_and_weights_equal_differences(self):
        T.verify_grad(lambda x, w: superpixel_pool(x, self.labels, 6, 'std', w),
                      [self.rng.randn(2, 3, 5, 7), self.rng.uniform(.5, 2, (2, 5, 7))], n_tests=1, rng=self.rng)

    def test_the_logarithm_of_weights_weighs_a_logsumexp_as_the_error_says(self):
        features, weights = self.rng.randn(2, 3, 5, 7), self.rng.uniform(size=(2, 5, 7)).round(1)
        values = superpixel_pool(features + T.log(weights)[:, None, ...], self.labels, 6, 'logsumexp').eval()
        for b, label, places in members(self.labels, 6):
            for c in range(3):
                np.testing.assert_allclose(values[b, c, label], scipy.special.logsumexp(features[b, c][places],
                                                                                        b=weights[b][places]))


class GradientTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def verify(self, function, *points):
        T.verify_grad(function, list(points), n_tests=1, rng=self.rng)

    def test_gradients_equal_the_formulas_of_the_textbook_for_every_hard_map(self):
        function = compiled(gradients=True)
        for labels in hard_maps().values():
            features = self.rng.randn(2, 3, 5, 7)
            upstream = {name: self.rng.randn(*((2, 3, 6) if name in POOLED else (2, 3, 5, 7))) for name in COMPOSITES}
            actual = function(features, labels, 6, *[upstream[name] for name in sorted(upstream)])
            for name, expected in exact_gradients(features, labels, 6, upstream).items():
                np.testing.assert_allclose(actual[name], expected, rtol=1e-9, atol=1e-10, err_msg=name)

    def test_gradients_equal_differences(self):
        labels = hard_maps()['random with none']
        for build in COMPOSITES.values():
            self.verify(lambda x: build(x, labels, 6), self.rng.randn(2, 2, 5, 7))

    def test_second_derivatives_equal_differences_of_the_first(self):
        labels = random_map(self.rng, (2, 3, 4), 3)
        for build in COMPOSITES.values():
            def first_derivative(x):
                x = x * 1.
                values = build(x, labels, 3)
                return T.grad(T.sum(T.exp(values) * T.arange(values.shape[-1])), x)

            self.verify(first_derivative, self.rng.randn(2, 2, 3, 4))

    def test_r_operators_equal_differences(self):
        labels = hard_maps()['random with none']
        x, v, point, step = T.dtensor4(), self.rng.randn(2, 3, 5, 7), self.rng.randn(2, 3, 5, 7), 1e-6
        graphs = [build(x, labels, 6) for build in COMPOSITES.values()]
        value = theano.function([x], graphs)
        derivative = theano.function([x], [T.Rop(graph, x, T.constant(v)) for graph in graphs])
        for actual, after, before in zip(derivative(point), value(point + step * v), value(point - step * v)):
            np.testing.assert_allclose(actual, (after - before) / (2 * step), rtol=1e-6, atol=1e-7)

    def test_the_standard_deviation_of_equal_features_has_finite_derivatives_of_the_first_two_orders(self):
        labels = np.array([[[0, 0, 1], [2, 2, 2]]], 'int32')
        x = T.dtensor4()
        std = superpixel_pool(x, labels, 4, 'std')
        first = T.grad(T.sum(std * T.arange(1, 5)), x)
        second = T.grad(T.sum(first * np.arange(6.).reshape(1, 1, 2, 3)), x)
        for mode in ('FAST_RUN', 'FAST_COMPILE'):  # the first one's optimizations hide a 0 / 0
            for values in theano.function([x], [first, second], mode=mode)(np.array([[[[.1, .1, 7], [.3, .3, .3]]]])):
                self.assertFalse(values.any())

    def test_labels_and_the_number_of_superpixels_are_disconnected(self):
        x, m, n = T.dtensor4(), T.itensor3(), T.lscalar()
        for build in COMPOSITES.values():
            for variable in (m, n):
                with self.assertRaises(theano.gradient.DisconnectedInputError):
                    T.grad(T.sum(build(x, m, n)), variable)

    def test_the_gradient_keeps_the_type_of_a_broadcastable_input(self):
        labels, features = np.array([[[0, 1, 1]]]), np.array([[[[1., 2., 4.]]]])
        for pattern in ((True, True, True, False), (False, True, False, False)):
            x = T.TensorType('float64', pattern)()
            for build in COMPOSITES.values():
                self.assertEqual(T.grad(T.sum(build(x, labels, 2)), x).type, x.type)
            gradient = T.grad(T.sum(superpixel_pool(x, labels, 2, 'var')), x)
            np.testing.assert_allclose(gradient.eval({x: features}), [[[[0, -1, 1]]]])

    def test_shapes_are_known_without_computing_the_values(self):
        x, m, n = T.dtensor4(), T.itensor3(), T.lscalar()
        function = theano.function([x, m, n], [build(x, m, n).shape for _, build in sorted(COMPOSITES.items())])
        for name, shape in zip(sorted(COMPOSITES), function(np.zeros((2, 3, 5, 7)), np.zeros((2, 5, 7), 'int32'), 9)):
            self.assertEqual(tuple(shape), (2, 3, 9) if name in POOLED else (2, 3, 5, 7))
        self.assertNotIn('Superpixel', str(function.maker.fgraph))


class ErrorTest(unittest.TestCase):

    features, labels = np.ones((2, 3, 5, 7)), np.zeros((2, 5, 7), 'int32')

    def assert_says(self, kind, sentence, call, *arguments, **named):
        with self.assertRaises(kind) as caught:
            call(*arguments, **named)
        self.assertIn(sentence, str(caught.exception))

    def test_the_error_for_other_names_of_modes_gives_the_right_ones(self):
        for other, mode in (('variance', 'var'), ('stddev', 'std'), ('lse', 'logsumexp')):
            self.assert_says(ValueError, "SuperpixelPool: mode is %r, but must be 'mean', 'sum', 'max', 'min', 'var',"
                             " 'std' or 'logsumexp' (use %r)" % (other, mode),
                             superpixel_pool, self.features, self.labels, mode=other)

    def test_the_error_of_the_op_names_the_function(self):
        self.assert_says(ValueError, "SuperpixelPool: mode is 'std', but must be 'mean' or 'sum' (use"
                         " superpixel_pool(..., mode='std'), a graph of ops)", SuperpixelPool, 'std')

    def test_the_error_for_resize_says_to_resize_beforehand(self):
        for mode in POOLED:
            self.assert_says(ValueError, "SuperpixelPool: mode %r goes with resize=None, but resize is 'nearest' (each"
                             ' pixel is compared with its own superpixel, so the features must lie on the pixels:'
                             ' resize the superpixel map to the features by nearest neighbour, or the features to the'
                             ' superpixel map beforehand)'
                             % mode, superpixel_pool, self.features, self.labels, mode=mode, resize='nearest')

    def test_the_error_for_weights_of_a_logsumexp_says_to_add_logarithms(self):
        self.assert_says(ValueError, "SuperpixelPool: pixel_weights go with mode 'mean', 'sum', 'var' or 'std', but"
                         " mode is 'logsumexp' (add the logarithm of the weights to the features: feature_map +"
                         ' T.log(pixel_weights)[:, None, ...])',
                         superpixel_pool, self.features, self.labels, 3, 'logsumexp', np.ones((2, 5, 7)))

    def test_an_invalid_epsilon(self):
        for wrong in ('1e-5', None, True, np.ones(2)):
            self.assert_says(TypeError, 'superpixel_normalize: epsilon is %r, but a number is wanted' % (wrong,),
                             superpixel_normalize, self.features, self.labels, 3, wrong)
        for wrong in (0, -1e-5, float('nan'), float('inf')):
            self.assert_says(ValueError, 'superpixel_normalize: epsilon is %r, but must be positive and finite in'
                             ' float64' % (wrong,), superpixel_normalize, self.features, self.labels, 3, wrong)
        self.assert_says(ValueError, 'superpixel_normalize: epsilon is 1e-60, but must be positive and finite in'
                         ' float32', superpixel_normalize, self.features.astype('float32'), self.labels, 3, 1e-60)

    def test_features_and_labels_of_the_wrong_kind_are_named_when_the_graph_is_built(self):
        for call, name in ((superpixel_softmax, 'superpixel_softmax'), (superpixel_normalize, 'superpixel_normalize'),
                           (lambda *arguments: superpixel_pool(*arguments, mode='std'), 'SuperpixelPool')):
            self.assert_says(TypeError, name + ': feature_map has dtype int64', call, self.features.astype('int64'),
                             self.labels)
            self.assert_says(TypeError, name + ': superpixel_map has dtype float64', call, self.features,
                             self.labels * 1.)
            self.assert_says(ValueError, name + ': superpixel_map has 2 axes', call, self.features, self.labels[0])
            self.assert_says(ValueError, name + ': n_superpixels is -1', call, self.features, self.labels, -1)

    def test_bad_labels_and_shapes_are_named_when_the_function_runs(self):
        labels = self.labels.copy()
        labels[1, 4, 5] = 64
        self.assert_says(IndexError, 'superpixel_map[1, 4, 5] is 64, but n_superpixels is 64', compiled(),
                         self.features, labels, 64)
        for shape in ((2, 3, 5, 8), (2, 3, 1, 1), (1, 3, 5, 7)):
            self.assert_says(ValueError, 'feature_map has shape %s, but superpixel_map has shape (2, 5, 7)' % (shape,),
                             compiled(), np.ones(shape), self.labels, 3)
