"""Superpixel maps of another size than the features, on the GPU."""
from ..ops.resized import SuperpixelOverlap, SuperpixelOverlapPool, SuperpixelOverlapUnpool
from .gpu_version import GpuVersion, params_of
from .labels import counted_pixels, counted_pixels_of, sorted_pixels


class GpuSuperpixelOverlap(GpuVersion):
    """:class:`theano_spp.ops.resized.SuperpixelOverlap` on the GPU. Numbers and sizes stay on the host."""

    cpu_op = SuperpixelOverlap
    params_type = params_of(SuperpixelOverlap, 'mode', 'resize')
    c_file = 'ops/superpixel_overlap.cc'
    c_function = 'superpixel_overlap'
    host_inputs = (1, 2)
    c_types = {'LABEL': 0}

    def label_tables(self, superpixel_map, n_superpixels, spatial_shape):
        return counted_pixels(self, superpixel_map, n_superpixels)


class GpuSuperpixelOverlapPool(GpuVersion):
    """:class:`theano_spp.ops.resized.SuperpixelOverlapPool` on the GPU. `n_superpixels` stays on the host."""

    cpu_op = SuperpixelOverlapPool
    params_type = params_of(SuperpixelOverlapPool, 'mode', 'resize')
    c_file = 'ops/overlap_pool.cc'
    c_function = 'overlap_pool'
    host_inputs = (2,)
    c_types = {'FEATURE': 0}

    def label_tables(self, feature_map, superpixel_map, n_superpixels):
        return sorted_pixels(self, superpixel_map, n_superpixels)


class GpuSuperpixelOverlapUnpool(GpuVersion):
    """:class:`theano_spp.ops.resized.SuperpixelOverlapUnpool` on the GPU. `spatial_shape` stays on the host."""

    cpu_op = SuperpixelOverlapUnpool
    params_type = params_of(SuperpixelOverlapUnpool, 'mode', 'resize')
    c_file = 'ops/overlap_unpool.cc'
    c_function = 'overlap_unpool'
    host_inputs = (2,)
    c_types = {'FEATURE': 0, 'LABEL': 1}

    def label_tables(self, pooled, superpixel_map, spatial_shape):
        return counted_pixels_of(self, superpixel_map, pooled)
