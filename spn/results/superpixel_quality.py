"""How well superpixels keep to the borders of true regions: the measures of superpixel benchmarks.

References
----------
.. [1] D. Stutz, A. Hermans, B. Leibe, "Superpixels: An Evaluation of the State-of-the-Art", CVIU 2018.
.. [2] P. Neubert, P. Protzel, "Superpixel Benchmark and Comparison", 2012.
"""
import numpy as np
from scipy import ndimage
from skimage.segmentation import find_boundaries

#: How far a superpixel's border may be from a true one that counts as found, as a fraction of the image's diagonal [1].
TOLERANCE = .0025


def boundary_recall(superpixel_map, truth, ignored=None):
    """The fraction of the pixels on true borders that have a superpixel's border nearby.

    Parameters
    ----------
    superpixel_map, truth : numpy.ndarray of integers, shape (rows, cols)
    ignored : int, optional
        The label of pixels of `truth` that do not count, such as VOC's 255, which lie between its regions: the border
        is taken to run in their middle, halfway to the nearest labels.

    Returns
    -------
    float
        NaN if there is no true border.
    """
    rows, columns = truth.shape
    if ignored is not None:
        if (truth == ignored).all():
            return np.nan
        nearest = ndimage.distance_transform_edt(truth == ignored, return_distances=False, return_indices=True)
        truth = truth[tuple(nearest)]
    borders = find_boundaries(truth, mode='thick')  # 'inner' leaves out the pixels of label 0
    if not borders.any():
        return np.nan
    reach = max(1, int(round(TOLERANCE * np.hypot(rows, columns))))
    found = ndimage.binary_dilation(find_boundaries(superpixel_map, mode='thick'), np.ones((2 * reach + 1,) * 2))
    return float(found[borders].mean())


def achievable_accuracy(superpixel_map, truth, ignored=None):
    """The fraction of pixels that are right if each superpixel gets the true label that most of its pixels have.

    Parameters and result as for :func:`boundary_recall`; known as ASA, achievable segmentation accuracy.
    """
    counts = _overlaps(superpixel_map, truth, ignored)
    return float(counts.max(axis=1).sum() / counts.sum()) if counts.size else np.nan


def undersegmentation_error(superpixel_map, truth, ignored=None):
    """How much of superpixels lies on the wrong side of true borders, as a fraction of the image [2].

    For each true region, and each superpixel that meets it, the smaller of the pixels inside and outside of the region.

    Parameters and result as for :func:`boundary_recall`.
    """
    counts = _overlaps(superpixel_map, truth, ignored)
    if not counts.size:
        return np.nan
    outside = counts.sum(axis=1, keepdims=True) - counts
    return float(np.minimum(counts, outside).sum() / counts.sum())


def _overlaps(superpixel_map, truth, ignored):
    """How many pixels each superpixel shares with each true label, (superpixels, labels)."""
    counted = np.ones(truth.shape, bool) if ignored is None else truth != ignored
    counted &= superpixel_map >= 0
    if not counted.any():
        return np.zeros((0, 0), int)
    _, superpixels = np.unique(superpixel_map[counted], return_inverse=True)
    _, labels = np.unique(truth[counted], return_inverse=True)
    counts = np.zeros((superpixels.max() + 1, labels.max() + 1), int)
    np.add.at(counts, (superpixels, labels), 1)
    return counts
