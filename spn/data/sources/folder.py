"""Any folder with one subfolder of pictures for each class, named as the class.

Masks are welcome and may lack: ``FOLDER/masks/CLASS/NAME.png`` is the mask of ``FOLDER/CLASS/NAME.jpg`` (or any other
ending), a palette or grey PNG of the picture's size; 0 is background, all other values the object; in a palette black
is background, whatever its number is. So ``masks`` can be no class. Hidden files are left alone.

Links to pictures of the folder are welcome. Links to folders are not followed, nor is any that leads out of FOLDER.

A picture has the label of its folder, and no other. Of each class 70 % of the pictures are 'train', 15 % 'val' and 15 %
'test', shuffled by the seed and the name of the class alone: another class more moves no picture. Files of the same
bytes are in one split, that of the first of them.
"""
import functools
import os
import zlib

import numpy as np

from ...errors import SpnError
from ..dataset import Record, classes_without, write_dataset
from .images import largest, read_picture, shapes_of
from .masks import read_object
from .splits import identical, keep_together
from .walk import entries_of, files_below

HELD_OUT = {'val': .15, 'test': .15}
MASKS = 'masks'


def make_dataset(path, folder, seed, max_side=None, without=()):
    """Write a data set of a folder of pictures.

    Parameters
    ----------
    path : str
        The HDF5 file.
    folder : str
    seed : int
        Which pictures are held out.
    max_side : int, optional
        Pictures with a longer side are scaled down to it, and their masks by nearest neighbour. All pictures are stored
        in the size of the largest, so one that is much larger than the others costs time with each of them.
    without : sequence of str
        Classes to leave out, with their pictures.

    Returns
    -------
    skipped : list of str
        A sentence for each picture, folder or link that was left out, and for each mask of no picture.

    Raises
    ------
    SpnError
        If there is no class, a class that nobody has, a mask that shows nothing, or a split of which nothing can be
        read.
    """
    class_names, left_out = classes_in(folder)
    masks_of_others = tuple(os.path.join(folder, MASKS, name, '') for name in without)
    class_names = classes_without(class_names, without)
    pictures, class_of = {}, {}
    for name in class_names:
        _, pictures[name], beside = files_below(os.path.join(folder, name), folder)
        class_of.update(dict.fromkeys(pictures[name], name))
        left_out += beside
    shapes = shapes_of(list(class_of), max_side)
    same = identical([picture for picture in class_of if picture in shapes])
    again = {picture for group in same for k, picture in enumerate(group)
             if class_of[picture] in [class_of[before] for before in group[:k]]}
    splits = dict.fromkeys(class_of, 'train')
    for name in class_names:
        readable = [picture for picture in pictures[name] if picture in shapes]
        if not readable:
            raise SpnError('{} is a class that nobody has: {} in it can be read as a picture. Put some there or remove '
                           'it{}'.format(os.path.join(folder, name),
                                         'none of {} files'.format(len(pictures[name])) if pictures[name]
                                         else 'nothing', because(left_out)))
        splits.update(deal([picture for picture in readable if picture not in again], seed, name))
    keep_together(splits, same, class_of.get)
    masks = {mask for mask in masks_in(folder, left_out) if not mask.startswith(masks_of_others)}
    labels = dict(zip(class_names, np.eye(len(class_names), dtype='uint8')))
    records = [functools.partial(record, folder, picture, {mask_of(folder, picture)} & masks, labels[class_of[picture]],
                                 split=split, max_side=max_side) for picture, split in splits.items()]
    made_by = {'source': 'folder', 'folder': folder, 'seed': seed, 'max_side': max_side}
    skipped = write_dataset(path, class_names, records, len(records), largest(shapes.values()), made_by,
                            list(splits.values()))
    return left_out + skipped + ['{} was left out: it is the mask of no picture'.format(mask)
                                 for mask in sorted(masks - {mask_of(folder, picture) for picture in class_of})]


def classes_in(folder):
    """The names of classes, and a sentence for each thing beside them that was left out."""
    try:
        folders, _, left_out = entries_of(folder, folder)
    except OSError as error:
        raise SpnError('{} cannot be read as a folder of pictures: {}'.format(folder, error)) from error
    names = [os.path.basename(path) for path in folders if os.path.basename(path) != MASKS]
    if not names:
        raise SpnError('{} has no folder in it: wanted is one for each class, named as the class, with its '
                       'pictures{}'.format(folder, because(left_out)))
    return names, left_out


def masks_in(folder, left_out):
    """The paths of masks; what is left out beside them is added to `left_out`."""
    masks = os.path.join(folder, MASKS)
    if not os.path.isdir(masks) or os.path.islink(masks):
        return []
    _, files, beside = files_below(masks, folder)
    left_out += beside
    return files


def because(left_out):
    return ''.join('. ' + sentence for sentence in left_out[:1])


def deal(pictures, seed, class_name):
    """The split of each picture of a class, as a dict; from three pictures on each split has one."""
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
