#include "memory/arrays.h"
#include "memory/unroll.h"
#include "soft/cells.h"
#include "soft/exponential.h"

#section support_code_apply
#define SPP_SOFT_CHAIN 32  /* channels added up in plain double before they join the others */

/* Adds up, over a few channels, the products of the pixels of a strip with the values of the superpixels around it, or
   the squares of their differences.
   [in] pixels (channels), values (channels, SPP_NEIGHBOURS)
   [in, out] results (SPP_NEIGHBOURS) */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(compare_strip)(
    int distance, const APPLY_SPECIFIC(StripValues) *pixels, const double values[][SPP_NEIGHBOURS], npy_intp channels,
    npy_intp vectors, APPLY_SPECIFIC(StripValues) *results)
{
    npy_intp i, c;
    int k, j;
    for (k = 0; k < SPP_NEIGHBOURS; k += SPP_SOFT_ACCUMULATORS)
        for (i = 0; i < vectors; ++i) {
            APPLY_SPECIFIC(Doubles) sum[SPP_SOFT_ACCUMULATORS] = {{0}};
            for (c = 0; c < channels; ++c) {
                const APPLY_SPECIFIC(Doubles) pixel = ((const APPLY_SPECIFIC(Doubles) *)pixels[c])[i];
                SPP_UNROLL
                for (j = 0; j < SPP_SOFT_ACCUMULATORS; ++j) {
                    const APPLY_SPECIFIC(Doubles) difference = pixel - values[c][k + j];
                    sum[j] += distance ? difference * difference : pixel * values[c][k + j];
                }
            }
            SPP_UNROLL
            for (j = 0; j < SPP_SOFT_ACCUMULATORS; ++j)
                ((APPLY_SPECIFIC(Doubles) *)results[k + j])[i] += sum[j];
        }
}

/* The softmax over the neighbours of minus their distances, for each pixel of a strip.
   [in, out] results (SPP_NEIGHBOURS): distances, then weights */
static inline void APPLY_SPECIFIC(soften_strip)(const APPLY_SPECIFIC(Cell) *cell, npy_intp vectors,
                                                APPLY_SPECIFIC(StripValues) *results)
{
    const int own = SPP_NEIGHBOURS / 2;  /* the neighbour that is the cell itself, always on the grid */
    npy_intp i;
    int k;
    for (i = 0; i < vectors; ++i) {
        APPLY_SPECIFIC(Doubles) smallest = ((APPLY_SPECIFIC(Doubles) *)results[own])[i], total = {0};
        for (k = 0; k < SPP_NEIGHBOURS; ++k)
            if (cell->neighbour[k] >= 0) {
                const APPLY_SPECIFIC(Doubles) distance = ((APPLY_SPECIFIC(Doubles) *)results[k])[i];
                smallest = distance < smallest ? distance : smallest;
            }
        for (k = 0; k < SPP_NEIGHBOURS; ++k)
            if (cell->neighbour[k] >= 0) {
                APPLY_SPECIFIC(Doubles) *weight = (APPLY_SPECIFIC(Doubles) *)results[k] + i;
                *weight = smallest - *weight;
                APPLY_SPECIFIC(exponential)(weight);
                total += *weight;
            }
        for (k = 0; k < SPP_NEIGHBOURS; ++k)
            ((APPLY_SPECIFIC(Doubles) *)results[k])[i] /= total;
    }
}

/* [in]  feature_map (batch, channels, *spatial), pooled (batch, channels, n_superpixels) of double, grid (axes) int64
   [out] compared (batch, SPP_NEIGHBOURS, *spatial): 0 where the grid ends */
int APPLY_SPECIFIC(soft_comparison)(PyArrayObject *feature_map, PyArrayObject *pooled, PyArrayObject *grid,
                                    PyArrayObject **compared, PARAMS_TYPE *params)
{
    const int distance = params->kind == SPP_SOFT_ASSOCIATION;
    const char *op = distance ? "SoftAssociation" : "SoftDot";
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const SppStrides feature_walk = spp_strides_of(feature_map, 2);
    const int naxes = PyArray_NDIM(feature_map) - 2;
    npy_intp shape[5] = {batch, SPP_NEIGHBOURS, 0, 0, 0};
    npy_intp sizes[3], i;
    APPLY_SPECIFIC(CellGrid) cells;
    SppStrides compared_walk;

    if (APPLY_SPECIFIC(read_grid)(op, grid, feature_map, NULL, pooled, sizes) != 0)
        return -1;
    cells = APPLY_SPECIFIC(cell_grid)(sizes, feature_map);
    memcpy(shape + 2, PyArray_DIMS(feature_map) + 2, naxes * sizeof(npy_intp));
    if (spp_prepare(op, "images", batch, compared, 2 + naxes, shape, TYPENUM_INPUT_0, 0) != 0)
        return -1;
    compared_walk = spp_strides_of(*compared, 2);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (i = 0; i < batch * cells.n_cells; ++i) {
        const npy_intp image = i / cells.n_cells;
        const APPLY_SPECIFIC(Cell) cell = APPLY_SPECIFIC(cell_of)(&cells, i % cells.n_cells);
        APPLY_SPECIFIC(StripValues) pixels[SPP_SOFT_CHAIN], results[SPP_NEIGHBOURS];
        APPLY_SPECIFIC(Strip) strip = APPLY_SPECIFIC(no_strip);
        double values[SPP_SOFT_CHAIN][SPP_NEIGHBOURS];
        npy_intp channel, chain, c;
        int k;
        while (APPLY_SPECIFIC(next_strip)(&cell, &strip)) {
            memset(results, 0, sizeof(results));
            for (channel = 0; channel < channels; channel += chain) {
                chain = spp_minimum(SPP_SOFT_CHAIN, channels - channel);
                for (c = 0; c < chain; ++c) {
                    APPLY_SPECIFIC(read_strip)((const char *)PyArray_GETPTR2(feature_map, image, channel + c),
                                               PyArray_STRIDE(feature_map, 1), &feature_walk, &cell, &strip, pixels[c]);
                    APPLY_SPECIFIC(read_neighbours)((const char *)PyArray_GETPTR2(pooled, image, channel + c),
                                                    PyArray_STRIDE(pooled, 2), &cell, values[c]);
                }
                if (distance)
                    APPLY_SPECIFIC(compare_strip)(1, pixels, values, chain, strip.vectors, results);
                else
                    APPLY_SPECIFIC(compare_strip)(0, pixels, values, chain, strip.vectors, results);
            }
            if (distance)
                APPLY_SPECIFIC(soften_strip)(&cell, strip.vectors, results);
            for (k = 0; k < SPP_NEIGHBOURS; ++k) {
                if (cell.neighbour[k] < 0)  /* also where zeros stood for its values */
                    memset(results[k], 0, sizeof(results[k]));
                APPLY_SPECIFIC(write_strip)(results[k], &compared_walk, &cell, &strip,
                                            (const char *)PyArray_GETPTR2(*compared, image, k),
                                            PyArray_STRIDE(*compared, 1));
            }
        }
    }
    return 0;
}
