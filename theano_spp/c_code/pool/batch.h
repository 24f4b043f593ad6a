#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/rows.h"
#include "pool/channels_first.h"
#include "pool/channels_last.h"
#include "pool/reduction.h"

#section support_code_apply
/* Pools a batch: divides it into images, blocks of channels and chunks of pixels, which threads share, and merges the
   partial states of the chunks. */
#define SPP_CHANNELS_LAST_VECTORS 8  /* in a block, or more, while all slots fit into Reduction::SLOT_MEMORY bytes: half
                                        rows are read at half the speed */

/* [in] number: of the block, in all images */
static inline APPLY_SPECIFIC(Block) APPLY_SPECIFIC(find_block)(
    PyArrayObject *feature_map, const SppPlans *plans, const SppGrid *grid, const SppStrides *walk,
    const SppBlocks *blocks, npy_intp number, npy_intp chunk, int channels_last)
{
    const SppBlock here = spp_block(blocks, number);
    const npy_intp map = spp_map_of(plans, here.image);
    APPLY_SPECIFIC(Block) block;
    block.image = here.image;
    block.first_channel = here.first;
    block.features = PyArray_BYTES(feature_map) + block.image * PyArray_STRIDE(feature_map, 0)
                     + block.first_channel * PyArray_STRIDE(feature_map, 1);
    block.end = APPLY_SPECIFIC(array_end)(feature_map);
    block.channel_stride = PyArray_STRIDE(feature_map, 1);
    block.channels = here.channels;
    block.vectors = spp_ceil_divide(block.channels, SPP_LANES);
    block.grid = grid;
    block.walk = walk;
    block.n_superpixels = plans->n_superpixels;
    block.sizes = plans->sizes + map * plans->n_superpixels;
    block.plan = plans->plan + map * plans->chunks + chunk;
    block.channels_last = channels_last;
    return block;
}

template <class Reduction>
static void APPLY_SPECIFIC(write_empty)(const APPLY_SPECIFIC(Block) *block, Reduction *reduction)
{
    npy_intp superpixel, vector;
    for (superpixel = 0; superpixel < block->n_superpixels; ++superpixel)
        for (vector = 0; block->sizes[superpixel] == 0 && vector < block->vectors; ++vector)
            reduction->write(vector, superpixel, reduction->empty());
    reduction->flush();
}

/* Merges the partial states of an image and writes the superpixels that they belong to. [in] partial (count)
   [in, out] states (count, block->vectors) */
template <class Reduction>
static void APPLY_SPECIFIC(merge_partials)(const APPLY_SPECIFIC(Block) *block, const SppPartial *partial,
                                           npy_intp count, Reduction *reduction, typename Reduction::Partial *states)
{
    const npy_intp vectors = block->vectors;
    npy_intp i, vector;
    for (i = 0; i < count; ++i)
        for (vector = 0; partial[i].first != i && vector < vectors; ++vector)
            Reduction::merge(states + i * vectors + vector, states + partial[i].first * vectors + vector);
    for (i = 0; i < count; ++i)
        for (vector = 0; partial[i].first == i && vector < vectors; ++vector)
            reduction->write(vector, partial[i].superpixel, states[i * vectors + vector]);
    reduction->flush();
}

/* [in] plans: of the labels  Returns 0, or -1 with a MemoryError. */
template <class Reduction>
static int APPLY_SPECIFIC(pool_batch)(const char *op, PyArrayObject *feature_map, const SppPlans *plans,
                                      const typename Reduction::Output *output)
{
    typedef typename Reduction::State State;
    typedef typename Reduction::Partial Partial;
    const npy_intp batch = PyArray_DIM(feature_map, 0), channels = PyArray_DIM(feature_map, 1);
    const npy_intp chunks = plans->chunks, partials = spp_partials_before(plans, batch);
    const SppGrid grid = spp_grid_of(feature_map, 2);
    const SppStrides walk = spp_strides_of(feature_map, 2);
    const int channels_last = PyArray_STRIDE(feature_map, 1) == (npy_intp)sizeof(FEATURE) && channels > 1;
    const int threads = spp_number_of_threads();
    const npy_intp most = !channels_last ? 1 : spp_maximum(
        SPP_CHANNELS_LAST_VECTORS, Reduction::SLOT_MEMORY / (plans->slots * (npy_intp)sizeof(State)));
    const SppBlocks blocks = spp_blocks(batch * chunks, channels, most * SPP_LANES, threads);
    const npy_intp vectors = spp_ceil_divide(blocks.width, SPP_LANES);
    const npy_intp rows = (Reduction::SCRATCH_ROWS + SPP_WINDOW) * vectors * SPP_LANES;
    State *slots = (State *)spp_scratch(op, plans->slots * threads + 1, vectors, sizeof(State));
    FEATURE *scratch = (FEATURE *)spp_scratch(op, rows, threads, sizeof(FEATURE));
    Partial *states = (Partial *)spp_scratch(op, partials, vectors * blocks.of_image, sizeof(Partial));
    const int failed = slots == NULL || scratch == NULL || states == NULL;
    int merge;
    npy_intp i;
    for (merge = 0; !failed && merge <= (partials > 0); ++merge) {
        #ifdef _OPENMP
        #pragma omp parallel for schedule(static) if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
        #endif
        for (i = 0; i < batch * blocks.of_image * (merge ? 1 : chunks); ++i) {
            const npy_intp chunk = merge ? 0 : i % chunks, number = merge ? i : i / chunks;
            const APPLY_SPECIFIC(Block) block = APPLY_SPECIFIC(find_block)(
                feature_map, plans, &grid, &walk, &blocks, number, chunk, channels_last);
            State *own_slots = (State *)spp_align(slots) + spp_thread_number() * plans->slots * vectors;
            Partial *own_states = states + vectors * (number % blocks.of_image * partials
                                                      + spp_partials_before(plans, block.image));
            Reduction reduction;
            reduction.begin(&block, output);
            if (merge) {
                const npy_intp map = spp_map_of(plans, block.image);
                APPLY_SPECIFIC(merge_partials)(&block, plans->partial + plans->partials[map],
                                               plans->partials[map + 1] - plans->partials[map], &reduction, own_states);
                continue;
            }
            if (chunk == 0)
                APPLY_SPECIFIC(write_empty)(&block, &reduction);
            if (channels_last)
                APPLY_SPECIFIC(pool_channels_last)(block, &reduction, own_slots, own_states,
                                                   scratch + spp_thread_number() * rows);
            else
                APPLY_SPECIFIC(pool_channels_first)(block, &reduction, own_slots, own_states);
            reduction.flush();
        }
    }
    free(slots);
    free(scratch);
    free(states);
    return failed ? -1 : 0;
}
