#include "labels/label_map.h"
#include "memory/arrays.h"
#include "memory/errors.h"
#include "pool/compensated_sum.h"
#include "unpool/values.h"

#section support_code_apply
/* The features of a strip of pixels are multiplied by the values of their superpixels, a few channels at a time.
   Each pixel's products are added in the same order for every memory layout. The values of these few channels are
   side by side, so that a pixel finds them in one place. */
#define SPP_DOT_CHANNELS 8  /* a block */
#define SPP_DOT_CHAIN 64    /* channels added up in plain double before they join the compensated sum */
#define SPP_DOT_STRIP 256   /* pixels of a strip, so that their sums and positions stay in the L1 cache */

/* Adds the products of `channels` channels to the pixels' sums, run by run. Inlined with a constant `channels`, and
   a constant `step` or `channel_stride`, its loops are vectorised.
   [in] position (strip): of each pixel's values  [in, out] partial (strip) */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(add_products)(
    const char *features, npy_intp step, npy_intp channel_stride, npy_intp channels, const double *values,
    const npy_intp *position, npy_intp strip, double *partial)
{
    npy_intp p, q, c, end;
    for (p = 0; p < strip; p = end) {
        const double *value = values + position[p];
        for (end = p + 1; end < strip && position[end] == position[p]; ++end)
            ;
        for (q = p; q < end; ++q) {
            double dot = 0;
            for (c = 0; c < channels; ++c)
                dot += value[c] * (double)*(const FEATURE *)(features + q * step + c * channel_stride);
            partial[q] += dot;
        }
    }
}

/* [in]  features: of the strip's first pixel and channel
         values (blocks of channels, 1 + n, SPP_DOT_CHANNELS): each block begins with zeros, for the pixels that belong
         to no superpixel
   [out] dot (strip) */
static inline void APPLY_SPECIFIC(strip_dot)(
    const char *features, npy_intp step, npy_intp channel_stride, npy_intp channels, const double *values,
    npy_intp block_size, const npy_intp *position, npy_intp strip, double *dot)
{
    double sum[SPP_DOT_STRIP] = {0}, error[SPP_DOT_STRIP] = {0};
    const APPLY_SPECIFIC(Accumulator) acc = {sum, error};
    npy_intp first, c, q;
    for (first = 0; first < channels; first += SPP_DOT_CHAIN) {
        const npy_intp end = spp_minimum(first + SPP_DOT_CHAIN, channels);
        double partial[SPP_DOT_STRIP] = {0};
        for (c = first; c < end; c += SPP_DOT_CHANNELS) {
            const char *block_features = features + c * channel_stride;
            const double *superpixel_values = values + c / SPP_DOT_CHANNELS * block_size;
            if (end - c < SPP_DOT_CHANNELS)
                APPLY_SPECIFIC(add_products)(block_features, step, channel_stride, end - c, superpixel_values,
                                             position, strip, partial);
            else if (step == (npy_intp)sizeof(FEATURE))
                APPLY_SPECIFIC(add_products)(block_features, sizeof(FEATURE), channel_stride, SPP_DOT_CHANNELS,
                                             superpixel_values, position, strip, partial);
            else if (channel_stride == (npy_intp)sizeof(FEATURE))
                APPLY_SPECIFIC(add_products)(block_features, step, sizeof(FEATURE), SPP_DOT_CHANNELS,
                                             superpixel_values, position, strip, partial);
            else
                APPLY_SPECIFIC(add_products)(block_features, step, channel_stride, SPP_DOT_CHANNELS,
                                             superpixel_values, position, strip, partial);
        }
        APPLY_SPECIFIC(add_values)(acc, 0, partial, strip);
    }
    for (q = 0; q < strip; ++q)  /* features of pixels that belong to none are ignored, even NaN */
        dot[q] = position[q] == 0 ? 0 : APPLY_SPECIFIC(total)(acc, q);
}

/* [in]  feature_map (batch, channels, *spatial), pooled (batch, channels, n_superpixels) of double,
         superpixel_map (batch, *spatial)
   [out] dot (batch, *spatial) of double */
int APPLY_SPECIFIC(pixel_dot)(PyArrayObject *feature_map, PyArrayObject *pooled,
                              PyArrayObject *superpixel_map, PyArrayObject **dot)
{
    const char *op = "PixelDot";
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const npy_intp n = PyArray_DIM(pooled, 2);
    const SppGrid grid = spp_grid_of(superpixel_map, 1);
    const SppStrides feature_walk = spp_strides_of(feature_map, 2);
    const SppStrides label_walk = spp_strides_of(superpixel_map, 1);
    const npy_intp of_image = spp_ceil_divide(channels, SPP_DOT_CHANNELS);
    const SppBlocks blocks = {channels, SPP_DOT_CHANNELS, of_image, batch * of_image};
    const npy_intp block_size = (1 + n) * SPP_DOT_CHANNELS;
    const npy_intp strips = spp_ceil_divide(grid.length, SPP_DOT_STRIP);
    const npy_intp rows = spp_rows(&grid);
    npy_intp shape[4] = {batch, 0, 0, 0};
    npy_intp i;
    double *values = NULL;

    spp_copy_spatial_shape(superpixel_map, shape + 1);
    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map, "in space, weighted") != 0
            || spp_check_shapes(op, "pooled", pooled, superpixel_map, "pooled in batch") != 0)
        return -1;
    if (!PyArray_CompareLists(PyArray_DIMS(pooled), PyArray_DIMS(feature_map), 2))
        return spp_raise("check_channels", "(sOO)", op, feature_map, pooled);
    if (APPLY_SPECIFIC(check_labels)(op, "the number of superpixels in pooled is", superpixel_map, n) != 0
            || spp_prepare_output(op, n, dot, PyArray_NDIM(superpixel_map), shape, NPY_DOUBLE) != 0
            || (values = (double *)spp_scratch(op, 1 + n, blocks.number * SPP_DOT_CHANNELS,
                                               sizeof(double))) == NULL)
        return -1;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(pooled) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (i = 0; i < blocks.number; ++i)
        spp_copy_values<double>(pooled, spp_block(&blocks, i), 1, SPP_DOT_CHANNELS,
                                values + i * block_size + SPP_DOT_CHANNELS);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (i = 0; i < batch * rows * strips; ++i) {
        const npy_intp image = i / strips / rows, row = i / strips % rows, p = i % strips * SPP_DOT_STRIP;
        const npy_intp strip = spp_minimum(SPP_DOT_STRIP, grid.length - p);
        const char *labels = spp_row(spp_labels_of(superpixel_map, image), &grid, &label_walk, row)
                             + p * label_walk.pixel;
        const char *features = spp_row(spp_item_of(feature_map, image), &grid, &feature_walk, row)
                               + p * feature_walk.pixel;
        npy_intp position[SPP_DOT_STRIP];
        npy_intp q;
        for (q = 0; q < strip; ++q) {
            const LABEL label = *(const LABEL *)(labels + q * label_walk.pixel);
            position[q] = SPP_IS_NONE(label) ? 0 : (1 + (npy_intp)label) * SPP_DOT_CHANNELS;
        }
        APPLY_SPECIFIC(strip_dot)(
            features, feature_walk.pixel, PyArray_STRIDE(feature_map, 1), channels,
            values + image * of_image * block_size, block_size, position, strip,
            (double *)PyArray_DATA(*dot) + (image * rows + row) * grid.length + p);
    }
    free(values);
    return 0;
}
