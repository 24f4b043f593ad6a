"""Relabelling, counting, padding and masking, against scikit-image and walks over the pixels."""
import unittest
import warnings

import numpy as np
import skimage.data
import skimage.measure
import skimage.segmentation
import theano.tensor as T
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tests.label_maps import hard_maps, random_map, regions_map
from tests.theano_spp.test_errors import ErrorTestCase
from theano_spp import reference, superpixel_adjacency
from theano_spp.label_tools import (apply_mask, count_superpixels, enforce_connectivity, pad_to_batch,
                                    relabel_sequential)

LABEL_DTYPES = ('int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64')
#: The smallest signed dtype for the labels of each dtype.
SIGNED = {'int8': 'int8', 'int16': 'int16', 'int32': 'int32', 'int64': 'int64',
          'uint8': 'int16', 'uint16': 'int32', 'uint32': 'int64', 'uint64': 'int64'}


def label_maps(least_axes=1, most_axes=3):
    """Maps of any dtype and shape, with labels anywhere in their dtype and a few that repeat."""
    def maps_of_dtype(dtype):
        limits = np.iinfo(dtype)
        labels = st.one_of(st.integers(max(-2, int(limits.min)), 5), st.integers(int(limits.min), int(limits.max)))
        return arrays(dtype, array_shapes(min_dims=least_axes, max_dims=most_axes, min_side=1, max_side=5),
                      elements=labels)
    return st.sampled_from(LABEL_DTYPES).flatmap(maps_of_dtype)


class RelabelTest(unittest.TestCase):

    def assert_relabels(self, superpixel_map):
        relabelled, originals = relabel_sequential(superpixel_map, spatial_axes=superpixel_map.ndim - 1)
        self.assertEqual((relabelled.dtype, relabelled.shape), ('int32', superpixel_map.shape))
        self.assertEqual(len(originals), len(superpixel_map))
        for old_image, new_image, labels in zip(superpixel_map, relabelled, originals):
            self.assertEqual(labels.dtype, 'uint64' if superpixel_map.dtype == 'uint64' else 'int64')
            self.assertEqual(labels.tolist(), sorted({int(old) for old in old_image.ravel() if old >= 0}))
            for old, new in zip(old_image.ravel().tolist(), new_image.ravel().tolist()):
                self.assertEqual(old if old >= 0 else -1, labels[new] if new >= 0 else new)

    def test_labels_by_hand_are_numbered_in_their_order_image_by_image(self):
        relabelled, originals = relabel_sequential([[[300, 7, -3, -2]], [[8, -1, 8, 8]]])
        self.assertEqual(relabelled.tolist(), [[[1, 0, -1, -1]], [[0, -1, 0, 0]]])
        self.assertEqual([labels.tolist() for labels in originals], [[7, 300], [8]])

    def test_a_map_of_rows_and_cols_is_one_map_and_not_a_batch_of_its_rows(self):
        relabelled, originals = relabel_sequential([[7, 7], [9, 9]])
        self.assertEqual((relabelled.tolist(), originals.tolist()), ([[0, 0], [1, 1]], [7, 9]))

    def test_the_map_of_a_photograph_is_numbered_as_scikit_image_does_and_then_pools(self):
        photograph = skimage.data.chelsea()[60:180, 100:260]
        labels = skimage.segmentation.slic(photograph, 56, start_label=1)
        features = photograph.transpose(2, 0, 1)[None].astype('float64')
        n_superpixels = len(np.unique(labels))
        with self.assertRaises(IndexError) as caught:  # as SLIC counts from 1, its last superpixel is out of range
            reference.pool(features, labels[None], n_superpixels)
        self.assertIn('theano_spp.label_tools.relabel_sequential', str(caught.exception))
        relabelled, originals = relabel_sequential(labels)
        np.testing.assert_array_equal(relabelled, skimage.segmentation.relabel_sequential(labels)[0] - 1)
        np.testing.assert_array_equal(originals, np.unique(labels))
        means = reference.pool(features, relabelled[None], n_superpixels)
        np.testing.assert_allclose(means[0, :, -1], photograph[labels == labels.max()].mean(axis=0))

    def test_a_single_map_is_numbered_as_in_a_batch_whatever_its_axes(self):
        for spatial in ((11,), (5, 7), (2, 3, 5)):
            labels = 13 * random_map(np.random.RandomState(0), spatial, 6) + 4
            relabelled, originals = relabel_sequential(labels, spatial_axes=len(spatial))
            self.assertEqual((relabelled.shape, originals.tolist()), (spatial, sorted(set(labels[labels >= 0]))))
            np.testing.assert_array_equal(np.where(relabelled >= 0, originals[relabelled], -1), np.maximum(labels, -1))

    def test_every_hard_map_is_numbered_anew_and_back(self):
        for superpixel_map in hard_maps().values():
            self.assert_relabels(superpixel_map)

    @settings(max_examples=100, deadline=None)
    @given(label_maps(least_axes=2, most_axes=4))
    def test_maps_of_any_dtype_are_numbered_anew_and_back(self, superpixel_map):
        self.assert_relabels(superpixel_map)

    def test_the_numbers_are_those_of_scikit_image_less_one(self):
        superpixel_map = 3 * random_map(np.random.RandomState(0), (3, 5, 7), 9, none=0) + 2
        relabelled, _ = relabel_sequential(superpixel_map)
        for image, new in zip(superpixel_map, relabelled):
            np.testing.assert_array_equal(new, skimage.segmentation.relabel_sequential(image + 1)[0] - 1)

    def test_pooling_after_relabelling_is_pooling_at_the_original_labels(self):
        rng = np.random.RandomState(0)
        gappy = 13 * random_map(rng, (2, 5, 7), 6) + 4  # -1 becomes -9
        features = rng.randn(2, 3, 5, 7)
        relabelled, originals = relabel_sequential(gappy)
        pooled = reference.pool(features, gappy, count_superpixels(gappy))
        pooled_anew = reference.pool(features, relabelled, count_superpixels(relabelled))
        for labels, before, after in zip(originals, pooled, pooled_anew):
            np.testing.assert_array_equal(after[:, :len(labels)], before[:, labels])

    def test_images_without_labels_and_without_pixels_have_no_originals(self):
        for superpixel_map in (np.full((2, 5, 7), -4), np.zeros((2, 0, 7), 'uint8')):
            relabelled, originals = relabel_sequential(superpixel_map)
            np.testing.assert_array_equal(relabelled, np.full(superpixel_map.shape, -1))
            self.assertEqual([labels.shape for labels in originals], [(0,), (0,)])


class CountTest(unittest.TestCase):

    def test_the_largest_label_of_a_map_a_batch_or_a_list_decides(self):
        small, large = np.array([[0, 4], [-1, 2]], 'int8'), np.array([[[3, 3, 9]]], 'uint16')
        self.assertEqual([count_superpixels(small), count_superpixels(large)], [5, 10])
        self.assertEqual(count_superpixels([small, large]), 10)
        self.assertEqual(count_superpixels((large, small)), 10)

    def test_no_label_counts_as_zero(self):
        for nothing in (np.full((2, 3), -7), np.zeros((0, 2, 3), int), [], [np.full((2, 3), -7)]):
            self.assertEqual(count_superpixels(nothing), 0)

    def test_the_largest_integers_are_counted_as_they_are(self):
        for dtype in LABEL_DTYPES:
            self.assertEqual(count_superpixels(np.full((1, 1), np.iinfo(dtype).max, dtype)), np.iinfo(dtype).max + 1)


class PadTest(unittest.TestCase):

    def test_maps_by_hand_lie_in_the_top_left_corner(self):
        batch = pad_to_batch([np.array([[0, 1, 2]]), np.array([[3], [4]])])
        self.assertEqual(batch.tolist(), [[[0, 1, 2], [-1, -1, -1]], [[3, -1, -1], [4, -1, -1]]])
        self.assertEqual(pad_to_batch([[[5]]], shape=(2, 3)).tolist(), [[[5, -1, -1], [-1, -1, -1]]])

    @settings(max_examples=100, deadline=None)
    @given(st.integers(1, 3).flatmap(lambda axes: st.lists(label_maps(axes, axes), min_size=1, max_size=3)))
    def test_every_pixel_keeps_its_label_and_all_others_are_none(self, maps):
        maps = [np.where(labels > np.uint64(2 ** 63 - 1), labels // 2, labels) if labels.dtype == 'uint64' else labels
                for labels in maps]
        batch = pad_to_batch(maps, spatial_axes=maps[0].ndim)
        self.assertEqual(batch.shape, (len(maps),) + tuple(max(sizes) for sizes in zip(*[m.shape for m in maps])))
        self.assertEqual(batch.dtype, max([SIGNED[str(m.dtype)] for m in maps], key=lambda dtype: np.iinfo(dtype).max))
        for image, labels in zip(batch, maps):
            for place in np.ndindex(*image.shape):
                inside = all(i < size for i, size in zip(place, labels.shape))
                self.assertEqual(int(image[place]), int(labels[place]) if inside else -1)

    def test_images_padded_with_anything_pool_as_each_alone(self):
        rng = np.random.RandomState(0)
        maps = [regions_map(rng, (1,) + spatial, 4)[0] for spatial in ((5, 7), (3, 11))]
        images = [rng.randn(2, *labels.shape) for labels in maps]
        features = np.full((2, 2, 5, 11), np.nan)
        for padded, image in zip(features, images):
            padded[:, :image.shape[1], :image.shape[2]] = image
        pooled = reference.pool(features, pad_to_batch(maps), 4)
        for image, labels, together in zip(images, maps, pooled):
            np.testing.assert_array_equal(together, reference.pool(image[None], labels[None], 4)[0])


class MaskTest(unittest.TestCase):

    def test_masked_pixels_belong_to_none_in_a_copy(self):
        for dtype in ('int8', 'uint8'):
            superpixel_map = np.array([[0, 1], [2, 3]], dtype)
            for mask in ([[True, False], [False, True]], np.array([[1, 0], [0, 1]], 'uint8')):
                self.assertEqual(apply_mask(superpixel_map, mask).tolist(), [[0, -1], [-1, 3]])
            self.assertEqual(superpixel_map.tolist(), [[0, 1], [2, 3]])

    def test_every_dtype_becomes_the_signed_one_that_holds_its_labels(self):
        for dtype in LABEL_DTYPES:
            largest = min(np.iinfo(dtype).max, 2 ** 63 - 1)
            masked = apply_mask(np.array([[largest, np.iinfo(dtype).max]], dtype), [[True, False]])
            self.assertEqual(masked.dtype, SIGNED[dtype])
            self.assertEqual(masked.tolist(), [[largest, -1]])

    def test_a_mask_of_labels_leaves_the_pooling_of_the_others(self):
        rng = np.random.RandomState(0)
        labels, features = regions_map(rng, (2, 5, 7), 6, 'uint8'), rng.randn(2, 3, 5, 7)
        expected = reference.pool(features, labels, 6)
        expected[:, :, 2] = 0
        np.testing.assert_array_equal(reference.pool(features, apply_mask(labels, labels != 2), 6), expected)


class ConnectivityTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_an_island_joins_the_superpixel_with_the_longest_border(self):
        labels = np.array([[0, 0, 0, 1, 1],
                           [0, 7, 0, 1, 7],
                           [2, 2, 1, 1, 7],
                           [2, 2, 2, 1, 7]])
        expected = np.where(labels == 7, [[0, 0, 0, 0, 7]], labels)  # three sides with 0, one with 2
        np.testing.assert_array_equal(enforce_connectivity(labels), expected)
        np.testing.assert_array_equal(enforce_connectivity(np.stack([labels, labels[::-1]])),
                                      [expected, expected[::-1]])

    def test_islands_that_touch_only_islands_join_too(self):
        labels = np.array([[5, 5, 5, 5, 5, 5, 4, 4, 3],
                           [5, 3, 4, 3, 4, 5, 4, 4, 3],
                           [5, 5, 5, 5, 5, 5, 4, 4, 3]])
        np.testing.assert_array_equal(enforce_connectivity(labels), [[5] * 6 + [4, 4, 3]] * 3)
        ring = np.full((7, 7), 1)
        ring[1:6, 1:6], ring[2:5, 2:5], ring[3, 3] = 2, 1, 2  # one inside the other
        np.testing.assert_array_equal(enforce_connectivity(ring), np.where((np.indices((7, 7)) % 6 == 0).any(0), 1, 2))

    def test_small_superpixels_join_where_a_least_size_is_asked_for(self):
        labels = np.array([[0, 0, 0, 1, 2, 2, 2, 2]])
        np.testing.assert_array_equal(enforce_connectivity(labels, min_size=2), [[0, 0, 0, 0, 2, 2, 2, 2]])
        np.testing.assert_array_equal(enforce_connectivity(labels, min_size=100), [[2] * 8])  # the largest is kept

    def test_each_superpixel_is_one_island_and_the_largest_ones_keep_their_labels(self):
        for shape, axes in ((60,), 1), ((18, 21), 2), ((6, 7, 8), 3):
            for _ in range(20):
                labels = np.repeat(self.rng.randint(0, 6, shape), 2, axis=-1)
                joined = enforce_connectivity(labels, spatial_axes=axes)
                self.assertEqual(joined.dtype, labels.dtype)
                for label in np.unique(labels):
                    islands = skimage.measure.label(labels == label, connectivity=1)
                    largest = islands == 1 + np.argmax(np.bincount(islands.ravel())[1:])
                    self.assertTrue((joined[largest] == label).all())
                    self.assertEqual(skimage.measure.label(joined == label, connectivity=1).max(), 1)

    def test_borders_with_all_islands_of_a_superpixel_count_together(self):
        # The 3 in the middle touches 1 along three faces, and along five 2, part of which are islands that join it.
        labels = np.array([[1, 1, 1, 1, 1],
                           [2, 4, 3, 5, 2],
                           [2, 2, 3, 2, 2],
                           [2, 2, 3, 2, 2],
                           [2, 2, 2, 2, 3],
                           [2, 2, 2, 3, 3],
                           [2, 2, 3, 3, 3]])
        joined = enforce_connectivity(labels, min_size=2)
        np.testing.assert_array_equal(joined, np.where((labels == 4) | (labels == 5) | (
            (labels == 3) & (np.arange(7) < 4)[:, None]), 2, labels))

    def test_where_all_islands_of_an_area_are_given_up_the_largest_is_kept(self):
        labels = np.array([[5, 5, 5, -1, 5, 6, 5], [6, 6, 6, -1, 5, 6, 5]])
        joined = enforce_connectivity(labels)
        np.testing.assert_array_equal(joined[:, :3], labels[:, :3])
        np.testing.assert_array_equal(joined[:, 4:], np.full((2, 3), joined[0, 4]))
        np.testing.assert_array_equal(enforce_connectivity([[0, 1, 0]], min_size=5), [[0, 0, 0]])

    def test_a_least_size_that_is_no_number_is_named(self):
        for wrong in None, '3', True:
            with self.assertRaisesRegex(ValueError, 'enforce_connectivity: min_size is'):
                enforce_connectivity([[0, 1]], wrong)

    def test_pixels_that_belong_to_none_stay_so_and_what_they_surround_keeps_its_label(self):
        labels = np.array([[0, 0, -1, 0, -7], [0, 0, -1, -1, -1]], 'int8')
        joined = enforce_connectivity(labels)
        np.testing.assert_array_equal(joined, labels)
        self.assertEqual(joined.dtype, 'int8')

    def test_maps_without_pixels_stay_as_they_are(self):
        for shape in (0, 3, 4), (2, 0, 4), (0, 4):
            self.assertEqual(enforce_connectivity(np.zeros(shape, int)).shape, shape)


class LabelToolsErrorTest(ErrorTestCase):

    def test_the_error_for_float_bool_and_symbolic_maps_gives_the_cure(self):
        def mask_nothing(labels):
            return apply_mask(labels, np.ones((1, 2, 3), bool))

        for name, call in (('relabel_sequential', relabel_sequential), ('count_superpixels', count_superpixels),
                           ('apply_mask', mask_nothing)):
            self.assert_says(TypeError, name + ": superpixel_map has dtype float64, but labels are integers (labels are"
                             " whole numbers, use superpixel_map.astype('int32'))", call, np.zeros((1, 2, 3)))
            self.assert_says(TypeError, name + ": superpixel_map has dtype bool, but labels are integers (use"
                             " superpixel_map.astype('int32'))", call, np.zeros((1, 2, 3), bool))
            self.assert_says(TypeError, '%s: superpixel_map is a Theano variable, but a NumPy array is wanted (call %s'
                             ' on the NumPy map beforehand' % (name, name), call, T.itensor3())
        self.assert_says(TypeError, "pad_to_batch: superpixel_maps[1] has dtype float64, but labels are integers"
                         " (labels are whole numbers, use superpixel_maps[1].astype('int32'))",
                         pad_to_batch, [[[1]], [[1.]]])

    def test_the_error_for_what_makes_no_array_says_what_does(self):
        def as_mask(mask):
            return apply_mask(np.array([[1, 2]]), mask)

        for name, call in (('relabel_sequential: superpixel_map', relabel_sequential),
                           ('count_superpixels: superpixel_map', count_superpixels), ('apply_mask: mask', as_mask)):
            for wrong, kind in ((None, 'NoneType'), ((labels for labels in [np.array([1])]), 'generator'),
                                ({1: 2}, 'dict')):
                self.assert_says(TypeError, '%s is of type %s, but a NumPy array, or rows of equal lengths, are wanted'
                                 ' (use list(...) for what can only be iterated)' % (name, kind), call, wrong)
            self.assert_says(TypeError, name + ' is a Theano variable, but a NumPy array is wanted (call',
                             call, T.imatrix())
        for call in (relabel_sequential, as_mask):
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # NumPy itself warns of rows of different lengths
                self.assert_says(TypeError, ' is of type list, but a NumPy array, or rows of equal lengths, are wanted',
                                 call, [[1], [1, 2]])
        self.assert_says(TypeError, 'pad_to_batch: superpixel_maps is a Theano variable', pad_to_batch, T.itensor3())
        for wrong in (5, None, np.array(3)):
            self.assert_says(TypeError, 'pad_to_batch: superpixel_maps is %r, but a sequence of maps is wanted (give a'
                             ' list of arrays)' % (wrong,), pad_to_batch, wrong)
        # the cure that it gives
        self.assertEqual(count_superpixels(list(labels for labels in [np.array([1]), np.array([[4]])])), 5)

    def test_masks_of_numpy_ma_are_never_dropped(self):
        masked = np.ma.array([[3, 1], [300, 2]], mask=[[False, False], [True, False]])
        cure = '(use apply_mask(map.data, ~numpy.ma.getmaskarray(map)), which labels them -1)'
        for call, argument, value in ((relabel_sequential, 'superpixel_map', masked[None]),
                                      (relabel_sequential, 'superpixel_map', [masked]),
                                      (count_superpixels, 'superpixel_map', masked),
                                      (count_superpixels, 'superpixel_map', [masked]),
                                      (pad_to_batch, 'superpixel_maps[0]', [masked]),
                                      (pad_to_batch, 'superpixel_maps[0]', masked[None])):
            self.assert_says(ValueError, '%s: %s has values that numpy.ma masks, but the mask would be lost %s'
                             % (call.__name__, argument, cure), call, value)
        self.assert_says(ValueError, 'apply_mask: superpixel_map has values that numpy.ma masks', apply_mask, masked,
                         np.ones((2, 2), bool))
        self.assert_says(ValueError, 'apply_mask: mask has values that numpy.ma masks, but the mask would be lost (use'
                         ' mask.filled(False))',
                         apply_mask, masked.data, np.ma.array(masked.data > 0, mask=masked.mask))
        # the cures that these give, and masked arrays in which nothing is masked
        self.assertEqual(apply_mask(masked.data, ~np.ma.getmaskarray(masked)).tolist(), [[3, 1], [-1, 2]])
        mask = np.ma.array(masked.data > 0, mask=masked.mask).filled(False)
        self.assertEqual(apply_mask(masked.data, mask).tolist(), [[3, 1], [-1, 2]])
        self.assertEqual(count_superpixels(np.ma.array([[3, 1]])), 4)

    def test_the_error_for_what_is_neither_a_map_nor_a_batch_says_how_to_pass_it(self):
        for call in (relabel_sequential, superpixel_adjacency):
            for shape, spatial_axes, wanted in (
                    ((3,), 2, 'a single map has 2 axes and a batch of maps has 3 (use spatial_axes=1 for a single'
                              ' map)'),
                    ((1, 2, 2, 2), 2, 'a single map has 2 axes and a batch of maps has 3 (use spatial_axes=3 for a'
                                      ' batch of maps)'),
                    ((2, 2), 3, 'a single map has 3 axes and a batch of maps has 4 (use spatial_axes=2 for a single'
                                ' map, or spatial_axes=1 for a batch of maps)'),
                    ((1, 1, 2, 2, 2), 3, 'a single map has 3 axes and a batch of maps has 4 (a map has 1 to 3 axes, and'
                                         ' none for channels)')):
                self.assert_says(ValueError, '%s: superpixel_map has shape %s, but with spatial_axes=%d %s'
                                 % (call.__name__, shape, spatial_axes, wanted),
                                 call, np.zeros(shape, int), spatial_axes=spatial_axes)
        for call in (relabel_sequential, superpixel_adjacency, pad_to_batch):
            for wrong in (0, 4, None, True, '2', [2]):
                self.assert_says(ValueError, '%s: spatial_axes is %r, but must be 1, 2 or 3 (1 for sequences, 2 for'
                                 ' images, 3 for volumes)' % (call.__name__, wrong), call, np.zeros((1, 2, 3), int),
                                 spatial_axes=wrong)

    def test_a_single_map_is_no_batch_of_its_rows_to_pad(self):
        self.assert_says(ValueError, 'pad_to_batch: superpixel_maps[0] has shape (3,), but with spatial_axes=2 each map'
                         ' has 2 axes (give maps without batch axis, as a list, or say spatial_axes=1)',
                         pad_to_batch, np.zeros((4, 3), int))
        # the cures that it gives
        self.assertEqual(pad_to_batch([np.zeros((4, 3), int)]).shape, (1, 4, 3))
        self.assertEqual(pad_to_batch([[0, 1, 2], [0]], spatial_axes=1).tolist(), [[0, 1, 2], [0, -1, -1]])

    def test_a_map_larger_than_the_batch_is_named(self):
        self.assert_says(ValueError, 'pad_to_batch: superpixel_maps[1] has shape (2, 4), which is larger than shape'
                         ' (3, 3) (give a larger one',
                         pad_to_batch, [np.zeros((3, 3), int), np.zeros((2, 4), int)], (3, 3))

    def test_maps_that_cannot_be_one_batch_are_named(self):
        for maps, sentence in (([], 'superpixel_maps is empty'),
                               ([[[1]], [1]], 'superpixel_maps[1] has shape (1,), but with spatial_axes=2 each map has'
                                              ' 2 axes'),
                               ([np.zeros((1, 1, 1, 1), int)], 'superpixel_maps[0] has shape (1, 1, 1, 1)')):
            self.assert_says(ValueError, 'pad_to_batch: ' + sentence, pad_to_batch, maps)
        for shape in ((4,), (4, 4, 4), 4, (4., 4.)):
            self.assert_says(ValueError, 'pad_to_batch: shape is %r, but one integer for each spatial axis of the maps'
                             ' is wanted, 2 in all' % (shape,), pad_to_batch, [[[1]]], shape)

    def test_labels_that_int64_cannot_hold_are_named(self):
        labels = np.array([[0, 2 ** 63]], 'uint64')
        sentence = '[0, 1] is 9223372036854775808, but the number of superpixels can be at most 9223372036854775808'
        self.assert_says(IndexError, 'pad_to_batch: superpixel_maps[0]' + sentence, pad_to_batch, [labels])
        self.assert_says(IndexError, 'apply_mask: superpixel_map' + sentence, apply_mask, labels, labels >= 0)

    def test_the_error_for_a_mask_of_another_shape_or_kind_says_what_is_wanted(self):
        labels = np.zeros((2, 3), int)
        self.assert_says(ValueError, 'apply_mask: mask has shape (3,), but superpixel_map has shape (2, 3); one value'
                         ' for each pixel is wanted (use np.broadcast_to(mask, superpixel_map.shape)',
                         apply_mask, labels, np.ones(3, bool))
        self.assert_says(ValueError, 'apply_mask: mask holds 255, but True and False are wanted, or integers 1 and 0'
                         ' (use mask > 0)', apply_mask, labels, np.full((2, 3), 255, 'uint8'))
        self.assert_says(TypeError, 'apply_mask: mask has dtype float64, but True and False are wanted',
                         apply_mask, labels, np.ones((2, 3)))
