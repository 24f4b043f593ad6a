#include "memory/images.h"
#include "resize/sampling.h"

#section device_code
/* No fused multiply-add, which would round differently from the CPU. */
#ifdef __OPENCL_VERSION__
#pragma OPENCL FP_CONTRACT OFF
#define SPP_TIMES(a, b) ((a) * (b))
#else
#define SPP_TIMES(a, b) __dmul_rn(a, b)
#endif

/* The cells that one pixel sees. */
typedef struct {
    ga_uint low[3], high[3];       /* cells on each axis; the same one twice where it sees only one */
    ga_double below[3], above[3];  /* the weights of the two */
} SppSeen;

WITHIN_KERNEL SppSeen spp_seen(ga_ulong pixel, const SppAxes axes)
{
    SppSeen seen;
    ga_size at[3];
    ga_int i;
    at[2] = axes.pixels0 + axes.pixels1 + (ga_size)(pixel % axes.pixels2);
    at[1] = axes.pixels0 + (ga_size)(pixel / axes.pixels2 % axes.pixels1);
    at[0] = (ga_size)(pixel / axes.pixels2 / axes.pixels1);
    for (i = 0; i < 3; ++i) {
        seen.low[i] = axes.low[at[i]];
        seen.below[i] = axes.cell_weights[2 * at[i]];
        seen.above[i] = axes.cell_weights[2 * at[i] + 1];
        seen.high[i] = seen.low[i] + (seen.above[i] > 0);
    }
    return seen;
}

/* Linear interpolation. Between two equal values the result is this value to the last bit, so that the argmax of a
   plateau is its first pixel. */
WITHIN_KERNEL ga_double spp_lerp(ga_double below, ga_double above, ga_double weight_below, ga_double weight_above)
{
    return below == above ? below : SPP_TIMES(weight_below, below) + SPP_TIMES(weight_above, above);
}

/* The feature of one channel at a pixel, interpolated axis by axis. [in] cells: the features of the channel */
WITHIN_KERNEL ga_double spp_resized(const SppImage cells, const SppSeen seen)
{
    ga_double along2[2];
    ga_int j, k;
    for (k = 0; k < 2; ++k) {
        ga_double along1[2];
        for (j = 0; j < 2; ++j) {
            GLOBAL_MEM const char *at = cells.first + (ga_ssize)(j ? seen.high[1] : seen.low[1]) * cells.row1
                + (ga_ssize)(k ? seen.high[2] : seen.low[2]) * cells.pixel;
            along1[j] = *(GLOBAL_MEM const FEATURE *)(at + (ga_ssize)seen.low[0] * cells.row0);
            if (seen.above[0] > 0)
                along1[j] = spp_lerp(along1[j], *(GLOBAL_MEM const FEATURE *)(at + (ga_ssize)seen.high[0] * cells.row0),
                                     seen.below[0], seen.above[0]);
        }
        along2[k] = seen.above[1] > 0 ? spp_lerp(along1[0], along1[1], seen.below[1], seen.above[1]) : along1[0];
    }
    return seen.above[2] > 0 ? spp_lerp(along2[0], along2[1], seen.below[2], seen.above[2]) : along2[0];
}
