"""Resizing with half-pixel centres: which cells of a feature map each pixel of a superpixel map sees.

Pixel p of an axis of P pixels lies at position ``(p + 1/2) * cells / P``, in cells. 'nearest' takes the cell that it
lies in, 'bilinear' interpolates between the two cells whose centres it lies between, and takes the outermost cell
beyond the last centre. Positions are computed in integers, here and in ``c_code/resize/interpolation.h``, so that
rounding never decides which cell is nearest.
"""
import numpy as np

KINDS = ('nearest', 'bilinear')
#: How an op stores resize=None, which requires equal sizes: a parameter of C code needs a name.
NONE = 'none'


def positions(cells, pixels, kind):
    """Return the cells that the pixels of one axis see, and with which weights.

    Parameters
    ----------
    cells, pixels : int
        The sizes of the axis in the feature map and in the superpixel map.
    kind : {'nearest', 'bilinear'}

    Returns
    -------
    low, high : numpy.ndarray of int64, shape (pixels,)
    part : numpy.ndarray of int64, shape (pixels,)
        The weight of `high`, in units of 1 / (2 * pixels); `low` has the rest.
    """
    twice = (2 * np.arange(pixels, dtype='int64') + 1) * cells
    if kind == 'bilinear':
        low, part = np.divmod(twice - pixels, max(2 * pixels, 1))
        part[(low < 0) | (low >= cells - 1)] = 0
        low = np.clip(low, 0, cells - 1)
    else:
        low = twice // max(2 * pixels, 1)
        part = np.zeros_like(low)
    return low, np.minimum(low + 1, cells - 1), part


def resize(feature_map, spatial_shape, kind):
    """Resize the features to another spatial shape, one axis after the other.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    spatial_shape : tuple of int
    kind : {'nearest', 'bilinear'}

    Returns
    -------
    numpy.ndarray of float64, shape (batch, channels, *spatial_shape)
    """
    if 0 in feature_map.shape[:2] + spatial_shape:
        return np.zeros(feature_map.shape[:2] + spatial_shape)
    resized = feature_map.astype('float64')
    for axis, pixels in enumerate(spatial_shape, 2):
        low, high, part = [_along(axis, resized.ndim, a) for a in positions(resized.shape[axis], pixels, kind)]
        scale = float(2 * pixels)
        below, above = resized.take(low.ravel(), axis), resized.take(high.ravel(), axis)
        with np.errstate(invalid='ignore', over='ignore'):
            mixed = below * ((2 * pixels - part) / scale) + above * (part / scale)
        # A plateau stays flat to the last bit, so that its first pixel is its maximum.
        resized = np.where((part == 0) | (below == above), below, mixed)
    return resized


def resize_adjoint(gradient, spatial_shape, kind):
    """Sum over the pixels that see each cell, with their weights: the transpose of :func:`resize`.

    Parameters
    ----------
    gradient : numpy.ndarray of floats, shape (batch, channels, *pixels)
    spatial_shape : tuple of int
        The spatial sizes of the result, in cells.
    kind : {'nearest', 'bilinear'}

    Returns
    -------
    numpy.ndarray of float64, shape (batch, channels, *spatial_shape)
    """
    if 0 in gradient.shape + spatial_shape:
        return np.zeros(gradient.shape[:2] + spatial_shape)
    summed = gradient.astype('float64')
    for axis, cells in enumerate(spatial_shape, 2):
        pixels = summed.shape[axis]
        low, high, part = positions(cells, pixels, kind)
        summed = np.moveaxis(summed, axis, 0)
        total = np.zeros((cells,) + summed.shape[1:])
        share = _along(0, summed.ndim, part) / float(max(2 * pixels, 1))
        sees_high = part > 0
        with np.errstate(invalid='ignore'):
            np.add.at(total, low, summed * (1 - share))
            np.add.at(total, high[sees_high], summed[sees_high] * share[sees_high])
        summed = np.moveaxis(total, 0, axis)
    return summed


def _along(axis, ndim, values):
    """Reshape a vector so that it lies along one axis and broadcasts along the others."""
    return values.reshape([-1 if a == axis else 1 for a in range(ndim)])
