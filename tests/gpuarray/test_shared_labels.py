"""Ops over one superpixel map share one op that looks at its labels, and one check, whatever they compute."""
import unittest

import numpy as np
import theano
import theano.tensor as T
from theano.ifelse import ifelse

from tests.gpuarray.on_device import ON_CPU, first_line
from tests.gpuarray.test_graph import graph_mode, on_device
from tests.label_maps import regions_map
from theano_spp import reference, superpixel_pool, superpixel_sizes, superpixel_softmax, superpixel_unpool
from theano_spp.gpuarray.labels import GpuCountedPixels, GpuKnownSizes, GpuSortedPixels

N = 7


def label_ops(function):
    """Return the ops of a compiled function that look at labels, and those that look at them only if they must."""
    ops = [type(node.op) for node in function.maker.fgraph.toposort()]
    return [op.__name__ for op in ops if op in (GpuSortedPixels, GpuCountedPixels)], ops.count(GpuKnownSizes)


class SharedLabelsTest(unittest.TestCase):

    def setUp(self):
        rng = np.random.RandomState(0)
        self.labels = regions_map(rng, (2, 11, 13), N)
        self.maps = [on_device(rng.randn(2, channels, 11, 13).astype('float32')) for channels in (3, 5, 2)]

    def poolings(self, labels, n):
        """Three poolings of one map, something of each superpixel alone, and the gradients of all three maps."""
        pooled = [superpixel_pool(features, labels, n, mode)
                  for features, mode in zip(self.maps, ('mean', 'sum', 'max'))]
        loss = sum(T.sqr(T.tanh(each)).sum() for each in pooled) + superpixel_sizes(labels, n).sum()
        return [loss] + T.grad(loss, self.maps)

    def test_three_poolings_of_one_map_and_their_gradients_sort_it_once_and_count_nothing(self):
        m, n = T.itensor3(), T.lscalar()
        for optimizer in 'fast_run', 'fast_compile':
            sorts, passes_on = label_ops(theano.function([m, n], self.poolings(m, n), mode=graph_mode(optimizer)))
            self.assertEqual(sorts, ['GpuSortedPixels'], optimizer)
            self.assertEqual(passes_on, 3)  # for the sizes, and for the gradients of mean and sum

    def test_what_is_shared_gives_the_values_of_the_cpu(self):
        m, n = T.itensor3(), T.lscalar()
        outputs = self.poolings(m, n)
        on_gpu, on_cpu = [theano.function([m, n], outputs, mode=mode) for mode in (None, ON_CPU)]
        for labels, number in ((self.labels, N), (self.labels[:1], N), (self.labels, 40)):
            for actual, expected in zip(on_gpu(labels, number), on_cpu(labels, number)):
                np.testing.assert_allclose(np.asarray(actual), expected, rtol=1e-5, atol=1e-5)

    def test_two_maps_are_looked_at_by_two_ops(self):
        m, other, n = T.itensor3(), T.itensor3(), T.lscalar()
        sorts, _ = label_ops(theano.function([m, other, n], self.poolings(m, n) + self.poolings(other, n),
                                             mode=graph_mode()))
        self.assertEqual(sorts, ['GpuSortedPixels'] * 2)

    def test_a_map_that_is_only_painted_is_counted_and_not_sorted(self):
        m, y = T.itensor3(), T.ftensor3()
        counts, _ = label_ops(theano.function([m, y], superpixel_unpool(y, m, 'mean') + superpixel_unpool(y, m),
                                              mode=graph_mode()))
        self.assertEqual(counts, ['GpuCountedPixels'])

    def test_more_or_fewer_superpixels_than_were_pooled_can_be_painted_in_the_same_graph(self):
        m, y, n = T.itensor3(), T.ftensor3(), T.lscalar()
        outputs = [superpixel_pool(self.maps[0], m, n), superpixel_unpool(y, m, 'mean')]
        function = theano.function([m, y, n], outputs)
        self.assertEqual(label_ops(function), (['GpuSortedPixels'], 1))
        expected = theano.function([m, y, n], outputs, mode=ON_CPU)
        for painted in N, N + 9, N, N + 300, N:  # what one call passes on, the next must not overwrite
            values = np.arange(2 * 3 * painted, dtype='float32').reshape(2, 3, painted)
            for actual, wanted in zip(function(self.labels, values, N), expected(self.labels, values, N)):
                np.testing.assert_allclose(np.asarray(actual), wanted, rtol=1e-5, atol=1e-6)
        few = values[:, :, :N - 2]
        self.assertEqual(first_line(function, self.labels, few, N), first_line(expected, self.labels, few, N))
        self.assertIn('SuperpixelUnpool: superpixel_map', first_line(function, self.labels, few, N)[1])

    def test_a_number_of_superpixels_that_depends_on_sizes_of_the_same_map_makes_no_circle(self):
        m = T.itensor3()
        largest = T.cast(superpixel_sizes(m, N).max(), 'int64')
        function = theano.function([m], superpixel_pool(self.maps[0], m, largest))
        self.assertEqual(np.asarray(function(self.labels)).shape[2],
                         max(np.bincount(each[each >= 0]).max() for each in self.labels))

    def test_a_branch_that_is_not_taken_checks_no_labels(self):
        m, y, c = T.itensor3(), T.ftensor3(), T.lscalar()
        pooled, painted = superpixel_pool(self.maps[0], m, 2).sum(), superpixel_unpool(y, m, 'mean').sum()
        function = theano.function([c, m, y], ifelse(c, pooled, painted))
        ones = np.ones((2, 3, N), 'float32')
        self.assertAlmostEqual(float(function(0, self.labels, ones)), 3 * sum(len(np.unique(each[each >= 0]))
                                                                              for each in self.labels), delta=1e-3)
        self.assertIs(first_line(function, 1, self.labels, ones)[0], IndexError)

    def test_a_label_that_is_too_large_is_one_error_that_names_an_op_of_the_graph(self):
        m, n = T.itensor3(), T.lscalar()
        function = theano.function([m, n], self.poolings(m, n))
        self.labels[1, 4, 6] = 99
        kind, text = first_line(function, self.labels, N)
        self.assertIs(kind, IndexError)
        self.assertRegex(text, r'^Superpixel(Pool|Extremum): superpixel_map\[1, 4, 6\] is 99, but n_superpixels is 7')

    def test_a_softmax_within_superpixels_sorts_its_map_once(self):
        m, n = T.itensor3(), T.lscalar()
        outputs = superpixel_softmax(self.maps[0], m, n)
        sorts, _ = label_ops(theano.function([m, n], [outputs] + T.grad(T.sqr(outputs).sum(), self.maps[:1]),
                                             mode=graph_mode()))
        self.assertEqual(sorts, ['GpuSortedPixels'])


class TableTest(unittest.TestCase):

    def compiled(self, op):
        m, n = theano.gpuarray.type.GpuArrayType('int32', (False,) * 3)(), T.lscalar()
        return theano.function([m, n], list(op(m, n, return_list=True)))

    def test_sorted_pixels_are_those_that_python_sorts(self):
        for shape, n in (((2, 7, 9), 5), ((1, 50, 61), 31), ((3, 40, 33), 32), ((1, 70, 70), 1500), ((2, 0, 3), 4),
                         ((0, 3, 3), 2), ((1, 3, 4), 0)):
            labels = np.random.RandomState(0).randint(-1, max(n, 0), shape).astype('int32')
            given = theano.gpuarray.type.gpuarray_shared_constructor(labels, target=None).get_value(
                return_internal_type=True)
            order, starts, sizes = [np.asarray(each) for each in self.compiled(GpuSortedPixels('an op'))(given, n)]
            for image in range(shape[0]):
                flat = [label if label >= 0 else n for label in labels[image].ravel().tolist()]
                self.assertEqual(order[image].tolist(), sorted(range(len(flat)), key=lambda i: (flat[i], i)))
                self.assertEqual(sizes[image].tolist(), [flat.count(label) for label in range(n)])
                self.assertEqual(starts[image].tolist(), [sum(label < each for label in flat) for each in range(n + 1)])
            for table, wanted in zip(reference.sorted_pixels(labels, n), (order, starts, sizes)):
                np.testing.assert_array_equal(table, wanted)
            counted, = self.compiled(GpuCountedPixels('an op'))(given, n)
            np.testing.assert_array_equal(np.asarray(counted), sizes)
