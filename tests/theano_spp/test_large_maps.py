"""Maps of many windows, full-window runs, words and strips (c_code/labels/plan.h), against NumPy a superpixel at a
time.
"""
import unittest

import numpy as np
import theano
import theano.tensor as T

from tests.label_maps import random_map, regions_map
from theano_spp import SuperpixelExtremum, SuperpixelPool, superpixel_pool, superpixel_unpool

SHAPE = (2, 23, 211)  # 4853 pixels: four strips of 1024, the last one ends within a window
N = 40


def maps():
    """name -> labels of SHAPE below N, with superpixels that never end within an image, or end anywhere."""
    rng = np.random.RandomState(3)
    flat = np.arange(SHAPE[1] * SHAPE[2])
    widths = np.repeat(np.arange(1, 100), np.arange(1, 100))[:len(flat)]  # runs of 1, 2, 3, ... pixels
    regions = regions_map(rng, SHAPE, N)
    return {
        'one superpixel': np.zeros(SHAPE, 'int32'),
        'a few wide ones': regions_map(rng, SHAPE, 4),
        'many': regions,
        'random': random_map(rng, SHAPE, N),
        'runs of every length': np.array([widths % N, (widths * 7) % N], 'int32').reshape(SHAPE),
        'slots are used again': np.array([flat // 130, flat[::-1] // 130], 'int32').reshape(SHAPE),
        'wide holes': np.where(regions % 3 == 0, -1, regions).astype('int32'),
        'the first and the last pixel alone': np.where(
            (flat == 0) | (flat == flat[-1]), 5, -1).reshape((1,) + SHAPE[1:]).repeat(2, 0).astype('int32'),
    }


def members(labels):
    """The pixels of each superpixel of each image: (image, superpixel, row-major numbers)."""
    for image, label in enumerate(labels.reshape(len(labels), -1)):
        for superpixel in range(N):
            yield image, superpixel, np.flatnonzero(label == superpixel)


class LargeMapTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        features, labels, pooled = T.ftensor4(), T.itensor3(), T.ftensor3()
        cls.mean = staticmethod(theano.function([features, labels], superpixel_pool(features, labels, N)))
        cls.extremum = staticmethod(theano.function(
            [features, labels], sum([SuperpixelExtremum(mode)(features, labels, N) for mode in ('max', 'min')], [])))
        cls.painted = staticmethod(theano.function(
            [pooled, labels], [superpixel_unpool(pooled, labels, mode) for mode in ('sum', 'mean')]))

    def features(self, channels):
        return np.random.RandomState(channels).randn(SHAPE[0], channels, *SHAPE[1:]).astype('float32')

    def layouts(self, features):
        yield features
        yield np.ascontiguousarray(features.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
        yield np.ascontiguousarray(features[..., ::-1])[..., ::-1]

    def test_means_are_within_the_promise_for_every_map_layout_and_number_of_channels(self):
        for channels in (1, 8, 35):
            values = self.features(channels)
            flat = values.reshape(2, channels, -1).astype('float64')
            for name, labels in maps().items():
                expected, magnitudes = np.zeros((2, 2, channels, N))
                for image, superpixel, pixels in members(labels):
                    if len(pixels):
                        expected[image, :, superpixel] = flat[image][:, pixels].mean(-1)
                        magnitudes[image, :, superpixel] = abs(flat[image][:, pixels]).mean(-1)
                for some in self.layouts(values):
                    error = abs(self.mean(some, labels) - expected)
                    self.assertTrue((error <= 1e-6 * magnitudes).all(), '%s, %d channels' % (name, channels))

    def test_maxima_and_minima_are_those_of_numpy_also_with_nans_and_ties(self):
        for channels in (1, 11):
            values = np.round(self.features(channels), 1)
            values[:, :, 5:9, 60:130][np.random.RandomState(0).uniform(size=(2, channels, 4, 70)) < .1] = np.nan
            values[:, :, 12] = -np.inf
            flat = values.reshape(2, channels, -1)
            for name, labels in maps().items():
                expected = np.zeros((2, 2, channels, N))
                argmax_pixels = np.full((2, 2, channels, N), -1)
                for image, superpixel, pixels in members(labels):
                    if len(pixels):
                        for k, best in enumerate((np.argmax, np.argmin)):  # the first NaN, or the first of equals
                            place = best(flat[image][:, pixels], axis=-1)
                            argmax_pixels[k, image, :, superpixel] = pixels[place]
                            expected[k, image, :, superpixel] = flat[image][np.arange(channels), pixels[place]]
                for some in self.layouts(values):
                    maximum, argmax_pixel, minimum, argmin_pixel = self.extremum(some, labels)
                    np.testing.assert_array_equal([maximum, minimum], expected, name)
                    np.testing.assert_array_equal([argmax_pixel, argmin_pixel], argmax_pixels, name)

    def test_superpixels_in_several_chunks_of_a_large_image_are_pooled_as_one(self):
        height, width = 421, 1291  # c_code/labels/label_map.h: two chunks of 262144 pixels, and more
        columns = np.arange(width) * N // width
        stripes = np.where(columns % 7 == 3, -1, columns)[None, None].repeat(height, 1).repeat(2, 0).astype('int32')
        stripes[1, :, :9] = np.arange(height)[:, None] * N // height  # these end within a chunk
        stripes[0, 300:] = stripes[0, 300, ::-1]
        values = np.random.RandomState(0).randint(-50, 50, (2, 3, height, width)).astype('float32')  # with ties
        values[0, 1, 400, 700:710] = np.nan
        flat = values.reshape(2, 3, -1)
        expected, argmax_pixels = np.zeros((3, 2, 3, N)), np.full((2, 2, 3, N), -1)
        for image, superpixel, pixels in members(stripes):
            if len(pixels):
                some = flat[image][:, pixels]
                expected[0, image, :, superpixel] = some.astype('float64').mean(-1)
                for k, best in enumerate((np.argmax, np.argmin)):
                    argmax_pixels[k, image, :, superpixel] = pixels[best(some, axis=-1)]
                    expected[1 + k, image, :, superpixel] = some[np.arange(3), best(some, axis=-1)]
        for some in self.layouts(values):
            maximum, argmax_pixel, minimum, argmin_pixel = self.extremum(some, stripes)
            np.testing.assert_allclose(self.mean(some, stripes), expected[0], rtol=1e-6, atol=1e-6)
            np.testing.assert_array_equal([maximum, minimum], expected[1:])
            np.testing.assert_array_equal([argmax_pixel, argmin_pixel], argmax_pixels)

    def test_a_map_that_serves_all_images_pools_as_its_copies_do_with_any_number_of_threads(self):
        features, superpixel_map = T.ftensor4(), T.itensor3()
        rng = np.random.RandomState(0)
        for height, width, channels in ((23, 211, 35), (421, 1291, 3)):  # the larger one has several chunks
            columns = np.arange(width) * N // width
            labels = np.where(columns % 7 == 3, -1, columns)[None, None].repeat(height, 1).astype('int32')
            labels[0, :, :9] = np.arange(height)[:, None] * N // height  # these end within a chunk
            values = rng.randint(-50, 50, (3, channels, height, width)).astype('float32')
            values[1, :, height // 2, :30] = np.inf
            values[2, 1, 7, 40:90] = 3e38  # recomputed, as their sums overflow float32
            for openmp in (False, True):
                results = [SuperpixelPool(mode, openmp)(features, superpixel_map, N) for mode in ('sum', 'mean')]
                for mode in ('max', 'min'):
                    results += SuperpixelExtremum(mode, openmp=openmp)(features, superpixel_map, N)
                pool = theano.function([features, superpixel_map], results)
                for some in self.layouts(values):
                    for shared, copied in zip(pool(some, labels), pool(some, np.repeat(labels, 3, axis=0))):
                        np.testing.assert_array_equal(shared, copied)
            sums = pool(values, labels)[0]
            for superpixel in (0, 1, 20):
                of_pixels = values[:, :, labels[0] == superpixel].astype('float64')
                np.testing.assert_allclose(sums[:, :, superpixel], of_pixels.sum(-1).astype('float32'), rtol=1e-6)

    def test_a_map_that_serves_no_image_is_checked_all_the_same(self):
        for some in self.layouts(np.zeros((0, 3) + SHAPE[1:], 'float32')):
            self.assertEqual(self.mean(some, np.zeros((1,) + SHAPE[1:], 'int32')).shape, (0, 3, N))
            with self.assertRaisesRegex(IndexError, 'superpixel_map'):
                self.mean(some, np.full((1,) + SHAPE[1:], N, 'int32'))
            with self.assertRaisesRegex(IndexError, 'superpixel_map'):
                self.extremum(some, np.full((1,) + SHAPE[1:], N, 'int32'))

    def test_as_many_superpixels_as_pixels_or_half_as_many_are_right_in_any_order(self):
        height, width, channels = 331, 294, 35  # the result is written with non-temporal stores
        features, labels, n = T.ftensor4(), T.itensor3(), T.lscalar()
        pool = theano.function([features, labels, n], superpixel_pool(features, labels, n))
        numbers = np.arange(height * width, dtype='int32').reshape(1, height, width)
        values = np.random.RandomState(0).randn(1, channels, height, width).astype('float32')
        pairs = values.astype('float64').reshape(1, channels, -1, 2).mean(-1)
        for some in self.layouts(values):
            flat = values.reshape(1, channels, -1)
            np.testing.assert_array_equal(pool(some, numbers, numbers.size), flat)
            np.testing.assert_array_equal(pool(some, numbers.max() - numbers, numbers.size), flat[..., ::-1])
            np.testing.assert_allclose(pool(some, numbers // 2, numbers.size // 2), pairs, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(self.painted(flat, numbers)[0], values)

    def check_painted(self, channels, labels, name):
        pooled = np.random.RandomState(0).randn(2, channels, N).astype('float32')
        sizes = np.maximum([np.bincount(label[label >= 0], minlength=N) for label in labels], 1)
        expected = [np.stack([np.where(label >= 0, value[:, label], 0) for value, label in zip(values, labels)])
                    for values in (pooled, pooled / sizes[:, None])]
        for some in (pooled, np.asfortranarray(pooled), np.ascontiguousarray(pooled.swapaxes(1, 2)).swapaxes(1, 2)):
            for painted, right in zip(self.painted(some, labels), expected):
                np.testing.assert_allclose(painted, right, rtol=1e-6, err_msg=name)

    def test_unpooling_paints_every_pixel_of_every_map_and_layout(self):
        for channels in (5, 67):
            for name, labels in maps().items():
                self.check_painted(channels, labels, name)

    def test_unpooling_paints_every_pixel_where_results_are_too_large_for_the_caches(self):
        for channels in (21, 64, 1100):
            rows = 1 + 15000000 // (2 * channels * 4 * SHAPE[2])  # c_code/memory/nontemporal.h: from 12 MB on
            for name in ('random', 'wide holes'):
                labels = maps()[name]
                self.check_painted(channels, np.resize(labels[0], (2, rows, SHAPE[2])), name)

    def test_the_gradient_of_the_maximum_goes_to_the_argmax_pixels_alone_where_it_is_too_large_for_the_caches(self):
        features, labels, upstream = T.ftensor4(), T.itensor3(), T.ftensor3()
        gradient = theano.function([upstream, features, labels], T.grad(
            None, features, known_grads={superpixel_pool(features, labels, N, 'max'): upstream}))
        superpixel_map, values = maps()['many'], self.features(331)  # c_code/memory/nontemporal.h: from 12 MB on
        given = np.random.RandomState(0).randn(2, 331, N).astype('float32')
        expected = np.zeros_like(values).reshape(2, 331, -1)
        for image, superpixel, pixels in members(superpixel_map):
            if len(pixels):
                argmax_pixels = pixels[values[image].reshape(331, -1)[:, pixels].argmax(-1)]
                expected[image, np.arange(331), argmax_pixels] = given[image, :, superpixel]
        np.testing.assert_array_equal(gradient(given, values, superpixel_map), expected.reshape(values.shape))

    def test_nothing_to_paint_or_to_pool_is_no_error_where_channels_lie_last(self):
        pooled = np.ones((2, N, 3), 'float32').swapaxes(1, 2)
        for shape in ((2, 0, 7), (2, 5, 0), (2, 5, 7)):
            labels = np.full(shape, -1, 'int32')
            features = np.ones(shape + (3,), 'float32').transpose(0, 3, 1, 2)
            for painted in self.painted(pooled, labels):
                np.testing.assert_array_equal(painted, np.zeros((2, 3) + shape[1:]))
            np.testing.assert_array_equal(self.mean(features, labels), np.zeros((2, 3, N)))
            np.testing.assert_array_equal(self.extremum(features, labels)[1], np.full((2, 3, N), -1))

    def test_results_have_their_channels_last_in_memory_where_what_they_come_from_has(self):
        values, labels = self.features(21), maps()['many']
        first, last = list(self.layouts(values))[:2]
        self.assertTrue(self.mean(first, labels).flags.c_contiguous)
        pooled = self.mean(last, labels)
        self.assertTrue(pooled.transpose(0, 2, 1).flags.c_contiguous)
        for result in self.extremum(last, labels):
            self.assertTrue(result.transpose(0, 2, 1).flags.c_contiguous)
        self.assertTrue(self.painted(pooled, labels)[0].transpose(0, 2, 3, 1).flags.c_contiguous)
        one = np.zeros((2, 21, 1), 'float32')  # in both orders at once
        self.assertTrue(self.painted(one, np.zeros(SHAPE, 'int32'))[0].flags.c_contiguous)

    def test_labels_in_any_order_of_memory_and_any_dtype_are_read_strip_by_strip(self):
        values = self.features(3)
        for dtype in ('int8', 'int64'):
            features, superpixel_map = T.ftensor4(), T.TensorType(dtype, (False,) * 3)()
            pool = theano.function([features, superpixel_map], superpixel_pool(features, superpixel_map, N))
            for name, labels in maps().items():
                spaced = np.repeat(labels.astype(dtype), 2, axis=2)[:, :, ::2]
                np.testing.assert_array_equal(pool(values, spaced), self.mean(values, labels), name)
