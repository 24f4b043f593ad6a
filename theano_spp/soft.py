"""Soft superpixels: each pixel belongs, with weights, to the superpixels of the grid cells around it."""
import theano.tensor as T

from .arguments import as_feature_map, as_mode, as_pooled, check_float64_is_allowed
from .composites import mean_of_sums
from .ops.soft import SoftAssociation, SoftPool, SoftUnpool, as_association

MODES = ('mean', 'sum')


def soft_superpixel_pool(feature_map, association, grid, mode='mean'):
    """Pool features in soft superpixels: each pixel counts, with a weight, in each of the superpixels around it.

    A grid divides the image into grid cells, one superpixel each. Pixel p of the P pixels of an axis lies in grid cell
    floor(p G / P) of G, and has weights in the superpixels of its own grid cell and of those that touch it: 9 in two
    dimensions, 3 in one, 27 in three.

    Parameters
    ----------
    feature_map : tensor_like of float16, float32 or float64, shape (batch, channels, *spatial)
        1 to 3 spatial axes, any memory layout.
    association : tensor_like of floats, shape (batch, 3 ** axes, *spatial)
        The weights, for the offsets -1, 0, 1 of the grid cell on each axis in row-major order: in two dimensions
        ``association[:, 4]`` belongs to a pixel's own grid cell and ``association[:, 5]`` to the next one in its row.
        Weights where the grid ends are ignored. :func:`soft_superpixel_association` makes such weights.
    grid : sequence of int or integer Theano scalar, or integer Theano vector
        The number of grid cells on each spatial axis.
    mode : {'mean', 'sum'}
        'mean' is sum(a x) / sum(a), and 0 where the weights of a superpixel sum to 0; 'sum' is sum(a x).

    Returns
    -------
    TensorVariable, shape (batch, channels, n_superpixels), dtype of `feature_map`
        The superpixels are the grid cells in row-major order.

    Raises
    ------
    TypeError
        If features or weights are not floats, or `grid` not integers.
    ValueError
        If `mode` is unknown or the axes do not agree; when the compiled function runs, if the shapes do not agree or
        `grid` is not positive.

    Notes
    -----
    The gradient for `feature_map` is that of unpooling, :func:`soft_superpixel_unpool`; `association` has a gradient
    too, and `grid` is disconnected. All derivatives of higher order exist. Products and sums are float64, and float16
    is computed in float32.

    References
    ----------
    .. [1] V. Jampani, D. Sun, M.-Y. Liu, M.-H. Yang, J. Kautz, "Superpixel Sampling Networks", ECCV 2018.

    Examples
    --------
    Four pixels in two cells: the second is shared by both.

    >>> import numpy as np
    >>> feature_map = np.array([[[1., 3., 5., 7.]]])
    >>> association = np.array([[[0., 0., 0., 0.],     # in the cell before
    ...                          [1., .5, 1., 1.],     # in the own cell
    ...                          [0., .5, 0., 0.]]])   # in the cell after
    >>> soft_superpixel_pool(feature_map, association, [2], mode='sum').eval()
    array([[[ 2.5, 13.5]]])
    >>> soft_superpixel_pool(feature_map, association, [2]).eval().round(3)
    array([[[1.667, 5.4  ]]])
    """
    as_mode('soft_superpixel_pool', mode, MODES)
    check_float64_is_allowed('SoftPool', 'features and association are multiplied and added up')
    feature_map = as_feature_map('SoftPool', feature_map)
    if mode == 'mean':
        return weighted_means(feature_map, association, grid)
    return T.cast(SoftPool()(_computed(feature_map), association, grid)[0], feature_map.dtype)


def weighted_means(feature_map, association, grid, without_weights=0.):
    """Return sum(a x) / sum(a) for each superpixel, and `without_weights` where its weights sum to 0."""
    sums, totals = SoftPool()(_computed(feature_map), association, grid)
    return T.cast(mean_of_sums(sums, totals, T.cast(without_weights, 'float64')), feature_map.dtype)


def soft_superpixel_unpool(pooled, association, grid):
    """Paint values of soft superpixels: each pixel gets the sum of those around it, times its weights in them.

    Parameters
    ----------
    pooled : tensor_like of float16, float32 or float64, shape (batch, channels, n_superpixels)
    association : tensor_like of floats, shape (batch, 3 ** axes, *spatial)
        As for :func:`soft_superpixel_pool`. If the weights of a pixel sum to 1, it gets a weighted mean.
    grid : sequence of int or integer Theano scalar, or integer Theano vector
        The number of grid cells on each spatial axis; `pooled` has one superpixel for each grid cell.

    Returns
    -------
    TensorVariable, shape (batch, channels, *spatial), dtype of `pooled`

    Raises
    ------
    TypeError
        If values or weights are not floats, or `grid` not integers.
    ValueError
        If the axes do not agree; when the compiled function runs, if the shapes do not agree or `grid` is not positive.

    Notes
    -----
    The adjoint of :func:`soft_superpixel_pool` in mode 'sum', which is the gradient for `pooled`; `association` has a
    gradient too.

    Examples
    --------
    >>> import numpy as np
    >>> association = np.array([[[0., 0., 0., 0.], [1., .5, 1., 1.], [0., .5, 0., 0.]]])
    >>> soft_superpixel_unpool(np.array([[[10., 20.]]]), association, [2]).eval()
    array([[[10., 15., 20., 20.]]])
    """
    pooled = as_pooled('SoftUnpool', pooled)
    check_float64_is_allowed('SoftUnpool', 'values of superpixels and association are multiplied')
    association = T.cast(as_association('SoftUnpool', association), _computed(pooled).dtype)
    return T.cast(SoftUnpool()(pooled, association, grid), pooled.dtype)


def soft_superpixel_association(feature_map, pooled, grid):
    """The weights of each pixel in the superpixels around it: the softmax of minus its squared distances from them.

    Parameters
    ----------
    feature_map : tensor_like of float16, float32 or float64, shape (batch, channels, *spatial)
        1 to 3 spatial axes. Their scale decides how soft the weights are: multiply features by 10 and almost every
        pixel belongs to one superpixel.
    pooled : tensor_like of floats, shape (batch, channels, n_superpixels)
        The features of the superpixels, such as their means.
    grid : sequence of int or integer Theano scalar, or integer Theano vector
        The number of grid cells on each spatial axis.

    Returns
    -------
    TensorVariable, shape (batch, 3 ** axes, *spatial), dtype of `feature_map`
        The weights of each pixel sum to 1; 0 where the grid ends.

    Raises
    ------
    TypeError
        If the features are not floats, or `grid` not integers.
    ValueError
        If the axes do not agree; when the compiled function runs, if the shapes do not agree or `grid` is not positive.

    Notes
    -----
    Gradients exist for `feature_map` and `pooled`, of every order. The squared distances are summed in float64.

    Examples
    --------
    >>> import numpy as np
    >>> feature_map, pooled = np.array([[[0., 1., 2., 3.]]]), np.array([[[0., 2.]]])
    >>> soft_superpixel_association(feature_map, pooled, [2]).eval().round(2)
    array([[[0.  , 0.  , 0.02, 0.  ],
            [0.98, 0.5 , 0.98, 1.  ],
            [0.02, 0.5 , 0.  , 0.  ]]])
    """
    feature_map = as_feature_map('SoftAssociation', feature_map)
    check_float64_is_allowed('SoftAssociation', 'distances are summed')
    return T.cast(SoftAssociation()(_computed(feature_map), pooled, grid), feature_map.dtype)


def _computed(features):
    return T.cast(features, 'float32') if features.dtype == 'float16' else features
