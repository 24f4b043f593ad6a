#include "labels/sorted_pixels.h"
#include "memory/arrays.h"
#include "pool/segments.h"

#section support_code_struct
/* [in]  feature_map (batch, channels, *spatial), superpixel_map (batch, *spatial), n_superpixels () on the host,
         pixel_weights (batch, *spatial)
   [out] sums (batch, channels, n_superpixels) float64 of weight times feature, totals (batch, n_superpixels) float64 */
int APPLY_SPECIFIC(weighted_pool)(PyGpuArrayObject *feature_map, PyGpuArrayObject *superpixel_map,
                                  PyArrayObject *n_superpixels, PyGpuArrayObject *pixel_weights,
                                  PyGpuArrayObject **sums, PyGpuArrayObject **totals, PARAMS_TYPE *params)
{
    const char *op = "WeightedPool";
    const size_t batch = feature_map->ga.dimensions[0], channels = feature_map->ga.dimensions[1];
    const size_t pixels = spp_gpu_pixels(superpixel_map, 1);
    const SppGpuGrid grid = spp_gpu_grid(feature_map, 2), weights = spp_gpu_grid(pixel_weights, 1);
    SppGpuScratch scratch = {params->context->ctx, op, {NULL}, 0};
    SppSorted sorted;
    SppSegments segments;
    size_t shape[3] = {batch, channels, 0};
    gpudata *flag = NULL, *partials = NULL;
    ssize_t n;
    int failed = -1;

    if ((n = spp_gpu_n_superpixels(op, n_superpixels)) < 0)
        return -1;
    if (!spp_gpu_has_pixels_of_map(feature_map, superpixel_map)
            || !spp_gpu_has_pixels_of_map(pixel_weights, superpixel_map))
        return spp_gpu_raise_from_reference("(sz(OOOO))", "weighted_pool", NULL, feature_map, superpixel_map,
                                            n_superpixels, pixel_weights);
    shape[2] = n;
    if (spp_gpu_check_sizes(op, superpixel_map, n) != 0
            || spp_gpu_prepare(op, sums, 3, shape, GA_DOUBLE, params->context) != 0)
        return -1;
    shape[1] = n;
    if (spp_gpu_prepare(op, totals, 2, shape, GA_DOUBLE, params->context) != 0)
        return -1;
    if (batch * pixels == 0)
        return APPLY_SPECIFIC(set_array)(op, *sums) != 0 || APPLY_SPECIFIC(set_array)(op, *totals) != 0 ? -1 : 0;
    segments = spp_gpu_segments(pixels, n);
    if ((flag = APPLY_SPECIFIC(new_flag)(&scratch)) == NULL
            || APPLY_SPECIFIC(sort_pixels)(&scratch, superpixel_map, n, flag, &sorted) != 0
            || (partials = spp_gpu_allocate(&scratch, batch * (channels + 1) * segments.tiles,
                                            2 * sizeof(double))) == NULL
            || (n > 0
                && SPP_GPU_START(add_weighted, op,
                                 batch * spp_gpu_ceil_divide(channels + 1, SPP_CHANNELS) * segments.groups,
                                 feature_map->ga.data, feature_map->ga.offset, feature_map->ga.strides[0],
                                 feature_map->ga.strides[1], grid.rows, grid.length, grid.row0, grid.row1, grid.pixel,
                                 pixel_weights->ga.data, pixel_weights->ga.offset, pixel_weights->ga.strides[0],
                                 weights.row0, weights.row1, weights.pixel, sorted.order, sorted.starts, pixels, n,
                                 channels, segments.tiles, segments.threads, segments.groups, (*sums)->ga.data,
                                 (*sums)->ga.offset, (*totals)->ga.data, (*totals)->ga.offset, partials) != 0)
            || (n > 0 && segments.tiles > 1
                && SPP_GPU_START(add_weighted_partials, op, batch * (channels + 1) * spp_gpu_ceil_divide(n, SPP_GROUP),
                                 partials, sorted.starts, n, channels, segments.tiles, (*sums)->ga.data,
                                 (*sums)->ga.offset, (*totals)->ga.data, (*totals)->ga.offset) != 0))
        goto done;
    failed = spp_gpu_check_flag(&scratch, flag, superpixel_map, n, "n_superpixels is");
done:
    spp_gpu_release(&scratch);
    return failed;
}

#section device_code
/* Where the sum of a channel of a superpixel goes; the channel after the last is the sum of the weights. */
WITHIN_KERNEL GLOBAL_MEM ga_double *spp_weighted_sum(GLOBAL_MEM ga_double *sums, ga_size sums_offset,
                                                     GLOBAL_MEM ga_double *totals, ga_size totals_offset, ga_size image,
                                                     ga_size channel, ga_size channels, ga_size n, ga_size superpixel)
{
    return channel < channels
        ? (GLOBAL_MEM ga_double *)((GLOBAL_MEM char *)sums + sums_offset)
            + (image * channels + channel) * n + superpixel
        : (GLOBAL_MEM ga_double *)((GLOBAL_MEM char *)totals + totals_offset) + image * n + superpixel;
}

#section kernels
/* As add_segments (ops/superpixel_pool.cc), of products in float64; the channel after the last is one at every
   pixel. */
KERNEL void add_weighted(GLOBAL_MEM const FEATURE *features, ga_size features_offset, ga_ssize image_stride,
                         ga_ssize channel_stride, ga_size rows, ga_size length, ga_ssize row0, ga_ssize row1,
                         ga_ssize step, GLOBAL_MEM const WEIGHT *weights, ga_size weights_offset,
                         ga_ssize weights_image, ga_ssize weights_row0, ga_ssize weights_row1, ga_ssize weights_step,
                         GLOBAL_MEM const ga_uint *order, GLOBAL_MEM const ga_uint *starts, ga_size pixels, ga_size n,
                         ga_size channels, ga_size tiles, ga_size threads, ga_size groups, GLOBAL_MEM ga_double *pooled,
                         ga_size pooled_offset, GLOBAL_MEM ga_double *totals, ga_size totals_offset,
                         GLOBAL_MEM ga_double *partials)
{
    LOCAL_MEM ga_double sums[SPP_CHANNELS * SPP_GROUP];
    const ga_size blocks = (channels + 1 + SPP_CHANNELS - 1) / SPP_CHANNELS;
    const SppWork work = spp_work(blocks, groups);
    const ga_size image = work.image, channel = (ga_size)work.block * SPP_CHANNELS;
    const ga_uint thread = LID_0 % (ga_uint)threads;
    const SppSegment segment = spp_segment(starts + image * (n + 1), (ga_uint)n, work.group, (ga_uint)threads);
    GLOBAL_MEM const char *image_features = (GLOBAL_MEM const char *)features + features_offset
        + (ga_ssize)image * image_stride + (ga_ssize)channel * channel_stride;
    GLOBAL_MEM const char *image_weights = (GLOBAL_MEM const char *)weights + weights_offset
        + (ga_ssize)image * weights_image;
    ga_double chain[SPP_CHANNELS], total[SPP_CHANNELS];
    ga_int c, links = 0;
    ga_uint i;
    for (c = 0; c < SPP_CHANNELS; ++c) {
        chain[c] = 0;
        total[c] = 0;
    }
    for (i = segment.from + thread; i < segment.to; i += (ga_uint)threads) {
        const ga_uint pixel = order[image * pixels + i];
        const ga_double weight = *(GLOBAL_MEM const WEIGHT *)(image_weights + spp_offset(
            pixel, (ga_uint)rows, (ga_uint)length, weights_row0, weights_row1, weights_step));
        GLOBAL_MEM const char *at = image_features
            + spp_offset(pixel, (ga_uint)rows, (ga_uint)length, row0, row1, step);
        for (c = 0; c < SPP_CHANNELS; ++c)
            if (channel + c < channels)
                chain[c] += weight * (ga_double)*(GLOBAL_MEM const FEATURE *)(at + c * channel_stride);
            else if (channel + c == channels)
                chain[c] += weight;
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
    if (segment.exists && thread < SPP_CHANNELS && channel + thread <= channels) {
        const ga_double sum = sums[thread * SPP_GROUP + LID_0 - thread];
        if (segment.first_tile < segment.last_tile)
            partials[spp_partial_index(image * (channels + 1) + channel + thread, tiles, segment.tile,
                                       segment.first_tile)] = sum;
        else
            *spp_weighted_sum(pooled, pooled_offset, totals, totals_offset, image, channel + thread, channels, n,
                              segment.superpixel) = sum;
    }
}

/* Finishes the superpixels that lie in several tiles. */
KERNEL void add_weighted_partials(GLOBAL_MEM const ga_double *partials, GLOBAL_MEM const ga_uint *starts, ga_size n,
                                  ga_size channels, ga_size tiles, GLOBAL_MEM ga_double *pooled, ga_size pooled_offset,
                                  GLOBAL_MEM ga_double *totals, ga_size totals_offset)
{
    const ga_size groups = (n + SPP_GROUP - 1) / SPP_GROUP;
    const SppWork work = spp_work(1, groups);
    const ga_size at = work.image, superpixel = (ga_size)work.group * SPP_GROUP + LID_0;
    const ga_size image = at / (channels + 1);
    if (superpixel < n) {
        const ga_uint first = starts[image * (n + 1) + superpixel], end = starts[image * (n + 1) + superpixel + 1];
        if (end > first && (end - 1) / SPP_SEGMENT > first / SPP_SEGMENT)
            *spp_weighted_sum(pooled, pooled_offset, totals, totals_offset, image, at % (channels + 1), channels, n,
                              superpixel) = spp_sum_partials(partials, at, tiles, first, end);
    }
}
