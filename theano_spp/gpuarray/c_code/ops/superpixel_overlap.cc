#include "labels/counted_pixels.h"
#include "memory/arrays.h"
#include "memory/sizes.h"
#include "resize/interpolation.h"
#include "resize/support.h"

#section support_code_struct
/* [in]  superpixel_map (batch, *spatial), n_superpixels () and spatial_shape (axes) on the host
   [out] overlap (batch, n_superpixels, *spatial_shape) */
int APPLY_SPECIFIC(superpixel_overlap)(PyGpuArrayObject *superpixel_map, PyArrayObject *n_superpixels,
                                       PyArrayObject *spatial_shape, PyGpuArrayObject **overlap, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelOverlap";
    const size_t batch = superpixel_map->ga.dimensions[0], pixels = spp_gpu_pixels(superpixel_map, 1);
    const unsigned int naxes = superpixel_map->ga.nd - 1;
    const SppGpuGrid grid = spp_gpu_grid(superpixel_map, 1);
    const int mean = params->mode == SPP_POOL_MEAN, bilinear = params->resize == SPP_BILINEAR;
    SppGpuScratch scratch = {params->context->ctx, op, {NULL}, 0};
    SppGpuSampling sampling;
    size_t shape[5] = {batch, 0, 0, 0, 0};
    gpudata *flag = NULL, *sizes = NULL, *sums = NULL;
    size_t cells;
    ssize_t n;
    int failed = -1;

    if ((n = spp_gpu_n_superpixels(op, n_superpixels)) < 0 || spp_gpu_check_sizes(op, superpixel_map, n) != 0)
        return -1;
    shape[1] = n;
    if (APPLY_SPECIFIC(read_sizes)(spatial_shape, naxes, shape + 2) != 0
            || spp_gpu_lacks_cells(naxes, shape + 2, superpixel_map->ga.dimensions + 1))
        return spp_gpu_raise_from_reference("(ss(OOO))", "overlap", NULL, superpixel_map, n_superpixels, spatial_shape);
    if (spp_gpu_prepare(op, overlap, 2 + naxes, shape, ITEMSIZE_OUTPUT_0 == 4 ? GA_FLOAT : GA_DOUBLE,
                        params->context) != 0)
        return -1;
    cells = spp_gpu_product(shape + 2, naxes);
    if (batch * pixels == 0)
        return APPLY_SPECIFIC(set_array)(op, *overlap);
    if ((flag = APPLY_SPECIFIC(new_flag)(&scratch)) == NULL
            || APPLY_SPECIFIC(count_pixels)(&scratch, superpixel_map, n, flag, &sizes) != 0
            || APPLY_SPECIFIC(sample_axes)(&scratch, naxes, shape + 2, superpixel_map->ga.dimensions + 1, bilinear,
                                           &sampling) != 0
            || (sums = spp_gpu_allocate(&scratch, batch * n * cells, 2 * sizeof(double))) == NULL
            || APPLY_SPECIFIC(set_zeros)(op, sums, 0, batch * n * cells * 2 * sizeof(double)) != 0
            || (n > 0
                && SPP_GPU_START(weigh_support, op, batch * spp_gpu_ceil_divide(cells, SPP_GROUP),
                                 superpixel_map->ga.data, superpixel_map->ga.offset, superpixel_map->ga.strides[0],
                                 grid.row0, grid.row1, grid.pixel, sampling.low, sampling.cell_weights,
                                 sampling.pixels[0], sampling.pixels[1], sampling.pixels[2], sampling.cells[0],
                                 sampling.cells[1], sampling.cells[2], n, mean, sizes, sums, ITEMSIZE_OUTPUT_0 == 4,
                                 (*overlap)->ga.data, (*overlap)->ga.offset) != 0))
        goto done;
    failed = spp_gpu_check_flag(&scratch, flag, superpixel_map, n, "n_superpixels is");
done:
    spp_gpu_release(&scratch);
    return failed;
}

#section kernels
/* One thread for a cell: adds up its weight for each superpixel in sums (batch, n, 2, cells), zeroed by the caller,
   compensated: the sums and their errors; then writes the overlap. */
KERNEL void weigh_support(GLOBAL_MEM const LABEL *labels, ga_size labels_offset, ga_ssize image_stride, ga_ssize row0,
                          ga_ssize row1, ga_ssize step, GLOBAL_MEM const ga_uint *low,
                          GLOBAL_MEM const ga_double *cell_weights, ga_size pixels0, ga_size pixels1, ga_size pixels2,
                          ga_size cells0, ga_size cells1, ga_size cells2, ga_size n, ga_int mean,
                          GLOBAL_MEM const ga_int *sizes, GLOBAL_MEM ga_double *sums, ga_int is_float32,
                          GLOBAL_MEM char *overlap, ga_size overlap_offset)
{
    const ga_size all = cells0 * cells1 * cells2, groups = (all + SPP_GROUP - 1) / SPP_GROUP;
    const SppWork work = spp_work(1, groups);
    const ga_size image = work.image, cell = (ga_size)work.group * SPP_GROUP + LID_0;
    const ga_size x2 = cell % cells2, x1 = cell / cells2 % cells1, x0 = cell / cells2 / cells1;
    GLOBAL_MEM const char *image_labels = (GLOBAL_MEM const char *)labels + labels_offset
        + (ga_ssize)image * image_stride;
    GLOBAL_MEM ga_double *own_sums = sums + image * n * 2 * all + cell;
    ga_size p0, p1, p2, l;
    if (cell >= all)
        return;
    for (p0 = spp_support_begin(x0, cells0, pixels0); p0 < spp_support_end(x0, cells0, pixels0); ++p0)
        for (p1 = spp_support_begin(x1, cells1, pixels1); p1 < spp_support_end(x1, cells1, pixels1); ++p1) {
            const ga_double weight1 = spp_cell_weight(low, cell_weights, p0, x0)
                * spp_cell_weight(low, cell_weights, pixels0 + p1, x1);
            if (weight1 == 0)
                continue;
            for (p2 = spp_support_begin(x2, cells2, pixels2); p2 < spp_support_end(x2, cells2, pixels2); ++p2) {
                const ga_double weight = weight1 * spp_cell_weight(low, cell_weights, pixels0 + pixels1 + p2, x2);
                const LABEL label = *(GLOBAL_MEM const LABEL *)(image_labels + (ga_ssize)p0 * row0 + (ga_ssize)p1 * row1
                                                                + (ga_ssize)p2 * step);
                if (weight > 0 && !SPP_IS_NONE(label) && !SPP_IS_TOO_LARGE(label, n)) {
                    const ga_size at = 2 * (ga_size)label * all;
                    ga_double sum = own_sums[at], error = own_sums[at + all];
                    spp_add_compensated(&sum, &error, weight);
                    own_sums[at] = sum;
                    own_sums[at + all] = error;
                }
            }
        }
    for (l = 0; l < n; ++l) {
        const ga_int size = sizes[image * n + l];
        const ga_double sum = spp_total(own_sums[2 * l * all], own_sums[(2 * l + 1) * all]);
        const ga_double cell_overlap = mean && size > 0 ? sum / size : sum;
        const ga_size to = (image * n + l) * all + cell;
        if (is_float32)
            ((GLOBAL_MEM ga_float *)(overlap + overlap_offset))[to] = (ga_float)cell_overlap;
        else
            ((GLOBAL_MEM ga_double *)(overlap + overlap_offset))[to] = cell_overlap;
    }
}
