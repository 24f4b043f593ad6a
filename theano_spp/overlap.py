"""How much each cell of a feature map counts for each superpixel of a map of another size."""
from .label_map import as_label_map
from .ops.resized import SuperpixelOverlap
from .sizes import superpixel_count


def superpixel_overlap(superpixel_map, n_superpixels, spatial_shape, resize='nearest', mode='mean'):
    """How much each cell of a feature map counts for each superpixel of a map of another size.

    Parameters
    ----------
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial)
        1 to 3 spatial axes; labels as for :func:`superpixel_pool`.
    n_superpixels : int or integer Theano scalar, or None
        None takes the largest label of the batch + 1.
    spatial_shape : sequence of int or integer Theano scalar, or integer Theano vector
        The spatial sizes of the feature map, in cells.
    resize : {'nearest', 'bilinear'}
        How its features would be resized to the superpixel map, with half-pixel centres.
    mode : {'mean', 'sum'}
        'mean' gives the fraction of the superpixel's pixels that see the cell, 'sum' their number. With `resize`
        'bilinear', a pixel between cells sees a part of each.

    Returns
    -------
    TensorVariable of floatX, shape (batch, n_superpixels, *spatial_shape)
        With 'mean' each superpixel that has pixels sums to 1 (with 'sum' to its size), the others to 0. The batch is
        that of `superpixel_map`, 1 for a map that serves several images. Disconnected from `superpixel_map`.

    Raises
    ------
    TypeError
        If the labels, `n_superpixels` or `spatial_shape` are not integers.
    ValueError
        If `mode` or `resize` is unknown, or the sizes do not fit.
    IndexError
        When the compiled function runs, if a label is not below `n_superpixels`.

    Notes
    -----
    ``superpixel_pool(feature_map, superpixel_map, n_superpixels, mode, resize=resize)`` is the product of this
    matrix with the features; it is computed without building the matrix, which is mostly zeros.

    References
    ----------
    .. [1] S. Kwak, S. Hong, B. Han, "Weakly Supervised Semantic Segmentation Using Superpixel
           Pooling Network", AAAI 2017: the pooling layer.

    Examples
    --------
    >>> import numpy as np
    >>> superpixel_map = np.array([[[0, 0, 0, 1, 1, 1]]])
    >>> superpixel_overlap(superpixel_map, 2, (1, 2)).eval()
    array([[[[1., 0.]],
    <BLANKLINE>
            [[0., 1.]]]])
    >>> superpixel_overlap(superpixel_map, 2, (1, 3), mode='sum').eval()
    array([[[[2., 1., 0.]],
    <BLANKLINE>
            [[0., 1., 2.]]]])
    """
    superpixel_map = as_label_map('SuperpixelOverlap', superpixel_map)
    if n_superpixels is None:
        n_superpixels = superpixel_count(superpixel_map)
    return SuperpixelOverlap(mode, resize)(superpixel_map, n_superpixels, spatial_shape)
