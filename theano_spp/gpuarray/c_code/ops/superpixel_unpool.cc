#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"

#section constants
#define SPP_PAINTED_CHANNELS 8  /* channels that a thread writes for its pixel */

#section support_code_struct
/* [in]  pooled (batch, channels, n_superpixels), superpixel_map (1 or batch, *spatial), sizes: of ops/counted_pixels.cc
   [out] feature_map (batch, channels, *spatial) */
int APPLY_SPECIFIC(superpixel_unpool)(PyGpuArrayObject *pooled, PyGpuArrayObject *superpixel_map,
                                      PyGpuArrayObject *sizes, PyGpuArrayObject **feature_map, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelUnpool";
    const size_t batch = pooled->ga.dimensions[0], channels = pooled->ga.dimensions[1], n = pooled->ga.dimensions[2];
    const size_t maps = superpixel_map->ga.dimensions[0], pixels = spp_gpu_pixels(superpixel_map, 1);
    const SppGpuImages labels = spp_gpu_joined_images(superpixel_map, 1);
    const size_t itemsize = GpuArray_ITEMSIZE(&pooled->ga);
    const int mean = params->mode == SPP_POOL_MEAN;
    const ssize_t value_strides[3] = {(ssize_t)(channels * n * itemsize), (ssize_t)(n * itemsize), (ssize_t)itemsize};
    const ssize_t *strides = mean ? value_strides : pooled->ga.strides;
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    gpudata *values = NULL;
    int failed;

    if (spp_gpu_check_shapes(op, "pooled", pooled, superpixel_map, "pooled in batch") != 0
            || spp_gpu_check_table(op, "sizes", sizes, maps, n) != 0
            || spp_gpu_prepare_painted(op, feature_map, pooled, superpixel_map, pooled->ga.typecode,
                                       params->context) != 0)
        return -1;
    if (batch * channels * pixels == 0)
        return 0;
    failed = (mean && (values = spp_gpu_allocate(&call, batch * channels * n, itemsize)) == NULL)
        || (mean && n > 0
            && SPP_GPU_START(divide_by_sizes, op, batch * channels * spp_gpu_ceil_divide(n, SPP_GROUP),
                             SPP_GPU_VALUES(pooled), n, channels, maps, sizes->ga.data, values) != 0)
        || SPP_GPU_START(paint, op, batch * spp_gpu_ceil_divide(channels, SPP_PAINTED_CHANNELS)
                                        * spp_gpu_ceil_divide(pixels, SPP_GROUP),
                         mean ? values : pooled->ga.data, mean ? 0 : pooled->ga.offset, strides[0], strides[1],
                         strides[2], SPP_GPU_IMAGES(labels), pixels, n, channels, SPP_GPU_RESULT(*feature_map)) != 0;
    return spp_gpu_end(&call, failed);
}

#section kernels
/* values (batch, channels, n): divided once for each superpixel, because a division costs more than writing a pixel. */
KERNEL void divide_by_sizes(SPP_VALUES(FEATURE, pooled), ga_size n, ga_size channels, ga_size maps,
                            GLOBAL_MEM const ga_int *sizes, GLOBAL_MEM FEATURE *values)
{
    const SppWork work = spp_work(channels, (n + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size superpixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (superpixel < n)
        values[(work.image * channels + work.block) * n + superpixel] =
            (FEATURE)((ga_double)*SPP_VALUE_AT(FEATURE, pooled, work.image, work.block, superpixel)
                      / sizes[spp_map_of(work.image, maps) * n + superpixel]);
}

/* One thread for a pixel and a block of channels. */
KERNEL void paint(SPP_VALUES(FEATURE, pooled), SPP_IMAGES(LABEL, labels), ga_size pixels, ga_size n, ga_size channels,
                  SPP_RESULT(FEATURE, painted))
{
    const SppWork work = spp_work((channels + SPP_PAINTED_CHANNELS - 1) / SPP_PAINTED_CHANNELS,
                                  (pixels + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size image = work.image, first = (ga_size)work.block * SPP_PAINTED_CHANNELS;
    const ga_size pixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (pixel < pixels) {
        const LABEL label = SPP_LABEL_AT(SPP_IMAGE(labels, image), pixel);
        const int is_none = SPP_IS_TOO_LARGE(label, n) || SPP_IS_NONE(label);
        GLOBAL_MEM const char *value = (GLOBAL_MEM const char *)SPP_VALUE_AT(FEATURE, pooled, image, first,
                                                                             is_none ? 0 : (ga_ssize)label);
        GLOBAL_MEM FEATURE *to = SPP_RESULT_AT(FEATURE, painted) + (image * channels + first) * pixels + pixel;
        FEATURE values_here[SPP_PAINTED_CHANNELS];
        ga_int c;
        for (c = 0; c < SPP_PAINTED_CHANNELS; ++c)  /* all loads are issued before the first store */
            values_here[c] = !is_none && first + c < channels
                ? *(GLOBAL_MEM const FEATURE *)(value + c * pooled_channel) : 0;
        for (c = 0; c < SPP_PAINTED_CHANNELS; ++c)
            if (first + c < channels)
                to[c * pixels] = values_here[c];
    }
}
