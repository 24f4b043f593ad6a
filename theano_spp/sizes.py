"""The number of superpixels of a label map, and the number of pixels of each."""
from .label_map import as_label_map
from .ops.counts import SuperpixelCount, SuperpixelSizes


def superpixel_sizes(superpixel_map, n_superpixels=None):
    """Count the pixels of each superpixel.

    Parameters
    ----------
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial)
        1 to 3 spatial axes; labels as for :func:`superpixel_pool`.
    n_superpixels : int or integer Theano scalar, optional
        None takes the largest label of the batch + 1.

    Returns
    -------
    TensorVariable of int64, shape (batch, n_superpixels), in pixels
        0 for a superpixel that does not occur; (1, n_superpixels) for a map that serves several images. Disconnected
        from `superpixel_map`.

    Raises
    ------
    TypeError
        If the labels or `n_superpixels` are not integers.
    ValueError
        If `n_superpixels` is negative.
    IndexError
        When the compiled function runs, if a label is not below `n_superpixels`.

    Examples
    --------
    >>> import numpy as np
    >>> superpixel_sizes(np.array([[[0, 0], [2, -1]]])).eval()
    array([[2, 0, 1]])
    """
    superpixel_map = as_label_map('SuperpixelSizes', superpixel_map)
    if n_superpixels is None:
        n_superpixels = superpixel_count(superpixel_map)
    return SuperpixelSizes()(superpixel_map, n_superpixels)


def superpixel_count(superpixel_map):
    """Return the largest label of a batch + 1 as an int64 Theano scalar; 0 if all labels are negative."""
    return SuperpixelCount()(superpixel_map)
