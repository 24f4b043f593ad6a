#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"

#section constants
#define SPP_LARGE 1024  /* pixels: threads would queue at the counter of a superpixel that has more */

#section support_code_struct
/* Counts the pixels of each superpixel.
   [in]  superpixel_map (maps, *spatial), n_superpixels () on the host
   [out] sizes (maps, n_superpixels) int32 */
int APPLY_SPECIFIC(counted_pixels)(PyGpuArrayObject *superpixel_map, PyArrayObject *n_superpixels,
                                   PyGpuArrayObject **sizes, PARAMS_TYPE *params)
{
    const char *op = PyUnicode_AsUTF8(params->op_name);
    const size_t maps = superpixel_map->ga.dimensions[0], pixels = spp_gpu_pixels(superpixel_map, 1);
    const SppGpuImages labels = spp_gpu_joined_images(superpixel_map, 1);
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    size_t pixels_per_thread;
    ssize_t n;
    int failed;
    if (op == NULL || (n = spp_gpu_n_superpixels(op, n_superpixels, superpixel_map)) < 0
            || spp_gpu_prepare_table(op, sizes, maps, n, GA_INT, params->context) != 0
            || APPLY_SPECIFIC(set_array)(op, *sizes) != 0)
        return -1;
    if (maps * pixels == 0)
        return 0;
    pixels_per_thread = pixels / SPP_LARGE < (size_t)n ? 8 : 32;
    failed = APPLY_SPECIFIC(begin)(&call) != 0
        || SPP_GPU_START(count_labels, op, maps * spp_gpu_ceil_divide(pixels, SPP_GROUP * pixels_per_thread),
                         SPP_GPU_IMAGES(labels), pixels, n, pixels_per_thread, (*sizes)->ga.data, call.flag) != 0;
    return spp_gpu_finish(&call, failed, superpixel_map, n, PyUnicode_AsUTF8(params->limit_name));
}

/* The same. [in] known (maps, any number of superpixels): sizes of the same map, whose labels were checked then */
int APPLY_SPECIFIC(known_sizes)(PyGpuArrayObject *superpixel_map, PyArrayObject *n_superpixels, PyGpuArrayObject *known,
                                PyGpuArrayObject **sizes, PARAMS_TYPE *params)
{
    if (known->ga.dimensions[0] != superpixel_map->ga.dimensions[0]
            || *(npy_int64 *)PyArray_DATA(n_superpixels) != (npy_int64)known->ga.dimensions[1]) {
        if (*sizes == known)
            Py_CLEAR(*sizes);  /* what a call before has passed on must not be overwritten */
        return APPLY_SPECIFIC(counted_pixels)(superpixel_map, n_superpixels, sizes, params);
    }
    Py_INCREF(known);
    Py_XDECREF(*sizes);
    *sizes = known;
    return 0;
}

#section kernels
/* Each thread counts its pixels, run by run. Sizes are whole numbers, so the order of the atomic additions does not
   matter. */
KERNEL void count_labels(SPP_IMAGES(LABEL, labels), ga_size pixels, ga_size n, ga_size pixels_per_thread,
                         GLOBAL_MEM ga_int *sizes, GLOBAL_MEM ga_int *flag)
{
    const SppWork work = spp_work(1, (pixels + pixels_per_thread * SPP_GROUP - 1) / (pixels_per_thread * SPP_GROUP));
    const SppImage map = SPP_IMAGE(labels, work.image);
    const ga_size begin = ((ga_size)work.group * SPP_GROUP + LID_0) * pixels_per_thread;
    const ga_size end = begin + pixels_per_thread < pixels ? begin + pixels_per_thread : pixels;
    GLOBAL_MEM ga_int *map_sizes = sizes + work.image * n;
    ga_size pixel, run = 0;
    LABEL before = 0;
    for (pixel = begin; pixel < end; ++pixel) {
        const LABEL label = SPP_LABEL_AT(map, pixel);
        if (run > 0 && label != before) {
            atom_add_ig(map_sizes + (ga_size)before, (ga_int)run);
            run = 0;
        }
        if (SPP_IS_TOO_LARGE(label, n))
            *flag = 1;
        else if (!SPP_IS_NONE(label))
            ++run;
        before = label;
    }
    if (run > 0)
        atom_add_ig(map_sizes + (ga_size)before, (ga_int)run);
}
