#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/lanes.h"

#section support_code_apply
/* A reduction makes one value of the features of a superpixel: their sum, their maximum. It is a type (pool/sum.h,
   pool/argmax.h) that says what a run adds to its superpixel; which run is next is the business of two walks
   (pool/channels_first.h, pool/channels_last.h) and one loop over a batch (pool/batch.h), templates that take the type.
   All of them work on vectors of SPP_LANES channels; lanes beyond the last channel have no meaning. The type has

       Run, State, Partial   what a run comes to; a superpixel in its slot, from the first run to the last; the same
                             after the last run in a chunk: all that is known of the chunk later
       Output                where the results of the batch go
       SLOT_MEMORY, SCRATCH_ROWS   where channels are last: bytes of all slots, a share of the caches; rows of scratch
       begin(block, output)  prepares for a block, which outlives the reduction
       fold(plane, starts, row)   channels first: reduces the runs of a word of pixels (pool/runs.h)
       add(run, pixel, is_first, state)   and adds one, whose last pixel has this number in the chunk, to its superpixel
       add_rows(rows, part, scratch, state)   channels last: adds the pixels of a run, window by window
       finish(vector, state)      the Partial, which may be the state itself
       merge(later, partial)      adds what a later chunk contributes
       empty()                    the Partial of a superpixel without pixels
       write(vector, superpixel, partial)   writes a result, or collects it until flush

   and what the base class below has. The first state in a slot is zero bytes. Slot 0 is that of pixels that belong to
   no superpixel: channels first, they are added there and never finished. Runs are added and partial states merged in
   an order that the labels alone decide; so results have the same bits for every number of threads, and for every
   memory layout if add_rows adds as fold and add do. */

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
    /* Prepares a slot for the next superpixel, where is_first is not enough. */
    template <class State> SPP_INLINE void reset(State *) {}
    /* After the last result of a block and chunk. */
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
        const typename Reduction::Partial &partial = reduction->finish(vector, slot + vector);
        if (finished >= 0)
            reduction->write(vector, finished, partial);
        else
            partials[(-1 - finished) * vectors + vector] = partial;
        reduction->reset(slot + vector);
    }
}
