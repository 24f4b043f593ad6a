#section support_code_apply
/* Pooling walks a block of channels at a time over the runs of equal labels of an image:
   labels are read once for the whole block, features once in all, and the additions of
   every channel happen in the same order whatever the block, the memory layout or the
   number of threads, so the results are the same to the last bit.

   A run is added up in pieces of at most SPP_PIECE pixels, so that no plain sum is long. */
#define SPP_PIECE 64
#define SPP_STREAMS 8      /* channels at once where each channel is a plane of its own */
#define SPP_NEIGHBOURS 64  /* channels at once where the channels of a pixel lie together */

/* Adds one image's channels first..first + channels - 1 into acc.
   Inlined with constant `channels` and `channel_stride` it becomes straight vector code. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(add_image)(
    const char *features, const char *labels, const SppGrid *grid, const SppStrides *feature_walk,
    const SppStrides *label_walk, npy_intp channels, npy_intp channel_stride,
    APPLY_SPECIFIC(Accumulator) acc)
{
    const npy_intp feature_step = feature_walk->pixel, label_step = label_walk->pixel;
    npy_intp r0, r1, p, q, c, run;
    for (r0 = 0; r0 < grid->rows[0]; ++r0)
        for (r1 = 0; r1 < grid->rows[1]; ++r1) {
            const char *feature_row = features + r0 * feature_walk->row[0] + r1 * feature_walk->row[1];
            const char *label_row = labels + r0 * label_walk->row[0] + r1 * label_walk->row[1];
            for (p = 0; p < grid->length; p += run) {
                const LABEL label = *(const LABEL *)(label_row + p * label_step);
                double piece[SPP_NEIGHBOURS];
                run = APPLY_SPECIFIC(run_length)(label_row + p * label_step, label_step,
                                                 spp_minimum(SPP_PIECE, grid->length - p));
                if (SPP_IS_NONE(label))
                    continue;
                for (c = 0; c < channels; ++c)
                    piece[c] = 0;
                for (q = p; q < p + run; ++q)
                    for (c = 0; c < channels; ++c)
                        piece[c] += *(const FEATURE *)(feature_row + q * feature_step
                                                       + c * channel_stride);
                APPLY_SPECIFIC(add_piece)(acc, (npy_intp)label * channels, piece, channels);
            }
        }
}

/* [in]  feature_map (batch, channels, *spatial), superpixel_map (batch, *spatial), n_superpixels ()
   [out] pooled (batch, channels, n_superpixels) */
int APPLY_SPECIFIC(superpixel_pool)(PyArrayObject *feature_map, PyArrayObject *superpixel_map,
                                    PyArrayObject *n_superpixels, PyArrayObject **pooled,
                                    PARAMS_TYPE *params)
{
    const char *op = "SuperpixelPool";
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const npy_intp channel_stride = PyArray_STRIDE(feature_map, 1);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides feature_walk = spp_strides(naxes, PyArray_STRIDES(feature_map) + 2);
    const SppStrides label_walk = spp_strides(naxes, PyArray_STRIDES(superpixel_map) + 1);
    const int channels_lie_together = channel_stride == (npy_intp)sizeof(FEATURE);
    const int threads = spp_number_of_threads();
    npy_intp shape[3] = {batch, channels, 0};
    npy_intp n, width, blocks, work, block;
    npy_int64 *sizes = NULL;
    double *scratch = NULL;

    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map, SPP_AGREE_IN_SPACE) != 0)
        return -1;
    n = shape[2] = spp_n_superpixels(op, n_superpixels);
    if (n < 0)
        return -1;
    sizes = (npy_int64 *)spp_scratch(op, n, batch, sizeof(npy_int64));
    if (sizes == NULL)
        return -1;
    if (APPLY_SPECIFIC(count_labels)(op, "n_superpixels is", superpixel_map, n, sizes) != 0
            || spp_prepare_output(op, n, pooled, 3, shape, TYPENUM_INPUT_0) != 0) {
        free(sizes);
        return -1;
    }

    /* Narrower blocks than the best give every thread its share where channels are few. */
    width = spp_minimum(channels_lie_together ? SPP_NEIGHBOURS : SPP_STREAMS,
                        spp_maximum(spp_ceil_divide(batch * channels, threads), 1));
    blocks = spp_ceil_divide(channels, width);
    scratch = (double *)spp_scratch(op, n, SPP_DOUBLES * width * threads, sizeof(double));
    if (scratch == NULL) {
        free(sizes);
        return -1;
    }
    work = PyArray_SIZE(feature_map);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (work >= SPP_PARALLEL_MINIMUM)
    #endif
    for (block = 0; block < batch * blocks; ++block) {
        const npy_intp image = block / blocks;
        const npy_intp first = block % blocks * width;
        const npy_intp count = spp_minimum(width, channels - first);
        const char *features = PyArray_BYTES(feature_map) + image * PyArray_STRIDE(feature_map, 0)
                               + first * channel_stride;
        const char *labels = PyArray_BYTES(superpixel_map) + image * PyArray_STRIDE(superpixel_map, 0);
        APPLY_SPECIFIC(Accumulator) acc;
        acc.sum = scratch + spp_thread_number() * n * SPP_DOUBLES * width;
        acc.lost = acc.sum + n * width;
        memset(acc.sum, 0, n * SPP_DOUBLES * width * sizeof(double));

        if (channels_lie_together)
            APPLY_SPECIFIC(add_image)(features, labels, &grid, &feature_walk, &label_walk, count,
                                      sizeof(FEATURE), acc);
        else if (count == SPP_STREAMS)
            APPLY_SPECIFIC(add_image)(features, labels, &grid, &feature_walk, &label_walk, SPP_STREAMS,
                                      channel_stride, acc);
        else
            APPLY_SPECIFIC(add_image)(features, labels, &grid, &feature_walk, &label_walk, count,
                                      channel_stride, acc);

        APPLY_SPECIFIC(write_pooled)(acc, count, n, sizes + image * n, params->mode == SPP_POOL_MEAN,
                                     (FEATURE *)PyArray_DATA(*pooled) + (image * channels + first) * n);
    }
    free(scratch);
    free(sizes);
    return 0;
}
