"""Superpixel maps of another size than the features: pooling and unpooling by the weights of cells in superpixels."""
import theano
import theano.tensor as T
from theano.gof import Apply, ParamsType

from .. import reference
from ..arguments import (as_feature_map, as_mode, as_n_superpixels, as_pooled, as_resize, as_spatial_shape, pooled_type)
from ..label_map import as_label_map
from ..reference.interpolation import KINDS
from .counts import LabelStatistic
from .multilinear import MultilinearOp
from .parameters import MEAN_SUM, RESIZE


class SuperpixelOverlap(LabelStatistic):
    """The op behind :func:`superpixel_overlap`.

    Parameters
    ----------
    mode : {'mean', 'sum'}
    resize : {'nearest', 'bilinear'}
    dtype : str, optional
        The dtype of the result; floatX if None.

    openmp : bool, optional
    """

    modes = ('mean', 'sum')

    __props__ = ('mode', 'resize', 'dtype')
    params_type = ParamsType(mode=MEAN_SUM, resize=RESIZE)
    c_file = 'ops/superpixel_overlap.cc'
    c_function = 'superpixel_overlap'

    def __init__(self, mode='mean', resize='nearest', dtype=None, openmp=None):
        self.mode = as_mode('SuperpixelOverlap', mode, self.modes)
        self.resize = as_resize('SuperpixelOverlap', resize, KINDS)
        self.dtype = dtype or theano.config.floatX
        super().__init__(openmp)

    def make_node(self, superpixel_map, n_superpixels, spatial_shape):
        superpixel_map = as_label_map('SuperpixelOverlap', superpixel_map)
        n_superpixels = as_n_superpixels('SuperpixelOverlap', n_superpixels)
        axes = superpixel_map.ndim - 1
        spatial_shape, _ = as_spatial_shape('SuperpixelOverlap', 'spatial_shape', spatial_shape, axes)
        overlap = T.TensorType(self.dtype, (superpixel_map.broadcastable[0],) + (False,) * (1 + axes))
        return Apply(self, [superpixel_map, n_superpixels, spatial_shape], [overlap()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.overlap(*inputs, mode=self.mode, resize=self.resize).astype(self.dtype)

    def infer_shape(self, node, input_shapes):
        return [(input_shapes[0][0], node.inputs[1]) + _sizes(node.inputs[2], node.inputs[0].ndim - 1)]


class SuperpixelOverlapPool(MultilinearOp):
    """The op behind :func:`superpixel_pool` with `resize` in the modes 'mean' and 'sum'.

    Called on ``(feature_map, superpixel_map, n_superpixels)``.

    Parameters
    ----------
    mode : {'mean', 'sum'}
    resize : {'nearest', 'bilinear'}
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``.
    """

    modes = ('mean', 'sum')

    __props__ = ('mode', 'resize')
    params_type = ParamsType(mode=MEAN_SUM, resize=RESIZE)
    c_file = 'ops/overlap_pool.cc'
    c_function = 'overlap_pool'
    feature_input = 0
    label_input = 1

    def __init__(self, mode='mean', resize='bilinear', openmp=None):
        self.mode = as_mode('SuperpixelOverlapPool', mode, self.modes)
        self.resize = as_resize('SuperpixelOverlapPool', resize, KINDS)
        super().__init__(openmp)

    def make_node(self, feature_map, superpixel_map, n_superpixels):
        feature_map = as_feature_map('SuperpixelOverlapPool', feature_map)
        superpixel_map = as_label_map('SuperpixelOverlapPool', superpixel_map, feature_map.ndim - 2)
        n_superpixels = as_n_superpixels('SuperpixelOverlapPool', n_superpixels)
        pooled = pooled_type(feature_map, n_superpixels)
        return Apply(self, [feature_map, superpixel_map, n_superpixels], [pooled()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.overlap_pool(*inputs, mode=self.mode, resize=self.resize)

    def infer_shape(self, node, input_shapes):
        return [(input_shapes[0][0], input_shapes[0][1], node.inputs[2])]

    def adjoints(self, inputs, gradient):
        feature_map, superpixel_map, _ = inputs
        return [SuperpixelOverlapUnpool(self.mode, self.resize, self.openmp)(
            gradient, superpixel_map, feature_map.shape[2:])]


class SuperpixelOverlapUnpool(MultilinearOp):
    """The op behind :func:`superpixel_unpool` with `resize`: the adjoint of :class:`SuperpixelOverlapPool`.

    Called on ``(pooled, superpixel_map, spatial_shape)``.

    Parameters
    ----------
    mode : {'sum', 'mean'}
    resize : {'nearest', 'bilinear'}
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``.
    """

    modes = ('sum', 'mean')

    __props__ = ('mode', 'resize')
    params_type = ParamsType(mode=MEAN_SUM, resize=RESIZE)
    c_file = 'ops/overlap_unpool.cc'
    c_function = 'overlap_unpool'
    feature_input = 0
    label_input = 1

    def __init__(self, mode='sum', resize='bilinear', openmp=None):
        self.mode = as_mode('SuperpixelOverlapUnpool', mode, self.modes)
        self.resize = as_resize('SuperpixelOverlapUnpool', resize, KINDS)
        super().__init__(openmp)

    def make_node(self, pooled, superpixel_map, spatial_shape):
        pooled = as_pooled('SuperpixelOverlapUnpool', pooled)
        superpixel_map = as_label_map('SuperpixelOverlapUnpool', superpixel_map)
        axes = superpixel_map.ndim - 1
        spatial_shape, _ = as_spatial_shape('SuperpixelOverlapUnpool', 'spatial_shape', spatial_shape, axes)
        feature_map = T.TensorType(pooled.dtype, pooled.broadcastable[:2] + (False,) * axes)
        return Apply(self, [pooled, superpixel_map, spatial_shape], [feature_map()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.overlap_unpool(*inputs, mode=self.mode, resize=self.resize)

    def infer_shape(self, node, input_shapes):
        return [tuple(input_shapes[0][:2]) + _sizes(node.inputs[2], node.inputs[1].ndim - 1)]

    def adjoints(self, inputs, gradient):
        pooled, superpixel_map, _ = inputs
        return [SuperpixelOverlapPool(self.mode, self.resize, self.openmp)(gradient, superpixel_map, pooled.shape[2])]


def _sizes(vector, length):
    return tuple(vector[i] for i in range(length))
