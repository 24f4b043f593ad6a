"""HDF5 files of ours: opened with a sentence for what is wrong, and written so that a full disk harms nothing."""
import contextlib
import io
import os
import shutil

import h5py

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
    try:
        opened = h5py.File(path, 'r')
        found = opened.attrs.get('layout')
    except (OSError, KeyError) as error:
        raise SpnError('{} is cut short or no HDF5 file ({}): remove it and make it anew with {}'.format(path, error, command)) from error
    if found is None or text(found) != layout:
        opened.close()
        raise SpnError('{} is not {} of this version: its layout is {!r}, wanted is {!r}; remove it and make it anew with {}'.format(
            path, what, found, layout, command))
    return opened


def text(value):
    """A str from what h5py reads, which is bytes or str by its version."""
    return value.decode('utf-8') if isinstance(value, bytes) else str(value)


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
                # From this version on an attribute may have more than 64 KiB.
                with h5py.File(disk, mode, libver=('v108', 'v110')) as file:
                    yield file, disk
            finally:
                disk.check()


class Disk(io.FileIO):
    """A file that keeps the first error for itself until it is asked: HDF5 goes down where a write fails, Python with it."""

    def __init__(self, path, mode):
        super(Disk, self).__init__(path, {'w': 'w+', 'r+': 'r+'}[mode])
        self.error = None

    def write(self, data):
        left = memoryview(data)
        try:
            while len(left) and self.error is None:
                left = left[super(Disk, self).write(left):]
        except OSError as error:
            self.error = error
        return len(data)

    def truncate(self, size=None):
        try:
            return super(Disk, self).truncate(size)
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
