"""PASCAL VOC 2012, as its authors distribute it: JPEGImages, SegmentationClass, Annotations, ImageSets.

Splits. VOC's own test set has no public masks, so the paper's results are of val. Here the pictures of
ImageSets/Segmentation/val.txt are 'test'. Those of train.txt, or of another list such as trainaug.txt, are 'train',
except every fifth one of train.txt, which is 'val': thresholds are chosen by its mask, and it is not trained on. On
request the pictures of val.txt are 'val' and 'test' in turns instead, and all of the list are 'train'. On request too,
the pictures of ImageSets/Main/trainval.txt that are in neither list are added to 'train'. A line of a list is the name
of a picture, or the paths of a picture and its mask in the tree, as in the common train_aug.txt. Files of the same
bytes are in one split, that of the first. Nothing outside the tree is read.

Masks are those of SegmentationClass or, if there is none, of SegmentationClassAug, where the masks of SBD (Hariharan et
al., ICCV 2011) usually are.

Labels. A picture with a mask is labelled with the classes that the mask shows. Its annotation may name more, because
objects that are "difficult" are void in the mask, but not fewer: if the mask shows a class that the annotation does not
name, one of the two is wrong, and the picture is reported and skipped. A picture without a mask is labelled with the
objects of its annotation, except the difficult ones, as in VOC's own lists.

Other classes than VOC's are named by class_names.txt or labels.txt in the tree, a line for each, as labelme's
converter writes them. Such a tree needs no lists: without ImageSets, 70 % of the pictures are 'train', 15 % 'val' and
15 % 'test'.
"""
import functools
import os
from collections import namedtuple
from xml.etree import ElementTree

import numpy as np

from ...errors import SpnError, UnreadablePicture
from ..dataset import UNKNOWN, Record, classes_without, names_of, record_of_classes, write_dataset
from .folder import deal
from .images import largest, read_picture, shapes_of
from .masks import read_classes
from .splits import evenly_spread, identical, keep_together
from .walk import entries_of, inside

CLASS_NAMES = ['aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow', 'diningtable',
               'dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor']

#: Files with the names of other classes, and the names that stand for no class there.
CLASS_FILES = ('class_names.txt', 'labels.txt')
NO_CLASSES = ('__ignore__', '_background_', 'background')

MASK_FOLDERS = ('SegmentationClass', 'SegmentationClassAug', 'SegmentationClassPNG')

#: Names of the list of VOC's and SBD's training pictures.
TRAINAUG = ('trainaug', 'train_aug')

WANTED = ('wanted is the name of a picture in JPEGImages, or the paths in {} of a picture and its mask, such as '
          '/JPEGImages/2007_000032.jpg /SegmentationClass/2007_000032.png')

Entry = namedtuple('Entry', 'name picture mask annotation')
Entry.__doc__ = """A line of a list.

name : str
    The name of the picture in the data set.
picture, mask, annotation : str
    Paths; the last two need not exist. The mask is None if the line does not name it and there is none.
"""


def make_dataset(path, folder, max_side=None, unsegmented=False, without=(), train_list='train', val_from='train',
                 n=None):
    """Write a data set of a PASCAL VOC 2012 tree.

    Parameters
    ----------
    path : str
        The HDF5 file.
    folder : str
        The folder VOC2012.
    max_side : int, optional
        Pictures with a longer side are scaled down to it, and their masks by nearest neighbour.
    unsegmented : bool
        Whether pictures of ImageSets/Main/trainval.txt without a mask are added to 'train'.
    without : sequence of str
        Classes to leave out: their pixels become void, and pictures that show nothing else are skipped.
    train_list : str
        The list in ImageSets/Segmentation of the pictures to train on.
    val_from : {'train', 'val'}
        The list from which the pictures of 'val' are taken.
    n : int, optional
        Only so many pictures, evenly spread: a sample.

    Returns
    -------
    skipped : list of str
        A sentence for each picture that was left out.

    Raises
    ------
    SpnError
        If the tree is incomplete or has other classes, if a line of a list cannot be understood or leads out of the
        tree, or if no picture of a split can be read.
    """
    class_names = class_names_of(folder)
    kept = classes_without(class_names, without)
    splits_by_entry = planned(folder, unsegmented, train_list, val_from)
    splits = {entry.picture: split for entry, split in splits_by_entry.items()}
    keep_together(splits, identical(list(splits)))
    entries = list(splits_by_entry)
    if n is not None:
        entries = evenly_spread(entries, n)
    records = [functools.partial(record, entry, class_names, split=splits[entry.picture], max_side=max_side)
               for entry in entries]
    shapes = shapes_of([entry.picture for entry in entries], max_side)
    record_splits = [record.keywords['split'] for record in records] if n is None else ()
    if without:
        records = [functools.partial(record_of_classes, record, class_names, kept) for record in records]
    return write_dataset(path, kept, records, len(records), largest(shapes.values()),
                         made_by(folder, max_side, unsegmented, without, train_list, val_from), record_splits)


def planned(folder, unsegmented=False, train_list='train', val_from='train'):
    """The split of each entry of the lists, as a dict; parameters and errors as of :func:`make_dataset`."""
    own_classes = own_class_file(folder)
    check_tree(folder, own_classes)
    if own_classes and not os.path.isdir(os.path.join(folder, 'ImageSets')):
        return dealt(folder)
    splits = splits_of(folder, train_list, val_from)
    if unsegmented:
        listed = {entry.picture for entry in splits}
        splits.update(dict.fromkeys([entry for entry in entries_in(folder, 'Main/trainval.txt')
                                     if entry.picture not in listed], 'train'))
    return splits


def made_by(folder, max_side=None, unsegmented=False, without=(), train_list='train', val_from='train'):
    """What the data set records of how it was made."""
    return dict({'source': 'voc', 'folder': folder, 'max_side': max_side, 'unsegmented': unsegmented,
                 'train_list': train_list, 'val_from': val_from}, **{'without': sorted(without)} if without else {})


def own_class_file(folder):
    """The file with the names of the tree's own classes; None if it has VOC's."""
    paths = [os.path.join(folder, name) for name in CLASS_FILES]
    return next((path for path in paths if os.path.exists(path)), None)


def class_names_of(folder):
    """The names of the classes of a tree, without background.

    Raises
    ------
    SpnError
        If its file of names has none, or one twice.
    """
    path = own_class_file(folder)
    if path is None:
        return CLASS_NAMES
    names = [line for line in lines_of(path, folder) if line and line not in NO_CLASSES]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if not names or repeated:
        raise SpnError('{} {}: wanted is the name of a class in each line, in the order of their numbers in '
                       'masks'.format(path, 'has {!r} twice'.format(repeated[0]) if repeated else 'names no class'))
    return names


def check_tree(folder, own_classes):
    """Raise SpnError if the folder is no VOC tree."""
    there = [part for part in ('JPEGImages', 'ImageSets') + MASK_FOLDERS if os.path.isdir(os.path.join(folder, part))]
    wanted = ['JPEGImages'] + ['SegmentationClass'] * (not set(MASK_FOLDERS) & set(there))
    for part in wanted + ['ImageSets'] * (own_classes is None):
        if part not in there:
            raise SpnError('{} is no PASCAL VOC tree, it has no folder {}: wanted is the folder VOC2012 itself, with '
                           'JPEGImages, SegmentationClass, Annotations and ImageSets in it'.format(folder, part))


def dealt(folder):
    """The split of each picture of a tree without lists, as a dict."""
    pictures = entries_of(os.path.join(folder, 'JPEGImages'), folder).files
    entries = [parse_entry(folder, [os.path.basename(picture)], picture) for picture in pictures]
    splits = deal(pictures, 0, '')
    return {entry: splits[picture] for entry, picture in zip(entries, pictures)}


def train_list_of(folder):
    """The name of the largest list of training pictures: trainaug, if the tree has it, else train."""
    return next((name for name in TRAINAUG
                 if os.path.exists(os.path.join(folder, 'ImageSets', 'Segmentation', name + '.txt'))), 'train')


def splits_of(folder, train_list, val_from):
    """The split of each picture of the lists, as a dict."""
    list_name = 'Segmentation/{}.txt'.format(os.path.splitext(train_list)[0])
    train, val = entries_in(folder, list_name), entries_in(folder, 'Segmentation/val.txt')
    both = sorted({entry.name for entry in train} & {entry.name for entry in val})
    if both:
        raise SpnError('{} is in both {} and val.txt of {}/ImageSets/Segmentation: remove it from one of them'.format(
            os.path.splitext(both[0])[0], os.path.basename(list_name), folder))
    if val_from == 'val':
        return {**dict.fromkeys(train, 'train'), **dict.fromkeys(val[::2], 'val'), **dict.fromkeys(val[1::2], 'test')}
    segmented = train if list_name == 'Segmentation/train.txt' else entries_in(folder, 'Segmentation/train.txt')
    names = [entry.name for entry in segmented]
    held_out = set(names[4::5] or names[1:][-1:])
    return {**{entry: 'val' if entry.name in held_out else 'train' for entry in train}, **dict.fromkeys(val, 'test')}


def lines_of(path, folder):
    """The lines of a text file in the tree, stripped."""
    if not inside(folder, path):
        raise SpnError('{} leads out of {}: copy the list there'.format(path, folder))
    try:
        with open(path, encoding='utf-8-sig') as stream:
            return [line.strip() for line in stream]
    except (OSError, UnicodeDecodeError) as error:
        raise SpnError('{} cannot be read as a list: {}'.format(path, error)) from error


def entries_in(folder, name):
    """The entries of a list, each picture once."""
    path = os.path.join(folder, 'ImageSets', name)
    entries = {}
    for k, line in enumerate(lines_of(path, folder), 1):
        if line:
            entry = parse_entry(folder, line.split(), '{}, line {}: {!r}'.format(path, k, line))
            entries.setdefault(entry.picture, entry)
    return list(entries.values())


def parse_entry(folder, words, line):
    """The entry of the words of a line. `line` names the line; messages about errors begin with it."""
    has_flag = words[1:] in (['-1'], ['0'], ['1'])  # in VOC's lists of a single class: whether the picture shows it
    if len(words) > 2 or len(words) == 2 and not has_flag and not words[1].lower().endswith('.png'):
        raise SpnError('{} cannot be understood: {}'.format(line, WANTED.format(folder)))
    picture = picture_path(folder, words[0], line)
    name = os.path.relpath(picture, os.path.join(folder, 'JPEGImages'))
    if name.startswith(os.pardir):
        name = os.path.relpath(picture, folder)
    stem = os.path.splitext(name)[0]
    annotation = located(folder, os.path.join('Annotations', stem + '.xml'), line)
    if len(words) == 1 or has_flag:
        masks = [located(folder, os.path.join(part, stem + '.png'), line) for part in MASK_FOLDERS]
        return Entry(name, picture, next(filter(os.path.exists, masks), None), annotation)
    return Entry(name, picture, in_a_folder(located(folder, words[1], line), folder, line), annotation)


def picture_path(folder, word, line):
    stem, ending = os.path.splitext(word)
    if ending.lower() not in ('.jpg', '.jpeg', '.png'):
        return located(folder, os.path.join('JPEGImages', word + '.jpg'), line)
    places = [located(folder, place, line) for place in (
        os.path.join('JPEGImages', word.lstrip('/')), os.path.join('JPEGImages', stem.lstrip('/') + '.jpg'), word)]
    # If no such file exists, a name means that the picture is missing; a path may be in a wrong folder.
    return next((place for place in places if os.path.exists(place)),
                in_a_folder(places[2], folder, line) if '/' in word else places[1])


def located(folder, word, line):
    """The path of a file that a list names; a leading slash stands for the VOC folder."""
    start = os.path.abspath(folder) + os.sep
    path = os.path.normpath(os.path.join(folder, word[len(start):] if word.startswith(start) else word.lstrip('/')))
    if not inside(folder, path):
        raise SpnError('{} leads out of {}, where nothing is read: copy there what it leads to; {}'.format(
            line, folder, WANTED.format(folder)))
    return path


def in_a_folder(path, folder, line):
    if not os.path.isdir(os.path.dirname(path)):
        raise SpnError('{} names a file in {}, which is not a folder: {}'.format(
            line, os.path.dirname(path), WANTED.format(folder)))
    return path


def record(entry, class_names, split, max_side):
    """The record of a picture. Only those to train on may lack a mask."""
    if entry.mask is None and split == 'train':
        return annotated_record(entry, class_names, split, max_side)
    if entry.mask is None:
        raise UnreadablePicture('{} has no mask in {}'.format(entry.picture, ' or '.join(MASK_FOLDERS)))
    return segmented_record(entry, class_names, split, max_side)


def segmented_record(entry, class_names, split, max_side):
    """The record of a picture with a mask."""
    image, mask = read_picture(entry.picture, max_side), read_classes(entry.mask, max_side)
    shown = set(np.setdiff1d(mask, [0, UNKNOWN]).astype(int) - 1)
    if not shown:
        raise UnreadablePicture('{} shows no object: it holds background and void alone'.format(entry.mask))
    if os.path.exists(entry.annotation):
        not_annotated = sorted(shown & set(range(len(class_names))) - set(objects_in(entry.annotation, class_names)))
        if not_annotated:
            raise UnreadablePicture('{} shows {}, but {} names no such object'.format(
                entry.mask, names_of(not_annotated, class_names), entry.annotation))
    return Record(entry.name, image, labels_of(shown, class_names), mask, split)


def annotated_record(entry, class_names, split, max_side):
    """The record of a picture without a mask."""
    image = read_picture(entry.picture, max_side)
    classes = {c for c, difficult in objects_in(entry.annotation, class_names).items() if not difficult}
    if not classes:
        raise UnreadablePicture('{} names no object that is not difficult'.format(entry.annotation))
    return Record(entry.name, image, labels_of(classes, class_names), None, split)


class WithoutDoctype(ElementTree.TreeBuilder):
    """Refuses a DTD, which VOC's annotations never have: it can name other files, or entities that fill the memory."""

    def doctype(self, *_):
        raise ValueError('it has a DOCTYPE, which no annotation needs; remove it')


def objects_in(path, class_names):
    """The classes in an annotation, as a dict: for each class, whether all its objects are difficult."""
    try:
        objects = ElementTree.parse(path, ElementTree.XMLParser(target=WithoutDoctype())).getroot().findall('object')
    except (OSError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise UnreadablePicture('{} cannot be read as an annotation: {}'.format(path, error)) from error
    all_difficult = {}
    for item in objects:
        name = item.findtext('name', '').strip()
        if name not in class_names:
            raise SpnError('{} names an object {!r}, which is none of {}: other classes are named by {} in the tree, a '
                           'line for each, or there is `spn data folder`'.format(
                               path, name, "VOC's twenty classes" if class_names is CLASS_NAMES else
                               ', '.join(class_names), CLASS_FILES[0]))
        c = class_names.index(name)
        all_difficult[c] = all_difficult.get(c, True) and item.findtext('difficult', '0').strip() == '1'
    return all_difficult


def labels_of(classes, class_names):
    return np.isin(np.arange(len(class_names)), list(classes)).astype('uint8')
