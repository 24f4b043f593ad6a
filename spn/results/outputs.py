"""Paths for the results of many pictures: a different one for each, and none outside the output folder."""
import hashlib
import os
import re

from ..data.sources.folder import MASKS
from ..data.sources.walk import files_below
from ..errors import SpnError

LONGEST = 180  # bytes of a file name; file systems allow 255, of which endings and `atomic_write` need some

# Characters that would hide a file, lead out of the folder or garble a listing. A surrogate stands for a byte that is
# not UTF-8. A % only where it looks like an escaped character, so that no two names become the same.
ODD = re.compile('^[.]|[/\x00-\x1f\x7f\ud800-\udfff]|%(?=[0-9a-f]{2})')


def stems_of(names):
    """Paths without ending for the results: one for each name, in the same subfolders.

    Parameters
    ----------
    names : sequence of str
        Of pictures, relative to some folder; ``/`` separates folders.

    Returns
    -------
    list of str
        Relative paths that never lead out of the folder that they are joined to. Endings are dropped, unless two
        pictures would then have the same path, as a.jpg and a.png.

    Raises
    ------
    SpnError
        If two names give the same path even then.
    """
    stems = distinct([os.path.splitext(name)[0] for name in names]) or distinct(names)
    if stems is None:
        name_of_path = {}
        for name in names:
            path = safe_path(name)
            if path in name_of_path:
                raise SpnError('the results of {!r} and {!r} would be the same file: rename one of the two'.format(
                    name_of_path[path], name))
            name_of_path[path] = name
    return stems


def distinct(names):
    """A safe path for each name, or None if two are the same."""
    paths = [safe_path(name) for name in names]
    return paths if len(set(paths)) == len(paths) else None


def safe_path(name):
    return '/'.join(map(safe_part, name.strip('/').split('/')))


def safe_part(part):
    """A name of a file or folder from any text: odd characters are percent-encoded, as in URLs."""
    safe = ODD.sub(lambda odd: ''.join('%{:02x}'.format(byte)
                                       for byte in odd.group().encode('utf-8', 'surrogateescape')), part) or '%'
    encoded = safe.encode('utf-8')
    if len(encoded) <= LONGEST:
        return safe
    return '{}-{}'.format(encoded[:LONGEST - 17].decode('utf-8', 'ignore'), hashlib.sha256(encoded).hexdigest()[:16])


def named_in(list_path, paths):
    """Those of the pictures that a list names, as PASCAL VOC's test.txt does: a line for each, without its ending.

    Parameters
    ----------
    list_path : str
    paths : list of str

    Returns
    -------
    list of bool
        For each path, whether it is named.

    Raises
    ------
    SpnError
        If the list cannot be read, is empty, or names a picture that is not there.
    """
    try:
        with open(list_path, encoding='utf-8-sig') as stream:
            names = [os.path.splitext(line.split()[0])[0] for line in stream if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise SpnError('{} cannot be read as a list of pictures: {}'.format(list_path, error)) from error
    stems = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    missing = sorted(set(names) - set(stems))
    if missing or not names:
        raise SpnError('{} names {}: wanted is the name of one of the {} pictures in each line'.format(
            list_path, '{!r}, which is not among the pictures'.format(missing[0]) if names else 'no picture',
            len(paths)))
    wanted = set(names)
    return [stem in wanted for stem in stems]


def pictures_in(given, out):
    """The pictures that a user names as files or by their folders.

    Parameters
    ----------
    given : sequence of str
        Files and folders. A folder stands for all files in it and its subfolders, except hidden ones and those in
        `out`.
    out : str
        The folder that results are written to.

    Returns
    -------
    paths : list of str
        Each file once.
    names : list of str
        The path of each, relative to the folder that they have in common.

    Raises
    ------
    SpnError
        If a folder has no file, or is `out` itself, because the next run would take the results for pictures.
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
        # Earlier results are not pictures, nor are the masks in a folder for `spn data folder`.
        excluded = os.path.join(out, ''), os.path.join(os.path.realpath(path), MASKS, '')
        files = [file for file in files_below(path, path).files if not os.path.realpath(file).startswith(excluded)]
        if not files:
            raise SpnError('{} has no picture in it'.format(path))
        for file in files:
            path_by_target.setdefault(os.path.realpath(file), file)
        folders.append(os.path.abspath(path))
    paths = list(path_by_target.values())
    common = os.path.commonpath(folders)
    return paths, [os.path.relpath(os.path.abspath(path), common) for path in paths]
