"""Pooling in which pixels count differently: products, sums and quotients of what is there."""
import numpy as np
import theano.tensor as T
from theano import gof
from theano.gradient import DisconnectedType

from .arguments import as_features
from .pool import SuperpixelPool


def as_weighted(feature_map, superpixel_map, pixel_weights, mode, resize):
    """Return features and weights, the weights in the dtype of the features, or say why these cannot be pooled.

    Raises
    ------
    ValueError
        If `mode` or `resize` does not go with weights, or the weights have not the axes of the map; when the
        compiled function runs, if they have not its shape.
    TypeError
        If the weights are complex.
    """
    if mode not in WEIGHTED_POOLINGS:
        raise ValueError("SuperpixelPool: pixel_weights go with mode 'mean' or 'sum', but mode is %r (label the pixels"
                         ' that shall not count with -1)' % mode)
    if resize is not None:
        raise ValueError('SuperpixelPool: pixel_weights go with resize=None, but resize is %r (give features of the'
                         ' size of the superpixel map, or label the pixels that shall not count with -1)' % resize)
    feature_map = as_features('SuperpixelPool', 'feature_map', feature_map, axes=(3, 4, 5),
                              layout='(batch, channels, *spatial) with 1 to 3 spatial axes')
    pixel_weights = T.as_tensor_variable(pixel_weights)
    if pixel_weights.dtype not in T.discrete_dtypes + T.float_dtypes:
        raise TypeError('SuperpixelPool: pixel_weights has dtype %s, but real numbers are wanted (use'
                        ' abs(pixel_weights))' % pixel_weights.dtype)
    if pixel_weights.ndim != superpixel_map.ndim:
        raise ValueError('SuperpixelPool: pixel_weights has %d axes, but one weight for each pixel of superpixel_map is'
                         ' wanted, (batch, *spatial), %d in all' % (pixel_weights.ndim, superpixel_map.ndim))
    return feature_map, T.cast(OneForEachPixel()(pixel_weights, superpixel_map), feature_map.dtype)


class OneForEachPixel(gof.Op):
    """The weights as they are, if they have the shape of the superpixel map; ValueError if not.

    Not ``theano.tensor.opt.Assert``, which has no R operator.
    """

    __props__ = ()
    view_map = {0: [0]}

    def make_node(self, pixel_weights, superpixel_map):
        return gof.Apply(self, [pixel_weights, superpixel_map], [pixel_weights.type()])

    def perform(self, node, inputs, output_storage):
        pixel_weights, superpixel_map = inputs
        if pixel_weights.shape != superpixel_map.shape:
            raise ValueError('SuperpixelPool: pixel_weights has shape %s, but superpixel_map has shape %s; one weight'
                             ' for each pixel is wanted, (batch, *spatial) (use pixel_weights * T.ones_like(superpixel_map)'
                             ' for weights that repeat)' % (pixel_weights.shape, superpixel_map.shape))
        output_storage[0][0] = pixel_weights

    def infer_shape(self, node, input_shapes):
        return [input_shapes[0]]

    def connection_pattern(self, node):
        return [[True], [False]]

    def L_op(self, inputs, outputs, output_gradients):
        return [output_gradients[0], DisconnectedType()()]

    def R_op(self, inputs, eval_points):
        return [eval_points[0]]


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
