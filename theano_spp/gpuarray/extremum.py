"""Superpixel pooling by the maximum or minimum on the GPU."""
from ..extremum import SuperpixelExtremum
from .external_kernels import ExternalKernels, params_of


class GpuSuperpixelExtremum(ExternalKernels):
    """:class:`theano_spp.SuperpixelExtremum` on the GPU: the same winners. `n_superpixels` stays on the host."""

    cpu_op = SuperpixelExtremum
    params_type = params_of(SuperpixelExtremum, 'mode', 'resize')
    c_file = 'ops/superpixel_extremum.cc'
    c_function = 'superpixel_extremum'
    host_inputs = (2,)
    c_types = {'FEATURE': 0, 'LABEL': 1}
