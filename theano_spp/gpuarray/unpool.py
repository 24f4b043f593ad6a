"""Superpixel unpooling on the GPU."""
from ..unpool import SuperpixelUnpool
from .external_kernels import ExternalKernels, params_of


class GpuSuperpixelUnpool(ExternalKernels):
    """:class:`theano_spp.SuperpixelUnpool` on the GPU."""

    cpu_op = SuperpixelUnpool
    params_type = params_of(SuperpixelUnpool, 'mode')
    c_file = 'ops/superpixel_unpool.cc'
    c_function = 'superpixel_unpool'
    c_types = {'FEATURE': 0, 'LABEL': 1}
