"""Test cases with a folder of their own, assertions on error messages, and a small data set of real photographs."""
import contextlib
import io
import os
import shutil
import tempfile
import unittest

import h5py
import numpy as np
from skimage import data

from spn.data import dataset, superpixel_maps
from spn.errors import SpnError
from spn.networks.features import ImageFeatures
from spn.parts import fill
from spn.workers import HERE


class FolderTestCase(unittest.TestCase):
    """Each test has an empty folder; progress bars go to `self.shown`."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.shown = io.StringIO()
        redirected = contextlib.redirect_stderr(self.shown)
        redirected.__enter__()
        self.addCleanup(redirected.__exit__, None, None, None)

    def path(self, *names):
        """A path in the folder; makes its parent folders."""
        path = os.path.join(self.folder, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def write(self, names, content):
        """Write bytes or text to a file in the folder, and return its path."""
        path = self.path(*names.split('/'))
        with open(path, 'wb') as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
        return path

    def assert_says(self, words, function, *arguments, **options):
        """`function` raises an error whose message is one sentence with all of the `words`."""
        with self.assertRaises(SpnError) as caught:
            function(*arguments, **options)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def assert_same_weights(self, actual, wanted):
        """Two Keras models have equal weights."""
        self.assertEqual(len(actual.get_weights()), len(wanted.get_weights()))
        for array, wanted_array in zip(actual.get_weights(), wanted.get_weights()):
            np.testing.assert_array_equal(array, wanted_array)

    def assert_all_have_checksums(self, path):
        """Every dataset of an HDF5 file has a checksum."""
        without = []
        with h5py.File(path, 'r') as file:
            file.visititems(lambda name, item: without.append(name) if isinstance(item, h5py.Dataset)
                            and not item.fletcher32 else None)
        self.assertEqual(without, [])

    def files(self):
        """All files of the folder, hidden ones too."""
        return sorted(os.path.relpath(os.path.join(folder, name), self.folder)
                      for folder, _, names in os.walk(self.folder) for name in names)


def photographs():
    """Three parts of real photographs, each of another size."""
    return [data.astronaut()[40:104, 180:260], data.chelsea()[100:172, 120:184], data.coffee()[150:214, 250:322]]


def records(changed=None):
    """A record of each of the photographs: the second is of both classes, the third without a mask.

    Parameters
    ----------
    changed : dict, optional
        Fields that are other in the first record.
    """
    face, cat, cup = photographs()
    masks = [np.zeros(photograph.shape[:2], 'uint8') for photograph in (face, cat)]
    masks[0][10:40, 20:50] = 1
    masks[1][:30, :20], masks[1][40:, 30:], masks[1][30:40] = 1, 2, 255
    result = [dataset.Record('face.png', face, np.array([1, 0], 'uint8'), masks[0], 'train'),
             dataset.Record('cat.png', cat, np.array([1, 1], 'uint8'), masks[1], 'val'),
             dataset.Record('cup.png', cup, np.array([0, 1], 'uint8'), None, 'test')]
    result[0] = result[0]._replace(**changed or {})
    return result


def write_small(path, pictures=None):
    """Write a data set of `pictures`, by default of :func:`records`, and return what was skipped."""
    pictures = records() if pictures is None else pictures
    return dataset.write_dataset(path, ['living', 'thing'], [lambda record=record: record for record in pictures],
                                 len(pictures), (72, 80), {'by': 'hand'})


def add_superpixels(path, name, maps, made_by):
    """Add superpixel maps, (rows, cols) each, to a data set, as if they had been made with the settings `made_by`."""
    with dataset.Dataset(path) as opened:
        keys = superpixel_maps.keys_of(opened, made_by)
        fill(superpixel_maps.folder_of(path, name), superpixel_maps.KIND,
             {'settings': made_by, 'digest': repr([each.tolist() for each in maps])}, keys,
             lambda places: superpixel_maps.packed_maps([keys[i] for i in places], [maps[i] for i in places]), HERE, '')


def bilinear(maps, shape):
    """Maps (..., h, w) resized: along lines between the centres of cells, beyond the outermost centres as at these."""
    for axis, n in zip((-2, -1), shape):
        old = maps.shape[axis]
        places = (np.arange(n) + .5) * old / n - .5
        maps = np.apply_along_axis(lambda line: np.interp(places, np.arange(old), line), axis, maps)
    return maps


def means(maps, superpixel_map):
    """The mean of maps (channels, rows, cols) in each superpixel, (n, channels)."""
    inside = superpixel_map >= 0
    labels = superpixel_map[inside]
    return np.array([np.bincount(labels, plane[inside]) / np.bincount(labels) for plane in maps]).T


def shared(scores, features, sizes):
    """The scores of one image, (n, classes), averaged over superpixels that look alike, one after the other.

    `features` are (n, channels), `sizes` are in pixels.
    """
    there = sizes > 0
    centred = features - np.average(features[there], axis=0, weights=sizes[there])
    averaged = np.zeros_like(scores)
    for i in np.flatnonzero(there):
        weights = np.zeros(len(scores))
        for j in np.flatnonzero(there):
            if i == j:
                weights[j] = sizes[j]
            else:
                cosine = centred[i].dot(centred[j]) / np.linalg.norm(centred[i]) / np.linalg.norm(centred[j])
                weights[j] = sizes[j] * max(0, cosine)
        averaged[i] = weights.dot(scores) / weights.sum()
    return averaged


class SharesByHand:
    """In place of a network in which superpixels that look alike share their scores."""

    def correlation(self, fine, superpixel_maps):
        looks = np.concatenate([means(bilinear(fine, each.shape), each) for each in superpixel_maps])
        sizes = np.concatenate([np.bincount(each[each >= 0]) for each in superpixel_maps])
        return shared(np.eye(len(sizes)), looks, sizes)


class ArrayOfFeatures(ImageFeatures):
    """In place of `spn.networks.features.Features`, without a file."""

    def __init__(self, array, size, rms=1., encoder='by hand'):
        self._features, self.size, self.rms = array.astype('float32'), size, rms
        self.fine, self.finest = FinerArray(self._features, 1.5), FinerArray(self._features[:, :256], 1.25)
        self.encoder = encoder

    def __len__(self):
        return len(self._features)


class FinerArray:
    """The finer features of :class:`ArrayOfFeatures`: the same, with each cell repeated four times, plus noise."""

    def __init__(self, array, rms):
        noise = np.random.RandomState(0).normal(size=array.shape[:2] + (2 * array.shape[2], 2 * array.shape[3]))
        self._array, self.rms = array.repeat(2, axis=2).repeat(2, axis=3) + .5 * noise.astype('float32'), rms

    def __getitem__(self, i):
        return self._array[i]


class SharedFolderTestCase(FolderTestCase):
    """The tests of a class share the folder `shared`, in addition to their own folders."""

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp()
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                cls.make_shared()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shared)
