"""What lies in a folder that the user gave, and in it alone: links lead to no file outside, and to no folder at all."""
import os
from collections import namedtuple

from ...errors import readable

Entries = namedtuple('Entries', 'folders files left_out')
Entries.__doc__ = """What lies in a folder.

folders, files : list of str
    Paths, sorted. Hidden ones are not among them.
left_out : list of str
    A sentence for each of those that cannot be used.
"""


def entries_of(folder, root):
    """What lies in a folder, directly.

    Parameters
    ----------
    folder : str
    root : str
        The folder that the user gave: links may lead to files of it.

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
    """All files in a folder and the folders in it.

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
    """Why something cannot be used; None if it can."""
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
    if '\0' in path:  # no path of a file, which only newer Pythons' realpath says
        return False
    real = os.path.realpath(root)
    return os.path.commonpath([real, os.path.realpath(path)]) == real
