#include "memory/arrays.h"

#section support_code
#ifndef SPP_SPARSE_ROWS
#define SPP_SPARSE_ROWS

/* Compressed sparse rows (CSR): the entries of row i are entry[first[i]] .. entry[first[i + 1] - 1]. */
template <typename Entry> struct SppSparseRows {
    npy_intp *first;  /* (rows + 1) */
    Entry *entry;
    npy_intp capacity;
};

/* Returns 0, or -1 if there is no memory. */
template <typename Entry>
static inline int spp_start_rows(SppSparseRows<Entry> *sparse, npy_intp rows)
{
    sparse->first = (npy_intp *)spp_zeros(rows + 1, 1, sizeof(npy_intp));
    return sparse->first == NULL ? -1 : 0;
}

/* Writes entry number `at`, the first after the last. Returns 0, or -1 if there is no memory. */
template <typename Entry>
static inline int spp_append(SppSparseRows<Entry> *sparse, npy_intp at, Entry entry)
{
    if (at == sparse->capacity && spp_grow((void **)&sparse->entry, &sparse->capacity, sizeof(Entry)) != 0)
        return -1;
    sparse->entry[at] = entry;
    return 0;
}

/* Releases an array of `count` of them, which may be NULL. */
template <typename Entry>
static inline void spp_free_rows(SppSparseRows<Entry> *sparse, npy_intp count)
{
    npy_intp i;
    for (i = 0; sparse != NULL && i < count; ++i) {
        free(sparse[i].first);
        free(sparse[i].entry);
    }
    free(sparse);
}

#endif
