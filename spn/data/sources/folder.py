"""Any folder with one subfolder of pictures for each class, named as the class.

Masks are optional: ``FOLDER/masks/CLASS/NAME.png`` is the mask of ``FOLDER/CLASS/NAME.jpg`` (or any other ending), a
palette or grey PNG of the picture's size; 0 is background, all other values are the object; in a palette black is
background, whatever its number is. So no class can be called ``masks``. Hidden files are ignored.

Links to pictures inside the folder are followed. Links to folders, and links that lead out of FOLDER, are not.

A picture has the label of its folder, and no other. In each class 70 % of the pictures are 'train', 15 % 'val' and 15 %
'test'. The shuffle depends only on the seed and the name of the class, so that adding a class moves no picture. Files
of the same bytes are in one split, that of the first of them.
"""
import functools
import os
import zlib

import numpy as np

from ...errors import SpnError
from ..dataset import Record, classes_without, write_dataset
from .images import largest, read_picture, shapes_of
from .masks import read_object
from .splits import evenly_spread, identical, keep_together
from .walk import entries_of, files_below

HELD_OUT = {'val': .15, 'test': .15}
MASKS = 'masks'


def make_dataset(path, folder, seed, max_side=None, without=(), n=None):
    """Write a data set of a folder of pictures.

    Parameters
    ----------
    path : str
        The HDF5 file.
    folder : str
    seed : int
        Chooses the pictures that are held out.
    max_side : int, optional
        Pictures with a longer side are scaled down to it, and their masks by nearest neighbour. All pictures are stored
        in the size of the largest, so one that is much larger than the others costs time with each of them.
    without : sequence of str
        Classes to leave out, with their pictures.
    n : int, optional
        Only so many pictures, evenly spread: a sample.

    Returns
    -------
    skipped : list of str
        A sentence for each picture, folder or link that was left out, and for each mask without a picture.

    Raises
    ------
    SpnError
        If there is no class, or no readable picture of a class or a split, or a mask shows nothing.
    """
    class_names, left_out = classes_in(folder)
    left_out_masks = tuple(os.path.join(folder, MASKS, name, '') for name in without)
    class_names = classes_without(class_names, without)
    pictures, class_of = {}, {}
    for name in class_names:
        _, pictures[name], left_out_here = files_below(os.path.join(folder, name), folder)
        class_of.update(dict.fromkeys(pictures[name], name))
        left_out += left_out_here
    shapes = shapes_of(list(class_of), max_side)
    duplicates = identical([picture for picture in class_of if picture in shapes])
    repeated = {picture for group in duplicates for k, picture in enumerate(group)
                if class_of[picture] in [class_of[earlier] for earlier in group[:k]]}
    splits = dict.fromkeys(class_of, 'train')
    for name in class_names:
        readable = [picture for picture in pictures[name] if picture in shapes]
        if not readable:
            raise SpnError('{} is a class without pictures: {} in it can be read as a picture. Put some there or '
                           'remove it{}'.format(os.path.join(folder, name),
                                         'none of {} files'.format(len(pictures[name])) if pictures[name]
                                         else 'nothing', first_reason(left_out)))
        splits.update(deal([picture for picture in readable if picture not in repeated], seed, name))
    keep_together(splits, duplicates, class_of.get)
    if n is not None:
        splits = {picture: splits[picture] for picture in evenly_spread(list(splits), n)}
    masks = {mask for mask in masks_in(folder, left_out) if not mask.startswith(left_out_masks)}
    labels = dict(zip(class_names, np.eye(len(class_names), dtype='uint8')))
    records = [functools.partial(record, folder, picture, {mask_of(folder, picture)} & masks, labels[class_of[picture]],
                                 split=split, max_side=max_side) for picture, split in splits.items()]
    skipped = write_dataset(path, class_names, records, len(records), largest(shapes.values()),
                            made_by(folder, seed, max_side), list(splits.values()) if n is None else ())
    return left_out + skipped + ['{} was left out: it is the mask of no picture'.format(mask)
                                 for mask in sorted(masks - {mask_of(folder, picture) for picture in class_of})]


def planned(folder, seed):
    """The split that each file in the folders of classes will have, if all are pictures, as a dict."""
    splits = {}
    for name in classes_in(folder)[0]:
        splits.update(deal(files_below(os.path.join(folder, name), folder).files, seed, name))
    return splits


def made_by(folder, seed, max_side):
    """What the data set records of how it was made."""
    return {'source': 'folder', 'folder': folder, 'seed': seed, 'max_side': max_side}


def classes_in(folder):
    """The names of the classes, and a sentence for each other entry of the folder, which was left out."""
    try:
        folders, _, left_out = entries_of(folder, folder)
    except OSError as error:
        raise SpnError('{} cannot be read as a folder of pictures: {}'.format(folder, error)) from error
    names = [os.path.basename(path) for path in folders if os.path.basename(path) != MASKS]
    if not names:
        raise SpnError('{} has no folder in it: wanted is one for each class, named as the class, with its '
                       'pictures{}'.format(folder, first_reason(left_out)))
    return names, left_out


def masks_in(folder, left_out):
    """The paths of masks; adds a sentence to `left_out` for each file or link that is left out."""
    masks = os.path.join(folder, MASKS)
    if not os.path.isdir(masks) or os.path.islink(masks):
        return []
    _, files, left_out_here = files_below(masks, folder)
    left_out += left_out_here
    return files


def first_reason(left_out):
    return ''.join('. ' + sentence for sentence in left_out[:1])


def deal(pictures, seed, class_name):
    """The split of each picture of a class, as a dict; with three pictures or more, no split is empty."""
    rng = np.random.RandomState([seed, zlib.crc32(class_name.encode('utf-8', 'surrogateescape'))])
    shuffled = [pictures[i] for i in rng.permutation(len(pictures))]
    dealt = {}
    for split, share in HELD_OUT.items():
        n = max(int(round(share * len(pictures))), int(len(pictures) >= 3))
        dealt.update(dict.fromkeys(shuffled[:n], split))
        shuffled = shuffled[n:]
    dealt.update(dict.fromkeys(shuffled, 'train'))
    return dealt


def mask_of(folder, picture):
    return os.path.join(folder, MASKS, os.path.splitext(os.path.relpath(picture, folder))[0] + '.png')


def record(folder, picture, masks, labels, split, max_side):
    image, mask = read_picture(picture, max_side), None
    for path in masks:
        shown = read_object(path, max_side)
        if not shown.any():
            raise SpnError('{} shows no object: all of its {} x {} pixels are background. Mark the object with another '
                           'value than 0, in a palette with another colour than black, or remove the mask'.format(
                               path, *shown.shape))
        mask = (shown * (np.argmax(labels) + 1)).astype('uint8')
    return Record(os.path.relpath(picture, folder), image, labels, mask, split)
