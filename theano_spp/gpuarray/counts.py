"""On the GPU: the number of superpixels of a label map, and the number of pixels of each."""
from ..ops.counts import SuperpixelCount, SuperpixelSizes
from .external_kernels import ExternalKernels, params_of


class GpuSuperpixelSizes(ExternalKernels):
    """:class:`theano_spp.ops.counts.SuperpixelSizes` on the GPU. `n_superpixels` stays on the host."""

    cpu_op = SuperpixelSizes
    params_type = params_of(SuperpixelSizes)
    c_file = 'ops/superpixel_sizes.cc'
    c_function = 'superpixel_sizes'
    host_inputs = (1,)
    c_types = {'LABEL': 0}


class GpuSuperpixelCount(ExternalKernels):
    """:class:`theano_spp.ops.counts.SuperpixelCount` of a label map on the GPU; the result is copied to the host."""


    cpu_op = SuperpixelCount
    params_type = params_of(SuperpixelCount)
    c_file = 'ops/superpixel_count.cc'
    c_function = 'superpixel_count'
    c_types = {'LABEL': 0}

    def _output(self, on_cpu, context_name):
        return on_cpu.type()
