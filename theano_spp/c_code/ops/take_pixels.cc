#include "memory/arrays.h"
#include "resize/interpolation.h"
#include "resize/pixels.h"

#section support_code_apply
/* The value of the resized features at one pixel. [in] plane: one channel of one image */
static inline double APPLY_SPECIFIC(resized_at)(const char *plane, const SppStrides *walk,
                                                const SppSampling *sampling, npy_intp pixel)
{
    const SppSeenCells seen = spp_seen_cells(sampling, pixel);
    double row[2], cell[2];
    int j, k;
    /* interpolated along the first axis first, as everywhere */
    for (k = 0; k < 2; ++k) {
        for (j = 0; j < 2; ++j) {
            const char *at = plane + seen.cell[1][j] * walk->row[1] + seen.cell[2][k] * walk->pixel;
            row[j] = spp_lerp(*(const FEATURE *)(at + seen.cell[0][0] * walk->row[0]),
                              *(const FEATURE *)(at + seen.cell[0][1] * walk->row[0]),
                              seen.weight[0][0], seen.weight[0][1]);
        }
        cell[k] = spp_lerp(row[0], row[1], seen.weight[1][0], seen.weight[1][1]);
    }
    return spp_lerp(cell[0], cell[1], seen.weight[2][0], seen.weight[2][1]);
}

/* [in]  feature_map (batch, channels, *cells), pixels (batch, channels, n) int64, map_shape (axes) int64
   [out] values (batch, channels, n): the resized features at the pixels, 0 for pixel -1 */
int APPLY_SPECIFIC(take_pixels)(PyArrayObject *feature_map, PyArrayObject *pixels,
                                PyArrayObject *map_shape, PyArrayObject **values, PARAMS_TYPE *params)
{
    const char *op = "TakePixels";
    const int resize = params->resize != SPP_RESIZE_NONE;
    const int naxes = PyArray_NDIM(feature_map) - 2;
    const npy_intp channels = PyArray_DIM(pixels, 1), n = PyArray_DIM(pixels, 2);
    const npy_intp *cells = PyArray_DIMS(feature_map) + 2;
    const SppStrides walk = spp_strides_of(feature_map, 2);
    npy_intp spatial[3];
    npy_intp plane;
    SppSampling sampling;

    if (spp_read_sizes(op, "map_shape", map_shape, naxes, spatial) != 0
            || spp_check_like_pixels(op, "feature_map", feature_map, pixels, 2) != 0
            || spp_check_pixels(op, pixels, spp_product(spatial, naxes)) != 0
            || spp_check_sampling(op, "the spatial shape of feature_map", resize, naxes, cells, spatial) != 0
            || spp_prepare_output(op, n, values, 3, PyArray_DIMS(pixels), TYPENUM_INPUT_0) != 0)
        return -1;
    PyArray_FILLWBYTE(*values, 0);
    if (PyArray_SIZE(pixels) == 0 || spp_product(spatial, naxes) == 0)
        return 0;
    if (spp_sample(op, naxes, cells, spatial, params->resize == SPP_BILINEAR, &sampling) != 0)
        return -1;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(pixels) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (plane = 0; plane < PyArray_DIM(pixels, 0) * channels; ++plane) {
        const char *features = (const char *)PyArray_GETPTR2(feature_map, plane / channels, plane % channels);
        FEATURE *gathered = (FEATURE *)PyArray_DATA(*values) + plane * n;
        npy_intp l;
        for (l = 0; l < n; ++l) {
            const npy_int64 pixel = *(npy_int64 *)PyArray_GETPTR3(pixels, plane / channels, plane % channels, l);
            if (pixel >= 0)
                gathered[l] = (FEATURE)APPLY_SPECIFIC(resized_at)(features, &walk, &sampling, pixel);
        }
    }
    spp_free_sampling(&sampling);
    return 0;
}
