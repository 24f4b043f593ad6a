#include "labels/label_map.h"
#include "memory/arrays.h"

#section support_code_apply
/* [in]  superpixel_map (batch, *spatial)
   [out] n_superpixels () int64: the largest label + 1, 0 if no pixel has one */
int APPLY_SPECIFIC(superpixel_count)(PyArrayObject *superpixel_map, PyArrayObject **n_superpixels)
{
    const char *op = "SuperpixelCount";
    const npy_intp batch = PyArray_DIM(superpixel_map, 0);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides walk = spp_strides(naxes, PyArray_STRIDES(superpixel_map) + 1);
    npy_uint64 count = 0;
    npy_intp image, r0, r1, p;

    if (spp_prepare_output(op, 0, n_superpixels, 0, NULL, NPY_INT64) != 0)
        return -1;
    for (image = 0; image < batch; ++image)
        for (r0 = 0; r0 < grid.rows[0]; ++r0)
            for (r1 = 0; r1 < grid.rows[1]; ++r1) {
                const char *row = PyArray_BYTES(superpixel_map) + image * PyArray_STRIDE(superpixel_map, 0)
                                  + r0 * walk.row[0] + r1 * walk.row[1];
                for (p = 0; p < grid.length; ++p) {
                    const LABEL label = *(const LABEL *)(row + p * walk.pixel);
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
