#include "labels/label_map.h"
#include "memory/arrays.h"
#include "memory/errors.h"
#include "resize/interpolation.h"
#include "resize/sparse_rows.h"

#section support_code
#ifndef SPP_CELL_WEIGHTS
#define SPP_CELL_WEIGHTS

/* As SPP_PARALLEL_MINIMUM, in values touched (spp_work): the number of features says little, because one cell may
   count for many superpixels. Starting threads costs as much as touching 100,000 values, some 40 microseconds; from
   this number on two threads save a sixth or more. */
#define SPP_WORK_MINIMUM 250000

/* How much a cell counts for one superpixel, in pixels of the superpixel map. */
typedef struct {
    npy_intp superpixel;
    double weight;
} SppCellWeight;

/* The cell weights of one map, a sparse matrix with one row for each cell. It is small: one entry for each pair of a
   cell and a superpixel that meet. */
typedef SppSparseRows<SppCellWeight> SppCellWeights;

/* The support of each cell on one axis, the pixels that see it: begin[cell] .. end[cell] - 1. */
typedef struct {
    npy_intp *begin, *end;  /* (cells) */
} SppSupport;

static inline void spp_find_support(const SppAxis *axis, SppSupport support)
{
    npy_intp cell, p;
    for (cell = 0; cell < axis->cells; ++cell)
        support.begin[cell] = support.end[cell] = 0;
    for (p = axis->pixels - 1; p >= 0; --p)
        for (cell = axis->low[p]; cell <= spp_high(axis, p); ++cell) {
            support.begin[cell] = p;
            if (support.end[cell] == 0)
                support.end[cell] = p + 1;
        }
}

/* The weight of a cell in what a pixel sees, in units of 1 / scale. */
static inline npy_intp spp_weight(const SppAxis *axis, npy_intp pixel, npy_intp cell)
{
    return axis->low[pixel] == cell ? axis->scale - axis->fraction[pixel] : axis->fraction[pixel];
}

/* The number of values that pooling or unpooling touches: one for each channel and entry, and one for each channel
   and superpixel. [in] cell_weights: of each map */
static inline double spp_work(const SppCellWeights *cell_weights, PyArrayObject *superpixel_map, npy_intp batch,
                              npy_intp cells, npy_intp channels, npy_intp n_superpixels)
{
    double entries = 0;
    npy_intp image;
    for (image = 0; image < batch; ++image)
        entries += (double)cell_weights[spp_item_number(superpixel_map, image)].first[cells];
    return (double)channels * (entries + (double)batch * (double)n_superpixels);
}

#endif

#section support_code_apply
/* Cell weights are computed cell by cell from the labels of its support, run by run. Weights are summed as whole
   numbers, exactly, and scaled once.

   For pooling, a cell then counts for a superpixel by its weight alone: pooling resized features costs one
   multiplication for each entry and channel, whatever the number of pixels. */

/* Adds the weights of one row of pixels to the weights that their cell has for each superpixel.
   [in, out] weight (n_superpixels); touched: the superpixels whose weight is not 0  Returns their new number. */
static inline npy_intp APPLY_SPECIFIC(add_row)(const char *labels, npy_intp stride, const SppAxis *axis,
                                               npy_intp cell, npy_intp begin, npy_intp end, double row_weight,
                                               double *weight, npy_intp *touched, npy_intp n_touched)
{
    npy_intp p, q, run, sum;
    for (p = begin; p < end; p += run) {
        const LABEL label = *(const LABEL *)(labels + p * stride);
        run = APPLY_SPECIFIC(run_length)(labels + p * stride, stride, spp_minimum(end - p, axis->addable));
        if (SPP_IS_NONE(label))
            continue;
        sum = 0;
        for (q = p; q < p + run; ++q)
            sum += spp_weight(axis, q, cell);
        if (weight[(npy_intp)label] == 0)
            touched[n_touched++] = (npy_intp)label;
        weight[(npy_intp)label] += row_weight * (double)sum;
    }
    return n_touched;
}

/* The cell weights of one map. [in] support: of the three axes  [in, out] weight (n_superpixels): zeros, on return
   too
   Returns 0, or -1 if there is no memory (without an error set, because it runs without the interpreter).
   Arguments are passed by value and the function is kept out of the parallel loop, so that GCC keeps sizes in
   registers, which makes it faster by half. */
static __attribute__((noinline)) int APPLY_SPECIFIC(build_map_weights)(
    const char *labels, SppStrides walk, SppSampling sampling, const SppSupport *support, double *weight,
    npy_intp *touched, SppCellWeights *map_weights)
{
    const SppAxis *axis = sampling.axis;
    const double unit = (double)axis[0].scale * (double)axis[1].scale * (double)axis[2].scale;
    npy_intp x0, x1, x2, r0, r1, i, n_touched, cell = 0, entries = 0;
    if (spp_start_rows(map_weights, axis[0].cells * axis[1].cells * axis[2].cells) != 0)
        return -1;
    for (x0 = 0; x0 < axis[0].cells; ++x0)
        for (x1 = 0; x1 < axis[1].cells; ++x1)
            for (x2 = 0; x2 < axis[2].cells; ++x2) {
                map_weights->first[cell++] = entries;
                n_touched = 0;
                for (r0 = support[0].begin[x0]; r0 < support[0].end[x0]; ++r0)
                    for (r1 = support[1].begin[x1]; r1 < support[1].end[x1]; ++r1)
                        n_touched = APPLY_SPECIFIC(add_row)(
                            labels + r0 * walk.row[0] + r1 * walk.row[1], walk.pixel, axis + 2, x2,
                            support[2].begin[x2], support[2].end[x2],
                            (double)spp_weight(axis, r0, x0) * (double)spp_weight(axis + 1, r1, x1),
                            weight, touched, n_touched);
                for (i = 0; i < n_touched; ++i) {
                    const SppCellWeight entry = {touched[i], weight[touched[i]] / unit};
                    if (spp_append(map_weights, entries++, entry) != 0)
                        return -1;
                    weight[touched[i]] = 0;
                }
            }
    map_weights->first[cell] = entries;
    return 0;
}

/* The cell weights of all maps.
   [in] cells (axes): at least 1 each, those of an array; superpixel_map: checked, with pixels
   Returns NULL with an error set. Release with spp_free_rows. */
static SppCellWeights *APPLY_SPECIFIC(build_cell_weights)(const char *op, const npy_intp *cells,
                                                          PyArrayObject *superpixel_map, npy_intp n_superpixels,
                                                          int bilinear)
{
    const npy_intp maps = PyArray_DIM(superpixel_map, 0);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppStrides walk = spp_strides_of(superpixel_map, 1);
    const int threads = spp_number_of_threads();
    SppCellWeights *cell_weights = NULL;
    SppSupport support[3] = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}};
    SppSampling sampling;
    npy_intp *touched = NULL;
    double *weight = NULL;
    npy_intp map;
    int i, failed = 1;

    if (spp_sample(op, naxes, cells, PyArray_DIMS(superpixel_map) + 1, bilinear, &sampling) != 0)
        return NULL;
    for (i = 0; i < 3; ++i) {
        const npy_intp size = sampling.axis[i].cells;
        if ((support[i].begin = (npy_intp *)spp_allocate(op, size, "cells", 2, sizeof(npy_intp))) == NULL)
            goto done;
        support[i].end = support[i].begin + size;
        spp_find_support(&sampling.axis[i], support[i]);
    }
    if ((weight = (double *)spp_scratch(op, n_superpixels, threads, sizeof(double))) == NULL
            || (touched = (npy_intp *)spp_scratch(op, n_superpixels, threads, sizeof(npy_intp))) == NULL
            || (cell_weights = (SppCellWeights *)spp_allocate(op, maps, "images", 1, sizeof(SppCellWeights))) == NULL)
        goto done;
    failed = 0;
    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) reduction(|:failed) \
        if (maps > 1 && PyArray_SIZE(superpixel_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (map = 0; map < maps; ++map)
        failed |= 0 != APPLY_SPECIFIC(build_map_weights)(
            spp_labels_of(superpixel_map, map), walk, sampling, support, weight + spp_thread_number() * n_superpixels,
            touched + spp_thread_number() * n_superpixels, cell_weights + map);
    if (failed)
        spp_memory_error(op, spp_product(cells, naxes), "cells");
done:
    for (i = 0; i < 3; ++i)
        free(support[i].begin);
    free(weight);
    free(touched);
    spp_free_sampling(&sampling);
    if (failed) {
        spp_free_rows(cell_weights, maps);
        return NULL;
    }
    return cell_weights;
}

/* The first step of all ops with cell weights, before there is memory for a result: checks that there are cells, checks
   labels and counts sizes. Returns sizes (maps, n_superpixels), to be released with free; or NULL with an error set. */
static npy_int64 *APPLY_SPECIFIC(count_resized_sizes)(const char *op, const char *limit_name, const npy_intp *cells,
                                                      PyArrayObject *superpixel_map, npy_intp n_superpixels)
{
    if (spp_check_cells(op, PyArray_NDIM(superpixel_map) - 1, cells, PyArray_DIMS(superpixel_map) + 1) != 0)
        return NULL;
    return APPLY_SPECIFIC(count_sizes)(op, limit_name, superpixel_map, n_superpixels, NULL);
}
