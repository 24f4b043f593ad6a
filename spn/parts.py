"""What is computed for each image of a data set, kept in a folder of HDF5 files: the parts, of some images each.

A part is written when its images are done, and then stays as it is. So a run that is stopped, at any time and for any
reason, loses only the parts that were being computed; the same command goes on from there; and nothing is on disk
twice, neither meanwhile nor at the end.

Images are identified by keys, digests of what their arrays are computed from. If a data set is made again, what was
computed for its images before is found again.

A part contains ``keys``, one for each image; ``columns/NAME``, small arrays, of which those of all parts are read at
once; and ``arrays/NAME``, which are read image by image. All have checksums.
"""
import collections
import contextlib
import glob
import io
import json
import os
import shutil
from typing import NamedTuple

import h5py
import numpy as np

from .errors import SpnError
from .files import locked, progress, say, write_bytes, write_text
from .hdf5 import as_text, explaining_damage, open_hdf5, text

MOST_OPEN = 100  # files at once, of each folder: a process may have 1024


class Kind(NamedTuple):
    """What a folder of parts contains."""

    layout: str         # the attribute of each part
    what: str           # in words, for messages
    command: str        # that computes it, for messages
    size: int = 32      # images in a part


def packed(kind, keys, columns, arrays, **compression):
    """A part, as the bytes of an HDF5 file.

    Parameters
    ----------
    kind : Kind
    keys : sequence of str
        Of the images.
    columns, arrays : dict of str to ndarray, (images, ..) each
    compression
        Of the arrays: keyword arguments of h5py's ``create_dataset``.

    Returns
    -------
    bytes
    """
    stream = io.BytesIO()
    with h5py.File(stream, 'w', libver=('v110', 'v110')) as file:
        file.attrs['layout'] = as_text(kind.layout)
        file.create_dataset('keys', data=as_text(keys), chunks=True, fletcher32=True)
        for name, column in columns.items():
            file.create_dataset('columns/' + name, data=column, chunks=True, fletcher32=True)
        for name, array in arrays.items():
            file.create_dataset('arrays/' + name, data=array, chunks=(1,) + array.shape[1:], fletcher32=True,
                                **compression)
    return stream.getvalue()


class Parts:
    """The parts in a folder, opened for reading.

    Parameters
    ----------
    folder : str
    kind : Kind

    Attributes
    ----------
    made_by : dict
        What the arrays depend on besides the images, and ``layout``. None if the folder has no note of it.

    Raises
    ------
    SpnError
        If a part is cut short, damaged, or of another version: the message names the file to remove.
    """

    def __init__(self, folder, kind):
        self.folder, self.kind = folder, kind
        self.made_by = made_by_of(folder)
        if self.made_by and self.made_by.get('layout') != kind.layout:
            raise SpnError('{} is not of this version: its layout is {!r}, wanted is {!r}; make it again with '
                           '{}'.format(folder, self.made_by.get('layout'), kind.layout, kind.command))
        self._row, self._places, self._columns = {}, [], collections.defaultdict(list)
        self._keys = {}  # of each part
        self._open = collections.OrderedDict()
        for path in paths_in(folder):
            self._index(path)

    def _index(self, path):
        with open_hdf5(path, self.kind.layout, self.kind.what, self.kind.command) as file:
            with explaining_damage(path, self.kind.command):
                self._keys[path] = keys_in(file)
                for k, key in enumerate(self._keys[path]):
                    self._row[key] = len(self._places)
                    self._places.append((path, k))
                for name, column in file.get('columns', {}).items():
                    self._columns[name].append(column[:])

    def __contains__(self, key):
        return key in self._row

    def column(self, name, keys):
        """The column of some images, (images, ..)."""
        if len(self._columns[name]) > 1:
            self._columns[name] = [np.concatenate(self._columns[name])]
        return self._columns[name][0][[self._row[key] for key in keys]]

    def array(self, name, key):
        """The array of one image."""
        path, k = self._places[self._row[key]]
        with explaining_damage(path, self.kind.command):
            return self._file(path)['arrays'][name][k]

    def _file(self, path):
        """The opened file; those that were used last stay open."""
        if path not in self._open:
            if len(self._open) >= MOST_OPEN:
                self._open.popitem(last=False)[1].close()
            file = open_hdf5(path, self.kind.layout, self.kind.what, self.kind.command)
            # Nobody who reads holds a lock, and a new part may have the name of the one that was read before.
            if made_by_of(self.folder) != self.made_by or keys_in(file) != self._keys[path]:
                file.close()
                raise SpnError('{} was made anew while it was read: run the same command again'.format(self.folder))
            self._open[path] = file
        self._open.move_to_end(path)
        return self._open[path]

    def add(self, content):
        """Write another part, as from :func:`packed`."""
        path = os.path.join(self.folder, '{:06d}.h5'.format(number_after(paths_in(self.folder))))
        write_bytes(path, content)
        self._index(path)

    def remove_unused(self, keys):
        """Remove the parts of which none of the `keys` is needed.

        Returns
        -------
        int
            The number of images that were removed.
        """
        used = {self._places[self._row[key]][0] for key in keys if key in self._row}
        unused = set(paths_in(self.folder)) - used
        for path in unused:
            if path in self._open:
                self._open.pop(path).close()
            os.remove(path)
        removed = [key for key, row in self._row.items() if self._places[row][0] in unused]
        for key in removed:
            del self._row[key]
        return len(removed)

    def close(self):
        while self._open:
            self._open.popitem()[1].close()


def keys_in(file):
    """The keys of the images of a part."""
    return [text(key) for key in file['keys'][:]]


def paths_in(folder):
    return sorted(glob.glob(os.path.join(glob.escape(folder), '[0-9]*.h5')))


def number_after(paths):
    return int(os.path.basename(paths[-1])[:-3]) + 1 if paths else 0


def note_in(folder):
    return os.path.join(folder, 'made_by.json')


def made_by_of(folder):
    """What the parts in a folder were made by; None if that is not known."""
    try:
        with open(note_in(folder), encoding='utf-8') as stream:
            return json.load(stream)
    except (OSError, ValueError):
        return None


def fill(folder, kind, made_by, keys, compute, workers, title):
    """Compute what is missing of the arrays of some images.

    Parts that were made in another way are replaced by the new ones when all of these are done.

    Parameters
    ----------
    folder : str
    kind : Kind
    made_by : dict
        What the arrays depend on besides the images; JSON.
    keys : sequence of str
        Of all images.
    compute : callable
        ``compute(places)`` returns a part, as from :func:`packed`, of the images with these places in `keys`. Should
        the images have changed meanwhile, so have the keys in the part.
    workers : spn.workers.LocalProcesses or spn.cluster.Cluster
        None where nothing is to be written: what is missing is an error.
    title : str
        Of the progress bar.

    Returns
    -------
    Parts
        Containing all the images.

    Raises
    ------
    SpnError
        If the images change meanwhile, or a part cannot be written or read.
    """
    # A tuple becomes a list, as it will be when it is read.
    made_by = json.loads(json.dumps(dict(made_by, layout=kind.layout)))
    parts = complete(folder, kind, made_by, keys)
    if parts is None and workers is None:
        raise SpnError('{} does not have the {} of all pictures: {} makes them; on another machine than that which has '
                       'just made them, they may be seen some seconds later'.format(folder, kind.what, kind.command))
    if parts is None:
        with locked(folder):
            parts = complete(folder, kind, made_by, keys)  # another process may have computed it meanwhile
            if parts is None:
                parts = completed(folder, kind, made_by, keys, compute, workers, title)
    return parts


def complete(folder, kind, made_by, keys):
    """The parts in a folder if they contain all images, else None."""
    if made_by_of(folder) != made_by:
        return None
    parts = Parts(folder, kind)
    if all(key in parts for key in keys):
        return parts
    parts.close()
    return None


def completed(folder, kind, made_by, keys, compute, workers, title):
    """The parts in a folder, which this process has locked, after the missing ones were computed."""
    new, target = unfinished(folder), folder
    if made_by_of(folder) != made_by and (paths_in(folder) or made_by_of(new) == made_by):
        target = new
    if made_by_of(target) != made_by:
        shutil.rmtree(target, ignore_errors=True)
        write_text(note_in(target), json.dumps(made_by, sort_keys=True))
    with contextlib.closing(Parts(target, kind)) as parts:
        places = {}  # of each missing key the first
        for place, key in enumerate(keys):
            if key not in parts:
                places.setdefault(key, place)
        missing = list(places.values())
        groups = [missing[k:k + kind.size] for k in range(0, len(missing), kind.size)]
        with progress(total=len(set(keys)), title=title, unit='images', done=len(set(keys)) - len(missing)) as bar:
            for group, content in workers.run(compute, groups):
                parts.add(content)
                if not all(keys[place] in parts for place in group):
                    raise SpnError('{}: the data set was made again while this was computed: run the same command '
                                   'again'.format(folder))
                bar.update(len(group))
        n_removed = parts.remove_unused(keys)
        if n_removed:
            say('{}: {} of {} pictures are dropped, which are gone or have changed'.format(
                folder, kind.what, n_removed))
    if target != folder:
        replace_folder(target, folder)
    return Parts(folder, kind)


def unfinished(folder):
    """Where the parts are until all of them are there that will replace those in a folder."""
    parent, name = os.path.split(os.path.abspath(folder))
    return os.path.join(parent, '.new-' + name)


def replace_folder(new, folder):
    """Move a folder to the place of another. If that is stopped halfway, :func:`completed` finds the new one."""
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(new, folder)
