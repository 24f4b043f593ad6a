#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"

#section support_code_struct
/* [in]  superpixel_map (batch, *spatial), n_superpixels () on the host, known: sizes, of ops/counted_pixels.cc
   [out] sizes (batch, n_superpixels) int64 */
int APPLY_SPECIFIC(superpixel_sizes)(PyGpuArrayObject *superpixel_map, PyArrayObject *n_superpixels,
                                     PyGpuArrayObject *known, PyGpuArrayObject **sizes, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelSizes";
    size_t shape[2] = {superpixel_map->ga.dimensions[0], 0};
    size_t count;
    ssize_t n;
    if ((n = shape[1] = spp_gpu_n_superpixels(op, n_superpixels, superpixel_map)) < 0
            || spp_gpu_check_table(op, "sizes", known, shape[0], n) != 0
            || spp_gpu_prepare(op, sizes, 2, shape, GA_LONG, params->context) != 0)
        return -1;
    count = spp_gpu_pixels(*sizes, 0);
    return count == 0 ? 0 : SPP_GPU_START(widen, op, spp_gpu_ceil_divide(count, SPP_GROUP), known->ga.data, count,
                                          SPP_GPU_RESULT(*sizes));
}

#section kernels
KERNEL void widen(GLOBAL_MEM const ga_int *counts, ga_size count, SPP_RESULT(ga_long, sizes))
{
    const ga_size i = (ga_size)GID_0 * SPP_GROUP + LID_0;
    if (i < count)
        SPP_RESULT_AT(ga_long, sizes)[i] = counts[i];
}
