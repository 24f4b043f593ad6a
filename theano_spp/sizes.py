"""How many superpixels a label map has, and how many pixels each of them."""
import numpy as np
import theano.tensor as T
from theano.gof import Apply
from theano.gradient import DisconnectedType

from . import reference
from .arguments import as_n_superpixels
from .external_c import ExternalC
from .label_map import as_label_map


def superpixel_sizes(superpixel_map, n_superpixels=None):
    """Count the pixels of each superpixel.

    Parameters
    ----------
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial)
        1 to 3 spatial axes; labels as for :func:`superpixel_pool`.
    n_superpixels : int or integer Theano scalar, optional
        None takes the largest label of the batch + 1.

    Returns
    -------
    TensorVariable of int64, shape (batch, n_superpixels), in pixels
        0 for a superpixel that does not occur. Disconnected from `superpixel_map`.

    Raises
    ------
    TypeError
        If the labels or `n_superpixels` are not integers.
    ValueError
        If `n_superpixels` is negative.
    IndexError
        When the compiled function runs, if a label is not below `n_superpixels`.

    Examples
    --------
    >>> import numpy as np
    >>> superpixel_sizes(np.array([[[0, 0], [2, -1]]])).eval()
    array([[2, 0, 1]])
    """
    superpixel_map = as_label_map('SuperpixelSizes', superpixel_map)
    if n_superpixels is None:
        n_superpixels = superpixel_count(superpixel_map)
    return SuperpixelSizes()(superpixel_map, n_superpixels)


def superpixel_count(superpixel_map):
    """Return the largest label of a batch + 1 as an int64 Theano scalar; 0 if no pixel has one."""
    return SuperpixelCount()(superpixel_map)


class LabelStatistic(ExternalC):
    """What the ops share that are made from labels alone and have no gradient."""

    # Never varied; Theano keeps the compiled code only of ops that have a property.
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
