#include "labels/label_map.h"
#include "memory/arrays.h"

#section support_code_apply
/* [in]  superpixel_map (batch, *spatial)
   [out] n_superpixels () int64: the largest label + 1, 0 if no pixel has one */
int APPLY_SPECIFIC(superpixel_count)(PyArrayObject *superpixel_map, PyArrayObject **n_superpixels)
{
    const char *op = "SuperpixelCount";
    const SppGrid grid = spp_grid_of(superpixel_map, 1);
    const SppStrides walk = spp_strides_of(superpixel_map, 1);
    npy_uint64 count = 0;
    npy_intp map, row, p;

    if (spp_prepare_output(op, 0, n_superpixels, 0, NULL, NPY_INT64) != 0)
        return -1;
    for (map = 0; map < PyArray_DIM(superpixel_map, 0); ++map)
        for (row = 0; row < spp_rows(&grid); ++row) {
            const char *labels = spp_row(spp_labels_of(superpixel_map, map), &grid, &walk, row);
            for (p = 0; p < grid.length; ++p) {
                const LABEL label = *(const LABEL *)(labels + p * walk.pixel);
                if (!SPP_IS_NONE(label) && (npy_uint64)label >= count && count != NPY_MAX_UINT64)
                    /* the largest uint64 has no successor: it stays as it is, and is too large in any case */
                    count = (npy_uint64)label + ((npy_uint64)label != NPY_MAX_UINT64);
            }
        }
    if (count > (npy_uint64)NPY_MAX_INT64)
        return APPLY_SPECIFIC(label_error)(op, superpixel_map, NPY_MAX_INT64,
                                           "the number of superpixels can be at most");
    *(npy_int64 *)PyArray_DATA(*n_superpixels) = (npy_int64)count;
    return 0;
}
