"""The meaning of every operation in plain NumPy: slow, obvious, and what the C code must equal.

The ops call it where there is no C code (no compiler, FAST_COMPILE, float16), the tests compare
the C code with it. Sums are taken in float64, pairwise, which keeps the promise of docs/semantics.md.
"""
import numpy as np

from .label_map import check_labels


def pool(feature_map, superpixel_map, n_superpixels, mode='mean', op_name='SuperpixelPool'):
    """Pool the features of each superpixel.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    n_superpixels : int
    mode : {'mean', 'sum'}

    Returns
    -------
    numpy.ndarray, shape (batch, channels, n_superpixels), dtype of `feature_map`
        0 for a superpixel without pixels.
    """
    n_superpixels = _check_n_superpixels(op_name, n_superpixels)
    _check_shapes(op_name, 'feature_map', feature_map, superpixel_map)
    check_labels(op_name, superpixel_map, n_superpixels)
    batch, channels = feature_map.shape[:2]
    pooled = np.zeros((batch, channels, n_superpixels), 'float64')
    for image, labels, sums in zip(feature_map, superpixel_map, pooled):
        order, starts = _pixels_by_superpixel(labels)
        if len(starts):
            sorted_features = image.reshape(channels, -1)[:, order].astype('float64')
            with np.errstate(invalid='ignore', over='ignore'):
                sums[:, labels.ravel()[order[starts]].astype('int64')] = np.add.reduceat(
                    sorted_features, starts, axis=1)
    if mode == 'mean':
        pooled /= np.maximum(sizes(superpixel_map, n_superpixels), 1)[:, None, :]
    with np.errstate(over='ignore'):
        return pooled.astype(feature_map.dtype)


def unpool(pooled, superpixel_map, mode='sum', op_name='SuperpixelUnpool'):
    """Paint each superpixel's value on its pixels.

    Parameters
    ----------
    pooled : numpy.ndarray of floats, shape (batch, channels, n_superpixels)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    mode : {'sum', 'mean'}
        'mean' paints value / size, the gradient of mean pooling.

    Returns
    -------
    numpy.ndarray, shape (batch, channels, *spatial), dtype of `pooled`
        0 on pixels that belong to none.
    """
    n_superpixels = pooled.shape[2]
    _check_shapes(op_name, 'pooled', pooled, superpixel_map, spatial=False)
    check_labels(op_name, superpixel_map, n_superpixels, 'the number of superpixels in pooled is')
    values = pooled
    if mode == 'mean':
        values = pooled.astype('float64') / np.maximum(sizes(superpixel_map, n_superpixels), 1)[:, None, :]
    painted = np.zeros(pooled.shape[:2] + superpixel_map.shape[1:], pooled.dtype)
    for item, labels, image in zip(values, superpixel_map, painted):
        image[:, labels >= 0] = item[:, labels[labels >= 0].astype('int64')]
    return painted


def sizes(superpixel_map, n_superpixels, op_name='SuperpixelSizes'):
    """Count the pixels of each superpixel.

    Parameters
    ----------
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    n_superpixels : int

    Returns
    -------
    numpy.ndarray of int64, shape (batch, n_superpixels)
    """
    n_superpixels = _check_n_superpixels(op_name, n_superpixels)
    check_labels(op_name, superpixel_map, n_superpixels)
    counts = np.zeros((len(superpixel_map), n_superpixels), 'int64')
    for labels, count in zip(superpixel_map, counts):
        count += np.bincount(labels[labels >= 0].astype('int64'), minlength=n_superpixels)
    return counts


def count(superpixel_map, op_name='SuperpixelCount'):
    """Return the number of superpixels of a batch: its largest label + 1, 0 if it has none.

    Parameters
    ----------
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    """
    check_labels(op_name, superpixel_map, np.iinfo('int64').max, 'the number of superpixels can be at most')
    return max(int(superpixel_map.max()) + 1, 0) if superpixel_map.size else 0


def _pixels_by_superpixel(labels):
    """The pixel numbers of one image sorted by label, and where in them each superpixel starts."""
    flat = labels.ravel()
    order = np.argsort(flat, kind='mergesort')
    order = order[flat[order] >= 0]
    ordered = flat[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(order) else order
    return order, starts


def _check_n_superpixels(op_name, n_superpixels):
    n_superpixels = int(n_superpixels)
    if n_superpixels < 0:
        raise ValueError('%s: n_superpixels is %d, but must not be negative'
                         ' (give the largest label + 1, or None to have it counted)'
                         % (op_name, n_superpixels))
    return n_superpixels


def _check_shapes(op_name, argument, array, superpixel_map, spatial=True):
    if len(array) != len(superpixel_map) or spatial and array.shape[2:] != superpixel_map.shape[1:]:
        raise ValueError('%s: %s has shape %s, but superpixel_map has shape %s; %s' % (
            op_name, argument, array.shape, superpixel_map.shape,
            '(batch, channels, *spatial) and (batch, *spatial) must agree in batch and spatial sizes:'
            ' resize the superpixel map to the features by nearest neighbour, or upsample the features'
            ' to the map' if spatial else
            '(batch, channels, n_superpixels) and (batch, *spatial) must agree in batch:'
            ' give one superpixel map for each item'))
