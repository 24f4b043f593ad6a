"""Maximum and minimum together with the argmax pixels, and their derivatives, each the adjoint of the other.

The derivatives gather values from single pixels, and scatter values to single pixels. The pixels are those of a
superpixel map. Features of another size are in effect resized to it, but only the cells that these pixels see are read
or written.
"""
import theano.tensor as T
from theano.gof import Apply, ParamsType
from theano.gradient import DisconnectedType

from .. import reference
from ..arguments import (as_feature_map, as_mode, as_n_superpixels, as_pooled, as_resize, as_spatial_shape, pooled_type)
from ..label_map import as_label_map
from ..reference.interpolation import NONE
from .external_c import ExternalC
from .multilinear import MultilinearOp, like
from .parameters import MAX_MIN, RESIZE, resize_of


class SuperpixelExtremum(ExternalC):
    """The op behind :func:`superpixel_pool` in the modes 'max' and 'min'.

    Called on ``(feature_map, superpixel_map, n_superpixels)`` it returns `pooled` and `argmax`, both
    (batch, channels, n_superpixels). `argmax`, int64, is the argmax pixel, its row-major number in the superpixel
    map: the first of equal ones, or the first NaN; -1 for a superpixel without pixels, where `pooled` is 0. The
    gradient goes to the argmax pixel alone.

    Parameters
    ----------
    mode : {'max', 'min'}
    resize : {None, 'nearest', 'bilinear'}
        How the features are first resized to the size of the superpixel map; None requires equal sizes.
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``.
    """

    modes = ('max', 'min')

    __props__ = ('mode', 'resize')
    params_type = ParamsType(mode=MAX_MIN, resize=RESIZE)
    c_file = 'ops/superpixel_extremum.cc'
    c_function = 'superpixel_extremum'
    feature_input = 0
    label_input = 1

    def __init__(self, mode='max', resize=None, openmp=None):
        self.mode = as_mode('SuperpixelExtremum', mode, self.modes)
        self.resize = as_resize('SuperpixelExtremum', resize) or NONE
        super().__init__(openmp)

    def make_node(self, feature_map, superpixel_map, n_superpixels):
        feature_map = as_feature_map('SuperpixelExtremum', feature_map)
        superpixel_map = as_label_map('SuperpixelExtremum', superpixel_map, feature_map.ndim - 2)
        n_superpixels = as_n_superpixels('SuperpixelExtremum', n_superpixels)
        pooled = pooled_type(feature_map, n_superpixels)
        return Apply(self, [feature_map, superpixel_map, n_superpixels],
                     [pooled(), T.TensorType('int64', pooled.broadcastable)()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0], output_storage[1][0] = reference.extremum(*inputs, mode=self.mode, resize=self.resize)

    def infer_shape(self, node, input_shapes):
        return [(input_shapes[0][0], input_shapes[0][1], node.inputs[2])] * 2

    def connection_pattern(self, node):
        return [[True, False], [False, False], [False, False]]

    def L_op(self, inputs, outputs, output_gradients):
        feature_map, superpixel_map, _ = inputs
        gradient = PutPixels(resize_of(self), self.openmp)(
            output_gradients[0], outputs[1], feature_map.shape[2:], superpixel_map.shape[1:])
        return [like(gradient, feature_map), DisconnectedType()(), DisconnectedType()()]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return [None, None]
        argmax = self(*inputs)[1]
        return [TakePixels(resize_of(self), self.openmp)(eval_points[0], argmax, inputs[1].shape[1:]), None]


def _as_pixels(op_name, pixels):
    pixels = T.as_tensor_variable(pixels)
    if pixels.dtype != 'int64' or pixels.ndim != 3:
        raise TypeError('%s: pixels is %s, but must be int64 of (batch, channels, n_superpixels) (give the argmax'
                        ' pixels of SuperpixelExtremum)' % (op_name, pixels.type))
    return pixels


class TakePixels(MultilinearOp):
    """Gather the features at one pixel for each channel and superpixel.

    Called on ``(feature_map, pixels, map_shape)``: features (batch, channels, *cells), row-major pixel
    numbers (batch, channels, n) of int64, the spatial shape of the superpixel map. Returns
    (batch, channels, n), 0 for pixel -1. The gradient is :class:`PutPixels`.

    Parameters
    ----------
    resize : {None, 'nearest', 'bilinear'}
        How the features are resized to `map_shape`; with None their spatial shape must equal it.
    openmp : bool, optional
    """

    __props__ = ('resize',)
    params_type = ParamsType(resize=RESIZE)
    c_file = 'ops/take_pixels.cc'
    c_function = 'take_pixels'
    feature_input = 0

    def __init__(self, resize=None, openmp=None):
        self.resize = as_resize('TakePixels', resize) or NONE
        super().__init__(openmp)

    def make_node(self, feature_map, pixels, map_shape):
        feature_map = as_feature_map('TakePixels', feature_map)
        pixels = _as_pixels('TakePixels', pixels)
        map_shape, _ = as_spatial_shape('TakePixels', 'map_shape', map_shape, feature_map.ndim - 2)
        return Apply(self, [feature_map, pixels, map_shape],
                     [T.TensorType(feature_map.dtype, pixels.broadcastable)()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.take_pixels(*inputs, resize=self.resize)

    def infer_shape(self, node, input_shapes):
        return [input_shapes[1]]

    def adjoints(self, inputs, gradient):
        feature_map, pixels, map_shape = inputs
        return [PutPixels(resize_of(self), self.openmp)(gradient, pixels, feature_map.shape[2:], map_shape)]


class PutPixels(MultilinearOp):
    """Scatter-add values to one pixel for each channel and superpixel, 0 elsewhere; the adjoint of :class:`TakePixels`.

    Called on ``(values, pixels, spatial_shape, map_shape)``: values and row-major pixel numbers of int64,
    both (batch, channels, n), the spatial shapes of the features to make and of the superpixel map.
    Returns (batch, channels, *spatial_shape). Values for the same pixel are summed, those for pixel -1 ignored.

    Parameters
    ----------
    resize : {None, 'nearest', 'bilinear'}
        As for :class:`TakePixels`.

    openmp : bool, optional
    """

    __props__ = ('resize',)
    params_type = ParamsType(resize=RESIZE)
    c_file = 'ops/put_pixels.cc'
    c_function = 'put_pixels'
    feature_input = 0

    def __init__(self, resize=None, openmp=None):
        self.resize = as_resize('PutPixels', resize) or NONE
        super().__init__(openmp)

    def make_node(self, values, pixels, spatial_shape, map_shape):
        values = as_pooled('PutPixels', values, 'values')
        pixels = _as_pixels('PutPixels', pixels)
        spatial_shape, axes = as_spatial_shape('PutPixels', 'spatial_shape', spatial_shape)
        map_shape, map_axes = as_spatial_shape('PutPixels', 'map_shape', map_shape, axes)
        axes = axes or map_axes
        if axes is None:
            raise ValueError('PutPixels: the number of sizes in spatial_shape and map_shape is not known before the'
                             ' function runs (give one of them as a tuple of scalars)')
        feature_map = T.TensorType(values.dtype, pixels.broadcastable[:2] + (False,) * axes)
        return Apply(self, [values, pixels, spatial_shape, map_shape], [feature_map()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.put_pixels(*inputs, resize=self.resize)

    def infer_shape(self, node, input_shapes):
        spatial_shape = node.inputs[2]
        return [tuple(input_shapes[1][:2]) + tuple(spatial_shape[i] for i in range(node.outputs[0].ndim - 2))]

    def adjoints(self, inputs, gradient):
        _, pixels, _, map_shape = inputs
        return [TakePixels(resize_of(self), self.openmp)(gradient, pixels, map_shape)]
