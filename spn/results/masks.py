"""Masks from activation maps or probabilities, by thresholds."""
import numpy as np


def relative(maps):
    """Maps divided by their maximum, with negative values set to 0."""
    positive = np.maximum(maps, 0)
    return positive / np.maximum(positive.max(axis=(1, 2), keepdims=True), 1e-12)


def masks(maps, classes, thresholds):
    """Masks from activation maps: at each pixel the class of the highest value, or background below the threshold.

    Parameters
    ----------
    maps : ndarray, (classes, rows, cols)
        Values in 0 .. 1: from :func:`relative`, as in the paper, or probabilities.
    classes : ndarray of int
        The classes of the maps; if there are none, everything is background.
    thresholds : sequence of float

    Returns
    -------
    ndarray of uint8, (thresholds, rows, cols)
        0 background, c + 1 class c.
    """
    if not len(classes):
        return np.zeros((len(thresholds),) + maps.shape[1:], 'uint8')
    best = maps.argmax(axis=0)
    value = np.take_along_axis(maps, best[np.newaxis], axis=0)[0]
    named = (np.asarray(classes) + 1).astype('uint8')[best]
    return np.where(value >= np.asarray(thresholds)[:, np.newaxis, np.newaxis], named, 0).astype('uint8')


def thresholded(values):
    """A method as in `spn.results.evaluation`, from a function ``(i, classes)`` -> (classes, rows, cols) in 0 .. 1."""
    return lambda i, classes, thresholds: masks(values(i, classes), classes, thresholds)
