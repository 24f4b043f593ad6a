"""One superpixel map, or one image of weights, for all images of a batch."""
import functools
import unittest

import numpy as np
import theano
import theano.tensor as T
from theano.compile.debugmode import DebugMode

from tests.derivatives import first_derivatives
from tests.label_maps import hard_maps, random_map
from tests.memory_layouts import layouts
from tests.numeric import exact_extremum, exact_pool, exact_resize, exact_unpool
from tests.theano_spp.test_composites import exact as exact_composites
from tests.theano_spp.test_weights import exact_weighted
from theano_spp import (reference, superpixel_centroids, superpixel_normalize, superpixel_overlap, superpixel_pool,
                        superpixel_sizes, superpixel_softmax, superpixel_unpool)
from theano_spp.ops.max_min import SuperpixelExtremum
from theano_spp.ops.weighted import PixelDot, WeightedPool, WeightedUnpool

BOTH = ('FAST_RUN', 'FAST_COMPILE')  # C code and the reference
MODES, LINEAR, WEIGHTED = ('mean', 'sum', 'max', 'min'), ('mean', 'sum'), ('mean', 'sum', 'var', 'std')
RESIZES = ('nearest', 'bilinear')
N = 6
#: The only map: pixels that belong to none, islands, a superpixel without pixels.
ONE = np.where(hard_maps()['random with none'][:1] == 3, 4, hard_maps()['random with none'][:1])


def operations(features, cells, pooled, superpixel_map, weights):
    """name -> the graph of every operation."""
    graphs = {mode: superpixel_pool(features, superpixel_map, N, mode) for mode in MODES + ('var', 'std', 'logsumexp')}
    graphs['softmax'] = superpixel_softmax(features, superpixel_map, N)
    graphs['normalize'] = superpixel_normalize(features, superpixel_map, N)
    for mode in WEIGHTED:
        graphs['weighted ' + mode] = superpixel_pool(features, superpixel_map, N, mode, weights)
    for mode in LINEAR:
        graphs['unpool ' + mode] = superpixel_unpool(pooled, superpixel_map, mode)
    for kind in RESIZES:
        for mode in MODES:
            graphs['%s %s' % (mode, kind)] = superpixel_pool(cells, superpixel_map, N, mode, resize=kind)
        for mode in LINEAR:
            graphs['unpool %s %s' % (mode, kind)] = superpixel_unpool(pooled, superpixel_map, mode, kind,
                                                                      cells.shape[2:])
    return graphs


def exact_resized_unpool(pooled, labels, cells_shape, mode, kind):
    """The matrix of pooling with `resize`, whose rows are pooled maps with a 1 in one cell, applied to each image."""
    size = int(np.prod(cells_shape))
    each_cell = exact_resize(np.eye(size).reshape((1, size) + cells_shape), labels.shape[1:], kind)
    return np.stack([values.dot(exact_pool(each_cell, image[None], N, mode)[0].T).reshape((-1,) + cells_shape)
                     for values, image in zip(pooled, labels)])


def truths(features, cells, pooled, labels, weights):
    """name -> what each operation must give; labels and weights of each image."""
    exact = {mode: exact_pool(features, labels, N, mode) for mode in LINEAR}
    exact.update(exact_composites(features, labels, N))
    exact.update({mode: exact_extremum(features, labels, N, mode)[0] for mode in ('max', 'min')})
    with_weights = exact_composites(features, labels, N, weights)
    for mode in WEIGHTED:
        exact['weighted ' + mode] = (exact_weighted(features, labels, N, mode, weights) if mode in LINEAR
                                     else with_weights[mode])
    for mode in LINEAR:
        exact['unpool ' + mode] = exact_unpool(pooled, labels, mode)
    for kind in RESIZES:
        resized = exact_resize(cells, labels.shape[1:], kind)
        for mode in MODES:
            exact['%s %s' % (mode, kind)] = (exact_pool(resized, labels, N, mode) if mode in LINEAR
                                             else exact_extremum(resized, labels, N, mode)[0])
        for mode in LINEAR:
            exact['unpool %s %s' % (mode, kind)] = exact_resized_unpool(pooled, labels, cells.shape[2:], mode, kind)
    return exact


@functools.lru_cache(None)
def compiled(mode='FAST_RUN', one_map=False, one_weight=False):
    """features, cells, pooled, labels, weights -> name -> value; whether Theano knows that one map serves all."""
    variables = [T.dtensor4(), T.dtensor4(), T.dtensor3(), T.TensorType('int32', (one_map, False, False))(),
                 T.TensorType('float64', (one_weight, False, False))()]
    graphs = operations(*variables)
    names = sorted(graphs)
    function = theano.function(variables, [graphs[name] for name in names], mode=mode)
    return lambda *arrays: dict(zip(names, function(*arrays)))


def inputs(batch=3, spatial=(5, 7), channels=4, seed=0):
    """Features, cells, pooled values and weights for a batch."""
    rng = np.random.RandomState(seed)
    return (rng.randn(batch, channels, *spatial), rng.randn(batch, channels, 2, 3), rng.randn(batch, channels, N),
            rng.uniform(.5, 2, (batch,) + spatial))


class ValuesTest(unittest.TestCase):

    def check(self, found, expected):
        self.assertEqual(set(found), set(expected))
        for name in expected:
            self.assertEqual(found[name].shape, expected[name].shape, name)
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-11, atol=1e-12, err_msg=name)

    def test_two_images_by_hand(self):
        x, m = T.dtensor4(), T.itensor3()
        pooled = superpixel_pool(x, m, 3)
        features, labels = np.array([[[[1., 2], [3, 4]]], [[[10, 30], [5, 9]]]]), np.array([[[0, 0], [2, -1]]], 'int32')
        for mode in BOTH:
            function = theano.function([x, m], [pooled, superpixel_unpool(pooled, m)], mode=mode)
            means, painted = function(features, labels)
            np.testing.assert_array_equal(means, [[[1.5, 0, 3]], [[20, 0, 5]]])
            np.testing.assert_array_equal(painted, [[[[1.5, 1.5], [3, 0]]], [[[20, 20], [5, 0]]]])

    def test_every_operation_equals_a_walk_whether_theano_knows_that_there_is_one_map_or_not(self):
        features, cells, pooled, weights = inputs()
        expected = truths(features, cells, pooled, np.repeat(ONE, 3, axis=0), weights)
        for mode, known in (('FAST_RUN', True), ('FAST_RUN', False), ('FAST_COMPILE', False)):
            self.check(compiled(mode, known)(features, cells, pooled, ONE, weights), expected)

    def test_one_image_of_weights_serves_all_images_with_a_shared_map_or_a_map_for_each(self):
        features, cells, pooled, weights = inputs()
        for labels in (ONE, random_map(np.random.RandomState(1), (3, 5, 7), N)):
            expected = truths(features, cells, pooled, np.broadcast_to(labels, (3, 5, 7)),
                              np.repeat(weights[1:2], 3, axis=0))
            for mode, known in (('FAST_RUN', True), ('FAST_RUN', False), ('FAST_COMPILE', False)):
                self.check(compiled(mode, False, known)(features, cells, pooled, labels, weights[1:2]), expected)

    def test_the_bits_are_those_of_a_map_for_each_image_in_every_layout(self):
        features, cells, pooled, weights = inputs(channels=19)
        expected = compiled()(features, cells, pooled, np.repeat(ONE, 3, axis=0), weights)
        of_labels = list(layouts(ONE))
        for i, ((name, some), (_, other)) in enumerate(zip(layouts(features), layouts(cells))):
            found = compiled()(some, other, pooled, of_labels[i % len(of_labels)][1], weights)
            for operation in expected:
                np.testing.assert_array_equal(found[operation], expected[operation], '%s, %s' % (operation, name))

    def test_a_batch_of_none_and_of_one_and_no_channels(self):
        for batch, channels in ((0, 4), (1, 4), (3, 0)):
            features, cells, pooled, weights = inputs(batch, channels=channels)
            repeated = np.repeat(ONE, batch, axis=0)
            for mode in BOTH:
                found = compiled(mode)(features, cells, pooled, ONE, weights)
                if batch and channels:
                    self.check(found, truths(features, cells, pooled, repeated, weights))
                for name, value in compiled(mode)(features, cells, pooled, repeated, weights).items():
                    np.testing.assert_array_equal(found[name], value, name)

    def test_one_function_takes_a_shared_map_and_a_map_for_each_image_in_turn(self):
        x, m = T.dtensor4(), T.itensor3()
        pooled = superpixel_pool(x, m, N)
        function = theano.function([x, m], [pooled, superpixel_unpool(pooled, m, 'mean')])
        for batch, maps in ((3, 1), (3, 3), (2, 1), (1, 1), (4, 1), (4, 4)):
            features = inputs(batch)[0]
            labels = random_map(np.random.RandomState(batch), (maps, 5, 7), N)
            each = np.broadcast_to(labels, (batch, 5, 7))
            expected = exact_pool(features, each, N, 'mean')
            for found, right in zip(function(features, labels), (expected, exact_unpool(expected, each, 'mean'))):
                np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-13)

    def test_sequences_volumes_and_labels_of_other_dtypes(self):
        for spatial, dtype in ((11,), 'int8'), ((5, 7), 'uint16'), ((2, 3, 5), 'uint64'):
            rng = np.random.RandomState(0)
            labels = random_map(rng, (1,) + spatial, N, dtype=dtype)
            features, each = rng.randn(3, 4, *spatial), np.repeat(labels, 3, axis=0)
            m = T.TensorType(dtype, (False,) * labels.ndim)()
            mean, largest = [superpixel_pool(features, m, mode=mode) for mode in ('mean', 'max')]
            found = theano.function([m], [mean, largest, superpixel_unpool(mean, m)])(labels)
            expected = exact_pool(features, each, N, 'mean')
            for value, right in zip(found, (expected, exact_extremum(features, each, N, 'max')[0],
                                            exact_unpool(expected, each, 'sum'))):
                np.testing.assert_allclose(value, right, rtol=1e-12, atol=1e-13)

    def test_the_argmax_pixels_are_those_of_each_image(self):
        features = inputs()[0]
        for mode in BOTH:
            found = theano.function([], SuperpixelExtremum('min')(features, theano.shared(ONE), N), mode=mode)()
            expected = exact_extremum(features, np.repeat(ONE, 3, axis=0), N, 'min')
            for value, right in zip(found, expected):
                np.testing.assert_array_equal(value, right)

    def test_large_images_that_several_threads_would_share(self):
        rng = np.random.RandomState(0)
        features = rng.randn(2, 3, 700, 1000).astype('float32')
        labels = np.repeat(rng.randint(-1, N, (1, 700, 50)), 20, axis=2).astype('int32')
        x, m = T.ftensor4(), T.itensor3()
        pooled = [superpixel_pool(x, m, N, mode) for mode in MODES]
        function = theano.function([x, m], pooled + [superpixel_unpool(pooled[0], m)])
        for found, expected in zip(function(features, labels), function(features, np.repeat(labels, 2, axis=0))):
            np.testing.assert_array_equal(found, expected)

    def test_what_depends_on_the_map_alone_has_one_item(self):
        m = theano.shared(ONE)
        for mode in BOTH:
            sizes, centroids, overlap = theano.function(
                [], [superpixel_sizes(m, N), superpixel_centroids(m, N), superpixel_overlap(m, N, (2, 3))], mode=mode)()
            np.testing.assert_array_equal(sizes, [[(ONE == label).sum() for label in range(N)]])
            self.assertEqual(centroids.shape, (1, N, 2))
            self.assertEqual(overlap.shape, (1, N, 2, 3))

    def test_float16_features(self):
        features = inputs()[0].astype('float16')
        found = superpixel_pool(features, theano.shared(ONE), N).eval()
        self.assertEqual(found.dtype, 'float16')
        np.testing.assert_allclose(found, exact_pool(features, np.repeat(ONE, 3, axis=0), N, 'mean'), rtol=1e-2,
                                   atol=1e-3)

    def test_the_reference_of_composites_follows_the_rule(self):
        features, _, _, weights = inputs()
        expected = exact_composites(features, np.repeat(ONE, 3, axis=0), N)
        for mode in ('var', 'std', 'logsumexp'):
            np.testing.assert_allclose(reference.composite_pool(features, ONE, N, mode), expected[mode], rtol=1e-12)
        np.testing.assert_allclose(reference.softmax(features, ONE), expected['softmax'], rtol=1e-12)
        np.testing.assert_allclose(reference.normalize(features, ONE), expected['normalize'], rtol=1e-12, atol=1e-14)
        weighted = exact_composites(features, np.repeat(ONE, 3, axis=0), N, np.repeat(weights[:1], 3, axis=0))
        np.testing.assert_allclose(reference.composite_pool(features, ONE, N, 'var', weights[:1]), weighted['var'],
                                   rtol=1e-12)


class DebugModeTest(unittest.TestCase):

    def test_debug_mode_with_every_kind_of_preallocated_output_finds_nothing(self):
        mode = DebugMode(check_preallocated_output=['ALL'], check_isfinite=True, stability_patience=2)
        features, cells, pooled, weights = inputs()
        x, y, m, w = T.dtensor4(), T.dtensor3(), T.itensor3(), T.dtensor3()
        values = [superpixel_pool(x, m, N), superpixel_pool(x, m, N, 'max'), superpixel_unpool(y, m, 'mean'),
                  superpixel_pool(x, m, N, 'mean', w), superpixel_pool(x, m, N, 'std'),
                  superpixel_pool(x, m, N, resize='bilinear')]
        gradients = T.grad(T.sum(T.exp(values[0] + values[3])), [x, w])
        found = theano.function([x, y, m, w], values + gradients, mode=mode)(features, pooled, ONE, weights[:1])
        np.testing.assert_allclose(found[0], exact_pool(features, np.repeat(ONE, 3, axis=0), N, 'mean'), rtol=1e-12,
                                   atol=1e-13)


class DerivativeTest(unittest.TestCase):
    """Whether Theano knows that there is one map, or one image of weights, or learns it when the function runs."""

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.features, self.cells, self.pooled, weights = inputs()
        self.one_weight = weights[:1]
        self.maps = ONE, theano.shared(ONE)

    def verify(self, function, *points):
        T.verify_grad(function, list(points), n_tests=1, rng=self.rng)

    def distinct(self, *shape):
        """Values so far from each other that no step of a difference changes an argmax pixel."""
        return self.rng.permutation(int(np.prod(shape))).reshape(shape) / 10.

    def test_gradients_for_features_equal_differences(self):
        for m in self.maps:
            for mode in LINEAR + ('std', 'logsumexp'):
                self.verify(lambda x: superpixel_pool(x, m, N, mode), self.features)
            self.verify(lambda x: superpixel_pool(x, m, N, 'max'), self.distinct(3, 4, 5, 7))
            self.verify(lambda x: superpixel_softmax(x, m, N), self.features)
            self.verify(lambda x: superpixel_normalize(x, m, N), self.features)

    def test_gradients_of_resized_features_and_of_unpooling_equal_differences(self):
        for m in self.maps:
            self.verify(lambda x: superpixel_pool(x, m, N, resize='bilinear'), self.cells)
            self.verify(lambda x: superpixel_pool(x, m, N, 'max', resize='bilinear'), self.cells)
            self.verify(lambda y: superpixel_unpool(y, m, 'mean'), self.pooled)
            self.verify(lambda y: superpixel_unpool(y, m, 'mean', 'nearest', (2, 3)), self.pooled)

    def test_the_gradient_for_one_image_of_weights_is_the_sum_over_the_images(self):
        labels = random_map(self.rng, (3, 5, 7), N)
        for m in self.maps + (labels,):
            for mode in WEIGHTED:
                self.verify(lambda x, w: superpixel_pool(x, m, N, mode, w), self.features, self.one_weight)
            for known in (True, False):
                w = T.TensorType('float64', (known, False, False))()
                gradient = T.grad(T.sum(superpixel_pool(self.features, m, N, 'sum', w) * self.pooled), w)
                self.assertEqual(gradient.type, w.type)
                each = np.repeat(ONE, 3, axis=0) if m is not labels else labels
                expected = sum((self.features[b] * exact_unpool(self.pooled, each, 'sum')[b]).sum(0) for b in range(3))
                for compile_mode in BOTH:
                    found = theano.function([w], gradient, mode=compile_mode)(self.one_weight)
                    np.testing.assert_allclose(found, expected[None], rtol=1e-12, atol=1e-13)

    def test_the_gradient_for_weights_that_are_one_image_only_when_the_function_runs_equals_differences(self):
        for m in self.maps:
            self.verify(lambda x, w: superpixel_pool(x, m, N, 'mean', T.unbroadcast(w, 0)), self.features,
                        self.one_weight)
            self.verify(lambda w: WeightedPool()(self.features, m, N, T.unbroadcast(w, 0))[1], self.one_weight)

    def test_weights_of_a_batch_without_images_have_a_gradient_of_their_shape(self):
        x, m, w = T.dtensor4(), T.itensor3(), T.dtensor3()
        for mode in BOTH:
            function = theano.function([x, m, w], T.grad(T.sum(superpixel_pool(x, m, N, 'mean', w)), w), mode=mode)
            for images in (0, 1):
                found = function(np.ones((0, 4, 5, 7)), ONE, np.ones((images, 5, 7)))
                np.testing.assert_array_equal(found, np.zeros((images, 5, 7)))

    def test_each_op_with_weights_has_the_gradients_that_differences_give(self):
        for m in self.maps:
            self.verify(lambda y, w: WeightedUnpool('float64')(y, m, w), self.pooled, self.one_weight)
            self.verify(lambda x, y: PixelDot()(x, y, m), self.features, self.pooled)

    def test_second_derivatives_equal_differences_of_the_first(self):
        m = theano.shared(ONE)
        for value_of, points in (
                (lambda x: superpixel_pool(x, m, N), [self.features]),
                (lambda y: superpixel_unpool(y, m, 'mean'), [self.pooled]),
                (lambda x: superpixel_pool(x, m, N, 'max', resize='bilinear'), [self.cells]),
                (lambda x, w: superpixel_pool(x, m, N, 'mean', w), [self.features, self.one_weight]),
                (lambda y, w: WeightedUnpool('float64')(y, m, T.unbroadcast(w, 0)), [self.pooled, self.one_weight])):
            self.verify(functools.partial(first_derivatives, value_of), *points)

    def test_r_operators_equal_differences(self):
        m = theano.shared(ONE)
        for value_of, points in (
                (lambda x: superpixel_pool(x, m, N), [self.features]),
                (lambda x: superpixel_pool(x, m, N, 'min'), [self.distinct(3, 4, 5, 7)]),
                (lambda x, w: superpixel_pool(x, m, N, 'mean', w), [self.features, self.one_weight])):
            factors = [T.TensorType('float64', (False,) * point.ndim)() for point in points]
            value, directions = value_of(*factors), [self.rng.randn(*point.shape) for point in points]
            function, step = theano.function(factors, value), 1e-6
            forward = theano.function(factors, T.Rop(value, factors, [T.constant(d) for d in directions]),
                                      on_unused_input='ignore')(*points)
            differences = (function(*[p + step * d for p, d in zip(points, directions)])
                           - function(*[p - step * d for p, d in zip(points, directions)])) / (2 * step)
            np.testing.assert_allclose(forward, differences, rtol=1e-6, atol=1e-7)


class ShapeTest(unittest.TestCase):

    def test_the_batch_is_that_of_the_features_in_the_type_and_in_the_shape(self):
        variables = x, cells, y, w = T.dtensor4(), T.dtensor4(), T.dtensor3(), T.dtensor3()
        for m in (T.TensorType('int32', (True, False, False))(), T.itensor3()):
            graphs = dict(operations(x, cells, y, m, w), dot=PixelDot()(x, y, m),
                          weighted_unpool=WeightedUnpool('float64')(y, m, w),
                          argmax=SuperpixelExtremum('max')(x, m, N)[1])
            for name, graph in graphs.items():
                self.assertFalse(graph.broadcastable[0], name)
        names = sorted(graphs)
        function = theano.function(list(variables) + [m], [graphs[name].shape for name in names],
                                   on_unused_input='ignore')
        features, some_cells, pooled, weights = inputs()
        for name, shape in zip(names, function(features, some_cells, pooled, weights[:1], ONE)):
            self.assertEqual(shape[0], 3, name)
        self.assertNotIn('Superpixel', str(function.maker.fgraph))
        self.assertNotIn('PixelDot', str(function.maker.fgraph))


class ErrorTest(unittest.TestCase):

    def setUp(self):
        self.x, self.m, self.y, self.w = T.dtensor4(), T.itensor3(), T.dtensor3(), T.dtensor3()

    def assert_says(self, kind, sentence, call, *arguments):
        with self.assertRaises(kind) as caught:
            call(*arguments)
        self.assertIn(sentence, str(caught.exception))

    def test_two_maps_for_three_images_and_several_maps_for_one(self):
        x, m, y, w = self.x, self.m, self.y, self.w
        ops = [('SuperpixelPool', 'feature_map', superpixel_pool(x, m, N), '*spatial'),
               ('SuperpixelExtremum', 'feature_map', superpixel_pool(x, m, N, 'max'), '*spatial'),
               ('SuperpixelOverlapPool', 'feature_map', superpixel_pool(x, m, N, resize='nearest'), '*cells'),
               ('SuperpixelExtremum', 'feature_map', superpixel_pool(x, m, N, 'max', resize='nearest'), '*cells'),
               ('WeightedPool', 'feature_map', superpixel_pool(x, m, N, 'sum', w), '*spatial'),
               ('PixelDot', 'feature_map', PixelDot()(x, y, m), '*spatial'),
               ('SuperpixelUnpool', 'pooled', superpixel_unpool(y, m), 'n_superpixels'),
               ('SuperpixelOverlapUnpool', 'pooled', superpixel_unpool(y, m, 'sum', 'nearest', (2, 3)),
                'n_superpixels'),
               ('WeightedUnpool', 'pooled', WeightedUnpool('float64')(y, m, w), 'n_superpixels')]
        for op, argument, value, layout in ops:
            for mode in BOTH:
                function = theano.function([x, m, y, w], value, mode=mode, on_unused_input='ignore')
                for images, maps in ((3, 2), (1, 4), (3, 0), (0, 2)):
                    features, _, pooled, weights = inputs(images)
                    cure = ('; for several maps of one image repeat the image (np.repeat(%s, 4, axis=0), T.repeat for a'
                            ' variable)' % argument
                            if images == 1 else '')
                    shape = (features if argument == 'feature_map' else pooled).shape
                    self.assert_says(ValueError, '%s: %s has shape %s, but superpixel_map has shape %s; (batch,'
                                     ' channels, %s) and (batch, *spatial) must agree in batch, which is %d and %d:'
                                     ' give one superpixel map for each image, or one for all, (1, *spatial)%s'
                                     % (op, argument, shape, (maps, 5, 7), layout, images, maps, cure),
                                     function, features, np.zeros((maps, 5, 7), 'int32'), pooled, weights)
        # The cure that it gives.
        features = inputs(1)[0]
        found = superpixel_pool(np.repeat(features, 4, axis=0), hard_maps()['random with none'].repeat(2, axis=0), N)
        self.assertEqual(found.eval().shape, (4, 4, N))

    def test_weights_for_some_of_the_images(self):
        x, m, w = self.x, self.m, self.w
        features, _, pooled, weights = inputs()
        values = [('WeightedPool', superpixel_pool(x, m, N, 'mean', w)),
                  ('WeightedUnpool', WeightedUnpool('float64')(pooled, m, w))]
        for op, value in values:
            for mode in BOTH:
                function = theano.function([x, m, w], value, mode=mode, on_unused_input='ignore')
                for labels in (ONE, np.repeat(ONE, 3, axis=0)):
                    self.assert_says(ValueError, '%s: pixel_weights has shape (2, 5, 7), but for a batch of 3 and'
                                     ' superpixel_map of shape %s one weight for each pixel is wanted: (3, 5, 7), or'
                                     ' (1, 5, 7) to weight all images alike (use pixel_weights *'
                                     ' T.ones_like(superpixel_map) for weights that repeat)' % (op, labels.shape),
                                     function, features, labels, weights[:2])

    def test_pooled_values_of_another_batch_than_the_features(self):
        features, _, pooled, _ = inputs()
        for mode in BOTH:
            dot = theano.function([self.x, self.y, self.m], PixelDot()(self.x, self.y, self.m), mode=mode)
            for batch in (1, 2, 4):
                self.assert_says(ValueError, 'PixelDot: feature_map has shape (3, 4, 5, 7), but pooled has shape'
                                 ' (%d, 4, 6); (batch, channels, *spatial) and (batch, channels, n_superpixels) must'
                                 ' agree in batch and channels: give one value for each image, channel and superpixel'
                                 % batch, dot, features, inputs(batch)[2], ONE)

    def test_a_label_that_is_too_large_is_named_in_the_only_map(self):
        labels = ONE.copy()
        labels[0, 4, 6] = 9
        features, cells, pooled, weights = inputs()
        for name, value in operations(features, cells, pooled, self.m, weights).items():
            function = theano.function([self.m], value)
            self.assert_says(IndexError, ': superpixel_map[0, 4, 6] is 9, but ', function, labels)
