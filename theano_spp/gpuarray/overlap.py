"""Superpixel maps of another size than the features, on the GPU."""
from ..overlap import SuperpixelOverlap, SuperpixelOverlapPool, SuperpixelOverlapUnpool
from .external_kernels import ExternalKernels, params_of


class GpuSuperpixelOverlap(ExternalKernels):
    """:class:`theano_spp.overlap.SuperpixelOverlap` on the GPU. Numbers and sizes stay on the host."""

    cpu_op = SuperpixelOverlap
    params_type = params_of(SuperpixelOverlap, 'mode', 'resize')
    c_files = ('gpu_arrays.c', 'counted_pixels.c', 'sizes.c', 'sampled.c', 'audience.c', 'superpixel_overlap.c')
    c_function = 'superpixel_overlap'
    host_inputs = (1, 2)
    c_types = {'LABEL': 0}


class GpuSuperpixelOverlapPool(ExternalKernels):
    """:class:`theano_spp.overlap.SuperpixelOverlapPool` on the GPU. `n_superpixels` stays on the host."""

    cpu_op = SuperpixelOverlapPool
    params_type = params_of(SuperpixelOverlapPool, 'mode', 'resize')
    c_files = ('gpu_arrays.c', 'sorted_pixels.c', 'segments.c', 'parts.c', 'sampled.c', 'mixed.c', 'overlap_pool.c')
    c_function = 'overlap_pool'
    host_inputs = (2,)
    c_types = {'FEATURE': 0, 'LABEL': 1}


class GpuSuperpixelOverlapUnpool(ExternalKernels):
    """:class:`theano_spp.overlap.SuperpixelOverlapUnpool` on the GPU. `spatial_shape` stays on the host."""

    cpu_op = SuperpixelOverlapUnpool
    params_type = params_of(SuperpixelOverlapUnpool, 'mode', 'resize')
    c_files = ('gpu_arrays.c', 'counted_pixels.c', 'sizes.c', 'sampled.c', 'audience.c', 'overlap_unpool.c')
    c_function = 'overlap_unpool'
    host_inputs = (2,)
    c_types = {'FEATURE': 0, 'LABEL': 1}
