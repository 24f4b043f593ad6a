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
    npy_intp channels, const SppCellWeights *image_weights, APPLY_SPECIFIC(Accumulator) acc)
{
    npy_intp r0, r1, p, i, c, cell = 0;
    for (r0 = 0; r0 < cells->rows[0]; ++r0)
        for (r1 = 0; r1 < cells->rows[1]; ++r1)
            for (p = 0; p < cells->length; ++p, ++cell) {
                const char *feature = features + r0 * walk->row[0] + r1 * walk->row[1] + p * walk->pixel;
                double value[SPP_OVERLAP_CHANNELS], product[SPP_OVERLAP_CHANNELS];
                for (c = 0; c < channels; ++c)
                    value[c] = *(const FEATURE *)(feature + c * channel_stride);
                for (i = image_weights->first[cell]; i < image_weights->first[cell + 1]; ++i) {
                    for (c = 0; c < channels; ++c)
                        product[c] = image_weights->entry[i].weight * value[c];
                    APPLY_SPECIFIC(add_values)(acc, image_weights->entry[i].superpixel * channels, product, channels);
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
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppGrid cells = spp_grid(naxes, PyArray_DIMS(feature_map) + 2);
    const SppStrides walk = spp_strides(naxes, PyArray_STRIDES(feature_map) + 2);
    const int threads = spp_number_of_threads();
    npy_intp shape[3] = {batch, channels, 0};
    npy_intp n, width, blocks, block;
    npy_int64 *sizes = NULL;
    double *scratch = NULL;
    SppCellWeights *cell_weights = NULL;
    double work;
    int failed = -1;

    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map, "in batch") != 0
            || (n = shape[2] = spp_n_superpixels(op, n_superpixels)) < 0
            || spp_check_cells(op, naxes, PyArray_DIMS(feature_map) + 2, PyArray_DIMS(superpixel_map) + 1) != 0
            || (sizes = (npy_int64 *)spp_scratch(op, n, batch, sizeof(npy_int64))) == NULL)
        return -1;
    if (APPLY_SPECIFIC(count_labels)(op, "n_superpixels is", superpixel_map, n, sizes) < 0
            || spp_prepare_output(op, n, pooled, 3, shape, TYPENUM_INPUT_0) != 0)
        goto done;
    if (PyArray_SIZE(*pooled) == 0 || PyArray_SIZE(superpixel_map) == 0) {
        PyArray_FILLWBYTE(*pooled, 0);
        failed = 0;
        goto done;
    }
    width = spp_block_width(batch, channels, SPP_OVERLAP_CHANNELS, threads);
    blocks = spp_ceil_divide(channels, width);
    cell_weights = APPLY_SPECIFIC(build_cell_weights)(op, PyArray_DIMS(feature_map) + 2, superpixel_map, n,
                                                      params->resize == SPP_BILINEAR);
    scratch = (double *)spp_scratch(op, n, SPP_DOUBLES * width * threads, sizeof(double));
    if (cell_weights == NULL || scratch == NULL)
        goto done;
    work = spp_work(cell_weights, batch, spp_product(PyArray_DIMS(feature_map) + 2, naxes), channels, n);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (work >= SPP_WORK_MINIMUM)
    #endif
    for (block = 0; block < batch * blocks; ++block) {
        const npy_intp image = block / blocks;
        const npy_intp first = block % blocks * width;
        const npy_intp count = spp_minimum(width, channels - first);
        const char *features = PyArray_BYTES(feature_map) + image * PyArray_STRIDE(feature_map, 0)
                               + first * channel_stride;
        APPLY_SPECIFIC(Accumulator) acc;
        acc.sum = scratch + spp_thread_number() * n * SPP_DOUBLES * width;
        acc.error = acc.sum + n * width;
        memset(acc.sum, 0, n * SPP_DOUBLES * width * sizeof(double));
        if (count == SPP_OVERLAP_CHANNELS)
            APPLY_SPECIFIC(pool_cells)(features, &cells, &walk, channel_stride, SPP_OVERLAP_CHANNELS,
                                       cell_weights + image, acc);
        else
            APPLY_SPECIFIC(pool_cells)(features, &cells, &walk, channel_stride, count,
                                       cell_weights + image, acc);
        APPLY_SPECIFIC(write_pooled)(acc, count, n, sizes + image * n, params->mode == SPP_POOL_MEAN,
                                     (FEATURE *)PyArray_DATA(*pooled) + (image * channels + first) * n);
    }
    failed = 0;
done:
    spp_free_cell_weights(cell_weights, batch);
    free(scratch);
    free(sizes);
    return failed;
}
