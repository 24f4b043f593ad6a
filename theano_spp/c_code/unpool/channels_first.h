#include "labels/label_map.h"
#include "memory/arrays.h"
#include "memory/nontemporal.h"
#include "unpool/values.h"

#section support_code
#ifndef SPP_PREFIX_SUM
#define SPP_PREFIX_SUM
/* differs (8), each 0 or 1 -> so_far (8): the inclusive prefix sum */
static inline void spp_prefix_sum(const npy_uint8 *differs, npy_uint8 *so_far)
{
#if NPY_BYTE_ORDER == NPY_LITTLE_ENDIAN
    npy_uint64 eight;
    memcpy(&eight, differs, 8);
    eight *= 0x0101010101010101ULL;  /* adds to each byte all bytes before it */
    memcpy(so_far, &eight, 8);
#else
    int i, sum = 0;
    for (i = 0; i < 8; ++i)
        so_far[i] = (npy_uint8)(sum += differs[i]);
#endif
}
#endif

#section support_code_apply
/* Unpooling to memory that holds one plane for each channel, strip by strip. The run numbers of a strip are found
   once for a block of channels:

       labels    7 7 7 7 2 2 2 9 9 9 9 9
       run       0 0 0 0 1 1 1 2 2 2 2 2       the number of each pixel's run in the strip

   For each channel the values of a strip's runs are gathered into a small table, and then spread over the pixels:
   the values of neighbouring pixels are neighbours in the table, so that a vector of pixels takes one load, one
   permutation by the run numbers and one store, however long or short the runs are. */
#define SPP_UNPOOL_CHANNELS 64       /* a block, for which the labels are read once; */
#define SPP_UNPOOL_VALUES 65536      /* fewer if there are many superpixels: bytes of the values of a block */

typedef struct {
    npy_intp length, runs;
    npy_int32 run[SPP_STRIP];    /* of each pixel */
    npy_int32 index[SPP_STRIP];  /* of each run: 1 + its superpixel, 0 for pixels that belong to none */
} APPLY_SPECIFIC(Strip);

/* pooled -> values (channels, 1 + n_superpixels) of a block, divided by sizes for the mean. Each channel begins with a
   0, for the pixels that belong to no superpixel. [in, out] values: zeros there */
static inline void APPLY_SPECIFIC(read_channels_first)(PyArrayObject *pooled, SppBlock block, const npy_int64 *sizes,
                                                       int mean, npy_intp pixels, FEATURE *values)
{
    const npy_intp n = PyArray_DIM(pooled, 2);
    npy_intp c;
    spp_copy_values<FEATURE>(pooled, block, 1 + n, 1, values + 1);
    for (c = 0; mean && c < block.channels; ++c)
        spp_divide_by_sizes(values + c * (1 + n) + 1, n, sizes, 1, pixels);
}

/* [in] labels: of the image's first pixel  [out] strip: of strip->length pixels, the first of which has the
   row-major number `first` */
static inline void APPLY_SPECIFIC(read_strip)(const char *labels, const SppGrid *grid, const SppStrides *walk,
                                              npy_intp first, APPLY_SPECIFIC(Strip) *strip)
{
    LABEL copied[SPP_STRIP];
    npy_uint8 differs[SPP_STRIP];
    const LABEL *here = APPLY_SPECIFIC(labels_from)(labels, grid, walk, first, strip->length, copied);
    npy_int32 run = 0;
    npy_intp p;
    APPLY_SPECIFIC(find_changes)(here, strip->length, differs);
    for (p = 0; p < strip->length; p += 8) {
        npy_uint8 so_far[8];
        int i;
        spp_prefix_sum(differs + p, so_far);
        for (i = 0; i < 8; ++i)
            strip->run[p + i] = run + so_far[i];
        run += so_far[7];
    }
    strip->runs = run + 1;
    strip->index[run = 0] = SPP_IS_NONE(here[0]) ? 0 : 1 + (npy_int32)here[0];
    for (p = 0; p < strip->length; p += SPP_WORD) {
        npy_uint64 bits = spp_pack_bits(differs + p);
        for (; bits != 0; bits &= bits - 1) {
            const LABEL label = here[p + spp_lowest_bit(bits)];
            strip->index[++run] = SPP_IS_NONE(label) ? 0 : 1 + (npy_int32)label;
        }
    }
}

/* [in] value (runs, and SPP_STORE_BYTES bytes more), run (length)  [out] painted (length) */
static inline void APPLY_SPECIFIC(spread)(const FEATURE *value, const npy_int32 *run, npy_intp length, int nontemporal,
                                          FEATURE *painted)
{
    npy_intp p = 0;
#if SPP_STORE_BYTES > 0
    enum { WIDTH = SPP_STORE_BYTES / sizeof(FEATURE) };
    typedef FEATURE Pixels __attribute__((vector_size(SPP_STORE_BYTES)));
    typedef FEATURE PixelsInMemory __attribute__((vector_size(SPP_STORE_BYTES), aligned(sizeof(FEATURE)), may_alias));
    typedef npy_int32 Runs __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
    #if ITEMSIZE_INPUT_0 == 8
    typedef npy_int64 Offsets __attribute__((vector_size(SPP_STORE_BYTES)));
    #else
    typedef npy_int32 Offsets __attribute__((vector_size(SPP_STORE_BYTES)));
    #endif
    for (; p < length && (npy_uintp)(painted + p) % SPP_STORE_BYTES != 0; ++p)
        painted[p] = value[run[p]];
    for (; p + WIDTH <= length; p += WIDTH) {
        const Offsets offset = __builtin_convertvector(*(const Runs *)(run + p) - run[p], Offsets);
        const Pixels pixels = __builtin_shuffle((Pixels)*(const PixelsInMemory *)(value + run[p]), offset);
        if (nontemporal)
            SPP_NONTEMPORAL_STORE(painted + p, pixels);
        else
            *(Pixels *)(painted + p) = pixels;
    }
#endif
    (void)nontemporal;
    for (; p < length; ++p)
        painted[p] = value[run[p]];
}

/* Paints a block of channels of one image.
   [in] values (channels, n_values), labels: of the first pixel  [out] painted (channels, plane_size) */
static void APPLY_SPECIFIC(paint_channels_first)(const FEATURE *values, npy_intp n_values, npy_intp channels,
                                        const char *labels, const SppGrid *grid, const SppStrides *walk,
                                        int nontemporal, npy_intp plane_size, FEATURE *painted)
{
    APPLY_SPECIFIC(Strip) strip;
    FEATURE value[SPP_STRIP + SPP_STORE_BYTES];
    npy_intp first, c, r;
    memset(value, 0, sizeof(value));
    for (first = 0; first < plane_size; first += strip.length) {
        strip.length = spp_minimum(SPP_STRIP, plane_size - first);
        if (strip.length == SPP_STRIP)  /* the next strip begins at a cache line: no line is written in two parts */
            strip.length -= (npy_uintp)(painted + first + SPP_STRIP) % SPP_LINE / sizeof(FEATURE);
        APPLY_SPECIFIC(read_strip)(labels, grid, walk, first, &strip);
        for (c = 0; c < channels; ++c) {
            const FEATURE *channel_values = values + c * n_values;
            for (r = 0; r < strip.runs; ++r)
                value[r] = channel_values[strip.index[r]];
            APPLY_SPECIFIC(spread)(value, strip.run, strip.length, nontemporal, painted + c * plane_size + first);
        }
    }
    if (nontemporal)
        SPP_NONTEMPORAL_FENCE();
}

