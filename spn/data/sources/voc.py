"""PASCAL VOC 2012, as its authors distribute it: JPEGImages, SegmentationClass, Annotations, ImageSets.

Splits. VOC's own test set has no public masks. ImageSets/Segmentation/train.txt, or another list, becomes 'train'; the
first, third, fifth .. picture of val.txt becomes 'val', the others 'test'. On request the pictures of
ImageSets/Main/trainval.txt are added to 'train', without masks. A line of a list is the name of a picture, or the paths
of a picture and its mask in the tree, as in the common train_aug.txt. Files of the same bytes are in one split, that of
the first. Nothing outside the tree is read.

Labels. A picture with a mask is labelled with the classes that the mask shows. Its annotation may name more, because
objects that are "difficult" are void in the mask, but not fewer: if the mask shows a class that the annotation does not
name, one of the two is wrong, and the picture is reported and skipped. A picture without a mask is labelled with the
objects of its annotation, except the difficult ones, as in VOC's own lists.
"""
import functools
import os
from collections import namedtuple
from xml.etree import ElementTree

import numpy as np

from ...errors import SpnError, UnreadablePicture
from ..dataset import UNKNOWN, Record, classes_without, names_of, record_of_classes, write_dataset
from .images import largest, read_picture, shapes_of
from .masks import read_classes
from .splits import identical, keep_together
from .walk import inside

CLASS_NAMES = ['aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow', 'diningtable',
               'dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor']

WANTED = ('wanted is the name of a picture in JPEGImages, or the paths in {} of a picture and its mask, such as '
          '/JPEGImages/2007_000032.jpg /SegmentationClass/2007_000032.png')

Entry = namedtuple('Entry', 'name picture mask annotation')
Entry.__doc__ = """A line of a list.

name : str
    The name of the picture in the data set.
picture, mask, annotation : str
    Paths; the last two need not exist.
"""


def make_dataset(path, folder, max_side=None, unsegmented=False, without=(), train_list='train'):
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
        Whether pictures without a mask are added to 'train'.
    without : sequence of str
        Classes to leave out: their pixels become void, and pictures that show nothing else are skipped.
    train_list : str
        The list in ImageSets/Segmentation of the pictures to train on.

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
    kept = classes_without(CLASS_NAMES, without)
    for part in 'JPEGImages', 'SegmentationClass', 'ImageSets':
        if not os.path.isdir(os.path.join(folder, part)):
            raise SpnError('{} is no PASCAL VOC tree, it has no folder {}: wanted is the folder VOC2012 itself, with '
                           'JPEGImages, SegmentationClass, Annotations and ImageSets in it'.format(folder, part))
    segmented = splits_of(folder, train_list)
    listed = [entry.picture for entry in segmented]
    more = [entry for entry in entries_in(folder, 'Main/trainval.txt')
            if entry.picture not in set(listed)] if unsegmented else []
    splits = dict(zip(listed, segmented.values()), **{entry.picture: 'train' for entry in more})
    keep_together(splits, identical(list(splits)))
    records = [functools.partial(record, entry, split=splits[entry.picture], max_side=max_side)
               for record, entries in [(segmented_record, segmented), (annotated_record, more)] for entry in entries]
    shapes = shapes_of(list(splits), max_side)
    made_by = {'source': 'voc', 'folder': folder, 'max_side': max_side, 'unsegmented': unsegmented}
    record_splits = [record.keywords['split'] for record in records]
    if train_list != 'train':
        made_by['train_list'] = train_list
    if without:
        made_by['without'] = sorted(without)
        records = [functools.partial(record_of_classes, record, CLASS_NAMES, kept) for record in records]
    return write_dataset(path, kept, records, len(records), largest(shapes.values()), made_by, record_splits)


def splits_of(folder, train_list):
    """The split of each picture that has a mask, as a dict."""
    train_list = 'Segmentation/{}.txt'.format(os.path.splitext(train_list)[0])
    train, val = entries_in(folder, train_list), entries_in(folder, 'Segmentation/val.txt')
    both = sorted({entry.name for entry in train} & {entry.name for entry in val})
    if both:
        raise SpnError('{} is in both {} and val.txt of {}/ImageSets/Segmentation: remove it from one of them'.format(
            os.path.splitext(both[0])[0], os.path.basename(train_list), folder))
    return {**dict.fromkeys(train, 'train'), **dict.fromkeys(val[::2], 'val'), **dict.fromkeys(val[1::2], 'test')}


def entries_in(folder, name):
    """The entries of a list, each picture once."""
    path = os.path.join(folder, 'ImageSets', name)
    if not inside(folder, path):
        raise SpnError('{} leads out of {}: copy the list there'.format(path, folder))
    try:
        with open(path, encoding='utf-8-sig') as stream:
            lines = list(stream)
    except (OSError, UnicodeDecodeError) as error:
        raise SpnError('{} cannot be read as a list of pictures: {}'.format(path, error)) from error
    entries = {}
    for k, line in enumerate(lines, 1):
        if line.strip():
            entry = parse_entry(folder, line.split(), '{}, line {}: {!r}'.format(path, k, line.strip()))
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
        return Entry(name, picture, located(folder, os.path.join('SegmentationClass', stem + '.png'), line), annotation)
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


def segmented_record(entry, split, max_side):
    """The record of a picture with a mask."""
    image, mask = read_picture(entry.picture, max_side), read_classes(entry.mask, max_side)
    shown = set(np.setdiff1d(mask, [0, UNKNOWN]).astype(int) - 1)
    if not shown:
        raise UnreadablePicture('{} shows no object: it holds background and void alone'.format(entry.mask))
    if os.path.exists(entry.annotation):
        not_annotated = sorted(shown & set(range(len(CLASS_NAMES))) - set(objects_in(entry.annotation)))
        if not_annotated:
            raise UnreadablePicture('{} shows {}, but {} names no such object'.format(
                entry.mask, names_of(not_annotated, CLASS_NAMES), entry.annotation))
    return Record(entry.name, image, labels_of(shown), mask, split)


def annotated_record(entry, split, max_side):
    """The record of a picture without a mask."""
    image = read_picture(entry.picture, max_side)
    classes = {c for c, difficult in objects_in(entry.annotation).items() if not difficult}
    if not classes:
        raise UnreadablePicture('{} names no object that is not difficult'.format(entry.annotation))
    return Record(entry.name, image, labels_of(classes), None, split)


class WithoutDoctype(ElementTree.TreeBuilder):
    """Refuses a DTD, which VOC's annotations never have: it can name other files, or entities that fill the memory."""

    def doctype(self, *_):
        raise ValueError('it has a DOCTYPE, which no annotation needs; remove it')


def objects_in(path):
    """The classes in an annotation, as a dict: for each class, whether all its objects are difficult."""
    try:
        objects = ElementTree.parse(path, ElementTree.XMLParser(target=WithoutDoctype())).getroot().findall('object')
    except (OSError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise UnreadablePicture('{} cannot be read as an annotation: {}'.format(path, error)) from error
    all_difficult = {}
    for item in objects:
        name = item.findtext('name', '').strip()
        if name not in CLASS_NAMES:
            raise SpnError("{} names an object {!r}, which is none of VOC's twenty classes: for other classes there is "
                           '`spn data folder`'.format(path, name))
        c = CLASS_NAMES.index(name)
        all_difficult[c] = all_difficult.get(c, True) and item.findtext('difficult', '0').strip() == '1'
    return all_difficult


def labels_of(classes):
    return np.isin(np.arange(len(CLASS_NAMES)), list(classes)).astype('uint8')
