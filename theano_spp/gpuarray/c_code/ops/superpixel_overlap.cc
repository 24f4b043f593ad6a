#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/compensated_sum.h"
#include "memory/images.h"
#include "resize/interpolation.h"
#include "resize/sampling.h"
#include "resize/support.h"

#section support_code_struct
/* [in]  superpixel_map (batch, *spatial), n_superpixels () and spatial_shape (axes) on the host,
         sizes: of ops/counted_pixels.cc
   [out] overlap (batch, n_superpixels, *spatial_shape) */
int APPLY_SPECIFIC(superpixel_overlap)(PyGpuArrayObject *superpixel_map, PyArrayObject *n_superpixels,
                                       PyArrayObject *spatial_shape, PyGpuArrayObject *sizes,
                                       PyGpuArrayObject **overlap, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelOverlap";
    const size_t batch = superpixel_map->ga.dimensions[0];
    const unsigned int naxes = superpixel_map->ga.nd - 1;
    const SppGpuImages labels = spp_gpu_images(superpixel_map, 1);
    const size_t *spatial = superpixel_map->ga.dimensions + 1;
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    SppGpuSampling sampling;
    size_t shape[5] = {batch, 0, 0, 0, 0};
    gpudata *sums = NULL;
    size_t cells;
    ssize_t n;
    int failed;

    if ((n = shape[1] = spp_gpu_n_superpixels(op, n_superpixels, superpixel_map)) < 0
            || spp_gpu_read_sizes(op, "spatial_shape", spatial_shape, naxes, shape + 2) != 0
            || spp_gpu_check_table(op, "sizes", sizes, batch, n) != 0
            || spp_gpu_check_cells(op, naxes, shape + 2, spatial) != 0
            || spp_gpu_prepare(op, overlap, 2 + naxes, shape, ITEMSIZE_OUTPUT_0 == 4 ? GA_FLOAT : GA_DOUBLE,
                               params->context) != 0)
        return -1;
    cells = spp_gpu_product(shape + 2, naxes);
    if (spp_gpu_is_empty(superpixel_map, superpixel_map))
        return APPLY_SPECIFIC(set_array)(op, *overlap);
    failed = APPLY_SPECIFIC(sample_axes)(&call, naxes, shape + 2, spatial, params->resize == SPP_BILINEAR,
                                         &sampling) != 0
        || (sums = APPLY_SPECIFIC(zeros)(&call, batch * n * cells, 2 * sizeof(double))) == NULL
        || (n > 0
            && SPP_GPU_START(weigh_support, op, batch * spp_gpu_ceil_divide(cells, SPP_GROUP), SPP_GPU_IMAGES(labels),
                             SPP_GPU_AXES(sampling), n, params->mode == SPP_POOL_MEAN, sizes->ga.data, sums,
                             ITEMSIZE_OUTPUT_0 == 4, SPP_GPU_RESULT(*overlap)) != 0);
    return spp_gpu_end(&call, failed);
}

#section kernels
/* One thread for a cell: adds up its weight for each superpixel in sums (batch, n, 2, cells), zeroed by the caller,
   compensated: the sums and their errors; then writes the overlap. */
KERNEL void weigh_support(SPP_IMAGES(LABEL, labels), SPP_AXES(axes), ga_size n, ga_int mean,
                          GLOBAL_MEM const ga_int *sizes, GLOBAL_MEM ga_double *sums, ga_int is_float32,
                          SPP_RESULT(char, overlap))
{
    const SppAxes axes = SPP_AXES_OF(axes);
    const ga_size all = axes.cells0 * axes.cells1 * axes.cells2;
    const SppWork work = spp_work(1, (all + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size image = work.image, cell = (ga_size)work.group * SPP_GROUP + LID_0;
    const ga_size x2 = cell % axes.cells2, x1 = cell / axes.cells2 % axes.cells1, x0 = cell / axes.cells2 / axes.cells1;
    const SppSupport support0 = spp_support(x0, axes.cells0, axes.pixels0);
    const SppSupport support1 = spp_support(x1, axes.cells1, axes.pixels1);
    const SppSupport support2 = spp_support(x2, axes.cells2, axes.pixels2);
    const SppImage image_labels = SPP_IMAGE(labels, image);
    GLOBAL_MEM ga_double *own_sums = sums + image * n * 2 * all + cell;
    ga_size p0, p1, p2, l;
    if (cell >= all)
        return;
    for (p0 = support0.begin; p0 < support0.end; ++p0)
        for (p1 = support1.begin; p1 < support1.end; ++p1) {
            const ga_double weight1 = spp_cell_weight(axes, p0, x0)
                * spp_cell_weight(axes, axes.pixels0 + p1, x1);
            if (weight1 == 0)
                continue;
            for (p2 = support2.begin; p2 < support2.end; ++p2) {
                const ga_double weight = weight1 * spp_cell_weight(axes, axes.pixels0 + axes.pixels1 + p2, x2);
                const LABEL label = *(GLOBAL_MEM const LABEL *)spp_pixel_on_axes(image_labels, p0, p1, p2);
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
            SPP_RESULT_AT(ga_float, overlap)[to] = (ga_float)cell_overlap;
        else
            SPP_RESULT_AT(ga_double, overlap)[to] = cell_overlap;
    }
}
