#include "labels/counted_pixels.h"
#include "memory/arrays.h"

#section support_code_struct
/* [in]  pooled (batch, channels, n_superpixels) float64, superpixel_map and pixel_weights (batch, *spatial)
   [out] feature_map (batch, channels, *spatial) */
int APPLY_SPECIFIC(weighted_unpool)(PyGpuArrayObject *pooled, PyGpuArrayObject *superpixel_map,
                                    PyGpuArrayObject *pixel_weights, PyGpuArrayObject **feature_map,
                                    PARAMS_TYPE *params)
{
    const char *op = "WeightedUnpool";
    const size_t batch = pooled->ga.dimensions[0], channels = pooled->ga.dimensions[1], n = pooled->ga.dimensions[2];
    const size_t pixels = spp_gpu_pixels(superpixel_map, 1);
    const SppGpuGrid grid = spp_gpu_grid(superpixel_map, 1), weights = spp_gpu_grid(pixel_weights, 1);
    SppGpuScratch scratch = {params->context->ctx, op, {NULL}, 0};
    size_t shape[5] = {batch, channels, 0, 0, 0};
    gpudata *flag = NULL, *sizes = NULL;
    unsigned int axis;
    int failed = -1;

    if (batch != superpixel_map->ga.dimensions[0] || !spp_gpu_has_pixels_of_map(pixel_weights, superpixel_map))
        return spp_gpu_raise_from_reference("(sz(OOO))", "weighted_unpool", NULL, pooled, superpixel_map,
                                            pixel_weights);
    for (axis = 1; axis < superpixel_map->ga.nd; ++axis)
        shape[axis + 1] = superpixel_map->ga.dimensions[axis];
    if (spp_gpu_check_sizes(op, superpixel_map, n) != 0
            || spp_gpu_prepare(op, feature_map, superpixel_map->ga.nd + 1, shape,
                               ITEMSIZE_OUTPUT_0 == 4 ? GA_FLOAT : GA_DOUBLE, params->context) != 0)
        return -1;
    if (batch * pixels == 0)
        return 0;
    /* labels are checked even if there are no channels */
    if ((flag = APPLY_SPECIFIC(new_flag)(&scratch)) == NULL
            || (channels == 0 && APPLY_SPECIFIC(count_pixels)(&scratch, superpixel_map, n, flag, &sizes) != 0)
            || (channels > 0
                && SPP_GPU_START(paint_weighted, op, batch * spp_gpu_ceil_divide(channels, 8)
                                                         * spp_gpu_ceil_divide(pixels, SPP_GROUP),
                                 pooled->ga.data, pooled->ga.offset, pooled->ga.strides[0], pooled->ga.strides[1],
                                 pooled->ga.strides[2], superpixel_map->ga.data, superpixel_map->ga.offset,
                                 superpixel_map->ga.strides[0], grid.rows, grid.length, grid.row0, grid.row1,
                                 grid.pixel, pixel_weights->ga.data, pixel_weights->ga.offset,
                                 pixel_weights->ga.strides[0], weights.row0, weights.row1, weights.pixel, pixels, n,
                                 channels, ITEMSIZE_OUTPUT_0 == 4, (*feature_map)->ga.data, (*feature_map)->ga.offset,
                                 flag) != 0))
        goto done;
    failed = spp_gpu_check_flag(&scratch, flag, superpixel_map, n, "the number of superpixels in pooled is");
done:
    spp_gpu_release(&scratch);
    return failed;
}

#section kernels
/* One thread for a pixel and eight channels. */
KERNEL void paint_weighted(GLOBAL_MEM const ga_double *pooled, ga_size pooled_offset, ga_ssize pooled_image,
                           ga_ssize pooled_channel, ga_ssize pooled_superpixel, GLOBAL_MEM const LABEL *labels,
                           ga_size labels_offset, ga_ssize image_stride, ga_size rows, ga_size length, ga_ssize row0,
                           ga_ssize row1, ga_ssize step, GLOBAL_MEM const WEIGHT *weights, ga_size weights_offset,
                           ga_ssize weights_image, ga_ssize weights_row0, ga_ssize weights_row1, ga_ssize weights_step,
                           ga_size pixels, ga_size n, ga_size channels, ga_int is_float32, GLOBAL_MEM char *painted,
                           ga_size painted_offset, GLOBAL_MEM ga_int *flag)
{
    const ga_size groups = (pixels + SPP_GROUP - 1) / SPP_GROUP, blocks = (channels + 7) / 8;
    const SppWork work = spp_work(blocks, groups);
    const ga_size image = work.image, first = (ga_size)work.block * 8;
    const ga_size pixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (pixel < pixels) {
        const LABEL label = *(GLOBAL_MEM const LABEL *)(
            (GLOBAL_MEM const char *)labels + labels_offset + (ga_ssize)image * image_stride
            + spp_offset((ga_uint)pixel, (ga_uint)rows, (ga_uint)length, row0, row1, step));
        const ga_double weight = *(GLOBAL_MEM const WEIGHT *)(
            (GLOBAL_MEM const char *)weights + weights_offset + (ga_ssize)image * weights_image
            + spp_offset((ga_uint)pixel, (ga_uint)rows, (ga_uint)length, weights_row0, weights_row1, weights_step));
        const int too_large = SPP_IS_TOO_LARGE(label, n), is_none = too_large || SPP_IS_NONE(label);
        GLOBAL_MEM const char *value = (GLOBAL_MEM const char *)pooled + pooled_offset + (ga_ssize)image * pooled_image
            + (is_none ? 0 : (ga_ssize)label * pooled_superpixel);
        ga_size c;
        if (too_large)
            *flag = 1;
        for (c = first; c < first + 8 && c < channels; ++c) {
            const ga_size to = (image * channels + c) * pixels + pixel;
            ga_double product = 0;
            if (!is_none)
                product = weight * *(GLOBAL_MEM const ga_double *)(value + (ga_ssize)c * pooled_channel);
            if (is_float32)
                ((GLOBAL_MEM ga_float *)(painted + painted_offset))[to] = (ga_float)product;
            else
                ((GLOBAL_MEM ga_double *)(painted + painted_offset))[to] = product;
        }
    }
}
