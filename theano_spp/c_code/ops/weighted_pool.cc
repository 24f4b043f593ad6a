#include "labels/label_map.h"
#include "memory/arrays.h"
#include "pool/compensated_sum.h"

#section support_code_apply
/* Weighted sums of features, run by run. The weights themselves are summed as if they were one more channel, in the
   first block of channels of each image.

   Here runs are pixels of one row with equal labels, not those of a plan (labels/plan.h), which end where a window
   does: with these, the additions would come in another order and the results would differ in the last bits. */
#define SPP_WEIGHTED_CHAIN 64          /* pixels added up in plain double before they join the compensated sum */
#define SPP_WEIGHTED_CHANNELS_FIRST 8  /* channels of a block if memory holds one plane for each */
#define SPP_WEIGHTED_CHANNELS_LAST 64  /* channels of a block if channels are last in memory */

/* Adds the weighted features of one image, `channels` channels, and its weights to acc. Inlined with constant
   `channels` and `channel_stride`, its loops are vectorised. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(add_image)(
    const char *features, const char *labels, const char *weights, const SppGrid *grid,
    const SppStrides *feature_walk, const SppStrides *label_walk, const SppStrides *weight_walk,
    npy_intp channels, npy_intp channel_stride, APPLY_SPECIFIC(Accumulator) acc)
{
    const npy_intp feature_step = feature_walk->pixel, label_step = label_walk->pixel;
    const npy_intp weight_step = weight_walk->pixel;
    npy_intp row, p, q, c, run;
    for (row = 0; row < spp_rows(grid); ++row) {
        const char *feature_row = spp_row(features, grid, feature_walk, row);
        const char *label_row = spp_row(labels, grid, label_walk, row);
        const char *weight_row = spp_row(weights, grid, weight_walk, row);
        for (p = 0; p < grid->length; p += run) {
            const LABEL label = *(const LABEL *)(label_row + p * label_step);
            double run_sums[SPP_WEIGHTED_CHANNELS_LAST + 1];
            run = APPLY_SPECIFIC(run_length)(label_row + p * label_step, label_step,
                                             spp_minimum(SPP_WEIGHTED_CHAIN, grid->length - p));
            if (SPP_IS_NONE(label))
                continue;
            for (c = 0; c <= channels; ++c)
                run_sums[c] = 0;
            for (q = p; q < p + run; ++q) {
                const double weight = (double)*(const DTYPE_INPUT_3 *)(weight_row + q * weight_step);
                for (c = 0; c < channels; ++c)
                    run_sums[c] += weight * (double)*(const FEATURE *)(feature_row + q * feature_step
                                                                       + c * channel_stride);
                run_sums[channels] += weight;
            }
            APPLY_SPECIFIC(add_values)(acc, (npy_intp)label * (channels + 1), run_sums, channels + 1);
        }
    }
}

/* acc -> sums (channels, n_superpixels) of one image and, unless NULL, totals (n_superpixels) */
static inline void APPLY_SPECIFIC(write_sums)(APPLY_SPECIFIC(Accumulator) acc, npy_intp channels,
                                              npy_intp n_superpixels, double *sums, double *totals)
{
    npy_intp c, l;
    for (c = 0; c < channels; ++c)
        for (l = 0; l < n_superpixels; ++l)
            *sums++ = APPLY_SPECIFIC(total)(acc, l * (channels + 1) + c);
    for (l = 0; totals != NULL && l < n_superpixels; ++l)
        *totals++ = APPLY_SPECIFIC(total)(acc, l * (channels + 1) + channels);
}

/* [in]  feature_map (batch, channels, *spatial), superpixel_map (batch, *spatial), n_superpixels (),
         pixel_weights (batch, *spatial)
   [out] sums (batch, channels, n_superpixels) of double: of the weighted features
         totals (batch, n_superpixels) of double: of the weights */
int APPLY_SPECIFIC(weighted_pool)(PyArrayObject *feature_map, PyArrayObject *superpixel_map,
                                  PyArrayObject *n_superpixels, PyArrayObject *pixel_weights,
                                  PyArrayObject **sums, PyArrayObject **totals)
{
    const char *op = "WeightedPool";
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const npy_intp channel_stride = PyArray_STRIDE(feature_map, 1);
    const SppGrid grid = spp_grid_of(superpixel_map, 1);
    const SppStrides feature_walk = spp_strides_of(feature_map, 2);
    const SppStrides label_walk = spp_strides_of(superpixel_map, 1);
    const SppStrides weight_walk = spp_strides_of(pixel_weights, 1);
    const int channels_last = channel_stride == (npy_intp)sizeof(FEATURE);
    const int threads = spp_number_of_threads();
    const SppBlocks blocks = spp_blocks(
        batch, channels, channels_last ? SPP_WEIGHTED_CHANNELS_LAST : SPP_WEIGHTED_CHANNELS_FIRST, threads);
    npy_intp sums_shape[3] = {batch, channels, 0};
    npy_intp totals_shape[2] = {batch, 0};
    npy_intp n, i, doubles;
    double *scratch = NULL;

    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map, "in space, weighted") != 0
            || spp_check_weights(op, pixel_weights, superpixel_map, batch) != 0
            || (n = sums_shape[2] = totals_shape[1] = spp_n_superpixels(op, n_superpixels)) < 0
            || APPLY_SPECIFIC(check_labels)(op, "n_superpixels is", superpixel_map, n) != 0
            || spp_prepare_output(op, n, sums, 3, sums_shape, NPY_DOUBLE) != 0
            || spp_prepare_output(op, n, totals, 2, totals_shape, NPY_DOUBLE) != 0
            || (scratch = (double *)spp_scratch(op, n, SPP_DOUBLES * (blocks.width + 1) * threads,
                                                sizeof(double))) == NULL)
        return -1;
    doubles = SPP_DOUBLES * (blocks.width + 1) * n;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (i = 0; i < blocks.number; ++i) {
        const SppBlock block = spp_block(&blocks, i);
        const char *features = (const char *)PyArray_GETPTR2(feature_map, block.image, block.first);
        const char *labels = spp_labels_of(superpixel_map, block.image);
        const char *weights = spp_item_of(pixel_weights, block.image);
        APPLY_SPECIFIC(Accumulator) acc;
        acc.sum = scratch + spp_thread_number() * doubles;
        acc.error = acc.sum + (blocks.width + 1) * n;
        memset(acc.sum, 0, doubles * sizeof(double));

        if (channels_last)
            APPLY_SPECIFIC(add_image)(features, labels, weights, &grid, &feature_walk, &label_walk,
                                      &weight_walk, block.channels, sizeof(FEATURE), acc);
        else if (block.channels == SPP_WEIGHTED_CHANNELS_FIRST)
            APPLY_SPECIFIC(add_image)(features, labels, weights, &grid, &feature_walk, &label_walk,
                                      &weight_walk, SPP_WEIGHTED_CHANNELS_FIRST, channel_stride, acc);
        else
            APPLY_SPECIFIC(add_image)(features, labels, weights, &grid, &feature_walk, &label_walk,
                                      &weight_walk, block.channels, channel_stride, acc);

        APPLY_SPECIFIC(write_sums)(acc, block.channels, n,
                                   (double *)PyArray_DATA(*sums) + (block.image * channels + block.first) * n,
                                   block.first == 0 ? (double *)PyArray_DATA(*totals) + block.image * n : NULL);
    }
    free(scratch);
    return 0;
}
