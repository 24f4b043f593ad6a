#include "labels/label_map.h"
#include "memory/arrays.h"
#include "pool/compensated_sum.h"
#include "resize/cell_weights.h"
#include "resize/interpolation.h"

#section support_code_apply
#define SPP_OVERLAP_CHANNELS 16  /* a block, so that the sums of all superpixels stay in the L2 cache */

/* Adds each cell's features, times its weights, to the superpixels. One block of channels of one image. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(pool_cells)(
    const char *features, const SppGrid *cells, const SppStrides *walk, npy_intp channel_stride,
    npy_intp channels, const SppCellWeights *cell_weights, APPLY_SPECIFIC(Accumulator) acc)
{
    npy_intp row, p, i, c, cell = 0;
    for (row = 0; row < spp_rows(cells); ++row) {
        const char *feature = spp_row(features, cells, walk, row);
        for (p = 0; p < cells->length; ++p, ++cell, feature += walk->pixel) {
            double value[SPP_OVERLAP_CHANNELS], product[SPP_OVERLAP_CHANNELS];
            for (c = 0; c < channels; ++c)
                value[c] = *(const FEATURE *)(feature + c * channel_stride);
            for (i = cell_weights->first[cell]; i < cell_weights->first[cell + 1]; ++i) {
                for (c = 0; c < channels; ++c)
                    product[c] = cell_weights->entry[i].weight * value[c];
                APPLY_SPECIFIC(add_values)(acc, cell_weights->entry[i].superpixel * channels, product, channels);
            }
        }
    }
}

/* [in]  feature_map (batch, channels, *cells), superpixel_map (batch, *spatial), n_superpixels ()
   [out] pooled (batch, channels, n_superpixels): of the features resized to the map */
int APPLY_SPECIFIC(overlap_pool)(PyArrayObject *feature_map, PyArrayObject *superpixel_map,
                                 PyArrayObject *n_superpixels, PyArrayObject **pooled, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelOverlapPool";
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const npy_intp channel_stride = PyArray_STRIDE(feature_map, 1);
    const npy_intp *spatial_shape = PyArray_DIMS(feature_map) + 2;
    const SppGrid cells = spp_grid_of(feature_map, 2);
    const SppStrides walk = spp_strides_of(feature_map, 2);
    const int threads = spp_number_of_threads();
    const SppBlocks blocks = spp_blocks(batch, channels, SPP_OVERLAP_CHANNELS, threads);
    npy_intp shape[3] = {batch, channels, 0};
    npy_intp n, sums, i;
    npy_int64 *sizes = NULL;
    double *scratch = NULL;
    SppCellWeights *cell_weights = NULL;
    double work;
    int failed = -1;

    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map, "in batch") != 0
            || (n = shape[2] = spp_n_superpixels(op, n_superpixels)) < 0
            || (sizes = APPLY_SPECIFIC(count_resized_sizes)(op, "n_superpixels is", spatial_shape, superpixel_map,
                                                            n)) == NULL
            || spp_prepare_output(op, n, pooled, 3, shape, TYPENUM_INPUT_0) != 0)
        goto done;
    if (PyArray_SIZE(*pooled) == 0 || PyArray_SIZE(superpixel_map) == 0) {
        PyArray_FILLWBYTE(*pooled, 0);
        failed = 0;
        goto done;
    }
    sums = n * blocks.width;
    if ((cell_weights = APPLY_SPECIFIC(build_cell_weights)(op, spatial_shape, superpixel_map, n,
                                                           params->resize == SPP_BILINEAR)) == NULL
            || (scratch = (double *)spp_scratch(op, n, SPP_DOUBLES * blocks.width * threads, sizeof(double))) == NULL)
        goto done;
    work = spp_work(cell_weights, superpixel_map, batch, spp_rows(&cells) * cells.length, channels, n);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (work >= SPP_WORK_MINIMUM)
    #endif
    for (i = 0; i < blocks.number; ++i) {
        const SppBlock block = spp_block(&blocks, i);
        const npy_intp map = spp_item_number(superpixel_map, block.image);
        const char *features = (const char *)PyArray_GETPTR2(feature_map, block.image, block.first);
        APPLY_SPECIFIC(Accumulator) acc;
        acc.sum = scratch + spp_thread_number() * SPP_DOUBLES * sums;
        acc.error = acc.sum + sums;
        memset(acc.sum, 0, SPP_DOUBLES * sums * sizeof(double));
        if (block.channels == SPP_OVERLAP_CHANNELS)
            APPLY_SPECIFIC(pool_cells)(features, &cells, &walk, channel_stride, SPP_OVERLAP_CHANNELS,
                                       cell_weights + map, acc);
        else
            APPLY_SPECIFIC(pool_cells)(features, &cells, &walk, channel_stride, block.channels,
                                       cell_weights + map, acc);
        APPLY_SPECIFIC(write_pooled)(acc, block.channels, n, sizes + map * n, params->mode == SPP_POOL_MEAN,
                                     (FEATURE *)PyArray_GETPTR2(*pooled, block.image, block.first));
    }
    failed = 0;
done:
    spp_free_rows(cell_weights, PyArray_DIM(superpixel_map, 0));
    free(scratch);
    free(sizes);
    return failed;
}
