#include "memory/arrays.h"

#section constants
#define SPP_LARGE 1024  /* pixels: threads would queue at the counter of a superpixel that has more */

#section support_code_struct
/* Counts the pixels of each superpixel -> sizes (batch, n) ga_int. [out] flag () ga_int: not 0 if a label is too
   large
   Returns 0, or -1 with an error set. */
int APPLY_SPECIFIC(count_pixels)(SppGpuScratch *scratch, PyGpuArrayObject *superpixel_map, size_t n, gpudata *flag,
                                 gpudata **sizes)
{
    const size_t batch = superpixel_map->ga.dimensions[0], pixels = spp_gpu_pixels(superpixel_map, 1);
    const SppGpuGrid grid = spp_gpu_joined_grid(superpixel_map, 1);
    size_t pixels_per_thread;
    if ((*sizes = spp_gpu_allocate(scratch, batch * n, sizeof(npy_int32))) == NULL
            || APPLY_SPECIFIC(set_zeros)(scratch->op, *sizes, 0, batch * n * sizeof(npy_int32)) != 0)
        return -1;
    if (batch * pixels == 0)
        return 0;
    pixels_per_thread = pixels / SPP_LARGE < n ? 8 : 32;
    return SPP_GPU_START(count_labels, scratch->op, batch * spp_gpu_ceil_divide(pixels, SPP_GROUP * pixels_per_thread),
                         superpixel_map->ga.data, superpixel_map->ga.offset, superpixel_map->ga.strides[0], grid.rows,
                         grid.length, grid.row0, grid.row1, grid.pixel, pixels, n, pixels_per_thread, *sizes, flag);
}

#section kernels
/* Each thread counts its pixels, run by run. Sizes are whole numbers, so the order of the atomic additions does not
   matter. */
KERNEL void count_labels(GLOBAL_MEM const LABEL *labels, ga_size labels_offset, ga_ssize image_stride, ga_size rows,
                         ga_size length, ga_ssize row0, ga_ssize row1, ga_ssize step, ga_size pixels, ga_size n,
                         ga_size pixels_per_thread, GLOBAL_MEM ga_int *sizes, GLOBAL_MEM ga_int *flag)
{
    const SppWork work = spp_work(1, (pixels + pixels_per_thread * SPP_GROUP - 1) / (pixels_per_thread * SPP_GROUP));
    const ga_size image = work.image;
    const ga_size begin = ((ga_size)work.group * SPP_GROUP + LID_0) * pixels_per_thread;
    const ga_size end = begin + pixels_per_thread < pixels ? begin + pixels_per_thread : pixels;
    GLOBAL_MEM const char *image_labels = (GLOBAL_MEM const char *)labels + labels_offset
        + (ga_ssize)image * image_stride;
    ga_size pixel, run = 0;
    LABEL before = 0;
    for (pixel = begin; pixel < end; ++pixel) {
        const LABEL label = *(GLOBAL_MEM const LABEL *)(
            image_labels + spp_offset((ga_uint)pixel, (ga_uint)rows, (ga_uint)length, row0, row1, step));
        if (run > 0 && label != before) {
            atom_add_ig(sizes + image * n + (ga_size)before, (ga_int)run);
            run = 0;
        }
        if (SPP_IS_TOO_LARGE(label, n))
            *flag = 1;
        else if (!SPP_IS_NONE(label))
            ++run;
        before = label;
    }
    if (run > 0)
        atom_add_ig(sizes + image * n + (ga_size)before, (ga_int)run);
}
