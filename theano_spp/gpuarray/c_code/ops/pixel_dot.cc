#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/compensated_sum.h"
#include "memory/images.h"

#section support_code_struct
/* [in]  feature_map (batch, channels, *spatial), pooled (batch, channels, n_superpixels) float64,
         superpixel_map (1 or batch, *spatial), sizes: of ops/counted_pixels.cc
   [out] dot (batch, *spatial) float64 */
int APPLY_SPECIFIC(pixel_dot)(PyGpuArrayObject *feature_map, PyGpuArrayObject *pooled, PyGpuArrayObject *superpixel_map,
                              PyGpuArrayObject *sizes, PyGpuArrayObject **dot, PARAMS_TYPE *params)
{
    const char *op = "PixelDot";
    const size_t batch = feature_map->ga.dimensions[0], channels = feature_map->ga.dimensions[1];
    const size_t pixels = spp_gpu_pixels(superpixel_map, 1), n = pooled->ga.dimensions[2];
    const SppGpuImages labels = spp_gpu_joined_images(superpixel_map, 1);
    const SppGpuImages features = spp_gpu_joined_images(feature_map, 2);
    size_t shape[4] = {batch, 0, 0, 0};

    if (spp_gpu_check_shapes(op, "feature_map", feature_map, superpixel_map, "in space, weighted") != 0
            || spp_gpu_check_shapes(op, "pooled", pooled, superpixel_map, "pooled in batch") != 0)
        return -1;
    if (memcmp(pooled->ga.dimensions, feature_map->ga.dimensions, 2 * sizeof(size_t)) != 0)
        return spp_raise("check_channels", "(sOO)", op, feature_map, pooled);
    memcpy(shape + 1, superpixel_map->ga.dimensions + 1, (superpixel_map->ga.nd - 1) * sizeof(size_t));
    if (spp_gpu_check_table(op, "sizes", sizes, superpixel_map->ga.dimensions[0], n) != 0
            || spp_gpu_prepare(op, dot, superpixel_map->ga.nd, shape, GA_DOUBLE, params->context) != 0)
        return -1;
    if (batch * pixels == 0)
        return 0;
    return SPP_GPU_START(multiply_and_add, op, batch * spp_gpu_ceil_divide(pixels, SPP_GROUP), SPP_GPU_IMAGES(features),
                         feature_map->ga.strides[1], SPP_GPU_VALUES(pooled), SPP_GPU_IMAGES(labels), pixels, n,
                         channels, SPP_GPU_RESULT(*dot));
}

#section kernels
/* One thread for a pixel: neighbouring threads read neighbouring features of a channel. Sums are compensated,
   because there may be many channels. */
KERNEL void multiply_and_add(SPP_IMAGES(FEATURE, features), ga_ssize channel_stride, SPP_VALUES(ga_double, pooled),
                             SPP_IMAGES(LABEL, labels), ga_size pixels, ga_size n, ga_size channels,
                             SPP_RESULT(ga_double, dot))
{
    const SppWork work = spp_work(1, (pixels + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size image = work.image, pixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (pixel < pixels) {
        const LABEL label = SPP_LABEL_AT(SPP_IMAGE(labels, image), pixel);
        ga_double sum = 0, error = 0;
        ga_size c;
        if (!SPP_IS_TOO_LARGE(label, n) && !SPP_IS_NONE(label)) {
            GLOBAL_MEM const char *feature = spp_pixel_at(SPP_IMAGE(features, image), (ga_uint)pixel);
            for (c = 0; c < channels; ++c)
                spp_add_compensated(
                    &sum, &error, (ga_double)*(GLOBAL_MEM const FEATURE *)(feature + (ga_ssize)c * channel_stride)
                                  * *SPP_VALUE_AT(ga_double, pooled, image, c, label));
        }
        SPP_RESULT_AT(ga_double, dot)[image * pixels + pixel] = spp_total(sum, error);
    }
}
