"""The files in a folder that the user gave. Links to folders, and links that lead out of it, are not followed."""
import os
from collections import namedtuple

from ...errors import readable

Entries = namedtuple('Entries', 'folders files left_out')
Entries.__doc__ = """The entries of a folder.

folders, files : list of str
    Paths, sorted, without hidden ones.
left_out : list of str
    A sentence for each entry that cannot be used.
"""


def entries_of(folder, root):
    """The entries of a folder, without those of its subfolders.

    Parameters
    ----------
    folder : str
    root : str
        The folder that the user gave, which links must not lead out of.

    Returns
    -------
    Entries

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    entries = Entries([], [], [])
    for path in sorted(os.path.join(folder, name) for name in os.listdir(folder) if name[0] != '.'):
        reason = why_not(path, root)
        if reason:
            entries.left_out.append(readable('{} was left out: {}'.format(path, reason)))
        elif os.path.isdir(path):
            entries.folders.append(path)
        elif os.path.isfile(path):
            entries.files.append(path)
    return entries


def files_below(folder, root):
    """All files in a folder and its subfolders.

    Returns
    -------
    Entries
        Without folders.
    """
    files, left_out, waiting = [], [], [folder]
    while waiting:
        path = waiting.pop()
        try:
            entries = entries_of(path, root)
        except OSError as error:
            left_out.append(readable('{} was left out: {}'.format(path, error)))
            continue
        files += entries.files
        left_out += entries.left_out
        waiting += entries.folders
    return Entries([], sorted(files), sorted(left_out))


def why_not(path, root):
    """The reason why an entry cannot be used; None if it can."""
    try:
        os.path.basename(path).encode('utf-8')
    except UnicodeEncodeError:
        return 'its name is not UTF-8; rename it'
    if os.path.islink(path):
        target = os.path.realpath(path)
        if not inside(root, path):
            return 'it is a link that leads out of {}, to {}; copy there what it leads to'.format(root, target)
        if os.path.isdir(path):
            return 'it is a link to the folder {}, which counts where it lies'.format(target)
        if not os.path.exists(path):
            return 'it is a link that leads nowhere'
    return None


def inside(root, path):
    """Whether a path, its links followed, leads to a place in the folder `root`."""
    if '\0' in path:  # not a valid path, which realpath of older Pythons does not notice
        return False
    real = os.path.realpath(root)
    return os.path.commonpath([real, os.path.realpath(path)]) == real
