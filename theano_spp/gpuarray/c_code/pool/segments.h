#include "memory/arrays.h"

#section constants
#define SPP_SEGMENT 4096       /* sorted pixels of a tile: superpixels are cut where tiles end */
#define SPP_CHANNELS 4         /* that a thread computes side by side */
#define SPP_LOADS_IN_FLIGHT 4  /* pixels read before the first is added: several loads in flight hide memory latency */
#define SPP_CHAIN 16           /* features added one after the other in their own precision: within 1e-6 in float32 */
#define SPP_LONG_CHAIN 32      /* the same for float64 terms: at most as many chains stay within 1e-14 */

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

/* Index of the partial sum of a superpixel that lies in several tiles, in partials (.., tiles, 2): for each tile, 0
   for the superpixel that comes from the tile before, 1 for the one that goes on into the next. */
WITHIN_KERNEL ga_size spp_partial_index(ga_size at, ga_size tiles, ga_uint tile, ga_uint first_tile)
{
    return (at * tiles + tile) * 2 + (tile == first_tile);
}

/* Reduces the sums of the `threads` threads of a segment to its first thread. All threads of the group must call it. */
WITHIN_KERNEL void spp_fold_sums(LOCAL_MEM_ARG ga_double *sums, ga_uint threads)
{
    ga_uint fold;
    ga_int c;
    for (fold = threads / 2; fold > 0; fold /= 2) {
        local_barrier();
        if (LID_0 % threads < fold)
            for (c = 0; c < SPP_CHANNELS; ++c)
                sums[c * SPP_GROUP + LID_0] += sums[c * SPP_GROUP + LID_0 + fold];
    }
    local_barrier();
}

/* The compensated sum of the partial sums of a superpixel that lies in several tiles. */
WITHIN_KERNEL ga_double spp_sum_partials(GLOBAL_MEM const ga_double *partials, ga_size at, ga_size tiles, ga_uint first,
                                         ga_uint end)
{
    const ga_uint first_tile = first / SPP_SEGMENT, last_tile = (end - 1) / SPP_SEGMENT;
    ga_double sum = partials[spp_partial_index(at, tiles, first_tile, first_tile)], error = 0;
    ga_uint tile;
    for (tile = first_tile + 1; tile <= last_tile; ++tile)
        spp_add_compensated(&sum, &error, partials[spp_partial_index(at, tiles, tile, first_tile)]);
    return spp_total(sum, error);
}
