"""Superpixel pooling by the maximum or minimum, with the pixel that won."""
import theano.tensor as T
from theano.gof import Apply, EnumList, ParamsType
from theano.gradient import DisconnectedType

from . import reference
from .arguments import as_features, as_mode, as_n_superpixels, as_resize
from .external_c import ExternalC
from .interpolation import NONE, RESIZE, resize_of
from .label_map import as_label_map
from .pixels import PutPixels, TakePixels


class SuperpixelExtremum(ExternalC):
    """The op behind :func:`superpixel_pool` in the modes 'max' and 'min'.

    Called on ``(feature_map, superpixel_map, n_superpixels)`` it returns `pooled` and `winner`, both
    (batch, channels, n_superpixels). `winner`, int64, is the row-major number in the superpixel map of the
    pixel that won: the first of equal ones, or the first NaN; -1 for a superpixel without pixels, where
    `pooled` is 0. The gradient goes to the winner alone.

    Parameters
    ----------
    mode : {'max', 'min'}
    resize : {None, 'nearest', 'bilinear'}
        How the features are resized to the size of the superpixel map first; None wants equal sizes.
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``.
    """

    modes = ('max', 'min')

    __props__ = ('mode', 'resize')
    params_type = ParamsType(mode=EnumList(('SPP_POOL_MAX', 'max'), ('SPP_POOL_MIN', 'min')), resize=RESIZE)
    c_file = 'ops/superpixel_extremum.cc'
    c_function = 'superpixel_extremum'
    feature_input = 0
    label_input = 1

    def __init__(self, mode='max', resize=None, openmp=None):
        self.mode = as_mode('SuperpixelExtremum', mode, self.modes)
        self.resize = as_resize('SuperpixelExtremum', resize) or NONE
        super(SuperpixelExtremum, self).__init__(openmp)

    def make_node(self, feature_map, superpixel_map, n_superpixels):
        feature_map = as_features('SuperpixelExtremum', 'feature_map', feature_map, axes=(3, 4, 5),
                                  layout='(batch, channels, *spatial) with 1 to 3 spatial axes')
        superpixel_map = as_label_map('SuperpixelExtremum', superpixel_map, feature_map.ndim - 2)
        n_superpixels = as_n_superpixels('SuperpixelExtremum', n_superpixels)
        pooled = (feature_map.broadcastable[0] or superpixel_map.broadcastable[0],
                  feature_map.broadcastable[1],
                  isinstance(n_superpixels, T.Constant) and int(n_superpixels.data) == 1)
        return Apply(self, [feature_map, superpixel_map, n_superpixels],
                     [T.TensorType(feature_map.dtype, pooled)(), T.TensorType('int64', pooled)()])

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
        return [T.patternbroadcast(gradient, feature_map.broadcastable),
                DisconnectedType()(), DisconnectedType()()]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return [None, None]
        winner = self(*inputs)[1]
        return [TakePixels(resize_of(self), self.openmp)(eval_points[0], winner, inputs[1].shape[1:]), None]
