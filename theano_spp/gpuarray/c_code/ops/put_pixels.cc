#include "memory/arrays.h"
#include "memory/sizes.h"
#include "resize/interpolation.h"
#include "resize/resized_value.h"

#section support_code_struct
/* [in]  values, pixels (batch, channels, n), the second int64; spatial_shape and map_shape (axes) on the host
   [out] feature_map (batch, channels, *spatial_shape): for each cell, the sum of what its pixels contribute */
int APPLY_SPECIFIC(put_pixels)(PyGpuArrayObject *values, PyGpuArrayObject *pixels, PyArrayObject *spatial_shape,
                               PyArrayObject *map_shape, PyGpuArrayObject **feature_map, PARAMS_TYPE *params)
{
    const char *op = "PutPixels";
    const unsigned int naxes = (unsigned int)PyArray_DIM(map_shape, 0);
    const size_t batch = pixels->ga.dimensions[0], channels = pixels->ga.dimensions[1], n = pixels->ga.dimensions[2];
    const int resize = params->resize != SPP_RESIZE_NONE, bilinear = params->resize == SPP_BILINEAR;
    const char *how = resize ? spp_gpu_resize_name(bilinear) : "none";
    SppGpuScratch scratch = {params->context->ctx, op, {NULL}, 0};
    SppGpuSampling sampling;
    size_t shape[5] = {batch, channels, 0, 0, 0};
    size_t spatial[3];
    size_t all, cells;
    gpudata *flag = NULL, *sums = NULL;
    int failed = -1, is_bad = 0;

    if (naxes < 1 || naxes > 3 || APPLY_SPECIFIC(read_sizes)(map_shape, naxes, spatial) != 0
            || APPLY_SPECIFIC(read_sizes)(spatial_shape, naxes, shape + 2) != 0
            || memcmp(values->ga.dimensions, pixels->ga.dimensions, 3 * sizeof(size_t)) != 0
            || (resize ? spp_gpu_lacks_cells(naxes, shape + 2, spatial)
                       : memcmp(shape + 2, spatial, naxes * sizeof(size_t)) != 0))
        return spp_gpu_raise_from_reference("(ss(OOOO))", "put_pixels", how, values, pixels, spatial_shape, map_shape);
    all = spp_gpu_product(spatial, naxes);
    cells = spp_gpu_product(shape + 2, naxes);
    if (spp_gpu_prepare(op, feature_map, 2 + naxes, shape, values->ga.typecode, params->context) != 0
            || APPLY_SPECIFIC(set_array)(op, *feature_map) != 0)
        return -1;
    if (batch * channels * n == 0)
        return 0;
    if ((flag = APPLY_SPECIFIC(new_flag)(&scratch)) == NULL
            || (all > 0 && APPLY_SPECIFIC(sample_axes)(&scratch, naxes, shape + 2, spatial, bilinear, &sampling) != 0)
            || (sums = spp_gpu_allocate(&scratch, resize ? batch * channels * cells : 0, sizeof(double))) == NULL
            || APPLY_SPECIFIC(set_zeros)(op, sums, 0, resize ? batch * channels * cells * sizeof(double) : 0) != 0
            || SPP_GPU_START(scatter_add, op, batch * channels, values->ga.data, values->ga.offset,
                             values->ga.strides[0], values->ga.strides[1], values->ga.strides[2], pixels->ga.data,
                             pixels->ga.offset, pixels->ga.strides[0], pixels->ga.strides[1], pixels->ga.strides[2],
                             all > 0 ? sampling.low : flag, all > 0 ? sampling.cell_weights : flag,
                             all > 0 ? sampling.pixels[0] : 1, all > 0 ? sampling.pixels[1] : 1,
                             all > 0 ? sampling.pixels[2] : 1, all > 0 ? sampling.cells[1] : 1,
                             all > 0 ? sampling.cells[2] : 1, all, channels, n, cells, resize, sums,
                             (*feature_map)->ga.data, (*feature_map)->ga.offset, flag) != 0
            || spp_gpu_read_flag(&scratch, flag, &is_bad) != 0)
        goto done;
    failed = is_bad ? spp_gpu_raise_from_reference("(ss(OOOO))", "put_pixels", how, values, pixels, spatial_shape,
                                    map_shape) : 0;
done:
    spp_gpu_release(&scratch);
    return failed;
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
KERNEL void scatter_add(GLOBAL_MEM const FEATURE *values, ga_size values_offset, ga_ssize values_image,
                        ga_ssize values_channel, ga_ssize values_superpixel, GLOBAL_MEM const ga_long *pixels,
                        ga_size pixels_offset, ga_ssize pixels_image, ga_ssize pixels_channel,
                        ga_ssize pixels_superpixel, GLOBAL_MEM const ga_uint *low,
                        GLOBAL_MEM const ga_double *cell_weights, ga_size pixels0, ga_size pixels1, ga_size pixels2,
                        ga_size cells1, ga_size cells2, ga_size all, ga_size channels, ga_size n, ga_size cells,
                        ga_int resize, GLOBAL_MEM ga_double *sums, GLOBAL_MEM FEATURE *feature_map,
                        ga_size feature_map_offset, GLOBAL_MEM ga_int *flag)
{
    LOCAL_MEM ga_long cell_of[SPP_GROUP];
    LOCAL_MEM ga_double given[SPP_GROUP];
    const SppWork work = spp_work(channels, 1);
    const ga_size image = work.image, channel = work.block;
    GLOBAL_MEM FEATURE *plane = (GLOBAL_MEM FEATURE *)((GLOBAL_MEM char *)feature_map + feature_map_offset)
        + (ga_size)GID_0 * cells;
    GLOBAL_MEM ga_double *plane_sums = sums + (resize ? (ga_size)GID_0 * cells : 0);
    ga_size first, i;
    for (first = 0; first < n; first += SPP_GROUP) {
        const ga_size l = first + LID_0;
        ga_long pixel = -1;
        ga_double value = 0;
        SppSeen seen;
        ga_int corner;
        if (l < n) {
            pixel = *(GLOBAL_MEM const ga_long *)(
                (GLOBAL_MEM const char *)pixels + pixels_offset + (ga_ssize)image * pixels_image
                + (ga_ssize)channel * pixels_channel + (ga_ssize)l * pixels_superpixel);
            value = *(GLOBAL_MEM const FEATURE *)(
                (GLOBAL_MEM const char *)values + values_offset + (ga_ssize)image * values_image
                + (ga_ssize)channel * values_channel + (ga_ssize)l * values_superpixel);
            if (pixel >= 0 && (ga_ulong)pixel >= (ga_ulong)all) {
                *flag = 1;
                pixel = -1;
            }
        }
        if (pixel >= 0)
            seen = spp_seen((ga_ulong)pixel, low, cell_weights, pixels0, pixels1, pixels2);
        for (corner = 0; corner < 8; ++corner) {
            ga_long cell = -1;
            if (pixel >= 0) {
                const ga_double weight0 = corner & 4 ? seen.above[0] : seen.below[0];
                const ga_double weight1 = corner & 2 ? seen.above[1] : seen.below[1];
                const ga_double weight2 = corner & 1 ? seen.above[2] : seen.below[2];
                if (weight0 > 0 && weight1 > 0 && weight2 > 0) {
                    cell = ((ga_long)(corner & 4 ? seen.high[0] : seen.low[0]) * (ga_long)cells1
                            + (ga_long)(corner & 2 ? seen.high[1] : seen.low[1])) * (ga_long)cells2
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
