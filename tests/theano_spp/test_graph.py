"""Centroids and adjacency, against scikit-image and walks over the pixels."""
import unittest
from collections import Counter

import numpy as np
import theano
import theano.tensor as T
from skimage.data import chelsea
from skimage.measure import regionprops
from skimage.segmentation import slic
try:
    from skimage.graph import RAG
except ImportError:  # scikit-image before 0.20
    from skimage.future.graph import RAG

from tests.label_maps import hard_maps, random_map, regions_map
from tests.theano_spp.test_errors import ErrorTestCase
from theano_spp import superpixel_adjacency, superpixel_centroids, superpixel_pool

ROUNDING = 8 * np.finfo(theano.config.floatX).eps
SPATIAL = {1: (11,), 2: (5, 7), 3: (2, 3, 5)}


def walked_centroids(superpixel_map, n_superpixels):
    """Means of coordinates by scikit-image, which has no label 0."""
    axes = superpixel_map.ndim - 1
    centroids = np.zeros((len(superpixel_map), n_superpixels, axes))
    for b, labels in enumerate(superpixel_map):
        # regionprops knows two and three axes
        shape = labels.shape if axes > 1 else (1,) + labels.shape
        for region in regionprops((np.maximum(labels, -1) + 1).reshape(shape)):
            centroids[b, region.label - 1] = region.centroid[-axes:]
    return centroids


def walked_adjacency(superpixel_map):
    """(image, a, b) -> faces, by a walk over the pixels and their neighbours."""
    faces = Counter()
    for b, labels in enumerate(superpixel_map):
        for place in np.ndindex(*labels.shape):
            for axis in range(labels.ndim):
                neighbour = place[:axis] + (place[axis] + 1,) + place[axis + 1:]
                if neighbour[axis] < labels.shape[axis]:
                    pair = sorted([int(labels[place]), int(labels[neighbour])])
                    if pair[0] >= 0 and pair[0] != pair[1]:
                        faces[(b,) + tuple(pair)] += 1
    return faces


class CentroidsTest(unittest.TestCase):

    def test_centroids_by_hand_count_rows_first_from_zero(self):
        labels = np.array([[[0, 0, 3], [0, 1, 3], [-1, 1, 3]]])
        np.testing.assert_allclose(superpixel_centroids(labels).eval(),
                                   [[[1 / 3., 1 / 3.], [1.5, 1], [0, 0], [1, 2]]], rtol=ROUNDING)

    def test_centroids_equal_those_of_scikit_image_in_one_two_and_three_axes(self):
        rng = np.random.RandomState(0)
        for axes, spatial in SPATIAL.items():
            superpixel_map, n = T.TensorType('int32', (False,) * (1 + axes))(), T.lscalar()
            centroids = theano.function([superpixel_map, n], superpixel_centroids(superpixel_map, n))
            maps = [random_map(rng, (3,) + spatial, 6), regions_map(rng, (1,) + spatial, 4)]
            for labels in maps + (list(hard_maps().values()) if axes == 2 else []):
                result = centroids(labels, 6)
                self.assertEqual((result.dtype, result.shape), (theano.config.floatX, (len(labels), 6, axes)))
                np.testing.assert_allclose(result, walked_centroids(labels, 6), rtol=ROUNDING)

    def test_float32_centroids_are_rounded_once_even_where_float32_has_no_odd_numbers(self):
        labels = np.full((1, 2 ** 24 + 6), -1, 'int8')
        labels[0, [2 ** 24 + 1, 2 ** 24 + 5]] = 0  # their mean lies between two float32
        with theano.configparser.change_flags(floatX='float32'):
            centroids = superpixel_centroids(labels, 1)
        self.assertEqual(centroids.dtype, 'float32')
        np.testing.assert_array_equal(centroids.eval(), np.float32([[[2 ** 24 + 3]]]))

    def test_labels_made_from_features_are_disconnected_from_the_centroids(self):
        features = T.dtensor3()
        labels = T.cast(features > 0, 'int32')
        pooled = superpixel_pool(features.dimshuffle(0, 'x', 1, 2), labels)
        gradient = T.grad(superpixel_centroids(labels).sum() + pooled.sum(), features)
        np.testing.assert_allclose(gradient.eval({features: np.array([[[2., 3.], [-4., 5.]]])}),
                                   [[[1 / 3., 1 / 3.], [1, 1 / 3.]]])
        with self.assertRaises(theano.gradient.DisconnectedInputError):
            T.grad(superpixel_centroids(labels).sum(), features)


class AdjacencyTest(unittest.TestCase):

    def assert_equals_a_walk(self, superpixel_map):
        edges, lengths = superpixel_adjacency(superpixel_map, spatial_axes=superpixel_map.ndim - 1)
        self.assertEqual((edges.dtype, lengths.dtype), ('int64', 'int64'))
        self.assertEqual((edges.shape, lengths.ndim), ((len(lengths), 3), 1))
        walked = walked_adjacency(superpixel_map)
        self.assertEqual([tuple(edge) for edge in edges.tolist()], sorted(walked))
        self.assertEqual(lengths.tolist(), [walked[edge] for edge in sorted(walked)])

    def test_edges_by_hand_count_the_faces_that_touch(self):
        edges, lengths = superpixel_adjacency([[[4, 4, 1], [4, 0, 1], [-1, 0, 0]]])
        self.assertEqual(edges.tolist(), [[0, 0, 1], [0, 0, 4], [0, 1, 4]])
        self.assertEqual(lengths.tolist(), [2, 2, 1])

    def test_edges_equal_a_walk_over_the_pixels_for_every_hard_map(self):
        for superpixel_map in hard_maps().values():
            self.assert_equals_a_walk(superpixel_map)

    def test_edges_equal_a_walk_over_the_pixels_in_one_two_and_three_axes(self):
        rng = np.random.RandomState(0)
        for spatial in SPATIAL.values():
            self.assert_equals_a_walk(random_map(rng, (3,) + spatial, 4))
            self.assert_equals_a_walk(regions_map(rng, (2,) + spatial, 5))

    def test_regions_touch_where_scikit_image_says_so(self):
        labels = regions_map(np.random.RandomState(0), (1, 29, 31), 17)
        edges, _ = superpixel_adjacency(labels)
        self.assertEqual({(0,) + tuple(sorted(edge)) for edge in RAG(labels[0], connectivity=1).edges},
                         set(map(tuple, edges.tolist())))

    def test_the_map_of_a_photograph_is_one_image(self):
        labels = slic(chelsea()[60:180, 100:260], 56)
        edges, lengths = superpixel_adjacency(labels)
        walked = walked_adjacency(labels[None])
        self.assertEqual([tuple(edge) for edge in edges.tolist()], sorted(walked))
        self.assertEqual(lengths.tolist(), [walked[edge] for edge in sorted(walked)])
        self.assertEqual(len(edges), RAG(labels, connectivity=1).number_of_edges())

    def test_a_single_map_and_a_batch_of_one_have_the_same_edges_whatever_their_axes(self):
        for axes, spatial in SPATIAL.items():
            labels = random_map(np.random.RandomState(0), spatial, 4)
            walked = walked_adjacency(labels[None])
            for superpixel_map in (labels, labels[None]):
                edges, lengths = superpixel_adjacency(superpixel_map, spatial_axes=axes)
                self.assertEqual({tuple(edge): length for edge, length in zip(edges.tolist(), lengths)}, walked)

    def test_any_memory_layout_is_read(self):
        labels = regions_map(np.random.RandomState(0), (2, 5, 7), 4)
        for view in (labels.transpose(2, 1, 0), labels[:, ::-1, ::2], np.asfortranarray(labels)):
            self.assert_equals_a_walk(view)

    def test_every_dtype_keeps_the_labels_at_its_limits(self):
        for dtype in ('int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'):
            largest = min(np.iinfo(dtype).max, 2 ** 63 - 1)
            labels = np.array([[np.iinfo(dtype).min, largest, largest - 1, 0, largest]], dtype)
            edges, lengths = superpixel_adjacency(labels)
            self.assertEqual(edges.tolist(), [[0, 0, largest - 1], [0, 0, largest], [0, largest - 1, largest]], dtype)
            self.assertEqual(lengths.tolist(), [1, 1 + (dtype[0] == 'u'), 1], dtype)

    def test_where_nothing_touches_there_is_no_edge(self):
        for shape in ((0, 5, 7), (2, 0, 7), (2, 5, 0), (2, 5, 7)):
            edges, lengths = superpixel_adjacency(np.full(shape, 3))
            self.assertEqual((edges.shape, lengths.shape), ((0, 3), (0,)))


class GraphErrorTest(ErrorTestCase):

    def test_for_a_symbolic_map_the_error_says_to_feed_the_edges(self):
        for labels in (T.itensor3(), theano.shared(np.zeros((1, 2, 3), 'int32'))):
            self.assert_says(TypeError, 'superpixel_adjacency: superpixel_map is a Theano variable, but a NumPy array'
                             ' is wanted (call superpixel_adjacency on the NumPy map beforehand, and give what it'
                             ' returns to the graph as an input)', superpixel_adjacency, labels)

    def test_the_error_for_float_and_bool_maps_says_to_cast(self):
        for function, cast in ((superpixel_adjacency, "superpixel_map.astype('int32')"),
                               (superpixel_centroids, "T.cast(superpixel_map, 'int32')")):
            self.assert_says(TypeError, '%s: superpixel_map has dtype float32, but labels are integers (labels are'
                             ' whole numbers, use %s)' % (function.__name__, cast),
                             function, np.zeros((1, 2, 3), 'float32'))
            self.assert_says(TypeError, "%s: superpixel_map has dtype bool, but labels are integers (use"
                             " superpixel_map.astype('int32'))" % function.__name__, function, np.ones((1, 2, 3), bool))

    def test_the_error_for_too_few_or_many_axes_mentions_the_batch(self):
        for shape in ((5,), (1, 2, 2, 2, 2)):
            self.assert_says(ValueError, 'superpixel_centroids: superpixel_map has %d axes, but (batch, *spatial) with'
                             ' 1 to 3 spatial axes is wanted' % len(shape), superpixel_centroids, np.zeros(shape, int))

    def test_labels_that_int64_cannot_hold_are_named(self):
        labels = np.zeros((1, 2, 3), 'uint64')
        labels[0, 1, 2] = 2 ** 63
        self.assert_says(IndexError, 'superpixel_adjacency: superpixel_map[0, 1, 2] is 9223372036854775808, but the'
                         ' number of superpixels can be at most 9223372036854775808 (labels are 0..9223372036854775807',
                         superpixel_adjacency, labels)
        self.assert_says(IndexError, 'superpixel_adjacency: superpixel_map[1, 2] is 9223372036854775808, but',
                         superpixel_adjacency, labels[0])

    def test_a_wrong_number_of_superpixels_names_the_function(self):
        self.assert_says(TypeError, 'superpixel_centroids: n_superpixels is 3.0, but must be an integer',
                         superpixel_centroids, np.zeros((1, 2, 3), int), 3.)
        self.assert_says(ValueError, 'superpixel_centroids: n_superpixels is -1, but must not be negative',
                         superpixel_centroids, np.zeros((1, 2, 3), int), -1)
