#include "memory/errors.h"

#section support_code
/* Results: their memory, reused from call to call, and its layout. */
#ifndef SPP_RESULTS
#define SPP_RESULTS

#if NPY_ABI_VERSION < 0x02000000
#define PyDataType_ELSIZE(dtype) ((dtype)->elsize)  /* NumPy 2 hides the field */
#endif

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
        spp_strides_channels_last(ndim, shape, PyDataType_ELSIZE(dtype), strides);
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

/* In C order or with channels_last. [in] what: a key of messages.MEMORY_FOR, the things of which there are `count`
   Returns 0, or -1 with a MemoryError. */
static inline int spp_prepare(const char *op, const char *what, npy_intp count, PyArrayObject **output, int ndim,
                              const npy_intp *shape, int typenum, int channels_last)
{
    if (spp_fit_output(output, ndim, shape, typenum, channels_last) == 0)
        return 0;
    spp_memory_error(op, count, what);
    return -1;
}

/* The same, for a result with n_superpixels. */
static inline int spp_prepare_layout(const char *op, npy_intp n_superpixels, PyArrayObject **output,
                                     int ndim, const npy_intp *shape, int typenum, int channels_last)
{
    return spp_prepare(op, "superpixels", n_superpixels, output, ndim, shape, typenum, channels_last);
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

#endif
