"""On the GPU: the number of superpixels of a label map, and the number of pixels of each."""
from ..ops.counts import SuperpixelCount, SuperpixelSizes
from .gpu_version import GpuVersion, params_of
from .labels import counted_pixels


class GpuSuperpixelSizes(GpuVersion):
    """:class:`theano_spp.ops.counts.SuperpixelSizes` on the GPU. `n_superpixels` stays on the host."""

    cpu_op = SuperpixelSizes
    params_type = params_of(SuperpixelSizes)
    c_file = 'ops/superpixel_sizes.cc'
    c_function = 'superpixel_sizes'
    host_inputs = (1,)

    def label_tables(self, superpixel_map, n_superpixels):
        return counted_pixels(self, superpixel_map, n_superpixels)


class GpuSuperpixelCount(GpuVersion):
    """:class:`theano_spp.ops.counts.SuperpixelCount` of a label map on the GPU; the result is copied to the host."""


    cpu_op = SuperpixelCount
    params_type = params_of(SuperpixelCount)
    c_file = 'ops/superpixel_count.cc'
    c_function = 'superpixel_count'
    c_types = {'LABEL': 0}

    def _output(self, on_cpu, context_name):
        return on_cpu.type()
