#include "memory/arrays.h"
#include "memory/calls.h"
#include "pool/reduce_segments.h"
#include "pool/sum.h"
#include "resize/interpolation.h"
#include "resize/resized_value.h"
#include "resize/sampling.h"

#section settings
#define VALUE ga_double
#define RESULT FEATURE
#define SPP_CHAIN 32  /* float64 values: at most as many chains stay within 1e-14 */
#define SPP_PIXELS_AHEAD 1
#define SPP_CHANNELS_AHEAD 1
#define SPP_RESIDENT_GROUPS 3

#section support_code_struct
/* [in]  feature_map (batch, channels, *cells), superpixel_map (1 or batch, *spatial), n_superpixels () on the host,
         order, starts: of ops/sorted_pixels.cc
   [out] pooled (batch, channels, n_superpixels): of the features resized to the map */
int APPLY_SPECIFIC(overlap_pool)(PyGpuArrayObject *feature_map, PyGpuArrayObject *superpixel_map,
                                 PyArrayObject *n_superpixels, PyGpuArrayObject *order, PyGpuArrayObject *starts,
                                 PyGpuArrayObject **pooled, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelOverlapPool";
    const unsigned int naxes = superpixel_map->ga.nd - 1;
    const size_t *cells = feature_map->ga.dimensions + 2, *spatial = superpixel_map->ga.dimensions + 1;
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    SppGpuSampling sampling;
    ssize_t n;
    if (spp_gpu_check_shapes(op, "feature_map", feature_map, superpixel_map, "in batch") != 0
            || (n = spp_gpu_n_superpixels(op, n_superpixels, superpixel_map)) < 0
            || spp_gpu_check_cells(op, naxes, cells, spatial) != 0
            || spp_gpu_prepare_pooled(op, pooled, feature_map, n, feature_map->ga.typecode, params->context) != 0)
        return -1;
    if (spp_gpu_is_empty(feature_map, superpixel_map))
        return APPLY_SPECIFIC(set_array)(op, *pooled);
    if (APPLY_SPECIFIC(sample_axes)(&call, naxes, cells, spatial, params->resize == SPP_BILINEAR, &sampling) != 0)
        return spp_gpu_end(&call, 1);
    return APPLY_SPECIFIC(reduce)(&call, feature_map, superpixel_map, n, order, starts, NULL, &sampling,
                                  params->mode == SPP_POOL_MEAN, sizeof(double), *pooled, NULL);
}

#section device_code
typedef SppSeen SppPixel;

WITHIN_KERNEL SppPixel spp_pixel(const SppSource source, ga_uint number) { return spp_seen(number, source.axes); }

WITHIN_KERNEL VALUE spp_value(const SppSource source, const SppPixel seen, ga_int c)
{
    return spp_resized(spp_features_of(source, c), seen);
}

WITHIN_KERNEL void spp_add(SppState *state, VALUE value, const SppPixel pixel, ga_uint number)
{
    state->chain += value;
}
