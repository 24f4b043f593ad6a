"""The HDF5 file that holds a data set: images, superpixel maps, image-level labels, masks where known, splits.

=====================  ============  ===================================================================================
dataset                dtype         what
=====================  ============  ===================================================================================
images                 uint8         (n, rows, cols, 3), RGB; smaller images are padded with 0 below and to the right
sizes                  int32         (n, 2), rows and columns of each image without padding
labels                 uint8         (n, classes), 1 for the classes that the image is labelled with
masks                  uint8         (n, rows, cols), 0 background, c + 1 class c, 255 unknown or padding
has_mask               bool          (n,), whether the mask is known
names                  str           (n,), where each image came from
splits                 str           (n,), 'train', 'val' or 'test'
superpixels/NAME       int32         (n, rows, cols), -1 in the padding: superpixel pooling ignores it
=====================  ============  ===================================================================================

The file's attributes say what it is (``layout``), its ``class_names``, how it was made (``made_by``, JSON) and its
``fingerprint``, a digest of images and labels: caches and models know their data set by it. Each of the superpixel maps
has ``made_by`` too, ``n_superpixels`` (no image has more) and ``counts``.

Padding to one size lets Keras' HDF5Matrix read every array as it is.
"""
import hashlib
import json
from collections import namedtuple

import h5py
import numpy as np

from .errors import SpnError, UnreadablePicture
from .files import progress
from .hdf5 import hdf5_beside, open_hdf5, text

LAYOUT = 'spn data set 1'
SPLITS = ('train', 'val', 'test')
UNKNOWN = 255

Record = namedtuple('Record', 'name image labels mask split')
Record.__doc__ = """One image of a data set.

name : str
image : ndarray of uint8, (rows, cols, 3)
labels : ndarray of uint8, (classes,)
mask : ndarray of uint8, (rows, cols), or None where it is not known
split : str
"""


class Dataset(object):
    """A data set file, opened to be read. Use it in a ``with`` block.

    Parameters
    ----------
    path : str

    Attributes
    ----------
    labels, splits, names, class_names, sizes, has_mask : ndarray
        As in the file.
    fingerprint : str
    made_by : dict

    Raises
    ------
    SpnError
        If the file is missing, cut short, no HDF5 file or has another layout.
    """

    def __init__(self, path):
        self.path = path
        self._file = open_hdf5(path, LAYOUT, 'a data set', '`spn data`')
        try:
            self.class_names = [str(name) for name in self._file.attrs['class_names']]
            self.fingerprint = str(self._file.attrs['fingerprint'])
            self.made_by = json.loads(text(self._file.attrs['made_by']))
            self.labels, self.sizes = self._file['labels'][:], self._file['sizes'][:]
            self.names = np.array([text(name) for name in self._file['names'][:]])
            self.splits = np.array([text(split) for split in self._file['splits'][:]])
            self.has_mask = self._file['has_mask'][:]
            self._images, self._masks = self._file['images'], self._file['masks']
        except (KeyError, OSError) as error:
            self.close()
            raise SpnError('{} is not whole ({}): make it anew with `spn data`'.format(path, error)) from error

    def __len__(self):
        return len(self.labels)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self._file.close()

    def indices(self, split):
        """The images of a split, as indices.

        Raises
        ------
        SpnError
            If there are none.
        """
        found = np.flatnonzero(self.splits == split)
        if not len(found):
            raise SpnError('{} has no image in the split {!r}; it has {}'.format(
                self.path, split, ', '.join('{} in {!r}'.format(np.sum(self.splits == name), name)
                                            for name in SPLITS)))
        return found

    def image(self, i):
        """The image without padding: (rows, cols, 3), uint8."""
        rows, cols = self.sizes[i]
        return self._images[i, :rows, :cols]

    def mask(self, i):
        """The true mask without padding: (rows, cols), uint8; None where it is not known."""
        rows, cols = self.sizes[i]
        return self._masks[i, :rows, :cols] if self.has_mask[i] else None

    def superpixel_names(self):
        return sorted(self._file.get('superpixels', ()))

    def superpixel_maps(self, name):
        """One of the sets of superpixel maps.

        Raises
        ------
        SpnError
            If there is none of this name.
        """
        if name not in self.superpixel_names():
            raise SpnError('{} has no superpixels {!r}; it has {}. `spn superpixels {} --name {}` makes them'.format(
                self.path, name, ', '.join(self.superpixel_names()) or 'none at all', self.path, name))
        return SuperpixelMaps(self, self._file['superpixels'][name])


class SuperpixelMaps(object):
    """Superpixel maps of all images of a data set: ``maps[i]`` is (rows, cols) of int32, without padding.

    Attributes
    ----------
    n_superpixels : int
        No image has more.
    counts : ndarray, (n,)
        How many each image has.
    made_by : dict
    """

    def __init__(self, dataset, maps):
        self._sizes, self._maps = dataset.sizes, maps
        self.n_superpixels = int(maps.attrs['n_superpixels'])
        self.counts = maps.attrs['counts']
        self.made_by = json.loads(maps.attrs['made_by'])

    def __len__(self):
        return len(self._sizes)

    def __getitem__(self, i):
        rows, cols = self._sizes[i]
        return self._maps[i, :rows, :cols]


def write_dataset(path, class_names, records, n, shape, made_by):
    """Write a data set file.

    Parameters
    ----------
    path : str
    class_names : list of str
    records : iterable of callable
        Each returns a :class:`Record`, or raises `UnreadablePicture`: such a picture is named and skipped.
    n : int
        The number of records.
    shape : (int, int)
        No image is larger.
    made_by : dict
        How the data set was made; JSON.

    Returns
    -------
    skipped : list of str
        A sentence for each picture that was left out.

    Raises
    ------
    SpnError
        If labels and mask of an image disagree, if no picture could be read, if there are more classes than a mask can
        hold, or if the disk is full.
    """
    if len(class_names) >= UNKNOWN:
        raise SpnError('{} was not written: of {} classes, masks can hold {}'.format(path, len(class_names), UNKNOWN - 1))
    skipped, digest, k = [], hashlib.sha256(), 0
    with hdf5_beside(path) as (file, disk):
        file.attrs.update(layout=LAYOUT, class_names=np.array(class_names, dtype=h5py.special_dtype(vlen=str)),
                          made_by=json.dumps(made_by, sort_keys=True))
        for name, tail, dtype in [('images', tuple(shape) + (3,), 'uint8'), ('masks', tuple(shape), 'uint8'),
                                  ('sizes', (2,), 'int32'), ('labels', (len(class_names),), 'uint8'),
                                  ('has_mask', (), 'bool'), ('names', (), h5py.special_dtype(vlen=str)),
                                  ('splits', (), h5py.special_dtype(vlen=str))]:
            picture = name in ('images', 'masks')
            file.create_dataset(name, (n,) + tail, dtype, maxshape=(None,) + tail, chunks=(1,) + tail if picture else True,
                                compression='lzf' if picture else None)
        for record in progress(records, n, 'pictures', 'pictures'):
            try:
                name, image, labels, mask, split = record()
            except UnreadablePicture as error:
                skipped.append(str(error))
                continue
            check_record(name, image, labels, mask, split, class_names)
            rows, cols = image.shape[:2]
            file['images'][k] = padded(image, shape, 0)
            file['masks'][k] = padded(np.full((rows, cols), UNKNOWN, 'uint8') if mask is None else mask, shape, UNKNOWN)
            for column, value in [('sizes', (rows, cols)), ('labels', labels), ('has_mask', mask is not None),
                                  ('names', name), ('splits', split)]:
                file[column][k] = value
            disk.check()
            for array in (image, labels, b'' if mask is None else mask):
                digest.update(np.ascontiguousarray(array))
            digest.update(split.encode())
            k += 1
        if k == 0:
            raise SpnError('{} was not written: none of {} pictures could be read. The first: {}'.format(
                path, n, skipped[0] if skipped else 'there is none'))
        for name in ('images', 'masks', 'sizes', 'labels', 'has_mask', 'names', 'splits'):
            file[name].resize(k, axis=0)
        file.attrs['fingerprint'] = digest.hexdigest()
    return skipped


def check_record(name, image, labels, mask, split, class_names):
    """Say what is wrong with one image before it spoils a data set."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise SpnError('{}: the image is {} of {}, wanted is (rows, cols, 3) of uint8'.format(
            name, image.shape, image.dtype))
    if split not in SPLITS:
        raise SpnError('{}: the split is {!r}, wanted is one of {}'.format(name, split, ', '.join(SPLITS)))
    if mask is None:
        return
    if mask.shape != image.shape[:2]:
        raise SpnError('{}: the mask is {}, but the image is {}; they must be of one size'.format(
            name, mask.shape, image.shape[:2]))
    shown = np.setdiff1d(mask, [0, UNKNOWN]).astype(int) - 1
    if len(shown) and shown.max() >= len(class_names):
        raise SpnError('{}: the mask holds {}, but there are {} classes (0 is background, {} unknown)'.format(
            name, shown.max() + 1, len(class_names), UNKNOWN))
    labelled = np.flatnonzero(labels)
    if not np.array_equal(shown, labelled):
        raise SpnError('{}: labels and mask disagree: it is labelled {}, but its mask shows {}'.format(
            name, names_of(labelled, class_names), names_of(shown, class_names)))


def names_of(classes, class_names):
    return ' and '.join(class_names[c] for c in classes) or 'nothing'


def padded(array, shape, value):
    """`array` in the upper left corner of one of `shape`, the rest filled with `value`."""
    rows, cols = array.shape[:2]
    result = np.full(tuple(shape) + array.shape[2:], value, array.dtype)
    result[:rows, :cols] = array
    return result


def add_superpixels(path, name, maps, made_by):
    """Add superpixel maps to a data set file; those of the same name are replaced.

    Parameters
    ----------
    path, name : str
    maps : iterable of ndarray of int, (rows, cols) each
        In the order of the images, without padding.
    made_by : dict

    Returns
    -------
    counts : ndarray of int
        How many superpixels each image has.
    """
    with hdf5_beside(path, 'r+') as (file, disk):
        group = file.require_group('superpixels')
        if name in group:
            del group[name]
        n, rows, cols = file['masks'].shape
        stored = group.create_dataset(name, (n, rows, cols), 'int32', chunks=(1, rows, cols), compression='gzip',
                                      compression_opts=1, shuffle=True)
        counts, largest = [], 0
        for i, superpixel_map in enumerate(maps):
            stored[i] = padded(superpixel_map.astype('int32'), (rows, cols), -1)
            disk.check()
            counts.append(len(np.unique(superpixel_map[superpixel_map >= 0])))
            largest = max(largest, int(superpixel_map.max()) + 1)
        stored.attrs.update(made_by=json.dumps(made_by, sort_keys=True), n_superpixels=largest, counts=np.array(counts))
    return np.array(counts)
