"""The demo: what it trains on, what it predicts, and that it runs through."""
import contextlib
import io
import os
import shutil
import socket
import tempfile
import unittest
from unittest import mock

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from examples import demo, picture
from examples.photographs import in_other_light, load_photographs, mosaic, superpixels, training_crops


def maps_of_themselves():
    """Nine photographs whose pixels encode where they come from: (photograph, row, col)."""
    sizes = [(151 + 2 * label, 367 + 4 * label) for label in range(9)]
    return [np.stack(np.broadcast_arrays(label, *np.ogrid[:rows, :cols]), axis=-1)
            for label, (rows, cols) in enumerate(sizes)]


class PhotographsTest(unittest.TestCase):

    def setUp(self):
        self.photographs = maps_of_themselves()

    def test_photographs_load_where_there_is_no_network(self):
        with mock.patch.object(socket, 'socket', side_effect=OSError('no network')):
            photographs = load_photographs()
        self.assertEqual(len(photographs), 9)
        for name, photograph in photographs.items():
            self.assertEqual((photograph.dtype, photograph.ndim), ('float32', 3), name)
            self.assertTrue(0 <= photograph.min() < .3 and .7 < photograph.max() <= 1, name)
        self.assertEqual(photographs['cat'].shape, (300, 451, 3))
        self.assertGreater(photographs['retina'][..., 0].mean(), 2 * photographs['retina'][..., 2].mean())
        np.testing.assert_array_equal(photographs['grass'][..., 0], photographs['grass'][..., 2])

    def test_crops_are_from_left_halves_of_the_photographs_that_they_are_labelled_with(self):
        crops, labels = training_crops(self.photographs, 30, 61, np.random.RandomState(1))
        np.testing.assert_array_equal(labels, np.repeat(np.arange(9), 30))
        for crop, label in zip(crops, labels):
            rows, cols = self.photographs[label].shape[:2]
            self.assertTrue(np.all(crop[..., 0] == label))
            self.assertTrue(np.all(crop[..., 1] < rows))
            self.assertLess(crop[..., 2].max(), cols // 2)
            # 61 neighbours: a crop is neither scaled nor turned, only mirrored.
            np.testing.assert_array_equal(np.ptp(crop[..., 1:].reshape(-1, 2), axis=0), 60)
            self.assertTrue(np.all(np.diff(crop[..., 1], axis=0) == 1))
            self.assertEqual(len(np.unique(np.diff(crop[..., 2], axis=1))), 1)

    def test_crops_reach_every_place_of_the_left_half_and_are_not_all_one(self):
        crops, _ = training_crops(self.photographs[:1], 400, 61, np.random.RandomState(1))
        self.assertLess(crops[..., 1:].min(), 4)
        self.assertGreater(crops[..., 1].max(), 151 - 5)
        self.assertGreater(crops[..., 2].max(), 367 // 2 - 5)

    def test_other_light_scales_each_crop_by_one_factor_and_stays_below_one(self):
        crops = np.random.RandomState(1).uniform(.1, 1, size=(300, 3, 5, 3)).astype('float32')
        lit = in_other_light(crops, np.random.RandomState(2))
        self.assertEqual((lit.dtype, lit.max()), ('float32', 1))
        factors = np.where(lit < 1, lit / crops, np.nan).reshape(300, -1)
        self.assertLess(np.nanmax(np.ptp(np.ma.masked_invalid(factors), axis=1)), 1e-6)
        self.assertTrue(.7 <= np.nanmin(factors) < .71 and 1.29 < np.nanmax(factors) <= 1.3001)

    def test_mosaics_are_from_right_halves_and_their_truth_names_the_photographs(self):
        for seed in range(20):
            image, truth = mosaic(self.photographs, (288, 384), np.random.RandomState(seed))
            np.testing.assert_array_equal(truth, image[..., 0])
            np.testing.assert_array_equal(np.unique(truth), np.arange(9))
            for label, photograph in enumerate(self.photographs):
                part = image[truth == label]
                self.assertGreaterEqual(part[:, 2].min(), photograph.shape[1] // 2)
                # One shift for the whole region: the part lies in it as it lies in its photograph.
                shift = part[:, 1:] - np.argwhere(truth == label)
                np.testing.assert_array_equal(shift, np.broadcast_to(shift[0], shift.shape))

    def test_superpixels_are_counted_from_zero_without_gaps(self):
        image = np.zeros((60, 80, 3), 'float32')
        image[:, 37:] = 1
        labels = superpixels(image, scale=300)
        self.assertEqual(labels.dtype.kind, 'i')
        np.testing.assert_array_equal(labels, np.broadcast_to(np.arange(80) >= 37, (60, 80)))


class ModelsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        rng = np.random.RandomState(3)
        cls.models = demo.Models(9, n_superpixels=500)
        cls.image = rng.uniform(size=(1, 14, 22, 3)).astype('float32')

    def test_the_seed_s_example(self):
        np.testing.assert_allclose(demo.pool_four_pixels(), [[[.15, .3, .4]]], rtol=1e-6)

    def test_a_superpixel_for_each_pixel_makes_no_difference(self):
        each = np.arange(14 * 22).reshape(1, 14, 22)
        scores, colours = self.models.score_superpixels.predict([self.image, each])
        np.testing.assert_allclose(colours, self.image, rtol=1e-6)
        np.testing.assert_allclose(scores, self.models.score_pixels.predict(self.image), rtol=1e-5)
        np.testing.assert_allclose(self.models.train_by_superpixels.predict([self.image, each]),
                                   self.models.train_by_pixels.predict(self.image), rtol=1e-5)

    def test_a_superpixel_gets_the_score_that_an_image_of_it_alone_gets(self):
        # Only superpixel 1 of the image; all other pixels belong to none.
        labels = np.random.RandomState(4).randint(3, size=(1, 14, 22))
        scores, colours = self.models.score_superpixels.predict([self.image, labels])
        alone = self.models.train_by_superpixels.predict([self.image, np.where(labels == 1, 0, -1)])
        np.testing.assert_allclose(scores[labels == 1], np.broadcast_to(alone, ((labels == 1).sum(), 9)),
                                   rtol=1e-5)
        for label in range(3):
            mean = self.image[labels == label].mean(axis=0)
            np.testing.assert_allclose(colours[labels == label] - mean, 0, atol=1e-6)

    def test_every_superpixel_counts_the_same_in_training(self):
        # In probabilities this cannot be seen, in logits the mean over superpixels is linear.
        labels = np.zeros((1, 14, 22), int)
        labels[:, :2, :3] = 1
        whole, small = [np.log(self.models.train_by_superpixels.predict(
            [self.image, np.where(labels == label, 0, -1)])) for label in (0, 1)]
        both = np.log(self.models.train_by_superpixels.predict([self.image, labels]))
        difference = both - (whole + small) / 2
        np.testing.assert_allclose(difference, np.broadcast_to(difference[:, :1], (1, 9)), atol=1e-5)


class PictureTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, 'demo.png')

    def test_each_panel_shows_what_its_title_says(self):
        shape = 288, 384
        truth = np.arange(384)[None] * 9 // 384 * np.ones((288, 1), int)
        image, mean_colours = np.empty(shape + (3,)), np.empty(shape + (3,))
        image[:], mean_colours[:] = .5, (1, .5, 0)
        photographs = {name: image for name in 'abcdefghi'}
        picture.draw(self.path, photographs, image, np.zeros(shape, int), mean_colours, truth,
                     np.full(shape, 3), np.full(shape, 7))
        drawn = imread(self.path)[..., :3]
        self.assertEqual(drawn.shape, (900, 1300, 3))
        self.assertEqual(os.listdir(self.folder), ['demo.png'])

        def shine_through(label):
            return .75 * np.array(to_rgb(picture.COLOURS[label])) + .25 * .5
        # The right place in each panel of the row, some pixels below its middle and within region 4.
        for row, col, colour in [(215, 220, (.5, .5, .5)), (215, 650, (.5, .5, .5)), (215, 1080, (1, .5, 0)),
                                 (585, 220, shine_through(3)), (585, 650, shine_through(7)),
                                 (585, 1080, shine_through(4))]:
            np.testing.assert_allclose(drawn[row, col], colour, atol=.01, err_msg=str((row, col)))

    def test_an_outline_stands_between_two_labels_and_nowhere_else(self):
        labels = np.zeros((4, 6), int)
        labels[:, 2:] = 1
        drawn = picture.outlined(np.zeros((4, 6, 3)), labels, 'white')
        np.testing.assert_array_equal(np.where(drawn.all(axis=(0, 2)))[0], [5, 6])
        self.assertFalse(np.delete(drawn, [5, 6], axis=1).any())


class DemoTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def test_it_runs_through_and_says_what_is_right(self):
        path, said = os.path.join(self.folder, 'demo.png'), io.StringIO()
        photographs = load_photographs()
        with contextlib.redirect_stdout(said):
            right, chance = demo.run(photographs, path, seed=5, n_crops=4, epochs=4, n_mosaics=1)
            demo.print_table(right, chance)
        self.assertIn('36 crops of 9 photographs; 1 mosaics', said.getvalue())
        self.assertIn('{:.1%}'.format(right['superpixels', 'superpixels']), said.getvalue())
        self.assertEqual(imread(path).shape[:2], (900, 1300))

        # The same mosaic again, to compute the share by chance.
        rng = np.random.RandomState(5)
        crops, _ = training_crops(list(photographs.values()), 4, demo.CROP_SIZE, rng)
        in_other_light(crops, rng)
        _, truth = mosaic(list(photographs.values()), demo.MOSAIC_SHAPE, rng)
        self.assertAlmostEqual(chance, max(np.mean(truth == label) for label in range(9)))
        # Little was learned in four short epochs, yet more than nothing.
        for ways, share in right.items():
            self.assertTrue(chance + .02 < share <= 1, (ways, share))
