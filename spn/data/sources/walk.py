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
    found = Entries([], [], [])
    for path in sorted(os.path.join(folder, name) for name in os.listdir(folder) if name[0] != '.'):
        reason = why_not(path, root)
        if reason:
            found.left_out.append(readable('{} was left out: {}'.format(path, reason)))
        elif os.path.isdir(path):
            found.folders.append(path)
        elif os.path.isfile(path):
            found.files.append(path)
    return found


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
            found = entries_of(path, root)
        except OSError as error:
            left_out.append(readable('{} was left out: {}'.format(path, error)))
            continue
        files += found.files
        left_out += found.left_out
        waiting += found.folders
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
