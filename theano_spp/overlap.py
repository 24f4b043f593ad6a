"""Superpixel maps of another size than the features: pooling and unpooling by what each cell feeds."""
import theano
import theano.tensor as T
from theano.gof import Apply, EnumList, ParamsType
from theano.gradient import DisconnectedType

from . import reference
from .arguments import as_features, as_mode, as_n_superpixels, as_resize, as_spatial_shape
from .external_c import ExternalC
from .interpolation import KINDS, RESIZE
from .label_map import as_label_map
from .sizes import LabelStatistic, superpixel_count

MODES = EnumList(('SPP_POOL_MEAN', 'mean'), ('SPP_POOL_SUM', 'sum'))


def superpixel_overlap(superpixel_map, n_superpixels, spatial_shape, resize='nearest', mode='mean'):
    """How much each cell of a feature map counts for each superpixel of a map of another size.

    Parameters
    ----------
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial)
        1 to 3 spatial axes; labels as for :func:`superpixel_pool`.
    n_superpixels : int or integer Theano scalar, or None
        None takes the largest label of the batch + 1.
    spatial_shape : sequence of int or integer Theano scalar, or integer Theano vector
        The spatial sizes of the feature map, in cells.
    resize : {'nearest', 'bilinear'}
        How its features would be resized to the superpixel map, with half-pixel centres.
    mode : {'mean', 'sum'}
        'mean' gives the share of the superpixel's pixels that lie in the cell's footprint, 'sum' gives
        their number. A pixel between cells counts for each in part if `resize` is 'bilinear'.

    Returns
    -------
    TensorVariable of floatX, shape (batch, n_superpixels, *spatial_shape)
        In 'mean' each superpixel that has pixels sums to 1 (in the 'sum' to its size), the others to 0.
        Disconnected from `superpixel_map`.

    Raises
    ------
    TypeError
        If the labels, `n_superpixels` or `spatial_shape` are not integers.
    ValueError
        If `mode` or `resize` is unknown, or the sizes do not fit.
    IndexError
        When the compiled function runs, if a label is not below `n_superpixels`.

    Notes
    -----
    ``superpixel_pool(feature_map, superpixel_map, n_superpixels, mode, resize=resize)`` is the product of this
    matrix with the features; it is computed without the matrix, which is mostly zeros.

    References
    ----------
    .. [1] S. Kwak, S. Hong, B. Han, "Weakly Supervised Semantic Segmentation Using Superpixel
           Pooling Network", AAAI 2017: the pooling layer.

    Examples
    --------
    >>> import numpy as np
    >>> superpixel_map = np.array([[[0, 0, 0, 1, 1, 1]]])
    >>> superpixel_overlap(superpixel_map, 2, (1, 2)).eval()
    array([[[[1., 0.]],
    <BLANKLINE>
            [[0., 1.]]]])
    >>> superpixel_overlap(superpixel_map, 2, (1, 3), mode='sum').eval()
    array([[[[2., 1., 0.]],
    <BLANKLINE>
            [[0., 1., 2.]]]])
    """
    superpixel_map = as_label_map('SuperpixelOverlap', superpixel_map)
    if n_superpixels is None:
        n_superpixels = superpixel_count(superpixel_map)
    return SuperpixelOverlap(mode, resize)(superpixel_map, n_superpixels, spatial_shape)


class SuperpixelOverlap(LabelStatistic):
    """The op behind :func:`superpixel_overlap`.

    Parameters
    ----------
    mode : {'mean', 'sum'}
    resize : {'nearest', 'bilinear'}
    dtype : str, optional
        Of the result; floatX if None.
    openmp : bool, optional
    """

    modes = ('mean', 'sum')

    __props__ = ('mode', 'resize', 'dtype')
    params_type = ParamsType(mode=MODES, resize=RESIZE)
    c_file = 'ops/superpixel_overlap.cc'
    c_function = 'superpixel_overlap'

    def __init__(self, mode='mean', resize='nearest', dtype=None, openmp=None):
        self.mode = as_mode('SuperpixelOverlap', mode, self.modes)
        self.resize = as_resize('SuperpixelOverlap', resize, KINDS)
        self.dtype = dtype or theano.config.floatX
        super(SuperpixelOverlap, self).__init__(openmp)

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


class SuperpixelOverlapPool(ExternalC):
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
    params_type = ParamsType(mode=MODES, resize=RESIZE)
    c_file = 'ops/overlap_pool.cc'
    c_function = 'overlap_pool'
    feature_input = 0
    label_input = 1

    def __init__(self, mode='mean', resize='bilinear', openmp=None):
        self.mode = as_mode('SuperpixelOverlapPool', mode, self.modes)
        self.resize = as_resize('SuperpixelOverlapPool', resize, KINDS)
        super(SuperpixelOverlapPool, self).__init__(openmp)

    def make_node(self, feature_map, superpixel_map, n_superpixels):
        feature_map = as_features('SuperpixelOverlapPool', 'feature_map', feature_map, axes=(3, 4, 5),
                                  layout='(batch, channels, *spatial) with 1 to 3 spatial axes')
        superpixel_map = as_label_map('SuperpixelOverlapPool', superpixel_map, feature_map.ndim - 2)
        n_superpixels = as_n_superpixels('SuperpixelOverlapPool', n_superpixels)
        pooled = T.TensorType(feature_map.dtype, (
            feature_map.broadcastable[0] or superpixel_map.broadcastable[0],
            feature_map.broadcastable[1],
            isinstance(n_superpixels, T.Constant) and int(n_superpixels.data) == 1))
        return Apply(self, [feature_map, superpixel_map, n_superpixels], [pooled()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.overlap_pool(*inputs, mode=self.mode, resize=self.resize)

    def infer_shape(self, node, input_shapes):
        return [(input_shapes[0][0], input_shapes[0][1], node.inputs[2])]

    def connection_pattern(self, node):
        return [[True], [False], [False]]

    def L_op(self, inputs, outputs, output_gradients):
        feature_map, superpixel_map, _ = inputs
        gradient = SuperpixelOverlapUnpool(self.mode, self.resize, self.openmp)(
            output_gradients[0], superpixel_map, feature_map.shape[2:])
        return [T.patternbroadcast(gradient, feature_map.broadcastable),
                DisconnectedType()(), DisconnectedType()()]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return [None]
        return [self(eval_points[0], *inputs[1:])]


class SuperpixelOverlapUnpool(ExternalC):
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
    params_type = ParamsType(mode=MODES, resize=RESIZE)
    c_file = 'ops/overlap_unpool.cc'
    c_function = 'overlap_unpool'
    feature_input = 0
    label_input = 1

    def __init__(self, mode='sum', resize='bilinear', openmp=None):
        self.mode = as_mode('SuperpixelOverlapUnpool', mode, self.modes)
        self.resize = as_resize('SuperpixelOverlapUnpool', resize, KINDS)
        super(SuperpixelOverlapUnpool, self).__init__(openmp)

    def make_node(self, pooled, superpixel_map, spatial_shape):
        pooled = as_features('SuperpixelOverlapUnpool', 'pooled', pooled, axes=(3,),
                             layout='(batch, channels, n_superpixels)')
        superpixel_map = as_label_map('SuperpixelOverlapUnpool', superpixel_map)
        axes = superpixel_map.ndim - 1
        spatial_shape, _ = as_spatial_shape('SuperpixelOverlapUnpool', 'spatial_shape', spatial_shape, axes)
        feature_map = T.TensorType(pooled.dtype, (
            pooled.broadcastable[0] or superpixel_map.broadcastable[0], pooled.broadcastable[1]) + (False,) * axes)
        return Apply(self, [pooled, superpixel_map, spatial_shape], [feature_map()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.overlap_unpool(*inputs, mode=self.mode, resize=self.resize)

    def infer_shape(self, node, input_shapes):
        return [tuple(input_shapes[0][:2]) + _sizes(node.inputs[2], node.inputs[1].ndim - 1)]

    def connection_pattern(self, node):
        return [[True], [False], [False]]

    def L_op(self, inputs, outputs, output_gradients):
        pooled, superpixel_map, _ = inputs
        gradient = SuperpixelOverlapPool(self.mode, self.resize, self.openmp)(
            output_gradients[0], superpixel_map, pooled.shape[2])
        return [T.patternbroadcast(gradient, pooled.broadcastable), DisconnectedType()(), DisconnectedType()()]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return [None]
        return [self(eval_points[0], *inputs[1:])]


def _sizes(vector, length):
    return tuple(vector[i] for i in range(length))
