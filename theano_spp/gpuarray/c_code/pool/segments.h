#include "memory/arrays.h"
#include "memory/calls.h"

#section constants
#define SPP_SEGMENT 4096  /* sorted pixels of a tile: superpixels are cut where tiles end */
#define SPP_CHANNELS 4    /* that a thread computes side by side */

#section support_code
#ifndef SPP_GPU_SEGMENTS
#define SPP_GPU_SEGMENTS

/* How threads share the sorted pixels of an image. */
typedef struct {
    size_t tiles;    /* of an image */
    size_t threads;  /* of a segment: a power of two, for each at least eight pixels of an average segment */
    size_t groups;   /* of threads, for each image and block of channels */
} SppSegments;

static inline SppSegments spp_gpu_segments(size_t pixels, size_t n)
{
    SppSegments segments;
    segments.tiles = spp_gpu_ceil_divide(pixels, SPP_SEGMENT);
    segments.threads = 4;
    while (segments.threads < 128 && 16 * segments.threads * (n + segments.tiles) <= pixels)
        segments.threads *= 2;
    segments.groups = spp_gpu_ceil_divide((n + segments.tiles) * segments.threads, SPP_GROUP);
    return segments;
}

#endif

#section device_code
/* The tiles in which a superpixel of an image and channel lies. */
typedef struct {
    ga_size at;           /* index of image and channel */
    ga_size of_image;     /* number of tiles */
    ga_uint first, last;
} SppTiles;

/* A segment: the pixels of one superpixel in one tile of sorted pixels. */
typedef struct {
    ga_uint superpixel, tile;
    ga_uint first, end;             /* all pixels of the superpixel */
    ga_uint first_tile, last_tile;  /* of the superpixel */
    ga_uint from, to;               /* the pixels of the segment; none if it does not exist */
    ga_int exists;
} SppSegment;

/* The segment that this thread shares with `threads` - 1 others, in this group of those that share an image's
   segments. A segment's number is superpixel + tile, which is unique because both only grow in sorted order; some
   numbers have no segment. */
WITHIN_KERNEL SppSegment spp_segment(GLOBAL_MEM const ga_uint *starts, ga_uint n, ga_uint group, ga_uint threads)
{
    /* not (group * SPP_GROUP + LID_0) / threads: there may be more than 2^32 threads */
    const ga_uint number = group * (SPP_GROUP / threads) + (ga_uint)LID_0 / threads;
    SppSegment segment;
    ga_uint low = 0, high = n;  /* the last superpixel whose first segment has no larger number */
    while (high - low > 1) {
        const ga_uint middle = low + (high - low) / 2;
        if (middle + starts[middle] / SPP_SEGMENT <= number)
            low = middle;
        else
            high = middle;
    }
    segment.superpixel = low;
    segment.tile = number - low;
    segment.first = starts[low];
    segment.end = starts[low + 1];
    segment.first_tile = segment.first / SPP_SEGMENT;
    segment.last_tile = segment.end > segment.first ? (segment.end - 1) / SPP_SEGMENT : segment.first_tile;
    segment.exists = segment.tile >= segment.first_tile && segment.tile <= segment.last_tile;
    segment.from = !segment.exists ? 0 : segment.tile > segment.first_tile ? segment.tile * SPP_SEGMENT : segment.first;
    segment.to = !segment.exists ? 0
        : segment.tile < segment.last_tile ? (segment.tile + 1) * SPP_SEGMENT : segment.end;
    return segment;
}

/* Index of the partial result of a superpixel that lies in several tiles, in partials (batch, channels, tiles, 2): for
   each tile, 0 for the superpixel that comes from the tile before, 1 for the one that goes on into the next. */
WITHIN_KERNEL ga_size spp_partial_index(const SppTiles tiles, ga_uint tile)
{
    return (tiles.at * tiles.of_image + tile) * 2 + (tile == tiles.first);
}

/* Where results go, and how they are finished. */
typedef struct {
    GLOBAL_MEM char *pooled, *second;  /* the second result of ops that have two */
    ga_size channels, n;
    ga_int mode;
} SppResults;

WITHIN_KERNEL SppResults spp_results(GLOBAL_MEM char *pooled, GLOBAL_MEM char *second, ga_size channels, ga_size n,
                                     ga_int mode)
{
    SppResults results;
    results.pooled = pooled;
    results.second = second;
    results.channels = channels;
    results.n = n;
    results.mode = mode;
    return results;
}
