#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"
#include "pool/reduce_segments.h"
#include "pool/segments.h"
#include "resize/interpolation.h"
#include "resize/resized_value.h"
#include "resize/sampling.h"

#section settings
#define VALUE FEATURE
#define PARTIAL SppState
#define SPP_CHAIN 4  /* no matter: a maximum has no chains */
#if SPP_RESIZES      /* features are interpolated: whether they are is known when kernels are compiled */
#define SPP_PIXELS_AHEAD 1
#define SPP_CHANNELS_AHEAD 1
#define SPP_RESIDENT_GROUPS 2  /* three would spill */
#else
#define SPP_PIXELS_AHEAD 4
#define SPP_CHANNELS_AHEAD SPP_CHANNELS
#endif

/* The argmax pixel so far, and its value. */
typedef struct {
    FEATURE value;
    ga_uint pixel;
} SppState;

#section support_code_struct
/* [in]  feature_map (batch, channels, *cells), superpixel_map (1 or batch, *spatial), n_superpixels () on the host,
         order, starts: of ops/sorted_pixels.cc
   [out] pooled (batch, channels, n_superpixels), argmax (the same) int64: the row-major number of the argmax pixel
   in superpixel_map, -1 for a superpixel without pixels */
int APPLY_SPECIFIC(superpixel_extremum)(PyGpuArrayObject *feature_map, PyGpuArrayObject *superpixel_map,
                                        PyArrayObject *n_superpixels, PyGpuArrayObject *order, PyGpuArrayObject *starts,
                                        PyGpuArrayObject **pooled, PyGpuArrayObject **argmax, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelExtremum";
    const unsigned int naxes = superpixel_map->ga.nd - 1;
    const size_t *cells = feature_map->ga.dimensions + 2, *spatial = superpixel_map->ga.dimensions + 1;
    const int resize = params->resize != SPP_RESIZE_NONE, sign = params->mode == SPP_POOL_MIN ? -1 : 1;
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    SppGpuSampling sampling;
    size_t count;
    ssize_t n;
    if (spp_gpu_check_shapes(op, "feature_map", feature_map, superpixel_map, resize ? "in batch" : "in space") != 0
            || (n = spp_gpu_n_superpixels(op, n_superpixels, superpixel_map)) < 0
            || spp_gpu_check_cells(op, naxes, cells, spatial) != 0
            || spp_gpu_prepare_pooled(op, pooled, feature_map, n, feature_map->ga.typecode, params->context) != 0
            || spp_gpu_prepare_pooled(op, argmax, feature_map, n, GA_LONG, params->context) != 0)
        return -1;
    count = spp_gpu_pixels(*argmax, 0);
    if (spp_gpu_is_empty(feature_map, superpixel_map))
        return APPLY_SPECIFIC(set_array)(op, *pooled) != 0
            || (count > 0 && SPP_GPU_START(set_none, op, spp_gpu_ceil_divide(count, SPP_GROUP), count,
                                           SPP_GPU_RESULT(*argmax)) != 0) ? -1 : 0;
    if (resize && APPLY_SPECIFIC(sample_axes)(&call, naxes, cells, spatial, params->resize == SPP_BILINEAR,
                                              &sampling) != 0)
        return spp_gpu_end(&call, 1);
    return APPLY_SPECIFIC(reduce)(&call, feature_map, superpixel_map, n, order, starts, NULL,
                                  resize ? &sampling : NULL, sign, 2 * GpuArray_ITEMSIZE(&(*pooled)->ga), *pooled,
                                  *argmax);
}

#section device_code
#define SPP_NO_PIXEL 0xffffffffu

#if SPP_RESIZES
typedef SppSeen SppPixel;

WITHIN_KERNEL SppPixel spp_pixel(const SppSource source, ga_uint number) { return spp_seen(number, source.axes); }

WITHIN_KERNEL FEATURE spp_feature(const SppSource source, const SppPixel seen, ga_int c)
{
    return (FEATURE)spp_resized(spp_features_of(source, c), seen);
}
#else
typedef GLOBAL_MEM const char *SppPixel;  /* the feature of the thread's first channel */

WITHIN_KERNEL SppPixel spp_pixel(const SppSource source, ga_uint number)
{
    return spp_pixel_at(source.features, number);
}

WITHIN_KERNEL FEATURE spp_feature(const SppSource source, SppPixel pixel, ga_int c)
{
    return *(GLOBAL_MEM const FEATURE *)(pixel + c * source.channel_stride);
}
#endif

/* Mode -1: the minimum is the maximum of negated features. */
WITHIN_KERNEL VALUE spp_value(const SppSource source, const SppPixel pixel, ga_int c)
{
    const FEATURE value = spp_feature(source, pixel, c);
    return source.mode < 0 ? -value : value;
}

WITHIN_KERNEL SppState spp_nothing()
{
    SppState state;
    state.value = 0;
    state.pixel = SPP_NO_PIXEL;
    return state;
}

/* Of two states the one that is the maximum: it is larger, or the first NaN; of equal ones the first pixel wins. */
WITHIN_KERNEL SppState spp_merged(const SppState best, const SppState other)
{
    ga_int wins;
    if (other.pixel == SPP_NO_PIXEL || best.pixel == SPP_NO_PIXEL)
        wins = other.pixel != SPP_NO_PIXEL;
    else if (other.value == best.value || (other.value != other.value && best.value != best.value))
        wins = other.pixel < best.pixel;
    else
        wins = best.value == best.value && !(other.value <= best.value);
    return wins ? other : best;
}

/* The same for the next pixel of a thread, which comes after all that it has seen. */
WITHIN_KERNEL void spp_add(SppState *state, VALUE value, const SppPixel pixel, ga_uint number)
{
    const ga_int wins = state->pixel == SPP_NO_PIXEL
        || (state->value == state->value && !(value <= state->value));
    state->value = wins ? value : state->value;
    state->pixel = wins ? number : state->pixel;
}

WITHIN_KERNEL void spp_end_chain(SppState *state) {}

WITHIN_KERNEL SppState spp_partial(const SppState state) { return state; }

WITHIN_KERNEL SppState spp_merged_tiles(GLOBAL_MEM const SppState *partials, const SppTiles tiles)
{
    SppState best = spp_nothing();
    ga_uint tile;
    for (tile = tiles.first; tile <= tiles.last; ++tile)
        best = spp_merged(best, partials[spp_partial_index(tiles, tile)]);
    return best;
}

WITHIN_KERNEL void spp_write(const SppResults to, ga_size image, ga_size channel, ga_size superpixel,
                             const SppState best, ga_uint size)
{
    const ga_size at = (image * to.channels + channel) * to.n + superpixel;
    ((GLOBAL_MEM FEATURE *)to.pooled)[at] = best.pixel == SPP_NO_PIXEL ? 0 : to.mode < 0 ? -best.value : best.value;
    ((GLOBAL_MEM ga_long *)to.second)[at] = best.pixel == SPP_NO_PIXEL ? -1 : (ga_long)best.pixel;
}

#section kernels
KERNEL void set_none(ga_size count, SPP_RESULT(ga_long, argmax))
{
    const ga_size i = (ga_size)GID_0 * SPP_GROUP + LID_0;
    if (i < count)
        SPP_RESULT_AT(ga_long, argmax)[i] = -1;
}
