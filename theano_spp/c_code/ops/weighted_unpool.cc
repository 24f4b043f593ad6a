#include "labels/label_map.h"
#include "memory/arrays.h"
#include "unpool/values.h"

#section support_code_apply
/* Unpooling times a weight for each pixel: the labels and weights of a strip are read once for a block of channels,
   and every output plane is written in order. */
#define SPP_WEIGHTED_CHANNELS 16  /* a block, so that its values stay in the L2 cache */
#define SPP_WEIGHTED_STRIP 512    /* pixels of a strip, so that their labels and weights stay in the L1 cache */

/* [in]  values (channels, 1 + n_superpixels): each channel begins with a 0, for the pixels that belong to no superpixel
   [out] painted (channels, plane_size): values times weights */
static inline void APPLY_SPECIFIC(paint_image)(
    const double *values, npy_intp n_superpixels, const char *labels, const char *weights,
    const SppGrid *grid, const SppStrides *label_walk, const SppStrides *weight_walk, npy_intp channels,
    npy_intp plane_size, DTYPE_OUTPUT_0 *painted)
{
    npy_intp position[SPP_WEIGHTED_STRIP];
    double weight[SPP_WEIGHTED_STRIP];
    npy_intp row, p, q, c;
    for (row = 0; row < spp_rows(grid); ++row)
        for (p = 0; p < grid->length; p += SPP_WEIGHTED_STRIP) {
            const npy_intp strip = spp_minimum(SPP_WEIGHTED_STRIP, grid->length - p);
            const char *first_label = spp_row(labels, grid, label_walk, row) + p * label_walk->pixel;
            const char *first_weight = spp_row(weights, grid, weight_walk, row) + p * weight_walk->pixel;
            for (q = 0; q < strip; ++q) {
                const LABEL label = *(const LABEL *)(first_label + q * label_walk->pixel);
                const int none = SPP_IS_NONE(label);
                position[q] = none ? 0 : 1 + (npy_intp)label;
                /* 0 times the weight would be NaN where the weight is */
                weight[q] = none ? 0 : (double)*(const DTYPE_INPUT_2 *)(first_weight + q * weight_walk->pixel);
            }
            for (c = 0; c < channels; ++c) {
                const double *channel_values = values + c * (1 + n_superpixels);
                for (q = 0; q < strip; ++q)
                    painted[c * plane_size + q] = (DTYPE_OUTPUT_0)(weight[q] * channel_values[position[q]]);
            }
            painted += strip;
        }
}

/* [in]  pooled (batch, channels, n_superpixels) of double, superpixel_map (batch, *spatial),
         pixel_weights (batch, *spatial)
   [out] feature_map (batch, channels, *spatial) */
int APPLY_SPECIFIC(weighted_unpool)(PyArrayObject *pooled, PyArrayObject *superpixel_map,
                                    PyArrayObject *pixel_weights, PyArrayObject **feature_map)
{
    const char *op = "WeightedUnpool";
    const npy_intp batch = PyArray_DIM(pooled, 0);
    const npy_intp channels = PyArray_DIM(pooled, 1);
    const npy_intp n = PyArray_DIM(pooled, 2);
    const SppGrid grid = spp_grid_of(superpixel_map, 1);
    const SppStrides label_walk = spp_strides_of(superpixel_map, 1);
    const SppStrides weight_walk = spp_strides_of(pixel_weights, 1);
    const int threads = spp_number_of_threads();
    const SppBlocks blocks = spp_blocks(batch, channels, SPP_WEIGHTED_CHANNELS, threads);
    npy_intp shape[5] = {batch, channels, 0, 0, 0};
    npy_intp plane_size, i;
    double *scratch = NULL;

    spp_copy_spatial_shape(superpixel_map, shape + 2);
    if (spp_check_shapes(op, "pooled", pooled, superpixel_map, "pooled in batch") != 0
            || spp_check_weights(op, pixel_weights, superpixel_map, batch) != 0
            || APPLY_SPECIFIC(check_labels)(op, "the number of superpixels in pooled is", superpixel_map, n) != 0
            || spp_prepare_output(op, n, feature_map, 1 + PyArray_NDIM(superpixel_map), shape, TYPENUM_OUTPUT_0) != 0
            || (scratch = (double *)spp_scratch(op, 1 + n, blocks.width * threads, sizeof(double))) == NULL)
        return -1;
    plane_size = spp_image_pixels(superpixel_map);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(*feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (i = 0; i < blocks.number; ++i) {
        const SppBlock block = spp_block(&blocks, i);
        double *values = scratch + spp_thread_number() * (1 + n) * blocks.width;
        spp_copy_values<double>(pooled, block, 1 + n, 1, values + 1);
        APPLY_SPECIFIC(paint_image)(
            values, n, spp_labels_of(superpixel_map, block.image), spp_item_of(pixel_weights, block.image), &grid,
            &label_walk, &weight_walk, block.channels, plane_size,
            (DTYPE_OUTPUT_0 *)PyArray_DATA(*feature_map) + (block.image * channels + block.first) * plane_size);
    }
    free(scratch);
    return 0;
}
