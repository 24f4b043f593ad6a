"""Superpixel maps of another size than the features, on the GPU."""
from ..ops.resized import SuperpixelOverlap, SuperpixelOverlapPool, SuperpixelOverlapUnpool
from .external_kernels import ExternalKernels, params_of


class GpuSuperpixelOverlap(ExternalKernels):
    """:class:`theano_spp.ops.resized.SuperpixelOverlap` on the GPU. Numbers and sizes stay on the host."""

    cpu_op = SuperpixelOverlap
    params_type = params_of(SuperpixelOverlap, 'mode', 'resize')
    c_file = 'ops/superpixel_overlap.cc'
    c_function = 'superpixel_overlap'
    host_inputs = (1, 2)
    c_types = {'LABEL': 0}


class GpuSuperpixelOverlapPool(ExternalKernels):
    """:class:`theano_spp.ops.resized.SuperpixelOverlapPool` on the GPU. `n_superpixels` stays on the host."""

    cpu_op = SuperpixelOverlapPool
    params_type = params_of(SuperpixelOverlapPool, 'mode', 'resize')
    c_file = 'ops/overlap_pool.cc'
    c_function = 'overlap_pool'
    host_inputs = (2,)
    c_types = {'FEATURE': 0, 'LABEL': 1}


class GpuSuperpixelOverlapUnpool(ExternalKernels):
    """:class:`theano_spp.ops.resized.SuperpixelOverlapUnpool` on the GPU. `spatial_shape` stays on the host."""

    cpu_op = SuperpixelOverlapUnpool
    params_type = params_of(SuperpixelOverlapUnpool, 'mode', 'resize')
    c_file = 'ops/overlap_unpool.cc'
    c_function = 'overlap_unpool'
    host_inputs = (2,)
    c_types = {'FEATURE': 0, 'LABEL': 1}
