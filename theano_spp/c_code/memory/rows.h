#include "memory/arrays.h"

#section support_code_apply
/* Reading the features of pixels where channels are last in memory: a row of features is all channels of one pixel. */
#define SPP_PREFETCH_CHANNELS_LAST 8192  /* bytes ahead */

/* The rows of several pixels, evenly spaced. */
typedef struct {
    const char *first;
    npy_intp stride, width;  /* bytes from row to row; features in a row, a multiple of SPP_LANES */
} APPLY_SPECIFIC(Rows);

/* Prefetches what lies SPP_PREFETCH_CHANNELS_LAST bytes after a feature. Rows shorter than two cache lines are left
   to the hardware prefetcher. A prefetch beyond the end of the array does no harm. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(prefetch_row)(const APPLY_SPECIFIC(Rows) *rows,
                                                                           const FEATURE *feature)
{
    if (rows->stride >= 2 * SPP_LINE)
        __builtin_prefetch((const char *)feature + SPP_PREFETCH_CHANNELS_LAST, 0, 2);
}

/* The rows of `count` pixels, the first of which has the row-major number `first`: in the array itself, or copied if
   the pixels are not evenly spaced or if reading whole registers would reach beyond `end`, the end of all features.
   [out] copy (SPP_WINDOW, width): scratch, undefined on return unless the result points there */
static inline APPLY_SPECIFIC(Rows) APPLY_SPECIFIC(find_rows)(
    const char *features, const char *end, const SppGrid *grid, const SppStrides *walk, npy_intp channels,
    npy_intp width, npy_intp first, npy_intp count, int evenly_strided, FEATURE *copy)
{
    APPLY_SPECIFIC(Rows) rows;
    rows.first = features + first * walk->pixel;
    rows.stride = walk->pixel;
    rows.width = width;
    if (!evenly_strided
            || rows.first + spp_maximum(0, (count - 1) * walk->pixel) + width * (npy_intp)sizeof(FEATURE) > end) {
        npy_intp row = first / grid->length, x = first % grid->length, p;
        for (p = 0; p < count; ++row, x = 0) {
            const char *line = spp_row(features, grid, walk, row);
            for (; x < grid->length && p < count; ++x, ++p)
                memcpy(copy + p * width, line + x * walk->pixel, channels * sizeof(FEATURE));
        }
        rows.first = (const char *)copy;
        rows.stride = width * sizeof(FEATURE);
    }
    return rows;
}

/* The first address after the last item of an array. */
static inline const char *APPLY_SPECIFIC(array_end)(PyArrayObject *array)
{
    const char *end = PyArray_BYTES(array) + PyArray_ITEMSIZE(array);
    int axis;
    for (axis = 0; axis < PyArray_NDIM(array); ++axis)
        end += spp_maximum(0, (PyArray_DIM(array, axis) - 1) * PyArray_STRIDE(array, axis));
    return end;
}
