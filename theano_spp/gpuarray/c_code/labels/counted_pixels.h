#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"

#section constants
#define SPP_LARGE 1024  /* pixels: threads would queue at the counter of a superpixel that has more */

#section support_code_struct
/* Counts the pixels of each superpixel -> sizes (maps, n) ga_int. Sets the flag of the call if a label is too large.
   Returns 0, or -1 with an error set. */
int APPLY_SPECIFIC(count_pixels)(SppGpuCall *call, PyGpuArrayObject *superpixel_map, size_t n, gpudata **sizes)
{
    const size_t maps = superpixel_map->ga.dimensions[0], pixels = spp_gpu_pixels(superpixel_map, 1);
    const SppGpuImages labels = spp_gpu_joined_images(superpixel_map, 1);
    size_t pixels_per_thread;
    if ((*sizes = APPLY_SPECIFIC(zeros)(call, maps * n, sizeof(npy_int32))) == NULL)
        return -1;
    if (maps * pixels == 0)
        return 0;
    pixels_per_thread = pixels / SPP_LARGE < n ? 8 : 32;
    return SPP_GPU_START(count_labels, call->op, maps * spp_gpu_ceil_divide(pixels, SPP_GROUP * pixels_per_thread),
                         SPP_GPU_IMAGES(labels), pixels, n, pixels_per_thread, *sizes, call->flag);
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
