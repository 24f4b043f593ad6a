"""The graph of regions: the numbers against plain NumPy, and the picture."""
import contextlib
import io
import os
import shutil
import sys
import tempfile
import unittest
from unittest import mock

import numpy as np
import theano
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from examples import region_graph, v3_block
from examples.photographs import load_photographs
from tests.label_maps import hard_maps, regions_map
from tests.processes import REPOSITORY
from theano_spp import superpixel_adjacency


def smoothed_by_matrix(colours, superpixel_map, rounds):
    """Painted colours of one image (channels, rows, cols), averaged by a product with a dense matrix."""
    n, (rows, cols) = superpixel_map.max() + 1, superpixel_map.shape
    pooled, borders = np.zeros((n, len(colours))), np.zeros((n, n))
    for label in range(n):
        if (superpixel_map == label).any():
            pooled[label] = colours[:, superpixel_map == label].mean(axis=1)
    for row, col in np.ndindex(rows, cols):
        for other in [(row, col + 1)] * (col + 1 < cols) + [(row + 1, col)] * (row + 1 < rows):
            a, b = superpixel_map[row, col], superpixel_map[other]
            if a != b and min(a, b) >= 0:
                borders[a, b] += 1
                borders[b, a] += 1
    own = np.maximum(borders.sum(axis=1), 1)
    matrix = (borders + np.diag(own)) / (borders.sum(axis=1) + own)[:, None]
    smoothed = np.linalg.matrix_power(matrix, rounds).dot(pooled)
    return np.where(superpixel_map >= 0, smoothed[np.maximum(superpixel_map, 0)].transpose(2, 0, 1), 0)


class SmoothingTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        # staticmethod, because a function of a class would be given the test as its first argument
        cls.smooth = staticmethod(region_graph.compile_smoothing(rounds=3))

    def test_colours_are_averaged_as_by_a_matrix_of_borders_in_every_image_of_the_batch(self):
        rng = np.random.RandomState(0)
        maps = [labels for labels in hard_maps().values() if labels.max() >= 0] + [regions_map(rng, (3, 11, 13), 9)]
        for superpixel_map in maps:
            image = rng.uniform(size=(len(superpixel_map), 3) + superpixel_map.shape[1:])
            _, _, _, smoothed = self.smooth(image.astype(theano.config.floatX), superpixel_map,
                                            *superpixel_adjacency(superpixel_map))
            for colours, labels, result in zip(image, superpixel_map, smoothed):
                np.testing.assert_allclose(result, smoothed_by_matrix(colours, labels, 3), atol=1e-6)

    def test_centroids_and_pooled_colours_are_those_of_the_regions(self):
        superpixel_map = np.array([[[0, 0, 1], [0, 0, 1]]])
        image = np.array([[[[1, 2, 9], [3, 4, 7]]]], theano.config.floatX)
        centroids, pooled, painted, _ = self.smooth(image, superpixel_map, *superpixel_adjacency(superpixel_map))
        np.testing.assert_array_equal(centroids, [[[.5, .5], [.5, 2]]])
        np.testing.assert_array_equal(pooled, [[[2.5], [8]]])
        np.testing.assert_array_equal(painted, [[[[2.5, 2.5, 8], [2.5, 2.5, 8]]]])


    def test_gradients_go_back_along_the_edges(self):
        superpixel_map = hard_maps()['random with none']
        edges, lengths = superpixel_adjacency(superpixel_map)
        theano.gradient.verify_grad(lambda features: region_graph.average_with_neighbours(features, edges, lengths),
                                    [np.random.RandomState(0).randn(2, 6, 3)], rng=np.random.RandomState(1))


class PictureTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, 'region_graph.png')

    def test_each_panel_shows_what_its_title_says_and_nodes_lie_on_their_centroids(self):
        shape = 400, 600
        superpixel_map = np.repeat([[0, 1]], [150, 450], axis=1).repeat(400, axis=0)
        photograph, painted, smoothed = [np.full(shape + (3,), grey) for grey in (1., .5, .25)]
        region_graph.draw(self.path, photograph, superpixel_map, np.array([[0, 1]]), np.array([400]),
                          np.array([[199.5, 74.5], [99.5, 374.5]]), np.array([[1, 0, 0], [0, 0, 1]]), painted, smoothed)
        self.assertEqual(os.listdir(self.folder), ['region_graph.png'])
        drawn = imread(self.path)[..., :3]
        self.assertEqual(drawn.shape, (607, 1300, 3))
        # The large panel is 849 pixels wide and begins at column 10, row 35; between the nodes lies the edge.
        for row, col, colour in [(318, 116, (1, 0, 0)), (176, 540, (0, 0, 1)), (247, 328, to_rgb(region_graph.GOLD)),
                                 (500, 600, (.65, .65, .65)), (150, 1080, (.5, .5, .5)), (450, 1080, (.25, .25, .25))]:
            np.testing.assert_allclose(drawn[row, col], colour, atol=.01, err_msg=str((row, col)))

    def test_a_photograph_becomes_a_picture_and_its_smoothed_colours_those_of_the_matrix(self):
        photograph = load_photographs()['coffee'][:120, :160]
        superpixel_map, edges, lengths, smoothed = region_graph.run(photograph, self.path, n_superpixels=30)
        self.assertTrue(15 < superpixel_map.max() < 45)
        self.assertEqual((edges.shape[1], len(edges)), (3, len(lengths)))
        np.testing.assert_allclose(smoothed.transpose(2, 0, 1), smoothed_by_matrix(
            photograph.transpose(2, 0, 1), superpixel_map, region_graph.ROUNDS), atol=1e-5)
        self.assertGreater(len(np.unique(imread(self.path).reshape(-1, 4), axis=0)), 1000)

    def test_the_command_line_prints_where_the_picture_is(self):
        said = io.StringIO()
        with mock.patch.object(sys, 'argv', ['region_graph', self.path]), contextlib.redirect_stdout(said):
            region_graph.main()
        self.assertIn('The picture is %s' % self.path, said.getvalue())
        self.assertEqual(os.listdir(self.folder), ['region_graph.png'])


class WrittenTest(unittest.TestCase):

    def test_what_examples_and_quick_benchmarks_write_is_left_out_of_git_and_lies_over_nothing(self):
        with open(os.path.join(REPOSITORY, '.gitignore')) as stream:
            ignored = stream.read().splitlines()
        for name in region_graph.PICTURE, v3_block.PICTURE, 'demo.png', 'benchmarks/results/*-quick*':
            self.assertIn('/' + name, ignored)
            self.assertFalse(os.path.isabs(name))
