#section support_code_apply
/* The largest features, and their pixels, where the features are resized to the superpixel map: strip by strip, so
   that the resized feature map never exists. A strip holds pixels with the features of a block of channels side by
   side. Each run of equal labels in a strip has its peaks and their places found without a branch, then they are
   compared with its superpixel's best so far. The smallest are the largest of the negated features. */
#define SPP_EXTREMUM_CHANNELS 16
#define SPP_EXTREMUM_STRIP 64
#define SPP_EXTREMUM_SPAN 1000000  /* pixels from the first to the last of a strip: exact in float32 */

/* Whether `value` wins over an earlier one, being larger, or the first NaN. */
#define SPP_WINS(value, earlier) (!((value) <= (earlier)) & ((earlier) == (earlier)))

/* Before a loop over a block of channels: unrolled, GCC does not make vector code of it. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8
#define SPP_KEEP_LOOP _Pragma("GCC unroll 1")
#else
#define SPP_KEEP_LOOP
#endif

typedef struct {
    FEATURE value[SPP_EXTREMUM_STRIP][SPP_EXTREMUM_CHANNELS];
    LABEL label[SPP_EXTREMUM_STRIP];
    /* How many pixels after `first`, a row-major number in the superpixel map: as a FEATURE, for the
       compiler to choose it by the same mask as the value. */
    FEATURE offset[SPP_EXTREMUM_STRIP];
    npy_int64 first;
    npy_intp length;
} APPLY_SPECIFIC(Strip);

/* One block's best values of one image so far. */
typedef struct {
    FEATURE *value;    /* (n_superpixels, SPP_EXTREMUM_CHANNELS), negated for the minimum */
    npy_int64 *pixel;  /* (n_superpixels, SPP_EXTREMUM_CHANNELS), -1 for none yet */
} APPLY_SPECIFIC(BestMixed);

/* The cells that a row of pixels sees, mixed to one row: -> cells (axis[2].cells, SPP_EXTREMUM_CHANNELS). */
static inline void APPLY_SPECIFIC(mix_rows)(const char *features, const SppStrides *walk,
                                            npy_intp channel_stride, const SppSampling *sampling,
                                            npy_intp r0, npy_intp r1, npy_intp channels,
                                            double *cells)
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
    for (c = 0; c < channels; ++c)
        for (x = 0; x < sampling->axis[2].cells; ++x) {
            const npy_intp offset = x * walk->pixel + c * channel_stride;
            double below = *(const FEATURE *)(at[0][0] + offset);
            double above = *(const FEATURE *)(at[0][1] + offset);
            if (above0 > 0) {
                below = spp_mix(below, *(const FEATURE *)(at[1][0] + offset), below0, above0);
                above = spp_mix(above, *(const FEATURE *)(at[1][1] + offset), below0, above0);
            }
            cells[x * SPP_EXTREMUM_CHANNELS + c] = spp_mix(below, above, below1, above1);
        }
}

/* Pixels from `first` on, of a row of cells, as many as a strip holds. Returns how many it took.
   Pixels of one superpixel that see one cell alone are equal: the first stands for them all. */
static inline __attribute__((always_inline)) npy_intp APPLY_SPECIFIC(mix_strip)(
    const double *cells, const SppAxis *axis, npy_intp first, const char *labels,
    npy_intp label_stride, npy_intp length, npy_int64 number, FEATURE sign, APPLY_SPECIFIC(Strip) *strip)
{
    npy_intp q, c, at = 0, alone = -1;
    strip->first = number;
    for (q = 0; q < length && q < SPP_EXTREMUM_SPAN; ++q) {
        const npy_intp pixel = first + q;
        const LABEL label = *(const LABEL *)(labels + q * label_stride);
        const double *below = cells + axis->low[pixel] * SPP_EXTREMUM_CHANNELS;
        const double *above = cells + spp_high(axis, pixel) * SPP_EXTREMUM_CHANNELS;
        const double share_below = spp_share_below(axis, pixel), share_above = spp_share_above(axis, pixel);
        FEATURE *mixed = strip->value[at];
        if (at > 0 && axis->part[pixel] == 0 && axis->low[pixel] == alone && label == strip->label[at - 1])
            continue;
        if (at == SPP_EXTREMUM_STRIP)
            break;
        alone = axis->part[pixel] == 0 ? axis->low[pixel] : -1;
        SPP_KEEP_LOOP
        for (c = 0; c < SPP_EXTREMUM_CHANNELS; ++c)
            mixed[c] = sign * (FEATURE)spp_mix(below[c], above[c], share_below, share_above);
        strip->label[at] = label;
        strip->offset[at] = (FEATURE)q;
        ++at;
    }
    strip->length = at;
    return q;
}

/* The peaks of one run, and how far from the strip's first pixel they are. */
static inline void APPLY_SPECIFIC(find_peaks_mixed)(const APPLY_SPECIFIC(Strip) *strip, npy_intp begin, npy_intp end,
                                              FEATURE *peak, FEATURE *offset)
{
    npy_intp q, c;
    for (c = 0; c < SPP_EXTREMUM_CHANNELS; ++c) {
        peak[c] = strip->value[begin][c];
        offset[c] = strip->offset[begin];
    }
    for (q = begin + 1; q < end; ++q) {
        const FEATURE *value = strip->value[q];
        const FEATURE here = strip->offset[q];
        SPP_KEEP_LOOP
        for (c = 0; c < SPP_EXTREMUM_CHANNELS; ++c) {
            const int wins = SPP_WINS(value[c], peak[c]);
            peak[c] = wins ? value[c] : peak[c];
            offset[c] = wins ? here : offset[c];
        }
    }
}

/* The better of the best so far and a run's peaks. */
static inline void APPLY_SPECIFIC(keep_best_mixed)(const FEATURE *peak, const FEATURE *offset, npy_int64 first,
                                             FEATURE *best_value, npy_int64 *best_pixel)
{
    npy_int32 wins[SPP_EXTREMUM_CHANNELS];
    const int none_yet = best_pixel[0] < 0;
    npy_intp c;
    SPP_KEEP_LOOP
    for (c = 0; c < SPP_EXTREMUM_CHANNELS; ++c)
        wins[c] = none_yet | SPP_WINS(peak[c], best_value[c]);
    SPP_KEEP_LOOP
    for (c = 0; c < SPP_EXTREMUM_CHANNELS; ++c)
        best_value[c] = wins[c] ? peak[c] : best_value[c];
    SPP_KEEP_LOOP
    for (c = 0; c < SPP_EXTREMUM_CHANNELS; ++c)
        best_pixel[c] = wins[c] ? first + (npy_int32)offset[c] : best_pixel[c];
}

/* Compares a strip, run by run, with the best so far. */
static inline void APPLY_SPECIFIC(compare_strip)(const APPLY_SPECIFIC(Strip) *strip, APPLY_SPECIFIC(BestMixed) best)
{
    npy_intp p, run;
    for (p = 0; p < strip->length; p += run) {
        const LABEL label = strip->label[p];
        FEATURE peak[SPP_EXTREMUM_CHANNELS], offset[SPP_EXTREMUM_CHANNELS];
        npy_intp at;
        run = APPLY_SPECIFIC(run_length)((const char *)(strip->label + p), sizeof(LABEL), strip->length - p);
        if (SPP_IS_NONE(label))
            continue;
        at = (npy_intp)label * SPP_EXTREMUM_CHANNELS;
        APPLY_SPECIFIC(find_peaks_mixed)(strip, p, p + run, peak, offset);
        APPLY_SPECIFIC(keep_best_mixed)(peak, offset, strip->first, best.value + at, best.pixel + at);
    }
}

/* One image's channels of one block. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(compare_image)(
    const char *features, const SppStrides *feature_walk, npy_intp channel_stride, const char *labels,
    const SppGrid *grid, const SppStrides *label_walk, const SppSampling *sampling,
    double *cells, npy_intp channels, FEATURE sign, APPLY_SPECIFIC(BestMixed) best)
{
    APPLY_SPECIFIC(Strip) strip;
    npy_intp r0, r1, p;
    memset(strip.value, 0, sizeof(strip.value));  /* missing channels take part in comparisons */
    for (r0 = 0; r0 < grid->rows[0]; ++r0)
        for (r1 = 0; r1 < grid->rows[1]; ++r1) {
            const npy_intp number = (r0 * grid->rows[1] + r1) * grid->length;
            const char *label_row = labels + r0 * label_walk->row[0] + r1 * label_walk->row[1];
            if (!spp_rows_are_equal(sampling, r0, r1))
                APPLY_SPECIFIC(mix_rows)(features, feature_walk, channel_stride, sampling, r0, r1,
                                         channels, cells);
            for (p = 0; p < grid->length;) {
                p += APPLY_SPECIFIC(mix_strip)(cells, &sampling->axis[2], p, label_row + p * label_walk->pixel,
                                               label_walk->pixel, grid->length - p, number + p, sign, &strip);
                APPLY_SPECIFIC(compare_strip)(&strip, best);
            }
        }
}

/* best -> pooled and winner (channels, n_superpixels) of one image; 0 and -1 where there is none. */
static inline void APPLY_SPECIFIC(write_best)(APPLY_SPECIFIC(BestMixed) best, npy_intp channels,
                                              npy_intp n_superpixels, FEATURE sign, FEATURE *pooled,
                                              npy_int64 *winner)
{
    npy_intp c, l;
    for (c = 0; c < channels; ++c)
        for (l = 0; l < n_superpixels; ++l) {
            const npy_int64 pixel = best.pixel[l * SPP_EXTREMUM_CHANNELS + c];
            *pooled++ = pixel < 0 ? 0 : sign * best.value[l * SPP_EXTREMUM_CHANNELS + c];
            *winner++ = pixel;
        }
}

/* [in] superpixel_map: checked, with pixels  [out] pooled, winner (batch, channels, n_superpixels)
   Returns 0, or -1 with an error set. */
static int APPLY_SPECIFIC(pool_resized_winners)(const char *op, PyArrayObject *feature_map,
                                                PyArrayObject *superpixel_map, npy_intp n_superpixels, int bilinear,
                                                FEATURE sign, FEATURE *pooled, npy_int64 *winner)
{
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const npy_intp channel_stride = PyArray_STRIDE(feature_map, 1);
    const npy_intp n = n_superpixels;
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const npy_intp *spatial = PyArray_DIMS(superpixel_map) + 1;
    const SppGrid grid = spp_grid(naxes, spatial);
    const SppStrides feature_walk = spp_strides(naxes, PyArray_STRIDES(feature_map) + 2);
    const SppStrides label_walk = spp_strides(naxes, PyArray_STRIDES(superpixel_map) + 1);
    const int threads = spp_number_of_threads();
    const npy_intp width = spp_block_width(batch, channels, SPP_EXTREMUM_CHANNELS, threads);
    const npy_intp blocks = spp_ceil_divide(channels, width);
    npy_intp row_of_cells, block;
    double work;
    SppSampling sampling;
    npy_int64 *best_pixels = NULL;
    FEATURE *best_values = NULL;
    double *cells = NULL;
    int failed = -1;

    if (spp_sample(op, naxes, PyArray_DIMS(feature_map) + 2, spatial, bilinear, &sampling) != 0)
        return -1;
    row_of_cells = sampling.axis[2].cells;
    if ((best_values = (FEATURE *)spp_scratch(op, n, threads * SPP_EXTREMUM_CHANNELS, sizeof(FEATURE))) == NULL
            || (best_pixels = (npy_int64 *)spp_scratch(op, n, threads * SPP_EXTREMUM_CHANNELS,
                                                       sizeof(npy_int64))) == NULL
            || (cells = (double *)spp_allocate(op, row_of_cells, SPP_FOR_CELLS,
                                               threads * SPP_EXTREMUM_CHANNELS, sizeof(double))) == NULL)
        goto done;
    /* of resized features, which nobody keeps */
    work = (double)(batch * channels) * (double)spp_product(spatial, naxes);

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
        double *thread_cells = cells + spp_thread_number() * row_of_cells * SPP_EXTREMUM_CHANNELS;
        APPLY_SPECIFIC(BestMixed) best;
        best.value = best_values + spp_thread_number() * n * SPP_EXTREMUM_CHANNELS;
        best.pixel = best_pixels + spp_thread_number() * n * SPP_EXTREMUM_CHANNELS;
        memset(best.pixel, 0xff, n * SPP_EXTREMUM_CHANNELS * sizeof(npy_int64));  /* all -1 */
        if (count == SPP_EXTREMUM_CHANNELS)
            APPLY_SPECIFIC(compare_image)(features, &feature_walk, channel_stride, labels, &grid, &label_walk,
                                          &sampling, thread_cells, SPP_EXTREMUM_CHANNELS, sign, best);
        else
            APPLY_SPECIFIC(compare_image)(features, &feature_walk, channel_stride, labels, &grid, &label_walk,
                                          &sampling, thread_cells, count, sign, best);
        APPLY_SPECIFIC(write_best)(best, count, n, sign, pooled + out, winner + out);
    }
    failed = 0;
done:
    free(cells);
    free(best_values);
    free(best_pixels);
    spp_free_sampling(&sampling);
    return failed;
}
