"""Superpixel maps of the images of a data set, in folders next to it: ``photographs.superpixels-NAME``.

A part has the array ``map``, (images, rows, cols) of int32, padded with -1, and the columns ``count`` (the number of
superpixels), ``largest`` (the largest label) and ``digest`` (of the map).
"""
import glob
import hashlib
import os

import numpy as np

from ..parts import Kind, Parts, made_by_of, packed

KIND = Kind('spn superpixels 1', 'superpixel maps', '`spn superpixels`')


def folder_of(data_path, name):
    """The folder of the maps of this name."""
    return '{}.superpixels-{}'.format(os.path.splitext(data_path)[0], name)


def names_next_to(data_path):
    """The names of the maps that a data set has, sorted."""
    start = folder_of(data_path, '')
    return sorted(path[len(start):] for path in glob.glob(glob.escape(start) + '*') if made_by_of(path))


def keys_of(dataset, settings):
    """The keys of the images: a map that the user brings belongs to a picture of its name alone."""
    if 'folder' not in settings:
        return dataset.digests.tolist()
    return [hashlib.sha256('{} {}'.format(digest, name).encode()).hexdigest()
            for digest, name in zip(dataset.digests, dataset.names)]


def packed_maps(keys, maps):
    """A part with these maps, ndarrays of int, (rows, cols) each.

    Parameters
    ----------
    keys : list of str
    maps : list of ndarray
        Any label below 0 is no superpixel.
    """
    maps = [np.ascontiguousarray(each, 'int32') for each in maps]
    stacked = np.full((len(maps),) + tuple(np.max([each.shape for each in maps], axis=0)), -1, 'int32')
    for place, each in zip(stacked, maps):
        place[:each.shape[0], :each.shape[1]] = each
    columns = {'count': np.array([len(np.unique(each[each >= 0])) for each in maps]),
               'largest': np.array([each.max() for each in maps]),
               'digest': np.array([hashlib.sha256(each).hexdigest().encode() for each in maps])}
    return packed(KIND, keys, columns, {'map': stacked}, compression='gzip', compression_opts=1, shuffle=True)


class SuperpixelMaps:
    """Superpixel maps of all images of a data set: ``maps[i]`` is (rows, cols) of int32.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    name : str

    Attributes
    ----------
    n_superpixels : int
        The most that any image has.
    counts : ndarray, (n,)
        The number of superpixels of each image; -1 if it has no map yet.
    made_by : dict
        The settings.
    fingerprint : str
        A digest of the maps.
    """

    def __init__(self, dataset, name):
        self._sizes = dataset.sizes
        self._parts = Parts(folder_of(dataset.path, name), KIND)
        self.made_by = self._parts.made_by['settings']
        self._keys = keys_of(dataset, self.made_by)
        there = np.array([key in self._parts for key in self._keys])
        keys = [key for key, is_there in zip(self._keys, there) if is_there]
        self.counts = np.full(len(there), -1)
        self.n_superpixels, self.fingerprint = 0, ''
        if keys:
            self.counts[there] = self._parts.column('count', keys)
            self.n_superpixels = int(self._parts.column('largest', keys).max()) + 1
            self.fingerprint = hashlib.sha256(b''.join(self._parts.column('digest', keys))).hexdigest()

    def __len__(self):
        return len(self._keys)

    def __getitem__(self, i):
        rows, cols = self._sizes[i]
        return self._parts.array('map', self._keys[i])[:rows, :cols]

    def close(self):
        self._parts.close()
