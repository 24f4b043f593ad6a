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
import re
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from ..dataset import UNKNOWN, Record, names_of, write_dataset
from ..errors import SpnError, UnreadablePicture
from ..files import say
from ..palette import PALETTE
from .images import copies_among, largest, read_mask, read_picture, shapes_of

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
    more = [name for name in (listed_in(folder, 'Main/trainval.txt') if unsegmented else []) if name not in segmented]
    records = [functools.partial(segmented_record, folder, name, mask, split, max_side)
               for name, (mask, split) in segmented.items()]
    records += [functools.partial(annotated_record, folder, name, max_side) for name in more]
    splits = [split for _, split in segmented.values()] + ['train'] * len(more)
    pictures = [picture_of(folder, name) for name in [*segmented, *more]]
    split_of = dict(zip(pictures, splits))
    for picture, first in copies_among(pictures).items():
        if split_of[picture] != split_of[first]:
            say('{} is the same picture as {}, but the one is {!r} and the other {!r}: remove one of them from its list'.format(
                picture, first, split_of[picture], split_of[first]))
    shapes = shapes_of(pictures, max_side)
    made_by = {'source': 'voc', 'folder': folder, 'max_side': max_side, 'unsegmented': unsegmented}
    return write_dataset(path, CLASS_NAMES, records, len(records), largest(shapes.values()), made_by, splits)


def splits_of(folder):
    """The pictures that have masks: the path of the mask in the tree, and the split, by name."""
    train, val = listed_in(folder, 'Segmentation/train.txt'), listed_in(folder, 'Segmentation/val.txt')
    both = sorted(set(train) & set(val))
    if both:
        raise SpnError('{} is in both train.txt and val.txt of {}/ImageSets/Segmentation: remove it from one of them'.format(
            both[0], folder))
    splits = {**dict.fromkeys(train, 'train'), **{name: ('val', 'test')[k % 2] for k, name in enumerate(val)}}
    return {name: (mask, splits[name]) for name, mask in {**train, **val}.items()}


def listed_in(folder, name):
    """The pictures of a list, and the path of the mask of each in the tree.

    A line is a name as in VOC's own lists, with an ending or without, or ``JPEGImages/NAME.jpg SegmentationClassAug/NAME.png``,
    as in lists that come with more masks.
    """
    path = os.path.join(folder, 'ImageSets', name)
    try:
        with open(path, encoding='utf-8') as stream:
            lines = list(stream)
    except (OSError, UnicodeDecodeError) as error:
        raise SpnError('{} cannot be read as a list of pictures: {}'.format(path, error)) from error
    found = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            # Nothing of a line leads out of the tree.
            match = re.match(r'/?(?:JPEGImages/)?(?P<name>[^/\s\\.][^/\s\\]*?)(?:\.jpe?g|\.png)?'
                             r'(?:\s+(?:-?\d+|/?(?P<mask>[^/\s\\.][^/\s\\]*/[^/\s\\.][^/\s\\]*\.png)))?\s*$', line, re.IGNORECASE)
            if not match:
                raise SpnError('{}, line {}: {!r} is no picture of the tree; wanted is a name such as 2007_000032, or '
                               'JPEGImages/NAME.jpg SegmentationClass/NAME.png'.format(path, number, line.strip()))
            found[match.group('name')] = match.group('mask') or 'SegmentationClass/{}.png'.format(match.group('name'))
    return found


def picture_of(folder, name):
    return os.path.join(folder, 'JPEGImages', name + '.jpg')


def segmented_record(folder, name, mask, split, max_side):
    """One picture that has a mask."""
    image = read_picture(picture_of(folder, name), max_side)
    path = os.path.join(folder, mask)
    mask = read_mask(path, max_side, by_colour)
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


def by_colour(path, colours):
    """What the numbers of a mask mean, by the palette of VOC's masks.

    Editors, and libraries that make few colours of many, keep the colours of a palette and not its numbers. A palette of greys
    says nothing of VOC's colours: its numbers are meant.
    """
    of_voc = {tuple(colour): number for number, colour in enumerate(PALETTE.tolist())
              if number <= len(CLASS_NAMES) or number == UNKNOWN}
    if all(len(set(colour)) == 1 for colour in colours.values()) or all(
            tuple(PALETTE[number]) == colour for number, colour in colours.items()):
        return {}
    for number, colour in sorted(colours.items()):
        if colour not in of_voc:
            raise SpnError("{} holds the number {} in the colour {}, which is none of VOC's: nobody can know what its numbers mean. "
                           "Save it with VOC's palette, or as a grey PNG whose values are the numbers of the classes".format(
                               path, number, colour))
    return {number: of_voc[colour] for number, colour in colours.items()}


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
        with open(path, 'rb') as stream:
            content = stream.read()
        refuse_doctype(content)
        objects = ElementTree.fromstring(content).findall('object')
    except (OSError, ValueError, expat.ExpatError, ElementTree.ParseError) as error:
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


def refuse_doctype(content):
    """ValueError if XML declares entities: these can have a few lines grow to gigabytes, or read other files."""
    def refuse(*given):
        raise ValueError('it has a DOCTYPE, which no annotation of VOC has')
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(content, True)


def labels_of(classes):
    return np.isin(np.arange(len(CLASS_NAMES)), list(classes)).astype('uint8')
