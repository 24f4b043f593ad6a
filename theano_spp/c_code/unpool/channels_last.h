#include "labels/label_map.h"
#include "memory/arrays.h"
#include "memory/lanes.h"
#include "memory/nontemporal.h"
#include "unpool/values.h"

#section support_code_apply
/* Unpooling to memory where channels are last: each pixel gets a row, the values of its superpixel in all channels. */
#define SPP_LINE_BUFFER 4096  /* bytes of rows that are collected before whole lines of them are stored */

/* pooled, with channels last -> values (1 + n_superpixels, width) of one image, divided by sizes for the mean. The
   first row is 0, for the pixels that belong to no superpixel. [in, out] values: zeros there and beyond the channels */
static inline void APPLY_SPECIFIC(read_channels_last)(PyArrayObject *pooled, npy_intp image, npy_intp width,
                                                      const npy_int64 *sizes, int mean, npy_intp pixels,
                                                      FEATURE *values)
{
    const npy_intp channels = PyArray_DIM(pooled, 1);
    npy_intp l;
    for (l = 0; l < PyArray_DIM(pooled, 2); ++l) {
        values += width;
        memcpy(values, PyArray_GETPTR3(pooled, image, 0, l), channels * sizeof(FEATURE));
        if (mean)
            spp_divide_by_sizes(values, channels, sizes + l, 0, pixels);
    }
}

/* Copies a row in whole registers, which may write up to SPP_LANES features beyond its end. Stores are aligned: one
   that is 16 bytes off takes three times as long, though a load does not. */
static inline void APPLY_SPECIFIC(copy_row)(const FEATURE *row, npy_intp channels, FEATURE *to)
{
    typedef FEATURE Lanes __attribute__((vector_size(SPP_LANES * sizeof(FEATURE)), may_alias));
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    npy_intp c = SPP_LANES - (npy_intp)((npy_uintp)to % sizeof(Lanes) / sizeof(FEATURE));
    *(LanesInMemory *)to = *(const LanesInMemory *)row;
    for (; c < channels; c += SPP_LANES)
        *(Lanes *)(to + c) = *(const LanesInMemory *)(row + c);
}

/* Paints `count` pixels of one image, the first of which has the row-major number `first`.
   [in] values (1 + n_superpixels, width); width: channels, rounded up to whole registers
   [out] buffer (SPP_LINE_BUFFER bytes, two rows and a cache line): scratch, undefined on return; or NULL, if stores
   are to go through the caches
         painted (count, channels) */
static void APPLY_SPECIFIC(paint_channels_last)(const FEATURE *values, npy_intp width, npy_intp channels,
                                                const char *labels, const SppGrid *grid, const SppStrides *walk,
                                                npy_intp first, npy_intp count, char *buffer, FEATURE *painted)
{
    const npy_intp bytes = channels * sizeof(FEATURE);
    SppLines lines = spp_lines(buffer, (char *)painted);
    LABEL copy[SPP_STRIP];
    npy_intp done, p;
    for (done = 0; done < count; done += SPP_STRIP) {
        const npy_intp length = spp_minimum(SPP_STRIP, count - done);
        const LABEL *here = APPLY_SPECIFIC(labels_from)(labels, grid, walk, first + done, length, copy);
        for (p = 0; p < length; ++p) {
            const FEATURE *row = values + (SPP_IS_NONE(here[p]) ? 0 : 1 + (npy_intp)here[p]) * width;
            char *to = buffer != NULL ? buffer + lines.end : (char *)(painted + (done + p) * channels);
            if (buffer == NULL && (count - 1 - done - p) * channels < SPP_LANES)  /* beyond the end is not ours */
                memcpy(to, row, bytes);
            else
                APPLY_SPECIFIC(copy_row)(row, channels, (FEATURE *)to);
            lines.end += bytes;
            if (buffer != NULL && lines.end >= SPP_LINE_BUFFER)
                spp_store_lines(&lines);
        }
    }
    if (buffer != NULL)
        spp_end_lines(&lines);
}
