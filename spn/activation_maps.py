"""Class activation maps: what the scores of a trained network say of each pixel, and the masks that follow.

CAM is the class scores of the GAP branch, resized to the image; SP-CAM the class scores of each superpixel, painted on its
pixels; over several image sizes the maximum counts.
"""
import numpy as np
from PIL import Image


def resized(scores, shape, resample=Image.BILINEAR):
    """Maps (classes, h, w) resized to `shape`."""
    size = shape[1], shape[0]
    return np.array([np.array(Image.fromarray(plane.astype('float32')).resize(size, resample)) for plane in scores])


def painted(scores, superpixel_map):
    """Scores (n, classes) of superpixels on their pixels: (classes, rows, cols), 0 where there is no superpixel."""
    return np.where(superpixel_map >= 0, scores.T[:, superpixel_map], 0)


def averaged(maps, superpixel_map):
    """The mean of maps (classes, rows, cols) in each superpixel, painted back."""
    n = superpixel_map.max() + 1
    labels = superpixel_map[superpixel_map >= 0]
    sizes = np.maximum(np.bincount(labels, minlength=n), 1)
    means = [np.bincount(labels, plane[superpixel_map >= 0], n) / sizes for plane in maps]
    return painted(np.array(means).T, superpixel_map)


def masks(maps, classes, thresholds):
    """Masks by a threshold relative to each class's maximum: positions below it are no object, as in the paper.

    Parameters
    ----------
    maps : ndarray, (classes, rows, cols)
        Scores; what is below 0 speaks against the class.
    classes : ndarray of int
        The classes that the image is labelled with; the others are not looked at.
    thresholds : sequence of float
        0 .. 1.

    Returns
    -------
    ndarray of uint8, (thresholds, rows, cols)
        0 background, c + 1 class c.
    """
    found = np.maximum(maps[classes], 0)
    found = found / np.maximum(found.max(axis=(1, 2), keepdims=True), 1e-12)
    best = found.argmax(axis=0)
    value = np.take_along_axis(found, best[np.newaxis], axis=0)[0]
    named = (np.asarray(classes) + 1).astype('uint8')[best]
    return np.where(value >= np.asarray(thresholds)[:, np.newaxis, np.newaxis], named, 0).astype('uint8')
