#include "memory/arrays.h"

#section support_code_struct
/* [in]  feature_map (batch, channels, *spatial), pooled (batch, channels, n_superpixels) float64,
         superpixel_map (batch, *spatial)
   [out] dot (batch, *spatial) float64 */
int APPLY_SPECIFIC(pixel_dot)(PyGpuArrayObject *feature_map, PyGpuArrayObject *pooled, PyGpuArrayObject *superpixel_map,
                              PyGpuArrayObject **dot, PARAMS_TYPE *params)
{
    const char *op = "PixelDot";
    const size_t batch = feature_map->ga.dimensions[0], channels = feature_map->ga.dimensions[1];
    const size_t pixels = spp_gpu_pixels(superpixel_map, 1), n = pooled->ga.dimensions[2];
    const SppGpuGrid grid = spp_gpu_grid(superpixel_map, 1), features = spp_gpu_grid(feature_map, 2);
    SppGpuScratch scratch = {params->context->ctx, op, {NULL}, 0};
    gpudata *flag = NULL;
    int failed = -1;

    if (!spp_gpu_has_pixels_of_map(feature_map, superpixel_map) || pooled->ga.dimensions[0] != batch
            || pooled->ga.dimensions[1] != channels)
        return spp_gpu_raise_from_reference("(sz(OOO))", "pixel_dot", NULL, feature_map, pooled, superpixel_map);
    if (spp_gpu_check_sizes(op, superpixel_map, n) != 0
            || spp_gpu_prepare(op, dot, superpixel_map->ga.nd, superpixel_map->ga.dimensions, GA_DOUBLE,
                               params->context) != 0)
        return -1;
    if (batch * pixels == 0)
        return 0;
    if ((flag = APPLY_SPECIFIC(new_flag)(&scratch)) == NULL
            || SPP_GPU_START(multiply_and_add, op, batch * spp_gpu_ceil_divide(pixels, SPP_GROUP), feature_map->ga.data,
                             feature_map->ga.offset, feature_map->ga.strides[0], feature_map->ga.strides[1],
                             features.row0, features.row1, features.pixel, pooled->ga.data, pooled->ga.offset,
                             pooled->ga.strides[0], pooled->ga.strides[1], pooled->ga.strides[2],
                             superpixel_map->ga.data, superpixel_map->ga.offset, superpixel_map->ga.strides[0],
                             grid.rows, grid.length, grid.row0, grid.row1, grid.pixel, pixels, n, channels,
                             (*dot)->ga.data, (*dot)->ga.offset, flag) != 0)
        goto done;
    failed = spp_gpu_check_flag(&scratch, flag, superpixel_map, n, "the number of superpixels in pooled is");
done:
    spp_gpu_release(&scratch);
    return failed;
}

#section kernels
/* One thread for a pixel: neighbouring threads read neighbouring features of a channel. Sums are compensated,
   because there may be many channels. */
KERNEL void multiply_and_add(GLOBAL_MEM const FEATURE *features, ga_size features_offset, ga_ssize features_image,
                             ga_ssize features_channel, ga_ssize features_row0, ga_ssize features_row1,
                             ga_ssize features_step, GLOBAL_MEM const ga_double *pooled, ga_size pooled_offset,
                             ga_ssize pooled_image, ga_ssize pooled_channel, ga_ssize pooled_superpixel,
                             GLOBAL_MEM const LABEL *labels, ga_size labels_offset, ga_ssize image_stride, ga_size rows,
                             ga_size length, ga_ssize row0, ga_ssize row1, ga_ssize step, ga_size pixels, ga_size n,
                             ga_size channels, GLOBAL_MEM ga_double *dot, ga_size dot_offset, GLOBAL_MEM ga_int *flag)
{
    const ga_size groups = (pixels + SPP_GROUP - 1) / SPP_GROUP;
    const SppWork work = spp_work(1, groups);
    const ga_size image = work.image, pixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (pixel < pixels) {
        const LABEL label = *(GLOBAL_MEM const LABEL *)(
            (GLOBAL_MEM const char *)labels + labels_offset + (ga_ssize)image * image_stride
            + spp_offset((ga_uint)pixel, (ga_uint)rows, (ga_uint)length, row0, row1, step));
        ga_double sum = 0, error = 0;
        ga_size c;
        if (SPP_IS_TOO_LARGE(label, n))
            *flag = 1;
        else if (!SPP_IS_NONE(label)) {
            GLOBAL_MEM const char *feature = (GLOBAL_MEM const char *)features + features_offset
                + (ga_ssize)image * features_image
                + spp_offset((ga_uint)pixel, (ga_uint)rows, (ga_uint)length, features_row0, features_row1,
                             features_step);
            GLOBAL_MEM const char *value = (GLOBAL_MEM const char *)pooled + pooled_offset
                + (ga_ssize)image * pooled_image + (ga_ssize)label * pooled_superpixel;
            for (c = 0; c < channels; ++c)
                spp_add_compensated(
                    &sum, &error, (ga_double)*(GLOBAL_MEM const FEATURE *)(feature + (ga_ssize)c * features_channel)
                                  * *(GLOBAL_MEM const ga_double *)(value + (ga_ssize)c * pooled_channel));
        }
        ((GLOBAL_MEM ga_double *)((GLOBAL_MEM char *)dot + dot_offset))[image * pixels + pixel] =
            spp_total(sum, error);
    }
}
