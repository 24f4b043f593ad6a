#include "labels/counted_pixels.h"
#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"

#section support_code_struct
/* [in]  superpixel_map (batch, *spatial), n_superpixels () on the host
   [out] sizes (batch, n_superpixels) int64 */
int APPLY_SPECIFIC(superpixel_sizes)(PyGpuArrayObject *superpixel_map, PyArrayObject *n_superpixels,
                                     PyGpuArrayObject **sizes, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelSizes";
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    size_t shape[2] = {superpixel_map->ga.dimensions[0], 0};
    gpudata *counts = NULL;
    size_t count;
    ssize_t n;
    int failed;
    if ((n = shape[1] = spp_gpu_n_superpixels(op, n_superpixels, superpixel_map)) < 0
            || spp_gpu_prepare(op, sizes, 2, shape, GA_LONG, params->context) != 0)
        return -1;
    count = spp_gpu_pixels(*sizes, 0);
    failed = APPLY_SPECIFIC(begin)(&call) != 0
        || APPLY_SPECIFIC(count_pixels)(&call, superpixel_map, n, &counts) != 0
        || (count > 0 && SPP_GPU_START(widen, op, spp_gpu_ceil_divide(count, SPP_GROUP), counts, count,
                                       SPP_GPU_RESULT(*sizes)) != 0);
    return spp_gpu_finish(&call, failed, superpixel_map, n, SPP_GPU_N_SUPERPIXELS);
}

#section kernels
KERNEL void widen(GLOBAL_MEM const ga_int *counts, ga_size count, SPP_RESULT(ga_long, sizes))
{
    const ga_size i = (ga_size)GID_0 * SPP_GROUP + LID_0;
    if (i < count)
        SPP_RESULT_AT(ga_long, sizes)[i] = counts[i];
}
