#include "labels/label_map.h"
#include "memory/arrays.h"
#include "pool/compensated_sum.h"

#section support_code_apply
/* Weighted sums of features, run by run. The weights themselves are summed as if they were one more channel, in the
   first block of channels of each image. */
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
    npy_intp r0, r1, p, q, c, run;
    for (r0 = 0; r0 < grid->rows[0]; ++r0)
        for (r1 = 0; r1 < grid->rows[1]; ++r1) {
            const char *feature_row = features + r0 * feature_walk->row[0] + r1 * feature_walk->row[1];
            const char *label_row = labels + r0 * label_walk->row[0] + r1 * label_walk->row[1];
            const char *weight_row = weights + r0 * weight_walk->row[0] + r1 * weight_walk->row[1];
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
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides feature_walk = spp_strides(naxes, PyArray_STRIDES(feature_map) + 2);
    const SppStrides label_walk = spp_strides(naxes, PyArray_STRIDES(superpixel_map) + 1);
    const SppStrides weight_walk = spp_strides(naxes, PyArray_STRIDES(pixel_weights) + 1);
    const int channels_last = channel_stride == (npy_intp)sizeof(FEATURE);
    const int threads = spp_number_of_threads();
    npy_intp sums_shape[3] = {batch, channels, 0};
    npy_intp totals_shape[2] = {batch, 0};
    npy_intp n, width, blocks, block, doubles;
    npy_int64 *sizes = NULL;
    double *scratch = NULL;
    int bad;

    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map, "in space, weighted") != 0
            || spp_check_weights(op, pixel_weights, superpixel_map) != 0)
        return -1;
    n = sums_shape[2] = totals_shape[1] = spp_n_superpixels(op, n_superpixels);
    if (n < 0)
        return -1;
    sizes = (npy_int64 *)spp_scratch(op, n, batch, sizeof(npy_int64));
    if (sizes == NULL)
        return -1;
    bad = APPLY_SPECIFIC(count_labels)(op, "n_superpixels is", superpixel_map, n, sizes) < 0;
    free(sizes);
    if (bad || spp_prepare_output(op, n, sums, 3, sums_shape, NPY_DOUBLE) != 0
            || spp_prepare_output(op, n, totals, 2, totals_shape, NPY_DOUBLE) != 0)
        return -1;

    width = spp_block_width(batch, channels, channels_last ? SPP_WEIGHTED_CHANNELS_LAST : SPP_WEIGHTED_CHANNELS_FIRST,
                            threads);
    blocks = spp_maximum(spp_ceil_divide(channels, width), 1);  /* without channels there are still weights to sum */
    doubles = SPP_DOUBLES * (width + 1) * n;
    scratch = (double *)spp_scratch(op, n, SPP_DOUBLES * (width + 1) * threads, sizeof(double));
    if (scratch == NULL)
        return -1;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (block = 0; block < batch * blocks; ++block) {
        const npy_intp image = block / blocks;
        const npy_intp first = block % blocks * width;
        const npy_intp count = spp_minimum(width, channels - first);
        const char *features = PyArray_BYTES(feature_map) + image * PyArray_STRIDE(feature_map, 0)
                               + first * channel_stride;
        const char *labels = PyArray_BYTES(superpixel_map) + image * PyArray_STRIDE(superpixel_map, 0);
        const char *weights = PyArray_BYTES(pixel_weights) + image * PyArray_STRIDE(pixel_weights, 0);
        APPLY_SPECIFIC(Accumulator) acc;
        acc.sum = scratch + spp_thread_number() * doubles;
        acc.error = acc.sum + (width + 1) * n;
        memset(acc.sum, 0, doubles * sizeof(double));

        if (channels_last)
            APPLY_SPECIFIC(add_image)(features, labels, weights, &grid, &feature_walk, &label_walk,
                                      &weight_walk, count, sizeof(FEATURE), acc);
        else if (count == SPP_WEIGHTED_CHANNELS_FIRST)
            APPLY_SPECIFIC(add_image)(features, labels, weights, &grid, &feature_walk, &label_walk,
                                      &weight_walk, SPP_WEIGHTED_CHANNELS_FIRST, channel_stride, acc);
        else
            APPLY_SPECIFIC(add_image)(features, labels, weights, &grid, &feature_walk, &label_walk,
                                      &weight_walk, count, channel_stride, acc);

        APPLY_SPECIFIC(write_sums)(acc, count, n, (double *)PyArray_DATA(*sums) + (image * channels + first) * n,
                                   first == 0 ? (double *)PyArray_DATA(*totals) + image * n : NULL);
    }
    free(scratch);
    return 0;
}
