"""Values taken from single pixels and values put on single pixels: the derivatives of the maximum.

Each op is the other's adjoint. The pixels are those of a superpixel map; features of another size are
resized to it, in effect: only the cells that these pixels see are read or written.
"""
import theano.tensor as T
from theano.gof import Apply, ParamsType
from theano.gradient import DisconnectedType

from . import reference
from .arguments import as_features, as_resize, as_spatial_shape
from .external_c import ExternalC
from .interpolation import NONE, RESIZE, resize_of


def _as_pixels(op_name, pixels):
    pixels = T.as_tensor_variable(pixels)
    if pixels.dtype != 'int64' or pixels.ndim != 3:
        raise TypeError('%s: pixels is %s, but must be int64 of (batch, channels, n_superpixels) (give the winners'
                        ' of SuperpixelExtremum)' % (op_name, pixels.type))
    return pixels


class TakePixels(ExternalC):
    """Take the features at one pixel for each channel and superpixel.

    Called on ``(feature_map, pixels, map_shape)``: features (batch, channels, *cells), row-major pixel
    numbers (batch, channels, n) of int64, the spatial shape of the superpixel map. Returns
    (batch, channels, n), 0 for pixel -1. The gradient is :class:`PutPixels`.

    Parameters
    ----------
    resize : {None, 'nearest', 'bilinear'}
        How the features are resized to `map_shape`; with None they must have this shape.
    openmp : bool, optional
    """

    __props__ = ('resize',)
    params_type = ParamsType(resize=RESIZE)
    c_file = 'ops/take_pixels.cc'
    c_function = 'take_pixels'
    feature_input = 0

    def __init__(self, resize=None, openmp=None):
        self.resize = as_resize('TakePixels', resize) or NONE
        super(TakePixels, self).__init__(openmp)

    def make_node(self, feature_map, pixels, map_shape):
        feature_map = as_features('TakePixels', 'feature_map', feature_map, axes=(3, 4, 5),
                                  layout='(batch, channels, *spatial) with 1 to 3 spatial axes')
        pixels = _as_pixels('TakePixels', pixels)
        map_shape, _ = as_spatial_shape('TakePixels', 'map_shape', map_shape, feature_map.ndim - 2)
        return Apply(self, [feature_map, pixels, map_shape],
                     [T.TensorType(feature_map.dtype, pixels.broadcastable)()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.take_pixels(*inputs, resize=self.resize)

    def infer_shape(self, node, input_shapes):
        return [input_shapes[1]]

    def connection_pattern(self, node):
        return [[True], [False], [False]]

    def L_op(self, inputs, outputs, output_gradients):
        feature_map, pixels, map_shape = inputs
        gradient = PutPixels(resize_of(self), self.openmp)(
            output_gradients[0], pixels, feature_map.shape[2:], map_shape)
        return [T.patternbroadcast(gradient, feature_map.broadcastable),
                DisconnectedType()(), DisconnectedType()()]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return [None]
        return [self(eval_points[0], *inputs[1:])]


class PutPixels(ExternalC):
    """Put values on one pixel for each channel and superpixel, 0 elsewhere; the adjoint of :class:`TakePixels`.

    Called on ``(values, pixels, spatial_shape, map_shape)``: values and row-major pixel numbers of int64,
    both (batch, channels, n), the spatial shapes of the features to make and of the superpixel map.
    Returns (batch, channels, *spatial_shape). Values on one pixel are summed, those of pixel -1 ignored.

    Parameters
    ----------
    resize : {None, 'nearest', 'bilinear'}
        As of :class:`TakePixels`.
    openmp : bool, optional
    """

    __props__ = ('resize',)
    params_type = ParamsType(resize=RESIZE)
    c_file = 'ops/put_pixels.cc'
    c_function = 'put_pixels'
    feature_input = 0

    def __init__(self, resize=None, openmp=None):
        self.resize = as_resize('PutPixels', resize) or NONE
        super(PutPixels, self).__init__(openmp)

    def make_node(self, values, pixels, spatial_shape, map_shape):
        values = as_features('PutPixels', 'values', values, axes=(3,), layout='(batch, channels, n_superpixels)')
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

    def connection_pattern(self, node):
        return [[True], [False], [False], [False]]

    def L_op(self, inputs, outputs, output_gradients):
        values, pixels, _, map_shape = inputs
        gradient = TakePixels(resize_of(self), self.openmp)(output_gradients[0], pixels, map_shape)
        return [T.patternbroadcast(gradient, values.broadcastable)] + [DisconnectedType()() for _ in inputs[1:]]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return [None]
        return [self(eval_points[0], *inputs[1:])]
