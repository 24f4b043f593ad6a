#include "labels/label_map.h"
#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/channels_first.h"
#include "memory/lanes.h"
#include "pool/compensated_sum.h"
#include "pool/runs.h"
#include "pool/slots.h"

#section support_code_apply
/* Pooling where memory holds one plane for each channel, SPP_LANES channels at a time. */

/* Pools one chunk of one image. [in, out] slots (plan->slots, SPP_DOUBLES, SPP_LANES): zeros */
static void APPLY_SPECIFIC(pool_channels_first)(
    const char *features, npy_intp channel_stride, const SppGrid *grid, const SppStrides *walk, const SppPlan *plan,
    APPLY_SPECIFIC(Results) results, double *slots)
{
    const int contiguous = spp_is_contiguous(grid, walk, sizeof(FEATURE));
    APPLY_SPECIFIC(Lanes) row[SPP_WORD];
    FEATURE copy[SPP_LANES][SPP_WORD];
    const FEATURE *plane[SPP_LANES];
    const npy_uint64 *starts = plan->starts;
    const SppRun *run = plan->run;
    const npy_intp *finished = plan->finished;
    APPLY_SPECIFIC(ResultBuffer) buffer;
    npy_intp first;
    buffer.count = 0;
    results.buffer = &buffer;
    memset(copy, 0, sizeof(copy));
    for (first = plan->first; first < plan->end; first += SPP_WORD, ++starts) {
        const SppRun *end = run + __builtin_popcountll(*starts);
        APPLY_SPECIFIC(find_planes)(features, channel_stride, grid, walk, results.channels, first,
                                    spp_minimum(SPP_WORD, plan->end - first), contiguous, copy, plane);
        APPLY_SPECIFIC(fold_runs)(SPP_SUM, plane, *starts, 1, row);
        for (; run < end; ++run) {
            double *slot = slots + run->slot * (SPP_DOUBLES * SPP_LANES);
            if (run->is_first & run->is_last) {
                APPLY_SPECIFIC(finish_only_run)(&results, *finished++, row[run->last_pixel]);
                continue;
            }
            APPLY_SPECIFIC(add_to_slot)(row[run->last_pixel], SPP_LANES, slot);
            if (run->is_last)
                APPLY_SPECIFIC(finish_superpixel)(&results, *finished++, SPP_LANES, slot);
        }
    }
    APPLY_SPECIFIC(flush_results)(&results);
}
