"""For every source of pictures: no picture is in two splits; and samples."""
import os

import numpy as np

from ...files import digest_of_file, say


def identical(paths):
    """Groups of files of the same bytes.

    Returns
    -------
    list of list of str
        Each group has two files or more, in the order of `paths`.
    """
    return [group for same_size in groups(paths, os.path.getsize) for group in groups(same_size, digest_of_file)]


def groups(paths, key):
    members = {}
    for path in paths:
        try:
            members.setdefault(key(path), []).append(path)
        except OSError:
            pass  # reported when it is read
    return [group for group in members.values() if len(group) > 1]


def keep_together(splits, duplicates, class_of=None):
    """Move files of the same bytes to one split, that of the first, and say so on standard error.

    Parameters
    ----------
    splits : dict of str to str
        The split of each path; changed in place.
    duplicates : list of list of str
        As from :func:`identical`.
    class_of : callable, optional
        Gives the class of a path, if each has exactly one.
    """
    for group in duplicates:
        splits.update(dict.fromkeys(group, splits[group[0]]))
        classes = list(dict.fromkeys(map(class_of, group))) if class_of else []
        say('{} are the same picture, so all are in {}{}'.format(
            ' and '.join(group), splits[group[0]],
            '; it has the classes {}: remove it where it is wrong'.format(' and '.join(classes)) if len(classes) > 1
            else ''))


def evenly_spread(items, n):
    """`n` of the items, or all if there are fewer, from the first to the last."""
    return [items[k] for k in np.unique(np.linspace(0, len(items) - 1, n).astype(int))]
