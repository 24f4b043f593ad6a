"""Superpixels of every method and of the user: numbered without gaps, along edges of the picture, resumable."""
import os
import shutil
from unittest import mock

import numpy as np
from PIL import Image
from skimage import measure

from spn.data import dataset, superpixels
from spn.data.dataset import Dataset, Record
from spn.data.superpixel_maps import KIND, folder_of
from spn.data.superpixels import METHODS, user_superpixel_map, method_settings, superpixel_map
from spn.workers import HERE, LocalProcesses
from tests.spn.cases import FolderTestCase, photographs, write_small


def spread(superpixel_map):
    """The mean squared distance of pixels from the centre of their superpixel, divided by its size: 1/6 of a square."""
    labels = superpixel_map.ravel()
    sizes = np.bincount(labels)
    squares = sum((places - (np.bincount(labels, places) / sizes)[labels]) ** 2
                  for places in np.indices(superpixel_map.shape).reshape(2, -1).astype(float))
    return np.mean(squares / sizes[labels])


class MethodsTest(FolderTestCase):

    def test_superpixels_are_numbered_from_0_without_gaps_and_each_is_of_one_piece(self):
        for method in METHODS:
            for photograph in photographs():
                labels = superpixel_map(photograph, method_settings(method, {}))
                self.assertEqual((labels.dtype, labels.shape), ('int32', photograph.shape[:2]))
                self.assertEqual(np.unique(labels).tolist(), list(range(labels.max() + 1)), method)
                # As many connected pieces as superpixels. (Pieces of SLIC and Felzenszwalb may be connected only at a
                # corner.)
                self.assertEqual(measure.label(labels, background=-1, connectivity=2).max(), labels.max() + 1, method)

    def test_superpixels_keep_to_an_edge_that_anyone_can_see(self):
        image = np.zeros((60, 90, 3), 'uint8')
        image[:, 37:], image[20:, 70:] = (200, 30, 30), (30, 200, 30)
        regions = 1 * np.all(image == (200, 30, 30), axis=-1) + 2 * np.all(image == (30, 200, 30), axis=-1)
        for method in 'felzenszwalb', 'slic', 'watershed':
            given = {} if method == 'felzenszwalb' else {'n_segments': 60}
            labels = superpixel_map(image, method_settings(method, given))
            strays = sum((labels == k).sum() - np.bincount(regions[labels == k]).max() for k in range(labels.max() + 1))
            # A watershed runs along one of the two columns next to an edge.
            self.assertLessEqual(strays, {'watershed': 60 + 40 + 20}.get(method, 0), method)
        # Nothing else is in the picture.
        np.testing.assert_array_equal(superpixel_map(image, method_settings('felzenszwalb', {'sigma': 1e-9})), regions)

    def test_a_grid_by_hand(self):
        image = np.zeros((4, 6, 3), 'uint8')
        np.testing.assert_array_equal(superpixel_map(image, method_settings('grid', {'n_segments': 6})),
                                      [[0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2], [3, 3, 4, 4, 5, 5], [3, 3, 4, 4, 5, 5]])
        np.testing.assert_array_equal(superpixel_map(image[:3, :5], method_settings('grid', {'n_segments': 2})),
                                      [[0, 0, 0, 1, 1]] * 3)
        np.testing.assert_array_equal(superpixel_map(image[:2, :3], method_settings('grid', {'n_segments': 999})),
                                      [[0, 1, 2], [3, 4, 5]])

    def test_a_setting_changes_what_it_is_for(self):
        face = photographs()[0]

        def count(method, **given):
            return superpixel_map(face, method_settings(method, given)).max() + 1
        self.assertGreater(count('felzenszwalb', min_size=10), 1.5 * count('felzenszwalb'))
        self.assertGreater(count('felzenszwalb', scale=10., min_size=10), 1.5 * count('felzenszwalb', min_size=10))
        self.assertGreater(count('felzenszwalb', sigma=.1, min_size=10), count('felzenszwalb', sigma=2., min_size=10))
        sizes = np.bincount(superpixel_map(face, method_settings('felzenszwalb', {'min_size': 50})).ravel())
        self.assertGreaterEqual(sizes.min(), 50)
        for method in 'slic', 'watershed', 'grid':
            for n in 20, 80:
                self.assertTrue(.6 * n <= count(method, n_segments=n) <= 1.4 * n, (method, n))
        for method in 'slic', 'watershed':
            loose, compact = [spread(superpixel_map(face, method_settings(method, {'compactness': compactness})))
                              for compactness in (.001, 100.)]
            self.assertGreater(loose, 1.2 * compact, method)

    def test_pictures_of_a_few_pixels_have_superpixels_too(self):
        for method in METHODS:
            for shape in [(1, 1), (1, 9), (9, 1), (3, 5)]:
                labels = superpixel_map(np.full(shape + (3,), 77, 'uint8'), method_settings(method, {}))
                self.assertEqual(np.unique(labels).tolist(), list(range(labels.max() + 1)), (method, shape))

    def test_settings_that_a_method_does_not_have(self):
        self.assert_says(["no superpixel method 'seeds'", 'felzenszwalb, grid, slic, watershed'], method_settings,
                         'seeds', {})
        self.assert_says(["slic has no setting 'scale'", 'n_segments, compactness'], method_settings, 'slic',
                         {'scale': 3.})
        for value in 0, -1., float('nan'), float('inf'):
            self.assert_says(['scale={}'.format(value), 'above 0'], method_settings, 'felzenszwalb', {'scale': value})
        self.assert_says(['n_segments=0.5', 'must be a whole number'], method_settings, 'slic', {'n_segments': .5})
        self.assertEqual(method_settings('grid', {'n_segments': 50.}), {'method': 'grid', 'n_segments': 50})


class MapsOfUserTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        # Three superpixels of any numbers, in the order of their numbers 0, 1, 2.
        self.given = np.array([[300, 300, 7], [7, 1000, 7]])
        self.wanted = [[1, 1, 0], [0, 2, 0]]

    def map_of(self, name='face.jpg'):
        return user_superpixel_map(self.folder, name, np.array([2, 3], 'int32'))

    def test_an_array_of_any_numbers_is_numbered_anew(self):
        for dtype in 'int16', 'uint16', 'int64', 'uint64':
            np.save(self.path('face.npy'), self.given.astype(dtype))
            self.assertEqual((self.map_of().dtype, self.map_of().tolist()), ('int32', self.wanted))

    def test_negative_numbers_belong_to_no_superpixel(self):
        np.save(self.path('face.npy'), np.where(self.given == 7, -5, self.given))
        self.assertEqual(self.map_of().tolist(), [[0, 0, -1], [-1, 1, -1]])

    def test_pictures_of_8_bits_of_16_bits_with_a_palette_and_in_colours(self):
        palette = Image.fromarray(np.array(self.wanted, 'uint8'), 'P')
        palette.putpalette([200, 0, 0, 0, 0, 0, 90, 90, 90])  # the numbers count, not their colours
        colours = np.array([[0, 0, 255], [0, 1, 0], [1, 0, 0]], 'uint8')[np.array(self.wanted)]
        transparent = np.dstack([colours, np.array([[255, 9, 255], [0, 1, 2]], 'uint8')])
        for picture in (Image.fromarray(10 * np.array(self.wanted, 'uint8') + 5), palette,
                        Image.fromarray(self.given.astype('uint16')), Image.fromarray(self.given.astype('int32'), 'I'),
                        Image.fromarray(colours), Image.fromarray(transparent)):
            picture.save(self.path('face.png'))
            self.assertEqual(self.map_of().tolist(), self.wanted, picture.mode)

    def test_maps_outside_of_the_folder_are_not_read(self):
        inner, outer = os.path.join(self.folder, 'maps'), self.path('secret.npy')
        os.makedirs(inner)
        np.save(outer, self.given)
        os.symlink(outer, os.path.join(inner, 'face.npy'))
        for name in 'face.jpg', '../secret.jpg', os.path.join(self.folder, 'secret.jpg'):
            self.assert_says(['leads out of ' + inner], user_superpixel_map, inner, name, (2, 3))

    def test_pictures_of_one_name_in_two_folders_have_maps_in_two_folders(self):
        np.save(self.path('cat', '1.npy'), np.zeros((2, 3), int))
        np.save(self.path('dog', '1.npy'), self.given)
        self.assertEqual(self.map_of('dog/1.jpg').tolist(), self.wanted)
        self.assertEqual(self.map_of('cat/1.jpg').max(), 0)

    def test_a_map_that_is_missing(self):
        self.assert_says([self.folder, 'no superpixel map for pets/cat.jpg', 'pets/cat.npy or pets/cat.png'],
                         self.map_of, 'pets/cat.jpg')

    def test_a_map_of_another_size(self):
        np.save(self.path('face.npy'), self.given.T)
        self.assert_says([self.path('face.npy'), 'is (3, 2), but the picture face.jpg is (2, 3)'], self.map_of)
        np.save(self.path('face.npy'), self.given[np.newaxis])
        self.assert_says(['is (1, 2, 3), but'], self.map_of)
        # Not taken for colours.
        np.save(self.path('face.npy'), np.zeros((2, 3, 3), int))
        self.assert_says(['is (2, 3, 3), but'], self.map_of)

    def test_numbers_that_are_not_whole(self):
        for given in self.given / 2., np.zeros((2, 3, 3), 'float32'), self.given > 7:
            np.save(self.path('face.npy'), given)
            self.assert_says([self.path('face.npy'), 'holds {}'.format(given.dtype), 'wanted are whole numbers'],
                             self.map_of)

    def test_a_map_without_superpixels(self):
        np.save(self.path('face.npy'), np.full((2, 3), -1))
        self.assert_says([self.path('face.npy'), 'has no superpixel'], self.map_of)

    def test_files_that_are_broken(self):
        labels = np.random.RandomState(0).randint(99, size=(200, 300)).astype('uint8')
        Image.fromarray(labels).save(self.path('face.png'))
        with open(self.path('face.png'), 'r+b') as stream:
            stream.truncate(9000)
        self.assert_says([self.path('face.png'), 'cannot be read'], user_superpixel_map, self.folder, 'face.jpg',
                         (200, 300))
        for content in b'', b'a letter', b'\x93NUMPY\x01\x00':
            self.write('face.npy', content)
            self.assert_says([self.path('face.npy'), 'cannot be read as a superpixel map'], self.map_of)
        np.save(self.path('face.npy'), np.array([{}]), allow_pickle=True)
        self.assert_says([self.path('face.npy'), 'cannot be read as a superpixel map'], self.map_of)


class MakeTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.data = self.path('data.h5')

    def write_many(self, n, seed=0):
        """A data set of `n` parts of a photograph, each of another size."""
        cat = photographs()[1]
        pictures = [
            Record('{}.png'.format(i), cat[seed + i % 40:seed + 20 + i % 40 + i % 7, i % 30:i % 30 + 16 + i % 3],
                   np.ones(2, 'uint8'), None, 'train') for i in range(n)]
        dataset.write_dataset(self.data, ['a', 'b'], [lambda record=record: record for record in pictures], n, (30, 20),
                              {})
        return [record.image for record in pictures]

    def stored(self, name='maps'):
        with Dataset(self.data) as data:
            maps = data.superpixel_maps(name)
            return [maps[i] for i in range(len(maps))]

    def test_every_image_has_its_map_and_the_counts_are_true_whatever_the_number_of_processes(self):
        write_small(self.data)
        for method in METHODS:
            for n_workers in 1, 2:
                shutil.rmtree(folder_of(self.data, method), ignore_errors=True)
                counts = superpixels.make_superpixels(self.data, method, method_settings(method, {}),
                                                      LocalProcesses(n_workers))
                for photograph, labels, count in zip(photographs(), self.stored(method), counts):
                    np.testing.assert_array_equal(labels, superpixel_map(photograph, method_settings(method, {})))
                    self.assertEqual(count, len(np.unique(labels)))
        with Dataset(self.data) as data:
            self.assertEqual(data.superpixel_names(), sorted(METHODS))
            self.assertEqual(data.superpixel_maps('slic').made_by, method_settings('slic', {}))
        self.assertEqual(self.files(), ['data.h5'] + ['data.superpixels-{}/{}'.format(method, name) for method in
                                                      sorted(METHODS) for name in ('000000.h5', 'made_by.json')])
        self.assertIn('3/3', self.shown.getvalue())

    def run_counted(self, settings, stop_before=None):
        """Make maps in this process and return the parts that were computed; stop before a part, as Ctrl-C does."""
        computed = []

        def counted(path, settings, places):
            if places[0] // 16 == stop_before:
                raise KeyboardInterrupt
            computed.append(places[0] // 16)
            return part_of(path, settings, places)
        part_of = superpixels.part_of
        with mock.patch.object(superpixels, 'part_of', counted), \
                mock.patch.object(superpixels, 'KIND', KIND._replace(size=16)):
            if stop_before is None:
                superpixels.make_superpixels(self.data, 'maps', settings, HERE)
            else:
                with self.assertRaises(KeyboardInterrupt):
                    superpixels.make_superpixels(self.data, 'maps', settings, HERE)
        return computed

    def test_a_run_that_was_stopped_goes_on_where_it_was(self):
        images, settings = self.write_many(70), method_settings('grid', {'n_segments': 12})
        self.assertEqual(self.run_counted(settings, stop_before=2), [0, 1])
        self.assertIn('data.superpixels-maps/000001.h5', self.files())
        with Dataset(self.data) as data:
            self.assert_says(["no superpixels 'maps' for 38 of its 70 pictures, 32.png the first", 'n_segments=12'],
                             data.superpixel_maps, 'maps')
        self.assertEqual(self.run_counted(settings), [2, 3, 4])
        for image, labels in zip(images, self.stored()):
            np.testing.assert_array_equal(labels, superpixel_map(image, settings))
        self.assertEqual(self.run_counted(settings), [])

    def test_maps_of_other_settings_are_replaced_when_the_new_ones_are_finished(self):
        images = self.write_many(40)
        first, second, third = [method_settings('grid', {'n_segments': n}) for n in (12, 4, 6)]
        self.run_counted(first)
        self.assertEqual(self.run_counted(second, stop_before=2), [0, 1])
        for settings in first, second, third:
            for image, labels in zip(images, self.stored()):
                np.testing.assert_array_equal(labels, superpixel_map(image, settings))
            # What there is of the second ones is kept until they are finished, or the third ones are begun.
            self.assertEqual(self.run_counted(second if settings == first else third),
                             {12: [2], 4: [0, 1, 2], 6: []}[settings['n_segments']])
        self.assertEqual(self.files(), ['data.h5'] + ['data.superpixels-maps/' + name for name in (
            '000000.h5', '000001.h5', '000002.h5', 'made_by.json')])

    def test_maps_of_pictures_that_are_gone_are_removed_and_counted(self):
        self.write_many(40)
        settings = method_settings('grid', {'n_segments': 12})
        self.run_counted(settings)
        images = self.write_many(40, seed=1)
        self.run_counted(settings)
        for image, labels in zip(images, self.stored()):
            np.testing.assert_array_equal(labels, superpixel_map(image, settings))
        self.assertRegex(self.shown.getvalue(), 'data.superpixels-maps: superpixel maps of [0-9]+ pictures are dropped')

    def test_a_data_set_that_is_made_again_meanwhile_is_reported(self):
        self.write_many(40)
        part_of = superpixels.part_of

        def late(path, settings, places):
            if places[0] == 16:
                self.write_many(40, seed=1)
            return part_of(path, settings, places)
        with mock.patch.object(superpixels, 'part_of', late), \
                mock.patch.object(superpixels, 'KIND', KIND._replace(size=16)):
            self.assert_says(['was made again while this was computed', 'run the same command again'],
                             superpixels.make_superpixels, self.data, 'maps', method_settings('grid', {}), HERE)

    def test_maps_that_the_user_changed_meanwhile_are_read_anew(self):
        images = self.write_many(20)
        for value in 0, 1:
            for i, image in enumerate(images):
                np.save(self.path('maps', '{}.npy'.format(i)),
                        value * np.arange(image[..., 0].size).reshape(image.shape[:2]))
            settings = {'folder': self.path('maps')}
            self.assertEqual(self.run_counted(settings, stop_before=1 if value == 0 else None), [0, 1][:value + 1])
        self.assertEqual([labels.max() + 1 for labels in self.stored()], [image[..., 0].size for image in images])

    def test_a_map_of_the_user_that_is_wrong_stops_before_anything_is_changed(self):
        write_small(self.data)
        superpixels.make_superpixels(self.data, 'maps', method_settings('grid', {}))
        before = self.stored()
        for name, photograph in zip(['face', 'cat', 'cup'], photographs()):
            Image.fromarray(photograph[:, :64, 0]).save(self.path('given', name + '.png'))
        self.assert_says([os.path.join('given', 'face.png'), 'is (64, 64), but the picture face.png is (64, 80)'],
                         superpixels.make_superpixels, self.data, 'maps', {'folder': self.path('given')})
        for old, labels in zip(before, self.stored()):
            np.testing.assert_array_equal(labels, old)

    def test_a_name_that_superpixels_cannot_have(self):
        write_small(self.data)
        for name in '', 'a/b':
            self.assert_says([repr(name), 'choose a name'], superpixels.make_superpixels, self.data, name,
                             method_settings('grid', {}))

    def test_a_data_set_that_does_not_exist(self):
        self.assert_says([self.data, 'is not there'], superpixels.make_superpixels, self.data, 'maps',
                         method_settings('grid', {}))
        self.assertEqual(self.files(), [])
