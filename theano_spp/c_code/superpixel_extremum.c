#section support_code_apply
/* The maximum walks strips of pixels: the features of a block of channels are turned so that the
   channels of a pixel lie side by side, each run of equal labels has its peaks found without a
   branch, and only a run that beats its superpixel's best so far is searched for the winning pixel.
   The minimum is the maximum of the negated features.

   Features of another size than the superpixel map are resized strip by strip, so that the resized
   feature map never exists. */
#define SPP_EXTREMUM_CHANNELS 16
#define SPP_EXTREMUM_STRIP 64

/* One block's best values of one image so far, channel by channel within a superpixel. */
typedef struct {
    FEATURE *value;    /* (n_superpixels, channels), negated for the minimum */
    npy_int64 *pixel;  /* (n_superpixels, channels): row-major number, -1 for none yet */
} APPLY_SPECIFIC(Best);

/* Some pixels of one row -> strip (length, channels), times sign. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(read_strip)(
    const char *features, npy_intp pixel_stride, npy_intp channel_stride, npy_intp length,
    npy_intp channels, FEATURE sign, FEATURE *strip)
{
    npy_intp c, q;
    for (c = 0; c < channels; ++c)
        for (q = 0; q < length; ++q)
            strip[q * channels + c] = sign * *(const FEATURE *)(features + c * channel_stride
                                                                + q * pixel_stride);
}

/* The cells that a row of pixels sees, mixed to one row: -> cells (axis[2].cells, channels). */
static inline void APPLY_SPECIFIC(mix_rows)(const char *features, const SppStrides *walk,
                                            npy_intp channel_stride, const SppSampling *sampling,
                                            npy_intp r0, npy_intp r1, npy_intp channels, double *cells)
{
    const SppAxis *outer = &sampling->axis[0], *inner = &sampling->axis[1];
    const double above0 = spp_share_above(outer, r0), below0 = spp_share_below(outer, r0);
    const double above1 = spp_share_above(inner, r1), below1 = spp_share_below(inner, r1);
    const char *at[2][2];
    npy_intp x, c;
    int i, j;
    for (i = 0; i < 2; ++i)
        for (j = 0; j < 2; ++j)
            at[i][j] = features + (i ? spp_high(outer, r0) : outer->low[r0]) * walk->row[0]
                                + (j ? spp_high(inner, r1) : inner->low[r1]) * walk->row[1];
    for (x = 0; x < sampling->axis[2].cells; ++x)
        for (c = 0; c < channels; ++c) {
            const npy_intp offset = x * walk->pixel + c * channel_stride;
            const double below = spp_mix(*(const FEATURE *)(at[0][0] + offset),
                                         *(const FEATURE *)(at[1][0] + offset), below0, above0);
            const double above = spp_mix(*(const FEATURE *)(at[0][1] + offset),
                                         *(const FEATURE *)(at[1][1] + offset), below0, above0);
            cells[x * channels + c] = spp_mix(below, above, below1, above1);
        }
}

/* Pixels first .. first + length - 1 of a row, from its cells -> strip (length, channels), times sign. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(mix_strip)(
    const double *cells, const SppAxis *axis, npy_intp first, npy_intp length, npy_intp channels,
    FEATURE sign, FEATURE *strip)
{
    npy_intp c, q;
    for (q = 0; q < length; ++q) {
        const double *below = cells + axis->low[first + q] * channels;
        const double *above = cells + spp_high(axis, first + q) * channels;
        const double share_above = spp_share_above(axis, first + q);
        const double share_below = spp_share_below(axis, first + q);
        for (c = 0; c < channels; ++c)
            strip[q * channels + c] = sign * (FEATURE)spp_mix(below[c], above[c], share_below, share_above);
    }
}

/* Whether `value` wins over an earlier one: it is larger, or the first NaN. */
#define SPP_BEATS(value, earlier) \
    (((value) > (earlier)) | (((value) != (value)) & ((earlier) == (earlier))))

/* Compares a strip, run by run, with the best so far. [in] number: the row-major one of its first pixel */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(compare_strip)(
    const FEATURE *strip, const char *labels, npy_intp label_stride, npy_intp length, npy_int64 number,
    npy_intp channels, APPLY_SPECIFIC(Best) best)
{
    npy_intp p, q, c, run;
    for (p = 0; p < length; p += run) {
        const LABEL label = *(const LABEL *)(labels + p * label_stride);
        const npy_intp at = (npy_intp)label * channels;
        FEATURE peak[SPP_EXTREMUM_CHANNELS];
        run = APPLY_SPECIFIC(run_length)(labels + p * label_stride, label_stride, length - p);
        if (SPP_IS_NONE(label))
            continue;
        for (c = 0; c < channels; ++c)
            peak[c] = strip[p * channels + c];
        for (q = p + 1; q < p + run; ++q)
            for (c = 0; c < channels; ++c) {
                const FEATURE value = strip[q * channels + c];
                peak[c] = SPP_BEATS(value, peak[c]) ? value : peak[c];
            }
        for (c = 0; c < channels; ++c)
            if (best.pixel[at + c] < 0 || SPP_BEATS(peak[c], best.value[at + c])) {
                for (q = p; strip[q * channels + c] != peak[c]; ++q)
                    if (strip[q * channels + c] != strip[q * channels + c])  /* the peak is this NaN */
                        break;
                best.value[at + c] = peak[c];
                best.pixel[at + c] = number + q;
            }
    }
}

/* One image's channels of one block. [in] sampling: NULL if the features have the size of the map */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(compare_image)(
    const char *features, const SppStrides *feature_walk, npy_intp channel_stride, const char *labels,
    const SppGrid *grid, const SppStrides *label_walk, const SppSampling *sampling, double *cells,
    npy_intp channels, FEATURE sign, APPLY_SPECIFIC(Best) best)
{
    FEATURE strip[SPP_EXTREMUM_STRIP * SPP_EXTREMUM_CHANNELS];
    npy_intp r0, r1, p;
    for (r0 = 0; r0 < grid->rows[0]; ++r0)
        for (r1 = 0; r1 < grid->rows[1]; ++r1) {
            const npy_intp number = (r0 * grid->rows[1] + r1) * grid->length;
            if (sampling != NULL)
                APPLY_SPECIFIC(mix_rows)(features, feature_walk, channel_stride, sampling, r0, r1,
                                         channels, cells);
            for (p = 0; p < grid->length; p += SPP_EXTREMUM_STRIP) {
                const npy_intp length = spp_minimum(SPP_EXTREMUM_STRIP, grid->length - p);
                if (sampling != NULL)
                    APPLY_SPECIFIC(mix_strip)(cells, &sampling->axis[2], p, length, channels, sign, strip);
                else
                    APPLY_SPECIFIC(read_strip)(
                        features + r0 * feature_walk->row[0] + r1 * feature_walk->row[1]
                        + p * feature_walk->pixel,
                        feature_walk->pixel, channel_stride, length, channels, sign, strip);
                APPLY_SPECIFIC(compare_strip)(
                    strip, labels + r0 * label_walk->row[0] + r1 * label_walk->row[1]
                    + p * label_walk->pixel, label_walk->pixel, length, number + p, channels, best);
            }
        }
}

/* best -> pooled and winner (channels, n_superpixels) of one image; 0 and -1 where there is none. */
static inline void APPLY_SPECIFIC(write_best)(APPLY_SPECIFIC(Best) best, npy_intp channels,
                                              npy_intp n_superpixels, FEATURE sign, FEATURE *pooled,
                                              npy_int64 *winner)
{
    npy_intp c, l;
    for (c = 0; c < channels; ++c)
        for (l = 0; l < n_superpixels; ++l) {
            const npy_int64 pixel = best.pixel[l * channels + c];
            *pooled++ = pixel < 0 ? 0 : sign * best.value[l * channels + c];
            *winner++ = pixel;
        }
}

/* [in]  feature_map (batch, channels, *cells), superpixel_map (batch, *spatial), n_superpixels ()
   [out] pooled (batch, channels, n_superpixels), winner (the same) int64: the row-major number in
         superpixel_map of the pixel that won, -1 for none */
int APPLY_SPECIFIC(superpixel_extremum)(PyArrayObject *feature_map, PyArrayObject *superpixel_map,
                                        PyArrayObject *n_superpixels, PyArrayObject **pooled,
                                        PyArrayObject **winner, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelExtremum";
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const npy_intp channel_stride = PyArray_STRIDE(feature_map, 1);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const npy_intp *spatial = PyArray_DIMS(superpixel_map) + 1;
    const npy_intp pixels = spp_product(spatial, naxes);
    const SppGrid grid = spp_grid(naxes, spatial);
    const SppStrides feature_walk = spp_strides(naxes, PyArray_STRIDES(feature_map) + 2);
    const SppStrides label_walk = spp_strides(naxes, PyArray_STRIDES(superpixel_map) + 1);
    const int resize = params->resize != SPP_RESIZE_NONE && pixels > 0;
    const FEATURE sign = params->mode == SPP_POOL_MIN ? -1 : 1;
    const int threads = spp_number_of_threads();
    npy_intp shape[3] = {batch, channels, 0};
    npy_intp n, width, blocks, row_of_cells, work, block;
    SppSampling sampling;
    npy_int64 *sizes = NULL;
    npy_int64 *best_pixels = NULL;
    FEATURE *best_values = NULL;
    double *cells = NULL;
    int failed = -1;
    sampling.axis[0].low = NULL;

    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map,
                         params->resize == SPP_RESIZE_NONE ? SPP_AGREE_IN_SPACE : SPP_AGREE_IN_BATCH) != 0
            || (n = shape[2] = spp_n_superpixels(op, n_superpixels)) < 0)
        return -1;
    if ((sizes = (npy_int64 *)spp_scratch(op, n, batch, sizeof(npy_int64))) == NULL
            || APPLY_SPECIFIC(count_labels)(op, "n_superpixels is", superpixel_map, n, sizes) != 0)
        goto done;
    if (resize && (spp_check_cells(op, naxes, PyArray_DIMS(feature_map) + 2, spatial) != 0
                   || spp_sample(naxes, PyArray_DIMS(feature_map) + 2, spatial,
                                 params->resize == SPP_BILINEAR, &sampling) != 0))
        goto done;
    if (spp_prepare_output(op, n, pooled, 3, shape, TYPENUM_INPUT_0) != 0
            || spp_prepare_output(op, n, winner, 3, shape, NPY_INT64) != 0)
        goto done;

    /* Narrower blocks than the best give every thread its share where channels are few. */
    width = spp_minimum(SPP_EXTREMUM_CHANNELS,
                        spp_maximum(spp_ceil_divide(batch * channels, threads), 1));
    blocks = spp_ceil_divide(channels, width);
    row_of_cells = resize ? sampling.axis[2].cells : 0;
    if ((best_values = (FEATURE *)spp_scratch(op, n, width * threads, sizeof(FEATURE))) == NULL
            || (best_pixels = (npy_int64 *)spp_scratch(op, n, width * threads, sizeof(npy_int64))) == NULL
            || (cells = (double *)spp_scratch(op, row_of_cells, width * threads, sizeof(double))) == NULL)
        goto done;
    work = batch * channels * pixels;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (work >= SPP_PARALLEL_MINIMUM)
    #endif
    for (block = 0; block < batch * blocks; ++block) {
        const npy_intp image = block / blocks;
        const npy_intp first = block % blocks * width;
        const npy_intp count = spp_minimum(width, channels - first);
        const npy_intp out = (image * channels + first) * n;
        const char *features = PyArray_BYTES(feature_map) + image * PyArray_STRIDE(feature_map, 0)
                               + first * channel_stride;
        const char *labels = PyArray_BYTES(superpixel_map) + image * PyArray_STRIDE(superpixel_map, 0);
        double *thread_cells = cells + spp_thread_number() * row_of_cells * width;
        APPLY_SPECIFIC(Best) best;
        best.value = best_values + spp_thread_number() * n * width;
        best.pixel = best_pixels + spp_thread_number() * n * width;
        memset(best.pixel, 0xff, n * width * sizeof(npy_int64));  /* all -1 */

        if (count == SPP_EXTREMUM_CHANNELS)
            APPLY_SPECIFIC(compare_image)(features, &feature_walk, channel_stride, labels, &grid,
                                          &label_walk, resize ? &sampling : NULL, thread_cells,
                                          SPP_EXTREMUM_CHANNELS, sign, best);
        else
            APPLY_SPECIFIC(compare_image)(features, &feature_walk, channel_stride, labels, &grid,
                                          &label_walk, resize ? &sampling : NULL, thread_cells, count,
                                          sign, best);
        APPLY_SPECIFIC(write_best)(best, count, n, sign, (FEATURE *)PyArray_DATA(*pooled) + out,
                                   (npy_int64 *)PyArray_DATA(*winner) + out);
    }
    failed = 0;
done:
    free(cells);
    free(best_values);
    free(best_pixels);
    free(sizes);
    spp_free_sampling(&sampling);
    return failed;
}
