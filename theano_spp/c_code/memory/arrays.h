#include "memory/errors.h"

#section support_code
/* The arrays of an op: how they lie in memory, whether their shapes agree, and where results and intermediate values
   go.
   The guard is for linker='c', which puts the code of several ops into one file. */
#ifndef SPP_ARRAYS
#define SPP_ARRAYS

#include <stdlib.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/* Below this number of values read or written, starting threads costs more than it saves. */
#define SPP_PARALLEL_MINIMUM 100000

/* The spatial axes as rows[0] x rows[1] rows of `length` pixels, in row-major order. */
typedef struct {
    npy_intp rows[2];
    npy_intp length;
} SppGrid;

/* Bytes from row to row and from pixel to pixel of one array on that grid. */
typedef struct {
    npy_intp row[2];
    npy_intp pixel;
} SppStrides;

static inline int spp_number_of_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

static inline int spp_thread_number(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

static inline npy_intp spp_minimum(npy_intp a, npy_intp b) { return a < b ? a : b; }
static inline npy_intp spp_maximum(npy_intp a, npy_intp b) { return a > b ? a : b; }
static inline npy_intp spp_ceil_divide(npy_intp a, npy_intp b) { return a / b + (a % b != 0); }

/* [in] naxes 1..3, shape (naxes) */
static inline SppGrid spp_grid(int naxes, const npy_intp *shape)
{
    SppGrid grid;
    grid.rows[0] = naxes > 2 ? shape[naxes - 3] : 1;
    grid.rows[1] = naxes > 1 ? shape[naxes - 2] : 1;
    grid.length = shape[naxes - 1];
    return grid;
}

/* [in] naxes 1..3, strides (naxes) in bytes */
static inline SppStrides spp_strides(int naxes, const npy_intp *strides)
{
    SppStrides walk;
    walk.row[0] = naxes > 2 ? strides[naxes - 3] : 0;
    walk.row[1] = naxes > 1 ? strides[naxes - 2] : 0;
    walk.pixel = strides[naxes - 1];
    return walk;
}

/* Whether pixels, in row-major order, are evenly spaced: each `walk->pixel` bytes after the one before. */
static inline int spp_is_evenly_strided(const SppGrid *grid, const SppStrides *walk)
{
    return (grid->rows[1] < 2 || walk->row[1] == grid->length * walk->pixel)
           && (grid->rows[0] < 2 || walk->row[0] == grid->rows[1] * grid->length * walk->pixel);
}

/* Whether pixels are contiguous in row-major order. */
static inline int spp_is_contiguous(const SppGrid *grid, const SppStrides *walk, size_t itemsize)
{
    const npy_intp item = (npy_intp)itemsize;
    return (grid->length < 2 || walk->pixel == item)
           && (grid->rows[1] < 2 || walk->row[1] == grid->length * item)
           && (grid->rows[0] < 2 || walk->row[0] == grid->rows[1] * grid->length * item);
}

/* Copies `count` pixels, the first of which has the row-major number `first`, whatever their strides. */
#define SPP_COPY_PIXELS(TYPE, array, grid, walk, first, count, to)                                          \
    do {                                                                                                    \
        npy_intp spp_row = (first) / (grid)->length, spp_x = (first) % (grid)->length, spp_i = 0;           \
        for (; spp_i < (count); ++spp_row, spp_x = 0) {                                                     \
            const char *spp_at = (array) + spp_row / (grid)->rows[1] * (walk)->row[0]                       \
                                 + spp_row % (grid)->rows[1] * (walk)->row[1];                              \
            for (; spp_x < (grid)->length && spp_i < (count); ++spp_x, ++spp_i)                             \
                (to)[spp_i] = *(const TYPE *)(spp_at + spp_x * (walk)->pixel);                              \
        }                                                                                                   \
    } while (0)

static inline npy_intp spp_product(const npy_intp *shape, int ndim)
{
    return PyArray_MultiplyList((npy_intp *)shape, ndim);
}

/* The number of pixels of one image of superpixel_map (batch, *spatial): 0 if the map is empty, however large its
   other sizes are. */
static inline npy_intp spp_image_pixels(PyArrayObject *superpixel_map)
{
    return PyArray_SIZE(superpixel_map) == 0
        ? 0 : spp_product(PyArray_DIMS(superpixel_map) + 1, PyArray_NDIM(superpixel_map) - 1);
}

/* Zeroed memory for count x width items, or NULL if there is not enough; needs no interpreter. The product is
   checked, because a product that overflows might look like a small size. */
static inline void *spp_zeros(npy_intp count, npy_intp width, size_t itemsize)
{
    if (count < 1 || width < 1)
        return calloc(1, itemsize);  /* nothing is stored there, but NULL would mean an error */
    if (count > NPY_MAX_INTP / width / (npy_intp)itemsize)
        return NULL;
    return calloc((size_t)count * (size_t)width, itemsize);
}

/* As spp_zeros, with a MemoryError. [in] what: a key of messages.MEMORY_FOR, the things of which there are `count` */
static inline void *spp_allocate(const char *op, npy_intp count, const char *what, npy_intp width,
                                 size_t itemsize)
{
    void *memory = spp_zeros(count, width, itemsize);
    if (memory == NULL)
        spp_memory_error(op, count, what);
    return memory;
}

static inline void *spp_scratch(const char *op, npy_intp n_superpixels, npy_intp width, size_t itemsize)
{
    return spp_allocate(op, n_superpixels, "superpixels", width, itemsize);
}

/* Makes room for more than twice as many items. Returns 0, or -1 if there is no memory: then nothing has changed. */
static inline int spp_grow(void **items, npy_intp *capacity, size_t itemsize)
{
    const npy_intp wanted = 2 * *capacity + 64;
    void *grown = wanted > NPY_MAX_INTP / (npy_intp)itemsize ? NULL : realloc(*items, (size_t)wanted * itemsize);
    if (grown == NULL)
        return -1;
    *items = grown;
    *capacity = wanted;
    return 0;
}

#define SPP_LINE 64  /* bytes of a cache line */

/* The first address at or after `memory` that is the beginning of a cache line. */
static inline void *spp_align(void *memory)
{
    return (void *)(((npy_uintp)memory + SPP_LINE - 1) / SPP_LINE * SPP_LINE);
}

/* The number of channels in a block: `most`, or fewer if that gives every thread the same number of blocks. */
static inline npy_intp spp_block_width(npy_intp batch, npy_intp channels, npy_intp most, int threads)
{
    npy_intp blocks = spp_maximum(spp_ceil_divide(channels, most), 1);
    if (batch * blocks % threads != 0 && batch * blocks < 8 * threads)
        blocks = spp_ceil_divide(blocks, threads) * threads;
    return spp_maximum(spp_ceil_divide(channels, blocks), 1);
}

/* The first label of the map of an image: a batch of one map serves all images. */
static inline const char *spp_labels_of(PyArrayObject *superpixel_map, npy_intp image)
{
    return PyArray_BYTES(superpixel_map)
           + spp_minimum(image, PyArray_DIM(superpixel_map, 0) - 1) * PyArray_STRIDE(superpixel_map, 0);
}

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

/* Whether a result computed from this array (batch, channels, ...) should have its channels last in memory too. An
   array in C order also has them last if all axes after the channels have one item: that asks for nothing. */
static inline int spp_has_channels_last(PyArrayObject *array)
{
    return PyArray_STRIDE(array, 1) == PyArray_ITEMSIZE(array) && !PyArray_IS_C_CONTIGUOUS(array);
}

/* The strides of shape (batch, channels, *rest) if memory holds (batch, *rest, channels) in C order. */
static inline void spp_strides_channels_last(int ndim, const npy_intp *shape, npy_intp itemsize, npy_intp *strides)
{
    npy_uintp step = (npy_uintp)itemsize * (npy_uintp)shape[1];  /* unsigned: NumPy refuses what overflows */
    int axis;
    strides[1] = itemsize;
    for (axis = ndim - 1; axis >= 0; --axis)
        if (axis != 1) {
            strides[axis] = (npy_intp)step;
            step *= (npy_uintp)shape[axis];
        }
}

/* Reuses *output only if both its shape and its strides fit, because an array of the right shape can have any
   strides. C order, or channels_last.
   Returns 0, or -1 without an error set. */
static inline int spp_fit_output(PyArrayObject **output, int ndim, const npy_intp *shape, int typenum,
                                 int channels_last)
{
    npy_intp strides[NPY_MAXDIMS];
    if (channels_last)
        spp_strides_channels_last(ndim, shape, *output == NULL ? 1 : PyArray_ITEMSIZE(*output), strides);
    if (*output != NULL && PyArray_NDIM(*output) == ndim && PyArray_TYPE(*output) == typenum
            && PyArray_CompareLists(PyArray_DIMS(*output), (npy_intp *)shape, ndim) && PyArray_ISBEHAVED(*output)
            && (channels_last ? PyArray_CompareLists(PyArray_STRIDES(*output), strides, ndim)
                              : PyArray_IS_C_CONTIGUOUS(*output)))
        return 0;
    Py_XDECREF(*output);
    *output = NULL;
    if (channels_last) {
        PyArray_Descr *dtype = PyArray_DescrFromType(typenum);
        spp_strides_channels_last(ndim, shape, dtype->elsize, strides);
        *output = (PyArrayObject *)PyArray_NewFromDescr(&PyArray_Type, dtype, ndim, (npy_intp *)shape, strides, NULL, 0,
                                                        NULL);
    }
    else
        *output = (PyArrayObject *)PyArray_EMPTY(ndim, (npy_intp *)shape, typenum, 0);
    if (*output == NULL) {
        PyErr_Clear();  /* NumPy's own error names neither op nor cure */
        return -1;
    }
    return 0;
}

/* For a result with n_superpixels, in C order or with channels_last. Returns 0, or -1 with a MemoryError. */
static inline int spp_prepare_layout(const char *op, npy_intp n_superpixels, PyArrayObject **output,
                                     int ndim, const npy_intp *shape, int typenum, int channels_last)
{
    if (spp_fit_output(output, ndim, shape, typenum, channels_last) == 0)
        return 0;
    spp_memory_error(op, n_superpixels, "superpixels");
    return -1;
}

static inline int spp_prepare_output(const char *op, npy_intp n_superpixels, PyArrayObject **output,
                                     int ndim, const npy_intp *shape, int typenum)
{
    return spp_prepare_layout(op, n_superpixels, output, ndim, shape, typenum, 0);
}

/* For a result whose last axes have the sizes of spatial_shape. Returns 0, or -1 with a MemoryError. */
static inline int spp_prepare_cells(const char *op, PyArrayObject **output, int ndim, const npy_intp *shape,
                                    int typenum)
{
    if (spp_fit_output(output, ndim, shape, typenum, 0) == 0)
        return 0;
    return spp_raise("no_memory_for_result", "(sN)", op, spp_shape(ndim, shape));
}

/* The value of the scalar, or -1 with a ValueError if it is negative. */
static inline npy_intp spp_n_superpixels(const char *op, PyArrayObject *n_superpixels)
{
    const npy_int64 n = *(npy_int64 *)PyArray_DATA(n_superpixels);
    return n >= 0 ? (npy_intp)n : spp_raise("check_n_superpixels", "(sL)", op, (long long)n);
}

#endif
