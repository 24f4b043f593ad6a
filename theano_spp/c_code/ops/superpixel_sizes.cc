#include "labels/label_map.h"
#include "memory/arrays.h"

#section support_code_apply
/* [in]  superpixel_map (batch, *spatial), n_superpixels ()
   [out] sizes (batch, n_superpixels) int64 */
int APPLY_SPECIFIC(superpixel_sizes)(PyArrayObject *superpixel_map, PyArrayObject *n_superpixels,
                                     PyArrayObject **sizes)
{
    const char *op = "SuperpixelSizes";
    npy_intp shape[2] = {PyArray_DIM(superpixel_map, 0), 0};
    shape[1] = spp_n_superpixels(op, n_superpixels);
    if (shape[1] < 0 || spp_prepare_output(op, shape[1], sizes, 2, shape, NPY_INT64) != 0)
        return -1;
    PyArray_FILLWBYTE(*sizes, 0);
    return APPLY_SPECIFIC(count_labels)(op, "n_superpixels is", superpixel_map, shape[1],
                                        (npy_int64 *)PyArray_DATA(*sizes)) < 0 ? -1 : 0;
}
