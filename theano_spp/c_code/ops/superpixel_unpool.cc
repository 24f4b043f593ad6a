#include "labels/label_map.h"
#include "memory/arrays.h"
#include "memory/errors.h"
#include "memory/lanes.h"
#include "memory/nontemporal.h"
#include "unpool/channels_first.h"
#include "unpool/channels_last.h"
#include "unpool/tiles.h"

#section support_code_apply
/* Unpooling writes each feature once, in one of three walks: unpool/channels_first.h; unpool/tiles.h if runs are
   short; or unpool/channels_last.h if `pooled` has its channels last in memory: then the features have too. */
#define SPP_SHORT_RUN 4  /* pixels on average: if runs are shorter, each pixel is looked up by itself */

/* [in]  pooled (batch, channels, n_superpixels), superpixel_map (batch, *spatial)
   [out] feature_map (batch, channels, *spatial) */
int APPLY_SPECIFIC(superpixel_unpool)(PyArrayObject *pooled, PyArrayObject *superpixel_map,
                                      PyArrayObject **feature_map, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelUnpool";
    const npy_intp batch = PyArray_DIM(pooled, 0);
    const npy_intp channels = PyArray_DIM(pooled, 1);
    const npy_intp n = PyArray_DIM(pooled, 2);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const npy_intp pixels = spp_image_pixels(superpixel_map);
    const SppGrid grid = spp_grid_of(superpixel_map, 1);
    const SppStrides walk = spp_strides_of(superpixel_map, 1);
    const int channels_last = spp_has_channels_last(pooled);
    const int mean = params->mode == SPP_POOL_MEAN;
    const int threads = spp_number_of_threads();
    npy_intp shape[5] = {batch, channels, 0, 0, 0};
    npy_intp runs, width, length, items, item, buffer_bytes;
    npy_int64 *sizes = NULL;
    FEATURE *scratch = NULL;
    char *buffer = NULL;
    int nontemporal, tiled, failed = -1;

    if (spp_check_shapes(op, "pooled", pooled, superpixel_map, "pooled in batch") != 0)
        return -1;
    spp_copy_spatial_shape(superpixel_map, shape + 2);
    if (n >= NPY_MAX_INT32) {  /* because Strip.index is an npy_int32 */
        spp_memory_error(op, n, "superpixels");
        return -1;
    }
    if ((sizes = APPLY_SPECIFIC(count_sizes)(op, "the number of superpixels in pooled is", superpixel_map, n,
                                             &runs)) == NULL
            || spp_prepare_layout(op, n, feature_map, 2 + naxes, shape, TYPENUM_INPUT_0, channels_last) != 0)
        goto done;
    nontemporal = SPP_STORE_BYTES > 0 && PyArray_NBYTES(*feature_map) >= SPP_NONTEMPORAL_MINIMUM;
    tiled = runs > PyArray_SIZE(superpixel_map) / SPP_SHORT_RUN;

    /* A work item is all pixels of a block of channels, or all channels of some consecutive pixels. */
    if (channels_last)
        width = spp_ceil_divide(channels, SPP_LANES) * SPP_LANES;
    else if (tiled)
        width = SPP_LANES;
    else
        width = spp_block_width(batch, channels, spp_maximum(8, spp_minimum(
            SPP_UNPOOL_CHANNELS, SPP_UNPOOL_VALUES / (npy_intp)sizeof(FEATURE) / (1 + n))), threads);
    length = channels_last ? spp_block_width(batch, pixels, spp_maximum(pixels, 1), threads) : pixels;
    items = channels_last ? spp_ceil_divide(pixels, length) : spp_ceil_divide(channels, width);
    buffer_bytes = SPP_LINE_BUFFER + (1 + 2 * spp_ceil_divide(width * sizeof(FEATURE), SPP_LINE)) * SPP_LINE;
    if ((scratch = (FEATURE *)spp_scratch(op, (1 + n) * threads + SPP_LINE, width, sizeof(FEATURE))) == NULL
            || (buffer = (char *)spp_scratch(op, threads + 1, buffer_bytes, 1)) == NULL)
        goto done;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(*feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (item = 0; item < batch * items; ++item) {
        const npy_intp image = item / items, first = item % items * (channels_last ? length : width);
        const char *labels = spp_labels_of(superpixel_map, image);
        const npy_int64 *image_sizes = sizes + spp_item_number(superpixel_map, image) * n;
        FEATURE *values = (FEATURE *)spp_align(scratch) + spp_thread_number() * (1 + n) * width;
        FEATURE *painted = (FEATURE *)PyArray_DATA(*feature_map) + image * channels * pixels;
        if (channels_last) {
            APPLY_SPECIFIC(read_channels_last)(pooled, image, width, image_sizes, mean, pixels, values);
            APPLY_SPECIFIC(paint_channels_last)(
                values, width, channels, labels, &grid, &walk, first, spp_minimum(length, pixels - first),
                nontemporal ? (char *)spp_align(buffer) + spp_thread_number() * buffer_bytes : NULL,
                painted + first * channels);
        }
        else {
            const SppBlock block = {image, first, spp_minimum(width, channels - first)};
            painted += first * pixels;
            if (tiled) {
                APPLY_SPECIFIC(Lanes) *rows = (APPLY_SPECIFIC(Lanes) *)values;
                APPLY_SPECIFIC(read_tiles)(pooled, block, image_sizes, mean, pixels, rows);
                APPLY_SPECIFIC(paint_tiles)(rows, block.channels, labels, &grid, &walk, nontemporal, pixels, painted);
            }
            else {
                APPLY_SPECIFIC(read_channels_first)(pooled, block, image_sizes, mean, pixels, values);
                APPLY_SPECIFIC(paint_channels_first)(values, 1 + n, block.channels, labels, &grid, &walk, nontemporal,
                                                     pixels, painted);
            }
        }
    }
    failed = 0;
done:
    free(buffer);
    free(scratch);
    free(sizes);
    return failed;
}
