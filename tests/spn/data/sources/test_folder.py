"""Folders of pictures, one for each class."""
import os
import shutil

import numpy as np
from skimage import data

from spn.data.dataset import Dataset
from spn.data.sources import folder
from tests.spn.cases import FolderTestCase
from tests.spn.data.sources.pictures import jpeg, png


class FolderTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.data, self.pictures = self.path('data.h5'), self.path('pictures')
        self.cat = data.chelsea()[80:150, 100:190]

    def add(self, class_name, n, shape=(20, 30)):
        for i in range(n):
            self.write('pictures/{}/{}.png'.format(class_name, i), png(self.cat[i:i + shape[0], i:i + shape[1]]))

    def make(self, seed=0, **options):
        """Make the data set; returns what was skipped and, by name, (split, label, image, mask)."""
        skipped = folder.make_dataset(self.data, self.pictures, seed, **options)
        with Dataset(self.data) as dataset:
            self.assertTrue(np.all(dataset.labels.sum(axis=1) == 1))
            labels = dataset.labels.argmax(axis=1)
            return skipped, {name: (dataset.splits[i], dataset.class_names[labels[i]], dataset.image(i),
                                    dataset.mask(i)) for i, name in enumerate(dataset.names)}

    def test_a_picture_has_the_label_of_its_folder(self):
        self.add('cat', 4)
        self.add('dog', 3, shape=(25, 18))
        self.write('pictures/dog/deeper/9.jpg', jpeg(self.cat))
        self.write('pictures/.trash/0.png', png(self.cat))
        self.write('pictures/dog/.DS_Store', 'hidden')
        self.write('pictures/list.txt', 'beside the folders')
        skipped, pictures = self.make()
        self.assertEqual(skipped, [])
        self.assertEqual({name: label for name, (_, label, _, _) in pictures.items()}, {
            'cat/0.png': 'cat', 'cat/1.png': 'cat', 'cat/2.png': 'cat', 'cat/3.png': 'cat',
            'dog/0.png': 'dog', 'dog/1.png': 'dog', 'dog/2.png': 'dog', 'dog/deeper/9.jpg': 'dog'})
        np.testing.assert_array_equal(pictures['cat/2.png'][2], self.cat[2:22, 2:32])
        np.testing.assert_array_equal(pictures['dog/2.png'][2], self.cat[2:27, 2:20])
        self.assertTrue(all(mask is None for _, _, _, mask in pictures.values()))

    def test_70_percent_of_each_class_are_train_and_15_are_val_and_15_test(self):
        for name, n in [('a', 1), ('b', 2), ('c', 3), ('d', 20), ('e', 40)]:
            self.add(name, n, shape=(20, 20 + n))  # no file is there twice
        _, pictures = self.make()
        for name, wanted in [('a', (1, 0, 0)), ('b', (2, 0, 0)), ('c', (1, 1, 1)), ('d', (14, 3, 3)),
                             ('e', (28, 6, 6))]:
            splits = [split for split, label, _, _ in pictures.values() if label == name]
            self.assertEqual(tuple(splits.count(split) for split in ('train', 'val', 'test')), wanted)

    def test_the_seed_deals_the_pictures_out_and_another_class_moves_none(self):
        def splits(seed):
            return {name: split for name, (split, _, _, _) in self.make(seed)[1].items() if name[:3] in ('cat', 'dog')}
        self.add('cat', 20)
        self.add('dog', 20, shape=(20, 31))
        first = splits(0)
        self.assertEqual(splits(0), first)
        self.assertNotEqual(splits(1), first)
        self.assertNotEqual([first['cat/{}.png'.format(i)] for i in range(20)],
                            [first['dog/{}.png'.format(i)] for i in range(20)])
        self.add('bird', 3, shape=(20, 32))
        self.assertEqual(splits(0), first)

    def test_masks_are_read_where_they_are_and_all_that_is_not_0_is_the_object(self):
        self.add('cat', 1)
        self.add('dog', 2)
        values = np.random.RandomState(0).choice([0, 1, 128, 255], size=(20, 30)).astype('uint8')
        self.write('pictures/masks/dog/1.png', png(values))
        skipped, pictures = self.make()
        self.assertEqual(skipped, [])
        np.testing.assert_array_equal(pictures['dog/1.png'][3], np.where(values > 0, 2, 0))
        self.assertIsNone(pictures['dog/0.png'][3])
        _, pictures = self.make(max_side=15)
        np.testing.assert_array_equal(pictures['dog/1.png'][3], np.where(values[1::2, 1::2] > 0, 2, 0))

    def test_a_mask_of_no_picture_is_named(self):
        self.add('cat', 1)
        self.write('pictures/masks/cat/00.png', png(self.cat))
        self.write('pictures/masks/bird/0.png', png(self.cat))
        skipped, _ = self.make()
        self.assertEqual(skipped, ['{}/masks/{}.png was left out: it is the mask of no picture'.format(
            self.pictures, name) for name in ('bird/0', 'cat/00')])

    def test_broken_pictures_are_named_and_skipped(self):
        self.add('cat', 3)
        whole = jpeg(self.cat)
        for name, content in [('cut.jpg', whole[:len(whole) // 2]), ('notes.txt', b'a letter'), ('zero.jpg', b'')]:
            self.write('pictures/cat/' + name, content)
        skipped, pictures = self.make()
        self.assertEqual([sentence.split()[0] for sentence in skipped],
                         [self.path('pictures', 'cat', name) for name in ('cut.jpg', 'notes.txt', 'zero.jpg')])
        self.assertEqual(sorted(pictures), ['cat/0.png', 'cat/1.png', 'cat/2.png'])

    def assert_stops(self, *words):
        self.assert_says(words, folder.make_dataset, self.data, self.pictures, 0)
        self.assertFalse(os.path.exists(self.data))

    def test_a_class_without_pictures(self):
        self.add('cat', 3)
        os.makedirs(self.path('pictures', 'unicorn'))
        self.assert_stops(self.path('pictures', 'unicorn'), 'a class without pictures', 'nothing in it')
        self.write('pictures/unicorn/notes.txt', 'never seen')
        self.assert_stops(self.path('pictures', 'unicorn'), 'none of 1 files in it can be read as a picture')

    def test_an_empty_mask(self):
        self.add('cat', 2)
        self.write('pictures/masks/cat/1.png', png(np.zeros((20, 30), 'uint8')))
        self.assert_stops(self.path('pictures', 'masks', 'cat', '1.png'), 'shows no object',
                          '20 x 30 pixels are background')

    def test_a_class_that_is_left_out_moves_no_picture_of_the_others(self):
        for name in 'cat', 'dog', 'owl':
            self.add(name, 8)
        self.write('pictures/masks/dog/1.png', png(np.ones((20, 30), 'uint8')))
        _, everything = self.make()
        skipped, pictures = self.make(without=['dog'])
        self.assertEqual(skipped, [])
        self.assertEqual({name: (split, label) for name, (split, label, _, _) in pictures.items()},
                         {name: (split, label) for name, (split, label, _, _) in everything.items() if label != 'dog'})

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

    def splits_of(self, pictures):
        return {name: split for name, (split, _, _, _) in pictures.items()}

    def test_a_link_to_a_folder_makes_no_picture_twice(self):
        self.add('cat', 12)
        before = self.splits_of(self.make()[1])
        for link, target in [('cat/loop', '.'), ('cat/all', '..'), ('kitty', 'cat'), ('cat/self', 'self')]:
            os.symlink(target, os.path.join(self.pictures, link))
        skipped, pictures = self.make()
        self.assertEqual((len(pictures), self.splits_of(pictures)), (12, before))
        self.assertEqual([sentence.split(' was left out: ')[0][len(self.pictures):] for sentence in skipped],
                         ['/kitty', '/cat/all', '/cat/loop', '/cat/self'])
        self.assertIn('it is a link to the folder {}'.format(os.path.realpath(self.path('pictures', 'cat'))),
                      skipped[0])

    def test_links_that_lead_out_of_the_folder_are_named_and_not_followed(self):
        self.add('cat', 3)
        secret = png(self.cat)
        self.write('elsewhere/9.png', secret)
        self.write('elsewhere/0.png', png(np.ones((20, 30), 'uint8')))
        for link, target in [('cat/9.png', '../../elsewhere/9.png'), ('dog', '../elsewhere'), ('cat/tree', '/'),
                             ('cat/more', self.path('elsewhere', ''))]:
            os.symlink(target, os.path.join(self.pictures, link))
        os.makedirs(os.path.join(self.pictures, 'masks', 'cat'))
        os.symlink('../../../elsewhere/0.png', os.path.join(self.pictures, 'masks', 'cat', '0.png'))
        skipped, pictures = self.make()
        self.assertEqual(sorted(pictures), ['cat/0.png', 'cat/1.png', 'cat/2.png'])
        self.assertIsNone(pictures['cat/0.png'][3])
        self.assertEqual(len(skipped), 5)
        for sentence in skipped:
            self.assertIn('a link that leads out of {}'.format(self.pictures), sentence)
        os.remove(os.path.join(self.pictures, 'masks', 'cat', '0.png'))
        os.rmdir(os.path.join(self.pictures, 'masks', 'cat'))
        os.rmdir(os.path.join(self.pictures, 'masks'))
        os.makedirs(self.path('elsewhere', 'cat'))
        os.rename(self.path('elsewhere', '0.png'), self.path('elsewhere', 'cat', '0.png'))
        os.symlink('../elsewhere', os.path.join(self.pictures, 'masks'))
        skipped, pictures = self.make()
        self.assertIsNone(pictures['cat/0.png'][3])
        self.assertTrue(any(sentence.startswith(self.path('pictures', 'masks ')) for sentence in skipped), skipped)

    def test_links_to_pictures_and_masks_of_the_folder_are_followed(self):
        self.add('cat', 3)
        self.write('pictures/.store/5.png', png(self.cat[:9]))
        os.symlink('../.store/5.png', os.path.join(self.pictures, 'cat', '5.png'))
        skipped, pictures = self.make()
        self.assertEqual(skipped, [])
        np.testing.assert_array_equal(pictures['cat/5.png'][2], self.cat[:9])

    def test_a_folder_of_links_alone_says_what_is_wrong_with_them(self):
        self.write('elsewhere/cat/9.png', png(self.cat))
        os.makedirs(self.pictures)
        os.symlink('../elsewhere/cat', os.path.join(self.pictures, 'cat'))
        self.assert_stops('has no folder in it', 'it is a link that leads out of', 'copy there what it leads to')

    def test_names_that_are_not_UTF_8_are_named_and_left_out(self):
        self.add('cat', 3)
        for name in b'cat/caf\xe9.png', b'ch\xe4t/0.png', b'cat/\xff/0.png':
            path = os.path.join(os.fsencode(self.pictures), name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as stream:
                stream.write(png(self.cat))
        skipped, pictures = self.make()
        self.assertEqual(sorted(pictures), ['cat/0.png', 'cat/1.png', 'cat/2.png'])
        self.assertEqual(skipped, ['{}/{} was left out: its name is not UTF-8; rename it'.format(self.pictures, name)
                                   for name in ('ch\\xe4t', 'cat/\\xff', 'cat/caf\\xe9.png')])

    def test_a_folder_whose_own_name_is_not_UTF_8(self):
        self.pictures = os.fsdecode(os.path.join(os.fsencode(self.folder), b'\xe9'))
        for i in range(3):
            os.makedirs(os.path.join(self.pictures, 'cat'), exist_ok=True)
            with open(os.path.join(self.pictures, 'cat', '{}.png'.format(i)), 'wb') as stream:
                stream.write(png(self.cat[i:]))
        skipped, pictures = self.make()
        self.assertEqual((skipped, len(pictures)), ([], 3))

    def test_the_same_file_twice_is_on_one_side_and_named(self):
        self.add('cat', 20)
        self.add('dog', 20, shape=(20, 31))
        before = self.splits_of(self.make()[1])
        held_out = sorted(name for name, split in before.items() if split == 'test' and name[:3] == 'cat')
        for k, name in enumerate(held_out):
            shutil.copy(os.path.join(self.pictures, name), self.path('pictures', 'cat', 'z{}.png'.format(k)))
        in_train = next(name for name, split in before.items() if split == 'train' and name[:3] == 'cat')
        in_test = next(name for name, split in before.items() if split == 'test' and name[:3] == 'dog')
        shutil.copy(os.path.join(self.pictures, in_train), os.path.join(self.pictures, in_test))
        skipped, pictures = self.make()
        self.assertEqual(skipped, [])
        after = self.splits_of(pictures)
        self.assertEqual({name: split for name, split in after.items() if name[:3] == 'cat' and name[4] != 'z'},
                         {name: split for name, split in before.items() if name[:3] == 'cat'})
        for k, name in enumerate(held_out):
            self.assertEqual(after['cat/z{}.png'.format(k)], 'test')
            self.assertIn('{0}/{1} and {0}/cat/z{2}.png are the same picture, so all are in test\n'.format(
                self.pictures, name, k), self.shown.getvalue())
        self.assertEqual(after[in_test], 'train')
        self.assertIn('{0}/{1} and {0}/{2} are the same picture, so all are in train'.format(
            self.pictures, in_train, in_test), self.shown.getvalue())
        self.assertIn('it has the classes cat and dog', self.shown.getvalue())

    def test_a_split_without_readable_pictures_is_an_error(self):
        for i in range(3):
            self.write('pictures/cat/{}.jpg'.format(i), jpeg(self.cat[i:i + 40]))
        _, pictures = self.make()
        os.remove(self.data)
        name, = [name for name, (split, _, _, _) in pictures.items() if split == 'val']
        path = os.path.join(self.pictures, name)
        with open(path, 'r+b') as stream:
            stream.truncate(os.path.getsize(path) // 2)
        self.assert_stops('none of the pictures of val could be used', path)

    def test_a_class_that_no_training_picture_has_is_reported(self):
        self.add('cat', 3)
        whole = jpeg(self.cat)
        self.write('pictures/dog/0.jpg', whole)
        self.make()
        self.assertNotIn('no picture of train shows', self.shown.getvalue())
        self.write('pictures/dog/0.jpg', whole[:len(whole) // 2])
        self.make()
        self.assertIn('no picture of train shows dog: nothing can be learned of it', self.shown.getvalue())
