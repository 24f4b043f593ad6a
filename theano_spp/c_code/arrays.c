#section support_code
/* What every op needs to know of its arrays: how they lie in memory, whether their shapes agree,
   where results and intermediate values go.
   The guard is for linker='c', which puts the code of several ops in one file. */
#ifndef SPP_ARRAYS
#define SPP_ARRAYS

#include <stdlib.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/* Below this many values read or written, starting threads costs more than it saves. */
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

/* Whether pixels follow each other in memory in row-major order, without gaps. */
static inline int spp_lies_in_order(const SppGrid *grid, const SppStrides *walk, size_t itemsize)
{
    const npy_intp item = (npy_intp)itemsize;
    return (grid->length < 2 || walk->pixel == item)
           && (grid->rows[1] < 2 || walk->row[1] == grid->length * item)
           && (grid->rows[0] < 2 || walk->row[0] == grid->rows[1] * grid->length * item);
}

/* Copies `count` pixels from row-major number `first` on, whatever their strides. */
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

static inline void spp_memory_error(const char *op, npy_intp n_superpixels)
{
    PyErr_Format(PyExc_MemoryError,
                 "%s: no memory for %lld superpixels (number labels that have gaps anew from 0"
                 " with theano_spp.label_tools.relabel_sequential)",
                 op, (long long)n_superpixels);
}

/* Zeroed memory for count x width items; NULL and MemoryError if that is too much. */
static inline void *spp_scratch(const char *op, npy_intp count, npy_intp width, size_t itemsize)
{
    void *memory = NULL;
    count = spp_maximum(count, 1);
    width = spp_maximum(width, 1);
    if (count <= NPY_MAX_INTP / width / (npy_intp)itemsize)
        memory = calloc((size_t)count * (size_t)width, itemsize);
    if (memory == NULL)
        spp_memory_error(op, count);
    return memory;
}

/* The first address from `memory` on where a cache line begins. */
static inline double *spp_align(double *memory)
{
    return (double *)(((npy_uintp)memory + 63) / 64 * 64);
}

/* How many channels make a block: `most`, or fewer where that gives each thread as many blocks as the others. */
static inline npy_intp spp_block_width(npy_intp batch, npy_intp channels, npy_intp most, int threads)
{
    npy_intp blocks = spp_maximum(spp_ceil_divide(channels, most), 1);
    if (batch * blocks % threads != 0 && batch * blocks < 8 * threads)
        blocks = spp_ceil_divide(blocks, threads) * threads;
    return spp_maximum(spp_ceil_divide(channels, blocks), 1);
}

/* In what an array and superpixel_map (batch, *spatial) must agree. */
typedef enum {
    SPP_AGREE_IN_SPACE,          /* array (batch, channels, *spatial) */
    SPP_AGREE_IN_BATCH,          /* array (batch, channels, *cells) */
    SPP_POOLED_AGREES_IN_BATCH,  /* array (batch, channels, n_superpixels) */
} SppAgreement;

/* 0, or -1 with a ValueError that tells both shapes. */
static inline int spp_check_shapes(const char *op, const char *argument, PyArrayObject *array,
                                   PyArrayObject *superpixel_map, SppAgreement agreement)
{
    int agree = PyArray_DIM(array, 0) == PyArray_DIM(superpixel_map, 0);
    int axis;
    for (axis = 1; agreement == SPP_AGREE_IN_SPACE && axis < PyArray_NDIM(superpixel_map); ++axis)
        agree = agree && PyArray_DIM(array, axis + 1) == PyArray_DIM(superpixel_map, axis);
    if (!agree) {
        PyObject *array_shape = PyObject_GetAttrString((PyObject *)array, "shape");
        PyObject *map_shape = PyObject_GetAttrString((PyObject *)superpixel_map, "shape");
        const char *wanted[] = {
            "(batch, channels, *spatial) and (batch, *spatial) must agree in batch and spatial sizes:"
            " resize the superpixel map to the features by nearest neighbour, or have superpixel_pool"
            " resize the features: resize='bilinear' or resize='nearest'",
            "(batch, channels, *cells) and (batch, *spatial) must agree in batch:"
            " give one superpixel map for each item",
            "(batch, channels, n_superpixels) and (batch, *spatial) must agree in batch:"
            " give one superpixel map for each item"};
        if (array_shape != NULL && map_shape != NULL)
            PyErr_Format(PyExc_ValueError, "%s: %s has shape %R, but superpixel_map has shape %R; %s",
                         op, argument, array_shape, map_shape, wanted[agreement]);
        Py_XDECREF(array_shape);
        Py_XDECREF(map_shape);
        return -1;
    }
    return 0;
}

/* A vector of sizes -> sizes (naxes); 0, or -1 with a ValueError if these cannot be sizes. */
static inline int spp_read_sizes(const char *op, const char *argument, PyArrayObject *vector, int naxes,
                                 npy_intp *sizes)
{
    int axis;
    if (PyArray_DIM(vector, 0) != naxes) {
        PyErr_Format(PyExc_ValueError, "%s: %s has %lld sizes, but %d are wanted (one for each spatial axis)",
                     op, argument, (long long)PyArray_DIM(vector, 0), naxes);
        return -1;
    }
    for (axis = 0; axis < naxes; ++axis) {
        sizes[axis] = (npy_intp)*(npy_int64 *)PyArray_GETPTR1(vector, axis);
        if (sizes[axis] < 0) {
            PyErr_Format(PyExc_ValueError, "%s: %s[%d] is %lld, but must not be negative (give sizes)",
                         op, argument, axis, (long long)sizes[axis]);
            return -1;
        }
    }
    return 0;
}

/* Reuses *output only if shape AND C order fit: right shape alone may hide any strides. */
static inline int spp_prepare_output(const char *op, npy_intp n_superpixels, PyArrayObject **output,
                                     int ndim, const npy_intp *shape, int typenum)
{
    if (*output != NULL && PyArray_NDIM(*output) == ndim && PyArray_TYPE(*output) == typenum
            && PyArray_CompareLists(PyArray_DIMS(*output), (npy_intp *)shape, ndim)
            && PyArray_IS_C_CONTIGUOUS(*output) && PyArray_ISBEHAVED(*output))
        return 0;
    Py_XDECREF(*output);
    *output = (PyArrayObject *)PyArray_EMPTY(ndim, (npy_intp *)shape, typenum, 0);
    if (*output == NULL) {  /* NumPy's own error names neither op nor cure */
        PyErr_Clear();
        spp_memory_error(op, n_superpixels);
        return -1;
    }
    return 0;
}

/* -1 and ValueError if the scalar is negative. */
static inline npy_intp spp_n_superpixels(const char *op, PyArrayObject *n_superpixels)
{
    npy_int64 n = *(npy_int64 *)PyArray_DATA(n_superpixels);
    if (n < 0) {
        PyErr_Format(PyExc_ValueError,
                     "%s: n_superpixels is %lld, but must not be negative"
                     " (give the largest label + 1, or None to have it counted)", op, (long long)n);
        return -1;
    }
    return (npy_intp)n;
}

#endif
