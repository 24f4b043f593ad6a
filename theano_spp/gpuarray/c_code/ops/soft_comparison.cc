#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/compensated_sum.h"
#include "memory/images.h"
#include "soft/cells.h"

#section support_code_struct
/* [in]  feature_map (batch, channels, *spatial), pooled (batch, channels, n_superpixels) float64, grid (axes) on the
         host
   [out] compared (batch, 3 ** axes, *spatial): dot products or weights, 0 where the grid ends */
int APPLY_SPECIFIC(soft_comparison)(PyGpuArrayObject *feature_map, PyGpuArrayObject *pooled, PyArrayObject *grid,
                                    PyGpuArrayObject **compared, PARAMS_TYPE *params)
{
    const int association = params->kind == SPP_SOFT_ASSOCIATION;
    const char *op = association ? "SoftAssociation" : "SoftDot";
    const size_t batch = feature_map->ga.dimensions[0];
    const SppGpuImages features = spp_gpu_images(feature_map, 2);
    const unsigned int nd = feature_map->ga.nd;
    size_t shape[5] = {batch, nd == 3 ? 3 : nd == 4 ? 9 : 27, 0, 0, 0};
    SppGpuCells cells;
    if (spp_gpu_read_grid(op, grid, feature_map, NULL, pooled, &cells) != 0)
        return -1;
    memcpy(shape + 2, feature_map->ga.dimensions + 2, (nd - 2) * sizeof(size_t));
    if (spp_gpu_prepare(op, compared, nd, shape, feature_map->ga.typecode, params->context) != 0)
        return -1;
    if (batch * cells.n_pixels == 0)
        return 0;
    return SPP_GPU_START(compare, op, batch * spp_gpu_ceil_divide(cells.n_pixels, SPP_GROUP),
                         SPP_GPU_IMAGES(features), feature_map->ga.strides[1], SPP_GPU_VALUES(pooled),
                         SPP_GPU_CELLS(cells), cells.n_pixels, feature_map->ga.dimensions[1], association,
                         SPP_GPU_RESULT(*compared));
}

#section kernels
/* One thread for a pixel: neighbouring threads read neighbouring features of a channel, and the same superpixels. Sums
   of float64 are compensated, because there may be many channels, but for volumes, where registers would not do. */
KERNEL void compare(SPP_IMAGES(FEATURE, features), ga_ssize channel_stride, SPP_VALUES(ga_double, pooled),
                    SPP_CELLS(grid), ga_size pixels, ga_size channels, ga_int association,
                    SPP_RESULT(FEATURE, compared))
{
    const SppWork work = spp_work(1, (pixels + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size pixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (pixel < pixels) {
        const SppCells cells = SPP_CELLS_OF(grid);
        const SppCell place = spp_place((ga_uint)pixel, cells.pixels), cell = spp_cell_of(cells, place);
        GLOBAL_MEM const char *feature = spp_pixel_on_axes(SPP_IMAGE(features, work.image), place.at[0], place.at[1],
                                                           place.at[2]);
        GLOBAL_MEM FEATURE *to = SPP_RESULT_AT(FEATURE, compared) + work.image * SPP_NEIGHBOURS * pixels + pixel;
        ga_int superpixel[SPP_NEIGHBOURS];
        ga_double result[SPP_NEIGHBOURS], error[SPP_NEIGHBOURS], smallest, total = 0;
        ga_size c;
        ga_int k;
        for (k = 0; k < SPP_NEIGHBOURS; ++k) {
            superpixel[k] = spp_neighbour(cells, cell, k, 1);
            result[k] = error[k] = 0;
        }
        for (c = 0; c < channels; ++c) {
            const ga_double x = (ga_double)*(GLOBAL_MEM const FEATURE *)(feature + (ga_ssize)c * channel_stride);
            for (k = 0; k < SPP_NEIGHBOURS; ++k)
                if (superpixel[k] >= 0) {
                    const ga_double y = *SPP_VALUE_AT(ga_double, pooled, work.image, c, superpixel[k]);
                    const ga_double term = association ? (x - y) * (x - y) : x * y;
                    if (sizeof(FEATURE) == 8 && SPP_SOFT_AXES < 3)
                        spp_add_compensated(&result[k], &error[k], term);
                    else
                        result[k] += term;
                }
        }
        for (k = 0; k < SPP_NEIGHBOURS; ++k)
            result[k] = spp_total(result[k], error[k]);
        if (association) {
            smallest = result[SPP_NEIGHBOURS / 2];  /* of the cell itself, always on the grid */
            for (k = 0; k < SPP_NEIGHBOURS; ++k)
                if (superpixel[k] >= 0 && result[k] < smallest)
                    smallest = result[k];
            for (k = 0; k < SPP_NEIGHBOURS; ++k)
                if (superpixel[k] >= 0) {
                    result[k] = exp(smallest - result[k]);
                    total += result[k];
                }
            for (k = 0; k < SPP_NEIGHBOURS; ++k)
                if (superpixel[k] >= 0)
                    result[k] /= total;
        }
        for (k = 0; k < SPP_NEIGHBOURS; ++k)
            to[k * pixels] = (FEATURE)result[k];
    }
}
