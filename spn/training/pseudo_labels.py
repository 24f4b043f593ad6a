"""Pseudo-labels for the segmentation network: masks of another network, the least scattered ones of each class."""
import numpy as np

from ..errors import SpnError
from ..files import progress


def masks_to_learn(dataset, teacher, kept):
    """Masks of the training images, of each class the least scattered ones.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    teacher : callable
        ``teacher(i, classes)`` gives two masks of an image: where the classes certainly are, and where they may be.
    kept : float
        The share of the masks of each class to keep; the pixels of the others become unknown.

    Returns
    -------
    dict of int to (ndarray of uint8, ndarray of uint8)
        The two masks of each image.

    Raises
    ------
    SpnError
        If all masks are empty.
    """
    masks, pairs, scatters = {}, [], []
    for i in progress(dataset.indices('train'), title='masks to learn', unit='images'):
        classes = np.flatnonzero(dataset.labels[i])
        masks[i] = certain, _ = teacher(i, classes)
        for c in classes:
            pairs.append((i, c))
            scatters.append(scatter(certain == c + 1))
    taken = least_scattered(np.array(scatters), np.array([c for _, c in pairs]), kept)
    if not taken.any():
        raise SpnError('{}: the masks to learn from are all empty, of all training images: train what makes them for '
                       'more epochs'.format(dataset.path))
    for k in np.flatnonzero(~taken):
        i, c = pairs[k]
        certain, possible = masks[i]
        masks[i] = np.where(certain == c + 1, 0, certain).astype('uint8'), possible
    return masks


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
