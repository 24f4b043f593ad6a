#include "labels/label_map.h"
#include "labels/plan.h"
#include "memory/planes.h"
#include "memory/lanes.h"

#section support_code_apply
/* Reduces the runs of one word of pixels where memory holds one plane for each channel: the sum or the largest
   feature of each run in SPP_LANES channels, window by window.

       8 channels x 8 pixels  --transpose-->  8 pixels x 8 channels  --running sum-->  sums of runs

   There is no branch: where a run starts, the running sum is masked to zero. Full windows of one superpixel are
   added up as they are, and transposed once. */

/* [in] operation: SPP_SUM or SPP_LARGEST, a compile-time constant: inlining makes two functions of this one
        plane (SPP_LANES): each channel's features from the word's first pixel on
        sign: 1, or -1 for the smallest feature: features are multiplied by it
   [out] row (SPP_WORD): the result of each run, at SppRun.last_pixel; undefined elsewhere, and for SPP_LARGEST where
   features are NaN
   Returns whether SPP_LARGEST may have met a NaN, which it notices by a sum. */
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
                    /* where a run starts: 0, or a NaN, than which everything counts as larger */
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
