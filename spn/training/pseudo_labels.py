"""Pseudo-labels for the segmentation network: masks of another network, the least scattered ones of each class."""
import functools

import numpy as np

from ..errors import SpnError
from ..parts import Kind, fill, packed
from ..workers import HERE
from .batches import nearest

KIND = Kind('spn pseudo-labels 1', 'masks to learn from', '`spn segment`')


class PseudoLabels:
    """Masks to learn from: ``masks[i]`` are two masks of image `i`, (map_size, map_size) of uint8 each: where classes
    certainly are, and where they may be.

    Parameters
    ----------
    parts : spn.parts.Parts
        As from :func:`masks_to_learn`.
    dataset : spn.data.dataset.Dataset
    kept : float
        The share of the masks of each class to keep; the pixels of the others become unknown.

    Attributes
    ----------
    images : ndarray of int
        The training images.

    Raises
    ------
    SpnError
        If all masks are empty.
    """

    def __init__(self, parts, dataset, kept):
        self.images = dataset.indices('train')
        self._parts = parts
        pairs = np.argwhere(dataset.labels[self.images] > 0)
        scatters = parts.column('scatter', keys_of(self.images))[tuple(pairs.T)]
        taken = least_scattered(scatters, pairs[:, 1], kept)
        if not taken.any():
            raise SpnError('{}: the masks to learn from are all empty, of all training images: train what makes them '
                           'for more epochs'.format(dataset.path))
        self._left_out = {}  # classes by image
        for k, c in pairs[~taken]:
            self._left_out.setdefault(self.images[k], []).append(c)

    def __getitem__(self, i):
        certain, possible = self._parts.array('masks', str(i))
        return np.where(np.isin(certain, np.array(self._left_out.get(i, ()), int) + 1), 0, certain), possible

    def close(self):
        self._parts.close()


def masks_to_learn(folder, dataset, teacher, made_by, map_size):
    """Make the masks of the training images, and keep them in a folder until they were learned from.

    Parameters
    ----------
    folder : str
    dataset : spn.data.dataset.Dataset
    teacher : callable
        ``teacher(i, classes)`` gives two masks of an image: where the classes certainly are, and where they may be.
    made_by : dict
        What makes the masks, the data set included; JSON.
    map_size : int
        Rows and columns that they are resized to.

    Returns
    -------
    spn.parts.Parts
    """
    images = dataset.indices('train')
    return fill(folder, KIND, dict(made_by, map_size=map_size), keys_of(images),
                functools.partial(part_of, dataset, teacher, map_size, images), HERE, 'masks to learn')


def keys_of(images):
    """Their numbers: the parts are of one data set, and pictures that are the same may have other labels."""
    return [str(i) for i in images]


def part_of(dataset, teacher, map_size, images, places):
    """The masks of some training images, as a part, with the column ``scatter``, (images, classes)."""
    scatters, masks = np.full((len(places), len(dataset.class_names)), np.inf), []
    for k, i in enumerate(images[places]):
        classes = np.flatnonzero(dataset.labels[i])
        certain, possible = teacher(i, classes)
        scatters[k, classes] = [scatter(certain == c + 1) for c in classes]
        masks.append([nearest(mask, map_size) for mask in (certain, possible)])
    return packed(KIND, keys_of(images[places]), {'scatter': scatters}, {'masks': np.array(masks, 'uint8')},
                  compression='gzip', compression_opts=1)


def scatter(mask):
    """How scattered the pixels of a mask are: their variance, divided by that of a disc of the same area.

    It is 1 for a disc, and more for thin or fragmented masks. The paper does not define its "degree of scatter"; this
    definition is our choice.

    Parameters
    ----------
    mask : ndarray of bool, (rows, cols)

    Returns
    -------
    float
        inf for an empty mask.
    """
    rows, cols = np.nonzero(mask)
    if not len(rows):
        return np.inf
    return (rows.var() + cols.var()) * 2 * np.pi / len(rows)


def least_scattered(scatters, classes, share):
    """Which masks to learn from: the least scattered share of each class.

    Parameters
    ----------
    scatters : ndarray, (masks,)
    classes : ndarray of int, (masks,)
    share : float

    Returns
    -------
    ndarray of bool, (masks,)
        Empty masks are never taken.
    """
    taken = np.zeros(len(scatters), bool)
    for c in np.unique(classes):
        members = np.flatnonzero((classes == c) & np.isfinite(scatters))
        n = int(np.ceil(share * len(members)))
        taken[members[np.argsort(scatters[members], kind='stable')[:n]]] = True
    return taken


def targets(certain, possible, superpixel_map, n_superpixels, n_classes):
    """The targets of the superpixels of an image.

    Parameters
    ----------
    certain, possible : ndarray of uint8, (rows, cols)
        Masks: where classes certainly are, and where they may be; background of the second is certain.
    superpixel_map : ndarray of int32, (rows, cols)
    n_superpixels, n_classes : int

    Returns
    -------
    ndarray of float32, (n_superpixels, n_classes + 1)
        The pixels of each class, background first, as shares of the image. All 0 if less than half of the superpixel is
        known, so that it is left to the network.
    """
    inside = superpixel_map >= 0
    known = inside & ((certain > 0) | (possible == 0))
    n = n_classes + 1
    counts = np.bincount(superpixel_map[known] * n + certain[known],
                         minlength=n_superpixels * n).reshape(n_superpixels, n)
    sizes = np.bincount(superpixel_map[inside], minlength=n_superpixels)
    counts[2 * counts.sum(axis=1) < sizes] = 0
    return (counts / superpixel_map.size).astype('float32')
