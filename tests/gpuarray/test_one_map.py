"""One superpixel map, and one image of weights, for a whole batch: the device gives what repeated ones give."""
import unittest

import numpy as np
import theano
import theano.tensor as T
from theano.gpuarray.type import GpuArrayType

from tests.gpuarray.on_device import first_line
from tests.gpuarray.test_graph import device_layouts, to_device
from tests.label_maps import regions_map
from theano_spp.gpuarray.max_min import GpuSuperpixelExtremum
from theano_spp.gpuarray.mean_sum import GpuSuperpixelPool, GpuSuperpixelUnpool
from theano_spp.gpuarray.resized import GpuSuperpixelOverlapPool, GpuSuperpixelOverlapUnpool
from theano_spp.gpuarray.weighted import GpuPixelDot, GpuWeightedPool, GpuWeightedUnpool
from theano_spp.ops.max_min import SuperpixelExtremum
from theano_spp.ops.mean_sum import SuperpixelPool, SuperpixelUnpool
from theano_spp.ops.resized import SuperpixelOverlapPool, SuperpixelOverlapUnpool
from theano_spp.ops.weighted import PixelDot, WeightedPool, WeightedUnpool

BATCH, N = 3, 6


def compiled(op, arguments):
    """An op as a function of arrays on the device; numbers and sizes stay on the host."""
    inputs = [(T.TensorType if i in op.host_inputs else GpuArrayType)(a.dtype, (False,) * a.ndim)()
              for i, a in enumerate(arguments)]
    return theano.function(inputs, op(*inputs, return_list=True))


class OneMapTest(unittest.TestCase):

    def cases(self, spatial=(90, 60)):
        """Yield (op, arguments, the positions of the map and the weights among them)."""
        rng = np.random.RandomState(0)
        labels = regions_map(rng, (1,) + spatial, N - 1)  # in several tiles; superpixel N - 1 has no pixels
        weights = rng.rand(1, *spatial).astype('float32')
        n = np.int64(N)
        features, values = rng.randn(BATCH, 5, *spatial).astype('float32'), rng.randn(BATCH, 5, N)
        cells, shape = rng.randn(BATCH, 5, 7, 9).astype('float32'), np.array([7, 9])
        for mode in 'mean', 'sum':
            yield GpuSuperpixelPool(SuperpixelPool(mode)), (features, labels, n), (1,)
            yield GpuSuperpixelUnpool(SuperpixelUnpool(mode)), (values, labels), (1,)
            yield GpuSuperpixelOverlapPool(SuperpixelOverlapPool(mode)), (cells, labels, n), (1,)
            yield GpuSuperpixelOverlapUnpool(SuperpixelOverlapUnpool(mode)), (values, labels, shape), (1,)
        yield GpuSuperpixelExtremum(SuperpixelExtremum('min')), (features, labels, n), (1,)
        yield GpuSuperpixelExtremum(SuperpixelExtremum('max', 'bilinear')), (cells, labels, n), (1,)
        yield GpuWeightedPool(WeightedPool()), (features, labels, n, weights), (1, 3)
        yield GpuWeightedUnpool(WeightedUnpool('float32')), (values, labels, weights), (1, 2)
        yield GpuPixelDot(PixelDot()), (features, values, labels), (2,)

    def test_one_map_and_one_image_of_weights_give_what_repeated_ones_give(self):
        for op, arguments, shared in self.cases():
            function = compiled(op, arguments)
            given = [a if i in op.host_inputs else to_device(a) for i, a in enumerate(arguments)]
            repeated = [to_device(np.repeat(a, BATCH, 0)) if i in shared else given[i] for i, a in enumerate(arguments)]
            expected = [np.asarray(result) for result in function(*repeated)]
            self.assertTrue(all((result[0] != result[1]).any() for result in expected if result.ndim > 2), op)
            for several in shared[1:] + (None,):  # the weights of each image with one map, and one of each
                one = [repeated[i] if i == several else given[i] for i in range(len(given))]
                for result, wanted in zip(function(*one), expected):
                    np.testing.assert_array_equal(result, wanted, str(op))

    def test_one_map_may_have_any_strides(self):
        op, arguments, _ = next(self.cases((11, 13)))
        function = compiled(op, arguments)
        features, labels = to_device(arguments[0]), arguments[1]
        expected = np.asarray(function(features, to_device(labels), arguments[2])[0])
        for name, given in device_layouts(labels):
            np.testing.assert_array_equal(function(features, given, arguments[2])[0], expected, name)

    def test_several_maps_for_one_image_and_other_numbers_of_maps_are_errors(self):
        op, arguments, _ = next(self.cases((11, 13)))
        function = compiled(op, arguments)
        for images, maps in ((1, 2), (3, 2), (2, 3), (3, 0)):
            kind, text = first_line(function, to_device(arguments[0][:images]),
                                    to_device(np.repeat(arguments[1], maps, 0)), arguments[2])
            self.assertIs(kind, ValueError)
            self.assertIn('must agree in batch, which is %d and %d' % (images, maps), text)
