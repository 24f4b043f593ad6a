#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/lanes.h"

#section support_code_apply
/* A reduction makes one value of the features of a superpixel: their sum, their maximum. It is a type, pool/sum.h or
   pool/argmax.h, and says what to do with a run; which run is next, and who does it, is said once, by the two walks
   (pool/channels_first.h, pool/channels_last.h) and the loop over a batch (pool/batch.h), which are templates. All of
   it works on vectors of SPP_LANES channels. The type has

       Run, State, Partial, Output   the result of one run; a superpixel from its first run to its last, in a slot; the
                                     same after its last run in a chunk, which must not refer to the chunk; where the
                                     results of the batch go
       SLOT_MEMORY, SCRATCH_ROWS     bytes of all slots where channels are last, a share of the caches; rows of scratch
       begin(block, output)          makes it ready for a block, the only argument that it may keep
       fold(plane, starts, row)      reduces the runs of a word of pixels, channels first (pool/runs.h)
       add(run, pixel, is_first, state)   adds a run, whose last pixel has this number in the chunk, to its superpixel
       add_rows(rows, part, scratch, state)   the same where channels are last, window by window
       finish(vector, state)         the Partial, where all runs of the chunk are added; prepares the slot for the next
       merge(later, partial)         adds what a later chunk contributes
       empty()                       the Partial of a superpixel without pixels
       write(vector, superpixel, partial)   writes a result, or keeps it until
       flush()                       which comes after all else.

   States are zero bytes before the first superpixel takes the slot. The order in which runs are added and partial
   states are merged depends on the labels alone, so that results have the same bits for every memory layout and
   number of threads, if add and add_rows add up in the same order. */

/* A block of channels of one image, with the plan of one of its chunks. */
typedef struct {
    const char *features, *end;  /* the image's first pixel in the first of these channels; the end of the array */
    npy_intp channel_stride, channels, vectors;
    const SppGrid *grid;
    const SppStrides *walk;
    npy_intp image, first_channel, n_superpixels;
    const npy_int64 *sizes;      /* (n_superpixels) */
    const SppPlan *plan;
    int channels_last;           /* in memory */
} APPLY_SPECIFIC(Block);

/* A run where channels are last, or what a full-window run has in one window. */
typedef struct {
    npy_intp start, stop;  /* pixels start .. stop - 1 of the window */
    npy_intp pixel;        /* the number of the last of them in the chunk */
    int begins, ends;      /* whether the run begins and ends in this window */
    int is_first;          /* whether its superpixel begins here */
} APPLY_SPECIFIC(RunPart);

#define SPP_INLINE inline __attribute__((always_inline))

/* What most reductions need not say. */
struct APPLY_SPECIFIC(Reduction) {
    /* Writes a superpixel that has a single run, and needs no slot then. [in] finished: of SppPlan
       Returns 0 if it must take a slot nevertheless. */
    template <class Run> SPP_INLINE int write_run(npy_intp, const Run &) { return 0; }
    void flush() {}
};

/* Writes a superpixel after its last run in a chunk, or keeps it, to be merged with those of other chunks.
   [in] finished: of SppPlan  [in, out] slot (vectors)  [out] partials (those of the image, vectors) */
template <class Reduction>
static SPP_INLINE void APPLY_SPECIFIC(finish_superpixel)(
    Reduction *reduction, npy_intp finished, npy_intp vectors, typename Reduction::State *slot,
    typename Reduction::Partial *partials)
{
    npy_intp vector;
    for (vector = 0; vector < vectors; ++vector) {
        const typename Reduction::Partial partial = reduction->finish(vector, slot + vector);
        if (finished >= 0)
            reduction->write(vector, finished, partial);
        else
            partials[(-1 - finished) * vectors + vector] = partial;
    }
}
