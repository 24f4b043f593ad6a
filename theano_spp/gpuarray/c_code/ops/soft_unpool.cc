#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"
#include "soft/cells.h"

#section constants
#define SPP_SOFT_CHANNELS 8  /* of a thread, for which it reads the weights of a pixel once */

#section support_code_struct
/* [in]  pooled (batch, channels, n_superpixels) float64, association (batch, 3 ** axes, *spatial), grid (axes) on the
         host
   [out] feature_map (batch, channels, *spatial) */
int APPLY_SPECIFIC(soft_unpool)(PyGpuArrayObject *pooled, PyGpuArrayObject *association, PyArrayObject *grid,
                                PyGpuArrayObject **feature_map, PARAMS_TYPE *params)
{
    const char *op = "SoftUnpool";
    const size_t batch = pooled->ga.dimensions[0], channels = pooled->ga.dimensions[1];
    const SppGpuImages weights = spp_gpu_images(association, 2);
    const unsigned int nd = association->ga.nd;
    size_t shape[5] = {batch, channels, 0, 0, 0};
    SppGpuCells cells;
    if (spp_gpu_read_grid(op, grid, NULL, association, pooled, &cells) != 0)
        return -1;
    memcpy(shape + 2, association->ga.dimensions + 2, (nd - 2) * sizeof(size_t));
    if (spp_gpu_prepare(op, feature_map, nd, shape, association->ga.typecode, params->context) != 0)
        return -1;
    if (batch * channels * cells.n_pixels == 0)
        return 0;
    return SPP_GPU_START(paint, op, batch * spp_gpu_ceil_divide(channels, SPP_SOFT_CHANNELS)
                                        * spp_gpu_ceil_divide(cells.n_pixels, SPP_GROUP),
                         SPP_GPU_VALUES(pooled), SPP_GPU_IMAGES(weights), association->ga.strides[1],
                         SPP_GPU_CELLS(cells), cells.n_pixels, channels, SPP_GPU_RESULT(*feature_map));
}

#section kernels
/* One thread for a pixel and a block of channels. */
KERNEL void paint(SPP_VALUES(ga_double, pooled), SPP_IMAGES(FEATURE, weights), ga_ssize neighbour_stride,
                  SPP_CELLS(grid), ga_size pixels, ga_size channels, SPP_RESULT(FEATURE, painted))
{
    const SppWork work = spp_work((channels + SPP_SOFT_CHANNELS - 1) / SPP_SOFT_CHANNELS,
                                  (pixels + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size channel = (ga_size)work.block * SPP_SOFT_CHANNELS, pixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (pixel < pixels) {
        const SppCells cells = SPP_CELLS_OF(grid);
        const SppCell place = spp_place((ga_uint)pixel, cells.pixels), cell = spp_cell_of(cells, place);
        GLOBAL_MEM const char *weight = spp_pixel_on_axes(SPP_IMAGE(weights, work.image), place.at[0], place.at[1],
                                                          place.at[2]);
        GLOBAL_MEM FEATURE *to = SPP_RESULT_AT(FEATURE, painted) + (work.image * channels + channel) * pixels + pixel;
        ga_double sum[SPP_SOFT_CHANNELS];
        ga_int k, c;
        for (c = 0; c < SPP_SOFT_CHANNELS; ++c)
            sum[c] = 0;
        for (k = 0; k < SPP_NEIGHBOURS; ++k) {
            const ga_int superpixel = spp_neighbour(cells, cell, k, 1);
            if (superpixel >= 0) {
                const ga_double w = (ga_double)*(GLOBAL_MEM const FEATURE *)(weight + k * neighbour_stride);
                for (c = 0; c < SPP_SOFT_CHANNELS; ++c)
                    if (channel + c < channels)
                        sum[c] += w * *SPP_VALUE_AT(ga_double, pooled, work.image, channel + c, superpixel);
            }
        }
        for (c = 0; c < SPP_SOFT_CHANNELS; ++c)
            if (channel + c < channels)
                to[c * pixels] = (FEATURE)sum[c];
    }
}
