#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/lanes.h"
#include "memory/nontemporal.h"
#include "pool/compensated_sum.h"

#section support_code_apply
/* A slot holds the sums of one superpixel in some channels while its pixels are added: (SPP_DOUBLES, width). */
typedef double APPLY_SPECIFIC(Doubles) __attribute__((vector_size(SPP_LANES * sizeof(double))));
typedef double APPLY_SPECIFIC(DoublesInMemory)
    __attribute__((vector_size(SPP_LANES * sizeof(double)), aligned(sizeof(double)), may_alias));

/* Adds the sums of a run in SPP_LANES channels. [in, out] slot: from the first of these channels on */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(add_to_slot)(APPLY_SPECIFIC(Lanes) run_sum,
                                                                              npy_intp width, double *slot)
{
    APPLY_SPECIFIC(DoublesInMemory) *sum = (APPLY_SPECIFIC(DoublesInMemory) *)slot;
    const APPLY_SPECIFIC(Doubles) value = __builtin_convertvector(run_sum, APPLY_SPECIFIC(Doubles));
    const APPLY_SPECIFIC(Doubles) old = *sum, both = old + value;
    #if SPP_COMPENSATED
    const APPLY_SPECIFIC(Doubles) added = both - old;  /* TwoSum, as in add_compensated */
    *(APPLY_SPECIFIC(DoublesInMemory) *)(slot + width) += (old - (both - added)) + (value - added);
    #endif
    (void)width;
    *sum = both;
}

#define SPP_BUFFERED_RESULTS 512  /* results that are written together; they should stay in the L1 cache */

/* Results of SPP_LANES channels that are yet to be written to their planes. */
typedef struct {
    npy_intp count;
    npy_intp superpixel[SPP_BUFFERED_RESULTS];
    APPLY_SPECIFIC(Lanes) lanes[SPP_BUFFERED_RESULTS];
} APPLY_SPECIFIC(ResultBuffer);

/* Where the results of `channels` channels of one image are written, each superpixel after its last run. */
typedef struct {
    npy_intp channels, width;
    const npy_int64 *divisor;              /* (n_superpixels), or NULL */
    APPLY_SPECIFIC(ResultBuffer) *buffer;  /* or NULL: results are written at once */
    int nontemporal;                       /* whether results in the buffer are written by non-temporal stores */
    npy_intp channel_step, superpixel_step;
    FEATURE *pooled;                       /* of the first superpixel and the first of these channels */
    double *partials;                      /* (number of partial sums, SPP_DOUBLES, width) */
} APPLY_SPECIFIC(Results);

/* The results of SPP_LANES channels. [in] slot: from the first of these channels on */
static inline __attribute__((always_inline)) APPLY_SPECIFIC(Lanes) APPLY_SPECIFIC(result)(
    const double *slot, npy_intp width, npy_int64 divisor)
{
    APPLY_SPECIFIC(Doubles) sum = *(const APPLY_SPECIFIC(DoublesInMemory) *)slot;
    #if SPP_COMPENSATED
    const APPLY_SPECIFIC(Doubles) error = *(const APPLY_SPECIFIC(DoublesInMemory) *)(slot + width);
    sum = sum - sum == 0 ? sum + error : sum;  /* as in total() */
    #endif
    (void)width;
    if (divisor > 1)
        sum /= (double)divisor;
    return __builtin_convertvector(sum, APPLY_SPECIFIC(Lanes));
}

/* Writes the results in the buffer. If their superpixels follow each other, which is so where there are many
   superpixels, they are transposed and each plane is written in order. */
static void APPLY_SPECIFIC(flush_results)(const APPLY_SPECIFIC(Results) *results)
{
    const npy_intp count = results->buffer->count, *superpixel = results->buffer->superpixel;
    const APPLY_SPECIFIC(Lanes) *lanes = results->buffer->lanes;
    npy_intp consecutive = results->superpixel_step == 1, k, c, i;
    for (k = 1; k < count; ++k)
        consecutive &= superpixel[k] == superpixel[0] + k;
    if (consecutive) {
        FEATURE transposed[SPP_LANES][SPP_BUFFERED_RESULTS];
        for (k = 0; k < count; k += SPP_LANES) {
            APPLY_SPECIFIC(Lanes) v[SPP_LANES];
            SPP_UNROLL
            for (i = 0; i < SPP_LANES; ++i)
                v[i] = lanes[k + i];
            APPLY_SPECIFIC(transpose)(v);
            SPP_UNROLL
            for (i = 0; i < SPP_LANES; ++i)
                *(APPLY_SPECIFIC(LanesInMemory) *)(transposed[i] + k) = v[i];
        }
        for (c = 0; c < results->channels; ++c)
            APPLY_SPECIFIC(store_features)(transposed[c], count, results->nontemporal,
                                           results->pooled + c * results->channel_step + superpixel[0]);
    }
    else
        for (k = 0; k < count; ++k)
            for (c = 0; c < results->channels; ++c)
                results->pooled[c * results->channel_step + superpixel[k] * results->superpixel_step] = lanes[k][c];
    if (results->nontemporal)
        SPP_NONTEMPORAL_FENCE();
    results->buffer->count = 0;
}

/* Writes SPP_LANES channels of a superpixel, channel c first. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(write_lanes)(
    const APPLY_SPECIFIC(Results) *results, npy_intp superpixel, npy_intp c, APPLY_SPECIFIC(Lanes) lanes)
{
    FEATURE *pooled = results->pooled + superpixel * results->superpixel_step + c * results->channel_step;
    const npy_intp count = spp_minimum(SPP_LANES, results->channels - c);
    npy_intp i;
    if (results->buffer != NULL) {
        APPLY_SPECIFIC(ResultBuffer) *buffer = results->buffer;
        buffer->superpixel[buffer->count] = superpixel;
        buffer->lanes[buffer->count] = lanes;
        if (++buffer->count == SPP_BUFFERED_RESULTS)
            APPLY_SPECIFIC(flush_results)(results);
    }
    else if (results->channel_step == 1 && count == SPP_LANES)
        *(APPLY_SPECIFIC(LanesInMemory) *)pooled = lanes;
    else
        for (i = 0; i < count; ++i)
            pooled[i * results->channel_step] = lanes[i];
}

/* [in] slot: of this superpixel, after its last run */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(write_superpixel)(
    const APPLY_SPECIFIC(Results) *results, npy_intp superpixel, npy_intp width, const double *slot)
{
    const npy_int64 divisor = results->divisor == NULL ? 1 : results->divisor[superpixel];
    npy_intp c;
    for (c = 0; c < spp_minimum(width, results->channels); c += SPP_LANES)
        APPLY_SPECIFIC(write_lanes)(results, superpixel, c, APPLY_SPECIFIC(result)(slot + c, width, divisor));
}

/* Writes a superpixel's result, or keeps it as a partial sum, and zeroes the slot for the next superpixel.
   [in] finished: of SppPlan; width: results->width */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(finish_superpixel)(
    const APPLY_SPECIFIC(Results) *results, npy_intp finished, npy_intp width, double *slot)
{
    npy_intp c;
    if (finished >= 0)
        APPLY_SPECIFIC(write_superpixel)(results, finished, width, slot);
    else
        memcpy(results->partials + (-1 - finished) * SPP_DOUBLES * width, slot, SPP_DOUBLES * width * sizeof(double));
    for (c = 0; c < SPP_DOUBLES * width; c += SPP_LANES)
        *(APPLY_SPECIFIC(DoublesInMemory) *)(slot + c) = (APPLY_SPECIFIC(Doubles)){0};
}

/* Writes SPP_LANES channels of a superpixel that has a single run, which needs no slot. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(finish_only_run)(
    const APPLY_SPECIFIC(Results) *results, npy_intp finished, APPLY_SPECIFIC(Lanes) run_sum)
{
    double slot[SPP_DOUBLES * SPP_LANES] = {0};
    if (finished >= 0 && (results->divisor == NULL || results->divisor[finished] == 1))
        /* + 0 turns -0 into 0, as in slots, whose sums begin with 0 */
        APPLY_SPECIFIC(write_lanes)(results, finished, 0, run_sum + 0);
    else {
        APPLY_SPECIFIC(add_to_slot)(run_sum, SPP_LANES, slot);
        APPLY_SPECIFIC(finish_superpixel)(results, finished, SPP_LANES, slot);
    }
}

/* Adds up partial sums and writes the superpixels that they belong to. [in] partial: indices first .. end - 1 */
static inline void APPLY_SPECIFIC(finish_partials)(const APPLY_SPECIFIC(Results) *results, const SppPartial *partial,
                                                 npy_intp first, npy_intp end)
{
    const npy_intp width = results->width, doubles = SPP_DOUBLES * width;
    npy_intp i, c;
    for (i = first; i < end; ++i)
        if (partial[i].first != i) {
            double *sum = results->partials + partial[i].first * doubles;
            const double *more = results->partials + i * doubles;
            for (c = 0; c < width; ++c) {
                APPLY_SPECIFIC(add_compensated)(more[c], sum + c, sum + width + c);
                #if SPP_COMPENSATED
                sum[width + c] += more[width + c];
                #endif
            }
        }
    for (i = first; i < end; ++i)
        if (partial[i].first == i)
            APPLY_SPECIFIC(write_superpixel)(results, partial[i].superpixel, width, results->partials + i * doubles);
}
