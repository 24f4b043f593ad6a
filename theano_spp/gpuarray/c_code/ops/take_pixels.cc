#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"
#include "resize/interpolation.h"
#include "resize/resized_value.h"
#include "resize/sampling.h"

#section support_code_struct
/* [in]  feature_map (batch, channels, *cells), pixels (batch, channels, n) int64, map_shape (axes) on the host
   [out] gathered (batch, channels, n): the resized features at the pixels, 0 for pixel -1 */
int APPLY_SPECIFIC(take_pixels)(PyGpuArrayObject *feature_map, PyGpuArrayObject *pixels, PyArrayObject *map_shape,
                                PyGpuArrayObject **gathered, PARAMS_TYPE *params)
{
    const char *op = "TakePixels";
    const unsigned int naxes = feature_map->ga.nd - 2;
    const size_t *cells = feature_map->ga.dimensions + 2, *shape = pixels->ga.dimensions;
    const size_t count = spp_gpu_pixels(pixels, 0);
    const SppGpuImages features = spp_gpu_images(feature_map, 2);
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    SppGpuSampling sampling = spp_gpu_no_sampling(features.data);
    size_t spatial[3];
    size_t all;
    int failed;

    if (spp_gpu_read_sizes(op, "map_shape", map_shape, naxes, spatial) != 0
            || spp_gpu_check_like_pixels(op, "feature_map", feature_map, pixels, 2) != 0
            || spp_gpu_check_resize(op, "the spatial shape of feature_map", params->resize != SPP_RESIZE_NONE, naxes,
                                    cells, spatial) != 0
            || spp_gpu_prepare(op, gathered, 3, shape, feature_map->ga.typecode, params->context) != 0)
        return -1;
    if (count == 0)
        return 0;
    all = spp_gpu_product(spatial, naxes);
    failed = APPLY_SPECIFIC(begin)(&call) != 0
        || (all > 0 && APPLY_SPECIFIC(sample_axes)(&call, naxes, cells, spatial, params->resize == SPP_BILINEAR,
                                                   &sampling) != 0)
        || SPP_GPU_START(gather, op, spp_gpu_ceil_divide(count, SPP_GROUP), SPP_GPU_IMAGES(features),
                         feature_map->ga.strides[1], SPP_GPU_AXES(sampling), all, SPP_GPU_VALUES(pixels), shape[0],
                         shape[1], shape[2], SPP_GPU_RESULT(*gathered), call.flag) != 0;
    return spp_gpu_finish_pixels(&call, failed, pixels, all);
}

#section kernels
/* One thread for a pixel. Without resize each pixel sees its own cell alone. */
KERNEL void gather(SPP_IMAGES(FEATURE, features), ga_ssize channel_stride, SPP_AXES(axes), ga_size all,
                   SPP_VALUES(ga_long, pixels), ga_size batch, ga_size channels, ga_size n,
                   SPP_RESULT(FEATURE, gathered), GLOBAL_MEM ga_int *flag)
{
    const ga_size i = (ga_size)GID_0 * SPP_GROUP + LID_0;
    if (i < batch * channels * n) {
        const ga_size image = i / n / channels, channel = i / n % channels;
        const ga_long pixel = *SPP_VALUE_AT(ga_long, pixels, image, channel, i % n);
        SppImage cells = SPP_IMAGE(features, image);
        FEATURE value = 0;
        cells.first += (ga_ssize)channel * channel_stride;
        if (pixel >= 0 && (ga_ulong)pixel >= (ga_ulong)all)
            *flag = 1;
        else if (pixel >= 0)
            value = (FEATURE)spp_resized(cells, spp_seen((ga_ulong)pixel, SPP_AXES_OF(axes)));
        SPP_RESULT_AT(FEATURE, gathered)[i] = value;
    }
}
