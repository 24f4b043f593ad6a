#include "memory/compensated_sum.h"
#include "pool/segments.h"

#section settings
#define PARTIAL ga_double

#section device_code
/* The reduction of pool/reduce_segments.h that adds up. RESULT: the type of the sums or means. An op has
   its own spp_add, so that a compiler can fuse a product with its addition. */

/* A chain of SPP_CHAIN additions in the type of the values, and the sum of the chains before. */
typedef struct {
    VALUE chain;
    ga_double total;
} SppState;

WITHIN_KERNEL SppState spp_nothing()
{
    SppState state;
    state.chain = 0;
    state.total = 0;
    return state;
}

WITHIN_KERNEL void spp_end_chain(SppState *state)
{
    state->total += state->chain;
    state->chain = 0;
}

WITHIN_KERNEL ga_double spp_partial(const SppState state) { return state.total + state.chain; }

WITHIN_KERNEL ga_double spp_merged(ga_double sum, ga_double other) { return sum + other; }

/* Compensated, because there may be many tiles. */
WITHIN_KERNEL ga_double spp_merged_tiles(GLOBAL_MEM const ga_double *partials, const SppTiles tiles)
{
    ga_double sum = partials[spp_partial_index(tiles, tiles.first)], error = 0;
    ga_uint tile;
    for (tile = tiles.first + 1; tile <= tiles.last; ++tile)
        spp_add_compensated(&sum, &error, partials[spp_partial_index(tiles, tile)]);
    return spp_total(sum, error);
}

/* Mode 1 divides by the size. The channel after the last goes to `second` (batch, n) ga_double. */
WITHIN_KERNEL void spp_write(const SppResults to, ga_size image, ga_size channel, ga_size superpixel, ga_double sum,
                             ga_uint size)
{
    if (channel < to.channels)
        ((GLOBAL_MEM RESULT *)to.pooled)[(image * to.channels + channel) * to.n + superpixel] =
            (RESULT)(to.mode && size > 0 ? sum / size : sum);
    else
        ((GLOBAL_MEM ga_double *)to.second)[image * to.n + superpixel] = sum;
}
