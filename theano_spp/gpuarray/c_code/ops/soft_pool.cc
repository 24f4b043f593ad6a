#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/compensated_sum.h"
#include "memory/images.h"
#include "soft/cells.h"

#section constants
/* Channels of a thread, for which it reads the weights of a pixel once: as many as its registers hold sums of. */
#define SPP_SOFT_CHANNELS(itemsize) ((itemsize) == 8 ? 1 : 2)
#define SPP_SOFT_TOGETHER 9  /* neighbours whose sums a thread keeps at a time; all of them in two axes */

#section support_code_struct
/* Each grid cell is summed by some threads, for each of its neighbours: its partial sums of them. A second kernel adds
   up the partial sums of each superpixel, which has one from each grid cell around it.

   [in]  feature_map (batch, channels, *spatial), association (batch, 3 ** axes, *spatial), grid (axes) on the host
   [out] sums (batch, channels, n_superpixels) float64, totals (batch, n_superpixels) float64: of the weights, as if
         they were one more channel, which has the value 1 everywhere */
int APPLY_SPECIFIC(soft_pool)(PyGpuArrayObject *feature_map, PyGpuArrayObject *association, PyArrayObject *grid,
                              PyGpuArrayObject **sums, PyGpuArrayObject **totals, PARAMS_TYPE *params)
{
    const char *op = "SoftPool";
    const size_t batch = feature_map->ga.dimensions[0], channels = feature_map->ga.dimensions[1], all = channels + 1;
    const SppGpuImages features = spp_gpu_images(feature_map, 2), weights = spp_gpu_images(association, 2);
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    const size_t width = SPP_SOFT_CHANNELS(GpuArray_ITEMSIZE(&feature_map->ga));
    SppGpuCells cells;
    size_t totals_shape[2] = {batch, 0}, threads = 8, per_group;
    gpudata *partials;
    int failed;
    if (spp_gpu_read_grid(op, grid, feature_map, association, NULL, &cells) != 0)
        return -1;
    totals_shape[1] = cells.n_cells;
    if (spp_gpu_prepare_pooled(op, sums, feature_map, cells.n_cells, GA_DOUBLE, params->context) != 0
            || spp_gpu_prepare(op, totals, 2, totals_shape, GA_DOUBLE, params->context) != 0)
        return -1;
    if (batch * cells.n_cells * cells.n_pixels == 0)
        return APPLY_SPECIFIC(set_array)(op, *sums) != 0 || APPLY_SPECIFIC(set_array)(op, *totals) != 0 ? -1 : 0;
    while (threads < SPP_GROUP && threads * cells.n_cells < cells.n_pixels)
        threads *= 2;
    per_group = SPP_GROUP / threads;
    failed = (partials = spp_gpu_allocate(&call, batch * all * cells.n_cells,
                                       (size_t)association->ga.dimensions[1] * sizeof(double))) == NULL
        || SPP_GPU_START(sum_cells, op, batch * spp_gpu_ceil_divide(all, width)
                                            * spp_gpu_ceil_divide(cells.n_cells, per_group),
                         SPP_GPU_IMAGES(features), feature_map->ga.strides[1], SPP_GPU_IMAGES(weights),
                         association->ga.strides[1], SPP_GPU_CELLS(cells), cells.n_cells, channels, threads,
                         partials) != 0
        || SPP_GPU_START(add_partial_sums, op, batch * all * spp_gpu_ceil_divide(cells.n_cells, SPP_GROUP), partials,
                         SPP_GPU_CELLS(cells), cells.n_cells, channels, SPP_GPU_RESULT(*sums),
                         SPP_GPU_RESULT(*totals)) != 0;
    return spp_gpu_end(&call, failed);
}

#section device_code
#define SPP_WIDTH SPP_SOFT_CHANNELS(sizeof(FEATURE))

#section kernels
/* partials (batch, channels + 1, cells, SPP_NEIGHBOURS) */
KERNEL void sum_cells(SPP_IMAGES(FEATURE, features), ga_ssize channel_stride, SPP_IMAGES(FEATURE, weights),
                      ga_ssize neighbour_stride, SPP_CELLS(grid), ga_size n_cells, ga_size channels, ga_size threads,
                      GLOBAL_MEM ga_double *partials)
{
    LOCAL_MEM ga_double of_threads[SPP_SOFT_TOGETHER * SPP_GROUP];
    const ga_size all = channels + 1, per_group = SPP_GROUP / threads;
    const SppWork work = spp_work((all + SPP_WIDTH - 1) / SPP_WIDTH,
                                  (n_cells + per_group - 1) / per_group);
    const ga_size channel = (ga_size)work.block * SPP_WIDTH;
    const ga_size number = work.group * per_group + LID_0 / (ga_uint)threads;
    const ga_uint thread = LID_0 % (ga_uint)threads;
    const SppCells cells = SPP_CELLS_OF(grid);
    const SppCell cell = spp_place((ga_uint)(number < n_cells ? number : 0), cells.cells);
    const SppImage image = SPP_IMAGE(features, work.image), image_weights = SPP_IMAGE(weights, work.image);
    ga_uint size[3], first[3], pixels = 1, p, fold;
    ga_int axis, k, j, c;
    for (axis = 0; axis < 3; ++axis) {
        first[axis] = spp_first_pixel(cells, axis, cell.at[axis]);
        size[axis] = spp_first_pixel(cells, axis, cell.at[axis] + 1) - first[axis];
        pixels *= size[axis];
    }
    if (number >= n_cells)
        pixels = 0;
    for (k = 0; k < SPP_NEIGHBOURS; k += SPP_SOFT_TOGETHER) {
        ga_double sum[SPP_WIDTH][SPP_SOFT_TOGETHER], error[SPP_WIDTH][SPP_SOFT_TOGETHER];
        for (c = 0; c < SPP_WIDTH; ++c)
            for (j = 0; j < SPP_SOFT_TOGETHER; ++j)
                sum[c][j] = error[c][j] = 0;
        for (p = thread; p < pixels; p += (ga_uint)threads) {
            const SppCell place = spp_place(p, size);
            const ga_size x0 = first[0] + place.at[0], x1 = first[1] + place.at[1], x2 = first[2] + place.at[2];
            GLOBAL_MEM const char *feature = spp_pixel_on_axes(image, x0, x1, x2);
            GLOBAL_MEM const char *weight = spp_pixel_on_axes(image_weights, x0, x1, x2);
            ga_double value[SPP_WIDTH];
            for (c = 0; c < SPP_WIDTH; ++c)
                value[c] = channel + c < channels ? (ga_double)*(GLOBAL_MEM const FEATURE *)(
                    feature + (ga_ssize)(channel + c) * channel_stride) : 1;
            for (j = 0; j < SPP_SOFT_TOGETHER; ++j)
                if (k + j < SPP_NEIGHBOURS) {
                    const ga_double w = (ga_double)*(GLOBAL_MEM const FEATURE *)(weight + (k + j) * neighbour_stride);
                    for (c = 0; c < SPP_WIDTH; ++c)
                        if (sizeof(FEATURE) == 8)
                            spp_add_compensated(&sum[c][j], &error[c][j], w * value[c]);
                        else
                            sum[c][j] += w * value[c];
                }
        }
        for (c = 0; c < SPP_WIDTH; ++c) {
            for (j = 0; j < SPP_SOFT_TOGETHER; ++j)
                of_threads[j * SPP_GROUP + LID_0] = spp_total(sum[c][j], error[c][j]);
            for (fold = (ga_uint)threads / 2; fold > 0; fold /= 2) {
                local_barrier();
                if (thread < fold)
                    for (j = 0; j < SPP_SOFT_TOGETHER; ++j)
                        of_threads[j * SPP_GROUP + LID_0] += of_threads[j * SPP_GROUP + LID_0 + fold];
            }
            local_barrier();
            if (thread == 0 && number < n_cells && channel + c < all)
                for (j = 0; j < SPP_SOFT_TOGETHER; ++j)
                    if (k + j < SPP_NEIGHBOURS)
                        partials[((work.image * all + channel + c) * n_cells + number) * SPP_NEIGHBOURS + k + j]
                            = of_threads[j * SPP_GROUP + LID_0];
            local_barrier();
        }
    }
}

/* One thread for a superpixel in one channel. */
KERNEL void add_partial_sums(GLOBAL_MEM const ga_double *partials, SPP_CELLS(grid), ga_size n_cells, ga_size channels,
                      SPP_RESULT(ga_double, sums), SPP_RESULT(ga_double, totals))
{
    const ga_size all = channels + 1;
    const SppWork work = spp_work(all, (n_cells + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size superpixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (superpixel < n_cells) {
        const SppCells cells = SPP_CELLS_OF(grid);
        const SppCell place = spp_place((ga_uint)superpixel, cells.cells);
        const ga_size channel = work.image * all + work.block;
        GLOBAL_MEM const ga_double *partials_here = partials + channel * n_cells * SPP_NEIGHBOURS;
        ga_double sum = 0, error = 0;
        ga_int k;
        for (k = 0; k < SPP_NEIGHBOURS; ++k) {
            const ga_int cell = spp_neighbour(cells, place, k, -1);
            if (cell >= 0)
                spp_add_compensated(&sum, &error, partials_here[(ga_size)cell * SPP_NEIGHBOURS + k]);
        }
        if (work.block < channels)
            SPP_RESULT_AT(ga_double, sums)[(work.image * channels + work.block) * n_cells + superpixel]
                = spp_total(sum, error);
        else
            SPP_RESULT_AT(ga_double, totals)[work.image * n_cells + superpixel] = spp_total(sum, error);
    }
}
