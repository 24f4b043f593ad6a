"""What the ops on the GPU want to know of labels, found by ops of its own, so that ops over one map can share it.

These ops alone check labels, and wait for the device to say what it found. They have no version on the CPU.
"""
from theano.compile.ops import Shape_i
from theano.gof import Apply, ParamsType
from theano.gof.type import generic
from theano.gpuarray.type import GpuArrayType, gpu_context_type

from .. import messages, reference
from ..arguments import as_n_superpixels
from .external_kernels import ExternalKernels


class LabelOp(ExternalKernels):
    """Base class: an op on ``(superpixel_map, n_superpixels)``, whose results have one row for each map.

    Parameters
    ----------
    op_name : str
        The op to name where a label is too large. It is no property: two ops that ask the same are one.
    limit_name : str
        Where the number of superpixels comes from, for the same error.

    Attributes
    ----------
    dtypes : tuple of str
        The dtypes of the results.
    """

    __props__ = ('dtypes',)
    dtypes = ()
    params_type = ParamsType(op_name=generic, limit_name=generic, context=gpu_context_type)
    host_inputs = (1,)
    c_types = {'LABEL': 0}

    def __init__(self, op_name, limit_name='n_superpixels is'):
        self.op_name = op_name
        self.limit_name = limit_name
        super().__init__()

    def __str__(self):
        return type(self).__name__

    def make_node(self, superpixel_map, n_superpixels, *known):
        n_superpixels = as_n_superpixels(self.op_name, n_superpixels)
        one_map, context_name = superpixel_map.broadcastable[0], superpixel_map.type.context_name
        return Apply(self, [superpixel_map, n_superpixels] + list(known),
                     [GpuArrayType(dtype, (one_map, False), context_name)() for dtype in self.dtypes])

    def perform_on_host(self, node, inputs, output_storage):
        messages.check_labels(self.op_name, inputs[0], messages.check_n_superpixels(self.op_name, inputs[1]),
                              self.limit_name)
        for storage, table in zip(output_storage, self.reference(*inputs[:2])):
            storage[0] = table


class GpuSortedPixels(LabelOp):
    """The pixels of each map sorted by superpixel: ``order``, ``starts`` and ``sizes``.

    ``order`` (maps, pixels): the row-major numbers of the pixels, those of one superpixel in ascending order, those
    of none at the end. ``starts`` (maps, n_superpixels + 1): where in ``order`` each superpixel begins, and where the
    last one ends. ``sizes`` (maps, n_superpixels).
    """

    dtypes = ('uint32', 'uint32', 'int32')
    c_file = 'ops/sorted_pixels.cc'
    c_function = 'sorted_pixels'

    def infer_shape(self, node, input_shapes):
        (maps, *spatial), n = input_shapes[0], node.inputs[1]
        pixels = 1
        for size in spatial:
            pixels = pixels * size
        return [(maps, pixels), (maps, n + 1), (maps, n)]

    def reference(self, superpixel_map, n_superpixels):
        return reference.sorted_pixels(superpixel_map, n_superpixels)


class GpuCountedPixels(LabelOp):
    """The number of pixels of each superpixel: ``sizes`` (maps, n_superpixels)."""

    dtypes = ('int32',)
    c_file = 'ops/counted_pixels.cc'
    c_function = 'counted_pixels'

    def infer_shape(self, node, input_shapes):
        return [(input_shapes[0][0], node.inputs[1])]

    def reference(self, superpixel_map, n_superpixels):
        return [reference.sizes(superpixel_map, n_superpixels)]


class GpuKnownSizes(GpuCountedPixels):
    """The same where another op has counted the pixels of the same map: its ``sizes`` are the third input.

    They are passed on, without any work, if both numbers of superpixels are equal. Only when the function runs is that
    certain: that of a gradient is the size of an array.
    """

    view_map = {0: [2]}
    c_function = 'known_sizes'


def sorted_pixels(op, superpixel_map, n_superpixels):
    """Return ``order`` and ``starts`` for `op`."""
    return GpuSortedPixels(op.cpu_op.__name__)(superpixel_map, n_superpixels)[:2]


def counted_pixels(op, superpixel_map, n_superpixels):
    """Return ``sizes`` for `op`."""
    return [GpuCountedPixels(op.cpu_op.__name__)(superpixel_map, n_superpixels)]


def counted_pixels_of(op, superpixel_map, pooled):
    """Return ``sizes`` for `op`, which has values (batch, channels, n_superpixels)."""
    return [GpuCountedPixels(op.cpu_op.__name__, 'the number of superpixels in pooled is')(superpixel_map,
                                                                                           Shape_i(2)(pooled))]
