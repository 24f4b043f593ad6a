#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"

#section support_code_struct
/* [in]  pooled (batch, channels, n_superpixels) float64, superpixel_map and pixel_weights (1 or batch, *spatial),
         sizes: of ops/counted_pixels.cc
   [out] feature_map (batch, channels, *spatial) */
int APPLY_SPECIFIC(weighted_unpool)(PyGpuArrayObject *pooled, PyGpuArrayObject *superpixel_map,
                                    PyGpuArrayObject *pixel_weights, PyGpuArrayObject *sizes,
                                    PyGpuArrayObject **feature_map, PARAMS_TYPE *params)
{
    const char *op = "WeightedUnpool";
    const size_t batch = pooled->ga.dimensions[0], channels = pooled->ga.dimensions[1], n = pooled->ga.dimensions[2];
    const size_t pixels = spp_gpu_pixels(superpixel_map, 1);
    const SppGpuImages labels = spp_gpu_joined_images(superpixel_map, 1);
    const SppGpuImages weights = spp_gpu_joined_images(pixel_weights, 1);

    if (spp_gpu_check_shapes(op, "pooled", pooled, superpixel_map, "pooled in batch") != 0
            || spp_gpu_check_weights(op, pixel_weights, superpixel_map, batch) != 0
            || spp_gpu_check_table(op, "sizes", sizes, superpixel_map->ga.dimensions[0], n) != 0
            || spp_gpu_prepare_painted(op, feature_map, pooled, superpixel_map,
                                       ITEMSIZE_OUTPUT_0 == 4 ? GA_FLOAT : GA_DOUBLE, params->context) != 0)
        return -1;
    if (batch * channels * pixels == 0)
        return 0;
    return SPP_GPU_START(paint_weighted, op, batch * spp_gpu_ceil_divide(channels, 8)
                                                 * spp_gpu_ceil_divide(pixels, SPP_GROUP),
                         SPP_GPU_VALUES(pooled), SPP_GPU_IMAGES(labels), SPP_GPU_IMAGES(weights), pixels, n, channels,
                         ITEMSIZE_OUTPUT_0 == 4, SPP_GPU_RESULT(*feature_map));
}

#section kernels
/* One thread for a pixel and eight channels. */
KERNEL void paint_weighted(SPP_VALUES(ga_double, pooled), SPP_IMAGES(LABEL, labels), SPP_IMAGES(WEIGHT, weights),
                           ga_size pixels, ga_size n, ga_size channels, ga_int is_float32, SPP_RESULT(char, painted))
{
    const SppWork work = spp_work((channels + 7) / 8, (pixels + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size image = work.image, first = (ga_size)work.block * 8;
    const ga_size pixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (pixel < pixels) {
        const LABEL label = SPP_LABEL_AT(SPP_IMAGE(labels, image), pixel);
        const ga_double weight = *(GLOBAL_MEM const WEIGHT *)spp_pixel_at(SPP_IMAGE(weights, image), (ga_uint)pixel);
        const int is_none = SPP_IS_TOO_LARGE(label, n) || SPP_IS_NONE(label);
        ga_size c;
        for (c = first; c < first + 8 && c < channels; ++c) {
            const ga_size to = (image * channels + c) * pixels + pixel;
            ga_double product = 0;
            if (!is_none)
                product = weight * *SPP_VALUE_AT(ga_double, pooled, image, c, label);
            if (is_float32)
                SPP_RESULT_AT(ga_float, painted)[to] = (ga_float)product;
            else
                SPP_RESULT_AT(ga_double, painted)[to] = product;
        }
    }
}
