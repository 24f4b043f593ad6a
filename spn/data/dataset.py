"""The HDF5 file of a data set: images, image-level labels, masks where they are known, splits.

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
digests                str           (n,), the sha256 of each image's size and pixels
=====================  ============  ===================================================================================

The attributes of the file are its ``layout``, its ``class_names``, how it was made (``made_by``, JSON) and its
``fingerprint``, a digest of images, labels and splits, by which models identify their data set. Masks have a
``mask_fingerprint`` of their own, because no network is trained on them.

What is computed for each image, superpixel maps and features, is in folders next to the file, see `spn.parts`. The file
itself is never changed.

Every dataset has a checksum, fletcher32, so that damage to the file is an error and never a wrong picture. Text is
UTF-8 of a fixed length, because HDF5 has no checksum for text of variable length.

Padding to one size lets Keras' HDF5Matrix read every array as it is.
"""
import hashlib
import itertools
import json
from collections import namedtuple

import numpy as np

from ..errors import SpnError, UnreadablePicture
from ..files import locked, progress, say
from ..hdf5 import Stored, as_text, atomic_hdf5, explaining_damage, open_hdf5, text
from .superpixel_maps import SuperpixelMaps, names_next_to

LAYOUT = 'spn data set 1'
MADE_BY = '`spn data`'
SPLITS = ('train', 'val', 'test')
UNKNOWN = 255

Record = namedtuple('Record', 'name image labels mask split')
Record.__doc__ = """One image of a data set.

name : str
image : ndarray of uint8, (rows, cols, 3)
labels : ndarray of uint8, (classes,)
mask : ndarray of uint8, (rows, cols), or None if it is not known
split : str
"""


class Dataset:
    """A data set file, opened for reading. Use it in a ``with`` block.

    Parameters
    ----------
    path : str

    Attributes
    ----------
    labels, splits, names, class_names, sizes, has_mask, digests : ndarray
        As in the file.
    fingerprint, mask_fingerprint : str
    made_by : dict

    Raises
    ------
    SpnError
        If the file is missing or cut short, is not an HDF5 file or has another layout.
    """

    def __init__(self, path):
        self.path, self._opened = path, []
        self._file = open_hdf5(path, LAYOUT, 'a data set', MADE_BY)
        try:
            with explaining_damage(path, MADE_BY):
                self._read()
        except SpnError:
            self.close()
            raise

    def _read(self):
        attributes = self._file.attrs
        self.class_names = [text(name) for name in attributes['class_names']]
        self.fingerprint = text(attributes['fingerprint'])
        self.mask_fingerprint = text(attributes.get('mask_fingerprint', ''))  # older files have both in one
        self.made_by = json.loads(text(attributes['made_by']))
        self.labels, self.sizes = self._file['labels'][:], self._file['sizes'][:]
        self.names, self.splits = [np.array([text(value) for value in self._file[name][:]])
                                   for name in ('names', 'splits')]
        self.has_mask = self._file['has_mask'][:]
        self._images, self._masks = [self._stored(name) for name in ('images', 'masks')]
        if 'digests' in self._file:
            self.digests = np.array([text(value) for value in self._file['digests'][:]])
        else:
            self.digests = np.array([image_digest(self.image(i)) for i in range(len(self))])

    @property
    def fingerprint_with_masks(self):
        """The fingerprint for results that depend on masks too: thresholds and scores."""
        return self.fingerprint + self.mask_fingerprint

    def _stored(self, name):
        return Stored(self.path, name, self._file[name], MADE_BY)

    def __len__(self):
        return len(self.labels)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        for opened in [self._file] + self._opened:
            opened.close()

    def indices(self, split):
        """The indices of the images of a split.

        Raises
        ------
        SpnError
            If the split is empty.
        """
        indices = np.flatnonzero(self.splits == split)
        if not len(indices):
            raise SpnError('{} has no image in the split {!r}; it has {}'.format(
                self.path, split, ', '.join('{} in {!r}'.format(np.sum(self.splits == name), name)
                                            for name in SPLITS)))
        return indices

    def image(self, i):
        """The image without padding: (rows, cols, 3), uint8."""
        rows, cols = self.sizes[i]
        return self._images[i, :rows, :cols]

    def mask(self, i):
        """The true mask without padding: (rows, cols), uint8; None if it is not known."""
        rows, cols = self.sizes[i]
        return self._masks[i, :rows, :cols] if self.has_mask[i] else None

    def superpixel_names(self):
        return names_next_to(self.path)

    def superpixel_maps(self, name):
        """One of the sets of superpixel maps.

        Raises
        ------
        SpnError
            If there is none of this name, or some images have no map yet.
        """
        maps = self.superpixel_maps_so_far(name)
        missing = np.flatnonzero(maps.counts < 0)
        if len(missing):
            raise SpnError('{} has no superpixels {!r} for {} of its {} pictures, {} the first: `spn superpixels {} '
                           '--name {}` makes them, with what they were made with before ({})'.format(
                               self.path, name, len(missing), len(self), self.names[missing[0]], self.path, name,
                               ', '.join('{}={}'.format(*each) for each in sorted(maps.made_by.items()))))
        return maps

    def superpixel_maps_so_far(self, name):
        """Like :func:`superpixel_maps`, but some images may have no map yet: their ``counts`` are -1."""
        if name not in self.superpixel_names():
            raise SpnError('{} has no superpixels {!r}; it has {}. `spn superpixels {} --name {}` makes them'.format(
                self.path, name, ', '.join(self.superpixel_names()) or 'none at all', self.path, name))
        maps = SuperpixelMaps(self, name)
        self._opened.append(maps)
        return maps


def write_dataset(path, class_names, records, n, shape, made_by, splits=()):
    """Write a data set file.

    Parameters
    ----------
    path : str
    class_names : list of str
    records : iterable of callable
        Each returns a :class:`Record`, or raises `UnreadablePicture`: such a picture is reported and skipped.
    n : int
        The number of records.
    shape : (int, int)
        Rows and columns of the largest image.
    made_by : dict
        How the data set was made; JSON.
    splits : sequence of str, optional
        The split of each record. If given, a split of which no picture can be read is an error.

    Returns
    -------
    skipped : list of str
        A sentence for each picture that was left out.

    Raises
    ------
    SpnError
        If the labels and the mask of an image disagree, if no picture could be read, if there are more classes than a
        mask can hold, or if the disk is full.
    """
    if len(class_names) >= UNKNOWN:
        raise SpnError('{} was not written: of {} classes, masks can hold {}'.format(
            path, len(class_names), UNKNOWN - 1))
    skipped, first_failure = [], {}
    columns = {name: [] for name in ('sizes', 'labels', 'has_mask', 'names', 'splits', 'digests')}
    digests = {'fingerprint': hashlib.sha256(), 'mask_fingerprint': hashlib.sha256()}
    with locked(path), atomic_hdf5(path) as (file, disk):
        for name, item_shape in [('images', tuple(shape) + (3,)), ('masks', tuple(shape))]:
            file.create_dataset(name, (n,) + item_shape, 'uint8', maxshape=(None,) + item_shape,
                                chunks=(1,) + item_shape, compression='lzf', fletcher32=True)
        for record, planned_split in progress(itertools.zip_longest(records, splits), n, 'pictures', 'pictures'):
            try:
                name, image, labels, mask, split = record()
            except UnreadablePicture as error:
                skipped.append(str(error))
                first_failure.setdefault(planned_split, str(error))
                continue
            check_record(name, image, labels, mask, split, class_names)
            k, (rows, cols) = len(columns['names']), image.shape[:2]
            file['images'][k] = padded(image, shape, 0)
            file['masks'][k] = padded(np.full((rows, cols), UNKNOWN, 'uint8') if mask is None else mask, shape, UNKNOWN)
            disk.check()
            for column, value in [('sizes', (rows, cols)), ('labels', labels), ('has_mask', mask is not None),
                                  ('names', name), ('splits', split), ('digests', image_digest(image))]:
                columns[column].append(value)
            for array in (image, labels, split.encode()):
                digests['fingerprint'].update(np.ascontiguousarray(array))
            digests['mask_fingerprint'].update(b'none' if mask is None else np.ascontiguousarray(mask))
        k = len(columns['names'])
        if k == 0:
            raise SpnError('{} was not written: none of {} pictures could be read. The first: {}'.format(
                path, n, skipped[0] if skipped else 'there is none'))
        for split in sorted(set(splits) - set(columns['splits'])):
            raise SpnError('{} was not written: none of the pictures of {} could be used. The first: {}'.format(
                path, split, first_failure[split]))
        for name in ('images', 'masks'):
            file[name].resize(k, axis=0)
        for name, dtype in [('sizes', 'int32'), ('labels', 'uint8'), ('has_mask', 'bool')]:
            write_column(file, name, np.array(columns[name], dtype))
        for name in ('names', 'splits', 'digests'):
            write_column(file, name, as_text(columns[name]))
        file.attrs.update(layout=as_text(LAYOUT), class_names=as_text(class_names),
                          made_by=as_text(json.dumps(made_by, sort_keys=True)),
                          **{name: as_text(digest.hexdigest()) for name, digest in digests.items()})
    train = [labels for labels, split in zip(columns['labels'], columns['splits']) if split == 'train' and splits]
    unseen = np.flatnonzero(np.sum(train, axis=0) == 0) if train else []
    if len(unseen):
        say('no picture of train shows {}: nothing can be learned of it'.format(names_of(unseen, class_names)))
    return skipped


def classes_without(class_names, left_out):
    """The names of the remaining classes.

    Raises
    ------
    SpnError
        If one of those to leave out does not exist, or none remains.
    """
    for name in left_out:
        if name not in class_names:
            raise SpnError('there is no class {!r} to leave out; there are {}'.format(name, ', '.join(class_names)))
    kept = [name for name in class_names if name not in left_out]
    if not kept:
        raise SpnError('all classes are left out: keep one at least')
    return kept


def record_of_classes(record, class_names, kept):
    """A record reduced to some of the classes; pixels of the others become unknown.

    Parameters
    ----------
    record : callable
        As for :func:`write_dataset`, with labels of `class_names`.
    class_names, kept : list of str

    Raises
    ------
    UnreadablePicture
        If the picture shows none of them.
    """
    full = record()
    places = np.array([class_names.index(name) for name in kept])
    if not full.labels[places].any():
        raise UnreadablePicture('{} shows no class but those that are left out'.format(full.name))
    new_values = np.arange(256, dtype='uint8')
    new_values[1:len(class_names) + 1] = UNKNOWN
    new_values[places + 1] = np.arange(1, len(kept) + 1)
    return full._replace(labels=full.labels[places], mask=None if full.mask is None else new_values[full.mask])


def write_column(file, name, values):
    file.create_dataset(name, data=values, maxshape=(None,) + values.shape[1:], chunks=True, fletcher32=True)


def image_digest(image):
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def check_record(name, image, labels, mask, split, class_names):
    """Raise SpnError if something is wrong with one image, before it spoils a data set."""
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
    """`array` padded below and to the right with `value`, up to `shape`."""
    rows, cols = array.shape[:2]
    result = np.full(tuple(shape) + array.shape[2:], value, array.dtype)
    result[:rows, :cols] = array
    return result
