#include "memory/arrays.h"
#include "soft/cells.h"

#section support_code_apply
/* The sum over the neighbours of weight times value, for each pixel of a strip. */
static inline void APPLY_SPECIFIC(paint_strip)(const APPLY_SPECIFIC(StripValues) *weights, const double *values,
                                               npy_intp vectors, double *painted)
{
    npy_intp i;
    int k;
    for (i = 0; i < vectors; ++i) {
        APPLY_SPECIFIC(Doubles) sum = {0};
        for (k = 0; k < SPP_NEIGHBOURS; ++k)
            sum += ((const APPLY_SPECIFIC(Doubles) *)weights[k])[i] * values[k];
        ((APPLY_SPECIFIC(Doubles) *)painted)[i] = sum;
    }
}

/* [in]  pooled (batch, channels, n_superpixels) of double, association (batch, SPP_NEIGHBOURS, *spatial),
         grid (axes) int64
   [out] feature_map (batch, channels, *spatial), channels last in memory if those of pooled are */
int APPLY_SPECIFIC(soft_unpool)(PyArrayObject *pooled, PyArrayObject *association, PyArrayObject *grid,
                                PyArrayObject **feature_map)
{
    const char *op = "SoftUnpool";
    const npy_intp batch = PyArray_DIM(pooled, 0);
    const npy_intp channels = PyArray_DIM(pooled, 1);
    const SppStrides weight_walk = spp_strides_of(association, 2);
    const int naxes = PyArray_NDIM(association) - 2;
    npy_intp shape[5] = {batch, channels, 0, 0, 0};
    npy_intp sizes[3], i;
    APPLY_SPECIFIC(CellGrid) cells;
    SppStrides feature_walk;

    if (APPLY_SPECIFIC(read_grid)(op, grid, NULL, association, pooled, sizes) != 0)
        return -1;
    cells = APPLY_SPECIFIC(cell_grid)(sizes, association);
    memcpy(shape + 2, PyArray_DIMS(association) + 2, naxes * sizeof(npy_intp));
    if (spp_prepare(op, "images", batch, feature_map, 2 + naxes, shape, TYPENUM_INPUT_1,
                                     spp_has_channels_last(pooled)) != 0)
        return -1;
    feature_walk = spp_strides_of(*feature_map, 2);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(*feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (i = 0; i < batch * cells.n_cells; ++i) {
        const npy_intp image = i / cells.n_cells;
        const APPLY_SPECIFIC(Cell) cell = APPLY_SPECIFIC(cell_of)(&cells, i % cells.n_cells);
        APPLY_SPECIFIC(StripValues) weights[SPP_NEIGHBOURS], painted;
        APPLY_SPECIFIC(Strip) strip = APPLY_SPECIFIC(no_strip);
        npy_intp c;
        while (APPLY_SPECIFIC(next_strip)(&cell, &strip)) {
            APPLY_SPECIFIC(read_weights)(association, image, &weight_walk, &cell, &strip, weights);
            for (c = 0; c < channels; ++c) {
                double values[SPP_NEIGHBOURS];
                APPLY_SPECIFIC(read_neighbours)((const char *)PyArray_GETPTR2(pooled, image, c),
                                                PyArray_STRIDE(pooled, 2), &cell, values);
                APPLY_SPECIFIC(paint_strip)(weights, values, strip.vectors, painted);
                APPLY_SPECIFIC(write_strip)(painted, &feature_walk, &cell, &strip,
                                            (const char *)PyArray_GETPTR2(*feature_map, image, c),
                                            PyArray_STRIDE(*feature_map, 1));
            }
        }
    }
    return 0;
}
