#include "labels/label_map.h"
#include "memory/arrays.h"

#section support_code_apply
/* Unpooling times a weight for each pixel: the labels and weights of a strip are read once for a block of channels,
   and every output plane is written in order. */
#define SPP_WEIGHTED_CHANNELS 16  /* a block, so that its values stay in the L2 cache */
#define SPP_WEIGHTED_STRIP 512    /* pixels of a strip, so that their labels and weights stay in the L1 cache */

/* pooled (channels, n_superpixels) of one image, any strides -> values (channels, 1 + n_superpixels). Each channel
   begins with a 0, for the pixels that belong to no superpixel. */
static inline void APPLY_SPECIFIC(read_values)(const char *pooled, npy_intp channel_stride,
                                               npy_intp superpixel_stride, npy_intp channels,
                                               npy_intp n_superpixels, double *values)
{
    npy_intp c, l;
    for (c = 0; c < channels; ++c) {
        *values++ = 0;
        for (l = 0; l < n_superpixels; ++l)
            *values++ = *(const double *)(pooled + c * channel_stride + l * superpixel_stride);
    }
}

/* values times weights -> painted: `channels` planes of plane_size pixels, C order. */
static inline void APPLY_SPECIFIC(paint_image)(
    const double *values, npy_intp n_superpixels, const char *labels, const char *weights,
    const SppGrid *grid, const SppStrides *label_walk, const SppStrides *weight_walk, npy_intp channels,
    npy_intp plane_size, DTYPE_OUTPUT_0 *painted)
{
    npy_intp position[SPP_WEIGHTED_STRIP];
    double weight[SPP_WEIGHTED_STRIP];
    npy_intp r0, r1, p, q, c;
    for (r0 = 0; r0 < grid->rows[0]; ++r0)
        for (r1 = 0; r1 < grid->rows[1]; ++r1)
            for (p = 0; p < grid->length; p += SPP_WEIGHTED_STRIP) {
                const npy_intp strip = spp_minimum(SPP_WEIGHTED_STRIP, grid->length - p);
                const char *first_label = labels + r0 * label_walk->row[0] + r1 * label_walk->row[1]
                                          + p * label_walk->pixel;
                const char *first_weight = weights + r0 * weight_walk->row[0] + r1 * weight_walk->row[1]
                                           + p * weight_walk->pixel;
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
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides label_walk = spp_strides(naxes, PyArray_STRIDES(superpixel_map) + 1);
    const SppStrides weight_walk = spp_strides(naxes, PyArray_STRIDES(pixel_weights) + 1);
    const int threads = spp_number_of_threads();
    npy_intp shape[5] = {batch, channels, 0, 0, 0};
    npy_intp plane_size, width, blocks, block;
    npy_int64 *sizes = NULL;
    double *scratch = NULL;
    int axis, bad;

    if (spp_check_shapes(op, "pooled", pooled, superpixel_map, "pooled in batch") != 0
            || spp_check_weights(op, pixel_weights, superpixel_map) != 0)
        return -1;
    for (axis = 0; axis < naxes; ++axis)
        shape[2 + axis] = PyArray_DIM(superpixel_map, 1 + axis);
    sizes = (npy_int64 *)spp_scratch(op, n, batch, sizeof(npy_int64));
    if (sizes == NULL)
        return -1;
    bad = APPLY_SPECIFIC(count_labels)(op, "the number of superpixels in pooled is", superpixel_map, n, sizes) < 0;
    free(sizes);
    if (bad || spp_prepare_output(op, n, feature_map, 2 + naxes, shape, TYPENUM_OUTPUT_0) != 0)
        return -1;

    width = spp_block_width(batch, channels, SPP_WEIGHTED_CHANNELS, threads);
    blocks = spp_ceil_divide(channels, width);
    scratch = (double *)spp_scratch(op, 1 + n, width * threads, sizeof(double));
    if (scratch == NULL)
        return -1;
    plane_size = spp_product(shape + 2, naxes);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(*feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (block = 0; block < batch * blocks; ++block) {
        const npy_intp image = block / blocks;
        const npy_intp first = block % blocks * width;
        const npy_intp count = spp_minimum(width, channels - first);
        double *values = scratch + spp_thread_number() * (1 + n) * width;

        APPLY_SPECIFIC(read_values)(
            PyArray_BYTES(pooled) + image * PyArray_STRIDE(pooled, 0) + first * PyArray_STRIDE(pooled, 1),
            PyArray_STRIDE(pooled, 1), PyArray_STRIDE(pooled, 2), count, n, values);
        APPLY_SPECIFIC(paint_image)(
            values, n, PyArray_BYTES(superpixel_map) + image * PyArray_STRIDE(superpixel_map, 0),
            PyArray_BYTES(pixel_weights) + image * PyArray_STRIDE(pixel_weights, 0), &grid, &label_walk,
            &weight_walk, count, plane_size,
            (DTYPE_OUTPUT_0 *)PyArray_DATA(*feature_map) + (image * channels + first) * plane_size);
    }
    free(scratch);
    return 0;
}
