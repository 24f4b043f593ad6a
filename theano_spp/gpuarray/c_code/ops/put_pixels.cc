#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"
#include "resize/interpolation.h"
#include "resize/resized_value.h"
#include "resize/sampling.h"

#section support_code_struct
/* [in]  values, pixels (batch, channels, n), the second int64; spatial_shape and map_shape (axes) on the host
   [out] feature_map (batch, channels, *spatial_shape): for each cell, the sum of what its pixels contribute */
int APPLY_SPECIFIC(put_pixels)(PyGpuArrayObject *values, PyGpuArrayObject *pixels, PyArrayObject *spatial_shape,
                               PyArrayObject *map_shape, PyGpuArrayObject **feature_map, PARAMS_TYPE *params)
{
    const char *op = "PutPixels";
    const unsigned int naxes = (unsigned int)PyArray_MIN(PyArray_DIM(map_shape, 0), PyArray_DIM(spatial_shape, 0));
    const size_t batch = pixels->ga.dimensions[0], channels = pixels->ga.dimensions[1], n = pixels->ga.dimensions[2];
    const size_t planes = batch * channels, groups = planes * spp_gpu_ceil_divide(n, SPP_GROUP);
    const int resize = params->resize != SPP_RESIZE_NONE;
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    SppGpuSampling sampling = spp_gpu_no_sampling(values->ga.data);
    size_t shape[5] = {batch, channels, 0, 0, 0};
    size_t spatial[3];
    size_t all, cells;
    gpudata *sums = NULL;
    int several = 0, failed, axis;

    if (spp_gpu_read_sizes(op, "map_shape", map_shape, naxes, spatial) != 0
            || spp_gpu_read_sizes(op, "spatial_shape", spatial_shape, naxes, shape + 2) != 0
            || spp_gpu_check_like_pixels(op, "values", values, pixels, 3) != 0
            || spp_gpu_check_resize(op, "spatial_shape", resize, naxes, shape + 2, spatial) != 0
            || spp_gpu_prepare(op, feature_map, 2 + naxes, shape, values->ga.typecode, params->context) != 0
            || APPLY_SPECIFIC(set_array)(op, *feature_map) != 0)
        return -1;
    if (planes * n == 0)
        return 0;
    all = spp_gpu_product(spatial, naxes);
    cells = spp_gpu_product(shape + 2, naxes);
    if (n > SPP_GPU_MOST)
        return spp_raise("too_large_for_gpu", "(sKK)", op, (unsigned long long)all, (unsigned long long)n);
    /* the flag, and whether values meet in each plane: zeroed together */
    failed = (call.flag = APPLY_SPECIFIC(zeros)(&call, 1 + planes, sizeof(npy_int32))) == NULL;
    if (resize) {
        failed = failed
            || (all > 0 && APPLY_SPECIFIC(sample_axes)(&call, naxes, shape + 2, spatial, params->resize == SPP_BILINEAR,
                                                       &sampling) != 0)
            || (sums = APPLY_SPECIFIC(zeros)(&call, planes * cells, sizeof(double))) == NULL;
        for (axis = 0; axis < 3; ++axis)
            several |= (params->resize == SPP_BILINEAR && sampling.cells[axis] > 1) << (2 - axis);
    } else
        failed = failed
            || SPP_GPU_START(mark_pixels, op, groups, SPP_GPU_VALUES(pixels), all, channels, n,
                             SPP_GPU_RESULT(*feature_map), call.flag) != 0
            || SPP_GPU_START(find_meetings, op, groups, SPP_GPU_VALUES(pixels), all, channels, n,
                             SPP_GPU_RESULT(*feature_map), call.flag) != 0
            || SPP_GPU_START(put_values, op, groups, SPP_GPU_VALUES(values), SPP_GPU_VALUES(pixels), all, channels, n,
                             SPP_GPU_RESULT(*feature_map), call.flag) != 0;
    failed = failed
        || SPP_GPU_START(scatter_add, op, planes, SPP_GPU_VALUES(values), SPP_GPU_VALUES(pixels),
                         SPP_GPU_AXES(sampling), all, channels, n, cells, resize, several,
                         resize ? sums : values->ga.data, SPP_GPU_RESULT(*feature_map), call.flag) != 0;
    return spp_gpu_finish_pixels(&call, failed, pixels, all);
}

#section device_code
/* A barrier for a group's threads and for what they wrote to global memory. CUDA's barrier always covers global
   memory. */
#ifdef __OPENCL_VERSION__
#define SPP_BARRIER() barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#else
#define SPP_BARRIER() local_barrier()
#endif

/* Where a thread finds its value and its pixel: one thread for a value, n threads or more for a plane. */
typedef struct {
    ga_size image, channel, plane, number;
} SppPut;

WITHIN_KERNEL SppPut spp_put(ga_size channels, ga_size n)
{
    const SppWork work = spp_work(channels, (n + SPP_GROUP - 1) / SPP_GROUP);
    SppPut put;
    put.image = work.image;
    put.channel = work.block;
    put.plane = put.image * channels + put.channel;
    put.number = (ga_size)work.group * SPP_GROUP + LID_0;
    return put;
}

#section kernels
/* Without resize, values of different superpixels have different pixels if these are argmax pixels; whether they have
   is found out without an order of writing that would matter. Each value leaves its number at its pixel, in the
   feature map, zeroed by the caller. */
KERNEL void mark_pixels(SPP_VALUES(ga_long, pixels), ga_size all, ga_size channels, ga_size n,
                        SPP_RESULT(FEATURE, feature_map), GLOBAL_MEM ga_int *flag)
{
    const SppPut put = spp_put(channels, n);
    if (put.number < n) {
        const ga_long pixel = *SPP_VALUE_AT(ga_long, pixels, put.image, put.channel, put.number);
        if (pixel >= 0 && (ga_ulong)pixel >= (ga_ulong)all)
            *flag = 1;
        else if (pixel >= 0)
            *(GLOBAL_MEM ga_uint *)(SPP_RESULT_AT(FEATURE, feature_map) + put.plane * all + (ga_size)pixel) =
                (ga_uint)put.number + 1;
    }
}

/* If one does not find its number there again, another value has the same pixel: values meet in this plane. */
KERNEL void find_meetings(SPP_VALUES(ga_long, pixels), ga_size all, ga_size channels, ga_size n,
                          SPP_RESULT(FEATURE, feature_map), GLOBAL_MEM ga_int *flag)
{
    const SppPut put = spp_put(channels, n);
    if (put.number < n) {
        const ga_long pixel = *SPP_VALUE_AT(ga_long, pixels, put.image, put.channel, put.number);
        if (pixel >= 0 && (ga_ulong)pixel < (ga_ulong)all
                && *(GLOBAL_MEM ga_uint *)(SPP_RESULT_AT(FEATURE, feature_map) + put.plane * all + (ga_size)pixel)
                       != (ga_uint)put.number + 1)
            flag[1 + put.plane] = 1;
    }
}

/* Where none meet each value goes to its pixel; elsewhere pixels are made zero again, for scatter_add. */
KERNEL void put_values(SPP_VALUES(FEATURE, values), SPP_VALUES(ga_long, pixels), ga_size all, ga_size channels,
                       ga_size n, SPP_RESULT(FEATURE, feature_map), GLOBAL_MEM const ga_int *flag)
{
    const SppPut put = spp_put(channels, n);
    if (put.number < n) {
        const ga_long pixel = *SPP_VALUE_AT(ga_long, pixels, put.image, put.channel, put.number);
        const ga_double value = *SPP_VALUE_AT(FEATURE, values, put.image, put.channel, put.number);
        if (pixel >= 0 && (ga_ulong)pixel < (ga_ulong)all)
            SPP_RESULT_AT(FEATURE, feature_map)[put.plane * all + (ga_size)pixel] =
                (FEATURE)(flag[1 + put.plane] ? 0 : 0 + value);
    }
}

/* For values that meet. One group for a plane, the cells of one image and channel, zeroed by the caller. Takes as many
   superpixels at a time as there are threads, and one of the cells that each of their pixels sees: of the threads with
   the same cell the first adds up what all of them contribute, in their order, so that no two threads write to one
   cell and the bits are the same in every run. With resize, where many pixels see one cell, cells are added up in sums
   (batch, channels, cells), zeroed by the caller.
   several: bit 4, 2 or 1 is set if pixels see two cells on axis 0, 1 or 2 */
KERNEL void scatter_add(SPP_VALUES(FEATURE, values), SPP_VALUES(ga_long, pixels), SPP_AXES(axes), ga_size all,
                        ga_size channels, ga_size n, ga_size cells, ga_int resize, ga_int several,
                        GLOBAL_MEM ga_double *sums, SPP_RESULT(FEATURE, feature_map), GLOBAL_MEM ga_int *flag)
{
    LOCAL_MEM ga_long cell_of[SPP_GROUP];
    LOCAL_MEM ga_double given[SPP_GROUP];
    const SppWork work = spp_work(channels, 1);
    const ga_size image = work.image, channel = work.block;
    GLOBAL_MEM FEATURE *plane = SPP_RESULT_AT(FEATURE, feature_map) + (ga_size)GID_0 * cells;
    GLOBAL_MEM ga_double *plane_sums = sums + (resize ? (ga_size)GID_0 * cells : 0);
    ga_size first, i;
    if (!resize && !flag[1 + GID_0])
        return;
    for (first = 0; first < n; first += SPP_GROUP) {
        const ga_size l = first + LID_0;
        ga_long pixel = -1;
        ga_double value = 0;
        SppSeen seen;
        ga_int corner;
        if (l < n) {
            pixel = *SPP_VALUE_AT(ga_long, pixels, image, channel, l);
            value = *SPP_VALUE_AT(FEATURE, values, image, channel, l);
            if (pixel >= 0 && (ga_ulong)pixel >= (ga_ulong)all) {
                *flag = 1;
                pixel = -1;
            }
        }
        if (resize && pixel >= 0)
            seen = spp_seen((ga_ulong)pixel, SPP_AXES_OF(axes));
        for (corner = 0; corner < 8; ++corner) {
            ga_long cell = -1;
            if (corner & ~several)
                continue;
            if (!resize) {
                cell = pixel;
                given[LID_0] = value;
            } else if (pixel >= 0) {
                const ga_double weight0 = corner & 4 ? seen.above[0] : seen.below[0];
                const ga_double weight1 = corner & 2 ? seen.above[1] : seen.below[1];
                const ga_double weight2 = corner & 1 ? seen.above[2] : seen.below[2];
                if (weight0 > 0 && weight1 > 0 && weight2 > 0) {
                    cell = ((ga_long)(corner & 4 ? seen.high[0] : seen.low[0]) * (ga_long)axes_cells1
                            + (ga_long)(corner & 2 ? seen.high[1] : seen.low[1])) * (ga_long)axes_cells2
                        + (ga_long)(corner & 1 ? seen.high[2] : seen.low[2]);
                    given[LID_0] = weight0 * weight1 * weight2 * value;
                }
            }
            cell_of[LID_0] = cell;
            local_barrier();
            if (cell >= 0) {
                ga_double sum = 0;
                ga_int thread, is_first = 1;
                for (thread = 0; thread < (ga_int)LID_0; ++thread)
                    is_first = is_first && cell_of[thread] != cell;
                if (is_first) {
                    for (thread = (ga_int)LID_0; thread < SPP_GROUP; ++thread)
                        if (cell_of[thread] == cell)
                            sum += given[thread];
                    if (resize)
                        plane_sums[cell] += sum;
                    else
                        plane[cell] = (FEATURE)(plane[cell] + sum);
                }
            }
            SPP_BARRIER();
        }
    }
    for (i = LID_0; resize && i < cells; i += SPP_GROUP)
        plane[i] = (FEATURE)plane_sums[i];
}
