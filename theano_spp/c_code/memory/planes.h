#include "labels/label_map.h"
#include "memory/arrays.h"
#include "memory/lanes.h"

#section support_code_apply
/* Reading the features of one word of pixels where memory holds one plane for each channel. */
#define SPP_PREFETCH_CHANNELS_FIRST 2048  /* bytes ahead */

/* Prefetches what lies SPP_PREFETCH_CHANNELS_FIRST bytes after a pixel, which takes a sixth off the time. A prefetch
   beyond the end of the array does no harm. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(prefetch_planes)(const FEATURE *const *plane,
                                                                                 npy_intp pixel)
{
    int c;
    SPP_UNROLL
    for (c = 0; c < SPP_LANES; ++c)
        __builtin_prefetch((const char *)(plane[c] + pixel) + SPP_PREFETCH_CHANNELS_FIRST, 0, 2);
}

/* Finds the features of one word of pixels in SPP_LANES planes: in the array itself, or copied to `copy` if the
   pixels are not contiguous or fewer than a word are left.
   [in] features: of the first of `channels` channels; contiguous: what spp_is_contiguous returns
   [out] plane (SPP_LANES): for each channel, where its feature of the first pixel is; those of channels beyond the
   last can be read, but their values are undefined
   Inlined, because in a function of its own the plane pointers would not stay in registers: mean pooling would take
   a quarter more time. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(find_planes)(
    const char *features, npy_intp channel_stride, const SppGrid *grid, const SppStrides *walk, npy_intp channels,
    npy_intp first, npy_intp count, int contiguous, FEATURE copy[][SPP_WORD], const FEATURE **plane)
{
    npy_intp c;
    if (contiguous && count == SPP_WORD)
        for (c = 0; c < SPP_LANES; ++c)  /* channels beyond the last repeat it */
            plane[c] = (const FEATURE *)(features + spp_minimum(c, channels - 1) * channel_stride) + first;
    else
        for (c = 0; c < SPP_LANES; ++c) {
            if (c < channels)
                spp_copy_pixels(features + c * channel_stride, grid, walk, first, count, copy[c]);
            plane[c] = copy[c];
        }
}
