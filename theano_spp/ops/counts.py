"""The ops that only look at labels: the number of superpixels, and the number of pixels of each."""
import numpy as np
import theano.tensor as T
from theano.gof import Apply
from theano.gradient import DisconnectedType

from .. import reference
from ..arguments import as_n_superpixels
from ..label_map import as_label_map
from .external_c import ExternalC


class LabelStatistic(ExternalC):
    """Base class of the ops that are computed from labels alone and have no gradient."""

    # Constant, but needed: Theano only caches the compiled code of ops that have at least one property.

    __props__ = ('dtype',)
    dtype = 'int64'
    label_input = 0

    def connection_pattern(self, node):
        return [[False] for _ in node.inputs]

    def L_op(self, inputs, outputs, output_gradients):
        return [DisconnectedType()() for _ in inputs]

    def R_op(self, inputs, eval_points):
        return [None]


class SuperpixelSizes(LabelStatistic):
    """The op behind :func:`superpixel_sizes`."""

    c_file = 'ops/superpixel_sizes.cc'
    c_function = 'superpixel_sizes'

    def make_node(self, superpixel_map, n_superpixels):
        superpixel_map = as_label_map('SuperpixelSizes', superpixel_map)
        n_superpixels = as_n_superpixels('SuperpixelSizes', n_superpixels)
        sizes = T.TensorType(self.dtype, (superpixel_map.broadcastable[0], False))
        return Apply(self, [superpixel_map, n_superpixels], [sizes()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = reference.sizes(*inputs)

    def infer_shape(self, node, input_shapes):
        return [(input_shapes[0][0], node.inputs[1])]


class SuperpixelCount(LabelStatistic):
    """The op behind :func:`superpixel_count`."""

    c_file = 'ops/superpixel_count.cc'
    c_function = 'superpixel_count'

    def make_node(self, superpixel_map):
        superpixel_map = as_label_map('SuperpixelCount', superpixel_map)
        return Apply(self, [superpixel_map], [T.TensorType(self.dtype, ())()])

    def perform(self, node, inputs, output_storage, params=None):
        output_storage[0][0] = np.asarray(reference.count(*inputs), self.dtype)

    def infer_shape(self, node, input_shapes):
        return [()]
