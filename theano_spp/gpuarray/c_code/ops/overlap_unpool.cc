#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/compensated_sum.h"
#include "memory/images.h"
#include "resize/interpolation.h"
#include "resize/sampling.h"
#include "resize/support.h"

#section support_code_struct
/* [in]  pooled (batch, channels, n_superpixels), superpixel_map (1 or batch, *spatial), spatial_shape (axes) on the
         host, sizes: of ops/counted_pixels.cc
   [out] feature_map (batch, channels, *spatial_shape): for each cell, the weighted sum over its support */
int APPLY_SPECIFIC(overlap_unpool)(PyGpuArrayObject *pooled, PyGpuArrayObject *superpixel_map,
                                   PyArrayObject *spatial_shape, PyGpuArrayObject *sizes,
                                   PyGpuArrayObject **feature_map, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelOverlapUnpool";
    const size_t batch = pooled->ga.dimensions[0], channels = pooled->ga.dimensions[1], n = pooled->ga.dimensions[2];
    const unsigned int naxes = superpixel_map->ga.nd - 1;
    const SppGpuImages labels = spp_gpu_images(superpixel_map, 1);
    const size_t *spatial = superpixel_map->ga.dimensions + 1;
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    SppGpuSampling sampling;
    size_t shape[5] = {batch, channels, 0, 0, 0};
    int failed;

    if (spp_gpu_check_shapes(op, "pooled", pooled, superpixel_map, "pooled in batch") != 0
            || spp_gpu_read_sizes(op, "spatial_shape", spatial_shape, naxes, shape + 2) != 0
            || spp_gpu_check_cells(op, naxes, shape + 2, spatial) != 0
            || spp_gpu_check_table(op, "sizes", sizes, superpixel_map->ga.dimensions[0], n) != 0
            || spp_gpu_prepare(op, feature_map, 2 + naxes, shape, pooled->ga.typecode, params->context) != 0)
        return -1;
    if (spp_gpu_is_empty(pooled, superpixel_map))
        return APPLY_SPECIFIC(set_array)(op, *feature_map);
    failed = APPLY_SPECIFIC(sample_axes)(&call, naxes, shape + 2, spatial, params->resize == SPP_BILINEAR,
                                         &sampling) != 0
        || (channels > 0
            && SPP_GPU_START(add_support, op, batch * spp_gpu_ceil_divide(channels, 4)
                                                  * spp_gpu_ceil_divide(spp_gpu_product(shape + 2, naxes), SPP_GROUP),
                             SPP_GPU_VALUES(pooled), SPP_GPU_IMAGES(labels), SPP_GPU_AXES(sampling), n, channels,
                             superpixel_map->ga.dimensions[0], params->mode == SPP_POOL_MEAN, sizes->ga.data,
                             SPP_GPU_RESULT(*feature_map)) != 0);
    return spp_gpu_end(&call, failed);
}

#section kernels
/* One thread for a cell and four channels: adds up the superpixels' values over the cell's support, times the
   weights. */
KERNEL void add_support(SPP_VALUES(FEATURE, pooled), SPP_IMAGES(LABEL, labels), SPP_AXES(axes), ga_size n,
                        ga_size channels, ga_size maps, ga_int mean, GLOBAL_MEM const ga_int *sizes,
                        SPP_RESULT(FEATURE, cells))
{
    const SppAxes axes = SPP_AXES_OF(axes);
    const ga_size all = axes.cells0 * axes.cells1 * axes.cells2;
    const SppWork work = spp_work((channels + 3) / 4, (all + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size image = work.image, channel = (ga_size)work.block * 4, map = spp_map_of(image, maps);
    const ga_size cell = (ga_size)work.group * SPP_GROUP + LID_0;
    const ga_size x2 = cell % axes.cells2, x1 = cell / axes.cells2 % axes.cells1, x0 = cell / axes.cells2 / axes.cells1;
    const SppSupport support0 = spp_support(x0, axes.cells0, axes.pixels0);
    const SppSupport support1 = spp_support(x1, axes.cells1, axes.pixels1);
    const SppSupport support2 = spp_support(x2, axes.cells2, axes.pixels2);
    const SppImage image_labels = SPP_IMAGE(labels, image);
    ga_double sum[4] = {0, 0, 0, 0}, error[4] = {0, 0, 0, 0};
    ga_size p0, p1, p2;
    ga_int c;
    if (cell >= all)
        return;
    for (p0 = support0.begin; p0 < support0.end; ++p0) {
        const ga_double weight0 = spp_cell_weight(axes, p0, x0);
        for (p1 = support1.begin; p1 < support1.end; ++p1) {
            const ga_double weight1 = weight0 * spp_cell_weight(axes, axes.pixels0 + p1, x1);
            if (weight1 == 0)
                continue;
            for (p2 = support2.begin; p2 < support2.end; ++p2) {
                const ga_double weight = weight1 * spp_cell_weight(axes, axes.pixels0 + axes.pixels1 + p2, x2);
                const LABEL label = *(GLOBAL_MEM const LABEL *)spp_pixel_on_axes(image_labels, p0, p1, p2);
                if (weight == 0 || SPP_IS_NONE(label) || SPP_IS_TOO_LARGE(label, n))
                    continue;
                for (c = 0; c < 4; ++c)
                    if (channel + c < channels) {
                        ga_double value = *SPP_VALUE_AT(FEATURE, pooled, image, channel + c, label);
                        if (mean)
                            value /= sizes[map * n + (ga_size)label];
                        spp_add_compensated(&sum[c], &error[c], weight * value);
                    }
            }
        }
    }
    for (c = 0; c < 4; ++c)
        if (channel + c < channels)
            SPP_RESULT_AT(FEATURE, cells)[(image * channels + channel + c) * all + cell] =
                (FEATURE)spp_total(sum[c], error[c]);
}
