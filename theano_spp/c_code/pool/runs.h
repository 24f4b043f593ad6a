#include "labels/label_map.h"
#include "labels/plan.h"
#include "memory/channels_first.h"
#include "memory/lanes.h"

#section support_code_apply
/* What a block of windows gives for each of its pieces, where each channel is a plane of its own: the sum or the
   largest feature of SPP_LANES channels, a window after the other.

       8 channels x 8 pixels  --transpose-->  8 rows of 8 channels  --row to row-->  sums of pieces

   without a branch: where a piece starts, the sum so far is masked away. Stacks of whole windows are combined as
   they are and transposed once. */

/* [in] operation: SPP_SUM or SPP_LARGEST, a constant: the compiler makes two functions of this one
        plane (SPP_LANES): each channel's features from the block's first pixel on
        sign: what features are multiplied with, 1 or -1
   [out] row (SPP_WORD): of each piece, at SppPiece.last_pixel; the rest means nothing. Of SPP_LARGEST, where there is
         no NaN
   Returns whether SPP_LARGEST came across a NaN, or maybe did: it is noticed by a sum. */
static inline __attribute__((always_inline)) int APPLY_SPECIFIC(fold_runs)(
    int operation, const FEATURE *const *plane, npy_uint64 starts, FEATURE sign, APPLY_SPECIFIC(Lanes) *row)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    typedef APPLY_SPECIFIC(Lanes) Lanes;
    typedef APPLY_SPECIFIC(Mask) Mask;
    Lanes v[SPP_LANES], nan = {0};
    npy_intp p = 0;
    int c, half, q;
    while (p < SPP_WORD) {
        const unsigned bits = starts >> p & 0xffff;
        APPLY_SPECIFIC(prefetch_planes)(plane, p);
        if (bits == 1) {
            SPP_UNROLL
            for (c = 0; c < SPP_LANES; ++c) {
                const Lanes a = sign * *(const LanesInMemory *)(plane[c] + p);
                const Lanes b = sign * *(const LanesInMemory *)(plane[c] + p + SPP_LANES);
                v[c] = APPLY_SPECIFIC(combine)(operation, a, b);
                if (operation == SPP_LARGEST)
                    nan += a + b;
            }
            for (p += SPP_WINDOW; p < SPP_WORD && (starts >> p & 0xffff) == 0; p += SPP_WINDOW) {
                APPLY_SPECIFIC(prefetch_planes)(plane, p);
                SPP_UNROLL
                for (c = 0; c < SPP_LANES; ++c) {
                    const Lanes a = sign * *(const LanesInMemory *)(plane[c] + p);
                    const Lanes b = sign * *(const LanesInMemory *)(plane[c] + p + SPP_LANES);
                    v[c] = APPLY_SPECIFIC(combine)(operation, v[c], a);
                    v[c] = APPLY_SPECIFIC(combine)(operation, v[c], b);
                    if (operation == SPP_LARGEST)
                        nan += a + b;
                }
            }
            APPLY_SPECIFIC(fold_lanes)(operation, v, &row[p - 1]);
        }
        else {
            Lanes so_far = {0};
            for (half = 0; half < SPP_WINDOW; half += SPP_LANES) {
                const APPLY_SPECIFIC(LaneInteger) *low = APPLY_SPECIFIC(keep)[bits >> half & 15];
                const APPLY_SPECIFIC(LaneInteger) *high = APPLY_SPECIFIC(keep)[bits >> (half + 4) & 15];
                SPP_UNROLL
                for (c = 0; c < SPP_LANES; ++c) {
                    v[c] = sign * *(const LanesInMemory *)(plane[c] + p + half);
                    if (operation == SPP_LARGEST)
                        nan += v[c];
                }
                APPLY_SPECIFIC(transpose)(v);
                SPP_UNROLL
                for (q = 0; q < SPP_LANES; ++q) {
                    const APPLY_SPECIFIC(LaneInteger) keep = q < 4 ? low[q] : high[q - 4];
                    /* where a piece starts, nothing: 0, or a NaN, than which everything is larger */
                    const Mask kept = operation == SPP_SUM ? (Mask)so_far & keep : (Mask)so_far | ~keep;
                    so_far = APPLY_SPECIFIC(combine)(operation, (Lanes)kept, v[q]);
                    row[p + half + q] = so_far;
                }
            }
            p += SPP_WINDOW;
        }
    }
    return operation == SPP_LARGEST && APPLY_SPECIFIC(is_nan)(nan);
}
