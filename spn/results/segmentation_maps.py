"""What a segmentation network says of the images of a data set: maps of classes, masks, and which classes there are."""
import numpy as np

from .activation_maps import relative, thresholded

WITNESSES = 5  # superpixels that an image has a class by


def class_maps(network, maps, i, classes):
    """Maps of classes in 0 .. 1, (classes, rows, cols), in the size of the image.

    Parameters
    ----------
    network : SegmentationNetwork
    maps : spn.results.activation_maps.ActivationMaps
    i : int
    classes : ndarray of int
        Others are out of the question.
    """
    return relative(maps.correlated(i, [[among(map_probabilities, classes) for map_probabilities in size_probabilities]
                                        for size_probabilities in superpixel_probabilities(network, maps, i)]))


def superpixel_probabilities(network, maps, i):
    """What a network says of the superpixels of image `i`, by image size and superpixel map."""
    superpixel_maps = [each[i] for each in maps.superpixels]
    return [network.probabilities(features.blocks(i), superpixel_maps) for features in maps.features]


def image_probabilities(network, maps, i):
    """How surely image `i` shows each class, (classes,): the mean of its `WITNESSES` highest probabilities."""
    return np.mean([np.sort(map_probabilities[:, 1:], axis=0)[-WITNESSES:].mean(axis=0)
                    for size_probabilities in superpixel_probabilities(network, maps, i)
                    for map_probabilities in size_probabilities], axis=0)


def among(probabilities, classes):
    """Probabilities (n, classes + 1) of some classes, (n, classes), where there is nothing else but background."""
    class_probabilities = probabilities[:, np.asarray(classes) + 1]
    total = probabilities[:, :1] + class_probabilities.sum(axis=1, keepdims=True)
    return class_probabilities / np.maximum(total, 1e-12)


def method(network, maps):
    """The masks of a segmentation network, as `spn.results.evaluation` asks for them."""
    return thresholded(lambda i, classes: class_maps(network, maps, i, classes))
