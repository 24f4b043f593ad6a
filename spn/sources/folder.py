"""Any folder with one subfolder of pictures for each class, named as the class.

Masks are welcome and may lack: ``FOLDER/masks/CLASS/NAME.png`` is the mask of ``FOLDER/CLASS/NAME.jpg`` (or any other
ending), a palette or grey PNG of the picture's size; 0 is background, all other values the object, and in a palette black is
background whatever its number is. So ``masks`` can be no class. Hidden files are left alone.

A picture has the label of its folder, and no other. Of each class 70 % of the pictures are 'train', 15 % 'val' and 15 %
'test', shuffled by the seed and the name of the class alone: another class more moves no picture.
"""
import functools
import glob
import os
import zlib

import numpy as np

from ..dataset import Record, write_dataset
from ..errors import SpnError
from .images import largest, read_picture, shapes_of
from .masks import read_object

HELD_OUT = {'val': .15, 'test': .15}
MASKS = 'masks'


def make(path, folder, seed, max_side=None):
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

    Returns
    -------
    skipped : list of str
        A sentence for each picture that was left out, and for each mask of no picture.

    Raises
    ------
    SpnError
        If there is no class, a class that nobody has, or a mask that shows nothing.
    """
    class_names = classes_in(folder)
    pictures = {name: files_in(os.path.join(folder, name)) for name in class_names}
    shapes = shapes_of([picture for name in class_names for picture in pictures[name]], max_side)
    records = []
    for c, name in enumerate(class_names):
        readable = [picture for picture in pictures[name] if picture in shapes]
        if not readable:
            raise SpnError('{} is a class that nobody has: {} in it can be read as a picture. Put some there or remove '
                           'it'.format(os.path.join(folder, name),
                                       'none of {} files'.format(len(pictures[name])) if pictures[name] else 'nothing'))
        splits = dict(dict.fromkeys(pictures[name], 'train'), **deal(readable, seed, name))
        labels = np.eye(len(class_names), dtype='uint8')[c]
        records += [functools.partial(record, folder, picture, labels, splits[picture], max_side)
                    for picture in pictures[name]]
    made_by = {'source': 'folder', 'folder': folder, 'seed': seed, 'max_side': max_side}
    skipped = write_dataset(path, class_names, records, len(records), largest(shapes.values()), made_by)
    masks = {mask_of(folder, picture) for name in class_names for picture in pictures[name]}
    return skipped + ['{} was left out: it is the mask of no picture'.format(mask)
                      for mask in files_in(os.path.join(folder, MASKS)) if mask not in masks]


def classes_in(folder):
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise SpnError('{} cannot be read as a folder of pictures: {}'.format(folder, error)) from error
    names = [name for name in names if os.path.isdir(os.path.join(folder, name)) and name[0] != '.' and name != MASKS]
    if not names:
        raise SpnError('{} has no folder in it: wanted is one for each class, named as the class, with its pictures'.format(
            folder))
    return names


def files_in(folder):
    found = glob.glob(os.path.join(glob.escape(folder), '**', '*'), recursive=True)
    return sorted(path for path in found if os.path.isfile(path))


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


def record(folder, picture, labels, split, max_side):
    image, mask, path = read_picture(picture, max_side), None, mask_of(folder, picture)
    if os.path.exists(path):
        shown = read_object(path, max_side)
        if not shown.any():
            raise SpnError('{} shows no object: each of its {} x {} pixels is 0. Mark the object with another value, or '
                           'remove the mask'.format(path, *shown.shape))
        mask = (shown * (np.argmax(labels) + 1)).astype('uint8')
    return Record(os.path.relpath(picture, folder), image, labels, mask, split)
