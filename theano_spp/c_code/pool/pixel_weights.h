#section support_code
/* What the ops with pixel weights say of shapes that do not agree; the same sentences as in reference.py. */
#ifndef SPP_PIXEL_WEIGHTS
#define SPP_PIXEL_WEIGHTS

#define SPP_WEIGHTS_OF_MAP \
    "one weight for each pixel is wanted, (batch, *spatial) (use pixel_weights * T.ones_like(superpixel_map)" \
    " for weights that repeat)"
#define SPP_POOLED_OF_FEATURES \
    "(batch, channels, *spatial) and (batch, channels, n_superpixels) must agree in channels: give one value" \
    " for each channel and superpixel"

/* Sets the ValueError that tells both shapes. Returns -1. */
static inline int spp_shapes_error(const char *op, const char *argument, PyArrayObject *array,
                                   const char *other_argument, PyArrayObject *other, const char *wanted)
{
    PyObject *shape = PyObject_GetAttrString((PyObject *)array, "shape");
    PyObject *other_shape = PyObject_GetAttrString((PyObject *)other, "shape");
    if (shape != NULL && other_shape != NULL)
        PyErr_Format(PyExc_ValueError, "%s: %s has shape %R, but %s has shape %R; %s",
                     op, argument, shape, other_argument, other_shape, wanted);
    Py_XDECREF(shape);
    Py_XDECREF(other_shape);
    return -1;
}

/* 0, or -1 with a ValueError that tells both shapes. */
static inline int spp_check_weights(const char *op, PyArrayObject *pixel_weights, PyArrayObject *superpixel_map)
{
    if (PyArray_SAMESHAPE(pixel_weights, superpixel_map))
        return 0;
    return spp_shapes_error(op, "pixel_weights", pixel_weights, "superpixel_map", superpixel_map, SPP_WEIGHTS_OF_MAP);
}

#endif
