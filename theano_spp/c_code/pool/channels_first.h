#include "labels/label_map.h"
#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/planes.h"
#include "pool/reduction.h"

#section support_code_apply
/* Pools one chunk of one image where memory holds one plane for each channel, up to SPP_LANES channels.
   [in, out] slots (plan->slots)  [out] partials (those of the image) */
template <class Reduction>
static void APPLY_SPECIFIC(pool_channels_first)(APPLY_SPECIFIC(Block) block, Reduction *reduction,
                                                typename Reduction::State *slots,
                                                typename Reduction::Partial *partials)
{
    const int contiguous = spp_is_contiguous(block.grid, block.walk, sizeof(FEATURE));
    const npy_intp chunk_first = block.plan->first, chunk_end = block.plan->end;
    const npy_uint64 *starts = block.plan->starts;
    const SppRun *run = block.plan->run;
    const npy_intp *finished = block.plan->finished;
    typename Reduction::Run row[SPP_WORD];
    FEATURE copy[SPP_LANES][SPP_WORD];
    const FEATURE *plane[SPP_LANES];
    npy_intp first;
    memset(copy, 0, sizeof(copy));
    for (first = chunk_first; first < chunk_end; first += SPP_WORD, ++starts) {
        const SppRun *end = run + __builtin_popcountll(*starts);
        APPLY_SPECIFIC(find_planes)(block.features, block.channel_stride, block.grid, block.walk, block.channels, first,
                                    spp_minimum(SPP_WORD, chunk_end - first), contiguous, copy, plane);
        reduction->fold(plane, *starts, row);
        for (; run < end; ++run) {
            typename Reduction::State *slot = slots + run->slot;
            if (run->is_first & run->is_last && reduction->write_run(*finished, row[run->last_pixel])) {
                ++finished;
                continue;
            }
            reduction->add(row[run->last_pixel], first - chunk_first + run->last_pixel, run->is_first, slot);
            if (run->is_last)
                APPLY_SPECIFIC(finish_superpixel)(reduction, *finished++, 1, slot, partials);
        }
    }
}
