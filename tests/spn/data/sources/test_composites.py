"""Composites of the objects and backgrounds of packages."""
from unittest import mock

import numpy as np
from PIL import Image

from spn.data.dataset import Dataset
from spn.data.sources import composites
from spn.files import digest_of_file
from tests.spn.cases import FolderTestCase
from tests.spn.data.sources.pictures import png


class HeldOutTest(FolderTestCase):

    def test_no_object_and_no_background_is_in_two_splits_and_none_is_lost(self):
        objects, backgrounds = composites.find_materials()
        for seed in range(5):
            materials = composites.hold_out(objects, backgrounds, seed)
            for c, paths in enumerate(objects + [backgrounds]):
                dealt = [materials.backgrounds[split] if c == len(objects) else materials.objects[split][c]
                         for split in ('train', 'val', 'test')]
                self.assertEqual(sorted(sum(dealt, [])), sorted(paths))
                self.assertEqual(len(set(sum(dealt, []))), len(paths))
                for part, share in zip(dealt, (.6, .15, .25)):
                    self.assertLessEqual(abs(len(part) - share * len(paths)), 1)
        self.assertEqual(len(objects), len(composites.class_names()))
        self.assertGreaterEqual(min(len(paths) for paths in objects), 15)
        # Nor is the same picture in two splits under two names.
        everything = sum(objects, backgrounds)
        self.assertEqual(len({digest_of_file(path) for path in everything}), len(everything))

    def test_another_seed_holds_out_others(self):
        paths = [[str(i) for i in range(20)]] * 2
        first, again, other = [composites.hold_out(paths, paths[0], seed) for seed in (0, 0, 1)]
        self.assertEqual(first, again)
        self.assertNotEqual(first.objects['test'][0], other.objects['test'][0])
        self.assertNotEqual(first.objects['test'][0], first.objects['test'][1])


class CompositesTest(FolderTestCase):

    def test_pictures_are_of_the_asked_number_with_labels_as_their_masks(self):
        path = self.path('data.h5')
        self.assertEqual(composites.make_dataset(path, {'train': 9, 'val': 2, 'test': 1}, seed=3), [])
        with Dataset(path) as dataset:
            self.assertEqual([int(np.sum(dataset.splits == split)) for split in ('train', 'val', 'test')], [9, 2, 1])
            self.assertEqual(dataset.class_names, composites.class_names())
            self.assertTrue(np.all(dataset.labels.sum(axis=0) >= 1))
            for i in range(12):
                mask = dataset.mask(i)
                self.assertTrue(224 <= min(mask.shape) and max(mask.shape) <= 320)
                self.assertEqual(dataset.image(i).shape[:2], mask.shape)
                shown = np.setdiff1d(mask, 0) - 1
                self.assertEqual(shown.tolist(), np.flatnonzero(dataset.labels[i]).tolist())
                self.assertTrue(1 <= len(shown) <= 3)
                self.assertLess(.005, np.mean(mask > 0))

    def test_one_seed_gives_the_same_pixels_each_time_and_another_others(self):
        objects, backgrounds = composites.find_materials()

        def made(seed, split='train', i=0):
            return composites.composite(composites.hold_out(objects, backgrounds, 0), split, seed, i)
        first = made(0)
        composites.stamp.cache_clear()
        composites.background.cache_clear()
        again = made(0)
        np.testing.assert_array_equal(again.image, first.image)
        np.testing.assert_array_equal(again.mask, first.mask)
        for other in made(1), made(0, 'val'), made(0, i=1):
            self.assertFalse(np.array_equal(other.image, first.image))

    def test_splits_do_not_share_where_their_objects_lie(self):
        materials = self.materials()
        same = composites.Materials({split: materials.objects['train'] for split in ('train', 'test')},
                                    {split: materials.backgrounds['train'] for split in ('train', 'test')})
        masks = [composites.composite(same, split, 0, 0).mask for split in ('train', 'test')]
        self.assertFalse(np.array_equal(*masks))

    def materials(self):
        """Red objects of odd shapes on a blue background, as files."""
        rng = np.random.RandomState(0)
        shapes = []
        for k in range(3):
            blot = rng.randint(256, size=(5, 6)).astype('uint8')
            blot = np.asarray(Image.fromarray(blot).resize((90, 70), Image.BICUBIC))
            stamp = np.zeros((70, 90, 4), 'uint8')
            stamp[..., 0], stamp[..., 3] = 250, np.clip(4. * blot - 300, 0, 255)
            shapes.append(self.write('{}.png'.format(k), png(stamp)))
        blue = np.zeros((700, 700, 3), 'uint8')
        blue[..., 2] = 200
        background = self.write('blue.png', png(blue))
        return composites.Materials({'train': [shapes] * len(composites.CLASSES)}, {'train': [background]})

    def test_the_mask_is_where_more_than_half_of_what_is_seen_is_the_object(self):
        materials, partly = self.materials(), 0
        with mock.patch.object(composites, 'as_photographed', lambda picture: picture.copy()):
            for i in range(30):
                record = composites.composite(materials, 'train', 0, i)
                if record.labels.sum() > 1:
                    continue
                # Blue fades with the opacity of the red over it.
                opacity = 1 - record.image[..., 2] / record.image[..., 2].max()
                sure = np.abs(opacity - .5) > 1e-4
                np.testing.assert_array_equal((record.mask > 0)[sure], (opacity > .5)[sure])
                self.assertEqual(np.unique(record.mask).tolist(), [0, 1 + np.argmax(record.labels)])
                partly += np.sum((opacity > .1) & (opacity < .9))
        self.assertGreater(partly, 1000)

    def test_overlapping_objects_remain_visible_and_the_upper_one_has_the_mask(self):
        picture, mask, areas = np.zeros((60, 80, 3), 'float32'), np.zeros((60, 80), 'uint8'), {}
        rng = np.random.RandomState(0)
        for c, colour in enumerate([(50, 0, 0), (0, 50, 0), (0, 0, 50)]):
            cut_out = np.ones((30, 40, 4), 'float32')
            cut_out[..., :3] = colour
            areas[c] = composites.paste(cut_out, c, areas, picture, mask, rng)
        for c in range(3):
            np.testing.assert_array_equal(mask == c + 1, picture[..., c] > 0)
            self.assertIn(areas[c], (0, 1200))
            self.assertGreaterEqual(np.sum(mask == c + 1), .6 * areas[c])
        self.assertGreaterEqual(sum(area > 0 for area in areas.values()), 2)

    def test_an_object_that_finds_no_place_is_neither_painted_nor_labelled(self):
        picture, mask = np.zeros((20, 20, 3), 'float32'), np.ones((20, 20), 'uint8')
        area = composites.paste(np.ones((20, 20, 4), 'float32'), 1, {0: 400}, picture, mask, np.random.RandomState(0))
        self.assertEqual((area, picture.max(), mask.min()), (0, 0, 1))
