"""The pixels of each superpixel."""
import numpy as np

from .sharing import for_each_image


def pixels_by_superpixel(labels):
    """The pixel numbers of one image sorted by label, and the position in them where each superpixel starts."""
    flat = labels.ravel()
    order = np.argsort(flat, kind='mergesort')
    order = order[flat[order] >= 0]
    ordered = flat[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(order) else order
    return order, starts


def each_superpixel(feature_map, superpixel_map):
    """Yield, for each superpixel that has pixels, the image, the label, which pixels, and their features in float64."""
    for image, labels in enumerate(for_each_image(superpixel_map, len(feature_map))):
        for label in np.unique(labels[labels >= 0]):
            pixels = labels == label
            yield image, int(label), pixels, feature_map[image][:, pixels].astype('float64')
