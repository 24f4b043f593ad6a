#section support_code
/* C code finds what is wrong; the sentences are in theano_spp/messages.py. */
#ifndef SPP_ERRORS
#define SPP_ERRORS

/* Calls a function of theano_spp.messages, which raises. [in] format: as for Py_BuildValue, of a tuple. Returns -1. */
static int spp_raise(const char *function, const char *format, ...)
{
    PyObject *module = PyImport_ImportModule("theano_spp.messages");
    PyObject *say = module == NULL ? NULL : PyObject_GetAttrString(module, function);
    PyObject *arguments = NULL, *nothing = NULL;
    va_list values;
    va_start(values, format);
    if (say != NULL && (arguments = Py_VaBuildValue(format, values)) != NULL)
        nothing = PyObject_CallObject(say, arguments);
    va_end(values);
    if (nothing != NULL)
        PyErr_Format(PyExc_SystemError, "theano_spp: C code found an error that %s does not find", function);
    Py_XDECREF(nothing);
    Py_XDECREF(arguments);
    Py_XDECREF(say);
    Py_XDECREF(module);
    return -1;
}

/* A shape as a tuple, or NULL with an error set. */
static inline PyObject *spp_shape(int ndim, const npy_intp *sizes)
{
    PyObject *shape = PyTuple_New(ndim);
    int axis;
    for (axis = 0; shape != NULL && axis < ndim; ++axis)
        PyTuple_SET_ITEM(shape, axis, PyLong_FromLongLong((long long)sizes[axis]));
    return shape;
}

/* [in] what: a key of messages.MEMORY_FOR */
static inline void spp_memory_error(const char *op, npy_intp count, const char *what)
{
    spp_raise("no_memory", "(sLs)", op, (long long)count, what);
}

#endif
