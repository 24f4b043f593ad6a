#include "memory/arrays.h"
#include "pool/segments.h"

#section device_code
/* Writes the sum of a segment: the result of a superpixel that lies in one tile, otherwise a partial sum.
   [in] at: index of image and channel  [out] pooled (n): of this image and channel */
WITHIN_KERNEL void spp_write_sum(const SppSegment segment, ga_double sum, ga_size at, ga_size tiles, ga_int mean,
                                 GLOBAL_MEM ga_double *partials, GLOBAL_MEM FEATURE *pooled)
{
    if (segment.first_tile < segment.last_tile)
        partials[spp_partial_index(at, tiles, segment.tile, segment.first_tile)] = sum;
    else
        pooled[segment.superpixel] = (FEATURE)(mean && segment.end > segment.first
                                               ? sum / (segment.end - segment.first) : sum);
}

#section kernels
/* Finishes the superpixels that lie in several tiles. */
KERNEL void add_partials(GLOBAL_MEM const ga_double *partials, GLOBAL_MEM const ga_uint *starts, ga_size n,
                         ga_size channels, ga_size tiles, ga_int mean, GLOBAL_MEM FEATURE *pooled,
                         ga_size pooled_offset)
{
    const ga_size groups = (n + SPP_GROUP - 1) / SPP_GROUP;
    const SppWork work = spp_work(1, groups);
    const ga_size at = work.image, superpixel = (ga_size)work.group * SPP_GROUP + LID_0;
    const ga_size image = at / channels;
    if (superpixel < n) {
        const ga_uint first = starts[image * (n + 1) + superpixel], end = starts[image * (n + 1) + superpixel + 1];
        if (end > first && (end - 1) / SPP_SEGMENT > first / SPP_SEGMENT) {
            const ga_double sum = spp_sum_partials(partials, at, tiles, first, end);
            ((GLOBAL_MEM FEATURE *)((GLOBAL_MEM char *)pooled + pooled_offset))[at * n + superpixel] =
                (FEATURE)(mean ? sum / (end - first) : sum);
        }
    }
}
