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
    const int resize = params->resize != SPP_RESIZE_NONE;
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    SppGpuSampling sampling = spp_gpu_no_sampling(values->ga.data);
    size_t shape[5] = {batch, channels, 0, 0, 0};
    size_t spatial[3];
    size_t all, cells;
    gpudata *sums = NULL;
    int failed;

    if (spp_gpu_read_sizes(op, "map_shape", map_shape, naxes, spatial) != 0
            || spp_gpu_read_sizes(op, "spatial_shape", spatial_shape, naxes, shape + 2) != 0
            || spp_gpu_check_like_pixels(op, "values", values, pixels, 3) != 0
            || spp_gpu_check_resize(op, "spatial_shape", resize, naxes, shape + 2, spatial) != 0
            || spp_gpu_prepare(op, feature_map, 2 + naxes, shape, values->ga.typecode, params->context) != 0
            || APPLY_SPECIFIC(set_array)(op, *feature_map) != 0)
        return -1;
    if (batch * channels * n == 0)
        return 0;
    all = spp_gpu_product(spatial, naxes);
    cells = spp_gpu_product(shape + 2, naxes);
    failed = APPLY_SPECIFIC(begin)(&call) != 0
        || (all > 0 && APPLY_SPECIFIC(sample_axes)(&call, naxes, shape + 2, spatial, params->resize == SPP_BILINEAR,
                                                   &sampling) != 0)
        || (sums = APPLY_SPECIFIC(zeros)(&call, resize ? batch * channels * cells : 0, sizeof(double))) == NULL
        || SPP_GPU_START(scatter_add, op, batch * channels, SPP_GPU_VALUES(values), SPP_GPU_VALUES(pixels),
                         SPP_GPU_AXES(sampling), all, channels, n, cells, resize, sums, SPP_GPU_RESULT(*feature_map),
                         call.flag) != 0;
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

#section kernels
/* One group for a plane, the cells of one image and channel, zeroed by the caller. Takes as many superpixels at a
   time as there are threads, and one of the cells that each of their pixels sees: of the threads with the same cell
   the first adds up what all of them contribute, in their order, so that no two threads write to one cell and the
   bits are the same in every run. With resize, where many pixels see one cell, cells are added up in sums (batch,
   channels, cells), zeroed by the caller. */
KERNEL void scatter_add(SPP_VALUES(FEATURE, values), SPP_VALUES(ga_long, pixels), SPP_AXES(axes), ga_size all,
                        ga_size channels, ga_size n, ga_size cells, ga_int resize, GLOBAL_MEM ga_double *sums,
                        SPP_RESULT(FEATURE, feature_map), GLOBAL_MEM ga_int *flag)
{
    LOCAL_MEM ga_long cell_of[SPP_GROUP];
    LOCAL_MEM ga_double given[SPP_GROUP];
    const SppWork work = spp_work(channels, 1);
    const ga_size image = work.image, channel = work.block;
    GLOBAL_MEM FEATURE *plane = SPP_RESULT_AT(FEATURE, feature_map) + (ga_size)GID_0 * cells;
    GLOBAL_MEM ga_double *plane_sums = sums + (resize ? (ga_size)GID_0 * cells : 0);
    ga_size first, i;
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
        if (pixel >= 0)
            seen = spp_seen((ga_ulong)pixel, SPP_AXES_OF(axes));
        for (corner = 0; corner < 8; ++corner) {
            ga_long cell = -1;
            if (pixel >= 0) {
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
