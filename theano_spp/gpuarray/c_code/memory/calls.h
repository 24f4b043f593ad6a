#include "../../c_code/memory/errors.h"
#include "memory/arrays.h"

#section constants
#define SPP_GROUP 256  /* threads of a group: OpenCL's work-group, CUDA's block */

#section support_code
/* One call of an op: its memory on the device, its kernels, and what they found. */
#ifndef SPP_GPU_CALLS
#define SPP_GPU_CALLS

#define SPP_GPU_BUFFERS 16

typedef struct {
    gpucontext *context;
    const char *op;
    gpudata *buffer[SPP_GPU_BUFFERS];  /* all released together */
    int count;
    gpudata *flag;  /* () ga_int, which kernels set where they meet bad input; NULL if none of them looks */
} SppGpuCall;

/* Compiles a kernel, unless another node of the same module did so for the same device: `first` is the one of the node
   that came first. With OpenCL a kernel takes a tenth of a second each time. Returns 0, or -1 with a RuntimeError. */
static inline int spp_gpu_compile(GpuKernel *kernel, GpuKernel *first, gpucontext *context, const char **code,
                                  const char *name, unsigned int n_parameters, const int *types, int flags)
{
    const int is_first = first->k == NULL, is_shared = is_first || gpukernel_context(first->k) == context;
    int error = GA_NO_ERROR;
    if (is_first || !is_shared)
        error = GpuKernel_init(is_shared ? first : kernel, context, 1, code, NULL, name, n_parameters, types, flags,
                               NULL);
    if (error != GA_NO_ERROR) {
        PyErr_Format(PyExc_RuntimeError, "The kernel %s cannot be compiled: %s", name,
                     gpucontext_error(context, error));
        return -1;
    }
    if (is_shared) {
        if ((kernel->args = (void **)calloc(n_parameters, sizeof(void *))) == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        kernel->k = first->k;
        gpukernel_retain(kernel->k);
    }
    return 0;
}

/* Device memory for the duration of the call, or NULL with a MemoryError. */
static inline gpudata *spp_gpu_allocate(SppGpuCall *call, size_t count, size_t itemsize)
{
    int error;
    gpudata *memory = call->count == SPP_GPU_BUFFERS || count > ((size_t)-1 >> 1) / itemsize ? NULL
        : gpudata_alloc(call->context, (count > 0 ? count : 1) * itemsize, NULL, 0, &error);
    if (memory == NULL) {
        spp_raise("no_memory_on_gpu", "(s)", call->op);
        return NULL;
    }
    return call->buffer[call->count++] = memory;
}

/* Copies to the host, after all kernels of the call. Returns 0, or -1 with a RuntimeError. */
static inline int spp_gpu_read(SppGpuCall *call, gpudata *memory, void *values, size_t bytes)
{
    if (gpudata_read(values, memory, 0, bytes) == GA_NO_ERROR)
        return 0;
    PyErr_Format(PyExc_RuntimeError, "%s: the GPU does not answer: %s", call->op, gpucontext_error(call->context, 0));
    return -1;
}

/* Reads the flag, if there is one and the call has not failed already, and releases the memory. Returns 0, 1 if a
   kernel met bad input, or -1 with an error set. */
static inline int spp_gpu_end(SppGpuCall *call, int failed)
{
    int is_bad = 0;
    failed = failed || (call->flag != NULL && spp_gpu_read(call, call->flag, &is_bad, sizeof(is_bad)) != 0);
    while (call->count > 0)
        gpudata_release(call->buffer[--call->count]);
    return failed ? -1 : is_bad;
}

/* Ends a call whose kernels check labels. Returns 0, or -1 with an error set: an IndexError if a label is too large. */
static inline int spp_gpu_finish(SppGpuCall *call, int failed, PyGpuArrayObject *superpixel_map, size_t n,
                                 const char *limit_name)
{
    const int found = spp_gpu_end(call, failed);
    return found > 0 ? spp_raise("check_labels", "(sOKs)", call->op, superpixel_map, (unsigned long long)n, limit_name)
        : found;
}

/* Launches a kernel in `groups` groups of SPP_GROUP threads. An expression: 0, or -1 with a RuntimeError. */
#define SPP_GPU_START(kernel, op, groups, ...)                                                         \
    (spp_gpu_size[0] = (groups), spp_gpu_group[0] = SPP_GROUP,                                         \
     spp_gpu_size[0] > SPP_GPU_MOST_GROUPS                                                             \
         ? spp_raise("too_many_groups", "(sK)", op, (unsigned long long)spp_gpu_size[0])               \
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

/* Zeroed memory for the duration of the call, or NULL with an error set. */
gpudata *APPLY_SPECIFIC(zeros)(SppGpuCall *call, size_t count, size_t itemsize)
{
    gpudata *memory = spp_gpu_allocate(call, count, itemsize);
    return memory == NULL || APPLY_SPECIFIC(set_zeros)(call->op, memory, 0, count * itemsize) != 0 ? NULL : memory;
}

/* Begins a call whose kernels check their input: its flag is zeroed by a kernel, because a copy from the host would
   synchronise. Returns 0, or -1 with an error set. */
int APPLY_SPECIFIC(begin)(SppGpuCall *call)
{
    return (call->flag = APPLY_SPECIFIC(zeros)(call, 1, sizeof(npy_int32))) == NULL ? -1 : 0;
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

#section kernels
KERNEL void set_words(GLOBAL_MEM ga_uint *words, ga_size offset, ga_size count)
{
    const ga_size i = (ga_size)GID_0 * SPP_GROUP + LID_0;
    if (i < count)
        ((GLOBAL_MEM ga_uint *)((GLOBAL_MEM char *)words + offset))[i] = 0;
}
