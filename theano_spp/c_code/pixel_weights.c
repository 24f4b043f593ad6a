#section support_code
/* What the ops with pixel weights say of shapes that do not agree; the same sentences as in reference.py.
   They have words of their own, because with weights nothing is resized. */
#ifndef SPP_PIXEL_WEIGHTS
#define SPP_PIXEL_WEIGHTS

#define SPP_FEATURES_OF_MAP \
    "(batch, channels, *spatial) and (batch, *spatial) must agree in batch and spatial sizes: resize the" \
    " superpixel map to the features by nearest neighbour (pixel_weights go with resize=None)"
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

/* array: (batch, *spatial) as superpixel_map, or (batch, channels, *spatial). 0, or -1 with a ValueError. */
static inline int spp_check_pixels_of_map(const char *op, const char *argument, PyArrayObject *array,
                                          PyArrayObject *superpixel_map, const char *wanted)
{
    const int channel_axes = PyArray_NDIM(array) - PyArray_NDIM(superpixel_map);
    int agree = PyArray_DIM(array, 0) == PyArray_DIM(superpixel_map, 0);
    int axis;
    for (axis = 1; axis < PyArray_NDIM(superpixel_map); ++axis)
        agree = agree && PyArray_DIM(array, axis + channel_axes) == PyArray_DIM(superpixel_map, axis);
    return agree ? 0 : spp_shapes_error(op, argument, array, "superpixel_map", superpixel_map, wanted);
}

#endif
