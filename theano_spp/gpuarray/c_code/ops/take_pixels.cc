#include "memory/arrays.h"
#include "memory/sizes.h"
#include "resize/interpolation.h"
#include "resize/resized_value.h"

#section support_code_struct
/* [in]  feature_map (batch, channels, *cells), pixels (batch, channels, n) int64, map_shape (axes) on the host
   [out] gathered (batch, channels, n): the resized features at the pixels, 0 for pixel -1 */
int APPLY_SPECIFIC(take_pixels)(PyGpuArrayObject *feature_map, PyGpuArrayObject *pixels, PyArrayObject *map_shape,
                                PyGpuArrayObject **gathered, PARAMS_TYPE *params)
{
    const char *op = "TakePixels";
    const unsigned int naxes = feature_map->ga.nd - 2;
    const size_t *cells = feature_map->ga.dimensions + 2, *shape = pixels->ga.dimensions;
    const SppGpuGrid grid = spp_gpu_grid(feature_map, 2);
    const int resize = params->resize != SPP_RESIZE_NONE, bilinear = params->resize == SPP_BILINEAR;
    const char *how = resize ? spp_gpu_resize_name(bilinear) : "none";
    SppGpuScratch scratch = {params->context->ctx, op, {NULL}, 0};
    SppGpuSampling sampling = {{1, 1, 1}, {1, 1, 1}, NULL, NULL};
    size_t spatial[3];
    size_t all;
    gpudata *flag = NULL;
    int failed = -1, is_bad = 0;

    if (APPLY_SPECIFIC(read_sizes)(map_shape, naxes, spatial) != 0
            || memcmp(feature_map->ga.dimensions, shape, 2 * sizeof(size_t)) != 0
            || (resize ? spp_gpu_lacks_cells(naxes, cells, spatial)
                       : memcmp(cells, spatial, naxes * sizeof(size_t)) != 0))
        return spp_gpu_raise_from_reference("(ss(OOO))", "take_pixels", how, feature_map, pixels, map_shape);
    all = spp_gpu_product(spatial, naxes);
    if (spp_gpu_prepare(op, gathered, 3, shape, feature_map->ga.typecode, params->context) != 0)
        return -1;
    if (shape[0] * shape[1] * shape[2] == 0)
        return 0;
    if ((flag = APPLY_SPECIFIC(new_flag)(&scratch)) == NULL
            || (all > 0 && APPLY_SPECIFIC(sample_axes)(&scratch, naxes, cells, spatial, bilinear, &sampling) != 0)
            || SPP_GPU_START(gather, op, spp_gpu_ceil_divide(shape[0] * shape[1] * shape[2], SPP_GROUP),
                             feature_map->ga.data, feature_map->ga.offset, feature_map->ga.strides[0],
                             feature_map->ga.strides[1], grid.row0, grid.row1, grid.pixel,
                             all > 0 ? sampling.low : flag, all > 0 ? sampling.cell_weights : flag, sampling.pixels[0],
                             sampling.pixels[1], sampling.pixels[2], all, pixels->ga.data, pixels->ga.offset,
                             pixels->ga.strides[0], pixels->ga.strides[1], pixels->ga.strides[2], shape[0], shape[1],
                             shape[2], (*gathered)->ga.data, (*gathered)->ga.offset, flag) != 0
            || spp_gpu_read_flag(&scratch, flag, &is_bad) != 0)
        goto done;
    failed = is_bad ? spp_gpu_raise_from_reference("(ss(OOO))", "take_pixels", how, feature_map, pixels, map_shape) : 0;
done:
    spp_gpu_release(&scratch);
    return failed;
}

#section kernels
/* One thread for a pixel. Without resize each pixel sees its own cell alone. */
KERNEL void gather(GLOBAL_MEM const FEATURE *features, ga_size features_offset, ga_ssize image_stride,
                   ga_ssize channel_stride, ga_ssize row0, ga_ssize row1, ga_ssize step, GLOBAL_MEM const ga_uint *low,
                   GLOBAL_MEM const ga_double *cell_weights, ga_size pixels0, ga_size pixels1, ga_size pixels2,
                   ga_size all, GLOBAL_MEM const ga_long *pixels, ga_size pixels_offset, ga_ssize pixels_image,
                   ga_ssize pixels_channel, ga_ssize pixels_superpixel, ga_size batch, ga_size channels, ga_size n,
                   GLOBAL_MEM FEATURE *gathered, ga_size gathered_offset, GLOBAL_MEM ga_int *flag)
{
    const ga_size i = (ga_size)GID_0 * SPP_GROUP + LID_0;
    if (i < batch * channels * n) {
        const ga_size image = i / n / channels, channel = i / n % channels;
        const ga_long pixel = *(GLOBAL_MEM const ga_long *)(
            (GLOBAL_MEM const char *)pixels + pixels_offset + (ga_ssize)image * pixels_image
            + (ga_ssize)channel * pixels_channel + (ga_ssize)(i % n) * pixels_superpixel);
        FEATURE value = 0;
        if (pixel >= 0 && (ga_ulong)pixel >= (ga_ulong)all)
            *flag = 1;
        else if (pixel >= 0)
            value = (FEATURE)spp_resized((GLOBAL_MEM const char *)features + features_offset
                                         + (ga_ssize)image * image_stride + (ga_ssize)channel * channel_stride,
                                         spp_seen((ga_ulong)pixel, low, cell_weights, pixels0, pixels1, pixels2),
                                         row0, row1, step);
        ((GLOBAL_MEM FEATURE *)((GLOBAL_MEM char *)gathered + gathered_offset))[i] = value;
    }
}
