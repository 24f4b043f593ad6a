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
from theano_spp import (SuperpixelExtremum, SuperpixelPool, interpolation, reference, superpixel_overlap,
                        superpixel_pool, superpixel_unpool)
from theano_spp.overlap import SuperpixelOverlapPool, SuperpixelOverlapUnpool
from theano_spp.pixels import PutPixels, TakePixels

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
                expected, winner = exact_extremum(interpolation.resize(features, (5, 7), kind), labels, 6, mode)
                found = compiled_extremum(kind, mode)(features, labels, 6)
                np.testing.assert_array_equal(found[0], expected)
                np.testing.assert_array_equal(found[1], winner)

    def test_the_first_pixel_of_a_plateau_wins_although_its_value_is_mixed_in_every_pixel(self):
        labels = regions_map(self.rng, (2, 23, 29), 6)
        for value in (.1, 1 / 3., np.inf):
            pooled, winner = compiled_extremum('bilinear', 'max')(np.full((2, 2, 4, 3), value), labels, 6)
            for image, pixels, values in zip(labels, winner, pooled):
                present, first = np.unique(image, return_index=True)
                np.testing.assert_array_equal(pixels[:, present], [first] * 2)
                np.testing.assert_array_equal(values[:, present], value)

    def test_the_first_pixel_of_a_plateau_wins_in_float32_too(self):
        labels = regions_map(self.rng, (2, 23, 29), 6)
        for kind in KINDS:
            features = self.rng.randint(-2, 3, (2, 5, 4, 3)).astype('float32') / 3
            resized = interpolation.resize(features, (23, 29), kind).astype('float32')
            found = compiled_extremum(kind, 'max', 'float32')(features, labels, 6)
            for some, other in zip(found, exact_extremum(resized, labels, 6, 'max')):
                np.testing.assert_array_equal(some, other)

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
            pooled, winner = compiled_extremum(kind, 'max')(features, labels, 3)
            np.testing.assert_array_equal(np.isnan(pooled), [[[False, True, False]]])
            self.assertEqual(winner[0, 0, 1], {'nearest': 4, 'bilinear': 3}[kind])

    def test_a_nan_of_an_empty_superpixel_is_painted_nowhere(self):
        painted = compiled('bilinear', 'sum')[1](np.array([[[5., np.nan]]]), np.array([[[0, 0, 0, -1]]], 'int32'), (1, 2))
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
            for batch, channels, cells, pixels in ((0, 3, (2, 3), (5, 7)), (2, 0, (2, 3), (5, 7)), (2, 3, (2, 3), (0, 7)),
                                                   (2, 3, (0, 3), (0, 7)), (2, 3, (0, 3), (5, 0))):
                for n in (0, 6):
                    labels = np.full((batch,) + pixels, n - 1, 'int32')
                    np.testing.assert_array_equal(pool(np.ones((batch, channels) + cells), labels, n),
                                                  np.zeros((batch, channels, n)))
                    painted = unpool(np.ones((batch, channels, n)), labels, cells)
                    np.testing.assert_array_equal(painted, np.zeros((batch, channels) + cells))
                    pooled, _ = compiled_extremum(kind, 'max')(np.ones((batch, channels) + cells), labels, n)
                    np.testing.assert_array_equal(pooled, np.zeros((batch, channels, n)))

    def test_float16_features_pool_by_the_reference(self):
        features, labels = self.rng.randn(2, 3, 2, 3).astype('float16'), random_map(self.rng, (2, 5, 7), 6)
        pooled = compiled('bilinear', dtype='float16')[0](features, labels, 6)
        expected = exact_pool(exact_resize(features, (5, 7), 'bilinear'), labels, 6, 'mean')
        self.assertEqual(pooled.dtype, 'float16')
        np.testing.assert_allclose(pooled, expected, atol=2e-3)

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
        found = compiled_extremum(kind, 'min')(features, labels, n)
        for some, other in zip(found, exact_extremum(resized, labels, n, 'min')):
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

        def of_unpooling(y):
            y = y * 1.
            return T.grad(T.sum(T.exp(superpixel_unpool(y, self.labels, 'mean', 'bilinear', (2, 3))) * T.arange(3)), y)

        self.verify(of_unpooling, self.rng.randn(2, 3, 6))

    def test_the_r_operator_equals_differences(self):
        for mode in ('mean', 'max'):
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
            for found, wanted in zip(compiled_extremum('bilinear', 'max')(some, labels, 6), expected):
                np.testing.assert_array_equal(found, wanted, name)

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
            found = function(features, hard_maps()[name], 6)
            np.testing.assert_allclose(found[0], reference.overlap_pool(features, hard_maps()[name], 6), rtol=1e-5,
                                       atol=1e-6)

    def test_all_of_it_works_inside_scan(self):
        rng = np.random.RandomState(0)
        x, m = T.TensorType('float64', (False,) * 5)(), T.TensorType('int32', (False,) * 4)()
        (means, maxima), _ = theano.scan(lambda one, labels: [
            superpixel_pool(one, labels, 6, resize='bilinear'), superpixel_pool(one, labels, 6, 'max', resize='nearest')],
            sequences=[x, m])
        function = theano.function([x, m], [means, maxima, T.grad(T.sum(means) + T.sum(maxima), x)])
        features, labels = rng.randn(3, 2, 4, 2, 3), random_map(rng, (3, 2, 5, 7), 6)
        values = function(features, labels)
        for t in range(3):
            np.testing.assert_allclose(values[0][t], reference.overlap_pool(features[t], labels[t], 6), rtol=1e-12)
            pooled, winner = reference.extremum(features[t], labels[t], 6, 'max', 'nearest')
            np.testing.assert_array_equal(values[1][t], pooled)
            ones = np.ones((2, 4, 6))
            gradient = (reference.overlap_unpool(ones, labels[t], (2, 3), 'mean')
                        + reference.put_pixels(ones, winner, (2, 3), (5, 7), 'nearest'))
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

    def test_an_unknown_resize_is_told_the_known_ones(self):
        x, m = np.ones((2, 3, 2, 3)), np.zeros((2, 5, 7), 'int32')
        self.assert_says(ValueError, "SuperpixelOverlapPool: resize is 'cubic', but must be None, 'nearest' or 'bilinear'",
                         superpixel_pool, x, m, resize='cubic')
        self.assert_says(ValueError, "SuperpixelExtremum: resize is 'linear', but must be None, 'nearest' or 'bilinear'"
                         " (use 'bilinear': it is linear along every axis)", superpixel_pool, x, m, 3, 'max', resize='linear')
        self.assert_says(ValueError, "SuperpixelOverlap: resize is 'none', but must be 'nearest' or 'bilinear'",
                         superpixel_overlap, m, 3, (2, 3), None)

    def test_unpooling_wants_resize_and_spatial_shape_together(self):
        y, m = np.ones((2, 3, 4)), np.zeros((2, 5, 7), 'int32')
        for wrong in ({'resize': 'nearest'}, {'spatial_shape': (2, 3)}):
            self.assert_says(ValueError, 'but both or none are wanted (give resize=', superpixel_unpool, y, m, **wrong)

    def test_a_spatial_shape_that_is_none(self):
        m = np.zeros((2, 5, 7), 'int32')
        self.assert_says(ValueError, 'SuperpixelOverlap: spatial_shape has 3 sizes, but 2 for the spatial axes of'
                         ' superpixel_map are wanted', superpixel_overlap, m, 3, (2, 3, 4))
        for wrong in (2., 7, 'ab', (2.5, 3.), None):
            self.assert_says(TypeError, 'SuperpixelOverlap: spatial_shape is', superpixel_overlap, m, 3, wrong)
        self.assert_says(ValueError, 'SuperpixelOverlap: the number of sizes in spatial_shape is not known before the'
                         ' function runs (give a tuple of scalars)', superpixel_overlap, m, 3, T.lvector())

    def test_bad_labels_batches_and_sizes_are_named_in_c_and_in_the_reference(self):
        x, y, m = np.ones((2, 3, 2, 3)), np.ones((2, 3, 4)), np.zeros((2, 5, 7), 'int32')
        bad = m.copy()
        bad[1, 4, 6] = 4
        pool, unpool = compiled('nearest')
        extremum = compiled_extremum('nearest', 'max')
        for call, name in ((pool, 'OverlapPool'), (reference.overlap_pool, 'OverlapPool'), (extremum, 'Extremum')):
            self.assert_says(IndexError, 'Superpixel%s: superpixel_map[1, 4, 6] is 4, but n_superpixels is 4' % name,
                             call, x, bad, 4)
            self.assert_says(ValueError, 'Superpixel%s: feature_map has shape (1, 3, 2, 3), but superpixel_map has shape'
                             ' (2, 5, 7); (batch, channels, *cells) and (batch, *spatial) must agree in batch' % name,
                             call, x[:1], m, 4)
            self.assert_says(ValueError, 'Superpixel%s: spatial axis 1 has no cells, but superpixel_map has 7 pixels there'
                             % name, call, x[..., :0], m, 4)
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
