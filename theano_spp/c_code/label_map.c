#section support_code
#ifndef SPP_LABEL_MAP
#define SPP_LABEL_MAP

/* Pixels are looked at in windows of this many, in row-major order: whether a pixel's label differs from
   that of the pixel before it is a bit of its window's `starts`. */
#define SPP_WINDOW 16
#define SPP_STRIP 1024  /* pixels whose labels are read at a time, in windows */

/* changes (SPP_WINDOW), each 0 or 1 -> bit i for pixel i */
static inline unsigned spp_pack_bits(const npy_uint8 *changes)
{
    unsigned bits = 0;
#if NPY_BYTE_ORDER == NPY_LITTLE_ENDIAN
    int half;
    for (half = 0; half < SPP_WINDOW; half += 8) {
        npy_uint64 eight;
        memcpy(&eight, changes + half, 8);
        /* adds up the eight bytes, each shifted so that byte i ends as bit 56 + i */
        bits |= (unsigned)(eight * 0x0102040810204080ULL >> 56) << half;
    }
#else
    int i;
    for (i = 0; i < SPP_WINDOW; ++i)
        bits |= (unsigned)changes[i] << i;
#endif
    return bits;
}

/* The number of the lowest bit that is set; bits must not be 0. */
static inline int spp_lowest_bit(unsigned bits) { return __builtin_ctz(bits); }

/* "superpixel_map[1, 4, 7]" of the pixel with this row-major number, for error texts. */
static inline PyObject *spp_place(PyArrayObject *superpixel_map, npy_intp pixel)
{
    PyObject *index = PyTuple_New(PyArray_NDIM(superpixel_map));
    PyObject *inside = NULL;
    PyObject *place = NULL;
    int axis;
    if (index == NULL)
        return NULL;
    for (axis = PyArray_NDIM(superpixel_map) - 1; axis >= 0; --axis) {
        npy_intp size = PyArray_DIM(superpixel_map, axis);
        PyTuple_SET_ITEM(index, axis, PyLong_FromLongLong(pixel % size));
        pixel /= size;
    }
    inside = PyObject_Repr(index);
    if (inside != NULL) {
        Py_ssize_t end = PyUnicode_GetLength(inside) - 1;
        PyObject *bare = PyUnicode_Substring(inside, 1, end);
        if (bare != NULL)
            place = PyUnicode_FromFormat("superpixel_map[%U]", bare);
        Py_XDECREF(bare);
        Py_DECREF(inside);
    }
    Py_DECREF(index);
    return place;
}

#endif

#section support_code_apply
/* What a label map is: which labels are allowed, how many pixels each superpixel has.
   These walks see the labels themselves and are typed: LABEL is their C type. */

/* Written so that no compiler warns of an unsigned label compared with zero. */
#define SPP_LABEL_IS_SIGNED ((LABEL)-1 < (LABEL)1)
#define SPP_IS_NONE(label) (SPP_LABEL_IS_SIGNED && (label) < (LABEL)1 && (label) != (LABEL)0)

/* How many of the pixels from `labels` on carry the first one's label. */
static inline npy_intp APPLY_SPECIFIC(run_length)(const char *labels, npy_intp stride, npy_intp length)
{
    const LABEL first = *(const LABEL *)labels;
    npy_intp run = 1;
    while (run < length && *(const LABEL *)(labels + run * stride) == first)
        ++run;
    return run;
}

/* The labels of `count` pixels from row-major number `first` on: where they lie, or copied to `strip`. */
static inline const LABEL *APPLY_SPECIFIC(labels_from)(const char *labels, const SppGrid *grid,
                                                       const SppStrides *walk, npy_intp first, npy_intp count,
                                                       LABEL *strip)
{
    if (spp_lies_in_order(grid, walk, sizeof(LABEL)))
        return (const LABEL *)labels + first;
    SPP_COPY_PIXELS(LABEL, labels, grid, walk, first, count, strip);
    return strip;
}

/* Counts the pixels of each superpixel of one image and notes where they are.
   [in] labels: first pixel  [in, out] sizes (n_superpixels): added to
   [out] starts (windows): bit i is set where pixel i differs from the pixel before it, or NULL
         last (n_superpixels): row-major number of the last pixel, or NULL
   Returns -1, or the row-major number of the first pixel whose label is >= n_superpixels. */
static npy_intp APPLY_SPECIFIC(count_image)(const char *labels, const SppGrid *grid,
                                            const SppStrides *walk, npy_intp n_superpixels,
                                            npy_int64 *sizes, npy_uint16 *starts, npy_intp *last)
{
    const npy_intp pixels = grid->rows[0] * grid->rows[1] * grid->length;
    LABEL strip[SPP_STRIP];
    npy_uint8 changes[SPP_STRIP];
    LABEL label = (LABEL)0;  /* of the run that goes on */
    npy_intp run = 0;        /* where it began */
    npy_intp first, w, i;
    for (first = 0; first < pixels; first += SPP_STRIP) {
        const npy_intp count = spp_minimum(SPP_STRIP, pixels - first);
        const LABEL *here = APPLY_SPECIFIC(labels_from)(labels, grid, walk, first, count, strip);
        changes[0] = first == 0 || here[0] != label;
        for (i = 1; i < count; ++i)
            changes[i] = here[i] != here[i - 1];
        for (i = count; i % SPP_WINDOW != 0; ++i)
            changes[i] = 0;
        for (w = 0; w * SPP_WINDOW < count; ++w) {
            unsigned bits = spp_pack_bits(changes + w * SPP_WINDOW);
            if (starts != NULL)
                *starts++ = (npy_uint16)bits;
            for (; bits != 0; bits &= bits - 1) {
                const npy_intp at = w * SPP_WINDOW + spp_lowest_bit(bits);
                if (run < first + at && !SPP_IS_NONE(label)) {
                    sizes[(npy_intp)label] += first + at - run;
                    if (last != NULL)
                        last[(npy_intp)label] = first + at - 1;
                }
                label = here[at];
                run = first + at;
                if (!SPP_IS_NONE(label) && (npy_uint64)label >= (npy_uint64)n_superpixels)
                    return run;
            }
        }
    }
    if (pixels > 0 && !SPP_IS_NONE(label)) {
        sizes[(npy_intp)label] += pixels - run;
        if (last != NULL)
            last[(npy_intp)label] = pixels - 1;
    }
    return -1;
}

/* The label at a row-major pixel number of the whole batch, as a Python int. */
static PyObject *APPLY_SPECIFIC(label_at)(PyArrayObject *superpixel_map, npy_intp pixel)
{
    const char *place = PyArray_BYTES(superpixel_map);
    LABEL label;
    int axis;
    for (axis = PyArray_NDIM(superpixel_map) - 1; axis >= 0; --axis) {
        npy_intp size = PyArray_DIM(superpixel_map, axis);
        place += pixel % size * PyArray_STRIDE(superpixel_map, axis);
        pixel /= size;
    }
    label = *(const LABEL *)place;
    return SPP_LABEL_IS_SIGNED ? PyLong_FromLongLong((long long)label)
                               : PyLong_FromUnsignedLongLong((unsigned long long)label);
}

/* Sets the IndexError for the label at this row-major pixel number of the batch.
   limit_name: what holds the number of superpixels, "n_superpixels is" or "pooled holds". */
static void APPLY_SPECIFIC(label_error)(const char *op, PyArrayObject *superpixel_map, npy_intp pixel,
                                        npy_intp n_superpixels, const char *limit_name)
{
    PyObject *place = spp_place(superpixel_map, pixel);
    PyObject *label = APPLY_SPECIFIC(label_at)(superpixel_map, pixel);
    PyObject *allowed = n_superpixels > 0
        ? PyUnicode_FromFormat("labels are 0..%lld", (long long)n_superpixels - 1)
        : PyUnicode_FromString("no label is valid");
    if (place != NULL && label != NULL && allowed != NULL)
        PyErr_Format(PyExc_IndexError, "%s: %U is %S, but %s %lld (%U; %s,"
                     " theano_spp.label_tools.relabel_sequential for ids with gaps)",
                     op, place, label, limit_name, (long long)n_superpixels, allowed,
                     SPP_LABEL_IS_SIGNED
                     ? "use -1 for pixels that belong to none"
                     : "for pixels that belong to none use -1 in a signed dtype");
    Py_XDECREF(place);
    Py_XDECREF(label);
    Py_XDECREF(allowed);
}

/* Checks every label and counts the pixels of every superpixel, image by image.
   [out] sizes (batch, n_superpixels), zeroed by the caller
   [out] starts (batch, windows), last (batch, n_superpixels): as of count_image, or NULL
   Returns 0, or -1 with an IndexError that names the first bad label. */
static int APPLY_SPECIFIC(find_runs)(const char *op, const char *limit_name,
                                     PyArrayObject *superpixel_map, npy_intp n_superpixels,
                                     npy_int64 *sizes, npy_uint16 *starts, npy_intp *last)
{
    const npy_intp batch = PyArray_DIM(superpixel_map, 0);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const npy_intp pixels = spp_product(PyArray_DIMS(superpixel_map) + 1, naxes);
    const npy_intp windows = spp_ceil_divide(pixels, SPP_WINDOW);
    const char *labels = PyArray_BYTES(superpixel_map);
    npy_intp first_bad = -1;
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides walk = spp_strides(naxes, PyArray_STRIDES(superpixel_map) + 1);
    npy_intp image;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (batch * pixels >= SPP_PARALLEL_MINIMUM)
    #endif
    for (image = 0; image < batch; ++image) {
        npy_intp bad = APPLY_SPECIFIC(count_image)(
            labels + image * PyArray_STRIDE(superpixel_map, 0), &grid, &walk, n_superpixels,
            sizes + image * n_superpixels, starts == NULL ? NULL : starts + image * windows,
            last == NULL ? NULL : last + image * n_superpixels);
        if (bad >= 0) {
            #ifdef _OPENMP
            #pragma omp critical(spp_first_bad_label)
            #endif
            if (first_bad < 0 || image * pixels + bad < first_bad)
                first_bad = image * pixels + bad;
        }
    }
    if (first_bad >= 0) {
        APPLY_SPECIFIC(label_error)(op, superpixel_map, first_bad, n_superpixels, limit_name);
        return -1;
    }
    return 0;
}

static inline int APPLY_SPECIFIC(count_labels)(const char *op, const char *limit_name,
                                               PyArrayObject *superpixel_map, npy_intp n_superpixels,
                                               npy_int64 *sizes)
{
    return APPLY_SPECIFIC(find_runs)(op, limit_name, superpixel_map, n_superpixels, sizes, NULL, NULL);
}
