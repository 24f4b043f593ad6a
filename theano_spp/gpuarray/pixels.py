"""Values taken from single pixels and values put on single pixels, on the GPU: the derivatives of the maximum."""
from ..pixels import PutPixels, TakePixels
from .external_kernels import ExternalKernels, params_of


class GpuTakePixels(ExternalKernels):
    """:class:`theano_spp.pixels.TakePixels` on the GPU. `map_shape` stays on the host."""

    cpu_op = TakePixels
    params_type = params_of(TakePixels, 'resize')
    c_file = 'ops/take_pixels.cc'
    c_function = 'take_pixels'
    host_inputs = (2,)
    c_types = {'FEATURE': 0}


class GpuPutPixels(ExternalKernels):
    """:class:`theano_spp.pixels.PutPixels` on the GPU. `spatial_shape` and `map_shape` stay on the host."""

    cpu_op = PutPixels
    params_type = params_of(PutPixels, 'resize')
    c_file = 'ops/put_pixels.cc'
    c_function = 'put_pixels'
    host_inputs = (2, 3)
    c_types = {'FEATURE': 0}
