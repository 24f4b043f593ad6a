"""Errors that occur only on a device; those of the CPU are in test_same_values.py."""
import unittest

import numpy as np
import theano
import theano.tensor as T

from tests.gpuarray.on_device import ON_CPU, first_line
from theano_spp import superpixel_pool, superpixel_sizes, superpixel_unpool
from theano_spp.ops.max_min import PutPixels, TakePixels


class ErrorTest(unittest.TestCase):

    def test_the_sentences_are_those_of_the_cpu(self):
        x, m, y, n = T.ftensor4(), T.TensorType('int64', (False,) * 3)(), T.ftensor3(), T.lscalar()
        features, labels = np.ones((2, 3, 5, 7), 'float32'), np.zeros((2, 5, 7), 'int64')
        bad = labels.copy()
        bad[1, 4, 6], bad[1, 4, 5], bad[0, 0, 0] = 99, 2 ** 62, -2 ** 63
        cases = [([x, m, n], superpixel_pool(x, m, n), [(features, bad, 9), (features, bad, 0), (features, labels, -1),
                                                        (features, np.concatenate([labels, labels[:1]]), 9),
                                                        (features, labels[:, :4], 9), (features[:1], labels, 9)]),
                 ([y, m], superpixel_unpool(y, m), [(features[:, :, 0], bad), (features[:1, :, 0], labels),
                                                    (features[:, :0, 0], bad)]),
                 ([m, n], superpixel_sizes(m, n), [(bad, 9), (labels, -1), (bad, 0)])]
        for inputs, output, wrong in cases:
            on_gpu, on_cpu = [theano.function(inputs, output, mode=mode) for mode in (None, ON_CPU)]
            for arguments in wrong:
                self.assertEqual(first_line(on_gpu, *arguments), first_line(on_cpu, *arguments))

    def test_pixels_outside_the_map_are_named_as_on_the_cpu(self):
        x, p = T.ftensor4(), T.ltensor3()
        values = np.ones((1, 2, 2, 3), 'float32'), np.array([[[0, 5, 23], [1, 24, -1]]])
        for output in (TakePixels('nearest')(x, p, (4, 6)), PutPixels('nearest')(x[:, :, 0], p, (2, 3), (4, 6))):
            on_gpu, on_cpu = [theano.function([x, p], output, mode=mode) for mode in (None, ON_CPU)]
            kind, text = first_line(on_gpu, *values)
            self.assertEqual((kind, text), first_line(on_cpu, *values))
            self.assertIs(kind, IndexError)
            self.assertIn('pixels[0, 1, 1] is 24, but an image has 24 pixels', text)

    def test_more_superpixels_than_the_device_can_number_are_an_error_and_never_a_crash(self):
        x, m, n = T.ftensor4(), T.itensor3(), T.lscalar()
        pool = theano.function([x, m, n], superpixel_pool(x, m, n))
        values = np.ones((1, 2, 2, 3), 'float32'), np.zeros((1, 2, 3), 'int32')
        for many in (2 ** 31 - 1, 2 ** 62, 2 ** 63 - 1):
            kind, text = first_line(pool, *(values + (many,)))
            self.assertIs(kind, ValueError)
            self.assertIn('SuperpixelPool: an image has 6 pixels and there are %d superpixels, but on the GPU both can'
                          ' be at most 2**31 - 2 (cut the image' % many, text)
        np.testing.assert_array_equal(pool(*(values + (2,))), [[[1, 0]] * 2])
