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
    gpudata *flag = NULL, *partials = NULL;
    ssize_t n;
    int failed = -1;

    if (spp_gpu_check_shapes(op, "feature_map", feature_map, superpixel_map, SPP_GPU_IN_BATCH) != 0
            || (n = spp_gpu_n_superpixels(op, n_superpixels)) < 0
            || spp_gpu_check_sizes(op, superpixel_map, n) != 0)
        return -1;
    if (spp_gpu_lacks_cells(naxes, feature_map->ga.dimensions + 2, superpixel_map->ga.dimensions + 1))
        return spp_gpu_raise_from_reference("(ss(OOO))", "overlap_pool", NULL, feature_map, superpixel_map,
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
            || (partials = spp_gpu_allocate(&scratch, batch * channels * segments.tiles, 2 * sizeof(double))) == NULL
            || (channels * n > 0
                && SPP_GPU_START(add_resized, op,
                                 batch * spp_gpu_ceil_divide(channels, SPP_CHANNELS) * segments.groups,
                                 feature_map->ga.data, feature_map->ga.offset, feature_map->ga.strides[0],
                                 feature_map->ga.strides[1], grid.row0, grid.row1, grid.pixel, sampling.low,
                                 sampling.cell_weights, sampling.pixels[0], sampling.pixels[1], sampling.pixels[2],
                                 sorted.order, sorted.starts, pixels, n, channels, segments.tiles, segments.threads,
                                 segments.groups, mean, (*pooled)->ga.data, (*pooled)->ga.offset, partials) != 0)
            || (channels * n > 0 && segments.tiles > 1
                && SPP_GPU_START(add_partials, op, batch * channels * spp_gpu_ceil_divide(n, SPP_GROUP), partials,
                                 sorted.starts, n, channels, segments.tiles, mean, (*pooled)->ga.data,
                                 (*pooled)->ga.offset) != 0))
        goto done;
    failed = spp_gpu_check_flag(&scratch, flag, superpixel_map, n, "n_superpixels is");
done:
    spp_gpu_release(&scratch);
    return failed;
}

#section kernels
/* As add_segments (ops/superpixel_pool.cc), of features that are interpolated when they are read. */
KERNEL void add_resized(GLOBAL_MEM const FEATURE *features, ga_size features_offset, ga_ssize image_stride,
                        ga_ssize channel_stride, ga_ssize row0, ga_ssize row1, ga_ssize step,
                        GLOBAL_MEM const ga_uint *low, GLOBAL_MEM const ga_double *cell_weights, ga_size pixels0,
                        ga_size pixels1, ga_size pixels2, GLOBAL_MEM const ga_uint *order,
                        GLOBAL_MEM const ga_uint *starts, ga_size pixels, ga_size n, ga_size channels, ga_size tiles,
                        ga_size threads, ga_size groups, ga_int mean, GLOBAL_MEM FEATURE *pooled, ga_size pooled_offset,
                        GLOBAL_MEM ga_double *partials)
{
    LOCAL_MEM ga_double sums[SPP_CHANNELS * SPP_GROUP];
    const ga_size blocks = (channels + SPP_CHANNELS - 1) / SPP_CHANNELS;
    const SppWork work = spp_work(blocks, groups);
    const ga_size image = work.image, channel = (ga_size)work.block * SPP_CHANNELS;
    const ga_uint thread = LID_0 % (ga_uint)threads;
    const SppSegment segment = spp_segment(starts + image * (n + 1), (ga_uint)n, work.group, (ga_uint)threads);
    GLOBAL_MEM const char *image_features = (GLOBAL_MEM const char *)features + features_offset
        + (ga_ssize)image * image_stride + (ga_ssize)channel * channel_stride;
    ga_double chain[SPP_CHANNELS], total[SPP_CHANNELS];
    ga_int c, links = 0;
    ga_uint i;
    for (c = 0; c < SPP_CHANNELS; ++c) {
        chain[c] = 0;
        total[c] = 0;
    }
    for (i = segment.from + thread; i < segment.to; i += (ga_uint)threads) {
        const SppSeen seen = spp_seen(order[image * pixels + i], low, cell_weights, pixels0, pixels1, pixels2);
        for (c = 0; c < SPP_CHANNELS; ++c)
            if (channel + c < channels)
                chain[c] += spp_resized(image_features + c * channel_stride, seen, row0, row1, step);
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
    spp_fold_sums(sums, (ga_uint)threads);
    if (segment.exists && thread < SPP_CHANNELS && channel + thread < channels) {
        const ga_size at = image * channels + channel + thread;
        spp_write_sum(segment, sums[thread * SPP_GROUP + LID_0 - thread], at, tiles, mean, partials,
                      (GLOBAL_MEM FEATURE *)((GLOBAL_MEM char *)pooled + pooled_offset) + at * n);
    }
}
