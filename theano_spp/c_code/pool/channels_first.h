#include "labels/label_map.h"
#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/channels_first.h"
#include "memory/lanes.h"
#include "pool/compensated_sum.h"
#include "pool/runs.h"
#include "pool/slots.h"

#section support_code_apply
/* Pooling where each channel is a plane of its own, SPP_LANES channels at a time. */

/* A part of one image, each channel a plane of its own. [in, out] slots (plan->slots, SPP_DOUBLES, SPP_LANES): zeros */
static void APPLY_SPECIFIC(pool_planes)(
    const char *features, npy_intp channel_stride, const SppGrid *grid, const SppStrides *walk, const SppPlan *plan,
    APPLY_SPECIFIC(Results) results, double *slots)
{
    const int in_order = spp_lies_in_order(grid, walk, sizeof(FEATURE));
    APPLY_SPECIFIC(Lanes) row[SPP_BLOCK];
    FEATURE tile[SPP_LANES][SPP_BLOCK];
    const FEATURE *plane[SPP_LANES];
    const npy_uint64 *starts = plan->starts;
    const SppPiece *piece = plan->piece;
    const npy_intp *finished = plan->finished;
    APPLY_SPECIFIC(Waiting) waiting;
    npy_intp first;
    waiting.count = 0;
    results.waiting = &waiting;
    memset(tile, 0, sizeof(tile));
    for (first = plan->first; first < plan->end; first += SPP_BLOCK, ++starts) {
        const SppPiece *end = piece + __builtin_popcountll(*starts);
        APPLY_SPECIFIC(find_planes)(features, channel_stride, grid, walk, results.channels, first,
                                    spp_minimum(SPP_BLOCK, plan->end - first), in_order, tile, plane);
        APPLY_SPECIFIC(fold_pieces)(SPP_SUM, plane, *starts, 1, row);
        for (; piece < end; ++piece) {
            double *slot = slots + piece->slot * (SPP_DOUBLES * SPP_LANES);
            if (piece->is_first & piece->is_last) {
                APPLY_SPECIFIC(finish_only_piece)(&results, *finished++, row[piece->last_pixel]);
                continue;
            }
            APPLY_SPECIFIC(add_to_slot)(row[piece->last_pixel], SPP_LANES, slot);
            if (piece->is_last)
                APPLY_SPECIFIC(finish_superpixel)(&results, *finished++, SPP_LANES, slot);
        }
    }
    APPLY_SPECIFIC(write_waiting)(&results);
}
