"""Mean and sum on the GPU: pooling and unpooling."""
from ..ops.mean_sum import SuperpixelPool, SuperpixelUnpool
from .external_kernels import ExternalKernels, params_of


class GpuSuperpixelPool(ExternalKernels):
    """:class:`theano_spp.SuperpixelPool` on the GPU. `n_superpixels` stays on the host."""

    cpu_op = SuperpixelPool
    params_type = params_of(SuperpixelPool, 'mode')
    c_file = 'ops/superpixel_pool.cc'
    c_function = 'superpixel_pool'
    host_inputs = (2,)
    c_types = {'FEATURE': 0, 'LABEL': 1}


class GpuSuperpixelUnpool(ExternalKernels):
    """:class:`theano_spp.SuperpixelUnpool` on the GPU."""

    cpu_op = SuperpixelUnpool
    params_type = params_of(SuperpixelUnpool, 'mode')
    c_file = 'ops/superpixel_unpool.cc'
    c_function = 'superpixel_unpool'
    c_types = {'FEATURE': 0, 'LABEL': 1}
