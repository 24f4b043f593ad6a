"""Superpixels that learn: the iterations of SLIC with soft assignments, through which gradients flow."""
import functools
import itertools
import numbers

import numpy as np
import theano.tensor as T
from theano.gof import Variable
from theano.gradient import disconnected_grad
from theano.tensor.opt import Assert

from .arguments import as_feature_map, as_grid, check_float64_is_allowed
from .ops.soft import as_association
from .pool import superpixel_pool
from .soft import soft_superpixel_association, weighted_means


def differentiable_slic(feature_map, grid, iterations=5, compactness=0.):
    """Soft superpixels of the features themselves: SLIC's iterations with soft assignments.

    The superpixels begin as the cells of a grid. In each iteration every pixel gets weights in the superpixels around
    it, from the distances of its features to theirs, and the features of the superpixels become the weighted means.

    Parameters
    ----------
    feature_map : tensor_like of float16, float32 or float64, shape (batch, channels, *spatial)
        1 to 3 spatial axes: colours, or what a network learned. Their scale decides how soft the weights are, see
        :func:`soft_superpixel_association`.
    grid : sequence of int or integer Theano scalar, or integer Theano vector
        The number of grid cells, that is, of superpixels, on each spatial axis.
    iterations : int
        At least 1; more of them take memory in training, because gradients flow through all.
    compactness : float or Theano scalar
        The weight of positions, which are appended to the features: a distance of one grid cell counts as much as a
        distance of `compactness` in features. Not negative; 0 takes the features alone.

    Returns
    -------
    association : TensorVariable, shape (batch, 3 ** axes, *spatial), dtype of `feature_map`
        The weights of each pixel in the superpixels around it, which sum to 1; see :func:`soft_superpixel_pool`.
    pooled : TensorVariable, shape (batch, channels, n_superpixels), dtype of `feature_map`
        The weighted means of the features, by the weights of the last iteration.

    Raises
    ------
    TypeError
        If the features are not floats, `compactness` no number, or `grid` or `iterations` not integers.
    ValueError
        If `iterations` is below 1, `compactness` negative or infinite, or the axes do not agree.
    AssertionError
        When the compiled function runs, if `grid` is not positive, or has 2**31 superpixels or more.

    Notes
    -----
    Gradients exist for `feature_map` and `compactness`, of every order, and the superpixels take part in them. A
    superpixel in which no pixel has a weight, because it is very far from all, stays where it was; one whose grid cell
    has no pixel, where there are more grid cells than pixels, begins at 0. :func:`hard_superpixel_map` makes a label
    map of the weights.

    References
    ----------
    .. [1] V. Jampani, D. Sun, M.-Y. Liu, M.-H. Yang, J. Kautz, "Superpixel Sampling Networks", ECCV 2018.
    .. [2] R. Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", PAMI 2012.

    Examples
    --------
    Two grid cells of three pixels; the third pixel looks like the second grid cell:

    >>> import numpy as np
    >>> association, pooled = differentiable_slic(np.array([[[0., 0., 9., 9., 9., 9.]]]), [2])
    >>> pooled.eval().round(3)
    array([[[0., 9.]]])
    >>> hard_superpixel_map(association, [2]).eval()
    array([[0, 0, 1, 1, 1, 1]], dtype=int32)
    """
    feature_map = as_feature_map('differentiable_slic', feature_map)
    if isinstance(iterations, bool) or not isinstance(iterations, (int, np.integer)):
        raise TypeError('differentiable_slic: iterations is %r, but an integer is wanted: the graph has as many copies'
                        ' of the iteration' % (iterations,))
    if iterations < 1:
        raise ValueError('differentiable_slic: iterations is %d, but must be at least 1 (5 to 10 are usual)'
                         % iterations)
    compactness = _as_compactness(compactness)
    check_float64_is_allowed('differentiable_slic', 'distances and means are summed')
    grid = _as_positive_grid('differentiable_slic', grid, feature_map.ndim - 2)
    spatial_shape = [feature_map.shape[axis] for axis in range(2, feature_map.ndim)]
    features = _with_positions(feature_map, spatial_shape, grid, compactness)
    cells = _number(_cells(spatial_shape, grid), grid)[None, ...]
    pooled = superpixel_pool(features, cells, T.prod(grid))
    for _ in range(iterations):
        association = soft_superpixel_association(features, pooled, grid)
        pooled = weighted_means(features, association, grid, without_weights=pooled)
    return association, pooled[:, :feature_map.shape[1]]


def hard_superpixel_map(association, grid):
    """The label map of soft superpixels: each pixel in the superpixel in which its weight is largest.

    Parameters
    ----------
    association : tensor_like of floats, shape (batch, 3 ** axes, *spatial)
        As for :func:`soft_superpixel_pool`. If weights are equal, the first neighbour in row-major order wins.
    grid : sequence of int or integer Theano scalar, or integer Theano vector
        The number of grid cells on each spatial axis.

    Returns
    -------
    TensorVariable of int32, shape (batch, *spatial)
        The numbers of superpixels, which may be in several islands: see
        :func:`theano_spp.label_tools.enforce_connectivity`. Disconnected from `association`.

    Raises
    ------
    TypeError
        If the weights are not floats, or `grid` not integers.
    ValueError
        If the axes do not agree.
    AssertionError
        When the compiled function runs, if there are not 3 ** axes weights, `grid` is not positive, or has 2**31
        superpixels or more.

    Examples
    --------
    >>> import numpy as np
    >>> association = np.array([[[0., 0., 0., 0.], [1., .4, 1., 1.], [0., .6, 0., 0.]]])
    >>> hard_superpixel_map(association, [2]).eval()
    array([[0, 1, 1, 1]], dtype=int32)
    """
    association = as_association('hard_superpixel_map', association)
    axes = association.ndim - 2
    grid = _as_positive_grid('hard_superpixel_map', grid, axes)
    association = Assert('hard_superpixel_map: association must have %d weights for each pixel, (batch, %d, *spatial)'
                         ' (take that of soft_superpixel_association)' % (3 ** axes, 3 ** axes))(
        disconnected_grad(association), T.eq(association.shape[1], 3 ** axes))
    cells = _cells([association.shape[axis] for axis in range(2, association.ndim)], grid)
    is_inside = T.stack([_is_inside(cells, offsets, grid) for offsets in itertools.product((-1, 0, 1), repeat=axes)])
    weights = T.switch(is_inside[None, ...], association, np.array(-np.inf, association.dtype))
    best = T.argmax(weights, axis=1)
    offsets = [best // 3 ** (axes - 1 - axis) % 3 - 1 for axis in range(axes)]
    # Clipped for a pixel all of whose weights are -inf, like those where the grid ends.
    return T.cast(_number([T.clip(cell[None, ...] + offset, 0, grid[axis] - 1)
                           for axis, (cell, offset) in enumerate(zip(cells, offsets))], grid), 'int32')


def _as_positive_grid(op_name, grid, axes):
    """The grid, which is checked when the function runs: otherwise the first op that needs it complains of labels."""
    grid = as_grid(op_name, grid, axes)
    return Assert('%s: grid must have at least one grid cell on each axis, and below 2**31 in all (give numbers of'
                  ' superpixels, such as %r)' % (op_name, (10,) * axes))(
        grid, T.all(grid > 0), T.lt(T.prod(T.cast(grid, 'float64')), 2. ** 31))


def _as_compactness(compactness):
    wanted = 'a number that is not negative, or a scalar of Theano, is wanted (0 takes the features alone)'
    if isinstance(compactness, Variable):
        if compactness.ndim != 0:
            raise TypeError('differentiable_slic: compactness has %d axes, but %s' % (compactness.ndim, wanted))
        return compactness
    if isinstance(compactness, bool) or not isinstance(compactness, numbers.Real):
        raise TypeError('differentiable_slic: compactness is %r, but %s' % (compactness, wanted))
    if not 0 <= compactness < np.inf:
        raise ValueError('differentiable_slic: compactness is %r, but %s' % (compactness, wanted))
    return np.float64(compactness)  # Theano would round a Python float to floatX


def _cells(spatial_shape, grid):
    """For each axis, the cell of each pixel, as a variable that broadcasts to the spatial axes."""
    axes = len(spatial_shape)
    return [_along(T.arange(size) * grid[axis] // T.maximum(size, 1), axis, axes)
            for axis, size in enumerate(spatial_shape)]


def _along(vector, axis, axes):
    """A vector along one of several axes, broadcast along the others."""
    return vector.dimshuffle(['x'] * axis + [0] + ['x'] * (axes - 1 - axis))


def _number(cells, grid):
    """The row-major numbers of cells, given by one variable for each axis."""
    number = cells[0]
    for axis, cell in enumerate(cells[1:], 1):
        number = number * grid[axis] + cell
    return number


def _is_inside(cells, offsets, grid):
    """Whether the cells at these offsets from those of the pixels are on the grid, for each pixel."""
    return functools.reduce(T.and_, [condition for axis, (cell, offset) in enumerate(zip(cells, offsets))
                                     for condition in (cell + offset >= 0, cell + offset < grid[axis])])


def _with_positions(feature_map, spatial_shape, grid, compactness):
    if not isinstance(compactness, Variable) and compactness == 0:
        return feature_map
    features = [feature_map]
    for axis, size in enumerate(spatial_shape):
        position = (T.arange(size) + .5) * grid[axis] / T.maximum(size, 1) * compactness
        position = _along(T.cast(position, feature_map.dtype), axis, len(spatial_shape))
        features.append(T.alloc(position, feature_map.shape[0], 1, *spatial_shape))
    return T.concatenate(features, axis=1)
