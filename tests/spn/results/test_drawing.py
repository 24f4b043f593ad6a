"""Drawings of masks and scores over pictures, and tables of numbers."""
import io
import unittest
from unittest import mock

import numpy as np
from PIL import Image

from spn.data.dataset import UNKNOWN
from spn.data.palette import palette
from spn.data.sources import voc
from spn.results import report
from spn.results.drawing import (COLOURS, colours_of, draw_curves, heat, made_from_of, mask_png, overlay,
                                 titled_png, write_key)
from tests.spn.cases import FolderTestCase, photographs


class PicturesTest(FolderTestCase):

    def test_the_palette_is_that_of_PASCAL_VOC(self):
        wanted = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 5: (128, 0, 128), 8: (64, 0, 0), 20: (0, 64, 128),
                  255: (224, 224, 192)}
        self.assertEqual({c: tuple(palette()[c]) for c in wanted}, wanted)

    def test_an_overlay_colours_what_is_of_a_class_outlines_it_and_leaves_the_rest(self):
        image, mask = photographs()[0][:40, :50], np.zeros((40, 50), 'uint8')
        mask[10:20, 10:30], mask[30:38, 35:45] = 3, UNKNOWN
        actual = overlay(image, mask, COLOURS)
        inside, outside = np.zeros(mask.shape, bool), np.ones(mask.shape, bool)
        inside[11:19, 11:29], outside[9:21, 9:31], outside[29:39, 34:46] = True, False, False
        np.testing.assert_array_equal(actual[outside], image[outside])
        np.testing.assert_array_equal(actual[31:37, 36:44], image[31:37, 36:44])
        wanted = .45 * image[inside].mean(axis=1, keepdims=True) + .55 * COLOURS[3].astype(float)
        self.assertLessEqual(np.abs(actual[inside] - wanted).max(), 1)
        self.assertTrue(np.all(actual[10, 10:30] == 255))

    def test_a_key_has_the_colours_of_all_classes_from_the_first_down(self):
        path = self.path('classes.png')
        write_key(['cat', '$dog', '_owl$'], self.folder)
        with Image.open(path) as key:
            drawn = np.asarray(key.convert('RGB')).astype(int)
        rows = [np.flatnonzero((drawn == COLOURS[c]).all(axis=-1).any(axis=1)) for c in (1, 2, 3)]
        self.assertTrue(rows[0].max() < rows[1].min() and rows[1].max() < rows[2].min())

    def test_classes_of_VOC_have_its_colours_and_others_those_that_can_be_told_apart(self):
        np.testing.assert_array_equal(colours_of(voc.CLASS_NAMES), palette())
        others = colours_of(['cat', 'dog']).astype(int)
        np.testing.assert_array_equal(others[0], 0)
        apart = np.abs(others[1:11, np.newaxis] - others[1:11]).sum(axis=-1)
        self.assertGreater(apart[~np.eye(10, dtype=bool)].min(), 60)

    def test_the_outline_of_a_large_overlay_is_wider(self):
        mask = np.zeros((300, 2000), 'uint8')
        mask[:, 1000:] = 1
        actual = overlay(np.full((300, 2000, 3), 90, 'uint8'), mask, COLOURS)
        self.assertEqual((actual == 255).all(axis=(0, 2)).sum(), 4)  # one pixel for each 500

    def test_a_picture_with_names_keeps_its_size_and_pixels(self):
        image = np.random.RandomState(0).randint(256, size=(113, 229, 3)).astype('uint8')
        with Image.open(io.BytesIO(titled_png(image, [0], ['cat']))) as drawn:
            actual = np.asarray(drawn.convert('RGB'))
        self.assertEqual(actual.shape, image.shape)
        np.testing.assert_array_equal(actual[60:], image[60:])  # below the names

    def test_a_mask_is_a_palette_png_that_knows_what_it_was_made_from(self):
        mask = np.random.RandomState(0).randint(22, size=(30, 40))
        path = self.write('mask.png', mask_png(mask, COLOURS, 'abc'))
        with Image.open(path) as stored:
            np.testing.assert_array_equal(np.array(stored), mask)
            self.assertEqual((stored.mode, stored.getpalette()[:66]), ('P', COLOURS[:22].ravel().tolist()))
        self.assertEqual(made_from_of(path), 'abc')
        for other in self.path('none.png'), self.write('letter.png', 'a letter'), self.write(
                'cut.png', mask_png(mask, COLOURS, 'abd')[:90]):
            self.assertIsNone(made_from_of(other))
        Image.fromarray(mask.astype('uint8')).save(path)
        self.assertIsNone(made_from_of(path))

    def test_the_stronger_a_score_the_brighter_it_is_drawn(self):
        image = np.full((1, 5, 3), 128, 'uint8')
        actual = heat(image, np.linspace(0, 1, 5)[np.newaxis]).astype(int).sum(axis=-1)[0]
        self.assertTrue(np.all(np.diff(actual) > 0))

    def test_curves_have_a_panel_for_precision_where_it_was_looked_at(self):
        sizes = []
        for row in {'epoch': 1, 'loss': 2.}, {'epoch': 1, 'loss': 2., 'val_gap_precision': .5}:
            draw_curves([row, dict(row, epoch=2)], self.path('curves.png'))
            sizes.append(Image.open(self.path('curves.png')).size)
        (alone, rows), (both, rows_then) = sizes
        self.assertGreater(both, 1.8 * alone)
        self.assertLess(abs(rows - rows_then), 10)


class TablesTest(unittest.TestCase):

    def test_bars_are_of_held_out_objects_where_the_data_set_is_of_composites_alone(self):
        for source, words in ('composites', 'held-out objects and backgrounds'), ('voc', "the pictures of 'test'"), (
                'folder', "the pictures of 'test'"):
            self.assertEqual(report.test_pictures(mock.Mock(made_by={'source': source})), words)

    def test_a_cell_has_the_mean_over_runs_in_percent_and_their_standard_deviation(self):
        self.assertEqual(report.mean_and_spread([.5, .52, .57]), '53.0 ± 3.6')
        self.assertEqual(report.mean_and_spread([.5]), '50.0')

    def test_the_page_says_of_several_runs_whose_masks_it_shows_and_how_many_pictures_have_none(self):
        dataset = mock.Mock(path='a.h5', splits=np.array(['train', 'test', 'val', 'test', 'test']))
        dataset.superpixel_maps.return_value.counts = np.array([10, 20])
        run = mock.Mock(folder='run-0', about={'sizes': [32, 48], 'superpixel_names': ['fine', 'coarse'],
                                               'training': {'epochs': 8}})
        self.assertEqual(report.facts(dataset, run, ['run-0'], 3), [
            ('Data', 'a.h5: 1 train, 1 val, 3 test; thresholds are chosen on val'), ('Runs', 'run-0'),
            ('Training', 'image sizes 32, 48; superpixels fine (15 an image), coarse (15 an image); 8 epochs'),
            ('Pictures', '3 of test; the superpixels shown are fine')])
        said = dict(report.facts(dataset, run, ['run-0', 'run-1'], 2))
        self.assertEqual(said['Runs'], 'run-0, run-1; the table and the bars are the mean of all of them, the pictures '
                                       'show masks of run-0')
        self.assertEqual(said['Pictures'], '2 of the 3 of test, those with a true mask; the superpixels shown are fine')

    def test_ablations_are_compared_on_test_and_on_val_where_they_have_the_method(self):
        table = report.table_of_ablations({
            'nothing': {name: {'mean': .5, 'val': .625} for name in report.ABLATED},
            'without': {'CAM, smooth': {'mean': .25, 'val': .375}}}).splitlines()
        self.assertEqual(table[0], '| changed | ' + ' | '.join(report.ABLATED) + ' |')
        self.assertEqual(table[2], '| nothing |' + ' 50.0 (62.5) |' * len(report.ABLATED))
        self.assertEqual(table[3], '| without | 25.0 (37.5) |' + ' - |' * (len(report.ABLATED) - 1))
