#include "memory/arrays.h"
#include "memory/lanes.h"
#include "memory/nontemporal.h"
#include "pool/reduction.h"

#section support_code_apply
/* Results of a block of channels of one image, vector by vector. If memory holds a plane for each channel, some are
   collected, to be written together. */
#define SPP_BUFFERED_RESULTS 512  /* they should stay in the L1 cache */

typedef struct {
    npy_intp channels;
    npy_intp channel_step, superpixel_step;
    FEATURE *pooled;  /* of the first superpixel and the first of these channels */
    int buffered;     /* only where the block has a single vector */
    int nontemporal;  /* whether results in the buffer are written by non-temporal stores */
    npy_intp count;   /* in the buffer: */
    npy_intp superpixel[SPP_BUFFERED_RESULTS];
    APPLY_SPECIFIC(Lanes) lanes[SPP_BUFFERED_RESULTS];
} APPLY_SPECIFIC(Results);

/* [in] pooled (batch, channels, n_superpixels) */
static inline void APPLY_SPECIFIC(begin_results)(PyArrayObject *pooled, const APPLY_SPECIFIC(Block) *block,
                                                 APPLY_SPECIFIC(Results) *results)
{
    results->channels = block->channels;
    results->channel_step = PyArray_STRIDE(pooled, 1) / (npy_intp)sizeof(FEATURE);
    results->superpixel_step = PyArray_STRIDE(pooled, 2) / (npy_intp)sizeof(FEATURE);
    results->pooled = (FEATURE *)(PyArray_BYTES(pooled) + block->image * PyArray_STRIDE(pooled, 0)
                                  + block->first_channel * PyArray_STRIDE(pooled, 1));
    results->buffered = !block->channels_last;
    results->nontemporal = SPP_STORE_BYTES > 0 && PyArray_NBYTES(pooled) >= SPP_NONTEMPORAL_MINIMUM;
    results->count = 0;
}

/* Writes the results in the buffer. If their superpixels follow each other, which is so where there are many
   superpixels, they are transposed and each plane is written in order. */
static void APPLY_SPECIFIC(flush_results)(APPLY_SPECIFIC(Results) *results)
{
    const npy_intp count = results->count, *superpixel = results->superpixel;
    const APPLY_SPECIFIC(Lanes) *lanes = results->lanes;
    npy_intp consecutive = results->superpixel_step == 1, k, c, i;
    if (count == 0)
        return;
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
    results->count = 0;
}

/* Writes SPP_LANES channels of a superpixel, channel c first. */
static SPP_INLINE void APPLY_SPECIFIC(write_lanes)(APPLY_SPECIFIC(Results) *results, npy_intp superpixel, npy_intp c,
                                                   APPLY_SPECIFIC(Lanes) lanes)
{
    FEATURE *pooled = results->pooled + superpixel * results->superpixel_step + c * results->channel_step;
    const npy_intp count = spp_minimum(SPP_LANES, results->channels - c);
    npy_intp i;
    if (results->buffered) {
        results->superpixel[results->count] = superpixel;
        results->lanes[results->count] = lanes;
        if (++results->count == SPP_BUFFERED_RESULTS)
            APPLY_SPECIFIC(flush_results)(results);
    }
    else if (results->channel_step == 1 && count == SPP_LANES)
        *(APPLY_SPECIFIC(LanesInMemory) *)pooled = lanes;
    else
        for (i = 0; i < count; ++i)
            pooled[i * results->channel_step] = lanes[i];
}
