"""Pooling with weights for pixels: three ops, which are also all of its derivatives.

Take features x, weights w of pixels and values y of superpixels. The sum of x[c, p] w[p] y[c, label of p] over
images, channels c and pixels p that belong to a superpixel is linear in each of the three, and each op is its
derivative with respect to one of them:

- :class:`WeightedPool`, for y: the sums of w x in each superpixel;
- :class:`WeightedUnpool`, for x: w y on each pixel;
- :class:`PixelDot`, for w: the products of x and y on each pixel, summed over the channels.

So the derivatives of each are the other two. A pixel with a negative label does not occur in the sum: its
features and weight affect nothing. The values of superpixels are float64 for features of every dtype: there are few
of them, and divided by weights of 1e-42 they would overflow float32.
"""
import theano.tensor as T
from theano.gof import Apply
from theano.gradient import DisconnectedType

from .. import reference
from ..arguments import as_feature_map, as_n_superpixels, as_pooled, pooled_type
from ..label_map import as_label_map
from .mean_sum import SuperpixelUnpool
from .multilinear import MultilinearOp, add_up, like
from .sharing import sum_over_images


class WeightedOp(MultilinearOp):
    """Base class of the three ops, with the dtype of the result."""

    # Theano only caches the compiled code of ops that have at least one property.
    __props__ = ('dtype',)
    dtype = 'float64'


class WeightedPool(WeightedOp):
    """Sum the weighted features, and the weights, of each superpixel.

    Called on ``(feature_map, superpixel_map, n_superpixels, pixel_weights)`` it returns two results in
    float64: the sums of weight times feature, (batch, channels, n_superpixels), and the sums of the
    weights, (batch, n_superpixels).
    `superpixel_map` and `pixel_weights` are (batch, \\*spatial), or, each by itself, (1, \\*spatial) for all images.

    Parameters
    ----------
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``.
    """

    c_file = 'ops/weighted_pool.cc'
    c_function = 'weighted_pool'
    feature_input = 0
    label_input = 1
    factors = (0, 3)

    def make_node(self, feature_map, superpixel_map, n_superpixels, pixel_weights):
        feature_map = as_feature_map('WeightedPool', feature_map)
        superpixel_map = as_label_map('WeightedPool', superpixel_map, feature_map.ndim - 2)
        n_superpixels = as_n_superpixels('WeightedPool', n_superpixels)
        pixel_weights = as_weights('WeightedPool', pixel_weights, superpixel_map)
        one_image, one_channel, one_superpixel = pooled_type(feature_map, n_superpixels).broadcastable
        return Apply(self, [feature_map, superpixel_map, n_superpixels, pixel_weights], [
            T.TensorType(self.dtype, (one_image, one_channel, one_superpixel))(),
            T.TensorType(self.dtype, (one_image, one_superpixel))()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0], output_storage[1][0] = reference.weighted_pool(*inputs)

    def infer_shape(self, node, input_shapes):
        batch, channels = input_shapes[0][:2]
        return [(batch, channels, node.inputs[2]), (batch, node.inputs[2])]

    def connection_pattern(self, node):
        return [[True, False], [False, False], [False, False], [True, True]]

    def L_op(self, inputs, outputs, output_gradients):
        feature_map, superpixel_map, _, pixel_weights = inputs
        sum_gradient, total_gradient = output_gradients
        feature_gradient, weight_gradients = DisconnectedType()(), []
        if is_connected(sum_gradient):
            feature_gradient = like(WeightedUnpool(feature_map.dtype, self.openmp)(
                sum_gradient, superpixel_map, pixel_weights), feature_map)

            weight_gradients.append(PixelDot(self.openmp)(feature_map, sum_gradient, superpixel_map))
        if is_connected(total_gradient):
            weight_gradients.append(
                SuperpixelUnpool('sum', self.openmp)(total_gradient[:, None, :], superpixel_map)[:, 0])
        return [feature_gradient, DisconnectedType()(), DisconnectedType()(),
                like(sum_over_images(add_up(weight_gradients), pixel_weights), pixel_weights)]

    def R_op(self, inputs, eval_points):
        feature_direction, weight_direction = eval_points[0], eval_points[3]
        sums, totals = [], None
        if feature_direction is not None:
            sums.append(self(feature_direction, *inputs[1:])[0])
        if weight_direction is not None:
            weighted_sums, totals = self(*(inputs[:3] + [weight_direction]))
            sums.append(weighted_sums)
        return [add_up(sums), totals]


class WeightedUnpool(WeightedOp):
    """Paint each superpixel's value, times the pixel's weight, on its pixels; 0 on pixels without superpixel.

    Called on ``(pooled, superpixel_map, pixel_weights)``: values (batch, channels, n_superpixels), labels and weights
    (batch, \\*spatial) or (1, \\*spatial). Returns (batch, channels, \\*spatial).

    Parameters
    ----------
    dtype : {'float16', 'float32', 'float64'}
        The dtype of the result.
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``.
    """

    c_file = 'ops/weighted_unpool.cc'
    c_function = 'weighted_unpool'
    label_input = 1
    factors = (0, 2)

    def __init__(self, dtype, openmp=None):
        self.dtype = dtype
        super().__init__(openmp)

    def make_node(self, pooled, superpixel_map, pixel_weights):
        pooled = as_pooled_in_float64('WeightedUnpool', pooled)
        superpixel_map = as_label_map('WeightedUnpool', superpixel_map)
        pixel_weights = as_weights('WeightedUnpool', pixel_weights, superpixel_map)
        pixels = [a or b for a, b in zip(superpixel_map.broadcastable[1:], pixel_weights.broadcastable[1:])]
        feature_map = T.TensorType(self.dtype, pooled.broadcastable[:2] + tuple(pixels))
        return Apply(self, [pooled, superpixel_map, pixel_weights], [feature_map()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.weighted_unpool(*inputs, dtype=self.dtype)

    def infer_shape(self, node, input_shapes):
        return [tuple(input_shapes[0][:2]) + tuple(input_shapes[1][1:])]

    def adjoints(self, inputs, gradient):
        pooled, superpixel_map, pixel_weights = inputs
        return [WeightedPool(self.openmp)(gradient, superpixel_map, pooled.shape[2], pixel_weights)[0],
                sum_over_images(PixelDot(self.openmp)(gradient, pooled, superpixel_map), pixel_weights)]


class PixelDot(WeightedOp):
    """The dot product, over the channels, of each pixel's features and its superpixel's values.

    Called on ``(feature_map, pooled, superpixel_map)``: features (batch, channels, \\*spatial), values
    (batch, channels, n_superpixels), labels (batch, \\*spatial) or (1, \\*spatial). Returns (batch, \\*spatial) in
    float64, 0 for pixels that belong to no superpixel.

    Parameters
    ----------
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``.
    """

    c_file = 'ops/pixel_dot.cc'
    c_function = 'pixel_dot'
    feature_input = 0
    label_input = 2
    factors = (0, 1)

    def make_node(self, feature_map, pooled, superpixel_map):
        feature_map = as_feature_map('PixelDot', feature_map)
        pooled = as_pooled_in_float64('PixelDot', pooled)
        superpixel_map = as_label_map('PixelDot', superpixel_map, feature_map.ndim - 2)
        one_image = feature_map.broadcastable[0] or pooled.broadcastable[0]
        pixels = [a or b for a, b in zip(superpixel_map.broadcastable[1:], feature_map.broadcastable[2:])]
        return Apply(self, [feature_map, pooled, superpixel_map],
                     [T.TensorType(self.dtype, [one_image] + pixels)()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.pixel_dot(*inputs)

    def infer_shape(self, node, input_shapes):
        return [tuple(input_shapes[0][:1]) + tuple(input_shapes[2][1:])]

    def adjoints(self, inputs, gradient):
        feature_map, pooled, superpixel_map = inputs
        return [WeightedUnpool(feature_map.dtype, self.openmp)(pooled, superpixel_map, gradient),
                WeightedPool(self.openmp)(feature_map, superpixel_map, pooled.shape[2], gradient)[0]]


def as_pooled_in_float64(op_name, pooled):
    return T.cast(as_pooled(op_name, pooled), 'float64')


def as_weights(op_name, pixel_weights, superpixel_map):
    pixel_weights = T.as_tensor_variable(pixel_weights)
    if pixel_weights.dtype not in T.discrete_dtypes + T.float_dtypes:
        raise TypeError('%s: pixel_weights has dtype %s, but real numbers are wanted (use abs(pixel_weights))'
                        % (op_name, pixel_weights.dtype))
    if pixel_weights.ndim != superpixel_map.ndim:
        raise ValueError('%s: pixel_weights has %d axes, but one weight for each pixel of superpixel_map is wanted,'
                         ' (batch, *spatial), %d in all' % (op_name, pixel_weights.ndim, superpixel_map.ndim))
    return pixel_weights if pixel_weights.dtype in T.float_dtypes else T.cast(pixel_weights, 'float64')


def is_connected(gradient):
    return not isinstance(gradient.type, DisconnectedType)
