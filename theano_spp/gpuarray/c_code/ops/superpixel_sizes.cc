#include "labels/counted_pixels.h"
#include "memory/arrays.h"

#section support_code_struct
/* [in]  superpixel_map (batch, *spatial), n_superpixels () on the host
   [out] sizes (batch, n_superpixels) int64 */
int APPLY_SPECIFIC(superpixel_sizes)(PyGpuArrayObject *superpixel_map, PyArrayObject *n_superpixels,
                                     PyGpuArrayObject **sizes, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelSizes";
    SppGpuScratch scratch = {params->context->ctx, op, {NULL}, 0};
    size_t shape[2] = {superpixel_map->ga.dimensions[0], 0};
    gpudata *flag = NULL, *counts = NULL;
    ssize_t n;
    int failed = -1;
    if ((n = spp_gpu_n_superpixels(op, n_superpixels)) < 0 || spp_gpu_check_sizes(op, superpixel_map, n) != 0)
        return -1;
    shape[1] = n;
    if (spp_gpu_prepare(op, sizes, 2, shape, GA_LONG, params->context) != 0)
        return -1;
    if ((flag = APPLY_SPECIFIC(new_flag)(&scratch)) == NULL
            || APPLY_SPECIFIC(count_pixels)(&scratch, superpixel_map, n, flag, &counts) != 0
            || (shape[0] * n > 0
                && SPP_GPU_START(widen, op, spp_gpu_ceil_divide(shape[0] * n, SPP_GROUP), counts, shape[0] * n,
                                 (*sizes)->ga.data, (*sizes)->ga.offset) != 0))
        goto done;
    failed = spp_gpu_check_flag(&scratch, flag, superpixel_map, n, "n_superpixels is");
done:
    spp_gpu_release(&scratch);
    return failed;
}

#section kernels
KERNEL void widen(GLOBAL_MEM const ga_int *counts, ga_size size, GLOBAL_MEM ga_long *sizes, ga_size sizes_offset)
{
    const ga_size i = (ga_size)GID_0 * SPP_GROUP + LID_0;
    if (i < size)
        ((GLOBAL_MEM ga_long *)((GLOBAL_MEM char *)sizes + sizes_offset))[i] = counts[i];
}
