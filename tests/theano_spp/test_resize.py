"""Superpixel maps of another size than the features: the same as resizing first, without the resized array."""
import itertools
import unittest

import numpy as np
import theano
import theano.tensor as T
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage import transform
from theano.compile.debugmode import DebugMode

from tests.label_maps import hard_maps, random_map, regions_map
from tests.memory_layouts import layouts
from tests.numeric import exact_extremum, exact_pool, exact_resize, exact_unpool, tolerance
from theano_spp import (SuperpixelExtremum, SuperpixelPool, reference, superpixel_overlap,
                        superpixel_pool, superpixel_unpool)
from theano_spp.ops.resized import SuperpixelOverlapPool, SuperpixelOverlapUnpool
from theano_spp.reference import interpolation
from theano_spp.ops.max_min import PutPixels, TakePixels

KINDS = ('nearest', 'bilinear')
#: Cells for maps of 5 x 7: coarser and finer, in ratios that are whole and not, another on each axis.
CELLS = ((2, 3), (1, 1), (5, 7), (3, 14), (11, 4))
_compiled = {}


def compiled(kind, mode='mean', dtype='float64', axes=2):
    """pool(x, m, n), unpool(y, m, cells), compiled once."""
    key = kind, mode, dtype, axes
    if key not in _compiled:
        x, y = [T.TensorType(dtype, (False,) * n)() for n in (2 + axes, 3)]
        m, n, cells = T.TensorType('int32', (False,) * (1 + axes))(), T.lscalar(), [T.lscalar() for _ in range(axes)]
        pool = theano.function([x, m, n], superpixel_pool(x, m, n, mode, resize=kind))
        unpool = theano.function([y, m] + cells, superpixel_unpool(y, m, mode, kind, cells))
        _compiled[key] = pool, lambda y, m, cells: unpool(y, m, *cells)
    return _compiled[key]


def compiled_extremum(kind, mode, dtype='float64', axes=2):
    key = kind, mode, dtype, axes
    if key not in _compiled:
        x, m = [T.TensorType(d, (False,) * n)() for d, n in ((dtype, 2 + axes), ('int32', 1 + axes))]
        n = T.lscalar()
        _compiled[key] = theano.function([x, m, n], SuperpixelExtremum(mode, kind)(x, m, n))
    return _compiled[key]


class InterpolationTest(unittest.TestCase):
    """The reference against libraries and a walk over the pixels."""

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_resizing_equals_a_walk_over_the_pixels_in_one_to_three_axes(self):
        for cells, pixels in (((3,), (11,)), ((2, 5), (7, 7)), ((5, 7), (2, 3)), ((2, 1, 3), (3, 4, 7))):
            features = self.rng.randn(2, 3, *cells)
            for kind in KINDS:
                np.testing.assert_allclose(interpolation.resize(features, pixels, kind),
                                           exact_resize(features, pixels, kind), rtol=1e-13, atol=1e-13)

    def test_bilinear_resizing_equals_skimage_and_scipy(self):
        features = self.rng.randn(1, 1, 4, 5)
        for shape in ((4, 5), (12, 20), (13, 17), (7, 23)):
            resized = interpolation.resize(features, shape, 'bilinear')[0, 0]
            np.testing.assert_allclose(resized, transform.resize(
                features[0, 0], shape, order=1, mode='edge', anti_aliasing=False, clip=False), atol=1e-10)
            places = np.meshgrid(*[(np.arange(pixels) + .5) * cells / pixels - .5
                                   for pixels, cells in zip(shape, (4, 5))], indexing='ij')
            np.testing.assert_allclose(resized, ndimage.map_coordinates(
                features[0, 0], places, order=1, mode='nearest'), atol=1e-12)

    def test_nearest_resizing_by_whole_factors_repeats_the_cells(self):
        features = self.rng.randn(1, 2, 3, 4)
        np.testing.assert_array_equal(interpolation.resize(features, (9, 8), 'nearest'),
                                      features.repeat(3, 2).repeat(2, 3))

    def test_the_adjoint_is_the_transpose(self):
        for cells, pixels in itertools.product(CELLS, ((5, 7), (13, 2))):
            for kind in KINDS:
                x, y = self.rng.randn(1, 2, *cells), self.rng.randn(1, 2, *pixels)
                np.testing.assert_allclose((interpolation.resize(x, pixels, kind) * y).sum(),
                                           (x * interpolation.resize_adjoint(y, cells, kind)).sum(), rtol=1e-12)


class ValuesTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_means_and_sums_equal_those_of_the_features_resized_by_a_walk_over_the_pixels(self):
        for kind, mode, dtype in itertools.product(KINDS, ('mean', 'sum'), ('float32', 'float64')):
            for cells, labels in zip(itertools.cycle(CELLS), hard_maps().values()):
                features = self.rng.randn(2, 19, *cells).astype(dtype)
                expected = exact_pool(exact_resize(features, (5, 7), kind), labels, 6, mode)
                magnitudes = exact_pool(exact_resize(abs(features), (5, 7), kind), labels, 6, mode)
                pooled = compiled(kind, mode, dtype)[0](features, labels, 6)
                self.assertEqual(pooled.dtype, features.dtype)
                np.testing.assert_array_less(abs(pooled - expected), tolerance(dtype) * magnitudes + 1e-300)

    def test_means_equal_scikit_images_resize_and_plain_pooling(self):
        features, labels = self.rng.randn(2, 3, 4, 5), regions_map(self.rng, (2, 31, 37), 8)
        resized = np.array([[transform.resize(plane, (31, 37), order=1, mode='edge', anti_aliasing=False, clip=False)
                             for plane in image] for image in features])
        np.testing.assert_allclose(compiled('bilinear')[0](features, labels, 8), exact_pool(resized, labels, 8, 'mean'),
                                   atol=1e-10)

    def test_maxima_and_minima_equal_those_of_the_resized_features(self):
        for kind, mode in itertools.product(KINDS, ('max', 'min')):
            for cells, labels in zip(itertools.cycle(CELLS), hard_maps().values()):
                features = self.rng.randn(2, 19, *cells)
                expected, argmax = exact_extremum(interpolation.resize(features, (5, 7), kind), labels, 6, mode)
                actual = compiled_extremum(kind, mode)(features, labels, 6)
                np.testing.assert_array_equal(actual[0], expected)
                np.testing.assert_array_equal(actual[1], argmax)

    def test_the_first_pixel_of_a_plateau_wins_although_its_value_is_mixed_in_every_pixel(self):
        labels = regions_map(self.rng, (2, 23, 29), 6)
        for value in (.1, 1 / 3., np.inf):
            pooled, argmax = compiled_extremum('bilinear', 'max')(np.full((2, 2, 4, 3), value), labels, 6)
            for image, pixels, values in zip(labels, argmax, pooled):
                present, first = np.unique(image, return_index=True)
                np.testing.assert_array_equal(pixels[:, present], [first] * 2)
                np.testing.assert_array_equal(values[:, present], value)

    def test_the_first_pixel_of_a_plateau_wins_in_float32_too(self):
        labels = regions_map(self.rng, (2, 23, 29), 6)
        for kind in KINDS:
            features = self.rng.randint(-2, 3, (2, 5, 4, 3)).astype('float32') / 3
            resized = interpolation.resize(features, (23, 29), kind).astype('float32')
            actual = compiled_extremum(kind, 'max', 'float32')(features, labels, 6)
            for some, other in zip(actual, exact_extremum(resized, labels, 6, 'max')):
                np.testing.assert_array_equal(some, other)

    def test_infinities_and_nans_win_where_the_resized_features_have_them_first(self):
        for kind, mode, axes in itertools.product(KINDS, ('max', 'min'), (1, 2, 3)):
            for _ in range(20):
                cells = tuple(self.rng.randint(1, 5, axes))
                pixels = tuple(size * odd for size, odd in zip(cells, self.rng.choice((1, 3, 5), axes)))
                labels = regions_map(self.rng, (2,) + pixels, 3)
                features = self.rng.choice((np.nan, np.inf, -np.inf, 0, 1, 2.5), (2, 17) + cells,
                                           p=(.05, .1, .1, .25, .25, .25))
                with np.errstate(invalid='ignore'):
                    expected, argmax = exact_extremum(interpolation.resize(features, pixels, kind), labels, 3, mode)
                actual = compiled_extremum(kind, mode, axes=axes)(features, labels, 3)
                np.testing.assert_array_equal(actual[0], expected)
                np.testing.assert_array_equal(actual[1], argmax)

    def test_unpooling_to_cells_is_painting_and_the_transpose_of_resizing(self):
        for kind, mode in itertools.product(KINDS, ('sum', 'mean')):
            for cells, labels in zip(itertools.cycle(CELLS), hard_maps().values()):
                pooled = self.rng.randn(2, 19, 6)
                painted = exact_unpool(pooled, labels, mode)
                one_cell_each = np.eye(cells[0] * cells[1]).reshape((1, -1) + cells)
                matrix = exact_resize(one_cell_each, (5, 7), kind)[0]  # (cells, 5, 7)
                expected = np.einsum('bcyx,iyx->bci', painted, matrix).reshape((2, 19) + cells)
                np.testing.assert_allclose(compiled(kind, mode)[1](pooled, labels, cells), expected,
                                           rtol=1e-12, atol=1e-13)

    def test_the_overlap_matrix_equals_a_count_by_hand(self):
        labels = np.array([[[0, 0, 1, 1, 1, -1], [0, 0, 0, 1, 1, 1]]])
        overlap = superpixel_overlap(labels, 3, (1, 2), 'nearest', 'sum').eval()
        np.testing.assert_array_equal(overlap, [[[[5, 0]], [[1, 5]], [[0, 0]]]])
        overlap = superpixel_overlap(labels, None, (1, 2)).eval()
        np.testing.assert_allclose(overlap, [[[[1, 0]], [[1 / 6., 5 / 6.]]]], rtol=1e-6)
        # the six pixels lie -1/3, 0, 1/3, 2/3, 1, 4/3 of the way from one centre to the other
        overlap = superpixel_overlap(labels[:, :1], 2, (1, 2), 'bilinear', 'sum').eval()
        np.testing.assert_allclose(overlap, [[[[2, 0]], [[1, 2]]]], rtol=1e-6)

    def test_the_overlap_matrix_times_the_features_is_the_pooling_with_resize(self):
        labels = hard_maps()['random with none']
        m = T.itensor3()
        for kind, mode in itertools.product(KINDS, ('mean', 'sum')):
            function = theano.function([m], superpixel_overlap(m, 6, (2, 3), kind, mode))
            features, overlap = self.rng.randn(2, 3, 2, 3), function(labels)
            np.testing.assert_allclose(np.einsum('bnyx,bcyx->bcn', overlap, features),
                                       compiled(kind, mode)[0](features, labels, 6), rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(overlap, reference.overlap(labels, 6, (2, 3), mode, kind), rtol=1e-6, atol=1e-7)
            sizes = reference.sizes(labels, 6)
            np.testing.assert_allclose(overlap.sum((2, 3)), (sizes > 0) if mode == 'mean' else sizes, rtol=1e-5)

    def test_sequences_and_volumes(self):
        for axes, cells, pixels in ((1, (3,), (11,)), (3, (2, 1, 3), (3, 4, 5))):
            labels = random_map(self.rng, (2,) + pixels, 6)
            features, pooled = self.rng.randn(2, 3, *cells), self.rng.randn(2, 3, 6)
            resized = exact_resize(features, pixels, 'bilinear')
            pool, unpool = compiled('bilinear', axes=axes)
            np.testing.assert_allclose(pool(features, labels, 6), exact_pool(resized, labels, 6, 'mean'), atol=1e-13)
            np.testing.assert_allclose((pool(features, labels, 6) * pooled).sum(),
                                       (features * unpool(pooled, labels, cells)).sum(), rtol=1e-11)
            np.testing.assert_allclose(compiled_extremum('bilinear', 'max', axes=axes)(features, labels, 6)[0],
                                       exact_extremum(resized, labels, 6, 'max')[0], rtol=1e-12)

    def test_rows_of_three_million_pixels_have_the_winners_of_the_resized_features(self):
        pixels = 3000001
        labels = (np.arange(pixels) // 1400000).astype('int8')[None]
        labels[0, 5], labels[0, -1], labels[0, 1000000:1000010] = -1, 0, 1
        features = np.array([[[1, 7, 7], [7, 1, 2], [-4, -4, -5]]], 'float32')
        cell = (2 * np.arange(pixels) + 1) * 3 // (2 * pixels)
        pooled, argmax = compiled_extremum('nearest', 'max', 'float32', 1)(features, labels, 3)
        for c in range(3):
            resized = features[0, c, cell]
            for label in range(3):
                members = np.flatnonzero(labels[0] == label)
                self.assertEqual(argmax[0, c, label], members[np.argmax(resized[members])])
                self.assertEqual(pooled[0, c, label], np.max(resized[members]))

    def test_a_nan_reaches_the_superpixels_that_see_its_cell_and_no_other(self):
        labels = np.array([[[0, 0, 1, 1, 2, 2]]], 'int32')
        features = np.array([[[[1., np.nan, 3.]]]])
        for mode in ('mean', 'sum'):
            np.testing.assert_array_equal(np.isnan(compiled('nearest', mode)[0](features, labels, 3)),
                                          [[[False, True, False]]])
        self.assertTrue(np.isnan(compiled('bilinear')[0](features, labels, 3)).all())
        features = np.array([[[[1., 2, np.nan]]]])
        labels = np.array([[[0, 0, 0, 1, 1, 1]]], 'int32')
        for kind in KINDS:
            np.testing.assert_array_equal(np.isnan(compiled(kind)[0](features, labels, 3)), [[[False, True, False]]])
            pooled, argmax = compiled_extremum(kind, 'max')(features, labels, 3)
            np.testing.assert_array_equal(np.isnan(pooled), [[[False, True, False]]])
            self.assertEqual(argmax[0, 0, 1], {'nearest': 4, 'bilinear': 3}[kind])

    def test_a_nan_of_an_empty_superpixel_is_painted_nowhere(self):
        painted = compiled('bilinear', 'sum')[1](
            np.array([[[5., np.nan]]]), np.array([[[0, 0, 0, -1]]], 'int32'), (1, 2))
        np.testing.assert_allclose(painted, [[[[5 * (1 + .75 + .25), 5 * (.25 + .75)]]]])

    def test_the_smallest_label_of_int64_belongs_to_none(self):
        labels = np.array([[[np.iinfo('int64').min, 0, 1, -1]]])
        x, y = T.dtensor4(), T.dtensor3()
        m = T.ltensor3()
        function = theano.function([x, y, m], [superpixel_pool(x, m, 2, resize='nearest'),
                                               superpixel_unpool(y, m, 'sum', 'nearest', (1, 2))])
        pooled, painted = function([[[[3., 5.]]]], [[[7., 9.]]], labels)
        np.testing.assert_array_equal(pooled, [[[3, 5]]])
        np.testing.assert_array_equal(painted, [[[[7, 9]]]])

    def test_zero_sizes(self):
        for kind in KINDS:
            pool, unpool = compiled(kind)
            for batch, channels, cells, pixels in ((0, 3, (2, 3), (5, 7)), (2, 0, (2, 3), (5, 7)),
                                                   (2, 3, (2, 3), (0, 7)), (2, 3, (0, 3), (0, 7)),
                                                   (2, 3, (0, 3), (5, 0))):
                for n in (0, 6):
                    labels = np.full((batch,) + pixels, n - 1, 'int32')
                    np.testing.assert_array_equal(pool(np.ones((batch, channels) + cells), labels, n),
                                                  np.zeros((batch, channels, n)))
                    painted = unpool(np.ones((batch, channels, n)), labels, cells)
                    np.testing.assert_array_equal(painted, np.zeros((batch, channels) + cells))
                    pooled, _ = compiled_extremum(kind, 'max')(np.ones((batch, channels) + cells), labels, n)
                    np.testing.assert_array_equal(pooled, np.zeros((batch, channels, n)))

    def test_float16_features_are_pooled_in_float32_and_never_resized(self):
        features, labels = self.rng.randn(2, 3, 2, 3).astype('float16'), random_map(self.rng, (2, 5, 7), 6)
        resized = exact_resize(features, (5, 7), 'bilinear')
        magnitudes = exact_resize(abs(features), (5, 7), 'bilinear')
        x, m, n = T.TensorType('float16', (False,) * 4)(), T.itensor3(), T.lscalar()
        for mode, expected, scale in (
                ('mean', exact_pool(resized, labels, 6, 'mean'), exact_pool(magnitudes, labels, 6, 'mean')),
                ('sum', exact_pool(resized, labels, 6, 'sum'), exact_pool(magnitudes, labels, 6, 'sum')),
                ('max', exact_extremum(resized, labels, 6, 'max')[0], 3)):
            pool = superpixel_pool(x, m, n, mode, resize='bilinear')
            function = theano.function([x, m, n], [pool, T.grad(T.sum(pool), x)])
            pooled, gradient = function(features, labels, 6)
            self.assertEqual((pooled.dtype, gradient.dtype), ('float16', 'float16'))
            np.testing.assert_array_less(abs(pooled - expected), tolerance('float16') * scale + 1e-7)
            np.testing.assert_allclose(
                gradient.sum((2, 3)), (reference.sizes(labels, 6) > 0).sum(1)[:, None].repeat(3, 1)
                if mode != 'sum' else (labels >= 0).sum((1, 2))[:, None].repeat(3, 1), rtol=2e-3)
            self.assert_no_op_sees_float16(function)

    def test_float16_winners_are_the_same_without_the_compiler(self):
        # neighbours in float16, so that only float32 can distinguish values between them
        features = (1000 + .5 * self.rng.randint(0, 2, (2, 3, 4, 5))).astype('float16')
        labels = regions_map(self.rng, (2, 31, 37), 6)
        x, m = T.TensorType('float16', (False,) * 4)(), T.itensor3()
        results = [theano.function([x, m], SuperpixelExtremum('max', 'bilinear')(x, m, 6), mode=mode)(features, labels)
                   for mode in ('FAST_RUN', 'FAST_COMPILE')]
        for actual, wanted in zip(*results):
            np.testing.assert_array_equal(actual, wanted)

    def test_float16_features_are_unpooled_in_float32(self):
        pooled, labels = self.rng.randn(2, 3, 6).astype('float16'), random_map(self.rng, (2, 5, 7), 6)
        y, m = T.TensorType('float16', (False,) * 3)(), T.itensor3()
        function = theano.function([y, m], superpixel_unpool(y, m, 'sum', 'bilinear', (2, 3)))
        matrix = exact_resize(np.eye(6).reshape(1, 6, 2, 3), (5, 7), 'bilinear')[0]  # (cells, 5, 7)
        painted, scale = [np.einsum('bcyx,iyx->bci', exact_unpool(values, labels, 'sum'), matrix).reshape(2, 3, 2, 3)
                          for values in (pooled, abs(pooled))]
        actual = function(pooled, labels)
        self.assertEqual(actual.dtype, 'float16')
        np.testing.assert_array_less(abs(actual - painted), tolerance('float16') * scale + 1e-7)
        self.assert_no_op_sees_float16(function)

    def assert_no_op_sees_float16(self, function):
        ours = [node for node in function.maker.fgraph.toposort() if type(node.op).__module__.startswith('theano_spp')]
        self.assertTrue(ours)
        for node in ours:
            self.assertNotIn('float16', [variable.dtype for variable in node.inputs + node.outputs], node)

    def test_empty_batches_of_huge_maps_have_empty_results(self):
        features = np.ones((0, 1, 3))
        x, y, m = T.dtensor3(), T.dtensor3(), T.bmatrix()
        # The reference makes features for all pixels, and older NumPys want memory for them even in an empty batch.
        for pixels, mode in ((10 ** 12, 'FAST_RUN'), (2 ** 60, 'FAST_RUN'), (10 ** 6, 'FAST_COMPILE')):
            labels = np.broadcast_to(np.zeros((1, 1), 'int8'), (1, pixels))[:0]
            for kind in KINDS:
                function = theano.function([x, y, m], [
                    superpixel_pool(x, m, 4, 'max', resize=kind), superpixel_pool(x, m, 4, resize=kind),
                    superpixel_unpool(y, m, 'sum', kind, (3,)), superpixel_overlap(m, 4, (3,), kind)], mode=mode)
                self.assertEqual([values.shape for values in function(features, np.ones((0, 1, 4)), labels)],
                                 [(0, 1, 4), (0, 1, 4), (0, 1, 3), (0, 4, 3)])

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_generated_sizes_and_maps(self, data):
        batch, channels = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 18))
        cells = tuple(data.draw(st.integers(1, 9)) for _ in range(2))
        pixels = tuple(data.draw(st.integers(1, 40)) for _ in range(2))
        n, seed, run = data.draw(st.integers(1, 9)), data.draw(st.integers(0, 2 ** 31)), data.draw(st.integers(1, 9))
        kind = data.draw(st.sampled_from(KINDS))
        rng = np.random.RandomState(seed)
        labels = np.repeat(rng.randint(-1, n, (batch,) + pixels).astype('int32'), run, axis=2)[:, :, :pixels[1]]
        features, upstream = rng.randn(batch, channels, *cells), rng.randn(batch, channels, n)
        pool, unpool = compiled(kind)
        pooled = pool(features, labels, n)
        resized = interpolation.resize(features, pixels, kind)
        np.testing.assert_allclose(pooled, reference.pool(resized, labels, n), rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose((pooled * upstream).sum(), (features * unpool(upstream, labels, cells)).sum(),
                                   rtol=1e-9, atol=1e-10)
        actual = compiled_extremum(kind, 'min')(features, labels, n)
        for some, other in zip(actual, exact_extremum(resized, labels, n, 'min')):
            np.testing.assert_array_equal(some, other)


class GradientTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.labels = hard_maps()['random with none']

    def verify(self, function, *points):
        T.verify_grad(function, list(points), n_tests=1, rng=self.rng)

    def test_the_gradients_of_pooling_and_unpooling_equal_differences(self):
        for kind, mode in itertools.product(KINDS, ('mean', 'sum')):
            self.verify(lambda x: superpixel_pool(x, self.labels, 6, mode, resize=kind), self.rng.randn(2, 3, 2, 3))
            self.verify(lambda y: superpixel_unpool(y, self.labels, mode, kind, (2, 3)), self.rng.randn(2, 3, 6))

    def test_the_gradient_of_the_maximum_equals_differences(self):
        for kind in KINDS:
            self.verify(lambda x: superpixel_pool(x, self.labels, 6, 'max', resize=kind),
                        self.rng.permutation(36).reshape(2, 3, 2, 3) + .0)

    def test_the_second_derivatives_equal_differences_of_the_first(self):
        def first_derivative(mode, kind):
            def build(x):
                x = x * 1.
                pooled = superpixel_pool(x, self.labels, 6, mode, resize=kind)
                return T.grad(T.sum(T.exp(pooled / 30) * T.arange(6)), x)
            return build

        for mode, kind in (('mean', 'bilinear'), ('max', 'bilinear'), ('sum', 'nearest')):
            self.verify(first_derivative(mode, kind), self.rng.permutation(36).reshape(2, 3, 2, 3) + .0)

        def derivative_of_unpooling(y):
            y = y * 1.
            return T.grad(T.sum(T.exp(superpixel_unpool(y, self.labels, 'mean', 'bilinear', (2, 3))) * T.arange(3)), y)

        self.verify(derivative_of_unpooling, self.rng.randn(2, 3, 6))

    def test_the_r_operator_equals_differences(self):
        for mode in ('mean', 'sum', 'max', 'min'):
            x, v = T.dtensor4(), self.rng.randn(2, 3, 2, 3)
            point = self.rng.permutation(36).reshape(2, 3, 2, 3) + .0
            f = T.exp(superpixel_pool(x, self.labels, 6, mode, resize='bilinear') / 30)
            value = theano.function([x], f)
            differences = (value(point + 1e-4 * v) - value(point - 1e-4 * v)) / 2e-4
            np.testing.assert_allclose(T.Rop(f, x, T.constant(v)).eval({x: point}), differences, rtol=1e-6, atol=1e-7)
        y, v, point = T.dtensor3(), self.rng.randn(2, 3, 6), self.rng.randn(2, 3, 6)
        painted = superpixel_unpool(y, self.labels, 'sum', 'nearest', (2, 3))
        forward = theano.function([y], T.Rop(painted, y, T.constant(v)), on_unused_input='ignore')
        np.testing.assert_allclose(forward(point), painted.eval({y: v}), rtol=1e-12)

    def test_sizes_of_every_kind_can_be_differentiated_forward_and_give_the_same(self):
        y, v, a, x = T.dtensor3(), T.dtensor3(), T.iscalar(), T.dtensor4()
        point, direction = self.rng.randn(2, 2, 3, 6)
        sizes = [(a, a + 1), np.array([2, 3], 'int32'), (a, 3), [np.uint8(2), 3], T.cast(x.shape[2:], 'int16'),
                 x.shape[2:], T.stack([a, a + 1]) + 0, theano.shared(np.array([2, 3], 'int32')),
                 T.cast(x.shape[:1:-1], 'int32')[::-1], (x.shape[2:] * 7) // 7]
        expected = reference.overlap_unpool(direction, self.labels, (2, 3), 'mean', 'bilinear')
        # of sum(exp(A y)): A^T (exp(A y) * A v)
        painted = np.exp(reference.overlap_unpool(point, self.labels, (2, 3), 'mean', 'bilinear'))
        product = reference.overlap_pool(painted * expected, self.labels, 6, 'mean', 'bilinear')
        for spatial_shape in sizes:
            painted = superpixel_unpool(y, self.labels, 'mean', 'bilinear', spatial_shape)
            gradient = T.grad(T.sum(T.exp(painted)), y)
            for forward, wanted in ((T.Rop(painted, y, v), expected), (T.Rop(gradient, y, v), product)):
                function = theano.function([y, v, a, x], forward, on_unused_input='ignore')
                np.testing.assert_allclose(function(point, direction, 2, np.zeros((1, 1, 2, 3))), wanted, rtol=1e-9)
            shape = theano.function([y, a, x], painted.shape, on_unused_input='ignore')
            self.assertEqual(shape(point, 2, np.zeros((1, 1, 2, 3))).tolist(), [2, 3, 2, 3])
            self.assertNotIn('Superpixel', str(shape.maker.fgraph))

    def test_clones_with_other_dtypes_keep_their_sizes(self):
        y, new_y = T.dtensor3(), T.ftensor3()
        point = self.rng.randn(2, 3, 6).astype('float32')
        for a, new_a in ((T.iscalar(), T.iscalar()), (T.lscalar(), T.iscalar())):
            painted = superpixel_unpool(y, self.labels, 'sum', 'nearest', (a, a + 1))
            largest = superpixel_pool(painted, self.labels, 6, 'max', resize='nearest')
            clone = theano.clone([painted, T.grad(T.sum(largest), y)], {y: new_y, a: new_a}, strict=False)
            cloned = theano.function([new_y, new_a], [clone[0], T.Rop(clone[0], new_y, new_y), clone[1]])
            for actual in cloned(point, 2)[:2]:
                np.testing.assert_allclose(
                    actual, reference.overlap_unpool(point, self.labels, (2, 3), 'sum', 'nearest'), rtol=1e-6)

    def test_pixels_are_put_into_sizes_of_every_kind(self):
        y, a, pixels, v = T.dtensor3(), T.iscalar(), T.ltensor3(), T.dtensor3()
        numbers, point = self.rng.randint(-1, 35, (2, 3, 6)), self.rng.randn(2, 3, 6)
        expected = reference.put_pixels(point, numbers, (2, 3), (5, 7), 'bilinear')
        for spatial_shape, map_shape in (((a, 3), np.array([5, 7], 'int32')), (T.stack([a, a + 1]) + 0, (5, 7)),
                                         ((2, 3), theano.shared(np.array([5, 7])))):
            put = PutPixels('bilinear')(y, pixels, spatial_shape, map_shape)
            function = theano.function([y, pixels, a, v], [put, T.Rop(put, y, v)], on_unused_input='ignore')
            for actual in function(point, numbers, 2, point):
                np.testing.assert_allclose(actual, expected, rtol=1e-12)

    def test_no_channels_have_an_empty_derivative_of_the_maximum(self):
        x, m = T.dtensor4(), T.itensor3()
        for kind, mode in itertools.product((None,) + KINDS, ('FAST_RUN', 'FAST_COMPILE')):
            largest = superpixel_pool(x, m, 2, 'max', resize=kind)
            function = theano.function([x, m], [T.Rop(largest, x, x), T.grad(T.sum(largest), x)], mode=mode)
            forward, backward = function(np.ones((1, 0, 5, 7)), np.zeros((1, 5, 7), 'int32'))
            self.assertEqual((forward.shape, backward.shape), ((1, 0, 2), (1, 0, 5, 7)))

    def test_what_is_made_of_labels_is_disconnected_from_them(self):
        x, m, n = T.dtensor4(), T.itensor3(), T.lscalar()
        cost = T.sum(superpixel_pool(x, m, n, resize='nearest')) + T.sum(superpixel_overlap(m, n, (2, 3)))
        for variable in (m, n):
            with self.assertRaises(theano.gradient.DisconnectedInputError):
                T.grad(cost, variable)

    def test_shapes_are_known_without_computing_the_values(self):
        x, m, n = T.dtensor4(), T.itensor3(), T.lscalar()
        pooled = superpixel_pool(x, m, n, resize='nearest')
        variables = [pooled, superpixel_unpool(pooled, m, 'sum', 'nearest', x.shape[2:]),
                     superpixel_overlap(m, n, x.shape[2:])]
        function = theano.function([x, m, n], [variable.shape for variable in variables])
        shapes = function(np.zeros((2, 3, 4, 5)), np.zeros((2, 11, 13), 'int32'), 9)
        self.assertEqual([tuple(shape) for shape in shapes], [(2, 3, 9), (2, 3, 4, 5), (2, 9, 4, 5)])
        self.assertNotIn('Superpixel', str(function.maker.fgraph))


class MemoryTest(unittest.TestCase):

    def test_the_results_are_the_same_bits_for_every_layout(self):
        rng = np.random.RandomState(0)
        features, pooled, labels = rng.randn(2, 9, 2, 3), rng.randn(2, 9, 6), random_map(rng, (2, 5, 7), 6)
        pool, unpool = compiled('bilinear')
        bits, painted = pool(features, labels, 6), unpool(pooled, labels, (2, 3))
        for (name, some), (other, their) in itertools.product(layouts(features), layouts(labels)):
            np.testing.assert_array_equal(pool(some, their, 6), bits, '%s, %s' % (name, other))
        for name, some in layouts(pooled):
            np.testing.assert_array_equal(unpool(some, labels, (2, 3)), painted, name)
        expected = reference.extremum(features, labels, 6, 'max', 'bilinear')
        for name, some in layouts(features):
            for actual, wanted in zip(compiled_extremum('bilinear', 'max')(some, labels, 6), expected):
                np.testing.assert_array_equal(actual, wanted, name)

    def test_debug_mode_with_every_kind_of_preallocated_output_finds_nothing(self):
        mode = DebugMode(check_preallocated_output=['ALL'], check_isfinite=True, stability_patience=2)
        rng = np.random.RandomState(0)
        x, m, n = T.ftensor4(), T.itensor3(), T.lscalar()
        pooled = superpixel_pool(x, m, n, resize='bilinear')
        largest = superpixel_pool(x, m, n, 'max', resize='nearest')
        cost = T.sum(T.exp(pooled + largest)) + T.sum(superpixel_unpool(pooled, m, 'sum', 'nearest', (3, 2)) ** 2)
        function = theano.function([x, m, n], [pooled, T.grad(cost, x), superpixel_overlap(m, n, (2, 3))], mode=mode)
        for name in ('random with none', 'no pixel belongs to any'):
            features = rng.randn(2, 3, 2, 3).astype('float32')
            actual = function(features, hard_maps()[name], 6)
            np.testing.assert_allclose(actual[0], reference.overlap_pool(features, hard_maps()[name], 6), rtol=1e-5,
                                       atol=1e-6)

    def test_all_of_it_works_inside_scan(self):
        rng = np.random.RandomState(0)
        x, m = T.TensorType('float64', (False,) * 5)(), T.TensorType('int32', (False,) * 4)()
        (means, maxima), _ = theano.scan(lambda one, labels: [
            superpixel_pool(one, labels, 6, resize='bilinear'),
            superpixel_pool(one, labels, 6, 'max', resize='nearest')],
            sequences=[x, m])
        function = theano.function([x, m], [means, maxima, T.grad(T.sum(means) + T.sum(maxima), x)])
        features, labels = rng.randn(3, 2, 4, 2, 3), random_map(rng, (3, 2, 5, 7), 6)
        values = function(features, labels)
        for t in range(3):
            np.testing.assert_allclose(values[0][t], reference.overlap_pool(features[t], labels[t], 6), rtol=1e-12)
            pooled, argmax = reference.extremum(features[t], labels[t], 6, 'max', 'nearest')
            np.testing.assert_array_equal(values[1][t], pooled)
            ones = np.ones((2, 4, 6))
            gradient = (reference.overlap_unpool(ones, labels[t], (2, 3), 'mean')
                        + reference.put_pixels(ones, argmax, (2, 3), (5, 7), 'nearest'))
            np.testing.assert_allclose(values[2][t], gradient, rtol=1e-12)

    def test_no_array_of_the_size_of_the_resized_features_is_in_the_graph(self):
        x, m = T.ftensor4(), T.itensor3()
        cost = T.sum(superpixel_pool(x, m, 50, resize='bilinear') ** 2) + T.sum(
            superpixel_pool(x, m, 50, 'max', resize='bilinear') ** 2)
        function = theano.function([x, m], [cost, T.grad(cost, x)])
        ops = {type(node.op) for node in function.maker.fgraph.toposort()}
        for op in (SuperpixelOverlapPool, SuperpixelOverlapUnpool, SuperpixelExtremum, PutPixels):
            self.assertIn(op, ops)
        for op in (SuperpixelPool, TakePixels):
            self.assertNotIn(op, ops)
        # 64 channels at 2000 x 2000 would be 1 GB
        import resource
        labels = regions_map(np.random.RandomState(0), (1, 40, 40), 50).repeat(50, 1).repeat(50, 2)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        function(np.ones((1, 64, 4, 4), 'float32'), labels)
        self.assertLess(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, 200e3)  # in kB


class ErrorTest(unittest.TestCase):

    def assert_says(self, kind, sentence, call, *arguments, **named):
        with self.assertRaises(kind) as caught:
            call(*arguments, **named)
        self.assertIn(sentence, str(caught.exception))

    def test_the_error_for_an_unknown_resize_names_the_known_ones(self):
        x, m = np.ones((2, 3, 2, 3)), np.zeros((2, 5, 7), 'int32')
        for wrong, cure in (('cubic', ''), ('linear', " (use 'bilinear')"), ('none', ' (use None)'), (3, ''),
                            (['x'], '')):
            sentence = ": resize is %r, but must be None, 'nearest' or 'bilinear'%s" % (wrong, cure)
            for mode in ('mean', 'sum', 'max', 'min'):
                self.assert_says(ValueError, 'SuperpixelPool' + sentence, superpixel_pool, x, m, 3, mode, resize=wrong)
            for spatial_shape in ((2, 3), None):
                self.assert_says(ValueError, 'SuperpixelUnpool' + sentence, superpixel_unpool, np.ones((2, 3, 4)), m,
                                 'sum', wrong, spatial_shape)
            for op in (SuperpixelExtremum, TakePixels, PutPixels):
                self.assert_says(ValueError, op.__name__ + sentence, op, resize=wrong)
        for wrong in (None, 'none', 'cubic'):
            sentence = ": resize is %r, but must be 'nearest' or 'bilinear'" % (wrong,)
            self.assert_says(ValueError, 'SuperpixelOverlap' + sentence, superpixel_overlap, m, 3, (2, 3), wrong)
            for op in (SuperpixelOverlapPool, SuperpixelOverlapUnpool):
                self.assert_says(ValueError, op.__name__ + sentence, op, resize=wrong)

    def test_unpooling_wants_resize_and_spatial_shape_together(self):
        y, m = np.ones((2, 3, 4)), np.zeros((2, 5, 7), 'int32')
        for wrong in ({'resize': 'nearest'}, {'spatial_shape': (2, 3)}):
            self.assert_says(ValueError, 'but both or none are wanted (give resize=', superpixel_unpool, y, m, **wrong)

    def test_an_invalid_spatial_shape(self):
        m = np.zeros((2, 5, 7), 'int32')
        self.assert_says(ValueError, 'SuperpixelOverlap: spatial_shape has 3 sizes, but 2 for the spatial axes of'
                         ' superpixel_map are wanted', superpixel_overlap, m, 3, (2, 3, 4))
        for wrong in (2., 7, 'ab', (2.5, 3.), None):
            self.assert_says(TypeError, 'SuperpixelOverlap: spatial_shape is', superpixel_overlap, m, 3, wrong)
        sizes = T.ivector()
        pixels, values = np.zeros((2, 3, 4), 'int64'), np.ones((2, 3, 4))
        self.assert_says(ValueError, 'PutPixels: the number of sizes in spatial_shape and map_shape is not known before'
                         ' the function runs (give one of them as a tuple of scalars)',
                         PutPixels(), values, pixels, sizes, sizes)
        for mode in ('FAST_RUN', 'FAST_COMPILE'):
            for name, call in (('SuperpixelOverlap: spatial_shape', superpixel_overlap(m, 3, sizes)),
                               ('SuperpixelOverlapUnpool: spatial_shape',
                                superpixel_unpool(values, m, 'sum', 'nearest', sizes)),
                               ('TakePixels: map_shape', TakePixels('nearest')(np.ones((2, 3, 5, 7)), pixels, sizes)),
                               ('PutPixels: map_shape', PutPixels('nearest')(values, pixels, (5, 7), sizes)),
                               ('PutPixels: spatial_shape', PutPixels('nearest')(values, pixels, sizes, (5, 7)))):
                function = theano.function([sizes], call, mode=mode)
                self.assert_says(ValueError, name + ' has 5 sizes, but 2 are wanted (one for each spatial axis)',
                                 function, [2, 3, 4, 5, 6])
                self.assert_says(ValueError, name.split(':')[0], function, [2])
                self.assert_says(ValueError, name + '[1] is -3, but must not be negative (give sizes)',
                                 function, [2, -3])

    def test_a_shared_spatial_shape_that_grows_an_axis_is_named(self):
        sizes = theano.shared(np.array([2, 3], 'int32'))
        function = theano.function([], superpixel_unpool(np.ones((2, 3, 4)), np.zeros((2, 5, 7), 'int32'), 'sum',
                                                         'nearest', sizes))
        self.assertEqual(function().shape, (2, 3, 2, 3))
        sizes.set_value(np.array([2, 3, 4], 'int32'))
        self.assert_says(ValueError, 'spatial_shape has 3 sizes, but 2 are wanted', function)

    def test_bad_labels_batches_and_sizes_are_named_in_c_and_in_the_reference(self):
        x, y, m = np.ones((2, 3, 2, 3)), np.ones((2, 3, 4)), np.zeros((2, 5, 7), 'int32')
        bad = m.copy()
        bad[1, 4, 6] = 4
        pool, unpool = compiled('nearest')
        extremum = compiled_extremum('nearest', 'max')
        for call, name in ((pool, 'OverlapPool'), (reference.overlap_pool, 'OverlapPool'), (extremum, 'Extremum')):
            self.assert_says(IndexError, 'Superpixel%s: superpixel_map[1, 4, 6] is 4, but n_superpixels is 4' % name,
                             call, x, bad, 4)
            self.assert_says(ValueError, 'Superpixel%s: feature_map has shape (1, 3, 2, 3), but superpixel_map has'
                             ' shape (2, 5, 7); (batch, channels, *cells) and (batch, *spatial) must agree in batch,'
                             ' which is 1 and 2: give one superpixel map for each image' % name,
                             call, x[:1], m, 4)
            self.assert_says(ValueError, 'Superpixel%s: spatial axis 1 has no cells, but superpixel_map has 7 pixels'
                             ' there' % name, call, x[..., :0], m, 4)
        for call in (unpool, lambda y, m, cells: reference.overlap_unpool(y, m, cells)):
            self.assert_says(IndexError, 'SuperpixelOverlapUnpool: superpixel_map[1, 4, 6] is 4, but the number of'
                             ' superpixels in pooled is 4', call, y, bad, (2, 3))
            self.assert_says(ValueError, 'SuperpixelOverlapUnpool: spatial_shape[0] is -2, but must not be negative',
                             call, y, m, (-2, 3))
            self.assert_says(ValueError, 'SuperpixelOverlapUnpool: pooled has shape (1, 3, 4)', call, y[:1], m, (2, 3))

    def test_more_superpixels_than_memory_is_an_error_and_never_a_crash(self):
        x, m = T.dtensor4(), T.ltensor3()
        for mode in ('mean', 'max'):
            function = theano.function([x, m], superpixel_pool(x, m, mode=mode, resize='nearest'))
            for largest in (2 ** 50, 2 ** 60):
                self.assert_says(MemoryError, 'no memory for %d superpixels' % (largest + 1),
                                 function, np.ones((1, 1, 1, 1)), np.full((1, 2, 3), largest))

    def test_more_cells_than_memory_are_an_error_that_names_the_shape(self):
        y, m, cells = T.dtensor3(), T.itensor3(), T.lscalar()
        for name, call in (('SuperpixelOverlapUnpool', superpixel_unpool(y, m, 'sum', 'nearest', (cells, 3))),
                           ('SuperpixelOverlap', superpixel_overlap(m, 2, (cells, 3))),
                           ('PutPixels', PutPixels('nearest')(y, T.cast(y, 'int64'), (cells, 3), (5, 7)))):
            function = theano.function([y, m, cells], call, on_unused_input='ignore')
            for many in (2 ** 50, 2 ** 60):
                self.assert_says(MemoryError, '%s: no memory for a result of shape (1, 2, %d, 3) (give a smaller'
                                 ' spatial_shape)' % (name, many), function, np.ones((1, 2, 2)),
                                 np.zeros((1, 5, 7), 'int32'), many)

    def test_pixels_of_a_map_beyond_memory_are_an_error_and_never_a_crash(self):
        x, y, pixels, length = T.dtensor3(), T.dtensor3(), T.ltensor3(), T.lscalar()
        for kind in KINDS:
            take = theano.function([x, pixels, length], TakePixels(kind)(x, pixels, (length,)))
            put = theano.function([y, pixels, length], PutPixels(kind)(y, pixels, (3,), (length,)))
            for many in (2 ** 50, 2 ** 60, 2 ** 61, 2 ** 62, 2 ** 63 - 1):
                for call, name in ((take, 'TakePixels'), (put, 'PutPixels')):
                    self.assert_says(MemoryError, '%s: no memory for %d pixels of a superpixel map' % (name, many),
                                     call, np.ones((1, 1, 3)), np.array([[[0, 5, many - 1]]]), many)
                np.testing.assert_array_equal(take(np.ones((1, 1, 3)), np.zeros((1, 1, 0), 'int64'), many),
                                              np.ones((1, 1, 0)))
                np.testing.assert_array_equal(put(np.ones((1, 1, 0)), np.zeros((1, 1, 0), 'int64'), many),
                                              [[[0, 0, 0]]])

    def test_cells_beyond_memory_are_an_error_and_never_a_crash(self):
        features = np.broadcast_to(np.float64(1), (1, 1, 2 ** 59))
        x, m = T.dtensor3(), T.imatrix()
        labels = np.zeros((1, 4), 'int32')
        for mode in ('mean', 'max'):
            function = theano.function([x, m], superpixel_pool(x, m, 2, mode, resize='nearest'))
            self.assert_says(MemoryError, 'no memory for 576460752303423488 cells of a feature map (give one with'
                             ' smaller spatial sizes)', function, features, labels)

    def test_sizes_whose_product_is_no_number_are_named_in_c_and_in_the_reference(self):
        y, m, cells = T.dtensor3(), T.itensor3(), T.lscalar()
        shape = (cells, cells)
        pixels = np.zeros((1, 2, 2), 'int64')
        for mode, (name, call) in itertools.product(('FAST_RUN', 'FAST_COMPILE'), (
                ('SuperpixelOverlapUnpool: spatial_shape', superpixel_unpool(y, m, 'sum', 'nearest', shape)),
                ('SuperpixelOverlap: spatial_shape', superpixel_overlap(m, 2, shape)),
                ('TakePixels: map_shape', TakePixels('nearest')(y.dimshuffle(0, 1, 2, 'x'), pixels, shape)),
                ('PutPixels: map_shape', PutPixels('nearest')(y, pixels, (5, 7), shape)),
                ('PutPixels: spatial_shape', PutPixels('nearest')(y, pixels, shape, (5, 7))))):
            function = theano.function([y, m, cells], call, on_unused_input='ignore', mode=mode)
            for many in (2 ** 32, 2 ** 40):
                self.assert_says(ValueError, '%s is (%d, %d), but its product must not be above 2**63 - 1 (give'
                                 ' smaller sizes)' % (name, many, many), function, np.ones((1, 2, 2)),
                                 np.zeros((1, 5, 7), 'int32'), many)

    def test_pixels_without_resize_want_the_sizes_of_the_map_in_c_and_in_the_reference(self):
        x, y, pixels, cells = T.dtensor4(), T.dtensor3(), T.ltensor3(), T.lscalar()
        for mode in ('FAST_RUN', 'FAST_COMPILE'):
            take = theano.function([x, pixels], TakePixels()(x, pixels, (5, 7)), mode=mode)
            put = theano.function([y, pixels, cells], PutPixels()(y, pixels, (cells, 7), (5, 7)), mode=mode)
            sentence = " is (4, 7), but map_shape is (5, 7); without resize they must be equal (use %s('nearest') or"
            self.assert_says(ValueError, 'TakePixels: the spatial shape of feature_map' + sentence % 'TakePixels',
                             take, np.ones((1, 2, 4, 7)), np.zeros((1, 2, 3), 'int64'))
            self.assert_says(ValueError, 'PutPixels: spatial_shape' + sentence % 'PutPixels',
                             put, np.ones((1, 2, 3)), np.zeros((1, 2, 3), 'int64'), 4)
            for shape in ((2, 2, 5, 7), (1, 3, 5, 7)):
                self.assert_says(ValueError, 'TakePixels: feature_map has shape %s, but pixels has shape (1, 2, 3);'
                                 ' their first 2 sizes must agree (give the argmax pixels' % (shape,),
                                 take, np.ones(shape), np.zeros((1, 2, 3), 'int64'))
            self.assert_says(ValueError, 'PutPixels: values has shape (1, 2, 4), but pixels has shape (1, 2, 3); their'
                             ' first 3 sizes must agree (give the argmax pixels',
                             put, np.ones((1, 2, 4)), np.zeros((1, 2, 3), 'int64'), 5)
