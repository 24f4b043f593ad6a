"""The number of superpixels of a label map, and the number of pixels of each."""
import numpy as np

from .. import messages


def sizes(superpixel_map, n_superpixels):
    """Count the pixels of each superpixel.

    Parameters
    ----------
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    n_superpixels : int

    Returns
    -------
    numpy.ndarray of int64, shape (batch, n_superpixels)
    """
    n_superpixels = messages.check_n_superpixels('SuperpixelSizes', n_superpixels)
    messages.check_labels('SuperpixelSizes', superpixel_map, n_superpixels)
    counts = np.zeros((len(superpixel_map), n_superpixels), 'int64')
    for labels, count in zip(superpixel_map, counts):
        count += np.bincount(labels[labels >= 0].astype('int64'), minlength=n_superpixels)
    return counts


def count(superpixel_map):
    """Return the number of superpixels of a batch: its largest label + 1, 0 if all labels are negative.

    Parameters
    ----------
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    """
    messages.check_labels('SuperpixelCount', superpixel_map, np.iinfo('int64').max,
                          'the number of superpixels can be at most')
    return max(int(superpixel_map.max()) + 1, 0) if superpixel_map.size else 0
