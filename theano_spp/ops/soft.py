"""Soft superpixels: four ops between pixels and the superpixels of the grid cells around them.

Take features x of pixels, weights a of each pixel in the superpixels around it, and values y of superpixels. The sum of
x[c, p] a[k, p] y[c, superpixel k of p] over images, channels c, pixels p and their neighbours k is linear in each of
the three, and three ops are its derivatives with respect to one of them:

- :class:`SoftPool`, for y: the sums of a x in each superpixel;
- :class:`SoftUnpool`, for x: on each pixel the sum of a y over its neighbours;
- :class:`SoftDot`, for a: the products of x and y, summed over the channels.

So the derivatives of each are the other two. :class:`SoftAssociation`, weights made of the distances of pixels from
superpixels, has derivatives made of them. The values of superpixels are float64 for features of every dtype, as in
:mod:`theano_spp.ops.weighted`.
"""
import numpy as np
import theano.tensor as T
from theano.gof import Apply, EnumList, ParamsType
from theano.gradient import DisconnectedType

from .. import reference
from ..arguments import as_feature_map, as_grid
from .multilinear import MultilinearOp, add_up, like
from .weighted import as_pooled_in_float64, is_connected


class SoftOp(MultilinearOp):
    """Base class of the ops on a grid of soft superpixels."""

    # Theano only caches the compiled code of ops that have at least one property.
    __props__ = ('kind',)
    kind = None

    def get_c_macros(self, node, name, check_input=None):
        define, undef = super().get_c_macros(node, name, check_input)
        axes = node.inputs[self.feature_input].ndim - 2
        return define + '\n#define SPP_NEIGHBOURS %d' % 3 ** axes, undef + '\n#undef SPP_NEIGHBOURS'


class SoftPool(SoftOp):
    """Sum the weighted features, and the weights, of each superpixel of a grid.

    Called on ``(feature_map, association, grid)``: features (batch, channels, \\*spatial), weights
    (batch, 3 ** axes, \\*spatial), the number of cells on each axis. Returns two results in float64: the sums of weight
    times feature, (batch, channels, n_superpixels), and the sums of the weights, (batch, n_superpixels).

    Parameters
    ----------
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``.
    """

    kind = 'pool'
    c_file = 'ops/soft_pool.cc'
    c_function = 'soft_pool'
    feature_input = 0
    factors = (0, 1)

    def make_node(self, feature_map, association, grid):
        feature_map = as_feature_map('SoftPool', feature_map)
        association = as_association('SoftPool', association, feature_map)
        grid = as_grid('SoftPool', grid, feature_map.ndim - 2)
        one_image = feature_map.broadcastable[0] or association.broadcastable[0]
        return Apply(self, [feature_map, association, grid], [
            T.TensorType('float64', (one_image, feature_map.broadcastable[1], False))(),
            T.TensorType('float64', (one_image, False))()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0], output_storage[1][0] = reference.soft_pool(*inputs)

    def infer_shape(self, node, input_shapes):
        batch, channels = input_shapes[0][:2]
        n_superpixels = T.prod(node.inputs[2])
        return [(batch, channels, n_superpixels), (batch, n_superpixels)]

    def connection_pattern(self, node):
        return [[True, False], [True, True], [False, False]]

    def L_op(self, inputs, outputs, output_gradients):
        feature_map, association, grid = inputs
        sum_gradient, total_gradient = output_gradients
        feature_gradient, association_gradients = DisconnectedType()(), []
        if is_connected(sum_gradient):
            feature_gradient = like(SoftUnpool(self.openmp)(sum_gradient, association, grid), feature_map)
            association_gradients.append(SoftDot(self.openmp)(feature_map, sum_gradient, grid))
        if is_connected(total_gradient):
            one = T.ones_like(association[:, :1])  # features may have no channel
            association_gradients.append(SoftDot(self.openmp)(one, total_gradient[:, None, :], grid))
        return [feature_gradient, like(add_up(association_gradients), association), DisconnectedType()()]

    def R_op(self, inputs, eval_points):
        feature_map, association, grid = inputs
        feature_direction, association_direction = eval_points[:2]
        sums, totals = [], None
        if feature_direction is not None:
            sums.append(self(feature_direction, association, grid)[0])
        if association_direction is not None:
            weighted_sums, totals = self(feature_map, association_direction, grid)
            sums.append(weighted_sums)
        return [add_up(sums), totals]


class SoftUnpool(SoftOp):
    """Paint on each pixel the sum of the values of the superpixels around it, times its weights in them.

    Called on ``(pooled, association, grid)``: values (batch, channels, n_superpixels), weights
    (batch, 3 ** axes, \\*spatial). Returns (batch, channels, \\*spatial) in the dtype of the weights.

    Parameters
    ----------
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``.
    """

    kind = 'unpool'
    c_file = 'ops/soft_unpool.cc'
    c_function = 'soft_unpool'
    feature_input = 1
    factors = (0, 1)

    def make_node(self, pooled, association, grid):
        pooled = as_pooled_in_float64('SoftUnpool', pooled)
        association = as_association('SoftUnpool', association)
        grid = as_grid('SoftUnpool', grid, association.ndim - 2)
        one_image = pooled.broadcastable[0] or association.broadcastable[0]
        feature_map = T.TensorType(association.dtype, (one_image, pooled.broadcastable[1])
                                   + association.broadcastable[2:])
        return Apply(self, [pooled, association, grid], [feature_map()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.soft_unpool(*inputs, dtype=inputs[1].dtype)

    def infer_shape(self, node, input_shapes):
        return [tuple(input_shapes[0][:2]) + tuple(input_shapes[1][2:])]

    def adjoints(self, inputs, gradient):
        pooled, association, grid = inputs
        return [SoftPool(self.openmp)(gradient, association, grid)[0],
                SoftDot(self.openmp)(gradient, pooled, grid)]


class Comparison(SoftOp):
    """Base class of the ops that compare each pixel's features with the values of the superpixels around it.

    Called on ``(feature_map, pooled, grid)``: features (batch, channels, \\*spatial), values
    (batch, channels, n_superpixels). Returns (batch, 3 ** axes, \\*spatial) in the dtype of the features.

    Parameters
    ----------
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``.
    """

    params_type = ParamsType(kind=EnumList(('SPP_SOFT_DOT', 'dot'), ('SPP_SOFT_ASSOCIATION', 'association')))
    c_file = 'ops/soft_comparison.cc'
    c_function = 'soft_comparison'
    feature_input = 0
    factors = (0, 1)
    compare = None

    def make_node(self, feature_map, pooled, grid):
        name = type(self).__name__
        feature_map = as_feature_map(name, feature_map)
        pooled = as_pooled_in_float64(name, pooled)
        grid = as_grid(name, grid, feature_map.ndim - 2)
        one_image = feature_map.broadcastable[0] or pooled.broadcastable[0]
        return Apply(self, [feature_map, pooled, grid], [
            T.TensorType(feature_map.dtype, (one_image, False) + feature_map.broadcastable[2:])()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = type(self).compare(*inputs)

    def infer_shape(self, node, input_shapes):
        batch, _, *spatial = input_shapes[0]
        return [(batch, 3 ** len(spatial)) + tuple(spatial)]


class SoftDot(Comparison):
    """The dot products, over the channels, of pixels and the superpixels around them; 0 where the grid ends."""

    kind = 'dot'
    compare = staticmethod(reference.soft_dot)

    def adjoints(self, inputs, gradient):
        feature_map, pooled, grid = inputs
        return [SoftUnpool(self.openmp)(pooled, gradient, grid),
                SoftPool(self.openmp)(feature_map, gradient, grid)[0]]


class SoftAssociation(Comparison):
    """The softmax, over the neighbours, of minus the squared Euclidean distances; 0 where the grid ends."""

    kind = 'association'
    compare = staticmethod(reference.soft_association)

    def adjoints(self, inputs, gradient):
        # Of the distances sum((x - y)^2), whose gradients d sum to 0 over the neighbours of a pixel: so for x, instead
        # of 2 (x sum(d) - sum(d y)), the second term alone; for y it is 2 (y sum(d) - sum(d x)).
        feature_map, pooled, grid = inputs
        gradient = _through_softmax(self(feature_map, pooled, grid), gradient)
        sums, totals = SoftPool(self.openmp)(feature_map, gradient, grid)
        return [-2 * SoftUnpool(self.openmp)(pooled, gradient, grid), 2 * (pooled * totals[:, None, :] - sums)]

    def R_op(self, inputs, eval_points):
        # Of (x - y)^2 = x^2 - 2 x y + y^2, without x^2, which is the same for all neighbours of a pixel.
        feature_map, pooled, grid = inputs
        dot, terms = SoftDot(self.openmp), []
        if eval_points[0] is not None:
            terms.append(dot(-2 * eval_points[0], pooled, grid))
        if eval_points[1] is not None:
            squares = 2 * (pooled * eval_points[1]).sum(axis=1, keepdims=True)
            ones = T.alloc(np.ones((), feature_map.dtype), feature_map.shape[0], 1, *[
                feature_map.shape[axis] for axis in range(2, feature_map.ndim)])
            terms += [dot(ones, squares, grid), dot(feature_map, -2 * eval_points[1], grid)]
        return [_through_softmax(self(feature_map, pooled, grid), add_up(terms)) if terms else None]


def _through_softmax(weights, direction):
    """The derivative of softmax(-d), along a direction or of a cost: the matrix is symmetric."""
    return weights * (T.sum(weights * direction, axis=1, keepdims=True) - direction)


def as_association(op_name, association, feature_map=None):
    """Return the weights of pixels as a Theano variable, of the dtype of the features if these are given."""
    association = T.as_tensor_variable(association)
    if association.dtype not in T.float_dtypes:
        raise TypeError("%s: association has dtype %s, but weights are floats (use association.astype('float32'))"
                        % (op_name, association.dtype))
    axes = (3, 4, 5) if feature_map is None else (feature_map.ndim,)
    if association.ndim not in axes:
        raise ValueError('%s: association has %d axes, but (batch, 3 ** axes, *spatial) is wanted%s'
                         % (op_name, association.ndim, ' with 1 to 3 spatial axes' if feature_map is None
                            else ', %d in all, as feature_map has' % feature_map.ndim))
    return association if feature_map is None else T.cast(association, feature_map.dtype)
