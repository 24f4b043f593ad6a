#include "labels/counted_pixels.h"
#include "memory/arrays.h"
#include "memory/sizes.h"
#include "resize/interpolation.h"
#include "resize/support.h"

#section support_code_struct
/* [in]  pooled (batch, channels, n_superpixels), superpixel_map (batch, *spatial), spatial_shape (axes) on the host
   [out] feature_map (batch, channels, *spatial_shape): for each cell, the weighted sum over its support */
int APPLY_SPECIFIC(overlap_unpool)(PyGpuArrayObject *pooled, PyGpuArrayObject *superpixel_map,
                                   PyArrayObject *spatial_shape, PyGpuArrayObject **feature_map, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelOverlapUnpool";
    const size_t batch = pooled->ga.dimensions[0], channels = pooled->ga.dimensions[1], n = pooled->ga.dimensions[2];
    const size_t pixels = spp_gpu_pixels(superpixel_map, 1);
    const unsigned int naxes = superpixel_map->ga.nd - 1;
    const SppGpuGrid grid = spp_gpu_grid(superpixel_map, 1);
    const int mean = params->mode == SPP_POOL_MEAN, bilinear = params->resize == SPP_BILINEAR;
    SppGpuScratch scratch = {params->context->ctx, op, {NULL}, 0};
    SppGpuSampling sampling;
    size_t shape[5] = {batch, channels, 0, 0, 0};
    gpudata *flag = NULL, *sizes = NULL;
    size_t cells;
    int failed = -1;

    if (batch != superpixel_map->ga.dimensions[0]
            || APPLY_SPECIFIC(read_sizes)(spatial_shape, naxes, shape + 2) != 0
            || spp_gpu_lacks_cells(naxes, shape + 2, superpixel_map->ga.dimensions + 1))
        return spp_gpu_raise_from_reference("(ss(OOO))", "overlap_unpool", NULL, pooled, superpixel_map, spatial_shape);
    if (spp_gpu_check_sizes(op, superpixel_map, n) != 0
            || spp_gpu_prepare(op, feature_map, 2 + naxes, shape, pooled->ga.typecode, params->context) != 0)
        return -1;
    cells = spp_gpu_product(shape + 2, naxes);
    if (batch * pixels == 0)
        return APPLY_SPECIFIC(set_array)(op, *feature_map);
    if ((flag = APPLY_SPECIFIC(new_flag)(&scratch)) == NULL
            || APPLY_SPECIFIC(count_pixels)(&scratch, superpixel_map, n, flag, &sizes) != 0
            || APPLY_SPECIFIC(sample_axes)(&scratch, naxes, shape + 2, superpixel_map->ga.dimensions + 1, bilinear,
                                           &sampling) != 0
            || (channels > 0
                && SPP_GPU_START(add_support, op, batch * spp_gpu_ceil_divide(channels, 4)
                                                       * spp_gpu_ceil_divide(cells, SPP_GROUP),
                                 pooled->ga.data, pooled->ga.offset, pooled->ga.strides[0], pooled->ga.strides[1],
                                 pooled->ga.strides[2], superpixel_map->ga.data, superpixel_map->ga.offset,
                                 superpixel_map->ga.strides[0], grid.row0, grid.row1, grid.pixel, sampling.low,
                                 sampling.cell_weights, sampling.pixels[0], sampling.pixels[1], sampling.pixels[2],
                                 sampling.cells[0], sampling.cells[1], sampling.cells[2], n, channels, mean, sizes,
                                 (*feature_map)->ga.data, (*feature_map)->ga.offset) != 0))
        goto done;
    failed = spp_gpu_check_flag(&scratch, flag, superpixel_map, n, "the number of superpixels in pooled is");
done:
    spp_gpu_release(&scratch);
    return failed;
}

#section kernels
/* One thread for a cell and four channels: adds up the superpixels' values over the cell's support, times the
   weights. */
KERNEL void add_support(GLOBAL_MEM const FEATURE *pooled, ga_size pooled_offset, ga_ssize pooled_image,
                        ga_ssize pooled_channel, ga_ssize pooled_superpixel, GLOBAL_MEM const LABEL *labels,
                        ga_size labels_offset, ga_ssize image_stride, ga_ssize row0, ga_ssize row1, ga_ssize step,
                        GLOBAL_MEM const ga_uint *low, GLOBAL_MEM const ga_double *cell_weights, ga_size pixels0,
                        ga_size pixels1, ga_size pixels2, ga_size cells0, ga_size cells1, ga_size cells2, ga_size n,
                        ga_size channels, ga_int mean, GLOBAL_MEM const ga_int *sizes, GLOBAL_MEM FEATURE *cells,
                        ga_size cells_offset)
{
    const ga_size all = cells0 * cells1 * cells2, groups = (all + SPP_GROUP - 1) / SPP_GROUP;
    const ga_size blocks = (channels + 3) / 4;
    const SppWork work = spp_work(blocks, groups);
    const ga_size image = work.image, channel = (ga_size)work.block * 4;
    const ga_size cell = (ga_size)work.group * SPP_GROUP + LID_0;
    const ga_size x2 = cell % cells2, x1 = cell / cells2 % cells1, x0 = cell / cells2 / cells1;
    GLOBAL_MEM const char *image_labels = (GLOBAL_MEM const char *)labels + labels_offset
        + (ga_ssize)image * image_stride;
    GLOBAL_MEM const char *values = (GLOBAL_MEM const char *)pooled + pooled_offset + (ga_ssize)image * pooled_image
        + (ga_ssize)channel * pooled_channel;
    ga_double sum[4] = {0, 0, 0, 0}, error[4] = {0, 0, 0, 0};
    ga_size p0, p1, p2;
    ga_int c;
    if (cell >= all)
        return;
    for (p0 = spp_support_begin(x0, cells0, pixels0); p0 < spp_support_end(x0, cells0, pixels0); ++p0) {
        const ga_double weight0 = spp_cell_weight(low, cell_weights, p0, x0);
        for (p1 = spp_support_begin(x1, cells1, pixels1); p1 < spp_support_end(x1, cells1, pixels1); ++p1) {
            const ga_double weight1 = weight0 * spp_cell_weight(low, cell_weights, pixels0 + p1, x1);
            if (weight1 == 0)
                continue;
            for (p2 = spp_support_begin(x2, cells2, pixels2); p2 < spp_support_end(x2, cells2, pixels2); ++p2) {
                const ga_double weight = weight1 * spp_cell_weight(low, cell_weights, pixels0 + pixels1 + p2, x2);
                const LABEL label = *(GLOBAL_MEM const LABEL *)(image_labels + (ga_ssize)p0 * row0 + (ga_ssize)p1 * row1
                                                                + (ga_ssize)p2 * step);
                if (weight == 0 || SPP_IS_NONE(label) || SPP_IS_TOO_LARGE(label, n))
                    continue;
                for (c = 0; c < 4; ++c)
                    if (channel + c < channels) {
                        ga_double value = *(GLOBAL_MEM const FEATURE *)(values + c * pooled_channel
                                                                        + (ga_ssize)label * pooled_superpixel);
                        if (mean)
                            value /= sizes[image * n + (ga_size)label];
                        spp_add_compensated(&sum[c], &error[c], weight * value);
                    }
            }
        }
    }
    for (c = 0; c < 4; ++c)
        if (channel + c < channels)
            ((GLOBAL_MEM FEATURE *)((GLOBAL_MEM char *)cells + cells_offset))[
                (image * channels + channel + c) * all + cell] = (FEATURE)spp_total(sum[c], error[c]);
}
