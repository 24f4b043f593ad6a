#include "labels/sorted_pixels.h"
#include "memory/arrays.h"
#include "pool/segment_parts.h"
#include "pool/segments.h"
#include "resize/interpolation.h"
#include "resize/resized_value.h"

#section support_code_struct
/* [in]  feature_map (batch, channels, *cells), superpixel_map (batch, *spatial), n_superpixels () on the host
   [out] pooled (batch, channels, n_superpixels): of the features resized to the map */
int APPLY_SPECIFIC(overlap_pool)(PyGpuArrayObject *feature_map, PyGpuArrayObject *superpixel_map,
                                 PyArrayObject *n_superpixels, PyGpuArrayObject **pooled, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelOverlapPool";
    const size_t batch = feature_map->ga.dimensions[0], channels = feature_map->ga.dimensions[1];
    const size_t pixels = spp_gpu_pixels(superpixel_map, 1);
    const unsigned int naxes = superpixel_map->ga.nd - 1;
    const SppGpuGrid grid = spp_gpu_grid(feature_map, 2);
    const int mean = params->mode == SPP_POOL_MEAN, bilinear = params->resize == SPP_BILINEAR;
    SppGpuScratch scratch = {params->context->ctx, op, {NULL}, 0};
    SppGpuSampling sampling;
    SppSorted sorted;
    SppSegments segments;
    size_t shape[3] = {batch, channels, 0};
    gpudata *flag = NULL, *parts = NULL;
    ssize_t n;
    int failed = -1;

    if (spp_gpu_check_shapes(op, "feature_map", feature_map, superpixel_map, SPP_GPU_IN_BATCH) != 0
            || (n = spp_gpu_n_superpixels(op, n_superpixels)) < 0
            || spp_gpu_check_sizes(op, superpixel_map, n) != 0)
        return -1;
    if (spp_gpu_lacks_cells(naxes, feature_map->ga.dimensions + 2, superpixel_map->ga.dimensions + 1))
        return spp_gpu_raise_of_reference("(ss(OOO))", "overlap_pool", NULL, feature_map, superpixel_map,
                                          n_superpixels);
    shape[2] = n;
    if (spp_gpu_prepare(op, pooled, 3, shape, feature_map->ga.typecode, params->context) != 0)
        return -1;
    if (batch * pixels == 0)
        return APPLY_SPECIFIC(set_array)(op, *pooled);
    segments = spp_gpu_segments(pixels, n);
    if ((flag = APPLY_SPECIFIC(new_flag)(&scratch)) == NULL
            || APPLY_SPECIFIC(sort_pixels)(&scratch, superpixel_map, n, flag, &sorted) != 0
            || APPLY_SPECIFIC(sample_axes)(&scratch, naxes, feature_map->ga.dimensions + 2,
                                           superpixel_map->ga.dimensions + 1, bilinear, &sampling) != 0
            || (parts = spp_gpu_allocate(&scratch, batch * channels * segments.tiles, 2 * sizeof(double))) == NULL
            || (channels * n > 0
                && SPP_GPU_START(add_resized, op,
                                 batch * spp_gpu_ceil_divide(channels, SPP_CHANNELS) * segments.groups,
                                 feature_map->ga.data, feature_map->ga.offset, feature_map->ga.strides[0],
                                 feature_map->ga.strides[1], grid.row0, grid.row1, grid.pixel, sampling.low,
                                 sampling.shares, sampling.pixels[0], sampling.pixels[1], sampling.pixels[2],
                                 sorted.order, sorted.starts, pixels, n, channels, segments.tiles, segments.lanes,
                                 segments.groups, mean, (*pooled)->ga.data, (*pooled)->ga.offset, parts) != 0)
            || (channels * n > 0 && segments.tiles > 1
                && SPP_GPU_START(add_parts, op, batch * channels * spp_gpu_ceil_divide(n, SPP_GROUP), parts,
                                 sorted.starts, n, channels, segments.tiles, mean, (*pooled)->ga.data,
                                 (*pooled)->ga.offset) != 0))
        goto done;
    failed = spp_gpu_check_flag(&scratch, flag, superpixel_map, n, "n_superpixels is");
done:
    spp_gpu_release(&scratch);
    return failed;
}

#section kernels
/* As add_segments (ops/superpixel_pool.cc), of features resized where they are read. */
KERNEL void add_resized(GLOBAL_MEM const FEATURE *features, ga_size features_offset, ga_ssize image_stride,
                        ga_ssize channel_stride, ga_ssize row0, ga_ssize row1, ga_ssize step,
                        GLOBAL_MEM const ga_uint *low, GLOBAL_MEM const ga_double *shares, ga_size pixels0,
                        ga_size pixels1, ga_size pixels2, GLOBAL_MEM const ga_uint *order,
                        GLOBAL_MEM const ga_uint *starts, ga_size pixels, ga_size n, ga_size channels, ga_size tiles,
                        ga_size lanes, ga_size groups, ga_int mean, GLOBAL_MEM FEATURE *pooled, ga_size pooled_offset,
                        GLOBAL_MEM ga_double *parts)
{
    LOCAL_MEM ga_double sums[SPP_CHANNELS * SPP_GROUP];
    const ga_size blocks = (channels + SPP_CHANNELS - 1) / SPP_CHANNELS;
    const SppWork work = spp_work(blocks, groups);
    const ga_size image = work.image, channel = (ga_size)work.block * SPP_CHANNELS;
    const ga_uint lane = LID_0 % (ga_uint)lanes;
    const SppSegment segment = spp_segment(starts + image * (n + 1), (ga_uint)n, work.part, (ga_uint)lanes);
    GLOBAL_MEM const char *of_image = (GLOBAL_MEM const char *)features + features_offset
        + (ga_ssize)image * image_stride + (ga_ssize)channel * channel_stride;
    ga_double chain[SPP_CHANNELS], total[SPP_CHANNELS];
    ga_int c, links = 0;
    ga_uint i;
    for (c = 0; c < SPP_CHANNELS; ++c) {
        chain[c] = 0;
        total[c] = 0;
    }
    for (i = segment.from + lane; i < segment.to; i += (ga_uint)lanes) {
        const SppSeen seen = spp_seen(order[image * pixels + i], low, shares, pixels0, pixels1, pixels2);
        for (c = 0; c < SPP_CHANNELS; ++c)
            if (channel + c < channels)
                chain[c] += spp_resized(of_image + c * channel_stride, seen, row0, row1, step);
        if (++links == SPP_LONG_CHAIN) {
            for (c = 0; c < SPP_CHANNELS; ++c) {
                total[c] += chain[c];
                chain[c] = 0;
            }
            links = 0;
        }
    }
    for (c = 0; c < SPP_CHANNELS; ++c)
        sums[c * SPP_GROUP + LID_0] = total[c] + chain[c];
    spp_fold_sums(sums, (ga_uint)lanes);
    if (segment.exists && lane < SPP_CHANNELS && channel + lane < channels) {
        const ga_size at = image * channels + channel + lane;
        spp_write_sum(segment, sums[lane * SPP_GROUP + LID_0 - lane], at, tiles, mean, parts,
                      (GLOBAL_MEM FEATURE *)((GLOBAL_MEM char *)pooled + pooled_offset) + at * n);
    }
}
