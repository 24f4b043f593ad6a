#include "labels/label_map.h"
#include "memory/arrays.h"
#include "pool/compensated_sum.h"
#include "resize/cell_weights.h"
#include "resize/interpolation.h"
#include "unpool/values.h"

#section support_code_apply
#define SPP_OVERLAP_CHANNELS 16  /* a block, so that the values of all superpixels stay in the L2 cache */

/* pooled -> values (n_superpixels, channels) of a block, divided by sizes for the mean. */
static inline void APPLY_SPECIFIC(read_values)(PyArrayObject *pooled, SppBlock block, const npy_int64 *sizes, int mean,
                                               npy_intp pixels, double *values)
{
    npy_intp l;
    spp_copy_values<FEATURE>(pooled, block, 1, block.channels, values);
    for (l = 0; mean && l < PyArray_DIM(pooled, 2); ++l)  /* an empty superpixel meets no cell */
        spp_divide_by_sizes(values + l * block.channels, block.channels, sizes + l, 0, pixels);
}

/* Adds up the superpixels' values, times the weights, for each cell -> planes (channels, cells). One block of
   channels of one image. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(unpool_cells)(
    const double *values, npy_intp cells, npy_intp channels, const SppCellWeights *cell_weights, FEATURE *planes)
{
    npy_intp cell, i, c;
    for (cell = 0; cell < cells; ++cell) {
        double sum[SPP_OVERLAP_CHANNELS], error[SPP_OVERLAP_CHANNELS], product[SPP_OVERLAP_CHANNELS];
        APPLY_SPECIFIC(Accumulator) acc;
        acc.sum = sum;
        acc.error = error;
        for (c = 0; c < channels; ++c)
            sum[c] = error[c] = 0;
        for (i = cell_weights->first[cell]; i < cell_weights->first[cell + 1]; ++i) {
            const double *value = values + cell_weights->entry[i].superpixel * channels;
            for (c = 0; c < channels; ++c)
                product[c] = cell_weights->entry[i].weight * value[c];
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
    const npy_intp pixels = spp_image_pixels(superpixel_map);
    const int threads = spp_number_of_threads();
    const SppBlocks blocks = spp_blocks(batch, channels, SPP_OVERLAP_CHANNELS, threads);
    npy_intp shape[5] = {batch, channels, 0, 0, 0};
    npy_intp cells, i;
    npy_int64 *sizes = NULL;
    double *scratch = NULL;
    SppCellWeights *cell_weights = NULL;
    double work;
    int failed = -1;

    if (spp_check_shapes(op, "pooled", pooled, superpixel_map, "pooled in batch") != 0
            || spp_read_sizes(op, "spatial_shape", spatial_shape, naxes, shape + 2) != 0
            || (sizes = APPLY_SPECIFIC(count_resized_sizes)(op, "the number of superpixels in pooled is", shape + 2,
                                                            superpixel_map, n)) == NULL
            || spp_prepare_cells(op, feature_map, 2 + naxes, shape, TYPENUM_INPUT_0) != 0)
        goto done;
    if (PyArray_SIZE(pooled) == 0 || PyArray_SIZE(superpixel_map) == 0) {
        PyArray_FILLWBYTE(*feature_map, 0);
        failed = 0;
        goto done;
    }
    if ((cell_weights = APPLY_SPECIFIC(build_cell_weights)(op, shape + 2, superpixel_map, n,
                                                           params->resize == SPP_BILINEAR)) == NULL
            || (scratch = (double *)spp_scratch(op, n, blocks.width * threads, sizeof(double))) == NULL)
        goto done;
    cells = spp_product(shape + 2, naxes);
    work = spp_work(cell_weights, superpixel_map, batch, cells, channels, n);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (work >= SPP_WORK_MINIMUM)
    #endif
    for (i = 0; i < blocks.number; ++i) {
        const SppBlock block = spp_block(&blocks, i);
        const npy_intp map = spp_item_number(superpixel_map, block.image);
        FEATURE *planes = (FEATURE *)PyArray_GETPTR2(*feature_map, block.image, block.first);
        double *values = scratch + spp_thread_number() * n * blocks.width;
        APPLY_SPECIFIC(read_values)(pooled, block, sizes + map * n, params->mode == SPP_POOL_MEAN, pixels,
                                    values);
        if (block.channels == SPP_OVERLAP_CHANNELS)
            APPLY_SPECIFIC(unpool_cells)(values, cells, SPP_OVERLAP_CHANNELS, cell_weights + map, planes);
        else
            APPLY_SPECIFIC(unpool_cells)(values, cells, block.channels, cell_weights + map, planes);
    }
    failed = 0;
done:
    spp_free_rows(cell_weights, PyArray_DIM(superpixel_map, 0));
    free(scratch);
    free(sizes);
    return failed;
}
