"""Superpixel maps next to a data set: read as they were written, of several names, with padding that is not seen."""
import numpy as np

from spn.data.dataset import Dataset
from spn.data.superpixel_maps import folder_of
from tests.spn.cases import FolderTestCase, add_superpixels, records, write_small


class SuperpixelsTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.data = self.path('data.h5')
        write_small(self.data)
        # By columns; the middle of the second belongs to no superpixel.
        self.maps = [np.arange(cols) * n // cols * np.ones((rows, 1), int)
                     for n, (rows, cols) in zip([3, 8, 5], [(64, 80), (72, 64), (64, 72)])]
        self.maps[1][20:30] = -1

    def test_maps_are_read_as_they_were_written_with_their_counts(self):
        add_superpixels(self.data, 'columns', self.maps, {'method': 'by hand'})
        with Dataset(self.data) as data:
            maps = data.superpixel_maps('columns')
            self.assertEqual((len(maps), maps.n_superpixels, maps.counts.tolist()), (3, 8, [3, 8, 5]))
            self.assertEqual(maps.made_by, {'method': 'by hand'})
            for i in range(3):
                self.assertEqual(maps[i].dtype, 'int32')
                np.testing.assert_array_equal(maps[i], self.maps[i])
            np.testing.assert_array_equal(data.image(1), records()[1].image)

    def test_maps_of_one_name_are_replaced_and_those_of_others_stay(self):
        add_superpixels(self.data, 'a', self.maps, {'method': 'first'})
        add_superpixels(self.data, 'b', self.maps, {'method': 'first'})
        add_superpixels(self.data, 'a', list(map(np.zeros_like, self.maps)), {'method': 'second'})
        with Dataset(self.data) as data:
            self.assertEqual(data.superpixel_names(), ['a', 'b'])
            self.assertEqual([data.superpixel_maps(name).n_superpixels for name in 'ab'], [1, 8])
            self.assertEqual(data.superpixel_maps('a').made_by, {'method': 'second'})
            np.testing.assert_array_equal(data.superpixel_maps('b')[1], self.maps[1])

    def test_missing_maps_are_reported_with_those_that_exist(self):
        with Dataset(self.data) as data:
            self.assert_says(["no superpixels 'slic'", 'it has none at all', '`spn superpixels'],
                             data.superpixel_maps, 'slic')
        add_superpixels(self.data, 'columns', self.maps, {})
        with Dataset(self.data) as data:
            self.assert_says(['it has columns.'], data.superpixel_maps, 'slic')

    def test_maps_are_in_a_folder_next_to_the_data_set_which_is_not_changed(self):
        with open(self.data, 'rb') as stream:
            before = stream.read()
        add_superpixels(self.data, 'columns', self.maps, {})
        self.assertEqual(self.files(), ['data.h5', 'data.superpixels-columns/000000.h5',
                                        'data.superpixels-columns/made_by.json'])
        with open(self.data, 'rb') as stream:
            self.assertEqual(stream.read(), before)
        self.assertEqual(folder_of('some/data.h5', 'a.b'), 'some/data.superpixels-a.b')

    def test_labels_below_0_are_no_superpixels_and_gaps_do_not_count(self):
        self.maps[0][:] = 0
        self.maps[0][5] = 6
        self.maps[0][7] = -9
        add_superpixels(self.data, 'gaps', self.maps, {})
        with Dataset(self.data) as data:
            maps = data.superpixel_maps('gaps')
            self.assertEqual((maps.counts.tolist(), maps.n_superpixels), ([2, 8, 5], 8))
            self.assertEqual(maps[0][7].tolist(), [-9] * 80)

    def test_the_fingerprint_is_of_the_maps_and_their_order(self):
        fingerprints = set()
        for k, maps in enumerate([self.maps, [each.copy() for each in self.maps]]):
            maps[2][3, 4] = k
            add_superpixels(self.data, 'columns', maps, {})
            with Dataset(self.data) as data:
                fingerprints.add(data.superpixel_maps('columns').fingerprint)
        write_small(self.data, records()[::-1])
        with Dataset(self.data) as data:
            fingerprints.add(data.superpixel_maps('columns').fingerprint)
        self.assertEqual(len(fingerprints), 3)
