"""Mean and sum on the GPU: pooling and unpooling."""
from ..ops.mean_sum import SuperpixelPool, SuperpixelUnpool
from .gpu_version import GpuVersion, params_of
from .labels import counted_pixels_of, sorted_pixels


class GpuSuperpixelPool(GpuVersion):
    """:class:`theano_spp.SuperpixelPool` on the GPU. `n_superpixels` stays on the host."""

    cpu_op = SuperpixelPool
    params_type = params_of(SuperpixelPool, 'mode')
    c_file = 'ops/superpixel_pool.cc'
    c_function = 'superpixel_pool'
    host_inputs = (2,)
    c_types = {'FEATURE': 0}

    def label_tables(self, feature_map, superpixel_map, n_superpixels):
        return sorted_pixels(self, superpixel_map, n_superpixels)


class GpuSuperpixelUnpool(GpuVersion):
    """:class:`theano_spp.SuperpixelUnpool` on the GPU."""

    cpu_op = SuperpixelUnpool
    params_type = params_of(SuperpixelUnpool, 'mode')
    c_file = 'ops/superpixel_unpool.cc'
    c_function = 'superpixel_unpool'
    c_types = {'FEATURE': 0, 'LABEL': 1}

    def label_tables(self, pooled, superpixel_map):
        return counted_pixels_of(self, superpixel_map, pooled)
