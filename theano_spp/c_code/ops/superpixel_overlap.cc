#include "labels/label_map.h"
#include "memory/arrays.h"
#include "resize/cell_weights.h"
#include "resize/interpolation.h"

#section support_code_apply
/* [in]  superpixel_map (batch, *spatial), n_superpixels (), spatial_shape (axes) int64
   [out] overlap (batch, n_superpixels, *spatial_shape) */
int APPLY_SPECIFIC(superpixel_overlap)(PyArrayObject *superpixel_map, PyArrayObject *n_superpixels,
                                       PyArrayObject *spatial_shape, PyArrayObject **overlap,
                                       PARAMS_TYPE *params)
{
    const char *op = "SuperpixelOverlap";
    const npy_intp maps = PyArray_DIM(superpixel_map, 0);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const npy_intp n = spp_n_superpixels(op, n_superpixels);
    npy_intp shape[5] = {maps, n, 0, 0, 0};
    npy_intp cells, map, cell, i;
    npy_int64 *sizes = NULL;
    SppCellWeights *cell_weights = NULL;
    int failed = -1;

    if (n < 0 || spp_read_sizes(op, "spatial_shape", spatial_shape, naxes, shape + 2) != 0
            || (sizes = APPLY_SPECIFIC(count_resized_sizes)(op, "n_superpixels is", shape + 2, superpixel_map,
                                                            n)) == NULL
            || spp_prepare_cells(op, overlap, 2 + naxes, shape, TYPENUM_OUTPUT_0) != 0)
        goto done;
    PyArray_FILLWBYTE(*overlap, 0);
    if (PyArray_SIZE(*overlap) > 0 && PyArray_SIZE(superpixel_map) > 0) {
        cell_weights = APPLY_SPECIFIC(build_cell_weights)(op, shape + 2, superpixel_map, n,
                                                          params->resize == SPP_BILINEAR);
        if (cell_weights == NULL)
            goto done;
        cells = spp_product(shape + 2, naxes);
        for (map = 0; map < maps; ++map)
            for (cell = 0; cell < cells; ++cell)
                for (i = cell_weights[map].first[cell]; i < cell_weights[map].first[cell + 1]; ++i) {
                    const SppCellWeight entry = cell_weights[map].entry[i];
                    const double size = (double)sizes[map * n + entry.superpixel];
                    ((DTYPE_OUTPUT_0 *)PyArray_DATA(*overlap))[(map * n + entry.superpixel) * cells + cell] =
                        (DTYPE_OUTPUT_0)(params->mode == SPP_POOL_MEAN ? entry.weight / size : entry.weight);
                }
    }
    failed = 0;
done:
    spp_free_rows(cell_weights, maps);
    free(sizes);
    return failed;
}
