"""A data set that is made again: results for unchanged pictures are kept, and what is dropped is reported."""
from unittest import mock

import numpy as np

from spn.data import superpixels
from spn.data.dataset import Dataset
from spn.data.superpixels import method_settings
from spn.networks import features
from spn.workers import HERE
from tests.spn.cases import FolderTestCase, add_superpixels, records, write_small
from tests.spn.networks.test_encoder import EncoderByHand

FACE, CAT, CUP = range(3)


class MadeAnewTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.data = self.path('data.h5')
        write_small(self.data)
        # Not the name of a method, so these can only be kept.
        self.maps = [np.arange(record.image[..., 0].size).reshape(record.image.shape[:2]) // 7 for record in records()]
        add_superpixels(self.data, 'mine', self.maps, {'method': 'by hand'})

    def read(self, name='mine'):
        with Dataset(self.data) as data:
            maps = data.superpixel_maps_so_far(name)
            return [maps[i] if count >= 0 else None for i, count in enumerate(maps.counts)]

    def test_masks_that_are_added_cost_neither_superpixels_nor_features(self):
        first, second = EncoderByHand(), EncoderByHand()
        features.make_features(self.data, 32, first).close()
        cup = records()[CUP]
        write_small(self.data, records()[:2] + [cup._replace(mask=np.full(cup.image.shape[:2], 2, 'uint8'))])
        features.make_features(self.data, 32, second).close()
        self.assertEqual((first.encoded, second.encoded), (3, 0))
        for actual, wanted in zip(self.read(), self.maps):
            np.testing.assert_array_equal(actual, wanted)
        self.assertNotIn('dropped', self.shown.getvalue())

    def test_pictures_in_another_order_under_other_names_keep_what_is_theirs(self):
        before = features.make_features(self.data, 32, EncoderByHand())
        wanted = [before[i] for i in range(3)]
        before.close()
        write_small(self.data, [record._replace(name='renamed.png') for record in records()[::-1]])
        idle = EncoderByHand()
        after = features.make_features(self.data, 32, idle)
        self.addCleanup(after.close)
        self.assertEqual(idle.encoded, 0)
        for i in range(3):
            np.testing.assert_array_equal(after[i], wanted[2 - i])
            np.testing.assert_array_equal(self.read()[i], self.maps[2 - i])

    def test_features_are_averaged_over_the_pictures_that_are_to_be_trained_on_now(self):
        before = features.make_features(self.data, 32, EncoderByHand())
        cat_rms = float(np.mean(before[CAT].astype('float64') ** 2) ** .5)
        before.close()
        face, cat, cup = [records()[k] for k in (FACE, CAT, CUP)]
        write_small(self.data, [face._replace(split='val'), cat._replace(split='train'), cup])
        idle = EncoderByHand()
        after = features.make_features(self.data, 32, idle)
        self.addCleanup(after.close)
        self.assertEqual(idle.encoded, 0)
        self.assertAlmostEqual(after.rms, cat_rms, places=6)

    def test_only_what_is_new_is_computed(self):
        settings = method_settings('grid', {'n_segments': 12})
        superpixels.make_superpixels(self.data, 'grid', settings, HERE)
        features.make_features(self.data, 32, EncoderByHand()).close()
        pictures = records()
        new = pictures[FACE]._replace(name='new.png', image=255 - pictures[FACE].image)
        write_small(self.data, [new] + pictures[1:])
        with Dataset(self.data) as data:
            self.assert_says(["no superpixels 'grid' for 1 of its 3 pictures, new.png the first", '`spn superpixels',
                              'n_segments=12'], data.superpixel_maps, 'grid')
        computed = []

        def counted(path, settings, places):
            computed.extend(places)
            return part_of(path, settings, places)
        part_of = superpixels.part_of
        with mock.patch.object(superpixels, 'part_of', counted):
            superpixels.make_superpixels(self.data, 'grid', settings, HERE)
        self.assertEqual(computed, [0])
        for record, grid in zip([new] + pictures[1:], self.read('grid')):
            np.testing.assert_array_equal(grid, superpixels.superpixel_map(record.image, settings))
        self.assertIsNone(self.read()[0])
        np.testing.assert_array_equal(self.read()[CAT], self.maps[CAT])
        again = EncoderByHand()
        features.make_features(self.data, 32, again).close()
        self.assertEqual(again.encoded, 1)

    def test_maps_that_the_user_brought_belong_to_a_picture_of_their_name_alone(self):
        add_superpixels(self.data, 'brought', self.maps, {'folder': 'maps'})
        write_small(self.data, [records()[FACE]._replace(name='other.png')] + records()[1:])
        self.assertEqual([superpixel_map is None for superpixel_map in self.read('brought')], [True, False, False])

    def test_a_data_set_that_cannot_be_read_is_replaced(self):
        self.write('data.h5', 'a letter')
        write_small(self.data)
        with Dataset(self.data) as data:
            self.assertEqual(len(data), 3)
