"""Superpixel pooling on the GPU."""
from ..pool import SuperpixelPool
from .external_kernels import ExternalKernels, params_of


class GpuSuperpixelPool(ExternalKernels):
    """:class:`theano_spp.SuperpixelPool` on the GPU. `n_superpixels` stays on the host."""

    cpu_op = SuperpixelPool
    params_type = params_of(SuperpixelPool, 'mode')
    c_file = 'ops/superpixel_pool.cc'
    c_function = 'superpixel_pool'
    host_inputs = (2,)
    c_types = {'FEATURE': 0, 'LABEL': 1}
