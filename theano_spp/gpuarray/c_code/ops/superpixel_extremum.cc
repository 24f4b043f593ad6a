#include "labels/sorted_pixels.h"
#include "memory/arrays.h"
#include "pool/segments.h"
#include "resize/interpolation.h"
#include "resize/resized_value.h"

#section support_code_struct
/* [in]  feature_map (batch, channels, *cells), superpixel_map (batch, *spatial), n_superpixels () on the host
   [out] pooled (batch, channels, n_superpixels), argmax (the same) int64: the row-major number of the argmax pixel
   in superpixel_map, -1 for a superpixel without pixels */
int APPLY_SPECIFIC(superpixel_extremum)(PyGpuArrayObject *feature_map, PyGpuArrayObject *superpixel_map,
                                        PyArrayObject *n_superpixels, PyGpuArrayObject **pooled,
                                        PyGpuArrayObject **argmax, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelExtremum";
    const size_t batch = feature_map->ga.dimensions[0], channels = feature_map->ga.dimensions[1];
    const size_t pixels = spp_gpu_pixels(superpixel_map, 1);
    const size_t blocks = spp_gpu_ceil_divide(channels, SPP_CHANNELS);
    const unsigned int naxes = superpixel_map->ga.nd - 1;
    const int resize = params->resize != SPP_RESIZE_NONE, bilinear = params->resize == SPP_BILINEAR;
    const SppGpuGrid grid = resize ? spp_gpu_grid(feature_map, 2) : spp_gpu_joined_grid(feature_map, 2);
    const int sign = params->mode == SPP_POOL_MIN ? -1 : 1;
    SppGpuScratch scratch = {params->context->ctx, op, {NULL}, 0};
    SppGpuSampling sampling = {{1, 1, 1}, {1, 1, 1}, NULL, NULL};
    SppSorted sorted;
    SppSegments segments;
    size_t shape[3] = {batch, channels, 0};
    gpudata *flag = NULL, *values = NULL, *best_pixels = NULL;
    ssize_t n;
    int failed = -1;

    if (spp_gpu_check_shapes(op, "feature_map", feature_map, superpixel_map,
                             resize ? SPP_GPU_IN_BATCH : SPP_GPU_IN_SPACE) != 0
            || (n = spp_gpu_n_superpixels(op, n_superpixels)) < 0
            || spp_gpu_check_sizes(op, superpixel_map, n) != 0)
        return -1;
    if (spp_gpu_lacks_cells(naxes, feature_map->ga.dimensions + 2, superpixel_map->ga.dimensions + 1))
        return spp_gpu_raise_from_reference("(ss(OOO))", "extremum", spp_gpu_resize_name(bilinear), feature_map,
                             superpixel_map, n_superpixels);
    shape[2] = n;
    if (spp_gpu_prepare(op, pooled, 3, shape, feature_map->ga.typecode, params->context) != 0
            || spp_gpu_prepare(op, argmax, 3, shape, GA_LONG, params->context) != 0)
        return -1;
    if (batch * pixels == 0)
        return APPLY_SPECIFIC(set_array)(op, *pooled) != 0
            || (batch * channels * n > 0
                && SPP_GPU_START(set_none, op, spp_gpu_ceil_divide(batch * channels * n, SPP_GROUP),
                                 batch * channels * n, (*argmax)->ga.data, (*argmax)->ga.offset) != 0) ? -1 : 0;
    segments = spp_gpu_segments(pixels, n);
    if ((flag = APPLY_SPECIFIC(new_flag)(&scratch)) == NULL
            || APPLY_SPECIFIC(sort_pixels)(&scratch, superpixel_map, n, flag, &sorted) != 0
            || (values = spp_gpu_allocate(&scratch, batch * channels * segments.tiles,
                                          2 * GpuArray_ITEMSIZE(&(*pooled)->ga))) == NULL
            || (best_pixels = spp_gpu_allocate(&scratch, batch * channels * segments.tiles,
                                               2 * sizeof(npy_uint32))) == NULL
            || (resize && APPLY_SPECIFIC(sample_axes)(&scratch, naxes, feature_map->ga.dimensions + 2,
                                                      superpixel_map->ga.dimensions + 1, bilinear, &sampling) != 0)
            || (channels * n > 0
                && SPP_GPU_START(argmax_segments, op, batch * blocks * segments.groups, feature_map->ga.data,
                                 feature_map->ga.offset, feature_map->ga.strides[0], feature_map->ga.strides[1],
                                 grid.rows, grid.length, grid.row0, grid.row1, grid.pixel, resize,
                                 resize ? sampling.low : flag, resize ? sampling.cell_weights : flag,
                                 sampling.pixels[0], sampling.pixels[1], sampling.pixels[2], sorted.order,
                                 sorted.starts, pixels, n, channels, segments.tiles, segments.threads, segments.groups,
                                 sign, (*pooled)->ga.data, (*pooled)->ga.offset, (*argmax)->ga.data,
                                 (*argmax)->ga.offset, values, best_pixels) != 0)
            || (channels * n > 0 && segments.tiles > 1
                && SPP_GPU_START(argmax_partials, op, batch * channels * spp_gpu_ceil_divide(n, SPP_GROUP), values,
                                 best_pixels, sorted.starts, n, channels, segments.tiles, sign, (*pooled)->ga.data,
                                 (*pooled)->ga.offset, (*argmax)->ga.data, (*argmax)->ga.offset) != 0))
        goto done;
    failed = spp_gpu_check_flag(&scratch, flag, superpixel_map, n, "n_superpixels is");
done:
    spp_gpu_release(&scratch);
    return failed;
}

#section device_code
#define SPP_NO_PIXEL 0xffffffffu

/* Whether a value replaces another one as the maximum: it is larger, or the first NaN; of equal ones the first pixel
   wins. */
WITHIN_KERNEL ga_int spp_wins(FEATURE value, ga_uint pixel, FEATURE other, ga_uint other_pixel)
{
    if (pixel == SPP_NO_PIXEL || other_pixel == SPP_NO_PIXEL)
        return pixel != SPP_NO_PIXEL;
    if (value == other || (value != value && other != other))
        return pixel < other_pixel;
    return other == other && !(value <= other);
}

/* Writes the result of a superpixel, negated back for the minimum. */
WITHIN_KERNEL void spp_write_best(FEATURE value, ga_uint pixel, ga_int sign, GLOBAL_MEM FEATURE *pooled,
                                  GLOBAL_MEM ga_long *argmax)
{
    *pooled = pixel == SPP_NO_PIXEL ? 0 : sign < 0 ? -value : value;
    *argmax = pixel == SPP_NO_PIXEL ? -1 : (ga_long)pixel;
}

#section kernels
KERNEL void set_none(ga_size count, GLOBAL_MEM ga_long *argmax, ga_size argmax_offset)
{
    const ga_size i = (ga_size)GID_0 * SPP_GROUP + LID_0;
    if (i < count)
        ((GLOBAL_MEM ga_long *)((GLOBAL_MEM char *)argmax + argmax_offset))[i] = -1;
}

/* Finds maximum and argmax of a segment, by `threads` threads for SPP_CHANNELS channels; of the negated features for
   sign -1. */
KERNEL void argmax_segments(GLOBAL_MEM const FEATURE *features, ga_size features_offset, ga_ssize image_stride,
                            ga_ssize channel_stride, ga_size rows, ga_size length, ga_ssize row0, ga_ssize row1,
                            ga_ssize step, ga_int resize, GLOBAL_MEM const ga_uint *low,
                            GLOBAL_MEM const ga_double *cell_weights, ga_size pixels0, ga_size pixels1, ga_size pixels2,
                            GLOBAL_MEM const ga_uint *order, GLOBAL_MEM const ga_uint *starts, ga_size pixels,
                            ga_size n, ga_size channels, ga_size tiles, ga_size threads, ga_size groups, ga_int sign,
                            GLOBAL_MEM FEATURE *pooled, ga_size pooled_offset, GLOBAL_MEM ga_long *argmax,
                            ga_size argmax_offset, GLOBAL_MEM FEATURE *partial_values,
                            GLOBAL_MEM ga_uint *partial_pixels)
{
    LOCAL_MEM FEATURE values[SPP_CHANNELS * SPP_GROUP];
    LOCAL_MEM ga_uint best_pixels[SPP_CHANNELS * SPP_GROUP];
    const ga_size blocks = (channels + SPP_CHANNELS - 1) / SPP_CHANNELS;
    const SppWork work = spp_work(blocks, groups);
    const ga_size image = work.image, channel = (ga_size)work.block * SPP_CHANNELS;
    const ga_uint thread = LID_0 % (ga_uint)threads;
    const SppSegment segment = spp_segment(starts + image * (n + 1), (ga_uint)n, work.group, (ga_uint)threads);
    GLOBAL_MEM const char *image_features = (GLOBAL_MEM const char *)features + features_offset
        + (ga_ssize)image * image_stride + (ga_ssize)channel * channel_stride;
    FEATURE value[SPP_CHANNELS];
    ga_uint best_pixel[SPP_CHANNELS];
    ga_int c;
    ga_uint i, fold;
    for (c = 0; c < SPP_CHANNELS; ++c) {
        value[c] = 0;
        best_pixel[c] = SPP_NO_PIXEL;
    }
    for (i = segment.from + thread; i < segment.to; i += (ga_uint)threads) {
        const ga_uint pixel = order[image * pixels + i];
        SppSeen seen;
        GLOBAL_MEM const char *at = image_features;
        if (resize)
            seen = spp_seen(pixel, low, cell_weights, pixels0, pixels1, pixels2);
        else
            at += spp_offset(pixel, (ga_uint)rows, (ga_uint)length, row0, row1, step);
        for (c = 0; c < SPP_CHANNELS; ++c)
            if (channel + c < channels) {
                FEATURE here = resize ? (FEATURE)spp_resized(at + c * channel_stride, seen, row0, row1, step)
                                      : *(GLOBAL_MEM const FEATURE *)(at + c * channel_stride);
                here = sign < 0 ? -here : here;
                if (spp_wins(here, pixel, value[c], best_pixel[c])) {
                    value[c] = here;
                    best_pixel[c] = pixel;
                }
            }
    }
    for (c = 0; c < SPP_CHANNELS; ++c) {
        values[c * SPP_GROUP + LID_0] = value[c];
        best_pixels[c * SPP_GROUP + LID_0] = best_pixel[c];
    }
    for (fold = (ga_uint)threads / 2; fold > 0; fold /= 2) {
        local_barrier();
        if (thread < fold)
            for (c = 0; c < SPP_CHANNELS; ++c) {
                const ga_uint own = c * SPP_GROUP + LID_0, other = own + fold;
                if (spp_wins(values[other], best_pixels[other], values[own], best_pixels[own])) {
                    values[own] = values[other];
                    best_pixels[own] = best_pixels[other];
                }
            }
    }
    local_barrier();
    if (segment.exists && thread < SPP_CHANNELS && channel + thread < channels) {
        const ga_uint best = thread * SPP_GROUP + LID_0 - thread;
        const ga_size channel_number = image * channels + channel + thread;
        if (segment.first_tile < segment.last_tile) {
            const ga_size index = spp_partial_index(channel_number, tiles, segment.tile, segment.first_tile);
            partial_values[index] = values[best];
            partial_pixels[index] = best_pixels[best];
        } else {
            const ga_size to = channel_number * n + segment.superpixel;
            spp_write_best(values[best], best_pixels[best], sign,
                           (GLOBAL_MEM FEATURE *)((GLOBAL_MEM char *)pooled + pooled_offset) + to,
                           (GLOBAL_MEM ga_long *)((GLOBAL_MEM char *)argmax + argmax_offset) + to);
        }
    }
}

/* Finishes the superpixels that lie in several tiles. */
KERNEL void argmax_partials(GLOBAL_MEM const FEATURE *partial_values, GLOBAL_MEM const ga_uint *partial_pixels,
                            GLOBAL_MEM const ga_uint *starts, ga_size n, ga_size channels, ga_size tiles, ga_int sign,
                            GLOBAL_MEM FEATURE *pooled, ga_size pooled_offset, GLOBAL_MEM ga_long *argmax,
                            ga_size argmax_offset)
{
    const ga_size groups = (n + SPP_GROUP - 1) / SPP_GROUP;
    const SppWork work = spp_work(1, groups);
    const ga_size at = work.image, superpixel = (ga_size)work.group * SPP_GROUP + LID_0;
    const ga_size image = at / channels;
    if (superpixel < n) {
        const ga_uint first = starts[image * (n + 1) + superpixel], end = starts[image * (n + 1) + superpixel + 1];
        if (end > first && (end - 1) / SPP_SEGMENT > first / SPP_SEGMENT) {
            FEATURE value = 0;
            ga_uint best_pixel = SPP_NO_PIXEL, tile;
            for (tile = first / SPP_SEGMENT; tile <= (end - 1) / SPP_SEGMENT; ++tile) {
                const ga_size index = spp_partial_index(at, tiles, tile, first / SPP_SEGMENT);
                if (spp_wins(partial_values[index], partial_pixels[index], value, best_pixel)) {
                    value = partial_values[index];
                    best_pixel = partial_pixels[index];
                }
            }
            spp_write_best(value, best_pixel, sign,
                           (GLOBAL_MEM FEATURE *)((GLOBAL_MEM char *)pooled + pooled_offset) + at * n + superpixel,
                           (GLOBAL_MEM ga_long *)((GLOBAL_MEM char *)argmax + argmax_offset) + at * n + superpixel);
        }
    }
}
