"""Where the results of many pictures go: one path for each of them, none outside the output folder."""
import hashlib
import os
import re

from ..data.sources.folder import MASKS
from ..data.sources.walk import files_below
from ..errors import SpnError

LONGEST = 180  # bytes of a part of a path; file systems allow 255, of which endings and `written_beside` need some

# Characters that would hide a file, lead elsewhere or spoil a listing. A surrogate stands for a byte that is not UTF-8.
# A % only where it looks like what becomes of these: so no two names become the same.
ODD = re.compile('^[.]|[/\x00-\x1f\x7f\ud800-\udfff]|%(?=[0-9a-f]{2})')


def stems_of(names):
    """Paths, without ending, that results are written to: one for each name, with the folders that it has.

    Parameters
    ----------
    names : sequence of str
        Of pictures, relative to some folder; ``/`` separates folders.

    Returns
    -------
    list of str
        Relative paths that never lead out of the folder that they are joined to. Endings are dropped, but kept where
        else two pictures had one path, as a.jpg and a.png.

    Raises
    ------
    SpnError
        If two names still lead to one path.
    """
    without = [os.path.splitext(name)[0] for name in names]
    stems = distinct(without) or distinct(names)
    if stems is None:
        first = {}
        for name in names:
            path = safe_path(name)
            if path in first:
                raise SpnError('the results of {!r} and {!r} would be the same file: rename one of the two'.format(
                    first[path], name))
            first[path] = name
    return stems


def distinct(names):
    """A safe path for each name, or None if two are the same."""
    paths = [safe_path(name) for name in names]
    return paths if len(set(paths)) == len(paths) else None


def safe_path(name):
    return '/'.join(map(safe_part, name.strip('/').split('/')))


def safe_part(part):
    """The name of one file or folder from any text: odd characters become their numbers, as in addresses of the web."""
    safe = ODD.sub(lambda odd: ''.join('%{:02x}'.format(byte)
                                       for byte in odd.group().encode('utf-8', 'surrogateescape')), part) or '%'
    whole = safe.encode('utf-8')
    if len(whole) <= LONGEST:
        return safe
    return '{}-{}'.format(whole[:LONGEST - 17].decode('utf-8', 'ignore'), hashlib.sha256(whole).hexdigest()[:16])


def pictures_in(given, out):
    """The pictures that a user names, one by one or by their folders.

    Parameters
    ----------
    given : sequence of str
        Files and folders; of a folder all files, in its subfolders too, but hidden ones and those in `out`.
    out : str
        The folder that results are written to.

    Returns
    -------
    paths : list of str
        Each file once.
    names : list of str
        Of each, relative to the folder that all that was given lies in.

    Raises
    ------
    SpnError
        If a folder has no file, or is `out` itself: results would be taken for pictures the next time.
    """
    out, path_by_target, folders = os.path.realpath(out), {}, []
    for path in given:
        if not os.path.isdir(path):
            path_by_target.setdefault(os.path.realpath(path), path)
            folders.append(os.path.dirname(os.path.abspath(path)))
            continue
        if os.path.realpath(path) == out:
            raise SpnError('{} is the folder of the pictures and that of the results: choose another --out, such as '
                           '{}'.format(path, os.path.join(path, 'predicted')))
        # Masks of a folder as `spn data folder` takes it, and results of before, are no pictures.
        no_pictures = os.path.join(out, ''), os.path.join(os.path.realpath(path), MASKS, '')
        files = [file for file in files_below(path, path).files
                 if not os.path.realpath(file).startswith(no_pictures)]
        if not files:
            raise SpnError('{} has no picture in it'.format(path))
        for file in files:
            path_by_target.setdefault(os.path.realpath(file), file)
        folders.append(os.path.abspath(path))
    paths = list(path_by_target.values())
    common = os.path.commonpath(folders)
    return paths, [os.path.relpath(os.path.abspath(path), common) for path in paths]
