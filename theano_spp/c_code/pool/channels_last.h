#include "labels/label_map.h"
#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/rows.h"
#include "pool/reduction.h"

#section support_code_apply
/* Pools one chunk of one image where channels are last in memory. Whole rows (all channels of one pixel) are read
   strictly in the order in which they lie in memory: some channels of each row and then the next ones would take as
   long as reading everything twice.
   [in, out] slots (plan->slots, block.vectors)  [out] partials (those of the image, block.vectors)
   [out] scratch (Reduction::SCRATCH_ROWS + SPP_WINDOW, block.vectors * SPP_LANES): undefined on return */
template <class Reduction>
static void APPLY_SPECIFIC(pool_channels_last)(APPLY_SPECIFIC(Block) block, Reduction *reduction,
                                               typename Reduction::State *slots,
                                               typename Reduction::Partial *partials, FEATURE *scratch)
{
    const int evenly_strided = spp_is_evenly_strided(block.grid, block.walk);
    const npy_intp width = block.vectors * SPP_LANES, chunk_first = block.plan->first, chunk_end = block.plan->end;
    const SppRun *run = block.plan->run;
    const npy_intp *finished = block.plan->finished;
    npy_intp first;
    for (first = chunk_first; first < chunk_end; first += SPP_WINDOW) {
        const npy_uint64 starts = block.plan->starts[(first - chunk_first) / SPP_WORD]
            >> (first - chunk_first) % SPP_WORD;
        const APPLY_SPECIFIC(Rows) rows = APPLY_SPECIFIC(find_rows)(
            block.features, block.end, block.grid, block.walk, block.channels, width, first,
            spp_minimum(SPP_WINDOW, chunk_end - first), evenly_strided, scratch + Reduction::SCRATCH_ROWS * width);
        const int begins = (starts & 0xffff) != 0;  /* else a full-window run goes on */
        const int ends = (first - chunk_first + SPP_WINDOW) % SPP_WORD == 0 || (starts >> SPP_WINDOW & 0xffff) != 0;
        npy_uint64 bits = begins ? starts & 0xffff : 1;
        while (bits != 0) {
            int stop;
            const int start = spp_next_run(&bits, SPP_WINDOW, &stop), run_ends = bits != 0 || ends;
            if (run->slot != 0) {
                const APPLY_SPECIFIC(RunPart) part = {start, stop, first - chunk_first + stop - 1, begins, run_ends,
                                                      run->is_first && begins};
                typename Reduction::State *slot = slots + run->slot * block.vectors;
                reduction->add_rows(&rows, part, scratch, slot);
                if (run->is_last && run_ends)
                    APPLY_SPECIFIC(finish_superpixel)(reduction, *finished++, block.vectors, slot, partials);
            }
            run += run_ends;
        }
    }
}
