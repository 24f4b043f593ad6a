#include "labels/counted_pixels.h"
#include "memory/arrays.h"

#section constants
#define SPP_PAINTED_CHANNELS 8  /* channels that a thread writes for its pixel */

#section support_code_struct
/* [in]  pooled (batch, channels, n_superpixels), superpixel_map (batch, *spatial)
   [out] feature_map (batch, channels, *spatial) */
int APPLY_SPECIFIC(superpixel_unpool)(PyGpuArrayObject *pooled, PyGpuArrayObject *superpixel_map,
                                      PyGpuArrayObject **feature_map, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelUnpool";
    const size_t batch = pooled->ga.dimensions[0], channels = pooled->ga.dimensions[1], n = pooled->ga.dimensions[2];
    const size_t pixels = spp_gpu_pixels(superpixel_map, 1);
    const SppGpuGrid grid = spp_gpu_joined_grid(superpixel_map, 1);
    const size_t itemsize = GpuArray_ITEMSIZE(&pooled->ga);
    const int mean = params->mode == SPP_POOL_MEAN;
    const ssize_t value_strides[3] = {(ssize_t)(channels * n * itemsize), (ssize_t)(n * itemsize), (ssize_t)itemsize};
    const ssize_t *strides = mean ? value_strides : pooled->ga.strides;
    SppGpuScratch scratch = {params->context->ctx, op, {NULL}, 0};
    size_t shape[5] = {batch, channels, 0, 0, 0};
    gpudata *flag = NULL, *sizes = NULL, *values = NULL;
    unsigned int axis;
    int failed = -1;

    if (spp_gpu_check_shapes(op, "pooled", pooled, superpixel_map, SPP_GPU_POOLED_IN_BATCH) != 0
            || spp_gpu_check_sizes(op, superpixel_map, n) != 0)
        return -1;
    for (axis = 1; axis < superpixel_map->ga.nd; ++axis)
        shape[axis + 1] = superpixel_map->ga.dimensions[axis];
    if (spp_gpu_prepare(op, feature_map, superpixel_map->ga.nd + 1, shape, pooled->ga.typecode, params->context) != 0)
        return -1;
    if (batch * pixels == 0)
        return 0;
    /* labels are checked even if there are no channels */
    if ((flag = APPLY_SPECIFIC(new_flag)(&scratch)) == NULL
            || ((mean || channels == 0)
                && APPLY_SPECIFIC(count_pixels)(&scratch, superpixel_map, n, flag, &sizes) != 0)
            || (mean && (values = spp_gpu_allocate(&scratch, batch * channels * n, itemsize)) == NULL)
            || (mean && channels * n > 0
                && SPP_GPU_START(divide_by_sizes, op, batch * channels * spp_gpu_ceil_divide(n, SPP_GROUP),
                                 pooled->ga.data, pooled->ga.offset, pooled->ga.strides[0], pooled->ga.strides[1],
                                 pooled->ga.strides[2], n, channels, sizes, values) != 0)
            || (channels > 0
                && SPP_GPU_START(paint, op, batch * spp_gpu_ceil_divide(channels, SPP_PAINTED_CHANNELS)
                                                * spp_gpu_ceil_divide(pixels, SPP_GROUP),
                                 mean ? values : pooled->ga.data, mean ? 0 : pooled->ga.offset,
                                 strides[0], strides[1], strides[2], superpixel_map->ga.data, superpixel_map->ga.offset,
                                 superpixel_map->ga.strides[0], grid.rows, grid.length, grid.row0, grid.row1,
                                 grid.pixel, pixels, n, channels, (*feature_map)->ga.data, (*feature_map)->ga.offset,
                                 flag) != 0))
        goto done;
    failed = spp_gpu_check_flag(&scratch, flag, superpixel_map, n, "the number of superpixels in pooled is");
done:
    spp_gpu_release(&scratch);
    return failed;
}

#section kernels
/* values (batch, channels, n): divided once for each superpixel, because a division costs more than writing a pixel. */
KERNEL void divide_by_sizes(GLOBAL_MEM const FEATURE *pooled, ga_size pooled_offset, ga_ssize pooled_image,
                            ga_ssize pooled_channel, ga_ssize pooled_superpixel, ga_size n, ga_size channels,
                            GLOBAL_MEM const ga_int *sizes, GLOBAL_MEM FEATURE *values)
{
    const SppWork work = spp_work(channels, (n + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size superpixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (superpixel < n) {
        const FEATURE value = *(GLOBAL_MEM const FEATURE *)(
            (GLOBAL_MEM const char *)pooled + pooled_offset + (ga_ssize)work.image * pooled_image
            + (ga_ssize)work.block * pooled_channel + (ga_ssize)superpixel * pooled_superpixel);
        values[(work.image * channels + work.block) * n + superpixel] =
            (FEATURE)((ga_double)value / sizes[work.image * n + superpixel]);
    }
}

/* One thread for a pixel and a block of channels. */
KERNEL void paint(GLOBAL_MEM const FEATURE *pooled, ga_size pooled_offset, ga_ssize pooled_image,
                  ga_ssize pooled_channel, ga_ssize pooled_superpixel, GLOBAL_MEM const LABEL *labels,
                  ga_size labels_offset, ga_ssize image_stride, ga_size rows, ga_size length, ga_ssize row0,
                  ga_ssize row1, ga_ssize step, ga_size pixels, ga_size n, ga_size channels,
                  GLOBAL_MEM FEATURE *painted, ga_size painted_offset, GLOBAL_MEM ga_int *flag)
{
    const SppWork work = spp_work((channels + SPP_PAINTED_CHANNELS - 1) / SPP_PAINTED_CHANNELS,
                                  (pixels + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size image = work.image, first = (ga_size)work.block * SPP_PAINTED_CHANNELS;
    const ga_size pixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (pixel < pixels) {
        const LABEL label = *(GLOBAL_MEM const LABEL *)(
            (GLOBAL_MEM const char *)labels + labels_offset + (ga_ssize)image * image_stride
            + spp_offset((ga_uint)pixel, (ga_uint)rows, (ga_uint)length, row0, row1, step));
        const int too_large = SPP_IS_TOO_LARGE(label, n), is_none = too_large || SPP_IS_NONE(label);
        GLOBAL_MEM const char *value = (GLOBAL_MEM const char *)pooled + pooled_offset + (ga_ssize)image * pooled_image
            + (is_none ? 0 : (ga_ssize)label * pooled_superpixel);
        GLOBAL_MEM FEATURE *to = (GLOBAL_MEM FEATURE *)((GLOBAL_MEM char *)painted + painted_offset)
            + image * channels * pixels + pixel;
        FEATURE values_here[SPP_PAINTED_CHANNELS];
        ga_int c;
        if (too_large)
            *flag = 1;
        value += (ga_ssize)first * pooled_channel;
        to += first * pixels;
        for (c = 0; c < SPP_PAINTED_CHANNELS; ++c)  /* all loads are issued before the first store */
            values_here[c] = !is_none && first + c < channels
                ? *(GLOBAL_MEM const FEATURE *)(value + c * pooled_channel) : 0;
        for (c = 0; c < SPP_PAINTED_CHANNELS; ++c)
            if (first + c < channels)
                to[c * pixels] = values_here[c];
    }
}
