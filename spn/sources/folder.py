"""Any folder with one subfolder of pictures for each class, named as the class.

Masks are welcome and may lack: ``FOLDER/masks/CLASS/NAME.png`` is the mask of ``FOLDER/CLASS/NAME.jpg`` (or any other
ending), a palette or grey PNG of the picture's size; 0, or black, is background, all other values the object. So ``masks`` can be no
class. Hidden files are left alone.

A picture has the label of its folder, and no other. Of each class 70 % of the pictures are 'train', 15 % 'val' and 15 %
'test', shuffled by the seed and the name of the class alone: another class more moves no picture.
"""
import functools
import os
import zlib

import numpy as np

from ..dataset import Record, write_dataset
from ..errors import SpnError
from ..files import say
from .images import copies_among, largest, read_mask, read_picture, shapes_of

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
    class_names, skipped = classes_in(folder)
    walk = Walk(folder)
    pictures = {name: walk.files_in(os.path.join(folder, name)) for name in class_names}
    copies = copies_among([picture for name in class_names for picture in pictures[name]])
    shapes = shapes_of([picture for name in class_names for picture in pictures[name]], max_side)
    splits = {}
    for name in class_names:
        readable = [picture for picture in pictures[name] if picture in shapes]
        if not readable:
            raise SpnError('{} is a class that nobody has: {} in it can be read as a picture. Put some there or remove '
                           'it'.format(os.path.join(folder, name),
                                       'none of {} files'.format(len(pictures[name])) if pictures[name] else 'nothing'))
        splits.update(dict.fromkeys(pictures[name], 'train'))
        splits.update(deal([picture for picture in readable if picture not in copies], seed, name))
    for copy, first in copies.items():
        splits[copy] = splits[first]
        say('{} is the same picture as {}: both are {}{}'.format(
            copy, first, splits[first], '' if class_of(folder, copy) == class_of(folder, first) else
            ', but of different classes: remove the one that is wrong'))
    records = [functools.partial(record, folder, picture, np.eye(len(class_names), dtype='uint8')[c], splits[picture], max_side)
               for c, name in enumerate(class_names) for picture in pictures[name]]
    made_by = {'source': 'folder', 'folder': folder, 'seed': seed, 'max_side': max_side}
    of_records = [splits[picture] for name in class_names for picture in pictures[name]]
    unread = write_dataset(path, class_names, records, len(records), largest(shapes.values()), made_by, of_records)
    masks = {mask_of(folder, picture) for name in class_names for picture in pictures[name]}
    alone = ['{} was left out: it is the mask of no picture'.format(mask)
             for mask in walk.files_in(os.path.join(folder, MASKS)) if mask not in masks]
    return skipped + walk.skipped + unread + alone


def class_of(folder, picture):
    return os.path.relpath(picture, folder).split(os.sep)[0]


def classes_in(folder):
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise SpnError('{} cannot be read as a folder of pictures: {}'.format(folder, error)) from error
    names = [name for name in names if os.path.isdir(os.path.join(folder, name)) and name[0] != '.' and name != MASKS]
    skipped = [not_utf8(os.path.join(folder, name)) for name in names if not is_utf8(name)]
    names = [name for name in names if is_utf8(name)]
    if not names:
        raise SpnError('{} has no folder in it: wanted is one for each class, named as the class, with its pictures'.format(
            folder))
    return names, skipped


class Walk(object):
    """Lists the files of folders, each folder once, however many links lead to it.

    Parameters
    ----------
    folder : str
        Links that lead out of it are not followed, but for those of classes.

    Attributes
    ----------
    skipped : list of str
        A sentence for each link and each name that was left out.
    """

    def __init__(self, folder):
        self.inside, self.seen, self.skipped = os.path.realpath(folder), set(), []

    def files_in(self, folder):
        """The files of a folder and its subfolders, sorted; hidden ones are left alone."""
        found, real = [], os.path.realpath(folder)
        if real in self.seen:
            self.skipped.append('{} was left out: it is a link to a folder that is there already'.format(folder))
            return found
        self.seen.add(real)
        for name in sorted(os.listdir(folder) if os.path.isdir(folder) else ()):
            path = os.path.join(folder, name)
            if name[0] == '.':
                continue
            if not is_utf8(name):
                self.skipped.append(not_utf8(path))
            elif os.path.isfile(path):
                found.append(path)
            elif os.path.islink(path) and os.path.commonpath([self.inside, os.path.realpath(path)]) != self.inside:
                self.skipped.append('{} was left out: it is a link that leads out of {}'.format(path, self.inside))
            elif os.path.isdir(path):
                found += self.files_in(path)
        return found


def is_utf8(name):
    try:
        return bool(name.encode('utf-8'))
    except UnicodeEncodeError:
        return False


def not_utf8(path):
    return '{} was left out: its name is not UTF-8; give it another'.format(path.encode('utf-8', 'backslashreplace').decode())


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


def black_is_background(path, colours):
    """What the numbers of a mask mean: black is 0, which editors give another number."""
    black = [number for number, colour in colours.items() if colour == (0, 0, 0)]
    if not any(black) or len(black) == len(colours):  # black is 0, is not there, or the palette is empty
        return {}
    if colours.get(0, (0, 0, 0)) != (0, 0, 0):
        raise SpnError('{} has black under the number {}, and another colour under 0: nobody can know which of them is background. '
                       'Save it as a grey PNG, with 0 where no object is'.format(path, max(black)))
    return dict.fromkeys(black, 0)


def record(folder, picture, labels, split, max_side):
    image, mask, path = read_picture(picture, max_side), None, mask_of(folder, picture)
    if os.path.exists(path):
        shown = read_mask(path, max_side, black_is_background) > 0
        if not shown.any():
            raise SpnError('{} shows no object: each of its {} x {} pixels is 0. Mark the object with another value, or '
                           'remove the mask'.format(path, *shown.shape))
        mask = (shown * (np.argmax(labels) + 1)).astype('uint8')
    return Record(os.path.relpath(picture, folder), image, labels, mask, split)
