#include "memory/errors.h"

#section support_code
/* Whether shapes agree, and sizes are sizes. */
#ifndef SPP_CHECKS
#define SPP_CHECKS

/* 0, or -1 with a ValueError that names both shapes. [in] agreement: a key of messages.AGREEMENTS */
static inline int spp_check_shapes(const char *op, const char *argument, PyArrayObject *array,
                                   PyArrayObject *superpixel_map, const char *agreement)
{
    const int in_space = strncmp(agreement, "in space", 8) == 0;
    int agree = PyArray_DIM(superpixel_map, 0) == 1 || PyArray_DIM(superpixel_map, 0) == PyArray_DIM(array, 0);
    int axis;
    for (axis = 1; in_space && axis < PyArray_NDIM(superpixel_map); ++axis)
        agree = agree && PyArray_DIM(array, axis + 1) == PyArray_DIM(superpixel_map, axis);
    return agree ? 0 : spp_raise("check_shapes", "(ssOOs)", op, argument, array, superpixel_map, agreement);
}

/* 0, or -1 with a ValueError unless there is one weight for each pixel of `batch` images, or of one for all. */
static inline int spp_check_weights(const char *op, PyArrayObject *pixel_weights, PyArrayObject *superpixel_map,
                                    npy_intp batch)
{
    const npy_intp images = PyArray_DIM(pixel_weights, 0);
    return (images == 1 || images == batch)
                   && PyArray_CompareLists(PyArray_DIMS(pixel_weights) + 1, PyArray_DIMS(superpixel_map) + 1,
                                           PyArray_NDIM(superpixel_map) - 1)
        ? 0 : spp_raise("check_weights", "(sOOn)", op, pixel_weights, superpixel_map, (Py_ssize_t)batch);
}

/* A vector of sizes -> sizes (naxes), whose product fits into npy_intp. Returns 0, or -1 with a ValueError if they
   cannot be sizes. */
static inline int spp_read_sizes(const char *op, const char *argument, PyArrayObject *vector, int naxes,
                                 npy_intp *sizes)
{
    int good = PyArray_DIM(vector, 0) == naxes, is_empty = 0;
    npy_intp product = 1;
    int axis;
    for (axis = 0; good && axis < naxes; ++axis) {
        sizes[axis] = (npy_intp)*(npy_int64 *)PyArray_GETPTR1(vector, axis);
        is_empty |= sizes[axis] == 0;
        good = sizes[axis] >= 0;
    }
    for (axis = 0; good && !is_empty && axis < naxes; ++axis)
        good = !__builtin_mul_overflow(product, sizes[axis], &product);
    return good ? 0 : spp_raise("as_sizes", "(ssOi)", op, argument, vector, naxes);
}

/* The value of the scalar, or -1 with a ValueError if it is negative. */
static inline npy_intp spp_n_superpixels(const char *op, PyArrayObject *n_superpixels)
{
    const npy_int64 n = *(npy_int64 *)PyArray_DATA(n_superpixels);
    return n >= 0 ? (npy_intp)n : spp_raise("check_n_superpixels", "(sL)", op, (long long)n);
}

#endif
