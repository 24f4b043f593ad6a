#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"
#include "pool/reduce_segments.h"
#include "pool/segments.h"
#include "pool/sum.h"

#section settings
#define VALUE FEATURE
#define RESULT FEATURE
#define SPP_CHAIN 16           /* features added one after the other in their own precision: within 1e-6 in float32 */
#define SPP_PIXELS_AHEAD 4
#define SPP_CHANNELS_AHEAD SPP_CHANNELS

#section support_code_struct
/* [in]  feature_map (batch, channels, *spatial), superpixel_map (1 or batch, *spatial), n_superpixels () on the host,
         order, starts: of ops/sorted_pixels.cc
   [out] pooled (batch, channels, n_superpixels) */
int APPLY_SPECIFIC(superpixel_pool)(PyGpuArrayObject *feature_map, PyGpuArrayObject *superpixel_map,
                                    PyArrayObject *n_superpixels, PyGpuArrayObject *order, PyGpuArrayObject *starts,
                                    PyGpuArrayObject **pooled, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelPool";
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    ssize_t n;
    if (spp_gpu_check_shapes(op, "feature_map", feature_map, superpixel_map, "in space") != 0
            || (n = spp_gpu_n_superpixels(op, n_superpixels, superpixel_map)) < 0
            || spp_gpu_prepare_pooled(op, pooled, feature_map, n, feature_map->ga.typecode, params->context) != 0)
        return -1;
    if (spp_gpu_is_empty(feature_map, superpixel_map))
        return APPLY_SPECIFIC(set_array)(op, *pooled);
    return APPLY_SPECIFIC(reduce)(&call, feature_map, superpixel_map, n, order, starts, NULL, NULL,
                                  params->mode == SPP_POOL_MEAN, sizeof(double), *pooled, NULL);
}

#section device_code
typedef GLOBAL_MEM const char *SppPixel;  /* the feature of the thread's first channel */

WITHIN_KERNEL SppPixel spp_pixel(const SppSource source, ga_uint number)
{
    return spp_pixel_at(source.features, number);
}

WITHIN_KERNEL VALUE spp_value(const SppSource source, SppPixel pixel, ga_int c)
{
    return *(GLOBAL_MEM const FEATURE *)(pixel + c * source.channel_stride);
}

WITHIN_KERNEL void spp_add(SppState *state, VALUE value, const SppPixel pixel, ga_uint number)
{
    state->chain += value;
}
