#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"
#include "pool/segments.h"
#include "resize/sampling.h"

#section support_code_struct
/* Pooling: reduces the pixels, which ops/sorted_pixels.cc has sorted by superpixel, segment by segment, then the
   partial results of superpixels that lie in several tiles. An op chooses a value and a reduction; the kernels below
   call, in its section device_code or in files that it includes:

       SppPixel spp_pixel(source, number)                what all channels of a pixel have in common
       VALUE spp_value(source, pixel, c)                 the value of the thread's c-th channel
       SppState spp_nothing()                            what a thread knows at the start
       void spp_add(state, value, pixel, number)
       void spp_end_chain(state)                         called after every SPP_CHAIN values
       PARTIAL spp_partial(state)
       PARTIAL spp_merged(partial, other)                of two threads
       PARTIAL spp_merged_tiles(partials, tiles)
       void spp_write(results, image, channel, superpixel, partial, size)

   Its section settings defines the types VALUE and PARTIAL, SPP_CHAIN, SPP_PIXELS_AHEAD and SPP_CHANNELS_AHEAD: so many
   pixels times channels are read before the first is added. Several loads in flight hide memory latency, but take
   registers. It may define SPP_RESIDENT_GROUPS: then CUDA gives a thread no more registers than let so many groups run
   on a multiprocessor at a time, because others are to take the turn of threads that wait for memory.

   [in]  feature_map (batch, channels, *cells), superpixel_map (1 or batch, *spatial); order, starts: its pixels, sorted
         weights (1 or batch, *spatial), or NULL: with weights there is one more channel, which has no features
         sampling: of features that are resized, or NULL
         mode: means what spp_value and spp_write take it for
         partial_size: bytes of a PARTIAL
   [out] pooled, second (or NULL)
   Ends the call. Returns 0, or -1 with an error set. */
int APPLY_SPECIFIC(reduce)(SppGpuCall *call, PyGpuArrayObject *feature_map, PyGpuArrayObject *superpixel_map, size_t n,
                           PyGpuArrayObject *order, PyGpuArrayObject *starts, PyGpuArrayObject *weights,
                           const SppGpuSampling *sampling, int mode, size_t partial_size, PyGpuArrayObject *pooled,
                           PyGpuArrayObject *second)
{
    const char *op = call->op;
    const size_t batch = feature_map->ga.dimensions[0], channels = feature_map->ga.dimensions[1];
    const size_t maps = superpixel_map->ga.dimensions[0], pixels = spp_gpu_pixels(superpixel_map, 1);
    const size_t all = channels + (weights != NULL);
    const SppGpuImages features = sampling != NULL ? spp_gpu_images(feature_map, 2)
                                                   : spp_gpu_joined_images(feature_map, 2);
    const SppGpuImages pixel_weights = weights != NULL ? spp_gpu_joined_images(weights, 1) : features;
    const SppSegments segments = spp_gpu_segments(pixels, n);
    const SppGpuSampling axes = sampling != NULL ? *sampling : spp_gpu_no_sampling(features.data);
    PyGpuArrayObject *other = second != NULL ? second : pooled;
    gpudata *partials = NULL;
    const int failed = spp_gpu_check_table(op, "order", order, maps, pixels) != 0
        || spp_gpu_check_table(op, "starts", starts, maps, n + 1) != 0
        || (partials = spp_gpu_allocate(call, batch * all * segments.tiles, 2 * partial_size)) == NULL
        || (all * n > 0
            && SPP_GPU_START(reduce_segments, op, batch * spp_gpu_ceil_divide(all, SPP_CHANNELS) * segments.groups,
                             SPP_GPU_IMAGES(features), feature_map->ga.strides[1], SPP_GPU_IMAGES(pixel_weights),
                             SPP_GPU_AXES(axes), order->ga.data, starts->ga.data, maps, pixels, n, channels, all,
                             segments.tiles, segments.threads, segments.groups, mode,
                             SPP_GPU_RESULT(pooled), SPP_GPU_RESULT(other), partials) != 0)
        || (all * n > 0 && segments.tiles > 1
            && SPP_GPU_START(reduce_partials, op, batch * all * spp_gpu_ceil_divide(n, SPP_GROUP), partials,
                             starts->ga.data, maps, n, channels, all, segments.tiles, mode, SPP_GPU_RESULT(pooled),
                             SPP_GPU_RESULT(other)) != 0);
    return spp_gpu_end(call, failed);
}

#section device_code
#if defined(SPP_RESIDENT_GROUPS) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 700  /* older cards would spill */
#define SPP_BOUNDED __launch_bounds__(SPP_GROUP, SPP_RESIDENT_GROUPS)
#else
#define SPP_BOUNDED
#endif

/* What the values of an image's pixels are made from. */
typedef struct {
    SppImage features;   /* of the first channel of this thread */
    ga_ssize channel_stride;
    SppImage weights;
    SppAxes axes;
    ga_size channel, channels;  /* the first one of this thread, and all that have features */
    ga_int mode;
} SppSource;

/* The features of the thread's c-th channel. */
WITHIN_KERNEL SppImage spp_features_of(const SppSource source, ga_int c)
{
    SppImage features = source.features;
    features.first += c * source.channel_stride;
    return features;
}

#section kernels
/* Reduces a segment, by `threads` threads for SPP_CHANNELS channels of `all`. */
KERNEL SPP_BOUNDED void reduce_segments(
    SPP_IMAGES(FEATURE, features), ga_ssize channel_stride, SPP_IMAGES(char, weights), SPP_AXES(axes),
    GLOBAL_MEM const ga_uint *order, GLOBAL_MEM const ga_uint *starts, ga_size maps, ga_size pixels, ga_size n,
    ga_size channels, ga_size all, ga_size tiles, ga_size threads, ga_size groups, ga_int mode,
    SPP_RESULT(char, pooled), SPP_RESULT(char, second), GLOBAL_MEM PARTIAL *partials)
{
    LOCAL_MEM PARTIAL of_threads[SPP_CHANNELS * SPP_GROUP];
    const SppWork work = spp_work((all + SPP_CHANNELS - 1) / SPP_CHANNELS, groups);
    const ga_size image = work.image, channel = (ga_size)work.block * SPP_CHANNELS, map = spp_map_of(image, maps);
    const ga_uint thread = LID_0 % (ga_uint)threads;
    const SppSegment segment = spp_segment(starts + map * (n + 1), (ga_uint)n, work.group, (ga_uint)threads);
    SppSource source;
    SppState state[SPP_CHANNELS];
    ga_int first, c, k, chain = 0;
    ga_uint i, fold;
    source.features = SPP_IMAGE(features, image);
    source.features.first += (ga_ssize)channel * channel_stride;
    source.channel_stride = channel_stride;
    source.weights = SPP_IMAGE(weights, image);
    source.axes = SPP_AXES_OF(axes);
    source.channel = channel;
    source.channels = channels;
    source.mode = mode;
    for (c = 0; c < SPP_CHANNELS; ++c)
        state[c] = spp_nothing();
    for (i = segment.from + thread; i < segment.to; i += SPP_PIXELS_AHEAD * (ga_uint)threads) {
        ga_uint number[SPP_PIXELS_AHEAD];
        SppPixel pixel[SPP_PIXELS_AHEAD];
        for (k = 0; k < SPP_PIXELS_AHEAD; ++k) {
            const ga_uint next = i + k * (ga_uint)threads;
            number[k] = order[map * pixels + (next < segment.to ? next : i)];
            pixel[k] = spp_pixel(source, number[k]);
        }
        for (first = 0; first < SPP_CHANNELS; first += SPP_CHANNELS_AHEAD) {
            VALUE value[SPP_PIXELS_AHEAD][SPP_CHANNELS_AHEAD];
            for (c = 0; c < SPP_CHANNELS_AHEAD; ++c)
                for (k = 0; k < SPP_PIXELS_AHEAD; ++k)
                    value[k][c] = channel + first + c < all ? spp_value(source, pixel[k], first + c) : 0;
            for (k = 0; k < SPP_PIXELS_AHEAD; ++k)
                for (c = 0; c < SPP_CHANNELS_AHEAD; ++c)
                    if (i + k * (ga_uint)threads < segment.to)
                        spp_add(&state[first + c], value[k][c], pixel[k], number[k]);
        }
        if (++chain == SPP_CHAIN / SPP_PIXELS_AHEAD) {
            for (c = 0; c < SPP_CHANNELS; ++c)
                spp_end_chain(&state[c]);
            chain = 0;
        }
    }
    for (c = 0; c < SPP_CHANNELS; ++c)
        of_threads[c * SPP_GROUP + LID_0] = spp_partial(state[c]);
    for (fold = (ga_uint)threads / 2; fold > 0; fold /= 2) {
        local_barrier();
        if (thread < fold)
            for (c = 0; c < SPP_CHANNELS; ++c)
                of_threads[c * SPP_GROUP + LID_0] = spp_merged(of_threads[c * SPP_GROUP + LID_0],
                                                               of_threads[c * SPP_GROUP + LID_0 + fold]);
    }
    local_barrier();
    if (segment.exists && thread < SPP_CHANNELS && channel + thread < all) {
        const PARTIAL partial = of_threads[thread * SPP_GROUP + LID_0 - thread];
        if (segment.first_tile < segment.last_tile) {
            const SppTiles in = {image * all + channel + thread, tiles, segment.first_tile, segment.last_tile};
            partials[spp_partial_index(in, segment.tile)] = partial;
        } else
            spp_write(spp_results(SPP_RESULT_AT(char, pooled), SPP_RESULT_AT(char, second), channels, n, mode), image,
                      channel + thread, segment.superpixel, partial, segment.end - segment.first);
    }
}

/* Finishes the superpixels that lie in several tiles. */
KERNEL void reduce_partials(GLOBAL_MEM const PARTIAL *partials, GLOBAL_MEM const ga_uint *starts, ga_size maps,
                            ga_size n, ga_size channels, ga_size all, ga_size tiles, ga_int mode,
                            SPP_RESULT(char, pooled), SPP_RESULT(char, second))
{
    const SppWork work = spp_work(all, (n + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size image = work.image, superpixel = (ga_size)work.group * SPP_GROUP + LID_0;
    if (superpixel < n) {
        GLOBAL_MEM const ga_uint *start = starts + spp_map_of(image, maps) * (n + 1) + superpixel;
        const ga_uint first = start[0], end = start[1];
        if (end > first && (end - 1) / SPP_SEGMENT > first / SPP_SEGMENT) {
            const SppTiles in = {image * all + work.block, tiles, first / SPP_SEGMENT, (end - 1) / SPP_SEGMENT};
            spp_write(spp_results(SPP_RESULT_AT(char, pooled), SPP_RESULT_AT(char, second), channels, n, mode), image,
                      work.block, superpixel, spp_merged_tiles(partials, in), end - first);
        }
    }
}
