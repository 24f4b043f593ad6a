"""PASCAL VOC 2012, as its authors hand it out: JPEGImages, SegmentationClass, Annotations, ImageSets.

Splits. Its test set has no public masks. ImageSets/Segmentation/train.txt is 'train'; of val.txt the first, third, fifth ..
picture is 'val' and those between are 'test'. On request ImageSets/Main/trainval.txt gives more of 'train', without masks.

Labels. A picture with a mask is labelled with the classes that the mask shows. Its annotation names more, because objects
that are "difficult" are void in the mask, but never fewer: a picture whose mask shows a class that its annotation lacks is
named and skipped, as nobody can tell which of them is right. A picture without a mask is labelled with the objects of its
annotation, those that are difficult left out as they are in VOC's own lists.
"""
import functools
import os
from xml.etree import ElementTree

import numpy as np

from ..dataset import UNKNOWN, Record, names_of, write_dataset
from ..errors import SpnError, UnreadablePicture
from .images import largest, read_picture, shapes_of
from .masks import read_classes

CLASS_NAMES = ['aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow', 'diningtable', 'dog',
               'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor']


def make(path, folder, max_side=None, unsegmented=False):
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
        Whether pictures that have no mask are added to 'train'.

    Returns
    -------
    skipped : list of str
        A sentence for each picture that was left out.

    Raises
    ------
    SpnError
        If the tree is not whole, or is one of other classes.
    """
    for part in 'JPEGImages', 'SegmentationClass', 'ImageSets':
        if not os.path.isdir(os.path.join(folder, part)):
            raise SpnError('{} is no PASCAL VOC tree, it has no folder {}: wanted is the folder VOC2012 itself, with '
                           'JPEGImages, SegmentationClass, Annotations and ImageSets in it'.format(folder, part))
    segmented = splits_of(folder)
    more = names_in(folder, 'Main/trainval.txt') if unsegmented else []
    records = [functools.partial(segmented_record, folder, name, split, max_side) for name, split in segmented.items()]
    records += [functools.partial(annotated_record, folder, name, max_side) for name in more if name not in segmented]
    shapes = shapes_of([picture_of(folder, name) for name in {**segmented, **dict.fromkeys(more)}], max_side)
    made_by = {'source': 'voc', 'folder': folder, 'max_side': max_side, 'unsegmented': unsegmented}
    return write_dataset(path, CLASS_NAMES, records, len(records), largest(shapes.values()), made_by)


def splits_of(folder):
    """The pictures that have masks, and the split of each, as a dict."""
    train, val = names_in(folder, 'Segmentation/train.txt'), names_in(folder, 'Segmentation/val.txt')
    both = sorted(set(train) & set(val))
    if both:
        raise SpnError('{} is in both train.txt and val.txt of {}/ImageSets/Segmentation: remove it from one of them'.format(
            both[0], folder))
    return {**dict.fromkeys(train, 'train'), **dict.fromkeys(val[::2], 'val'), **dict.fromkeys(val[1::2], 'test')}


def names_in(folder, name):
    path = os.path.join(folder, 'ImageSets', name)
    try:
        with open(path, encoding='utf-8') as stream:
            return [line.split()[0] for line in stream if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise SpnError('{} cannot be read as a list of pictures: {}'.format(path, error)) from error


def picture_of(folder, name):
    return os.path.join(folder, 'JPEGImages', name + '.jpg')


def segmented_record(folder, name, split, max_side):
    """One picture that has a mask."""
    image = read_picture(picture_of(folder, name), max_side)
    path = os.path.join(folder, 'SegmentationClass', name + '.png')
    mask = read_classes(path, max_side)
    shown = set(np.setdiff1d(mask, [0, UNKNOWN]).astype(int) - 1)
    if not shown:
        raise UnreadablePicture('{} shows no object: it holds background and void alone'.format(path))
    annotation = annotation_of(folder, name)
    if os.path.exists(annotation):
        lacking = sorted(shown & set(range(len(CLASS_NAMES))) - set(objects_in(annotation)))
        if lacking:
            raise UnreadablePicture('{} shows {}, but {} names no such object'.format(
                path, names_of(lacking, CLASS_NAMES), annotation))
    return Record(name + '.jpg', image, labels_of(shown), mask, split)


def annotated_record(folder, name, max_side):
    """One picture that has no mask."""
    image = read_picture(picture_of(folder, name), max_side)
    annotation = annotation_of(folder, name)
    clear = {c for c, difficult in objects_in(annotation).items() if not difficult}
    if not clear:
        raise UnreadablePicture('{} names no object that is not difficult'.format(annotation))
    return Record(name + '.jpg', image, labels_of(clear), None, 'train')


def annotation_of(folder, name):
    return os.path.join(folder, 'Annotations', name + '.xml')


def objects_in(path):
    """The classes that an annotation names, each with whether all objects of it are difficult, as a dict."""
    try:
        objects = ElementTree.parse(path).getroot().findall('object')
    except (OSError, ElementTree.ParseError) as error:
        raise UnreadablePicture('{} cannot be read as an annotation: {}'.format(path, error)) from error
    found = {}
    for thing in objects:
        name = thing.findtext('name', '').strip()
        if name not in CLASS_NAMES:
            raise SpnError("{} names an object {!r}, which is none of VOC's twenty classes: for other classes there is "
                           '`spn data folder`'.format(path, name))
        c = CLASS_NAMES.index(name)
        found[c] = found.get(c, True) and thing.findtext('difficult', '0').strip() == '1'
    return found


def labels_of(classes):
    return np.isin(np.arange(len(CLASS_NAMES)), list(classes)).astype('uint8')
