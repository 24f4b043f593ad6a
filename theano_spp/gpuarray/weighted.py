"""Pooling with weights for pixels, on the GPU: three ops, which are also all of its derivatives."""

from ..ops.weighted import PixelDot, WeightedPool, WeightedUnpool
from .gpu_version import GpuVersion, params_of
from .labels import counted_pixels_of, sorted_pixels


class GpuWeightedPool(GpuVersion):
    """:class:`theano_spp.ops.weighted.WeightedPool` on the GPU. `n_superpixels` stays on the host."""

    cpu_op = WeightedPool
    params_type = params_of(WeightedPool)
    c_file = 'ops/weighted_pool.cc'
    c_function = 'weighted_pool'
    host_inputs = (2,)
    c_types = {'FEATURE': 0, 'WEIGHT': 3}

    def label_tables(self, feature_map, superpixel_map, n_superpixels, pixel_weights):
        return sorted_pixels(self, superpixel_map, n_superpixels)


class GpuWeightedUnpool(GpuVersion):
    """:class:`theano_spp.ops.weighted.WeightedUnpool` on the GPU."""

    cpu_op = WeightedUnpool
    params_type = params_of(WeightedUnpool)
    c_file = 'ops/weighted_unpool.cc'
    c_function = 'weighted_unpool'
    c_types = {'LABEL': 1, 'WEIGHT': 2}

    def label_tables(self, pooled, superpixel_map, pixel_weights):
        return counted_pixels_of(self, superpixel_map, pooled)


class GpuPixelDot(GpuVersion):
    """:class:`theano_spp.ops.weighted.PixelDot` on the GPU."""

    cpu_op = PixelDot
    params_type = params_of(PixelDot)
    c_file = 'ops/pixel_dot.cc'
    c_function = 'pixel_dot'
    c_types = {'FEATURE': 0, 'LABEL': 2}

    def label_tables(self, feature_map, pooled, superpixel_map):
        return counted_pixels_of(self, superpixel_map, pooled)
