"""Superpixel unpooling: each superpixel's value painted on its pixels."""
from .arguments import as_resize
from .ops.mean_sum import SuperpixelUnpool
from .ops.resized import SuperpixelOverlapUnpool


def superpixel_unpool(pooled, superpixel_map, mode='sum', resize=None, spatial_shape=None):
    """Paint each superpixel's value on its pixels: the adjoint of :func:`superpixel_pool`.

    Parameters
    ----------
    pooled : tensor_like of float16, float32 or float64, shape (batch, channels, n_superpixels)
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial) or (1, *spatial)
        1 to 3 spatial axes; labels as for :func:`superpixel_pool`. One map serves all images.
    mode : {'sum', 'mean'}
        'sum' paints the value itself and is the adjoint of sum pooling. 'mean' paints
        value / size and is the adjoint, so the gradient, of mean pooling.
    resize : {None, 'nearest', 'bilinear'}
        With `spatial_shape`: make features of another size than the map. Each cell gets the sum over the pixels
        that see it, weighted by how much they see of it: the adjoint of pooling with `resize`. Features of the size
        of the map are never created, except without a C compiler or in Theano's mode FAST_COMPILE.
    spatial_shape : sequence of int or integer Theano scalar, or integer Theano vector, optional
        The spatial sizes of the features to make, in cells; those of the map if None.

    Returns
    -------
    TensorVariable, shape (batch, channels, *spatial) or (batch, channels, *spatial_shape), dtype of `pooled`
        0 on pixels that belong to no superpixel.

    Raises
    ------
    TypeError
        If the labels are not integers or `pooled` not floats.
    ValueError
        If `mode` or `resize` is unknown, or only one of `resize` and `spatial_shape` is given; when the
        compiled function runs, if the batch sizes differ.
    IndexError
        When the compiled function runs, if `pooled` has no superpixel for a label.

    Notes
    -----
    The gradient for `pooled` is :func:`superpixel_pool` in the same mode, with the same `resize`;
    `superpixel_map` is disconnected.

    Examples
    --------
    >>> import numpy as np
    >>> pooled = np.array([[[.15, .3, .4]]])
    >>> superpixel_map = np.array([[[0, 0], [1, 2]]])
    >>> superpixel_unpool(pooled, superpixel_map).eval()
    array([[[[0.15, 0.15],
             [0.3 , 0.4 ]]]])
    """
    as_resize('SuperpixelUnpool', resize)
    if (resize is None) != (spatial_shape is None):
        raise ValueError("SuperpixelUnpool: resize is %r and spatial_shape is %s, but both or none are wanted (give"
                         " resize='nearest' or 'bilinear', as in pooling, and spatial_shape=feature_map.shape[2:])"
                         % (resize, spatial_shape))
    if resize is not None:
        return SuperpixelOverlapUnpool(mode, resize)(pooled, superpixel_map, spatial_shape)
    return SuperpixelUnpool(mode)(pooled, superpixel_map)
