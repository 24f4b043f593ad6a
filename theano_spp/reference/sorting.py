"""The pixels of each superpixel."""
import numpy as np

from .counts import sizes
from .sharing import for_each_image


def pixels_by_superpixel(labels):
    """The pixel numbers of one image sorted by label, and the position in them where each superpixel starts."""
    flat = labels.ravel()
    order = np.argsort(flat, kind='mergesort')
    order = order[flat[order] >= 0]
    ordered = flat[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(order) else order
    return order, starts


def sorted_pixels(superpixel_map, n_superpixels):
    """Sort the pixels of each map by superpixel.

    Parameters
    ----------
    superpixel_map : numpy.ndarray of integers, shape (maps, *spatial)
    n_superpixels : int

    Returns
    -------
    order : numpy.ndarray of uint32, shape (maps, pixels)
        Row-major pixel numbers; those of pixels that belong to no superpixel are at the end.
    starts : numpy.ndarray of uint32, shape (maps, n_superpixels + 1)
        Where in `order` each superpixel begins, and where the last one ends.
    sizes : numpy.ndarray of int64, shape (maps, n_superpixels)
    """
    maps = len(superpixel_map)
    counts = sizes(superpixel_map, n_superpixels)
    keys = np.where(superpixel_map < 0, n_superpixels, superpixel_map.astype('int64'))
    starts = np.concatenate([np.zeros((maps, 1), 'int64'), np.cumsum(counts, axis=1)], axis=1)
    keys = keys.reshape(maps, int(np.prod(superpixel_map.shape[1:])))
    return np.argsort(keys, axis=1, kind='mergesort').astype('uint32'), starts.astype('uint32'), counts


def each_superpixel(feature_map, superpixel_map):
    """Yield, for each superpixel that has pixels, the image, the label, which pixels, and their features in float64."""
    for image, labels in enumerate(for_each_image(superpixel_map, len(feature_map))):
        for label in np.unique(labels[labels >= 0]):
            pixels = labels == label
            yield image, int(label), pixels, feature_map[image][:, pixels].astype('float64')
