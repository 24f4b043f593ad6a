#include "memory/arrays.h"
#include "memory/nontemporal.h"
#include "resize/interpolation.h"
#include "resize/pixels.h"

#section support_code_apply
#define SPP_SCATTER_PLANE 524288  /* bytes of a plane that is put together in the L2 cache before non-temporal stores */

/* Scatter-adds the value of one pixel to the cells that it sees, the transpose of interpolation.
   [in, out] plane (cells): C order */
static inline void APPLY_SPECIFIC(scatter_add_cells)(double value, const SppSampling *sampling, npy_intp pixel,
                                                     double *plane)
{
    const SppAxis *axis = sampling->axis;
    const SppSeenCells seen = spp_seen_cells(sampling, pixel);
    int i, j, k;
    for (i = 0; i <= (seen.cell[0][0] < seen.cell[0][1]); ++i)
        for (j = 0; j <= (seen.cell[1][0] < seen.cell[1][1]); ++j)
            for (k = 0; k <= (seen.cell[2][0] < seen.cell[2][1]); ++k)
                plane[(seen.cell[0][i] * axis[1].cells + seen.cell[1][j]) * axis[2].cells + seen.cell[2][k]] +=
                    seen.weight[0][i] * seen.weight[1][j] * seen.weight[2][k] * value;
}

/* Scatter-adds the values of one plane to its pixels, where cells and pixels are the same.
   [in] value, pixel (n): any strides  [in, out] zeros (cells): scratch, zeros on return too, if the plane is to be
   written by non-temporal stores; or NULL, to write it directly */
static void APPLY_SPECIFIC(scatter_add_plane)(const char *value, npy_intp value_stride, const char *pixel,
                                              npy_intp pixel_stride, npy_intp n, npy_intp cells, FEATURE *zeros,
                                              FEATURE *plane)
{
    FEATURE *to = zeros != NULL ? zeros : plane;
    npy_intp l;
    if (zeros == NULL)
        memset(plane, 0, cells * sizeof(FEATURE));
    for (l = 0; l < n; ++l) {
        const npy_int64 at = *(const npy_int64 *)(pixel + l * pixel_stride);
        if (at >= 0)
            to[at] += *(const FEATURE *)(value + l * value_stride);
    }
    if (zeros != NULL) {
        APPLY_SPECIFIC(store_features)(zeros, cells, 1, plane);
        for (l = 0; l < n; ++l) {
            const npy_int64 at = *(const npy_int64 *)(pixel + l * pixel_stride);
            if (at >= 0)
                zeros[at] = 0;
        }
        SPP_NONTEMPORAL_FENCE();
    }
}

/* [in]  values (batch, channels, n), pixels (batch, channels, n) int64, spatial_shape (axes) int64,
         map_shape (axes) int64
   [out] feature_map (batch, channels, *spatial_shape): for each cell, the sum of what its pixels contribute */
int APPLY_SPECIFIC(put_pixels)(PyArrayObject *values, PyArrayObject *pixels, PyArrayObject *spatial_shape,
                               PyArrayObject *map_shape, PyArrayObject **feature_map, PARAMS_TYPE *params)
{
    const char *op = "PutPixels";
    /* The op knows the length of one of them; if the other has another length, that is an error below. */
    const int naxes = (int)spp_minimum(PyArray_DIM(map_shape, 0), PyArray_DIM(spatial_shape, 0));
    const npy_intp channels = PyArray_DIM(pixels, 1), n = PyArray_DIM(pixels, 2);
    const int threads = spp_number_of_threads();
    npy_intp shape[5] = {PyArray_DIM(pixels, 0), channels, 0, 0, 0};
    npy_intp spatial[3];
    const int resize = params->resize != SPP_RESIZE_NONE;
    npy_intp cells, plane;
    int nontemporal;
    double *sums = NULL;
    SppSampling sampling;

    if (spp_read_sizes(op, "map_shape", map_shape, naxes, spatial) != 0
            || spp_read_sizes(op, "spatial_shape", spatial_shape, naxes, shape + 2) != 0
            || spp_check_like_pixels(op, "values", values, pixels, 3) != 0
            || spp_check_pixels(op, pixels, spp_product(spatial, naxes)) != 0
            || spp_check_sampling(op, "spatial_shape", resize, naxes, shape + 2, spatial) != 0
            || spp_prepare_cells(op, feature_map, 2 + naxes, shape, TYPENUM_INPUT_0) != 0)
        return -1;
    cells = spp_product(shape + 2, naxes);
    if (PyArray_SIZE(pixels) == 0 || spp_product(spatial, naxes) == 0 || cells == 0) {
        PyArray_FILLWBYTE(*feature_map, 0);
        return 0;
    }
    if (spp_sample(op, naxes, shape + 2, spatial, params->resize == SPP_BILINEAR, &sampling) != 0)
        return -1;
    nontemporal = SPP_STORE_BYTES > 0 && PyArray_NBYTES(*feature_map) >= SPP_NONTEMPORAL_MINIMUM
             && cells * (npy_intp)sizeof(FEATURE) <= SPP_SCATTER_PLANE;
    sums = (double *)spp_allocate(op, resize || nontemporal ? cells : 0, "cells", threads, sizeof(double));
    if (sums == NULL) {
        spp_free_sampling(&sampling);
        return -1;
    }

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(*feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (plane = 0; plane < shape[0] * channels; ++plane) {
        FEATURE *features = (FEATURE *)PyArray_DATA(*feature_map) + plane * cells;
        double *sum = resize || nontemporal ? sums + spp_thread_number() * cells : NULL;
        npy_intp i, l;
        if (!resize) {
            APPLY_SPECIFIC(scatter_add_plane)(
                (const char *)PyArray_GETPTR2(values, plane / channels, plane % channels), PyArray_STRIDE(values, 2),
                (const char *)PyArray_GETPTR2(pixels, plane / channels, plane % channels), PyArray_STRIDE(pixels, 2), n,
                cells, (FEATURE *)sum, features);
            continue;
        }
        memset(sum, 0, cells * sizeof(double));
        for (l = 0; l < n; ++l) {
            const npy_int64 pixel = *(npy_int64 *)PyArray_GETPTR3(pixels, plane / channels, plane % channels, l);
            if (pixel >= 0)
                APPLY_SPECIFIC(scatter_add_cells)(
                    *(FEATURE *)PyArray_GETPTR3(values, plane / channels, plane % channels, l),
                    &sampling, pixel, sum);
        }
        for (i = 0; i < cells; ++i)
            features[i] = (FEATURE)sum[i];
    }
    free(sums);
    spp_free_sampling(&sampling);
    return 0;
}
