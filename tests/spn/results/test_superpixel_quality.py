"""How well superpixels keep to true borders, by hand."""
import unittest

import numpy as np

from spn.results.superpixel_quality import achievable_accuracy, boundary_recall, undersegmentation_error

#: Two regions of a picture of 4 x 6 pixels, and superpixels of which one crosses their border.
TRUTH = np.repeat([[1, 1, 1, 2, 2, 2]], 4, axis=0)
SUPERPIXELS = np.repeat([[0, 0, 3, 3, 3, 7]], 4, axis=0)


class SuperpixelQualityTest(unittest.TestCase):

    def test_superpixels_that_are_the_regions_are_perfect(self):
        for superpixels in TRUTH, np.arange(24).reshape(4, 6):  # or single pixels
            self.assertEqual(boundary_recall(superpixels, TRUTH), 1)
            self.assertEqual(achievable_accuracy(superpixels, TRUTH), 1)
            self.assertEqual(undersegmentation_error(superpixels, TRUTH), 0)

    def test_a_superpixel_across_the_border_costs_its_smaller_part(self):
        self.assertEqual(achievable_accuracy(SUPERPIXELS, TRUTH), 20 / 24)
        # 4 pixels of the superpixel 3 are in region 1 and 8 are not; 8 are in region 2 and 4 are not
        self.assertEqual(undersegmentation_error(SUPERPIXELS, TRUTH), (4 + 4) / 24)

    def test_a_true_border_is_found_within_one_pixel_in_small_pictures_and_further_away_in_large_ones(self):
        truth = (np.arange(40) >= 20).astype(int)[None].repeat(30, axis=0)
        for moved, found in ((0, 1), (1, 1), (2, .5), (3, 0)):  # a border is two pixels wide, one on each side
            superpixels = (np.arange(40) >= 20 + moved).astype(int)[None].repeat(30, axis=0)
            self.assertEqual(boundary_recall(superpixels, truth), found)
        large = [np.kron(each, np.ones((40, 30), int)) for each in (truth, superpixels)]
        self.assertEqual(boundary_recall(large[0], large[0]), 1)
        near = np.roll(large[0], 3, axis=1)
        near[:, :3] = 0
        self.assertEqual(boundary_recall(near, large[0]), 1)  # 4 pixels of a diagonal of 1697 are near enough

    def test_pixels_that_do_not_count_change_nothing(self):
        truth, superpixels = TRUTH.copy(), SUPERPIXELS.copy()
        truth[:, 2] = 255
        self.assertEqual(achievable_accuracy(superpixels, truth, 255), 1)
        self.assertEqual(undersegmentation_error(superpixels, truth, 255), 0)
        self.assertEqual(boundary_recall(TRUTH, truth, 255), 1)
        band = np.repeat([[1, 1, 1, 1, 255, 255, 255, 255, 2, 2, 2, 2]], 4, axis=0)
        middle = (np.arange(12) >= 6).astype(int)[None].repeat(4, axis=0)
        self.assertEqual(boundary_recall(middle, band, 255), 1)
        self.assertEqual(boundary_recall((np.arange(12) >= 10) + 0 * band, band, 255), 0)
        self.assertTrue(np.isnan(boundary_recall(middle, np.where(band == 2, 255, band), 255)))
        self.assertTrue(np.isnan(boundary_recall(middle, np.full((4, 12), 255), 255)))
        superpixels[:, 2] = -1  # belong to none
        self.assertEqual(undersegmentation_error(superpixels, TRUTH), 0)

    def test_without_borders_or_pixels_there_is_nothing_to_measure(self):
        nothing = np.full((4, 6), 255)
        self.assertTrue(np.isnan(boundary_recall(SUPERPIXELS, np.ones((4, 6), int))))
        self.assertTrue(np.isnan(achievable_accuracy(SUPERPIXELS, nothing, 255)))
        self.assertTrue(np.isnan(undersegmentation_error(SUPERPIXELS, nothing, 255)))
