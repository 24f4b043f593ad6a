#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/lanes.h"

#section support_code
#include <fenv.h>

#section support_code_apply
/* The sums of runs are float32, which ends at 3.4e38. A result that is not finite may be the overflow of such a sum
   alone, which the processor's overflow flag reports at no cost. */

/* Whether a sum of this thread has overflowed float32 since the last call. */
static inline int APPLY_SPECIFIC(has_overflowed)(void)
{
    if (ITEMSIZE_INPUT_0 != 4 || !fetestexcept(FE_OVERFLOW))
        return 0;
    feclearexcept(FE_OVERFLOW);
    return 1;
}

/* Whether one of the features is infinite or NaN. */
static int APPLY_SPECIFIC(is_any_not_finite)(const FEATURE *feature, npy_intp count)
{
    APPLY_SPECIFIC(Mask) mask = {0};
    int found = 0;
    npy_intp i;
    for (i = 0; i + SPP_LANES <= count; i += SPP_LANES) {
        const APPLY_SPECIFIC(Lanes) lanes = *(const APPLY_SPECIFIC(LanesInMemory) *)(feature + i);
        mask |= lanes - lanes != 0;
    }
    for (; i < count; ++i)
        found |= feature[i] - feature[i] != 0;
    for (i = 0; i < SPP_LANES; ++i)
        found |= mask[i] != 0;
    return found;
}

/* Recomputes the results of an image that are not finite, in double and pixel by pixel, and replaces them where that
   sum is not NaN. [in] sizes (n_superpixels)  [out] sums (n_superpixels): scratch, undefined on return */
static void APPLY_SPECIFIC(recompute_image)(PyArrayObject *feature_map, PyArrayObject *superpixel_map, npy_intp image,
                                            const npy_int64 *sizes, int mean, double *sums, PyArrayObject *pooled)
{
    const SppGrid grid = spp_grid_of(superpixel_map, 1);
    const SppStrides walk = spp_strides_of(feature_map, 2);
    const SppStrides label_walk = spp_strides_of(superpixel_map, 1);
    const npy_intp n = PyArray_DIM(pooled, 2);
    npy_intp channel, row, x, l;
    #define SPP_RESULT(l) (*(FEATURE *)PyArray_GETPTR3(pooled, image, channel, l))
    for (channel = 0; channel < PyArray_DIM(pooled, 1); ++channel) {
        const char *features = PyArray_BYTES(feature_map) + image * PyArray_STRIDE(feature_map, 0)
                               + channel * PyArray_STRIDE(feature_map, 1);
        const char *labels = spp_labels_of(superpixel_map, image);
        for (l = 0; l < n && SPP_RESULT(l) - SPP_RESULT(l) == 0; ++l)
            ;
        if (l == n)
            continue;
        memset(sums, 0, n * sizeof(double));
        for (row = 0; row < spp_rows(&grid); ++row) {
            const char *feature = spp_row(features, &grid, &walk, row);
            const char *label = spp_row(labels, &grid, &label_walk, row);
            for (x = 0; x < grid.length; ++x) {
                const npy_intp superpixel = (npy_intp)*(const LABEL *)(label + x * label_walk.pixel);
                if (superpixel >= 0)
                    sums[superpixel] += *(const FEATURE *)(feature + x * walk.pixel);
            }
        }
        for (l = 0; l < n; ++l)
            if (SPP_RESULT(l) - SPP_RESULT(l) != 0 && sums[l] == sums[l])
                SPP_RESULT(l) = (FEATURE)(sums[l] / (mean ? (double)sizes[l] : 1));
    }
    #undef SPP_RESULT
}

/* The same for a batch. Returns 0, or -1 with a MemoryError. */
static int APPLY_SPECIFIC(recompute_in_double)(const char *op, PyArrayObject *feature_map,
                                               PyArrayObject *superpixel_map, const SppPlans *plans, int mean,
                                               PyArrayObject *pooled)
{
    const npy_intp n = plans->n_superpixels, results = PyArray_DIM(pooled, 1) * n;
    double *sums = (double *)spp_scratch(op, n, 1, sizeof(double));
    npy_intp i;
    for (i = 0; sums != NULL && i < PyArray_DIM(pooled, 0); ++i)
        if (APPLY_SPECIFIC(is_any_not_finite)((const FEATURE *)PyArray_DATA(pooled) + i * results, results))
            APPLY_SPECIFIC(recompute_image)(feature_map, superpixel_map, i, plans->sizes + spp_map_of(plans, i) * n,
                                            mean, sums, pooled);
    free(sums);
    return sums == NULL ? -1 : 0;
}
