#include "memory/arrays.h"
#include "memory/calls.h"
#include "resize/sampling.h"

#section support_code
#ifndef SPP_GPU_RESIZED
#define SPP_GPU_RESIZED

/* 0, or -1 with a ValueError if there are pixels but no cells to interpolate between. */
static inline int spp_gpu_check_cells(const char *op, unsigned int naxes, const size_t *cells, const size_t *pixels)
{
    unsigned int axis;
    for (axis = 0; axis < naxes; ++axis)
        if (cells[axis] < 1 && spp_gpu_product(pixels, naxes) > 0)
            return spp_raise("check_cells", "(sNN)", op, spp_shape(naxes, (const npy_intp *)cells),
                             spp_shape(naxes, (const npy_intp *)pixels));
    return 0;
}

/* The same for features that are resized; without resize they must have the sizes of the pixels. */
static inline int spp_gpu_check_resize(const char *op, const char *argument, int resize, unsigned int naxes,
                                       const size_t *cells, const size_t *pixels)
{
    if (resize)
        return spp_gpu_check_cells(op, naxes, cells, pixels);
    return memcmp(cells, pixels, naxes * sizeof(size_t)) == 0 ? 0
        : spp_raise("check_same_sizes", "(ssNN)", op, argument, spp_shape(naxes, (const npy_intp *)cells),
                    spp_shape(naxes, (const npy_intp *)pixels));
}

/* 0, or -1 with a ValueError unless the array's first `axes` sizes are those of pixels. */
static inline int spp_gpu_check_like_pixels(const char *op, const char *argument, PyGpuArrayObject *array,
                                            PyGpuArrayObject *pixels, int axes)
{
    return memcmp(array->ga.dimensions, pixels->ga.dimensions, axes * sizeof(size_t)) == 0
        ? 0 : spp_raise("check_like_pixels", "(ssOOi)", op, argument, array, pixels, axes);
}

/* Ends a call whose kernels check pixel numbers. Returns 0, or -1 with an error set: an IndexError if an image has no
   such pixel. */
static inline int spp_gpu_finish_pixels(SppGpuCall *call, int failed, PyGpuArrayObject *pixels, size_t n_pixels)
{
    const int found = spp_gpu_end(call, failed);
    return found > 0 ? spp_raise("check_pixels", "(sOK)", call->op, pixels, (unsigned long long)n_pixels) : found;
}

#endif

#section support_code_struct
/* [in] naxes 1..3, cells, pixels (naxes): at least 1 each  Returns 0, or -1 with an error set. */
int APPLY_SPECIFIC(sample_axes)(SppGpuCall *call, unsigned int naxes, const size_t *cells, const size_t *pixels,
                                int bilinear, SppGpuSampling *sampling)
{
    size_t all = 0;
    unsigned int i;
    for (i = 0; i < 3; ++i) {
        sampling->cells[i] = i + naxes < 3 ? 1 : cells[i + naxes - 3];
        sampling->pixels[i] = i + naxes < 3 ? 1 : pixels[i + naxes - 3];
        if (sampling->cells[i] > SPP_GPU_MOST || sampling->pixels[i] > SPP_GPU_MOST)
            return spp_raise("too_large_for_gpu", "(sKK)", call->op, (unsigned long long)(
                sampling->cells[i] > sampling->pixels[i] ? sampling->cells[i] : sampling->pixels[i]), 0ULL);
        all += sampling->pixels[i];
    }
    if ((sampling->low = spp_gpu_allocate(call, all, sizeof(npy_uint32))) == NULL
            || (sampling->cell_weights = spp_gpu_allocate(call, all, 2 * sizeof(double))) == NULL)
        return -1;
    return SPP_GPU_START(sample_pixels, call->op, spp_gpu_ceil_divide(all, SPP_GROUP), sampling->pixels[0],
                         sampling->pixels[1], sampling->pixels[2], sampling->cells[0], sampling->cells[1],
                         sampling->cells[2], bilinear, sampling->low, sampling->cell_weights);
}

#section kernels
/* One thread for a pixel of an axis. Positions are whole numbers, so that no rounding decides which cell is the
   nearest. */
KERNEL void sample_pixels(ga_size pixels0, ga_size pixels1, ga_size pixels2, ga_size cells0, ga_size cells1,
                          ga_size cells2, ga_int bilinear, GLOBAL_MEM ga_uint *low, GLOBAL_MEM ga_double *cell_weights)
{
    const ga_size i = (ga_size)GID_0 * SPP_GROUP + LID_0;
    const ga_int axis = i < pixels0 ? 0 : i < pixels0 + pixels1 ? 1 : 2;
    const ga_long pixels = axis == 0 ? pixels0 : axis == 1 ? pixels1 : pixels2;
    const ga_long cells = axis == 0 ? cells0 : axis == 1 ? cells1 : cells2;
    const ga_long pixel = (ga_long)i - (axis == 0 ? 0 : axis == 1 ? (ga_long)pixels0 : (ga_long)(pixels0 + pixels1));
    ga_long position, cell, fraction = 0;
    if (i >= pixels0 + pixels1 + pixels2)
        return;
    position = (2 * pixel + 1) * cells - (bilinear ? pixels : 0);
    cell = position < 0 ? -1 : position / (2 * pixels);
    if (bilinear && cell >= 0 && cell < cells - 1)
        fraction = position % (2 * pixels);
    cell = cell < 0 ? 0 : cell > cells - 1 ? cells - 1 : cell;
    low[i] = (ga_uint)cell;
    cell_weights[2 * i] = (ga_double)(2 * pixels - fraction) / (ga_double)(2 * pixels);
    cell_weights[2 * i + 1] = (ga_double)fraction / (ga_double)(2 * pixels);
}
