"""HDF5 files of ours: opened with a sentence for what is wrong, and written so that a full disk harms nothing."""
import contextlib
import io
import os
import shutil

import h5py
import numpy as np

from .errors import SpnError
from .files import written_beside


def open_hdf5(path, layout, what, command):
    """Open an HDF5 file of ours, with a sentence for all that can be wrong with it.

    Parameters
    ----------
    path, layout : str
        The file, and what its attribute ``layout`` must be.
    what, command : str
        What it is to be and what makes one, for the sentence.
    """
    if not os.path.exists(path):
        raise SpnError('{} is not there: {} makes {}'.format(path, command, what))
    opened = None
    try:
        opened = h5py.File(path, 'r')
        actual = opened.attrs.get('layout')
        actual = None if actual is None else text(actual)
    except Exception as error:  # of a damaged file HDF5 and h5py say whatever they stumble over
        if opened is not None:
            opened.close()
        raise SpnError('{} is cut short or no HDF5 file ({}): remove it and make it anew with {}'.format(
            path, error, command)) from error
    if actual != layout:
        opened.close()
        raise SpnError('{} is not {} of this version: its layout is {!r}, wanted is {!r}; remove it and make it '
                       'anew with {}'.format(path, what, actual, layout, command))
    try:
        with whole(path, command):
            refuse_other_files(opened)
    except SpnError:
        opened.close()
        raise
    return opened


def refuse_other_files(group):
    """ValueError if HDF5 would read other files for what is in a group: a file of ours holds all that belongs to it."""
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ValueError('{}/{} is a link to something else'.format(group.name, name))
        item = group[name]
        if isinstance(item, h5py.Group):
            refuse_other_files(item)
        elif item.is_virtual or item.id.get_create_plist().get_external_count():
            raise ValueError('{} lies in another file'.format(item.name))


@contextlib.contextmanager
def whole(path, command, make='make'):
    """Say of what goes wrong when a block reads from the file at `path` that the file is damaged, and how to make it
    anew.

    Every dataset of ours has a checksum: HDF5 reads no bit that is not as it was written.
    """
    try:
        yield
    except SpnError:
        raise
    except Exception as error:  # as above
        raise SpnError('{} is not whole, or damaged ({}): remove it and {} it anew with {}'.format(
            path, error, make, command)) from error


class Stored:
    """A dataset of a file of ours: read as h5py's, but a damaged part of it is said in a sentence.

    Parameters
    ----------
    path, name : str
        The file, and the dataset in it.
    stored : h5py.Dataset
    command : str
        What makes the file.
    """

    def __init__(self, path, name, stored, command):
        self._path, self._name, self._stored, self._command = path, name, stored, command
        self.attrs, self.shape, self.dtype = stored.attrs, stored.shape, stored.dtype

    def __len__(self):
        return len(self._stored)

    def __getitem__(self, key):
        with whole('{}, dataset {!r},'.format(self._path, self._name), self._command):
            return self._stored[key]


def text(value):
    """A str from what h5py reads, which is bytes or str by its version."""
    return value.decode('utf-8') if isinstance(value, bytes) else str(value)


def as_text(value):
    """What HDF5 stores for a str, or an array of them: bytes of a fixed length, because others have no checksum."""
    if isinstance(value, str):
        return np.bytes_(value.encode('utf-8'))
    encoded = [each.encode('utf-8') for each in value]
    return np.array(encoded, 'S{}'.format(max([1] + [len(each) for each in encoded])))


@contextlib.contextmanager
def hdf5_beside(path, mode='w'):
    """Give an HDF5 file to write to, and move it to `path` only when the block ends well.

    Parameters
    ----------
    path : str
    mode : {'w', 'r+'}
        'r+' changes a copy of the file that is at `path`.

    Yields
    ------
    file : h5py.File
    disk : Disk
        Where the block takes long, ``disk.check()`` ends it early if the disk is full.

    Raises
    ------
    SpnError
        As :func:`spn.files.written_beside`.
    """
    with written_beside(path) as beside:
        if mode == 'r+':
            shutil.copyfile(path, beside)
        with Disk(beside, mode) as disk:
            try:
                # From 1.8 on an attribute may have more than 64 KiB, from 1.10 on what tells where chunks lie has a
                # checksum.
                with h5py.File(disk, mode, libver=('v110', 'v110')) as file:
                    yield file, disk
            finally:
                disk.check()


class Disk(io.FileIO):
    """A file that keeps the first error until it is asked: a write that fails would abort HDF5, and Python with it."""

    def __init__(self, path, mode):
        super().__init__(path, {'w': 'w+', 'r+': 'r+'}[mode])
        self.error = None

    def write(self, data):
        left = memoryview(data)
        try:
            while len(left) and self.error is None:
                left = left[super().write(left):]
        except OSError as error:
            self.error = error
        return len(data)

    def truncate(self, size=None):
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size

    def check(self):
        """Raise what went wrong.

        Raises
        ------
        OSError
        """
        if self.error is not None:
            raise self.error
