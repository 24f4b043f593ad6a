#section support_code_struct
/* Reads spatial sizes from a vector on the host. Returns 0, or -1 without an error set if there are not `naxes`
   sizes, one is negative, or their product overflows int64. */
int APPLY_SPECIFIC(read_sizes)(PyArrayObject *vector, unsigned int naxes, size_t *sizes)
{
    size_t product = 1;
    unsigned int axis;
    if (PyArray_DIM(vector, 0) != (npy_intp)naxes)
        return -1;
    for (axis = 0; axis < naxes; ++axis) {
        const npy_int64 size = *(npy_int64 *)PyArray_GETPTR1(vector, axis);
        if (size < 0 || (size > 0 && product > (size_t)NPY_MAX_INT64 / (size_t)size))
            return -1;
        sizes[axis] = (size_t)size;
        product *= size > 0 ? (size_t)size : 1;
    }
    return 0;
}
