"""Superpixel pooling: one value per channel and superpixel."""
from . import composites
from .arguments import as_mode, as_resize, check_goes_with_resize, check_goes_with_weights
from .label_map import as_label_map
from .ops.max_min import SuperpixelExtremum
from .ops.mean_sum import SuperpixelPool
from .ops.resized import SuperpixelOverlapPool
from .sizes import superpixel_count

#: The op for each mode, and the op that also resizes the features to the size of the map.
OPS = {
    'mean': (SuperpixelPool, SuperpixelOverlapPool),
    'sum': (SuperpixelPool, SuperpixelOverlapPool),
    'max': (SuperpixelExtremum, SuperpixelExtremum),
    'min': (SuperpixelExtremum, SuperpixelExtremum),
}
#: All modes of `superpixel_pool`.
MODES = ('mean', 'sum', 'max', 'min') + composites.MODES


def superpixel_pool(feature_map, superpixel_map, n_superpixels=None, mode='mean', pixel_weights=None, resize=None):
    """Pool the features of each superpixel.

    Parameters
    ----------
    feature_map : tensor_like of float16, float32 or float64, shape (batch, channels, *spatial)
        1 to 3 spatial axes, any memory layout.
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial) or (1, *spatial)
        The superpixel of each pixel, 0 .. n_superpixels - 1. A pixel with a negative label belongs to no superpixel.
        Several islands with one label are one superpixel. One map serves all images, such as the frames of a video.
    n_superpixels : int or integer Theano scalar, optional
        None takes the largest label of the batch + 1.
    mode : {'mean', 'sum', 'max', 'min', 'var', 'std', 'logsumexp'}
        'var' is the population variance, as in ``np.var``, 'std' its square root, 'logsumexp' log(sum(exp(x))),
        a smooth maximum.
    pixel_weights : tensor_like of floats, integers or bool, shape (batch, *spatial) or (1, *spatial), optional
        How much each pixel counts in 'mean', 'sum', 'var' and 'std': the mean is sum(w x) / sum(w), and 0 where
        the weights of a superpixel sum to 0; the variance is the weighted mean of the squared deviations from it,
        and needs non-negative weights. One image of weights serves all images, and its gradient is the sum of theirs.
        Cannot be combined with `resize`.
    resize : {None, 'nearest', 'bilinear'}
        For a superpixel map that is finer (or coarser) than the features: the result is the same as resizing the
        features to its size, with half-pixel centres, and then pooling; but the resized features are never
        created, except without a C compiler or in Theano's mode FAST_COMPILE. None requires equal spatial sizes.
        'bilinear' interpolates linearly along every spatial axis. float16 is computed in float32. Only for the
        modes 'mean', 'sum', 'max' and 'min'.

    Returns
    -------
    TensorVariable, shape (batch, channels, n_superpixels), dtype of `feature_map`
        0 for a superpixel without pixels.

    Raises
    ------
    TypeError
        If the labels are not integers, the features not floats, `n_superpixels` not an integer.
    ValueError
        If `mode` or `resize` is unknown, `n_superpixels` negative, the shapes do not agree, or `mode` does not
        support `pixel_weights` or `resize`; shapes and symbolic numbers are checked when the compiled function runs.
    IndexError
        When the compiled function runs, if a label is not below `n_superpixels`.

    Notes
    -----
    The gradient of 'mean' and 'sum' for `feature_map` is :func:`superpixel_unpool` in the same mode,
    with the same `resize`. That of 'max' and 'min' goes to one pixel for each superpixel and channel: the
    first that has the value, in row-major order. 'var', 'std' and 'logsumexp' are graphs of the other operations
    (``theano_spp/composites.py``) and have derivatives of every order; where 'std' is 0 its gradient is 0.
    `pixel_weights` have a gradient too; `superpixel_map` and `n_superpixels` are disconnected. A NaN affects its own
    superpixel and channel, no other; in 'max' and 'min' it wins, as in ``np.max``.

    References
    ----------
    .. [1] S. Kwak, S. Hong, B. Han, "Weakly Supervised Semantic Segmentation Using Superpixel
           Pooling Network", AAAI 2017.

    Examples
    --------
    >>> import numpy as np
    >>> feature_map = np.array([[[[.1, .2], [.3, .4]]]])
    >>> superpixel_map = np.array([[[0, 0], [1, 2]]])
    >>> superpixel_pool(feature_map, superpixel_map).eval().round(3)
    array([[[0.15, 0.3 , 0.4 ]]])
    >>> superpixel_pool(feature_map, superpixel_map, mode='max').eval()
    array([[[0.2, 0.3, 0.4]]])

    Two cells of features for a map of six pixels, whose centres lie -1/3, 0, 1/3, 2/3, 1, 4/3 of the way from the
    centre of one cell to that of the other:

    >>> superpixel_pool(np.array([[[0., 9.]]]), np.array([[0, 0, 0, 1, 1, 1]]), resize='bilinear').eval()
    array([[[1., 8.]]])
    """
    as_mode('SuperpixelPool', mode, MODES)
    as_resize('SuperpixelPool', resize)
    check_goes_with_resize('SuperpixelPool', mode, resize)
    if pixel_weights is not None:
        check_goes_with_weights('SuperpixelPool', mode, resize)
    superpixel_map = as_label_map('SuperpixelPool', superpixel_map)
    if n_superpixels is None:
        n_superpixels = superpixel_count(superpixel_map)
    if mode in composites.MODES:
        return composites.composite_pool(feature_map, superpixel_map, n_superpixels, mode, pixel_weights)
    if pixel_weights is not None:
        return composites.weighted_pool(feature_map, superpixel_map, n_superpixels, mode, pixel_weights)
    plain_op, resizing_op = OPS[mode]
    op = plain_op(mode) if resize is None else resizing_op(mode, resize)
    return op(feature_map, superpixel_map, n_superpixels, return_list=True)[0]
