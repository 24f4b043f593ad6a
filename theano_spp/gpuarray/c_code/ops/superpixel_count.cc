#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"

#section support_code
#ifndef SPP_GPU_COUNT
#define SPP_GPU_COUNT

#define SPP_GPU_COUNTERS 64  /* groups, each of which reads a share of the labels */

#endif

#section support_code_struct
/* [in]  superpixel_map (batch, *spatial)
   [out] n_superpixels () int64 on the host: the largest label + 1, 0 if no pixel has one */
int APPLY_SPECIFIC(superpixel_count)(PyGpuArrayObject *superpixel_map, PyArrayObject **n_superpixels,
                                     PARAMS_TYPE *params)
{
    const char *op = "SuperpixelCount";
    const size_t batch = superpixel_map->ga.dimensions[0], pixels = spp_gpu_pixels(superpixel_map, 1);
    const SppGpuImages labels = spp_gpu_joined_images(superpixel_map, 1);
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    npy_uint64 counts[SPP_GPU_COUNTERS], count = 0;
    gpudata *on_gpu = NULL;
    int failed, i;

    if (spp_gpu_check_sizes(op, superpixel_map, 0) != 0)
        return -1;
    if (batch * pixels > 0) {
        failed = (on_gpu = spp_gpu_allocate(&call, SPP_GPU_COUNTERS, sizeof(npy_uint64))) == NULL
            || SPP_GPU_START(find_largest, op, SPP_GPU_COUNTERS, SPP_GPU_IMAGES(labels), batch, pixels, on_gpu) != 0
            || spp_gpu_read(&call, on_gpu, counts, sizeof(counts)) != 0;
        if (spp_gpu_end(&call, failed) != 0)
            return -1;
        for (i = 0; i < SPP_GPU_COUNTERS; ++i)
            if (counts[i] > count)
                count = counts[i];
        if (count > (npy_uint64)NPY_MAX_INT64)
            return spp_raise("check_labels", "(sOLs)", op, superpixel_map, (long long)NPY_MAX_INT64,
                             "the number of superpixels can be at most");
    }
    Py_XDECREF(*n_superpixels);
    *n_superpixels = (PyArrayObject *)PyArray_EMPTY(0, NULL, NPY_INT64, 0);
    if (*n_superpixels == NULL)
        return -1;
    *(npy_int64 *)PyArray_DATA(*n_superpixels) = (npy_int64)count;
    return 0;
}

#section kernels
/* counts: the largest label + 1 of each group. The largest uint64 has no successor: it stays as it is, and is too
   large in any case. */
KERNEL void find_largest(SPP_IMAGES(LABEL, labels), ga_size batch, ga_size pixels, GLOBAL_MEM ga_ulong *counts)
{
    LOCAL_MEM ga_ulong largest[SPP_GROUP];
    ga_ulong count = 0;
    ga_size i;
    ga_uint fold;
    for (i = (ga_size)GID_0 * SPP_GROUP + LID_0; i < batch * pixels; i += (ga_size)GDIM_0 * SPP_GROUP) {
        const LABEL label = SPP_LABEL_AT(SPP_IMAGE(labels, i / pixels), i % pixels);
        const ga_ulong here = SPP_IS_NONE(label) ? 0 : (ga_ulong)label + ((ga_ulong)label + 1 != 0);
        count = here > count ? here : count;
    }
    largest[LID_0] = count;
    for (fold = SPP_GROUP / 2; fold > 0; fold /= 2) {
        local_barrier();
        if (LID_0 < fold && largest[LID_0 + fold] > largest[LID_0])
            largest[LID_0] = largest[LID_0 + fold];
    }
    if (LID_0 == 0)
        counts[GID_0] = largest[0];
}
