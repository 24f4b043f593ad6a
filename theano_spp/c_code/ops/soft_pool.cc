#include "memory/arrays.h"
#include "memory/unroll.h"
#include "pool/compensated_sum.h"
#include "soft/cells.h"

#section support_code_apply
#define SPP_SOFT_POOL_CHANNELS 32  /* a block, for which the weights of a strip are read once */

/* The sum of the lanes, in the same order on every machine. */
static inline double APPLY_SPECIFIC(sum_of_lanes)(const APPLY_SPECIFIC(Doubles) *lanes)
{
    return ((*lanes)[0] + (*lanes)[2]) + ((*lanes)[1] + (*lanes)[3]);
}

/* The sums of weight times value over the pixels of a strip -> sums (SPP_NEIGHBOURS). */
static inline void APPLY_SPECIFIC(weigh_strip)(const APPLY_SPECIFIC(StripValues) *weights, const double *values,
                                               npy_intp vectors, double *sums)
{
    npy_intp i;
    int k, j;
    for (k = 0; k < SPP_NEIGHBOURS; k += SPP_SOFT_ACCUMULATORS) {
        APPLY_SPECIFIC(Doubles) sum[SPP_SOFT_ACCUMULATORS] = {{0}};
        for (i = 0; i < vectors; ++i) {
            const APPLY_SPECIFIC(Doubles) value = ((const APPLY_SPECIFIC(Doubles) *)values)[i];
            SPP_UNROLL
            for (j = 0; j < SPP_SOFT_ACCUMULATORS; ++j)
                sum[j] += ((const APPLY_SPECIFIC(Doubles) *)weights[k + j])[i] * value;
        }
        for (j = 0; j < SPP_SOFT_ACCUMULATORS; ++j)
            sums[k + j] = APPLY_SPECIFIC(sum_of_lanes)(&sum[j]);
    }
}

/* Adds the sums of one strip in channel c to those of the superpixels around its cell. */
static inline void APPLY_SPECIFIC(add_to_neighbours)(const APPLY_SPECIFIC(Cell) *cell, const double *sums, npy_intp c,
                                                     npy_intp width, APPLY_SPECIFIC(Accumulator) acc)
{
    int k;
    for (k = 0; k < SPP_NEIGHBOURS; ++k)
        if (cell->neighbour[k] >= 0)
            APPLY_SPECIFIC(add_values)(acc, cell->neighbour[k] * width + c, sums + k, 1);
}

/* [in]  feature_map (batch, channels, *spatial), association (batch, SPP_NEIGHBOURS, *spatial), grid (axes) int64
   [out] sums (batch, channels, n_superpixels) of double: of the weighted features
         totals (batch, n_superpixels) of double: of the weights, summed as if they were one more channel */
int APPLY_SPECIFIC(soft_pool)(PyArrayObject *feature_map, PyArrayObject *association, PyArrayObject *grid,
                              PyArrayObject **sums, PyArrayObject **totals)
{
    const char *op = "SoftPool";
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const SppStrides feature_walk = spp_strides_of(feature_map, 2);
    const SppStrides weight_walk = spp_strides_of(association, 2);
    const int threads = spp_number_of_threads();
    const SppBlocks blocks = spp_blocks(batch, channels, SPP_SOFT_POOL_CHANNELS, threads);
    const npy_intp width = blocks.width + 1;
    npy_intp sums_shape[3] = {batch, channels, 0};
    npy_intp totals_shape[2] = {batch, 0};
    npy_intp sizes[3], n, i;
    APPLY_SPECIFIC(CellGrid) cells;
    double *scratch = NULL;

    if (APPLY_SPECIFIC(read_grid)(op, grid, feature_map, association, NULL, sizes) != 0)
        return -1;
    cells = APPLY_SPECIFIC(cell_grid)(sizes, feature_map);
    n = sums_shape[2] = totals_shape[1] = cells.n_cells;
    if (spp_prepare(op, "grid", n, sums, 3, sums_shape, NPY_DOUBLE, 0) != 0
            || spp_prepare(op, "grid", n, totals, 2, totals_shape, NPY_DOUBLE, 0) != 0
            || (scratch = (double *)spp_allocate(op, n, "grid", SPP_DOUBLES * width * threads, sizeof(double))) == NULL)
        return -1;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (i = 0; i < blocks.number; ++i) {
        const SppBlock block = spp_block(&blocks, i);
        APPLY_SPECIFIC(StripValues) weights[SPP_NEIGHBOURS], values;
        double strip_sums[SPP_NEIGHBOURS];
        APPLY_SPECIFIC(Accumulator) acc;
        npy_intp number, c, l;
        acc.sum = scratch + spp_thread_number() * SPP_DOUBLES * width * n;
        acc.error = acc.sum + width * n;
        memset(acc.sum, 0, SPP_DOUBLES * width * n * sizeof(double));

        for (number = 0; number < n; ++number) {
            const APPLY_SPECIFIC(Cell) cell = APPLY_SPECIFIC(cell_of)(&cells, number);
            APPLY_SPECIFIC(Strip) strip = APPLY_SPECIFIC(no_strip);
            while (APPLY_SPECIFIC(next_strip)(&cell, &strip)) {
                APPLY_SPECIFIC(read_weights)(association, block.image, &weight_walk, &cell, &strip, weights);
                for (c = 0; c < block.channels; ++c) {
                    APPLY_SPECIFIC(read_strip)(
                        (const char *)PyArray_GETPTR2(feature_map, block.image, block.first + c),
                        PyArray_STRIDE(feature_map, 1), &feature_walk, &cell, &strip, values);
                    APPLY_SPECIFIC(weigh_strip)(weights, values, strip.vectors, strip_sums);
                    APPLY_SPECIFIC(add_to_neighbours)(&cell, strip_sums, c, width, acc);
                }
                if (block.first == 0) {
                    for (l = 0; l < SPP_SOFT_STRIP; ++l)
                        values[l] = 1;
                    APPLY_SPECIFIC(weigh_strip)(weights, values, strip.vectors, strip_sums);
                    APPLY_SPECIFIC(add_to_neighbours)(&cell, strip_sums, block.channels, width, acc);
                }
            }
        }
        for (c = 0; c < block.channels; ++c)
            for (l = 0; l < n; ++l)
                ((double *)PyArray_DATA(*sums))[(block.image * channels + block.first + c) * n + l]
                    = APPLY_SPECIFIC(total)(acc, l * width + c);
        for (l = 0; block.first == 0 && l < n; ++l)
            ((double *)PyArray_DATA(*totals))[block.image * n + l]
                = APPLY_SPECIFIC(total)(acc, l * width + block.channels);
    }
    free(scratch);
    return 0;
}
