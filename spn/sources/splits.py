"""What must hold of splits wherever pictures come from: no picture on both sides, and no side that vanishes."""
import os
import sys

import numpy as np

from ..dataset import SPLITS, names_of
from ..errors import SpnError, UnreadablePicture
from ..files import digest_of_file


def identical(paths):
    """Files of the same bytes.

    Returns
    -------
    list of list of str
        Each of two files or more, in the order of `paths`.
    """
    return [same for of_size in groups(paths, os.path.getsize) for same in groups(of_size, digest_of_file)]


def groups(paths, key):
    found = {}
    for path in paths:
        try:
            found.setdefault(key(path), []).append(path)
        except OSError:
            pass  # named when it is read
    return [group for group in found.values() if len(group) > 1]


def keep_together(splits, same, class_of=None):
    """Move files of the same bytes to one split, that of the first, and say so on standard error.

    Parameters
    ----------
    splits : dict of str to str
        The split of each path; changed.
    same : list of list of str
        As from :func:`identical`.
    class_of : callable, optional
        The class of a path, where it has one alone.
    """
    for group in same:
        splits.update(dict.fromkeys(group, splits[group[0]]))
        classes = list(dict.fromkeys(map(class_of, group))) if class_of else []
        print('{} are the same picture, so all are in {}{}'.format(
            ' and '.join(group), splits[group[0]],
            '; it has the classes {}: remove it where it is wrong'.format(' and '.join(classes)) if len(classes) > 1 else ''),
            file=sys.stderr)


def surviving(path, records, splits, class_names):
    """The records of a data set, one by one; after the last it is looked at what came of them.

    Parameters
    ----------
    path : str
        The data set that is written.
    records : list of callable
        As for :func:`spn.dataset.write_dataset`.
    splits : collection of str
        Those that pictures were meant for.
    class_names : list of str

    Raises
    ------
    SpnError
        If pictures could be read, but none of a split. Classes that no training picture has are named on standard error.
    """
    read, labels, first = set(), np.zeros(len(class_names), bool), {}

    def reading(record):
        try:
            found = record()
        except UnreadablePicture as error:
            first.setdefault(record.keywords['split'], str(error))
            raise
        read.add(found.split)
        if found.split == 'train':
            labels[np.flatnonzero(found.labels)] = True
        return found

    for record in records:
        yield lambda: reading(record)
    if not read:
        return  # write_dataset says so
    for split in SPLITS:
        if split in splits and split not in read:
            raise SpnError('{} was not written: none of the pictures of {} could be used. The first: {}'.format(
                path, split, first[split]))
    if not labels.all():
        print('no picture of train shows {}: nothing can be learned of it'.format(
            names_of(np.flatnonzero(~labels), class_names)), file=sys.stderr)
