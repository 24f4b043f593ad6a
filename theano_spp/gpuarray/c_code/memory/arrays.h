#include "../../c_code/memory/errors.h"

#section support_code
/* Sizes, checks and results of an op. */
#ifndef SPP_GPU_ARRAYS
#define SPP_GPU_ARRAYS

static inline size_t spp_gpu_product(const size_t *sizes, unsigned int count)
{
    size_t product = 1;
    while (count > 0)
        product *= sizes[--count];
    return product;
}

/* [in] first: the first axis that counts */
static inline size_t spp_gpu_pixels(PyGpuArrayObject *array, unsigned int first)
{
    return spp_gpu_product(array->ga.dimensions + first, array->ga.nd - first);
}

/* Whether there is no image, or images have no pixels. [in] array (batch, ...) */
static inline int spp_gpu_is_empty(PyGpuArrayObject *array, PyGpuArrayObject *superpixel_map)
{
    return array->ga.dimensions[0] == 0 || spp_gpu_pixels(superpixel_map, 1) == 0;
}

static inline size_t spp_gpu_ceil_divide(size_t a, size_t b) { return a / b + (a % b != 0); }

/* 0, or -1 with a ValueError unless an array (batch, ...) and superpixel_map (batch, *spatial) agree. One map serves
   all images. [in] agreement: a key of messages.AGREEMENTS */
static inline int spp_gpu_check_shapes(const char *op, const char *argument, PyGpuArrayObject *array,
                                       PyGpuArrayObject *superpixel_map, const char *agreement)
{
    const size_t *sizes = array->ga.dimensions, *map_sizes = superpixel_map->ga.dimensions;
    const int in_space = strncmp(agreement, "in space", 8) == 0;
    return (map_sizes[0] == 1 || map_sizes[0] == sizes[0])
                   && (!in_space
                       || memcmp(sizes + 2, map_sizes + 1, (superpixel_map->ga.nd - 1) * sizeof(size_t)) == 0)
        ? 0 : spp_raise("check_shapes", "(ssOOs)", op, argument, array, superpixel_map, agreement);
}

/* 0, or -1 with a ValueError unless there is one weight for each pixel of `batch` images, or of one for all. */
static inline int spp_gpu_check_weights(const char *op, PyGpuArrayObject *pixel_weights,
                                        PyGpuArrayObject *superpixel_map, size_t batch)
{
    const size_t *sizes = pixel_weights->ga.dimensions;
    return (sizes[0] == 1 || sizes[0] == batch)
                   && memcmp(sizes + 1, superpixel_map->ga.dimensions + 1,
                             (superpixel_map->ga.nd - 1) * sizeof(size_t)) == 0
        ? 0 : spp_raise("check_weights", "(sOOn)", op, pixel_weights, superpixel_map, (Py_ssize_t)batch);
}

/* The GPU counts the pixels of an image, and superpixels, in 32 bits. 0, or -1 with a ValueError. */
#define SPP_GPU_MOST 2147483646

static inline int spp_gpu_check_sizes(const char *op, PyGpuArrayObject *superpixel_map, size_t n)
{
    const size_t pixels = superpixel_map->ga.dimensions[0] > 0 ? spp_gpu_pixels(superpixel_map, 1) : 0;
    return pixels <= SPP_GPU_MOST && n <= SPP_GPU_MOST
        ? 0 : spp_raise("too_large_for_gpu", "(sKK)", op, (unsigned long long)pixels, (unsigned long long)n);
}

/* The value of the scalar, or -1 with a ValueError if it is negative, or if a GPU cannot count the superpixels or the
   pixels. */
static inline ssize_t spp_gpu_n_superpixels(const char *op, PyArrayObject *n_superpixels,
                                            PyGpuArrayObject *superpixel_map)
{
    const npy_int64 n = *(npy_int64 *)PyArray_DATA(n_superpixels);
    if (n < 0)
        return spp_raise("check_n_superpixels", "(sL)", op, (long long)n);
    return spp_gpu_check_sizes(op, superpixel_map, (size_t)n) == 0 ? (ssize_t)n : -1;
}

/* Reads spatial sizes from a vector on the host. Returns 0, or -1 with a ValueError if there are not `naxes` sizes, one
   is negative, or their product overflows int64. */
static inline int spp_gpu_read_sizes(const char *op, const char *argument, PyArrayObject *vector, unsigned int naxes,
                                     size_t *sizes)
{
    int good = PyArray_DIM(vector, 0) == (npy_intp)naxes, is_empty = 0;
    npy_int64 product = 1;
    unsigned int axis;
    for (axis = 0; good && axis < naxes; ++axis) {
        const npy_int64 size = *(npy_int64 *)PyArray_GETPTR1(vector, axis);
        sizes[axis] = (size_t)size;
        is_empty |= size == 0;
        good = size >= 0;
    }
    for (axis = 0; good && !is_empty && axis < naxes; ++axis)
        good = !__builtin_mul_overflow(product, (npy_int64)sizes[axis], &product);
    return good ? 0 : spp_raise("as_sizes", "(ssOi)", op, argument, vector, (int)naxes);
}

/* Reuses *output only if its shape, type and C order fit. Returns 0, or -1 with a MemoryError. */
static inline int spp_gpu_prepare(const char *op, PyGpuArrayObject **output, unsigned int nd, const size_t *shape,
                                  int typecode, PyGpuContextObject *context)
{
    if (*output != NULL && (*output)->ga.nd == nd && (*output)->ga.typecode == typecode
            && memcmp((*output)->ga.dimensions, shape, nd * sizeof(size_t)) == 0
            && GpuArray_IS_C_CONTIGUOUS(&(*output)->ga) && GpuArray_CHKFLAGS(&(*output)->ga, GA_BEHAVED))
        return 0;
    Py_XDECREF(*output);
    *output = pygpu_empty(nd, shape, typecode, GA_C_ORDER, context, Py_None);
    if (*output == NULL) {
        PyErr_Clear();  /* pygpu's own error names neither op nor cure */
        return spp_raise("no_memory_on_gpu", "(s)", op);
    }
    return 0;
}

/* The same, for what the ops of labels.py find: (maps, length), from the first byte of its memory, because kernels take
   it without an offset. */
static inline int spp_gpu_prepare_table(const char *op, PyGpuArrayObject **table, size_t maps, size_t length,
                                        int typecode, PyGpuContextObject *context)
{
    const size_t shape[2] = {maps, length};
    if (*table != NULL && (*table)->ga.offset != 0)
        Py_CLEAR(*table);
    return spp_gpu_prepare(op, table, 2, shape, typecode, context);
}

/* 0, or -1 with a ValueError unless an input is such a table: ops get theirs from make_node. */
static inline int spp_gpu_check_table(const char *op, const char *argument, PyGpuArrayObject *table, size_t maps,
                                      size_t length)
{
    const GpuArray *array = &table->ga;
    return array->nd == 2 && array->dimensions[0] == maps && array->dimensions[1] == length
                   && GpuArray_ITEMSIZE(array) == sizeof(npy_uint32) && array->offset == 0
                   && GpuArray_IS_C_CONTIGUOUS(array)
        ? 0 : spp_raise("wrong_table", "(ssOKK)", op, argument, table, (unsigned long long)maps,
                        (unsigned long long)length);
}

/* The same, for a result (batch, channels, n) made from an array (batch, channels, ...). */
static inline int spp_gpu_prepare_pooled(const char *op, PyGpuArrayObject **pooled, PyGpuArrayObject *array, size_t n,
                                         int typecode, PyGpuContextObject *context)
{
    const size_t shape[3] = {array->ga.dimensions[0], array->ga.dimensions[1], n};
    return spp_gpu_prepare(op, pooled, 3, shape, typecode, context);
}

/* The same, for a result (batch, channels, *spatial) made from pooled (batch, channels, n) and a superpixel map. */
static inline int spp_gpu_prepare_painted(const char *op, PyGpuArrayObject **painted, PyGpuArrayObject *pooled,
                                          PyGpuArrayObject *superpixel_map, int typecode, PyGpuContextObject *context)
{
    size_t shape[5] = {pooled->ga.dimensions[0], pooled->ga.dimensions[1], 0, 0, 0};
    memcpy(shape + 2, superpixel_map->ga.dimensions + 1, (superpixel_map->ga.nd - 1) * sizeof(size_t));
    return spp_gpu_prepare(op, painted, superpixel_map->ga.nd + 1, shape, typecode, context);
}

#endif
