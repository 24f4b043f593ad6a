#include "memory/arrays.h"
#include "memory/errors.h"

#section support_code
#ifndef SPP_LABEL_MAP
#define SPP_LABEL_MAP

#define SPP_STRIP 1024               /* pixels of a strip, whose labels are processed together */
#define SPP_WORD 64                  /* pixels of a word: one bit for each */
#define SPP_CHUNK 262144             /* the least number of pixels of a chunk */
#define SPP_LARGEST_CHUNK (1 << 30)  /* and the largest: a pixel's number in its chunk fits into an npy_int32 */

/* A large image is divided into chunks, which threads share. The number of chunks depends only on sizes, so the
   order of additions, and every bit of the result, is independent of the number of threads. Chunks are few enough
   that what is kept for each chunk and superpixel takes less memory than the labels. */
typedef struct {
    npy_intp number, pixels;  /* pixels of each chunk but the last, a multiple of SPP_STRIP */
} SppChunks;

static inline SppChunks spp_chunks(npy_intp pixels, npy_intp n_superpixels)
{
    SppChunks chunks;
    const npy_intp number = spp_maximum(pixels / SPP_LARGEST_CHUNK + 1, spp_minimum(
        pixels / SPP_CHUNK, pixels / 4 / spp_maximum(n_superpixels, 1)));
    chunks.pixels = spp_ceil_divide(spp_ceil_divide(pixels, number), SPP_STRIP) * SPP_STRIP;
    chunks.number = spp_maximum(spp_ceil_divide(pixels, spp_maximum(chunks.pixels, 1)), 1);
    return chunks;
}

/* differs (SPP_WORD), each 0 or 1 -> a word: bit i for pixel i */
static inline npy_uint64 spp_pack_bits(const npy_uint8 *differs)
{
    npy_uint64 bits = 0;
    int i;
#if NPY_BYTE_ORDER == NPY_LITTLE_ENDIAN
    for (i = 0; i < SPP_WORD; i += 8) {
        npy_uint64 eight;
        memcpy(&eight, differs + i, 8);
        bits |= (eight * 0x0102040810204080ULL >> 56) << i;  /* byte k of the eight becomes bit 56 + k */
    }
#else
    for (i = 0; i < SPP_WORD; ++i)
        bits |= (npy_uint64)differs[i] << i;
#endif
    return bits;
}

/* The index of the lowest bit that is set; bits must not be 0. */
static inline int spp_lowest_bit(npy_uint64 bits) { return __builtin_ctzll(bits); }

/* Takes the first of the runs that start at these bits. [in, out] bits, not 0: the starts of the other runs are left
   [out] end: where the next run starts, or `length`  Returns where this one starts. */
static inline int spp_next_run(npy_uint64 *bits, int length, int *end)
{
    const int first = spp_lowest_bit(*bits);
    *bits &= *bits - 1;
    *end = *bits == 0 ? length : spp_lowest_bit(*bits);
    return first;
}

/* Adds up the sizes of each map's chunks. [in] chunk_sizes (maps, chunks, n)  [out] sizes (maps, n) */
static inline void spp_add_sizes(npy_intp maps, npy_intp chunks, npy_intp n, const npy_int64 *chunk_sizes,
                                 npy_int64 *sizes)
{
    npy_intp map, chunk, l;
    for (map = 0; map < maps; ++map, sizes += n)
        for (chunk = 0; chunk < chunks; ++chunk, chunk_sizes += n)
            for (l = 0; l < n; ++l)
                sizes[l] = (chunk > 0 ? sizes[l] : 0) + chunk_sizes[l];
}

#endif

#section support_code_apply
/* Checking labels and counting the pixels of each superpixel. LABEL is the C type of the labels. */

/* Written so that no compiler warns that an unsigned label is compared with zero. */
#define SPP_LABEL_IS_SIGNED ((LABEL)-1 < (LABEL)1)
#define SPP_IS_NONE(label) (SPP_LABEL_IS_SIGNED && (label) < (LABEL)1 && (label) != (LABEL)0)

/* The length of the run that begins at `labels`, at most `length`. */
static inline npy_intp APPLY_SPECIFIC(run_length)(const char *labels, npy_intp stride, npy_intp length)
{
    const LABEL first = *(const LABEL *)labels;
    npy_intp run = 1;
    while (run < length && *(const LABEL *)(labels + run * stride) == first)
        ++run;
    return run;
}

/* The labels of `count` pixels, the first of which has the row-major number `first`: in the map itself, or copied if
   they are not contiguous. [out] copy (count): scratch, undefined on return unless the result points there */
static inline const LABEL *APPLY_SPECIFIC(labels_from)(const char *labels, const SppGrid *grid,
                                                       const SppStrides *walk, npy_intp first, npy_intp count,
                                                       LABEL *copy)
{
    if (spp_is_contiguous(grid, walk, sizeof(LABEL)))
        return (const LABEL *)labels + first;
    spp_copy_pixels(labels, grid, walk, first, count, copy);
    return copy;
}

/* Marks where labels change. [in] here (count)
   [out] differs (count, rounded up to whole words): 1 where a pixel's label differs from that of the pixel before; 0
   for the first pixel and beyond the last */
static inline void APPLY_SPECIFIC(find_changes)(const LABEL *here, npy_intp count, npy_uint8 *differs)
{
    npy_intp i;
    differs[0] = 0;
    for (i = 1; i < count; ++i)
        differs[i] = here[i] != here[i - 1];
    for (i = count; i % SPP_WORD != 0; ++i)
        differs[i] = 0;
}

/* Checks the labels of one chunk of an image and counts the pixels of each superpixel.
   [in] labels: of the image's first pixel; first, end: row-major numbers
   [in, out] sizes (n_superpixels); runs: those of this chunk, cut where words end, are added
   Returns 0, or -1 at the first label that is >= n_superpixels. */
static int APPLY_SPECIFIC(count_chunk)(const char *labels, const SppGrid *grid, const SppStrides *walk,
                                       npy_intp first, npy_intp end, npy_intp n_superpixels, npy_int64 *sizes,
                                       npy_intp *runs)
{
    LABEL copy[SPP_STRIP];
    npy_uint8 differs[SPP_STRIP];
    npy_intp i;
    for (; first < end; first += SPP_STRIP) {
        const npy_intp count = spp_minimum(SPP_STRIP, end - first);
        const LABEL *here = APPLY_SPECIFIC(labels_from)(labels, grid, walk, first, count, copy);
        APPLY_SPECIFIC(find_changes)(here, count, differs);
        for (i = 0; i < count; i += SPP_WORD) {
            npy_uint64 bits = spp_pack_bits(differs + i) | 1;
            *runs += __builtin_popcountll(bits);
            while (bits != 0) {
                int stop;
                const int start = spp_next_run(&bits, (int)spp_minimum(SPP_WORD, count - i), &stop);
                const LABEL label = here[i + start];
                if (SPP_IS_NONE(label))
                    continue;
                if ((npy_uint64)label >= (npy_uint64)n_superpixels)
                    return -1;
                sizes[(npy_intp)label] += stop - start;
            }
        }
    }
    return 0;
}

/* Raises the IndexError for the first label of the batch that is too large. Returns -1.
   [in] limit_name: what defines the number of superpixels, for example "n_superpixels is" */
static int APPLY_SPECIFIC(label_error)(const char *op, PyArrayObject *superpixel_map, npy_intp n_superpixels,
                                       const char *limit_name)
{
    return spp_raise("check_labels", "(sOLs)", op, superpixel_map, (long long)n_superpixels, limit_name);
}

/* Checks every label and counts the pixels of every superpixel.
   [out] sizes (maps, n_superpixels), zeroed by the caller
   Returns the number of runs, cut where words end; or -1 with an IndexError that names the first bad label, or a
   MemoryError. */
static npy_intp APPLY_SPECIFIC(count_labels)(const char *op, const char *limit_name, PyArrayObject *superpixel_map,
                                        npy_intp n_superpixels, npy_int64 *sizes)
{
    const npy_intp maps = PyArray_DIM(superpixel_map, 0);
    const npy_intp pixels = spp_image_pixels(superpixel_map);
    const SppGrid grid = spp_grid_of(superpixel_map, 1);
    const SppStrides walk = spp_strides_of(superpixel_map, 1);
    const SppChunks chunks = spp_chunks(pixels, n_superpixels);
    npy_int64 *chunk_sizes = sizes;
    npy_intp runs = 0, i;
    int is_bad = 0;

    if (chunks.number > 1 && (chunk_sizes = (npy_int64 *)spp_scratch(op, n_superpixels, maps * chunks.number,
                                                                     sizeof(npy_int64))) == NULL)
        return -1;
    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) reduction(+:runs) reduction(|:is_bad) \
        if (maps * pixels >= SPP_PARALLEL_MINIMUM)
    #endif
    for (i = 0; i < maps * chunks.number; ++i) {
        const npy_intp first = i % chunks.number * chunks.pixels;
        is_bad |= APPLY_SPECIFIC(count_chunk)(
            spp_labels_of(superpixel_map, i / chunks.number), &grid, &walk, first,
            spp_minimum(first + chunks.pixels, pixels), n_superpixels, chunk_sizes + i * n_superpixels, &runs) != 0;
    }
    if (chunks.number > 1) {
        spp_add_sizes(maps, chunks.number, n_superpixels, chunk_sizes, sizes);
        free(chunk_sizes);
    }
    return is_bad ? APPLY_SPECIFIC(label_error)(op, superpixel_map, n_superpixels, limit_name) : runs;
}

/* The same -> sizes (maps, n_superpixels), to be released with free; or NULL with an error set.
   [out] runs: their number, or NULL */
static npy_int64 *APPLY_SPECIFIC(count_sizes)(const char *op, const char *limit_name, PyArrayObject *superpixel_map,
                                              npy_intp n_superpixels, npy_intp *runs)
{
    npy_int64 *sizes = (npy_int64 *)spp_scratch(op, n_superpixels, PyArray_DIM(superpixel_map, 0), sizeof(npy_int64));
    const npy_intp number = sizes == NULL
        ? -1 : APPLY_SPECIFIC(count_labels)(op, limit_name, superpixel_map, n_superpixels, sizes);
    if (runs != NULL)
        *runs = number;
    if (number >= 0)
        return sizes;
    free(sizes);
    return NULL;
}

/* 0, or -1 with an error set, for ops that need no sizes. */
static int APPLY_SPECIFIC(check_labels)(const char *op, const char *limit_name, PyArrayObject *superpixel_map,
                                        npy_intp n_superpixels)
{
    npy_int64 *sizes = APPLY_SPECIFIC(count_sizes)(op, limit_name, superpixel_map, n_superpixels, NULL);
    const int failed = sizes == NULL ? -1 : 0;
    free(sizes);
    return failed;
}
