#include "labels/label_map.h"
#include "labels/plan.h"
#include "memory/arrays.h"
#include "pool/argmax.h"
#include "pool/batch.h"
#include "resize/resized_argmax.h"
#include "resize/interpolation.h"

#section support_code_apply
/* [in]  feature_map (batch, channels, *cells), superpixel_map (batch or 1, *spatial), n_superpixels ()
   [out] pooled (batch, channels, n_superpixels), argmax (the same) int64: the row-major number of the argmax pixel
   in superpixel_map, -1 for a superpixel without pixels */
int APPLY_SPECIFIC(superpixel_extremum)(PyArrayObject *feature_map, PyArrayObject *superpixel_map,
                                        PyArrayObject *n_superpixels, PyArrayObject **pooled,
                                        PyArrayObject **argmax, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelExtremum";
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const npy_intp *spatial = PyArray_DIMS(superpixel_map) + 1;
    const int resize = params->resize != SPP_RESIZE_NONE;
    const int channels_last = !resize && spp_has_channels_last(feature_map);
    const FEATURE sign = params->mode == SPP_POOL_MIN ? -1 : 1;
    npy_intp shape[3] = {PyArray_DIM(feature_map, 0), PyArray_DIM(feature_map, 1), 0};
    npy_intp n;
    npy_int64 *sizes = NULL;
    SppPlans plans = {0};
    int failed = -1;

    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map,
                         resize ? "in batch" : "in space") != 0
            || (n = shape[2] = spp_n_superpixels(op, n_superpixels)) < 0)
        return -1;
    if ((resize ? (sizes = (npy_int64 *)spp_scratch(op, n, PyArray_DIM(superpixel_map, 0),
                                                       sizeof(npy_int64))) == NULL
                      || APPLY_SPECIFIC(count_labels)(op, "n_superpixels is", superpixel_map, n, sizes) < 0
                      || spp_check_cells(op, naxes, PyArray_DIMS(feature_map) + 2, spatial) != 0
                : APPLY_SPECIFIC(plan_maps)(op, superpixel_map, n, &plans) != 0)
            || spp_prepare_layout(op, n, pooled, 3, shape, TYPENUM_INPUT_0, channels_last) != 0
            || spp_prepare_layout(op, n, argmax, 3, shape, NPY_INT64, channels_last) != 0)
        goto done;
    if (PyArray_SIZE(*pooled) == 0 || PyArray_SIZE(superpixel_map) == 0) {
        PyArray_FILLWBYTE(*pooled, 0);
        PyArray_FILLWBYTE(*argmax, 0xff);  /* all -1 */
        failed = 0;
        goto done;
    }
    if (resize)
        failed = APPLY_SPECIFIC(pool_resized_argmax)(op, feature_map, superpixel_map, n,
                                                     params->resize == SPP_BILINEAR, sign,
                                                     (FEATURE *)PyArray_DATA(*pooled),
                                                     (npy_int64 *)PyArray_DATA(*argmax));
    else {
        const APPLY_SPECIFIC(Argmax)::Output output = {sign, *pooled, *argmax};
        failed = APPLY_SPECIFIC(pool_batch)<APPLY_SPECIFIC(Argmax)>(op, feature_map, &plans, &output);
    }
done:
    spp_free_plans(&plans);
    free(sizes);
    return failed;
}
