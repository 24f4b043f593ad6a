#include "labels/label_map.h"
#include "memory/arrays.h"
#include "pool/compensated_sum.h"
#include "resize/cell_weights.h"
#include "resize/interpolation.h"

#section support_code_apply
#define SPP_OVERLAP_CHANNELS 16  /* a block, so that the values of all superpixels stay in the L2 cache */

/* pooled (channels, n_superpixels) of one image, any strides -> values (n_superpixels, channels), divided by sizes
   for the mean. */
static inline void APPLY_SPECIFIC(read_values)(const char *pooled, npy_intp channel_stride,
                                               npy_intp superpixel_stride, npy_intp channels,
                                               npy_intp n_superpixels, const npy_int64 *sizes, int mean,
                                               double *values)
{
    npy_intp c, l;
    for (c = 0; c < channels; ++c)
        for (l = 0; l < n_superpixels; ++l) {
            const double value = *(const FEATURE *)(pooled + c * channel_stride + l * superpixel_stride);
            /* division by 0 does no harm: an empty superpixel meets no cell */
            values[l * channels + c] = mean ? value / (double)sizes[l] : value;
        }
}

/* Adds up the superpixels' values, times the weights, for each cell -> planes (channels, cells). One block of
   channels of one image. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(unpool_cells)(
    const double *values, npy_intp cells, npy_intp channels, const SppCellWeights *image_weights, FEATURE *planes)
{
    npy_intp cell, i, c;
    for (cell = 0; cell < cells; ++cell) {
        double sum[SPP_OVERLAP_CHANNELS], error[SPP_OVERLAP_CHANNELS], product[SPP_OVERLAP_CHANNELS];
        APPLY_SPECIFIC(Accumulator) acc;
        acc.sum = sum;
        acc.error = error;
        for (c = 0; c < channels; ++c)
            sum[c] = error[c] = 0;
        for (i = image_weights->first[cell]; i < image_weights->first[cell + 1]; ++i) {
            const double *value = values + image_weights->entry[i].superpixel * channels;
            for (c = 0; c < channels; ++c)
                product[c] = image_weights->entry[i].weight * value[c];
            APPLY_SPECIFIC(add_values)(acc, 0, product, channels);
        }
        for (c = 0; c < channels; ++c)
            planes[c * cells + cell] = (FEATURE)APPLY_SPECIFIC(total)(acc, c);
    }
}

/* [in]  pooled (batch, channels, n_superpixels), superpixel_map (batch, *spatial), spatial_shape (axes) int64
   [out] feature_map (batch, channels, *spatial_shape) */
int APPLY_SPECIFIC(overlap_unpool)(PyArrayObject *pooled, PyArrayObject *superpixel_map,
                                   PyArrayObject *spatial_shape, PyArrayObject **feature_map,
                                   PARAMS_TYPE *params)
{
    const char *op = "SuperpixelOverlapUnpool";
    const npy_intp batch = PyArray_DIM(pooled, 0);
    const npy_intp channels = PyArray_DIM(pooled, 1);
    const npy_intp n = PyArray_DIM(pooled, 2);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const int threads = spp_number_of_threads();
    npy_intp shape[5] = {batch, channels, 0, 0, 0};
    npy_intp cells, width, blocks, block;
    npy_int64 *sizes = NULL;
    double *scratch = NULL;
    SppCellWeights *cell_weights = NULL;
    double work;
    int failed = -1;

    if (spp_check_shapes(op, "pooled", pooled, superpixel_map, "pooled in batch") != 0
            || spp_read_sizes(op, "spatial_shape", spatial_shape, naxes, shape + 2) != 0
            || spp_check_cells(op, naxes, shape + 2, PyArray_DIMS(superpixel_map) + 1) != 0
            || (sizes = (npy_int64 *)spp_scratch(op, n, batch, sizeof(npy_int64))) == NULL)
        return -1;
    if (APPLY_SPECIFIC(count_labels)(op, "the number of superpixels in pooled is", superpixel_map, n, sizes) < 0
            || spp_prepare_cells(op, feature_map, 2 + naxes, shape, TYPENUM_INPUT_0) != 0)
        goto done;
    if (PyArray_SIZE(pooled) == 0 || PyArray_SIZE(superpixel_map) == 0) {
        PyArray_FILLWBYTE(*feature_map, 0);
        failed = 0;
        goto done;
    }
    cells = spp_product(shape + 2, naxes);
    width = spp_block_width(batch, channels, SPP_OVERLAP_CHANNELS, threads);
    blocks = spp_ceil_divide(channels, width);
    cell_weights = APPLY_SPECIFIC(build_cell_weights)(op, shape + 2, superpixel_map, n,
                                                      params->resize == SPP_BILINEAR);
    scratch = (double *)spp_scratch(op, n, width * threads, sizeof(double));
    if (cell_weights == NULL || scratch == NULL)
        goto done;
    work = spp_work(cell_weights, batch, cells, channels, n);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (work >= SPP_WORK_MINIMUM)
    #endif
    for (block = 0; block < batch * blocks; ++block) {
        const npy_intp image = block / blocks;
        const npy_intp first = block % blocks * width;
        const npy_intp count = spp_minimum(width, channels - first);
        FEATURE *planes = (FEATURE *)PyArray_DATA(*feature_map) + (image * channels + first) * cells;
        double *values = scratch + spp_thread_number() * n * width;
        APPLY_SPECIFIC(read_values)(
            PyArray_BYTES(pooled) + image * PyArray_STRIDE(pooled, 0) + first * PyArray_STRIDE(pooled, 1),
            PyArray_STRIDE(pooled, 1), PyArray_STRIDE(pooled, 2), count, n, sizes + image * n,
            params->mode == SPP_POOL_MEAN, values);
        if (count == SPP_OVERLAP_CHANNELS)
            APPLY_SPECIFIC(unpool_cells)(values, cells, SPP_OVERLAP_CHANNELS, cell_weights + image, planes);
        else
            APPLY_SPECIFIC(unpool_cells)(values, cells, count, cell_weights + image, planes);
    }
    failed = 0;
done:
    spp_free_cell_weights(cell_weights, batch);
    free(scratch);
    free(sizes);
    return failed;
}
