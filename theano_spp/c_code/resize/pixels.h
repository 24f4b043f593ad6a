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

/* The row-major number of a pixel -> its index on each axis. */
static inline void spp_unravel(const SppSampling *sampling, npy_intp number, npy_intp place[3])
{
    int i;
    for (i = 2; i >= 0; --i) {
        place[i] = number % sampling->axis[i].pixels;
        number /= sampling->axis[i].pixels;
    }
}

#endif
