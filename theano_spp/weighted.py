"""Pooling in which pixels count differently: products, sums and quotients of what is there."""
import numpy as np
import theano.tensor as T

from .arguments import as_features
from .pool import SuperpixelPool


def as_weighted(feature_map, superpixel_map, pixel_weights, mode, resize):
    """Return features and weights, the weights in the dtype of the features, or say why these cannot be pooled.

    Raises
    ------
    ValueError
        If `mode` or `resize` does not go with weights, or the weights have not the axes of the map; when the
        compiled function runs, an AssertionError if they have not its shape.
    TypeError
        If the weights are complex.
    """
    if mode not in WEIGHTED_POOLINGS:
        raise ValueError("SuperpixelPool: pixel_weights go with mode 'mean' or 'sum', but mode is %r (label the pixels"
                         ' that shall not count with -1)' % mode)
    if resize is not None:
        raise ValueError('SuperpixelPool: pixel_weights go with resize=None, but resize is %r (give features of the size'
                         ' of the superpixel map, or label the pixels that shall not count with -1)' % resize)
    feature_map = as_features('SuperpixelPool', 'feature_map', feature_map, axes=(3, 4, 5),
                              layout='(batch, channels, *spatial) with 1 to 3 spatial axes')
    pixel_weights = T.as_tensor_variable(pixel_weights)
    if pixel_weights.dtype not in T.discrete_dtypes + T.float_dtypes:
        raise TypeError('SuperpixelPool: pixel_weights has dtype %s, but real numbers are wanted (use'
                        ' abs(pixel_weights))' % pixel_weights.dtype)
    if pixel_weights.ndim != superpixel_map.ndim:
        raise ValueError('SuperpixelPool: pixel_weights has %d axes, but one weight for each pixel of superpixel_map is'
                         ' wanted, (batch, *spatial), %d in all' % (pixel_weights.ndim, superpixel_map.ndim))
    agree = T.opt.Assert('SuperpixelPool: pixel_weights and superpixel_map have different shapes, but one weight for'
                         ' each pixel is wanted: (batch, *spatial) (use T.ones_like(superpixel_map) * pixel_weights'
                         ' for weights that repeat)')
    pixel_weights = agree(pixel_weights, T.all(T.eq(pixel_weights.shape, superpixel_map.shape)))
    return feature_map, T.cast(pixel_weights, feature_map.dtype)


def weighted_sum(feature_map, superpixel_map, n_superpixels, pixel_weights):
    """Return sum(w x) for each superpixel; all arguments are Theano variables."""
    return SuperpixelPool('sum')(feature_map * _for_every_channel(pixel_weights), superpixel_map, n_superpixels)


def weighted_mean(feature_map, superpixel_map, n_superpixels, pixel_weights):
    """Return sum(w x) / sum(w) for each superpixel, 0 where the weights sum to 0."""
    pooled = weighted_sum(feature_map, superpixel_map, n_superpixels, pixel_weights)
    total = SuperpixelPool('sum')(_for_every_channel(pixel_weights), superpixel_map, n_superpixels)
    nothing = T.eq(total, 0)
    # The inner switch keeps 0 / 0 out of the gradient.
    return T.switch(nothing, np.zeros((), total.dtype), pooled / T.switch(nothing, np.ones((), total.dtype), total))


def _for_every_channel(pixel_weights):
    return pixel_weights.dimshuffle(0, 'x', *range(1, pixel_weights.ndim))


#: By mode.
WEIGHTED_POOLINGS = {'mean': weighted_mean, 'sum': weighted_sum}
