"""Maximum and minimum on the GPU, and their derivatives, which gather from single pixels and scatter to them."""

from ..ops.max_min import PutPixels, SuperpixelExtremum, TakePixels
from ..reference.interpolation import NONE
from .gpu_version import GpuVersion, params_of
from .labels import sorted_pixels


class GpuSuperpixelExtremum(GpuVersion):
    """:class:`theano_spp.SuperpixelExtremum` on the GPU: the same argmax pixels. `n_superpixels` stays on the host."""

    cpu_op = SuperpixelExtremum
    params_type = params_of(SuperpixelExtremum, 'mode', 'resize')
    c_file = 'ops/superpixel_extremum.cc'
    c_function = 'superpixel_extremum'
    host_inputs = (2,)
    c_types = {'FEATURE': 0}

    def label_tables(self, feature_map, superpixel_map, n_superpixels):
        return sorted_pixels(self, superpixel_map, n_superpixels)

    def own_settings(self):
        return '#define SPP_RESIZES %d' % (self.on_cpu.resize != NONE)


class GpuTakePixels(GpuVersion):
    """:class:`theano_spp.ops.max_min.TakePixels` on the GPU. `map_shape` stays on the host."""

    cpu_op = TakePixels
    params_type = params_of(TakePixels, 'resize')
    c_file = 'ops/take_pixels.cc'
    c_function = 'take_pixels'
    host_inputs = (2,)
    c_types = {'FEATURE': 0}


class GpuPutPixels(GpuVersion):
    """:class:`theano_spp.ops.max_min.PutPixels` on the GPU. `spatial_shape` and `map_shape` stay on the host."""

    cpu_op = PutPixels
    params_type = params_of(PutPixels, 'resize')
    c_file = 'ops/put_pixels.cc'
    c_function = 'put_pixels'
    host_inputs = (2, 3)
    c_types = {'FEATURE': 0}
