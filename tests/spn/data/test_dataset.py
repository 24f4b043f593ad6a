"""The layout of a data set: what is written is read, bad input is an error, and no existing file is lost."""
import json

import h5py
import numpy as np

from spn.data import dataset
from spn.data.dataset import Dataset
from spn.errors import UnreadablePicture
from tests.processes import run_python
from tests.spn.cases import FolderTestCase, records, write_small


class LayoutTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.data = self.path('data.h5')

    def test_images_of_different_sizes_are_read_as_they_were_written(self):
        self.assertEqual(write_small(self.data), [])
        with Dataset(self.data) as data:
            self.assertEqual((len(data), data.class_names), (3, ['living', 'thing']))
            self.assertEqual(data.names.tolist(), ['face.png', 'cat.png', 'cup.png'])
            self.assertEqual(data.splits.tolist(), ['train', 'val', 'test'])
            self.assertEqual(data.sizes.tolist(), [[64, 80], [72, 64], [64, 72]])
            self.assertEqual(data.labels.tolist(), [[1, 0], [1, 1], [0, 1]])
            for i, record in enumerate(records()):
                self.assertEqual(data.image(i).dtype, 'uint8')
                np.testing.assert_array_equal(data.image(i), record.image)
                if record.mask is None:
                    self.assertIsNone(data.mask(i))
                else:
                    np.testing.assert_array_equal(data.mask(i), record.mask)
            for i, split in enumerate(['train', 'val', 'test']):
                self.assertEqual(data.indices(split).tolist(), [i])

    def test_below_and_to_the_right_of_an_image_there_is_padding_that_counts_for_nothing(self):
        write_small(self.data)
        with h5py.File(self.data, 'r') as file:
            for name, padding in [('images', 0), ('masks', 255)]:
                self.assertEqual(file[name].shape[:3], (3, 72, 80))
                for stored, (rows, cols) in zip(file[name], file['sizes']):
                    self.assertTrue(np.all(stored[rows:] == padding) and np.all(stored[:, cols:] == padding), name)
            self.assertTrue(np.all(file['masks'][2] == 255))
            self.assertEqual([file[name].dtype for name in ('images', 'masks')], ['uint8', 'uint8'])

    def test_keras_reads_each_array_with_its_HDF5Matrix(self):
        import keras_layer  # noqa: F401  before keras: it repairs what newer Pythons took away
        from keras.utils.io_utils import HDF5Matrix
        write_small(self.data)
        images, labels = HDF5Matrix(self.data, 'images', start=1), HDF5Matrix(self.data, 'labels')
        self.assertEqual((images.shape, len(labels)), ((2, 72, 80, 3), 3))
        np.testing.assert_array_equal(images[0:2][1, :64, :72], records()[2].image)
        np.testing.assert_array_equal(labels[0:3], [[1, 0], [1, 1], [0, 1]])
        np.testing.assert_array_equal(HDF5Matrix(self.data, 'masks')[1][:, :64], records()[1].mask)

    def test_the_file_says_how_it_was_made_and_the_fingerprint_identifies_the_data_set(self):
        def fingerprint(pictures):
            write_small(self.data, pictures)
            with h5py.File(self.data, 'r') as file:
                self.assertEqual(json.loads(file.attrs['made_by']), {'by': 'hand'})
            with Dataset(self.data) as data:
                return data.fingerprint, data.mask_fingerprint
        image, mask = records()[0].image, records()[0].mask
        other = [records(), records({'image': 255 - image}), records({'mask': mask.T[:64].repeat(2, 1)[:, :80]}),
                 records({'labels': np.array([0, 1], 'uint8'), 'mask': 2 * mask}), records({'split': 'val'})]
        self.assertEqual(len({fingerprint(pictures) for pictures in other}), 5)
        # No network is trained on masks.
        self.assertEqual([fingerprint(pictures)[0] == fingerprint(records())[0] for pictures in other],
                         [True, False, True, False, False])
        self.assertEqual([fingerprint(pictures)[1] == fingerprint(records())[1] for pictures in other],
                         [True, True, False, False, True])
        self.assertEqual(fingerprint(records()), fingerprint(records({'name': 'another name'})))

    def test_names_and_classes_may_be_of_any_script(self):
        dataset.write_dataset(self.data, ['Häuser', '猫'], [lambda: records({'name': '猫/ß.png'})[0]], 1, (72, 80), {})
        with Dataset(self.data) as data:
            self.assertEqual((data.class_names, data.names.tolist()), (['Häuser', '猫'], ['猫/ß.png']))

    def test_a_split_without_images_is_reported_with_what_there_is(self):
        write_small(self.data, records()[:2])
        with Dataset(self.data) as data:
            self.assert_says([self.data, "no image in the split 'test'", "1 in 'train', 1 in 'val', 0 in 'test'"],
                             data.indices, 'test')


class BadFilesTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.data = self.path('data.h5')

    def test_a_file_that_is_missing(self):
        self.assert_says([self.data, 'is not there', '`spn data` makes a data set'], Dataset, self.data)

    def test_a_file_that_is_not_an_HDF5_file(self):
        self.write('data.h5', 'a letter')
        self.assert_says([self.data, 'is cut short or not an HDF5 file', 'make it again with `spn data`'], Dataset,
                         self.data)

    def test_a_file_cut_short_anywhere(self):
        write_small(self.data)
        with open(self.data, 'rb') as stream:
            whole = stream.read()
        for share in 0, .01, .1, .5, .9, .999:
            self.write('data.h5', whole[:int(share * len(whole))])
            self.assert_says([self.data, 'is cut short or not an HDF5 file'], Dataset, self.data)

    def test_a_file_of_another_layout(self):
        with h5py.File(self.data, 'w') as file:
            file['images'] = np.zeros(3)
        self.assert_says([self.data, 'its layout is None', "wanted is 'spn data set 1'"], Dataset, self.data)
        with h5py.File(self.data, 'r+') as file:
            file.attrs['layout'] = 'spn data set 0'
        self.assert_says(["spn data set 0'", 'make it again with `spn data`'], Dataset, self.data)

    def test_a_file_that_lacks_an_array(self):
        write_small(self.data)
        with h5py.File(self.data, 'r+') as file:
            del file['splits']
        self.assert_says([self.data, 'is not whole', 'splits', 'make it again'], Dataset, self.data)

    def test_a_file_that_was_damaged(self):
        write_small(self.data)
        with open(self.data, 'rb') as stream:
            whole = stream.read()
        # One bit in the index of the file. In a separate process, because old HDF5 libraries report damage when they
        # are unloaded.
        place = whole.index(b'layout') + 10
        self.write('data.h5', whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        said = run_python('''
from spn.data.dataset import Dataset
from spn.errors import SpnError
try:
    Dataset('data.h5')
except SpnError as error:
    print(error)
''', folder=self.folder)
        self.assertRegex(said, '^data.h5 is cut short or not an HDF5 file .*checksum.*make it again')


class BadRecordsTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.data = self.path('data.h5')
        write_small(self.data)
        with open(self.data, 'rb') as stream:
            self.before = stream.read()

    def assert_untouched(self):
        self.assertEqual(self.files(), ['data.h5'])
        with open(self.data, 'rb') as stream:
            self.assertEqual(stream.read(), self.before)

    def assert_refuses(self, changed, *words):
        self.assert_says(('face.png',) + words, write_small, self.data, records(changed))
        self.assert_untouched()

    def test_labels_and_mask_that_disagree(self):
        mask = records()[0].mask
        self.assert_refuses({'labels': np.array([0, 1], 'uint8')}, 'labels and mask disagree', 'labelled thing',
                            'its mask shows living')
        self.assert_refuses({'labels': np.array([1, 1], 'uint8')}, 'labelled living and thing', 'shows living')
        self.assert_refuses({'mask': 0 * mask}, 'labelled living', 'its mask shows nothing')
        self.assert_refuses({'labels': np.zeros(2, 'uint8')}, 'labelled nothing', 'shows living')

    def test_a_mask_of_an_unknown_class(self):
        self.assert_refuses({'mask': 3 * records()[0].mask}, 'the mask holds 3, but there are 2 classes',
                            '0 is background, 255 unknown')

    def test_a_mask_of_another_size(self):
        self.assert_refuses({'mask': records()[0].mask.T}, 'the mask is (80, 64), but the image is (64, 80)')

    def test_an_invalid_image(self):
        image = records()[0].image
        self.assert_refuses({'image': image[..., 0]}, '(64, 80) of uint8', '(rows, cols, 3)')
        self.assert_refuses({'image': image / 255.}, 'of float64')

    def test_an_unknown_split(self):
        self.assert_refuses({'split': 'dev'}, "the split is 'dev'", 'train, val, test')

    def test_pictures_that_cannot_be_read_are_skipped_and_reported(self):
        def unreadable():
            raise UnreadablePicture('dog.png is broken')
        skipped = dataset.write_dataset(self.data, ['living', 'thing'], [unreadable] + [
            lambda record=record: record for record in records()] + [unreadable], 5, (72, 80), {})
        self.assertEqual(skipped, ['dog.png is broken'] * 2)
        with Dataset(self.data) as data:
            self.assertEqual(data.names.tolist(), ['face.png', 'cat.png', 'cup.png'])
            np.testing.assert_array_equal(data.image(2), records()[2].image)
        with h5py.File(self.data, 'r') as file:
            self.assertEqual({len(file[name]) for name in file}, {3})

    def test_no_picture_at_all(self):
        def unreadable():
            raise UnreadablePicture('dog.png is broken')
        self.assert_says([self.data, 'was not written', 'none of 2 pictures', 'dog.png is broken'],
                         dataset.write_dataset, self.data, ['living'], [unreadable] * 2, 2, (72, 80), {})
        self.assert_untouched()
        self.assert_says(['none of 0 pictures'], dataset.write_dataset, self.data, ['living'], [], 0, (72, 80), {})
        self.assert_untouched()

    def test_more_classes_than_a_mask_can_hold(self):
        self.assert_says(['of 255 classes, masks can hold 254'],
                         dataset.write_dataset, self.data, ['class'] * 255, [], 0, (72, 80), {})
        self.assert_untouched()

    def test_a_run_that_is_stopped_leaves_the_file_as_it_was(self):
        def stop():
            raise KeyboardInterrupt
        with self.assertRaises(KeyboardInterrupt):
            dataset.write_dataset(self.data, ['living', 'thing'], [lambda: records()[0], stop], 2, (72, 80), {})
        self.assert_untouched()

    def write_on_full_disk(self, action, limits):
        """Write in a separate process in which no file may exceed each of the `limits`; returns what it prints."""
        return run_python(FULL_DISK.format(action=action, limits=list(limits)), folder=self.folder).splitlines()

    def test_a_full_disk_is_a_sentence_wherever_it_strikes_and_leaves_the_file_as_it_was(self):
        # HDF5 would fail at another point each time: when it creates the file, writes its index, writes pictures, or
        # closes. When the process has ended, nothing may remain of the file.
        size = len(self.before)
        limits = [1, 1000, 4000, size // 2, size - 1]
        said = self.write_on_full_disk('write_small("data.h5")', limits)
        self.assertEqual(len(said), len(limits))
        for sentence in said:
            self.assertRegex(sentence, '^data.h5 could not be written: .*File too large.*make room')
        self.assert_untouched()

    def test_a_full_disk_ends_the_run_at_once(self):
        said = self.write_on_full_disk('dataset.write_dataset("data.h5", ["a"], noise(1000), 1000, (64, 80), {})',
                                       [200000])
        self.assertEqual(len(said), 1)
        self.assertLess(len(self.files()), 100)


#: Prints a sentence for each limit to the size of files, which h5py meets as it meets the end of a disk.
FULL_DISK = """
import resource, signal
import numpy as np
from spn.data import dataset
from spn.data.dataset import Record
from spn.errors import SpnError
from tests.spn.cases import records, write_small


def noise(n):
    def make(i):
        open('made{{}}'.format(i), 'w').close()
        return Record('', np.random.randint(256, size=(64, 80, 3)).astype('uint8'), np.ones(1, 'uint8'), None, 'train')
    return [lambda i=i: make(i) for i in range(n)]


signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for limit in {limits}:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        {action}
    except SpnError as error:
        print(error)
"""
