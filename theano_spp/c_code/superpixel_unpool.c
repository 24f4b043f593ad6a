#section support_code_apply
/* Unpooling looks the values of a strip of pixels up, channel by channel: the labels are read
   once for a block of channels, and every output plane is written from front to back. */
#define SPP_UNPOOL_CHANNELS 16  /* a block: its values should stay in the second cache */
#define SPP_STRIP 1024          /* pixels: their labels should stay in the first cache */

/* pooled (channels, n_superpixels) of one image, any strides -> values (channels, 1 + n_superpixels),
   divided by sizes in mode mean; each channel begins with the 0 of the pixels that belong to none. */
static inline void APPLY_SPECIFIC(read_values)(const char *pooled, npy_intp channel_stride,
                                               npy_intp superpixel_stride, npy_intp channels,
                                               npy_intp n_superpixels, const npy_int64 *sizes,
                                               int mode, FEATURE *values)
{
    npy_intp c, l;
    for (c = 0; c < channels; ++c) {
        *values++ = 0;
        for (l = 0; l < n_superpixels; ++l) {
            FEATURE value = *(const FEATURE *)(pooled + c * channel_stride + l * superpixel_stride);
            if (mode == SPP_UNPOOL_MEAN)  /* by 0 too: an empty superpixel is never painted */
                value = (FEATURE)((double)value / (double)sizes[l]);
            *values++ = value;
        }
    }
}

/* values -> painted: `channels` planes of plane_size pixels, C order. */
static inline void APPLY_SPECIFIC(paint_image)(
    const FEATURE *values, npy_intp n_superpixels, const char *labels, const SppGrid *grid,
    const SppStrides *walk, npy_intp channels, npy_intp plane_size, FEATURE *painted)
{
    npy_intp position[SPP_STRIP];
    npy_intp r0, r1, p, q, c;
    for (r0 = 0; r0 < grid->rows[0]; ++r0)
        for (r1 = 0; r1 < grid->rows[1]; ++r1)
            for (p = 0; p < grid->length; p += SPP_STRIP) {
                const npy_intp strip = spp_minimum(SPP_STRIP, grid->length - p);
                const char *first = labels + r0 * walk->row[0] + r1 * walk->row[1] + p * walk->pixel;
                for (q = 0; q < strip; ++q) {
                    const LABEL label = *(const LABEL *)(first + q * walk->pixel);
                    position[q] = SPP_IS_NONE(label) ? 0 : 1 + (npy_intp)label;
                }
                for (c = 0; c < channels; ++c) {
                    const FEATURE *of_channel = values + c * (1 + n_superpixels);
                    for (q = 0; q < strip; ++q)
                        painted[c * plane_size + q] = of_channel[position[q]];
                }
                painted += strip;
            }
}

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
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides walk = spp_strides(naxes, PyArray_STRIDES(superpixel_map) + 1);
    const int threads = spp_number_of_threads();
    npy_intp shape[5] = {batch, channels, 0, 0, 0};
    npy_intp plane_size, width, blocks, block, work;
    npy_int64 *sizes = NULL;
    FEATURE *scratch = NULL;
    int axis;

    if (spp_check_shapes(op, "pooled", pooled, superpixel_map, SPP_POOLED_AGREES_IN_BATCH) != 0)
        return -1;
    for (axis = 0; axis < naxes; ++axis)
        shape[2 + axis] = PyArray_DIM(superpixel_map, 1 + axis);
    sizes = (npy_int64 *)spp_scratch(op, n, batch, sizeof(npy_int64));
    if (sizes == NULL)
        return -1;
    if (APPLY_SPECIFIC(count_labels)(op, "the number of superpixels in pooled is",
                                     superpixel_map, n, sizes) != 0
            || spp_prepare_output(op, n, feature_map, 2 + naxes, shape, TYPENUM_INPUT_0) != 0) {
        free(sizes);
        return -1;
    }

    width = spp_minimum(SPP_UNPOOL_CHANNELS,
                        spp_maximum(spp_ceil_divide(batch * channels, threads), 1));
    blocks = spp_ceil_divide(channels, width);
    scratch = (FEATURE *)spp_scratch(op, 1 + n, width * threads, sizeof(FEATURE));
    if (scratch == NULL) {
        free(sizes);
        return -1;
    }
    plane_size = spp_product(shape + 2, naxes);
    work = PyArray_SIZE(*feature_map);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (work >= SPP_PARALLEL_MINIMUM)
    #endif
    for (block = 0; block < batch * blocks; ++block) {
        const npy_intp image = block / blocks;
        const npy_intp first = block % blocks * width;
        const npy_intp count = spp_minimum(width, channels - first);
        const char *labels = PyArray_BYTES(superpixel_map) + image * PyArray_STRIDE(superpixel_map, 0);
        FEATURE *painted = (FEATURE *)PyArray_DATA(*feature_map) + (image * channels + first) * plane_size;
        FEATURE *values = scratch + spp_thread_number() * (1 + n) * width;

        APPLY_SPECIFIC(read_values)(
            PyArray_BYTES(pooled) + image * PyArray_STRIDE(pooled, 0) + first * PyArray_STRIDE(pooled, 1),
            PyArray_STRIDE(pooled, 1), PyArray_STRIDE(pooled, 2), count, n, sizes + image * n,
            params->mode, values);
        APPLY_SPECIFIC(paint_image)(values, n, labels, &grid, &walk, count, plane_size, painted);
    }
    free(scratch);
    free(sizes);
    return 0;
}
