#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/channels_last.h"
#include "memory/lanes.h"
#include "memory/nontemporal.h"
#include "pool/channels_first.h"
#include "pool/channels_last.h"
#include "pool/compensated_sum.h"
#include "pool/overflow.h"
#include "pool/slots.h"

#section support_code_apply
/* Pooling reads each feature once, in one of two walks over the windows of a plan: pool/channels_first.h or
   pool/channels_last.h. The sum of each run is added to the slot of its superpixel. The order of all additions
   depends on the labels alone, so the results are the same to the last bit for every memory layout and number of
   threads. */

/* Where the results of a block of channels of one image go. [in] width: channels of a block; padded_width: channels
   of a slot, width rounded up to whole vectors */
static inline APPLY_SPECIFIC(Results) APPLY_SPECIFIC(block_results)(
    PyArrayObject *pooled, const SppPlans *plans, npy_intp image, npy_intp block, npy_intp width, npy_intp padded_width,
    int mean, double *partials)
{
    APPLY_SPECIFIC(Results) results;
    results.channels = spp_minimum(width, PyArray_DIM(pooled, 1) - block * width);
    results.width = padded_width;
    results.divisor = mean ? plans->sizes + image * plans->n_superpixels : NULL;
    results.buffer = NULL;
    results.nontemporal = SPP_STORE_BYTES > 0 && PyArray_NBYTES(pooled) >= SPP_NONTEMPORAL_MINIMUM;
    results.channel_step = PyArray_STRIDE(pooled, 1) / (npy_intp)sizeof(FEATURE);
    results.superpixel_step = PyArray_STRIDE(pooled, 2) / (npy_intp)sizeof(FEATURE);
    results.pooled = (FEATURE *)(PyArray_BYTES(pooled) + image * PyArray_STRIDE(pooled, 0)
                                 + block * width * PyArray_STRIDE(pooled, 1));
    results.partials = partials + block * plans->partials[plans->batch] * SPP_DOUBLES * padded_width;
    return results;
}

/* Writes 0 for superpixels without pixels. */
static inline void APPLY_SPECIFIC(write_empty)(const APPLY_SPECIFIC(Results) *results, const npy_int64 *sizes,
                                               npy_intp n_superpixels)
{
    npy_intp c, l;
    for (l = 0; l < n_superpixels; ++l)
        if (sizes[l] == 0)
            for (c = 0; c < results->channels; ++c)
                results->pooled[c * results->channel_step + l * results->superpixel_step] = 0;
}

/* [in]  feature_map (batch, channels, *spatial), superpixel_map (batch, *spatial), n_superpixels ()
   [out] pooled (batch, channels, n_superpixels) */
int APPLY_SPECIFIC(superpixel_pool)(PyArrayObject *feature_map, PyArrayObject *superpixel_map,
                                    PyArrayObject *n_superpixels, PyArrayObject **pooled,
                                    PARAMS_TYPE *params)
{
    const char *op = "SuperpixelPool";
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const npy_intp channel_stride = PyArray_STRIDE(feature_map, 1);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides walk = spp_strides(naxes, PyArray_STRIDES(feature_map) + 2);
    const int channels_last = channel_stride == (npy_intp)sizeof(FEATURE) && channels > 1;
    const int mean = params->mode == SPP_POOL_MEAN;
    const int threads = spp_number_of_threads();
    npy_intp shape[3] = {batch, channels, 0};
    npy_intp n, most, width, padded_width, blocks, partials, i;
    SppPlans plans = {0};
    double *scratch = NULL, *partial_sums = NULL, *sums = NULL;
    FEATURE *rows = NULL;
    int overflowed = 0, failed = -1;

    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map, "in space") != 0
            || (n = shape[2] = spp_n_superpixels(op, n_superpixels)) < 0)
        return -1;
    if (APPLY_SPECIFIC(plan_images)(op, superpixel_map, n, &plans) != 0
            || spp_prepare_layout(op, n, pooled, 3, shape, TYPENUM_INPUT_0, spp_has_channels_last(feature_map)) != 0)
        goto done;
    if (PyArray_SIZE(feature_map) == 0) {
        PyArray_FILLWBYTE(*pooled, 0);
        failed = 0;
        goto done;
    }

    most = channels_last ? spp_maximum(SPP_CHANNELS_LAST_WIDTH, SPP_SLOT_MEMORY / (plans.slots * SPP_DOUBLES * 8))
                         : SPP_LANES;
    width = spp_block_width(batch * plans.chunks, channels, most, threads);
    padded_width = channels_last ? spp_ceil_divide(width, SPP_LANES) * SPP_LANES : SPP_LANES;
    blocks = spp_ceil_divide(channels, width);
    partials = plans.partials[batch];
    if ((scratch = (double *)spp_scratch(op, plans.slots * threads + 1, SPP_DOUBLES * padded_width + 8,
                                         sizeof(double))) == NULL
            || (rows = (FEATURE *)spp_scratch(op, threads * (SPP_LANES + SPP_WINDOW), padded_width,
                                              sizeof(FEATURE))) == NULL
            || (partial_sums = (double *)spp_scratch(op, partials, SPP_DOUBLES * padded_width * blocks,
                                                     sizeof(double))) == NULL)
        goto done;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) reduction(|:overflowed) \
        if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (i = 0; i < batch * blocks * plans.chunks; ++i) {
        const npy_intp image = i / (blocks * plans.chunks), block = i / plans.chunks % blocks, chunk = i % plans.chunks;
        const char *features = PyArray_BYTES(feature_map) + image * PyArray_STRIDE(feature_map, 0)
                               + block * width * channel_stride;
        const SppPlan *plan = plans.plan + image * plans.chunks + chunk;
        const APPLY_SPECIFIC(Results) results = APPLY_SPECIFIC(block_results)(
            *pooled, &plans, image, block, width, padded_width, mean, partial_sums);
        double *slots = (double *)spp_align(scratch) + spp_thread_number() * plans.slots * SPP_DOUBLES * padded_width;
        if (chunk == 0)
            APPLY_SPECIFIC(write_empty)(&results, plans.sizes + image * n, n);
        if (channels_last)
            APPLY_SPECIFIC(pool_channels_last)(
                features, APPLY_SPECIFIC(array_end)(feature_map), &grid, &walk, plan, &results, slots,
                rows + spp_thread_number() * (SPP_LANES + SPP_WINDOW) * padded_width);
        else
            APPLY_SPECIFIC(pool_channels_first)(features, channel_stride, &grid, &walk, plan, results, slots);
        overflowed |= APPLY_SPECIFIC(has_overflowed)();
    }
    for (i = 0; partials > 0 && i < batch * blocks; ++i) {
        const npy_intp image = i / blocks;
        const APPLY_SPECIFIC(Results) results = APPLY_SPECIFIC(block_results)(
            *pooled, &plans, image, i % blocks, width, padded_width, mean, partial_sums);
        APPLY_SPECIFIC(finish_partials)(&results, plans.partial, plans.partials[image], plans.partials[image + 1]);
    }
    for (i = 0; overflowed && i < batch; ++i)
        if (APPLY_SPECIFIC(is_any_not_finite)((const FEATURE *)PyArray_DATA(*pooled) + i * channels * n,
                                              channels * n)) {
            if (sums == NULL && (sums = (double *)spp_scratch(op, n, 1, sizeof(double))) == NULL)
                goto done;
            APPLY_SPECIFIC(recompute_in_double)(feature_map, superpixel_map, i, plans.sizes + i * n, mean, sums,
                                                *pooled);
        }
    failed = 0;
done:
    spp_free_plans(&plans);
    free(sums);
    free(partial_sums);
    free(rows);
    free(scratch);
    return failed;
}
