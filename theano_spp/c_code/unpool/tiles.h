#include "labels/label_map.h"
#include "memory/arrays.h"
#include "memory/lanes.h"
#include "memory/nontemporal.h"
#include "unpool/values.h"

#section support_code_apply
/* Unpooling to memory that holds one plane for each channel, where most pixels have another superpixel than the one
   before: the transposition of pooling, the other way. The values of a superpixel in SPP_LANES channels are one
   vector,

       8 pixels x 8 channels  --transpose-->  8 channels x 8 pixels

   and the planes are written a tile at a time: SPP_TILE pixels of SPP_LANES channels. */
#define SPP_TILE 512  /* pixels: a tile stays in the L1 cache */

/* pooled -> values (1 + n_superpixels, SPP_LANES) of a block, divided by sizes for the mean. The first vector is 0, for
   the pixels that belong to no superpixel. [in, out] values: zeros there */
static inline void APPLY_SPECIFIC(read_tiles)(PyArrayObject *pooled, SppBlock block, const npy_int64 *sizes, int mean,
                                              npy_intp pixels, APPLY_SPECIFIC(Lanes) *values)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    const npy_intp n = PyArray_DIM(pooled, 2), stride = PyArray_STRIDE(pooled, 2);
    APPLY_SPECIFIC(Lanes) v[SPP_LANES] = {{0}};
    npy_intp l, c, i;
    for (l = 0; l < n; l += SPP_LANES) {
        const npy_intp count = spp_minimum(SPP_LANES, n - l);
        for (c = 0; c < block.channels; ++c) {
            const char *from = (const char *)PyArray_GETPTR3(pooled, block.image, block.first + c, l);
            if (stride == (npy_intp)sizeof(FEATURE) && count == SPP_LANES)
                v[c] = *(const LanesInMemory *)from;
            else
                for (i = 0; i < count; ++i)
                    v[c][i] = *(const FEATURE *)(from + i * stride);
            if (mean)
                spp_divide_by_sizes((FEATURE *)&v[c], count, sizes + l, 1, pixels);
        }
        APPLY_SPECIFIC(transpose)(v);
        for (i = 0; i < count; ++i)
            values[1 + l + i] = v[i];
    }
}

/* Paints up to SPP_LANES channels of one image.
   [in] values (1 + n_superpixels), labels: of the first pixel  [out] painted (channels, plane_size) */
static void APPLY_SPECIFIC(paint_tiles)(const APPLY_SPECIFIC(Lanes) *values, npy_intp channels, const char *labels,
                                        const SppGrid *grid, const SppStrides *walk, int nontemporal,
                                        npy_intp plane_size, FEATURE *painted)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    FEATURE tile[SPP_LANES][SPP_TILE];
    npy_int32 index[SPP_TILE];
    LABEL copy[SPP_TILE];
    APPLY_SPECIFIC(Lanes) v[SPP_LANES];
    npy_intp first, length, p, i;
    for (first = 0; first < plane_size; first += length) {
        const LABEL *here = NULL;
        length = spp_minimum(SPP_TILE, plane_size - first);
        if (length == SPP_TILE)  /* the next tile begins at a cache line: no line is written in two parts */
            length -= (npy_uintp)(painted + first + SPP_TILE) % SPP_LINE / sizeof(FEATURE);
        here = APPLY_SPECIFIC(labels_from)(labels, grid, walk, first, length, copy);
        for (p = 0; p < length; ++p)
            index[p] = SPP_IS_NONE(here[p]) ? 0 : 1 + (npy_int32)here[p];
        for (; p % SPP_LANES != 0; ++p)
            index[p] = 0;
        for (p = 0; p < length; p += SPP_LANES) {
            SPP_UNROLL
            for (i = 0; i < SPP_LANES; ++i)
                v[i] = values[index[p + i]];
            APPLY_SPECIFIC(transpose)(v);
            SPP_UNROLL
            for (i = 0; i < SPP_LANES; ++i)
                *(LanesInMemory *)(tile[i] + p) = v[i];
        }
        for (i = 0; i < channels; ++i)
            APPLY_SPECIFIC(store_features)(tile[i], length, nontemporal, painted + i * plane_size + first);
    }
    if (nontemporal)
        SPP_NONTEMPORAL_FENCE();
}
