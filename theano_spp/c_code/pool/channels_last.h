#include "labels/label_map.h"
#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/channels_last.h"
#include "memory/lanes.h"
#include "pool/compensated_sum.h"
#include "pool/slots.h"

#section support_code_apply
/* Pooling where channels are last in memory. Whole rows (all channels of one pixel) are added up strictly in the
   order in which they lie in memory: adding some channels of each row and then the next ones would take as long as
   reading everything twice. Each channel's features are added in the same order as in pool/channels_first.h, so the
   results have the same bits. */
#define SPP_CHANNELS_LAST_WIDTH 64  /* channels of a block, or more: */
#define SPP_SLOT_MEMORY 1048576     /* while all slots fit into these bytes: half rows are read at half the speed */

/* Adds SPP_LANES features to the sum of a run. [in, out] partial: the sum so far, ignored if is_first; if is_last,
   the sum is added to the slot instead of being stored here */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(add_lanes_of_row)(
    const FEATURE *feature, int is_first, int is_last, FEATURE *partial, npy_intp width, double *slot)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    APPLY_SPECIFIC(Lanes) lanes = *(const LanesInMemory *)feature;
    if (!is_first)
        lanes = *(const LanesInMemory *)partial + lanes;
    if (is_last)
        APPLY_SPECIFIC(add_to_slot)(lanes, width, slot);
    else
        *(LanesInMemory *)partial = lanes;
}

/* The same for all channels of pixel number p. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(add_row)(
    const APPLY_SPECIFIC(Rows) *rows, npy_intp p, int is_first, int is_last, FEATURE *partial, double *slot)
{
    enum { LINE = 64 / sizeof(FEATURE) };
    const npy_intp width = rows->width;
    const FEATURE *feature = (const FEATURE *)(rows->first + p * rows->stride);
    npy_intp c, i;
    for (c = 0; c + LINE <= width; c += LINE) {
        APPLY_SPECIFIC(prefetch_row)(rows, feature + c);
        for (i = c; i < c + LINE; i += SPP_LANES)
            APPLY_SPECIFIC(add_lanes_of_row)(feature + i, is_first, is_last, partial + i, width, slot + i);
    }
    for (; c < width; c += SPP_LANES)
        APPLY_SPECIFIC(add_lanes_of_row)(feature + c, is_first, is_last, partial + c, width, slot + c);
}

/* Adds the pixels first .. end - 1, a run, to the sum of their superpixel. [out] partial (width): scratch, undefined
   on return */
static inline void APPLY_SPECIFIC(add_pixels)(const APPLY_SPECIFIC(Rows) *rows, npy_intp first, npy_intp end,
                                              FEATURE *partial, double *slot)
{
    npy_intp p;
    if (end - first == 1) {
        APPLY_SPECIFIC(add_row)(rows, first, 1, 1, partial, slot);
        return;
    }
    APPLY_SPECIFIC(add_row)(rows, first, 1, 0, partial, slot);
    for (p = first + 1; p < end - 1; ++p)
        APPLY_SPECIFIC(add_row)(rows, p, 0, 0, partial, slot);
    APPLY_SPECIFIC(add_row)(rows, p, 0, 1, partial, slot);
}

/* Adds a window to a full-window run; each eighth pixel goes to a sum of its own. [in, out] partial (SPP_LANES,
   width) */
static inline void APPLY_SPECIFIC(add_full_window)(const APPLY_SPECIFIC(Rows) *rows, int is_first, FEATURE *partial)
{
    npy_intp p;
    for (p = 0; p < SPP_LANES; ++p)
        if (is_first)
            APPLY_SPECIFIC(add_row)(rows, p, 1, 0, partial + p * rows->width, NULL);
        else
            APPLY_SPECIFIC(add_row)(rows, p, 0, 0, partial + p * rows->width, NULL);
    for (; p < SPP_WINDOW; ++p)
        APPLY_SPECIFIC(add_row)(rows, p, 0, 0, partial + (p - SPP_LANES) * rows->width, NULL);
}

/* Adds the eight sums of a full-window run to that of its superpixel, in the order of fold_lanes. [in] partial
   (SPP_LANES, width) */
static inline void APPLY_SPECIFIC(finish_full_run)(npy_intp width, const FEATURE *partial, double *slot)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    npy_intp c;
    for (c = 0; c < width; c += SPP_LANES) {
        #define SPP_ROW(i) *(const LanesInMemory *)(partial + (i) * width + c)
        const APPLY_SPECIFIC(Lanes) total = ((SPP_ROW(0) + SPP_ROW(4)) + (SPP_ROW(2) + SPP_ROW(6)))
                                            + ((SPP_ROW(1) + SPP_ROW(5)) + (SPP_ROW(3) + SPP_ROW(7)));
        #undef SPP_ROW
        APPLY_SPECIFIC(add_to_slot)(total, width, slot + c);
    }
}

/* Pools one chunk of one image. [in, out] slots (plan->slots, SPP_DOUBLES, width): zeros
   [in] end: of all features  [out] scratch (SPP_LANES + SPP_WINDOW, width): undefined on return */
static void APPLY_SPECIFIC(pool_channels_last)(
    const char *features, const char *end, const SppGrid *grid, const SppStrides *walk, const SppPlan *plan,
    const APPLY_SPECIFIC(Results) *results, double *slots, FEATURE *scratch)
{
    const int evenly_strided = spp_is_evenly_strided(grid, walk);
    const npy_intp width = results->width;
    const SppRun *run = plan->run;
    const npy_intp *finished = plan->finished;
    npy_intp first;
    for (first = plan->first; first < plan->end; first += SPP_WINDOW) {
        const npy_uint64 starts = plan->starts[(first - plan->first) / SPP_WORD] >> (first - plan->first) % SPP_WORD;
        const APPLY_SPECIFIC(Rows) rows = APPLY_SPECIFIC(find_rows)(
            features, end, grid, walk, results->channels, width, first, spp_minimum(SPP_WINDOW, plan->end - first),
            evenly_strided, scratch + SPP_LANES * width);
        npy_uint64 bits = starts & 0xffff;
        const int is_full = bits <= 1;
        if (is_full) {
            if (run->slot != 0)
                APPLY_SPECIFIC(add_full_window)(&rows, bits == 1, scratch);
            if ((first - plan->first + SPP_WINDOW) % SPP_WORD != 0 && (starts >> SPP_WINDOW & 0xffff) == 0)
                continue;  /* the run goes on in the next window */
            bits = 1;
        }
        for (; bits != 0; ++run) {
            double *slot = slots + run->slot * SPP_DOUBLES * width;
            int stop;
            const int start = spp_next_run(&bits, SPP_WINDOW, &stop);
            if (run->slot == 0)
                continue;
            if (is_full)
                APPLY_SPECIFIC(finish_full_run)(width, scratch, slot);
            else
                APPLY_SPECIFIC(add_pixels)(&rows, start, stop, scratch, slot);
            if (run->is_last)
                APPLY_SPECIFIC(finish_superpixel)(results, *finished++, width, slot);
        }
    }
}
