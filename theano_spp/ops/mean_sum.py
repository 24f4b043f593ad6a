"""Mean and sum: pooling and unpooling, each the adjoint of the other."""
import theano.tensor as T
from theano.gof import Apply, ParamsType

from .. import reference
from ..arguments import as_feature_map, as_mode, as_n_superpixels, as_pooled, one_of, pooled_type
from ..label_map import as_label_map
from .multilinear import MultilinearOp
from .parameters import MEAN_SUM

#: The modes of `superpixel_pool` that this op does not have, and what computes them.
OTHER_MODES = dict(dict.fromkeys(('max', 'min'), ' or the op SuperpixelExtremum'),
                   **dict.fromkeys(('var', 'std', 'logsumexp'), ', a graph of ops'))


class SuperpixelPool(MultilinearOp):
    """The op behind :func:`superpixel_pool` in the modes 'mean' and 'sum'.

    Parameters
    ----------
    mode : {'mean', 'sum'}
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``. The results are bit-identical
        for every number of threads.
    """

    modes = ('mean', 'sum')

    __props__ = ('mode',)
    params_type = ParamsType(mode=MEAN_SUM)
    c_file = 'ops/superpixel_pool.cc'
    c_function = 'superpixel_pool'
    feature_input = 0
    label_input = 1

    def __init__(self, mode='mean', openmp=None):
        if isinstance(mode, str) and mode in OTHER_MODES:
            raise ValueError('SuperpixelPool: mode is %r, but must be %s (use superpixel_pool(..., mode=%r)%s)'
                             % (mode, one_of(self.modes), mode, OTHER_MODES[mode]))
        self.mode = as_mode('SuperpixelPool', mode, self.modes)
        super().__init__(openmp)

    def make_node(self, feature_map, superpixel_map, n_superpixels):
        feature_map = as_feature_map('SuperpixelPool', feature_map)
        superpixel_map = as_label_map('SuperpixelPool', superpixel_map, feature_map.ndim - 2)
        n_superpixels = as_n_superpixels('SuperpixelPool', n_superpixels)
        pooled = pooled_type(feature_map, n_superpixels)
        return Apply(self, [feature_map, superpixel_map, n_superpixels], [pooled()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.pool(*inputs, mode=self.mode)

    def infer_shape(self, node, input_shapes):
        return [(input_shapes[0][0], input_shapes[0][1], node.inputs[2])]

    def adjoints(self, inputs, gradient):
        return [SuperpixelUnpool(self.mode, self.openmp)(gradient, inputs[1])]


class SuperpixelUnpool(MultilinearOp):
    """The op behind :func:`superpixel_unpool`.

    Parameters
    ----------
    mode : {'sum', 'mean'}
    openmp : bool, optional
        Whether to use threads; None takes Theano's flag ``openmp``.
    """

    modes = ('sum', 'mean')

    __props__ = ('mode',)
    params_type = ParamsType(mode=MEAN_SUM)
    c_file = 'ops/superpixel_unpool.cc'
    c_function = 'superpixel_unpool'
    feature_input = 0
    label_input = 1

    def __init__(self, mode='sum', openmp=None):
        self.mode = as_mode('SuperpixelUnpool', mode, self.modes)
        super().__init__(openmp)

    def make_node(self, pooled, superpixel_map):
        pooled = as_pooled('SuperpixelUnpool', pooled)
        superpixel_map = as_label_map('SuperpixelUnpool', superpixel_map)
        feature_map = T.TensorType(pooled.dtype, pooled.broadcastable[:2] + superpixel_map.broadcastable[1:])
        return Apply(self, [pooled, superpixel_map], [feature_map()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.unpool(*inputs, mode=self.mode)

    def infer_shape(self, node, input_shapes):
        return [tuple(input_shapes[0][:2]) + tuple(input_shapes[1][1:])]

    def adjoints(self, inputs, gradient):
        pooled, superpixel_map = inputs
        return [SuperpixelPool(self.mode, self.openmp)(gradient, superpixel_map, pooled.shape[2])]
