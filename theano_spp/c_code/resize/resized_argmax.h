#include "memory/arrays.h"
#include "resize/candidates.h"
#include "resize/interpolation.h"

#section support_code_apply
/* Maximum and argmax of features resized to the superpixel map, of the candidates alone (resize/candidates.h): the
   resized feature map is never stored. The channels of a block are side by side. The minimum is the maximum of the
   negated features. */
#define SPP_EXTREMUM_CHANNELS 16

/* Whether `value` replaces an earlier one as the maximum: it is larger, or the first NaN. */
#define SPP_WINS(value, earlier) (!((value) <= (earlier)) & ((earlier) == (earlier)))

/* Before a loop over a block of channels, which GCC does not vectorise if it has unrolled it. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8
#define SPP_NO_UNROLL _Pragma("GCC unroll 1")
#else
#define SPP_NO_UNROLL
#endif

/* The best values so far, of one block of channels of one image. */
typedef struct {
    FEATURE *value;    /* (n_superpixels, SPP_EXTREMUM_CHANNELS), negated for the minimum */
    npy_int64 *pixel;  /* (n_superpixels, SPP_EXTREMUM_CHANNELS), -1 for none yet */
} APPLY_SPECIFIC(BestResized);

/* The features of one block of channels of one image, and the rows of cells that were read last. */
typedef struct {
    const char *features;
    SppStrides walk;
    npy_intp channel_stride, channels;
    FEATURE sign;
    const SppSampling *sampling;
    double *kept[2][2];  /* (axis[2].cells, SPP_EXTREMUM_CHANNELS): row (x0, x1) is in [x0 % 2][x1 % 2],
                            because the rows that one pixel sees follow each other */
    npy_intp row[2][2];  /* the number of each, -1 for none */
    double *mixed[2];
} APPLY_SPECIFIC(CellRows);

#define SPP_CELL_ROWS 6  /* kept and mixed */

/* Row (x0, x1) of cells. */
static inline __attribute__((always_inline)) const double *APPLY_SPECIFIC(cell_row)(
    APPLY_SPECIFIC(CellRows) *rows, npy_intp x0, npy_intp x1)
{
    const npy_intp number = x0 * rows->sampling->axis[1].cells + x1;
    const char *feature = rows->features + x0 * rows->walk.row[0] + x1 * rows->walk.row[1];
    double *cells = rows->kept[x0 % 2][x1 % 2];
    npy_intp x, c;
    if (rows->row[x0 % 2][x1 % 2] == number)
        return cells;
    rows->row[x0 % 2][x1 % 2] = number;
    for (x = 0; x < rows->sampling->axis[2].cells; ++x, feature += rows->walk.pixel)
        for (c = 0; c < rows->channels; ++c)
            cells[x * SPP_EXTREMUM_CHANNELS + c] = rows->sign * *(const FEATURE *)(feature + c * rows->channel_stride);
    return cells;
}

/* Interpolates between two rows of cells; returns the one row if both are the same. */
static inline const double *APPLY_SPECIFIC(lerp_rows)(const double *below, const double *above, const SppAxis *axis,
                                                      npy_intp pixel, npy_intp size, double *mixed)
{
    const double weight_below = spp_weight_below(axis, pixel), weight_above = spp_weight_above(axis, pixel);
    npy_intp i;
    if (below == above)
        return below;
    for (i = 0; i < size; ++i)
        mixed[i] = spp_lerp(below[i], above[i], weight_below, weight_above);
    return mixed;
}

/* What row (r0, r1) of pixels sees, interpolated along all axes but the last. */
static inline __attribute__((always_inline)) const double *APPLY_SPECIFIC(pixel_row)(
    APPLY_SPECIFIC(CellRows) *rows, npy_intp r0, npy_intp r1)
{
    const SppAxis *axis = rows->sampling->axis;
    const npy_intp size = axis[2].cells * SPP_EXTREMUM_CHANNELS;
    const npy_intp low = axis[1].low[r1], high = spp_high(axis + 1, r1);
    const double *below = APPLY_SPECIFIC(lerp_rows)(
        APPLY_SPECIFIC(cell_row)(rows, axis[0].low[r0], low),
        APPLY_SPECIFIC(cell_row)(rows, spp_high(axis, r0), low), axis, r0, size, rows->mixed[0]);
    const double *above = low == high ? below : APPLY_SPECIFIC(lerp_rows)(
        APPLY_SPECIFIC(cell_row)(rows, axis[0].low[r0], high),
        APPLY_SPECIFIC(cell_row)(rows, spp_high(axis, r0), high), axis, r0, size, rows->mixed[1]);
    return APPLY_SPECIFIC(lerp_rows)(below, above, axis + 1, r1, size, rows->mixed[0]);
}

/* Replaces the best so far by a candidate if that is better. [in] number: row-major, of its pixel */
static inline void APPLY_SPECIFIC(keep_better)(const double *cells, const SppAxis *axis, npy_intp pixel,
                                               npy_int64 number, FEATURE *best_value, npy_int64 *best_pixel)
{
    const double *below = cells + axis->low[pixel] * SPP_EXTREMUM_CHANNELS;
    const double *above = cells + spp_high(axis, pixel) * SPP_EXTREMUM_CHANNELS;
    const double weight_below = spp_weight_below(axis, pixel), weight_above = spp_weight_above(axis, pixel);
    const int none_yet = best_pixel[0] < 0;
    FEATURE value[SPP_EXTREMUM_CHANNELS];
    npy_int32 wins[SPP_EXTREMUM_CHANNELS];
    npy_intp c;
    SPP_NO_UNROLL
    for (c = 0; c < SPP_EXTREMUM_CHANNELS; ++c)
        value[c] = (FEATURE)spp_lerp(below[c], above[c], weight_below, weight_above);
    if (none_yet) {
        SPP_NO_UNROLL
        for (c = 0; c < SPP_EXTREMUM_CHANNELS; ++c) {
            best_value[c] = value[c];
            best_pixel[c] = number;
        }
        return;
    }
    SPP_NO_UNROLL
    for (c = 0; c < SPP_EXTREMUM_CHANNELS; ++c)
        wins[c] = SPP_WINS(value[c], best_value[c]);
    SPP_NO_UNROLL
    for (c = 0; c < SPP_EXTREMUM_CHANNELS; ++c)
        best_value[c] = wins[c] ? value[c] : best_value[c];
    SPP_NO_UNROLL
    for (c = 0; c < SPP_EXTREMUM_CHANNELS; ++c)
        best_pixel[c] = wins[c] ? number : best_pixel[c];
}

/* One block of channels of one image. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(compare_candidates)(
    APPLY_SPECIFIC(CellRows) *rows, const SppCandidates *candidates, APPLY_SPECIFIC(BestResized) best)
{
    const SppAxis *axis = rows->sampling->axis;
    npy_intp r0, r1, i, row = 0;
    for (r0 = 0; r0 < axis[0].pixels; ++r0)
        for (r1 = 0; r1 < axis[1].pixels; ++r1, ++row) {
            const npy_int64 number = row * axis[2].pixels;
            const double *cells = NULL;
            if (candidates->first[row] == candidates->first[row + 1])
                continue;
            cells = APPLY_SPECIFIC(pixel_row)(rows, r0, r1);
            for (i = candidates->first[row]; i < candidates->first[row + 1]; ++i) {
                const SppCandidate candidate = candidates->entry[i];
                const npy_intp at = candidate.superpixel * SPP_EXTREMUM_CHANNELS;
                APPLY_SPECIFIC(keep_better)(cells, axis + 2, candidate.pixel, number + candidate.pixel,
                                            best.value + at, best.pixel + at);
            }
        }
}

/* best -> pooled and argmax (channels, n_superpixels) of one image; 0 and -1 for superpixels without pixels. */
static inline void APPLY_SPECIFIC(write_best)(APPLY_SPECIFIC(BestResized) best, npy_intp channels,
                                              npy_intp n_superpixels, FEATURE sign, FEATURE *pooled,
                                              npy_int64 *argmax)
{
    npy_intp c, l;
    for (c = 0; c < channels; ++c)
        for (l = 0; l < n_superpixels; ++l) {
            const npy_int64 pixel = best.pixel[l * SPP_EXTREMUM_CHANNELS + c];
            *pooled++ = pixel < 0 ? 0 : sign * best.value[l * SPP_EXTREMUM_CHANNELS + c];
            *argmax++ = pixel;
        }
}

/* [in] superpixel_map: checked, with pixels  [out] pooled, argmax (batch, channels, n_superpixels)
   Returns 0, or -1 with an error set. */
static int APPLY_SPECIFIC(pool_resized_argmax)(const char *op, PyArrayObject *feature_map,
                                               PyArrayObject *superpixel_map, npy_intp n_superpixels, int bilinear,
                                               FEATURE sign, FEATURE *pooled, npy_int64 *argmax)
{
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const npy_intp n = n_superpixels;
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const npy_intp *spatial = PyArray_DIMS(superpixel_map) + 1;
    const SppStrides walk = spp_strides_of(feature_map, 2);
    const int threads = spp_number_of_threads();
    const SppBlocks blocks = spp_blocks(batch, channels, SPP_EXTREMUM_CHANNELS, threads);
    npy_intp row_size, block_number;
    double work;
    SppSampling sampling;
    SppCandidates *candidates = NULL;
    npy_int64 *best_pixels = NULL;
    FEATURE *best_values = NULL;
    double *cells = NULL;
    int failed = -1;

    if (spp_sample(op, naxes, PyArray_DIMS(feature_map) + 2, spatial, bilinear, &sampling) != 0)
        return -1;
    row_size = sampling.axis[2].cells * SPP_EXTREMUM_CHANNELS;
    if ((candidates = APPLY_SPECIFIC(find_candidates)(op, superpixel_map, &sampling)) == NULL
            || (best_values = (FEATURE *)spp_scratch(op, n, threads * SPP_EXTREMUM_CHANNELS, sizeof(FEATURE))) == NULL
            || (best_pixels = (npy_int64 *)spp_scratch(op, n, threads * SPP_EXTREMUM_CHANNELS,
                                                       sizeof(npy_int64))) == NULL
            || (cells = (double *)spp_allocate(op, sampling.axis[2].cells, "cells",
                                               threads * SPP_CELL_ROWS * SPP_EXTREMUM_CHANNELS,
                                               sizeof(double))) == NULL)
        goto done;
    /* in values of the resized features, which are not stored */
    work = (double)(batch * channels) * (double)spp_product(spatial, naxes);

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (work >= SPP_PARALLEL_MINIMUM)
    #endif
    for (block_number = 0; block_number < blocks.number; ++block_number) {
        const SppBlock block = spp_block(&blocks, block_number);
        const npy_intp out = (block.image * channels + block.first) * n;
        const int thread = spp_thread_number();
        APPLY_SPECIFIC(CellRows) rows = {
            (const char *)PyArray_GETPTR2(feature_map, block.image, block.first), walk, PyArray_STRIDE(feature_map, 1),
            block.channels, sign, &sampling, {{NULL, NULL}, {NULL, NULL}}, {{-1, -1}, {-1, -1}}, {NULL, NULL}};
        APPLY_SPECIFIC(BestResized) best;
        int i;
        for (i = 0; i < SPP_CELL_ROWS; ++i)
            *(i < 4 ? &rows.kept[i / 2][i % 2] : &rows.mixed[i - 4]) =
                cells + (thread * SPP_CELL_ROWS + i) * row_size;
        best.value = best_values + thread * n * SPP_EXTREMUM_CHANNELS;
        best.pixel = best_pixels + thread * n * SPP_EXTREMUM_CHANNELS;
        memset(best.pixel, 0xff, n * SPP_EXTREMUM_CHANNELS * sizeof(npy_int64));  /* all -1 */
        APPLY_SPECIFIC(compare_candidates)(&rows, candidates + spp_item_number(superpixel_map, block.image), best);
        APPLY_SPECIFIC(write_best)(best, block.channels, n, sign, pooled + out, argmax + out);
    }
    failed = 0;
done:
    spp_free_rows(candidates, PyArray_DIM(superpixel_map, 0));
    free(cells);
    free(best_values);
    free(best_pixels);
    spp_free_sampling(&sampling);
    return failed;
}
