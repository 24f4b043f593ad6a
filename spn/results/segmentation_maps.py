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
    return relative(maps.correlated(i, [[among(of_map, classes) for of_map in of_size]
                                        for of_size in of_superpixels(network, maps, i)]))


def of_superpixels(network, maps, i):
    """What a network says of the superpixels of image `i`, by image size and superpixel map."""
    superpixel_maps = [each[i] for each in maps.superpixels]
    return [network.probabilities(features.layers(i), superpixel_maps) for features in maps.features]


def of_image(network, maps, i):
    """How surely image `i` shows each class, (classes,): the mean probability of the few superpixels that speak most for it."""
    return np.mean([np.sort(of_map[:, 1:], axis=0)[-WITNESSES:].mean(axis=0)
                    for of_size in of_superpixels(network, maps, i) for of_map in of_size], axis=0)


def among(probabilities, classes):
    """Probabilities (n, classes + 1) of some classes, (n, classes), where there is nothing else but background."""
    of_classes = probabilities[:, np.asarray(classes) + 1]
    return of_classes / np.maximum(probabilities[:, :1] + of_classes.sum(axis=1, keepdims=True), 1e-12)


def method(network, maps):
    """The masks of a segmentation network, as `spn.results.evaluation` asks for them."""
    return thresholded(lambda i, classes: class_maps(network, maps, i, classes))
