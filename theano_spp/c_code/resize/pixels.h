#include "memory/errors.h"
#include "resize/interpolation.h"

#section support_code
/* What gathering values from pixels and scatter-adding values to pixels have in common. */
#ifndef SPP_PIXELS
#define SPP_PIXELS

/* 0, or -1 with an IndexError that names the first pixel number outside the map.
   [in] pixels (batch, channels, n_superpixels) int64, n_pixels: of one image */
static inline int spp_check_pixels(const char *op, PyArrayObject *pixels, npy_intp n_pixels)
{
    npy_intp b, c, l;
    for (b = 0; b < PyArray_DIM(pixels, 0); ++b)
        for (c = 0; c < PyArray_DIM(pixels, 1); ++c)
            for (l = 0; l < PyArray_DIM(pixels, 2); ++l) {
                const npy_int64 pixel = *(npy_int64 *)PyArray_GETPTR3(pixels, b, c, l);
                if (pixel >= n_pixels)
                    return spp_raise("check_pixels", "(sOL)", op, pixels, (long long)n_pixels);
            }
    return 0;
}

/* 0, or -1 with a ValueError unless the array's first `axes` sizes are those of pixels. */
static inline int spp_check_like_pixels(const char *op, const char *argument, PyArrayObject *array,
                                        PyArrayObject *pixels, int axes)
{
    return PyArray_CompareLists(PyArray_DIMS(array), PyArray_DIMS(pixels), axes)
        ? 0 : spp_raise("check_like_pixels", "(ssOOi)", op, argument, array, pixels, axes);
}

/* 0, or -1 with a ValueError if the cells cannot be those of the pixels. [in] resize: whether their sizes may differ */
static inline int spp_check_sampling(const char *op, const char *argument, int resize, int naxes,
                                     const npy_intp *cells, const npy_intp *pixels)
{
    return resize ? spp_check_cells(op, naxes, cells, pixels)
                  : spp_check_same_sizes(op, argument, naxes, cells, pixels);
}

/* The two cells that a pixel sees on each axis, the same one twice where it sees only one. */
typedef struct {
    npy_intp cell[3][2];
    double weight[3][2];
} SppSeenCells;

/* [in] pixel: a row-major number */
static inline __attribute__((always_inline)) SppSeenCells spp_seen_cells(const SppSampling *sampling, npy_intp pixel)
{
    SppSeenCells seen;
    int i;
    for (i = 2; i >= 0; --i) {
        const SppAxis *axis = sampling->axis + i;
        const npy_intp p = pixel % axis->pixels;
        pixel /= axis->pixels;
        seen.cell[i][0] = axis->low[p];
        seen.cell[i][1] = spp_high(axis, p);
        seen.weight[i][0] = spp_weight_below(axis, p);
        seen.weight[i][1] = spp_weight_above(axis, p);
    }
    return seen;
}

#endif
