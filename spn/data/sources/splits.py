"""What must hold of splits wherever pictures come from: no picture on both sides."""
import os

from ...files import digest_of_file, say


def identical(paths):
    """Files of the same bytes.

    Returns
    -------
    list of list of str
        Each of two files or more, in the order of `paths`.
    """
    return [same for same_size in groups(paths, os.path.getsize) for same in groups(same_size, digest_of_file)]


def groups(paths, key):
    members = {}
    for path in paths:
        try:
            members.setdefault(key(path), []).append(path)
        except OSError:
            pass  # named when it is read
    return [group for group in members.values() if len(group) > 1]


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
        say('{} are the same picture, so all are in {}{}'.format(
            ' and '.join(group), splits[group[0]],
            '; it has the classes {}: remove it where it is wrong'.format(' and '.join(classes)) if len(classes) > 1
            else ''))
