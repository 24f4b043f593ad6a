#include "memory/grid.h"

#section support_code
/* How work is shared by threads. */
#ifndef SPP_THREADS
#define SPP_THREADS

#ifdef _OPENMP
#include <omp.h>
#endif

/* Below this number of values read or written, starting threads costs more than it saves. */
#define SPP_PARALLEL_MINIMUM 100000

static inline int spp_number_of_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

static inline int spp_thread_number(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

/* The number of channels in a block: `most`, or fewer if that gives every thread the same number of blocks. */
static inline npy_intp spp_block_width(npy_intp batch, npy_intp channels, npy_intp most, int threads)
{
    npy_intp blocks = spp_maximum(spp_ceil_divide(channels, most), 1);
    if (batch * blocks % threads != 0 && batch * blocks < 8 * threads)
        blocks = spp_ceil_divide(blocks, threads) * threads;
    return spp_maximum(spp_ceil_divide(channels, blocks), 1);
}

/* The blocks of all images: what threads share where each takes all pixels of some channels. */
typedef struct {
    npy_intp channels, width;  /* of an image, and of a block, of which the last may have fewer */
    npy_intp of_image, number;
} SppBlocks;

typedef struct {
    npy_intp image, first, channels;  /* the first channel, and their number */
} SppBlock;

/* At least one block for each image: without channels there may still be weights to sum. */
static inline SppBlocks spp_blocks(npy_intp batch, npy_intp channels, npy_intp most, int threads)
{
    SppBlocks blocks;
    blocks.channels = channels;
    blocks.width = spp_block_width(batch, channels, most, threads);
    blocks.of_image = spp_maximum(spp_ceil_divide(channels, blocks.width), 1);
    blocks.number = batch * blocks.of_image;
    return blocks;
}

static inline SppBlock spp_block(const SppBlocks *blocks, npy_intp number)
{
    SppBlock block;
    block.image = number / blocks->of_image;
    block.first = number % blocks->of_image * blocks->width;
    block.channels = spp_minimum(blocks->width, blocks->channels - block.first);
    return block;
}

#endif
