#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"
#include "pool/reduce_segments.h"
#include "pool/sum.h"

#section settings
#define VALUE ga_double
#define RESULT ga_double
#define SPP_CHAIN 32  /* float64 values: at most as many chains stay within 1e-14 */
#define SPP_PIXELS_AHEAD 1
#define SPP_CHANNELS_AHEAD 1

#section support_code_struct
/* [in]  feature_map (batch, channels, *spatial), superpixel_map (1 or batch, *spatial), n_superpixels () on the host,
         pixel_weights (1 or batch, *spatial), order, starts: of ops/sorted_pixels.cc
   [out] sums (batch, channels, n_superpixels) float64 of weight times feature, totals (batch, n_superpixels) float64 */
int APPLY_SPECIFIC(weighted_pool)(PyGpuArrayObject *feature_map, PyGpuArrayObject *superpixel_map,
                                  PyArrayObject *n_superpixels, PyGpuArrayObject *pixel_weights,
                                  PyGpuArrayObject *order, PyGpuArrayObject *starts, PyGpuArrayObject **sums,
                                  PyGpuArrayObject **totals, PARAMS_TYPE *params)
{
    const char *op = "WeightedPool";
    size_t totals_shape[2] = {feature_map->ga.dimensions[0], 0};
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    ssize_t n;
    if (spp_gpu_check_shapes(op, "feature_map", feature_map, superpixel_map, "in space, weighted") != 0
            || spp_gpu_check_weights(op, pixel_weights, superpixel_map, totals_shape[0]) != 0
            || (n = totals_shape[1] = spp_gpu_n_superpixels(op, n_superpixels, superpixel_map)) < 0
            || spp_gpu_prepare_pooled(op, sums, feature_map, n, GA_DOUBLE, params->context) != 0
            || spp_gpu_prepare(op, totals, 2, totals_shape, GA_DOUBLE, params->context) != 0)
        return -1;
    if (spp_gpu_is_empty(feature_map, superpixel_map))
        return APPLY_SPECIFIC(set_array)(op, *sums) != 0 || APPLY_SPECIFIC(set_array)(op, *totals) != 0 ? -1 : 0;
    return APPLY_SPECIFIC(reduce)(&call, feature_map, superpixel_map, n, order, starts, pixel_weights, NULL, 0,
                                  sizeof(double), *sums, *totals);
}

#section device_code
typedef struct {
    GLOBAL_MEM const char *feature;  /* of the thread's first channel */
    ga_double weight;
} SppPixel;

WITHIN_KERNEL SppPixel spp_pixel(const SppSource source, ga_uint number)
{
    SppPixel pixel;
    pixel.feature = spp_pixel_at(source.features, number);
    pixel.weight = *(GLOBAL_MEM const WEIGHT *)spp_pixel_at(source.weights, number);
    return pixel;
}

/* The channel after the last is one at every pixel. */
WITHIN_KERNEL VALUE spp_value(const SppSource source, const SppPixel pixel, ga_int c)
{
    return source.channel + c < source.channels
        ? (ga_double)*(GLOBAL_MEM const FEATURE *)(pixel.feature + c * source.channel_stride) : 1;
}

WITHIN_KERNEL void spp_add(SppState *state, VALUE value, const SppPixel pixel, ga_uint number)
{
    state->chain += pixel.weight * value;
}
