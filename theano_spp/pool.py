"""Superpixel pooling: one value for each channel and superpixel."""
import theano.tensor as T
from theano.gof import Apply, EnumList, ParamsType
from theano.gradient import DisconnectedType

from . import composites, reference
from .arguments import as_features, as_mode, as_n_superpixels, as_resize, one_of
from .external_c import ExternalC
from .extremum import SuperpixelExtremum
from .label_map import as_label_map
from .overlap import SuperpixelOverlapPool
from .sizes import superpixel_count
from .weighted import check_goes_with_weights, weighted_pool


#: What `superpixel_pool` can do.
MODES = ('mean', 'sum', 'max', 'min') + composites.MODES


def superpixel_pool(feature_map, superpixel_map, n_superpixels=None, mode='mean', pixel_weights=None, resize=None):
    """Pool the features of each superpixel.

    Parameters
    ----------
    feature_map : tensor_like of float16, float32 or float64, shape (batch, channels, *spatial)
        1 to 3 spatial axes, any memory layout.
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial)
        The superpixel of each pixel, 0 .. n_superpixels - 1. A pixel with a negative label
        belongs to none. The islands of one label are one superpixel.
    n_superpixels : int or integer Theano scalar, optional
        None takes the largest label of the batch + 1.
    mode : {'mean', 'sum', 'max', 'min', 'var', 'std', 'logsumexp'}
        'var' is the population variance, as ``np.var``, 'std' its square root, 'logsumexp' log(sum(exp(x))),
        a smooth maximum.
    pixel_weights : tensor_like of floats, integers or bool, shape (batch, *spatial), optional
        How much each pixel counts in 'mean', 'sum', 'var' and 'std': the mean is sum(w x) / sum(w), and 0 where
        the weights of a superpixel sum to 0; the variance is the weighted mean of the squares of the deviations
        from it, and wants weights that are not negative. Not together with `resize`.
    resize : {None, 'nearest', 'bilinear'}
        For a superpixel map that is finer than the features (or coarser): the result is that of resizing
        the features to its size, with half-pixel centres, and pooling then; but the resized features are
        never made, except where there is no C compiler or Theano's mode is FAST_COMPILE. None wants equal
        spatial sizes. 'bilinear' is linear along every spatial axis. float16 is computed in float32.
        In 'mean', 'sum', 'max' and 'min' alone.

    Returns
    -------
    TensorVariable, shape (batch, channels, n_superpixels), dtype of `feature_map`
        0 for a superpixel without pixels.

    Raises
    ------
    TypeError
        If the labels are not integers, the features not floats, `n_superpixels` not an integer.
    ValueError
        If `mode` or `resize` is unknown, `n_superpixels` negative, the shapes do not agree, or `mode` does not go
        with `pixel_weights` or `resize`; shapes and symbolic numbers are checked when the compiled function runs.
    IndexError
        When the compiled function runs, if a label is not below `n_superpixels`.

    Notes
    -----
    The gradient of 'mean' and 'sum' for `feature_map` is :func:`superpixel_unpool` in the same mode,
    with the same `resize`. That of 'max' and 'min' goes to one pixel for each superpixel and channel: the
    first that has the value, in row-major order. 'var', 'std' and 'logsumexp' are graphs of the other operations
    (:mod:`theano_spp.composites`) and have derivatives of every order; where 'std' is 0 its gradient is 0.
    `pixel_weights` have a gradient too; `superpixel_map` and `n_superpixels` are disconnected. A NaN reaches its own
    superpixel and channel, no other; in 'max' and 'min' it wins, as in ``np.max``.

    References
    ----------
    .. [1] S. Kwak, S. Hong, B. Han, "Weakly Supervised Semantic Segmentation Using Superpixel
           Pooling Network", AAAI 2017.

    Examples
    --------
    >>> import numpy as np
    >>> feature_map = np.array([[[[.1, .2], [.3, .4]]]])
    >>> superpixel_map = np.array([[[0, 0], [1, 2]]])
    >>> superpixel_pool(feature_map, superpixel_map).eval().round(3)
    array([[[0.15, 0.3 , 0.4 ]]])
    >>> superpixel_pool(feature_map, superpixel_map, mode='max').eval()
    array([[[0.2, 0.3, 0.4]]])

    Two cells of features for a map of six pixels, which lie -1/3, 0, 1/3, 2/3, 1, 4/3 of the way from the centre
    of one cell to that of the other:

    >>> superpixel_pool(np.array([[[0., 9.]]]), np.array([[0, 0, 0, 1, 1, 1]]), resize='bilinear').eval()
    array([[[1., 8.]]])
    """
    as_mode('SuperpixelPool', mode, MODES)
    as_resize('SuperpixelPool', resize)
    superpixel_map = as_label_map('SuperpixelPool', superpixel_map)
    if n_superpixels is None:
        n_superpixels = superpixel_count(superpixel_map)
    if mode in composites.MODES:
        return composites.composite_pool(feature_map, superpixel_map, n_superpixels, mode, pixel_weights, resize)
    if pixel_weights is not None:
        check_goes_with_weights('SuperpixelPool', mode, resize)
        return weighted_pool(feature_map, superpixel_map, n_superpixels, mode, pixel_weights)
    if mode in SuperpixelExtremum.modes:
        return SuperpixelExtremum(mode, resize)(feature_map, superpixel_map, n_superpixels)[0]
    if resize is not None:
        return SuperpixelOverlapPool(mode, resize)(feature_map, superpixel_map, n_superpixels)
    return SuperpixelPool(mode)(feature_map, superpixel_map, n_superpixels)


class SuperpixelPool(ExternalC):
    """The op behind :func:`superpixel_pool`.

    Parameters
    ----------
    mode : {'mean', 'sum'}
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``. The results are the same to
        the last bit for every number of threads.
    """

    modes = ('mean', 'sum')

    __props__ = ('mode',)
    params_type = ParamsType(mode=EnumList(('SPP_POOL_MEAN', 'mean'), ('SPP_POOL_SUM', 'sum')))
    c_files = ('arrays.c', 'label_map.c', 'plan.c', 'lanes.c', 'block.c', 'pieces.c', 'rows.c', 'stream.c',
               'accumulator.c', 'slots.c', 'planes.c', 'neighbours.c', 'overflow.c', 'superpixel_pool.c')
    c_function = 'superpixel_pool'
    feature_input = 0
    label_input = 1

    def __init__(self, mode='mean', openmp=None):
        if mode in SuperpixelExtremum.modes:
            raise ValueError("SuperpixelPool: mode is %r, but must be %s (use superpixel_pool(..., mode=%r) or the op"
                             ' SuperpixelExtremum)' % (mode, one_of(self.modes), mode))
        if mode in composites.MODES:
            raise ValueError('SuperpixelPool: mode is %r, but must be %s (use superpixel_pool(..., mode=%r),'
                             ' a graph of ops)' % (mode, one_of(self.modes), mode))
        self.mode = as_mode('SuperpixelPool', mode, self.modes)
        super(SuperpixelPool, self).__init__(openmp)

    def make_node(self, feature_map, superpixel_map, n_superpixels):
        feature_map = as_features('SuperpixelPool', 'feature_map', feature_map, axes=(3, 4, 5),
                                  layout='(batch, channels, *spatial) with 1 to 3 spatial axes')
        superpixel_map = as_label_map('SuperpixelPool', superpixel_map, feature_map.ndim - 2)
        n_superpixels = as_n_superpixels('SuperpixelPool', n_superpixels)
        one_superpixel = isinstance(n_superpixels, T.Constant) and int(n_superpixels.data) == 1
        pooled = T.TensorType(feature_map.dtype, (
            feature_map.broadcastable[0] or superpixel_map.broadcastable[0],
            feature_map.broadcastable[1],
            one_superpixel))
        return Apply(self, [feature_map, superpixel_map, n_superpixels], [pooled()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.pool(*inputs, mode=self.mode)

    def infer_shape(self, node, input_shapes):
        return [(input_shapes[0][0], input_shapes[0][1], node.inputs[2])]

    def connection_pattern(self, node):
        return [[True], [False], [False]]

    def L_op(self, inputs, outputs, output_gradients):
        from .unpool import SuperpixelUnpool  # here, because each is the other's adjoint
        feature_map, superpixel_map, _ = inputs
        gradient = SuperpixelUnpool(self.mode, self.openmp)(output_gradients[0], superpixel_map)
        return [T.patternbroadcast(gradient, feature_map.broadcastable),
                DisconnectedType()(), DisconnectedType()()]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return [None]
        return [self(eval_points[0], *inputs[1:])]
