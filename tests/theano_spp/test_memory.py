"""Memory: inputs of any layout, safe reuse of outputs, no writes anywhere else."""
import itertools
import unittest

import numpy as np
import theano
import theano.tensor as T
from theano.compile.debugmode import DebugMode

from tests.label_maps import hard_maps, random_map, regions_map
from tests.memory_layouts import layouts
from tests.numeric import assert_within_promise
from theano_spp import reference, superpixel_pool, superpixel_sizes, superpixel_unpool


class LayoutTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.labels = random_map(self.rng, (2, 5, 7), 6)

    def test_pooling_gives_the_same_bits_for_every_layout_of_features_and_labels(self):
        x, m = T.dtensor4(), T.itensor3()
        function = theano.function([x, m], superpixel_pool(x, m, 6))
        features = self.rng.randn(2, 9, 5, 7)
        expected = reference.pool(features, self.labels, 6)
        bits = function(features, self.labels)
        np.testing.assert_allclose(bits, expected, rtol=1e-12)
        for (name, some), (other, labels) in itertools.product(layouts(features), layouts(self.labels)):
            np.testing.assert_array_equal(function(some, labels), bits, '%s, %s' % (name, other))

    def test_wide_superpixels_pool_to_the_same_bits_in_every_layout_and_block_of_channels(self):
        x, m = T.ftensor4(), T.itensor3()
        function = theano.function([x, m], superpixel_pool(x, m, 4))
        labels = regions_map(self.rng, (2, 7, 211), 4)
        for channels in (1, 3, 8, 21, 70):
            features = self.rng.randn(2, channels, 7, 211).astype('float32')
            bits = function(features, labels)
            assert_within_promise(bits, features, labels, 4, 'mean')
            for name, some in layouts(features):
                np.testing.assert_array_equal(function(some, labels), bits, name)

    def test_unpooling_gives_the_same_bits_for_every_layout_of_values_and_labels(self):
        y, m = T.dtensor3(), T.itensor3()
        function = theano.function([y, m], superpixel_unpool(y, m, 'mean'))
        pooled = self.rng.randn(2, 9, 6)
        expected = reference.unpool(pooled, self.labels, 'mean')
        for (name, some), (other, labels) in itertools.product(layouts(pooled), layouts(self.labels)):
            np.testing.assert_array_equal(function(some, labels), expected, '%s, %s' % (name, other))

    def test_sizes_are_right_for_every_layout_of_labels(self):
        m = T.itensor3()
        function = theano.function([m], superpixel_sizes(m))
        for name, labels in layouts(self.labels):
            np.testing.assert_array_equal(function(labels), reference.sizes(self.labels, 6), name)

    def test_volumes_and_sequences_pool_in_every_layout(self):
        for spatial in ((11,), (2, 3, 5)):
            x, m = [T.TensorType(dtype, (False,) * (extra + len(spatial)))()
                    for dtype, extra in (('float32', 2), ('int32', 1))]
            function = theano.function([x, m], superpixel_pool(x, m, 6))
            features = self.rng.randn(2, 3, *spatial).astype('float32')
            labels = random_map(self.rng, (2,) + spatial, 6)
            bits = function(features, labels)
            np.testing.assert_allclose(bits, reference.pool(features, labels, 6), rtol=1e-5, atol=1e-7)
            for (name, some), (other, their) in itertools.product(layouts(features), layouts(labels)):
                np.testing.assert_array_equal(function(some, their), bits, '%s, %s' % (name, other))

    def test_one_map_broadcast_over_the_batch_needs_no_copy(self):
        x, m = T.dtensor4(), T.itensor3()
        function = theano.function([x, m], superpixel_pool(x, m, 6))
        features = self.rng.randn(4, 3, 5, 7)
        labels = np.broadcast_to(self.labels[:1], (4, 5, 7))
        np.testing.assert_allclose(function(features, labels), reference.pool(features, labels, 6), rtol=1e-12)


class ReuseTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_debug_mode_with_every_kind_of_preallocated_output_finds_nothing(self):
        mode = DebugMode(check_preallocated_output=['ALL'], check_isfinite=True, stability_patience=2)
        x, m, n = T.ftensor4(), T.itensor3(), T.lscalar()
        pooled = superpixel_pool(x, m, n)
        cost = T.sum(T.exp(superpixel_unpool(pooled, m)) * x)
        function = theano.function([x, m, n], [pooled, superpixel_sizes(m, n), T.grad(cost, x)], mode=mode)
        for name in ('random with none', 'no pixel belongs to any', 'labels with gaps'):
            features, labels = self.rng.randn(2, 3, 5, 7).astype('float32'), hard_maps()[name]
            results = function(features, labels, 6)
            np.testing.assert_allclose(results[0], reference.pool(features, labels, 6), rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(results[1], reference.sizes(labels, 6))

    def test_one_function_called_with_changing_shapes_stays_right(self):
        x, m = T.ftensor4(), T.itensor3()
        pooled = superpixel_pool(x, m, mode='sum')
        function = theano.function([x, m], [pooled, superpixel_unpool(pooled, m), superpixel_sizes(m)])
        for shape in ((2, 3, 5, 7), (1, 3, 11, 2), (2, 3, 7, 5), (4, 9, 1, 1), (0, 3, 5, 7), (2, 3, 5, 7)):
            labels = random_map(self.rng, shape[:1] + shape[2:], max(1, shape[3]))
            features = self.rng.randn(*shape).astype('float32')
            pooled, painted, sizes = function(features, labels)
            n = reference.count(labels)
            expected = reference.pool(features, labels, n, 'sum')
            np.testing.assert_allclose(pooled, expected, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(painted, reference.unpool(expected, labels), rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(sizes, reference.sizes(labels, n))

    def test_pooling_works_inside_scan(self):
        x, m = T.TensorType('float64', (False,) * 5)(), T.TensorType('int32', (False,) * 4)()
        pooled, _ = theano.scan(lambda one, labels: superpixel_pool(one, labels, 6), sequences=[x, m])
        function = theano.function([x, m], [pooled, T.grad(T.sum(pooled ** 2), x)])
        features = self.rng.randn(3, 2, 4, 5, 7)
        labels = random_map(self.rng, (3, 2, 5, 7), 6)
        values, gradient = function(features, labels)
        for t in range(3):
            expected = reference.pool(features[t], labels[t], 6)
            np.testing.assert_allclose(values[t], expected, rtol=1e-12)
            np.testing.assert_allclose(gradient[t], reference.unpool(2 * expected, labels[t], 'mean'), rtol=1e-12)

    def test_inputs_are_left_as_they_were(self):
        x, m = T.ftensor4(), T.itensor3()
        features, labels = self.rng.randn(2, 3, 5, 7).astype('float32'), random_map(self.rng, (2, 5, 7), 6)
        copies = features.copy(), labels.copy()
        theano.function([x, m], superpixel_unpool(superpixel_pool(x, m), m))(features, labels)
        np.testing.assert_array_equal(features, copies[0])
        np.testing.assert_array_equal(labels, copies[1])
