#section constants
#define SPP_GROUP 256  /* threads of a group: OpenCL's work-group, CUDA's block */

#section support_code
/* What the host code of every GPU op needs: results, memory for the duration of one call, and errors, whose
   sentences are in theano_spp/messages.py. */
#ifndef SPP_GPU_ARRAYS
#define SPP_GPU_ARRAYS

/* The spatial axes of an array as rows[0] x rows[1] rows of `length` pixels, and the bytes from one to the next. */
typedef struct {
    size_t rows, length;  /* rows[1]; rows[0] follows from the number of pixels */
    ssize_t row0, row1, pixel;
} SppGpuGrid;

/* [in] first: the first of `naxes` spatial axes */
static inline SppGpuGrid spp_gpu_grid(PyGpuArrayObject *array, unsigned int first)
{
    const unsigned int naxes = array->ga.nd - first;
    const size_t *sizes = array->ga.dimensions + first;
    const ssize_t *strides = array->ga.strides + first;
    SppGpuGrid grid;
    grid.rows = naxes > 1 ? sizes[naxes - 2] : 1;
    grid.length = sizes[naxes - 1];
    grid.row0 = naxes > 2 ? strides[0] : 0;
    grid.row1 = naxes > 1 ? strides[naxes - 2] : 0;
    grid.pixel = strides[naxes - 1];
    return grid;
}

/* The same, with rows that follow each other without a gap joined into one: the offset of a pixel in the first row
   needs no division. */
static inline SppGpuGrid spp_gpu_joined_grid(PyGpuArrayObject *array, unsigned int first)
{
    const size_t *sizes = array->ga.dimensions + first;
    const ssize_t *strides = array->ga.strides + first;
    SppGpuGrid grid = spp_gpu_grid(array, first);
    unsigned int outer = array->ga.nd - first - 1;  /* axes that are not joined */
    while (outer > 0 && strides[outer - 1] == (ssize_t)grid.length * grid.pixel)
        grid.length *= sizes[--outer];
    grid.rows = outer > 0 ? sizes[outer - 1] : 1;
    grid.row0 = outer > 1 ? strides[outer - 2] : 0;
    grid.row1 = outer > 0 ? strides[outer - 1] : 0;
    return grid;
}

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

static inline size_t spp_gpu_ceil_divide(size_t a, size_t b) { return a / b + (a % b != 0); }

/* Calls a function of a module, which raises. Returns -1. */
static int spp_gpu_raise_from(const char *module_name, const char *function, const char *format, va_list values)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *say = module == NULL ? NULL : PyObject_GetAttrString(module, function);
    PyObject *arguments = NULL, *nothing = NULL;
    if (say != NULL && (arguments = Py_VaBuildValue(format, values)) != NULL)
        nothing = PyObject_CallObject(say, arguments);
    if (nothing != NULL)
        PyErr_Format(PyExc_SystemError, "theano_spp: the GPU found an error that %s does not find", function);
    Py_XDECREF(nothing);
    Py_XDECREF(arguments);
    Py_XDECREF(say);
    Py_XDECREF(module);
    return -1;
}

/* The same, of theano_spp.messages. [in] format: as for Py_BuildValue, of a tuple */
static int spp_gpu_raise(const char *function, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    spp_gpu_raise_from("theano_spp.messages", function, format, values);
    va_end(values);
    return -1;
}

/* Raises the error that the NumPy reference finds in these inputs, on the host. */
static int spp_gpu_raise_from_reference(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    spp_gpu_raise_from("theano_spp.gpuarray.errors", "of_reference", format, values);
    va_end(values);
    return -1;
}

/* How an array and superpixel_map (batch, *spatial) must agree: keys of messages.AGREEMENTS. */
#define SPP_GPU_IN_SPACE "in space"
#define SPP_GPU_IN_BATCH "in batch"
#define SPP_GPU_POOLED_IN_BATCH "pooled in batch"

/* 0, or -1 with a ValueError that names both shapes. */
static inline int spp_gpu_check_shapes(const char *op, const char *argument, PyGpuArrayObject *array,
                                       PyGpuArrayObject *superpixel_map, const char *agreement)
{
    int agree = array->ga.dimensions[0] == superpixel_map->ga.dimensions[0];
    const int in_space = strcmp(agreement, SPP_GPU_IN_SPACE) == 0;
    unsigned int axis;
    for (axis = 1; in_space && axis < superpixel_map->ga.nd; ++axis)
        agree = agree && array->ga.dimensions[axis + 1] == superpixel_map->ga.dimensions[axis];
    return agree ? 0 : spp_gpu_raise("check_shapes", "(ssOOs)", op, argument, array, superpixel_map, agreement);
}

/* Whether an array (batch, *spatial) or (batch, channels, *spatial) has the batch and spatial sizes of the map. */
static inline int spp_gpu_has_pixels_of_map(PyGpuArrayObject *array, PyGpuArrayObject *superpixel_map)
{
    const unsigned int naxes = superpixel_map->ga.nd - 1;
    return array->ga.dimensions[0] == superpixel_map->ga.dimensions[0]
           && memcmp(array->ga.dimensions + array->ga.nd - naxes, superpixel_map->ga.dimensions + 1,
                     naxes * sizeof(size_t)) == 0;
}

/* The GPU counts the pixels of an image, and superpixels, in 32 bits. 0, or -1 with a ValueError. */
#define SPP_GPU_MOST 2147483646

static inline int spp_gpu_check_sizes(const char *op, PyGpuArrayObject *superpixel_map, size_t n)
{
    const size_t pixels = superpixel_map->ga.dimensions[0] > 0 ? spp_gpu_pixels(superpixel_map, 1) : 0;
    return pixels <= SPP_GPU_MOST && n <= SPP_GPU_MOST
        ? 0 : spp_gpu_raise("too_large_for_gpu", "(sKK)", op, (unsigned long long)pixels, (unsigned long long)n);
}

/* The value of the scalar, or -1 with a ValueError if it is negative. */
static inline ssize_t spp_gpu_n_superpixels(const char *op, PyArrayObject *n_superpixels)
{
    const npy_int64 n = *(npy_int64 *)PyArray_DATA(n_superpixels);
    return n >= 0 ? (ssize_t)n : spp_gpu_raise("check_n_superpixels", "(sL)", op, (long long)n);
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
        return spp_gpu_raise("no_memory_on_gpu", "(s)", op);
    }
    return 0;
}

/* Device memory for the duration of one call, all released together. */
#define SPP_GPU_BUFFERS 16

typedef struct {
    gpucontext *context;
    const char *op;
    gpudata *buffer[SPP_GPU_BUFFERS];
    int count;
} SppGpuScratch;

static inline void spp_gpu_release(SppGpuScratch *scratch)
{
    while (scratch->count > 0)
        gpudata_release(scratch->buffer[--scratch->count]);
}

/* Device memory, or NULL with a MemoryError. */
static inline gpudata *spp_gpu_allocate(SppGpuScratch *scratch, size_t count, size_t itemsize)
{
    int error;
    gpudata *memory = scratch->count == SPP_GPU_BUFFERS || count > ((size_t)-1 >> 1) / itemsize ? NULL
        : gpudata_alloc(scratch->context, (count > 0 ? count : 1) * itemsize, NULL, 0, &error);
    if (memory == NULL) {
        spp_gpu_raise("no_memory_on_gpu", "(s)", scratch->op);
        return NULL;
    }
    return scratch->buffer[scratch->count++] = memory;
}

/* Reads, after all kernels of a call, whether one of them met bad input. Nothing else is read back from the GPU.
   Returns 0, or -1 with a RuntimeError. */
static inline int spp_gpu_read_flag(SppGpuScratch *scratch, gpudata *flag, int *is_set)
{
    if (gpudata_read(is_set, flag, 0, sizeof(*is_set)) == GA_NO_ERROR)
        return 0;
    PyErr_Format(PyExc_RuntimeError, "%s: the GPU does not answer: %s", scratch->op,
                 gpucontext_error(scratch->context, 0));
    return -1;
}

/* 0, or -1 with an IndexError if a kernel met a label that is too large. */
static inline int spp_gpu_check_flag(SppGpuScratch *scratch, gpudata *flag, PyGpuArrayObject *superpixel_map, size_t n,
                                     const char *limit_name)
{
    int is_bad = 0;
    if (spp_gpu_read_flag(scratch, flag, &is_bad) != 0)
        return -1;
    return is_bad ? spp_gpu_raise("check_labels", "(sOKs)", scratch->op, superpixel_map, (unsigned long long)n,
                                  limit_name) : 0;
}

/* Launches a kernel in `groups` groups of SPP_GROUP threads. An expression: 0, or -1 with a RuntimeError. */
#define SPP_GPU_START(kernel, op, groups, ...)                                                         \
    (spp_gpu_size[0] = (groups), spp_gpu_group[0] = SPP_GROUP,                                         \
     spp_gpu_size[0] > SPP_GPU_MOST_GROUPS                                                             \
         ? spp_gpu_raise("too_many_groups", "(sK)", op, (unsigned long long)spp_gpu_size[0])           \
         : spp_gpu_started(op, #kernel, &k_##kernel,                                                   \
                           kernel##_call(1, spp_gpu_size, spp_gpu_group, 0, __VA_ARGS__)))

#define SPP_GPU_MOST_GROUPS 2147483647  /* libgpuarray passes the number on unchecked */

static inline int spp_gpu_started(const char *op, const char *name, GpuKernel *kernel, int error)
{
    if (error == GA_NO_ERROR)
        return 0;
    PyErr_Format(PyExc_RuntimeError, "%s: the kernel %s cannot be started: %s", op, name,
                 GpuKernel_error(kernel, error));
    return -1;
}

#endif

#section support_code_struct
size_t spp_gpu_size[1], spp_gpu_group[1];  /* for SPP_GPU_START, which needs their addresses */

/* Zeroes memory. With OpenCL, libgpuarray's own memset compiles a program in every call. Returns 0, or -1 with a
   RuntimeError. */
int APPLY_SPECIFIC(set_zeros)(const char *op, gpudata *memory, size_t offset, size_t bytes)
{
    return bytes == 0 ? 0 : SPP_GPU_START(set_words, op, spp_gpu_ceil_divide(bytes / 4, SPP_GROUP), memory, offset,
                                          bytes / 4);
}

/* A flag () ga_int, 0 until a kernel sets it; NULL with an error set. Zeroed by a kernel, because a copy from the
   host would synchronise. */
gpudata *APPLY_SPECIFIC(new_flag)(SppGpuScratch *scratch)
{
    gpudata *memory = spp_gpu_allocate(scratch, 1, sizeof(npy_int32));
    return memory == NULL || APPLY_SPECIFIC(set_zeros)(scratch->op, memory, 0, sizeof(npy_int32)) != 0 ? NULL : memory;
}

int APPLY_SPECIFIC(set_array)(const char *op, PyGpuArrayObject *array)
{
    return APPLY_SPECIFIC(set_zeros)(op, array->ga.data, array->ga.offset,
                                     spp_gpu_pixels(array, 0) * GpuArray_ITEMSIZE(&array->ga));
}

#section device_code
/* The work of a group of threads. Groups are numbered by image, block of channels, and group among those of the same
   image and block, which share pixels, superpixels or segments. */
typedef struct {
    ga_uint image, block, group;
} SppWork;

WITHIN_KERNEL SppWork spp_work(ga_size blocks, ga_size groups)
{
    /* there are fewer than 2^31 groups, and a 64-bit division takes several times as long */
    const ga_uint number = (ga_uint)GID_0 / (ga_uint)groups;
    SppWork work;
    work.group = (ga_uint)GID_0 % (ga_uint)groups;
    work.block = number % (ga_uint)blocks;
    work.image = number / (ga_uint)blocks;
    return work;
}

/* Bytes from the first pixel of an image to this one, in rows[0] x rows[1] rows of `length` pixels. */
WITHIN_KERNEL ga_ssize spp_offset(ga_uint pixel, ga_uint rows, ga_uint length, ga_ssize row0, ga_ssize row1,
                                  ga_ssize step)
{
    ga_uint row;
    if (pixel < length)  /* always, where rows are joined */
        return (ga_ssize)pixel * step;
    row = pixel / length;
    return (ga_ssize)(row / rows) * row0 + (ga_ssize)(row % rows) * row1 + (ga_ssize)(pixel % length) * step;
}

/* Compensated summation: adds a value to a sum, and the rounding error of that addition to `error` (TwoSum, Knuth). */
WITHIN_KERNEL void spp_add_compensated(ga_double *sum, ga_double *error, ga_double value)
{
    const ga_double more = *sum + value, kept = more - *sum;
    *error += (*sum - (more - kept)) + (value - kept);
    *sum = more;
}

WITHIN_KERNEL ga_double spp_total(ga_double sum, ga_double error)
{
    return error == error ? sum + error : sum;  /* the error of an infinite sum is NaN */
}

/* Written so that no compiler warns that an unsigned label is compared with zero. */
#define SPP_IS_NONE(label) ((LABEL)-1 < (LABEL)1 && (label) < (LABEL)1 && (label) != (LABEL)0)
#define SPP_IS_TOO_LARGE(label, n) (!SPP_IS_NONE(label) && (ga_ulong)(label) >= (ga_ulong)(n))

#section kernels
KERNEL void set_words(GLOBAL_MEM ga_uint *words, ga_size offset, ga_size count)
{
    const ga_size i = (ga_size)GID_0 * SPP_GROUP + LID_0;
    if (i < count)
        ((GLOBAL_MEM ga_uint *)((GLOBAL_MEM char *)words + offset))[i] = 0;
}
