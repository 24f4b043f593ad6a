#include "memory/errors.h"

#section support_code
/* Memory for intermediate values. */
#ifndef SPP_ALLOCATE
#define SPP_ALLOCATE

#include <stdlib.h>

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

#endif
