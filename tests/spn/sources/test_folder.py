"""Folders of pictures, one for each class."""
import os

import numpy as np
from skimage import data

from spn.dataset import Dataset
from spn.sources import folder
from tests.spn.cases import FolderTestCase
from tests.spn.sources.pictures import jpeg, png


class FolderTest(FolderTestCase):

    def setUp(self):
        super(FolderTest, self).setUp()
        self.data, self.pictures = self.path('data.h5'), self.path('pictures')
        self.cat = data.chelsea()[80:150, 100:190]

    def add(self, class_name, n, shape=(20, 30)):
        for i in range(n):
            self.write('pictures/{}/{}.png'.format(class_name, i), png(self.cat[i:i + shape[0], i:i + shape[1]]))

    def make(self, seed=0, **options):
        """Make the data set; what was skipped and, by name, (split, label, image, mask)."""
        skipped = folder.make(self.data, self.pictures, seed, **options)
        with Dataset(self.data) as found:
            self.assertTrue(np.all(found.labels.sum(axis=1) == 1))
            return skipped, {name: (found.splits[i], found.class_names[np.argmax(found.labels[i])], found.image(i),
                                    found.mask(i)) for i, name in enumerate(found.names)}

    def test_a_picture_has_the_label_of_its_folder(self):
        self.add('cat', 4)
        self.add('dog', 3, shape=(25, 18))
        self.write('pictures/dog/deeper/9.jpg', jpeg(self.cat))
        self.write('pictures/.trash/0.png', png(self.cat))
        self.write('pictures/dog/.DS_Store', 'hidden')
        self.write('pictures/list.txt', 'beside the folders')
        skipped, found = self.make()
        self.assertEqual(skipped, [])
        self.assertEqual({name: label for name, (_, label, _, _) in found.items()}, {
            'cat/0.png': 'cat', 'cat/1.png': 'cat', 'cat/2.png': 'cat', 'cat/3.png': 'cat',
            'dog/0.png': 'dog', 'dog/1.png': 'dog', 'dog/2.png': 'dog', 'dog/deeper/9.jpg': 'dog'})
        np.testing.assert_array_equal(found['cat/2.png'][2], self.cat[2:22, 2:32])
        np.testing.assert_array_equal(found['dog/2.png'][2], self.cat[2:27, 2:20])
        self.assertTrue(all(mask is None for _, _, _, mask in found.values()))

    def test_of_each_class_70_percent_are_train_and_15_are_val_and_15_test(self):
        for name, n in [('a', 1), ('b', 2), ('c', 3), ('d', 20), ('e', 40)]:
            self.add(name, n)
        _, found = self.make()
        for name, wanted in [('a', (1, 0, 0)), ('b', (2, 0, 0)), ('c', (1, 1, 1)), ('d', (14, 3, 3)), ('e', (28, 6, 6))]:
            splits = [split for split, label, _, _ in found.values() if label == name]
            self.assertEqual(tuple(splits.count(split) for split in ('train', 'val', 'test')), wanted)

    def test_the_seed_deals_the_pictures_out_and_another_class_moves_none(self):
        def splits(seed):
            return {name: split for name, (split, _, _, _) in self.make(seed)[1].items() if name[:3] in ('cat', 'dog')}
        self.add('cat', 20)
        self.add('dog', 20)
        first = splits(0)
        self.assertEqual(splits(0), first)
        self.assertNotEqual(splits(1), first)
        self.assertNotEqual([first['cat/{}.png'.format(i)] for i in range(20)],
                            [first['dog/{}.png'.format(i)] for i in range(20)])
        self.add('bird', 3)
        self.assertEqual(splits(0), first)

    def test_masks_are_read_where_they_are_and_all_that_is_not_0_is_the_object(self):
        self.add('cat', 1)
        self.add('dog', 2)
        values = np.random.RandomState(0).choice([0, 1, 128, 255], size=(20, 30)).astype('uint8')
        self.write('pictures/masks/dog/1.png', png(values))
        skipped, found = self.make()
        self.assertEqual(skipped, [])
        np.testing.assert_array_equal(found['dog/1.png'][3], np.where(values > 0, 2, 0))
        self.assertIsNone(found['dog/0.png'][3])
        _, found = self.make(max_side=15)
        np.testing.assert_array_equal(found['dog/1.png'][3], np.where(values[1::2, 1::2] > 0, 2, 0))

    def test_a_mask_of_no_picture_is_named(self):
        self.add('cat', 1)
        self.write('pictures/masks/cat/00.png', png(self.cat))
        self.write('pictures/masks/bird/0.png', png(self.cat))
        skipped, _ = self.make()
        self.assertEqual(skipped, ['{}/masks/{}.png was left out: it is the mask of no picture'.format(self.pictures, name)
                                   for name in ('bird/0', 'cat/00')])

    def test_broken_pictures_are_named_and_skipped(self):
        self.add('cat', 3)
        whole = jpeg(self.cat)
        for name, content in [('cut.jpg', whole[:len(whole) // 2]), ('notes.txt', b'a letter'), ('zero.jpg', b'')]:
            self.write('pictures/cat/' + name, content)
        skipped, found = self.make()
        self.assertEqual([sentence.split()[0] for sentence in skipped],
                         [self.path('pictures', 'cat', name) for name in ('cut.jpg', 'notes.txt', 'zero.jpg')])
        self.assertEqual(sorted(found), ['cat/0.png', 'cat/1.png', 'cat/2.png'])

    def assert_stops(self, *words):
        self.assert_says(words, folder.make, self.data, self.pictures, 0)
        self.assertFalse(os.path.exists(self.data))

    def test_a_class_nobody_has(self):
        self.add('cat', 3)
        os.makedirs(self.path('pictures', 'unicorn'))
        self.assert_stops(self.path('pictures', 'unicorn'), 'a class that nobody has', 'nothing in it')
        self.write('pictures/unicorn/notes.txt', 'never seen')
        self.assert_stops(self.path('pictures', 'unicorn'), 'none of 1 files in it can be read as a picture')

    def test_an_empty_mask(self):
        self.add('cat', 2)
        self.write('pictures/masks/cat/1.png', png(np.zeros((20, 30), 'uint8')))
        self.assert_stops(self.path('pictures', 'masks', 'cat', '1.png'), 'shows no object', '20 x 30 pixels is 0')

    def test_a_mask_of_another_size(self):
        self.add('cat', 2)
        self.write('pictures/masks/cat/1.png', png(np.ones((30, 20), 'uint8')))
        self.assert_stops('cat/1.png', 'the mask is (30, 20), but the image is (20, 30)')

    def test_no_class_and_no_folder_at_all(self):
        self.assert_stops(self.pictures, 'cannot be read as a folder')
        os.makedirs(self.path('pictures', 'masks'))
        self.write('pictures/0.png', png(self.cat))
        self.assert_stops(self.pictures, 'has no folder in it', 'one for each class')

    def test_a_folder_whose_name_a_shell_would_take_for_a_pattern(self):
        self.pictures = self.path('pictures')
        self.add('cat [1]', 2)
        self.assertEqual(sorted(self.make()[1]), ['cat [1]/0.png', 'cat [1]/1.png'])
