#include "memory/arrays.h"

#section support_code
#ifndef SPP_VALUES
#define SPP_VALUES

/* Copies the values of superpixels to where a walk looks them up. Where it has values of 0 too, for pixels that belong
   to no superpixel, these are zeros of the scratch memory that are never written.
   [in]  pooled (batch, channels, n_superpixels) of From, any strides; block: its channels are read
   [out] values: that of channel c and superpixel l at values[c * channel_step + l * superpixel_step] */
template <typename From, typename To>
static inline void spp_copy_values(PyArrayObject *pooled, SppBlock block, npy_intp channel_step,
                                   npy_intp superpixel_step, To *values)
{
    const npy_intp n = PyArray_DIM(pooled, 2), stride = PyArray_STRIDE(pooled, 2);
    npy_intp c, l;
    for (c = 0; c < block.channels; ++c) {
        const char *from = (const char *)PyArray_GETPTR2(pooled, block.image, block.first + c);
        for (l = 0; l < n; ++l)
            values[c * channel_step + l * superpixel_step] = *(const From *)(from + l * stride);
    }
}

#define SPP_EXACT_SIZE (1 << 24)  /* up to here float32 holds sizes exactly, so a quotient is rounded once */

/* Divides values by the sizes of their superpixels: the gradient of the mean.
   [in] sizes: may be 0 where values are never painted; size_step: 1, or 0 if all values belong to one superpixel;
        pixels: of the image
   [in, out] values (count) */
template <typename Value>
static inline __attribute__((always_inline)) void spp_divide_by_sizes(
    Value *values, npy_intp count, const npy_int64 *sizes, npy_intp size_step, npy_intp pixels)
{
    npy_intp i;
    if (pixels <= SPP_EXACT_SIZE)
        for (i = 0; i < count; ++i)
            values[i] /= (Value)sizes[i * size_step];
    else
        for (i = 0; i < count; ++i)
            values[i] = (Value)((double)values[i] / (double)sizes[i * size_step]);
}

#endif
