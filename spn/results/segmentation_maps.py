"""Predictions of a segmentation network for the images of a data set: maps of classes, masks, and classes."""
import numpy as np

from .masks import relative, thresholded

WITNESSES = 5  # the number of superpixels whose probabilities decide whether an image shows a class


def class_maps(network, maps, i, classes):
    """Maps of classes in 0 .. 1, (classes, rows, cols), in the size of the image.

    Parameters
    ----------
    network : SegmentationNetwork
    maps : spn.results.activation_maps.ActivationMaps
    i : int
    classes : ndarray of int
        The only ones that are considered.
    """
    return relative(maps.correlated(i, [[among(map_probabilities, classes) for map_probabilities in size_probabilities]
                                        for size_probabilities in superpixel_probabilities(network, maps, i)]))


def superpixel_probabilities(network, maps, i):
    """Probabilities of the superpixels of image `i`, by image size and superpixel map."""
    def compute():
        return [network.probabilities(features.blocks(i), maps.superpixel_maps(i)) for features in maps.features]
    return maps.remembered(i, network, compute)


def image_probabilities(network, maps, i):
    """The probability that image `i` shows each class, (classes,): the mean of its `WITNESSES` highest ones."""
    return np.mean([np.sort(map_probabilities[:, 1:], axis=0)[-WITNESSES:].mean(axis=0)
                    for size_probabilities in superpixel_probabilities(network, maps, i)
                    for map_probabilities in size_probabilities], axis=0)


def among(probabilities, classes):
    """Probabilities (n, classes + 1), given that only `classes` and background are possible: (n, classes)."""
    class_probabilities = probabilities[:, np.asarray(classes) + 1]
    total = probabilities[:, :1] + class_probabilities.sum(axis=1, keepdims=True)
    return class_probabilities / np.maximum(total, 1e-12)


def method(network, maps):
    """The method, as in `spn.results.evaluation`, that makes masks with a segmentation network."""
    return thresholded(lambda i, classes: class_maps(network, maps, i, classes))
