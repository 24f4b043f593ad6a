"""Pseudo-labels of the segmentation network: the masks it learns from, and the targets of each superpixel."""
import unittest

import numpy as np

from spn.training.pseudo_labels import least_scattered, scatter, targets


class ScatterTest(unittest.TestCase):

    def test_a_disc_has_1_whatever_its_size_and_place(self):
        rows, cols = np.mgrid[:200, :300]
        for radius, row, col in [(20, 60, 50), (60, 100, 200)]:
            self.assertAlmostEqual(scatter((rows - row) ** 2 + (cols - col) ** 2 <= radius ** 2), 1, delta=.01)

    def test_a_square_has_a_little_more_and_a_line_much_more(self):
        # pi / 3 of a square, pi / 6 * (n + 1 / n) of a rectangle of 1 x n in the limit of small pixels.
        self.assertAlmostEqual(scatter(np.ones((100, 100), bool)), np.pi / 3, delta=.001)
        self.assertAlmostEqual(scatter(np.ones((10, 400), bool)), np.pi / 6 * (40 + 1 / 40), delta=.1)

    def test_pieces_far_apart_have_much_more(self):
        mask = np.zeros((40, 400), bool)
        mask[10:30, :20] = mask[10:30, -20:] = True
        # Two squares of side 20 at 190 from their middle: (20 ** 2 / 6 + 190 ** 2) * 2 pi / 800.
        self.assertAlmostEqual(scatter(mask), (400 / 6 + 190 ** 2) * 2 * np.pi / 800, delta=.1)

    def test_an_empty_mask_has_infinity_and_a_pixel_0(self):
        self.assertEqual(scatter(np.zeros((5, 6), bool)), np.inf)
        self.assertEqual(scatter(np.eye(1, 6, 2, dtype=bool)), 0)

    def test_the_least_scattered_share_of_each_class_is_taken_and_no_empty_mask(self):
        scatters = np.array([3., 1, np.inf, 2, 9, np.inf, 1.5, 2.5])
        classes = np.array([0, 0, 0, 0, 4, 7, 0, 4])
        self.assertEqual(np.flatnonzero(least_scattered(scatters, classes, .5)).tolist(), [1, 6, 7])
        self.assertEqual(np.flatnonzero(least_scattered(scatters, classes, .51)).tolist(), [1, 3, 4, 6, 7])
        self.assertEqual(np.flatnonzero(least_scattered(scatters, classes, 1.)).tolist(), [0, 1, 3, 4, 6, 7])
        self.assertEqual(np.flatnonzero(least_scattered(scatters, classes, .01)).tolist(), [1, 7])


class TargetsTest(unittest.TestCase):

    def test_targets_are_the_pixels_of_each_class_in_each_superpixel_by_those_of_the_image(self):
        superpixel_map = np.array([[0, 0, 2, 2], [0, 0, -1, 2]], 'int32')
        mask = np.array([[0, 2, 1, 1], [2, 2, 1, 0]], 'uint8')
        actual = targets(mask, mask, superpixel_map, 4, 2)
        np.testing.assert_allclose(actual * 8, [[1, 0, 3], [0, 0, 0], [1, 2, 0], [0, 0, 0]], atol=1e-6)
        self.assertEqual(actual.dtype, 'float32')

    def test_pixels_that_may_be_of_a_class_or_not_do_not_count_nor_superpixels_of_which_less_than_half_is_known(self):
        superpixel_map = np.repeat([[0, 1, 2]], 4, axis=0).astype('int32')
        certain, possible = np.zeros((2, 4, 3), 'uint8')
        certain[0], possible[:3] = 1, 1  # each superpixel: one surely, two maybe, one surely not
        possible[2, 1], possible[:, 2] = 0, 1  # the second: two surely not; the third: none
        actual = targets(certain, possible, superpixel_map, 3, 1)
        np.testing.assert_allclose(actual * 12, [[1, 1], [2, 1], [0, 0]], atol=1e-6)
