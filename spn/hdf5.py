"""HDF5 files: every kind of damage is an error that says what to do, and a full disk harms nothing."""
import contextlib
import io
import os
import shutil

import h5py
import numpy as np

from .errors import SpnError
from .files import atomic_write


def open_hdf5(path, layout, what, command):
    """Open one of our HDF5 files, with an error message for everything that can be wrong with it.

    Parameters
    ----------
    path, layout : str
        The file, and the value that its attribute ``layout`` must have.
    what, command : str
        What the file is and which command makes it, for the message.
    """
    if not os.path.exists(path):
        raise SpnError('{} is not there: {} makes {}'.format(path, command, what))
    opened = None
    try:
        opened = h5py.File(path, 'r')
        actual = opened.attrs.get('layout')
        actual = None if actual is None else text(actual)
    except Exception as error:  # HDF5 and h5py raise errors of many types for damaged files
        if opened is not None:
            opened.close()
        raise SpnError('{} is cut short or not an HDF5 file ({}): remove it and make it again with {}'.format(
            path, error, command)) from error
    if actual != layout:
        opened.close()
        raise SpnError('{} is not {} of this version: its layout is {!r}, wanted is {!r}; remove it and make it '
                       'again with {}'.format(path, what, actual, layout, command))
    try:
        with explaining_damage(path, command):
            refuse_other_files(opened)
    except SpnError:
        opened.close()
        raise
    return opened


def refuse_other_files(group):
    """Raise ValueError if something in a group lies in another file: our files contain everything they refer to."""
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
def explaining_damage(path, command, make='make'):
    """Turn any error in a block that reads the file at `path` into one that calls the file damaged and gives the cure.

    Damage is always an error, because each of our datasets has a checksum.
    """
    try:
        yield
    except SpnError:
        raise
    except Exception as error:  # as above
        raise SpnError('{} is not whole, or damaged ({}): remove it and {} it again with {}'.format(
            path, error, make, command)) from error


class Stored:
    """A dataset of one of our files: read like one of h5py, but damage is reported by :func:`explaining_damage`.

    Parameters
    ----------
    path, name : str
        The file, and the dataset in it.
    stored : h5py.Dataset
    command : str
        The command that makes the file.
    """

    def __init__(self, path, name, stored, command):
        self._path, self._name, self._stored, self._command = path, name, stored, command
        self.attrs, self.shape, self.dtype = stored.attrs, stored.shape, stored.dtype

    def __len__(self):
        return len(self._stored)

    def __getitem__(self, key):
        with explaining_damage('{}, dataset {!r},'.format(self._path, self._name), self._command):
            return self._stored[key]


def text(value):
    """A str from what h5py reads, which is bytes or str, depending on its version."""
    return value.decode('utf-8') if isinstance(value, bytes) else str(value)


def as_text(value):
    """A str, or a sequence of them, as bytes of a fixed length: HDF5 has no checksums for text of variable length."""
    if isinstance(value, str):
        return np.bytes_(value.encode('utf-8'))
    encoded = [each.encode('utf-8') for each in value]
    return np.array(encoded, 'S{}'.format(max([1] + [len(each) for each in encoded])))


@contextlib.contextmanager
def atomic_hdf5(path, mode='w'):
    """Yield an HDF5 file to write to, and move it to `path` only if the block succeeds.

    Parameters
    ----------
    path : str
    mode : {'w', 'r+'}
        'r+' changes a copy of the file at `path`.

    Yields
    ------
    file : h5py.File
    disk : Disk
        A long block calls ``disk.check()`` now and then, to end early if the disk is full.

    Raises
    ------
    SpnError
        As :func:`spn.files.atomic_write`.
    """
    with atomic_write(path) as temporary:
        if mode == 'r+':
            shutil.copyfile(path, temporary)
        with Disk(temporary, mode) as disk:
            try:
                # Since HDF5 1.8 attributes may exceed 64 KiB; since 1.10 the index of chunks has a checksum.
                with h5py.File(disk, mode, libver=('v110', 'v110')) as file:
                    yield file, disk
            finally:
                disk.check()


class Disk(io.FileIO):
    """A file that keeps its first error for :meth:`check`: a write that raises would abort HDF5, and Python with it."""

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
        """Raise the first error, if there was one.

        Raises
        ------
        OSError
        """
        if self.error is not None:
            raise self.error
