#include "labels/plan.h"
#include "memory/arrays.h"
#include "pool/batch.h"
#include "pool/overflow.h"
#include "pool/sum.h"

#section support_code_apply
/* [in]  feature_map (batch, channels, *spatial), superpixel_map (batch or 1, *spatial), n_superpixels ()
   [out] pooled (batch, channels, n_superpixels) */
int APPLY_SPECIFIC(superpixel_pool)(PyArrayObject *feature_map, PyArrayObject *superpixel_map,
                                    PyArrayObject *n_superpixels, PyArrayObject **pooled,
                                    PARAMS_TYPE *params)
{
    const char *op = "SuperpixelPool";
    npy_intp shape[3] = {PyArray_DIM(feature_map, 0), PyArray_DIM(feature_map, 1), 0};
    int overflowed = 0, failed = -1;
    APPLY_SPECIFIC(Sum)::Output output = {NULL, params->mode == SPP_POOL_MEAN, &overflowed};
    SppPlans plans = {0};
    npy_intp n;

    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map, "in space") != 0
            || (n = shape[2] = spp_n_superpixels(op, n_superpixels)) < 0)
        return -1;
    if (APPLY_SPECIFIC(plan_maps)(op, superpixel_map, n, &plans) != 0
            || spp_prepare_layout(op, n, pooled, 3, shape, TYPENUM_INPUT_0, spp_has_channels_last(feature_map)) != 0)
        goto done;
    output.pooled = *pooled;
    if (PyArray_SIZE(feature_map) == 0)
        PyArray_FILLWBYTE(*pooled, 0);
    else if (APPLY_SPECIFIC(pool_batch)<APPLY_SPECIFIC(Sum)>(op, feature_map, &plans, &output) != 0
                 || (overflowed && APPLY_SPECIFIC(recompute_in_double)(op, feature_map, superpixel_map, &plans,
                                                                       output.mean, *pooled) != 0))
        goto done;
    failed = 0;
done:
    spp_free_plans(&plans);
    return failed;
}
