#section support_code
#ifndef SPP_SPREAD
/* Bytes that are painted at once; 0 where the compiler has no vectors whose order is chosen at run time. */
#if defined(__clang__) || !defined(__GNUC__) || __GNUC__ < 9 || !defined(__AVX2__)
#define SPP_SPREAD 0
#elif defined(__AVX512F__)
#define SPP_SPREAD 64
#else
#define SPP_SPREAD 32
#endif

#if SPP_SPREAD > 0
#include <immintrin.h>
/* Past the caches: half the time where the output is larger than they are. */
#if SPP_SPREAD == 64
#define SPP_STREAM(to, vector) _mm512_stream_si512((__m512i *)(to), (__m512i)(vector))
#else
#define SPP_STREAM(to, vector) _mm256_stream_si256((__m256i *)(to), (__m256i)(vector))
#endif
#define SPP_END_OF_STREAM() _mm_sfence()
#else
#define SPP_END_OF_STREAM()
#endif
#endif

#section support_code_apply
/* Unpooling paints strips of pixels. What their labels ask for is found once for a block of channels:

       labels    7 7 7 7 2 2 2 9 9 9 9 9
       run       0 0 0 0 1 1 1 2 2 2 2 2       the number of each pixel's run in the strip

   For each channel the values of the runs are looked up side by side, and then spread over the pixels: the
   values of neighbouring pixels lie together, so that a vector of pixels is one load, one permutation by the
   run numbers and one store, however short or long the runs are. */
#define SPP_UNPOOL_CHANNELS 64       /* a block: its labels are read once, */
#define SPP_UNPOOL_VALUES 65536      /* and its values are kept at hand: fewer channels where these are many */
#define SPP_STREAM_MINIMUM 12000000  /* bytes of output: larger ones are stored past the caches */

typedef struct {
    npy_intp length, runs;
    npy_int32 run[SPP_STRIP];    /* of each pixel */
    npy_int32 place[SPP_STRIP];  /* of each run: 1 + its superpixel, 0 for pixels that belong to none */
} APPLY_SPECIFIC(Strip);

/* pooled (channels, n_superpixels) of one image, any strides -> values (channels, 1 + n_superpixels),
   divided by sizes if asked; each channel begins with the 0 of the pixels that belong to none. */
static inline void APPLY_SPECIFIC(read_values)(const char *pooled, npy_intp channel_stride,
                                               npy_intp superpixel_stride, npy_intp channels,
                                               npy_intp n_superpixels, const npy_int64 *sizes,
                                               int divide, FEATURE *values)
{
    npy_intp c, l;
    for (c = 0; c < channels; ++c) {
        *values++ = 0;
        for (l = 0; l < n_superpixels; ++l) {
            FEATURE value = *(const FEATURE *)(pooled + c * channel_stride + l * superpixel_stride);
            if (divide)  /* by 0 too: an empty superpixel is never painted */
                value = (FEATURE)((double)value / (double)sizes[l]);
            *values++ = value;
        }
    }
}

/* [in] labels: of the image's first pixel  [out] strip: of strip->length pixels from row-major number `first` on */
static inline void APPLY_SPECIFIC(read_strip)(const char *labels, const SppGrid *grid, const SppStrides *walk,
                                              npy_intp first, APPLY_SPECIFIC(Strip) *strip)
{
    LABEL copied[SPP_STRIP];
    npy_uint8 changes[SPP_STRIP];
    const LABEL *here = APPLY_SPECIFIC(labels_from)(labels, grid, walk, first, strip->length, copied);
    npy_int32 run = 0;
    npy_intp p;
    changes[0] = 0;
    for (p = 1; p < strip->length; ++p)
        changes[p] = here[p] != here[p - 1];
    for (p = 0; p < strip->length; ++p) {
        strip->run[p] = run += changes[p];
        strip->place[run] = SPP_IS_NONE(here[p]) ? 0 : 1 + (npy_int32)here[p];
    }
    strip->runs = run + 1;
}

/* [in] value (runs and SPP_SPREAD bytes more), run (length)  [out] painted (length) */
static inline void APPLY_SPECIFIC(spread)(const FEATURE *value, const npy_int32 *run, npy_intp length, int stream,
                                          FEATURE *painted)
{
    npy_intp p = 0;
#if SPP_SPREAD > 0
    enum { WIDTH = SPP_SPREAD / sizeof(FEATURE) };
    typedef FEATURE Pixels __attribute__((vector_size(SPP_SPREAD)));
    typedef FEATURE PixelsInMemory __attribute__((vector_size(SPP_SPREAD), aligned(sizeof(FEATURE)), may_alias));
    typedef npy_int32 Runs __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
    #if ITEMSIZE_INPUT_0 == 8
    typedef npy_int64 Places __attribute__((vector_size(SPP_SPREAD)));
    #else
    typedef npy_int32 Places __attribute__((vector_size(SPP_SPREAD)));
    #endif
    for (; p < length && (npy_uintp)(painted + p) % SPP_SPREAD != 0; ++p)
        painted[p] = value[run[p]];
    for (; p + WIDTH <= length; p += WIDTH) {
        const Places place = __builtin_convertvector(*(const Runs *)(run + p) - run[p], Places);
        const Pixels pixels = __builtin_shuffle((Pixels)*(const PixelsInMemory *)(value + run[p]), place);
        if (stream)
            SPP_STREAM(painted + p, pixels);
        else
            *(Pixels *)(painted + p) = pixels;
    }
#endif
    (void)stream;
    for (; p < length; ++p)
        painted[p] = value[run[p]];
}

/* Paints a block of channels of one image.
   [in] values (channels, n_values), labels: of the first pixel  [out] painted (channels, plane_size) */
static void APPLY_SPECIFIC(paint_image)(const FEATURE *values, npy_intp n_values, npy_intp channels,
                                        const char *labels, const SppGrid *grid, const SppStrides *walk,
                                        int stream, npy_intp plane_size, FEATURE *painted)
{
    APPLY_SPECIFIC(Strip) strip;
    FEATURE value[SPP_STRIP + SPP_SPREAD];
    npy_intp first, c, r;
    memset(value, 0, sizeof(value));
    for (first = 0; first < plane_size; first += strip.length) {
        strip.length = spp_minimum(SPP_STRIP, plane_size - first);
        if (strip.length == SPP_STRIP)  /* the next strip begins with a cache line, so no line is written in halves */
            strip.length -= (npy_uintp)(painted + first + SPP_STRIP) % 64 / sizeof(FEATURE);
        APPLY_SPECIFIC(read_strip)(labels, grid, walk, first, &strip);
        for (c = 0; c < channels; ++c) {
            const FEATURE *of_channel = values + c * n_values;
            for (r = 0; r < strip.runs; ++r)
                value[r] = of_channel[strip.place[r]];
            APPLY_SPECIFIC(spread)(value, strip.run, strip.length, stream, painted + c * plane_size + first);
        }
    }
    if (stream)
        SPP_END_OF_STREAM();
}

/* [in]  pooled (batch, channels, n_superpixels), superpixel_map (batch, *spatial)
   [out] feature_map (batch, channels, *spatial) */
int APPLY_SPECIFIC(superpixel_unpool)(PyArrayObject *pooled, PyArrayObject *superpixel_map,
                                      PyArrayObject **feature_map, PARAMS_TYPE *params)
{
    const char *op = "SuperpixelUnpool";
    const npy_intp batch = PyArray_DIM(pooled, 0);
    const npy_intp channels = PyArray_DIM(pooled, 1);
    const npy_intp n = PyArray_DIM(pooled, 2);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides walk = spp_strides(naxes, PyArray_STRIDES(superpixel_map) + 1);
    npy_intp shape[5] = {batch, channels, 0, 0, 0};
    npy_intp plane_size, width, blocks, block;
    npy_int64 *sizes = NULL;
    FEATURE *scratch = NULL;
    const int threads = spp_number_of_threads();
    int axis, stream, failed = -1;

    if (spp_check_shapes(op, "pooled", pooled, superpixel_map, SPP_POOLED_AGREES_IN_BATCH) != 0)
        return -1;
    for (axis = 0; axis < naxes; ++axis)
        shape[2 + axis] = PyArray_DIM(superpixel_map, 1 + axis);
    width = spp_block_width(batch, channels, spp_maximum(8, spp_minimum(
        SPP_UNPOOL_CHANNELS, SPP_UNPOOL_VALUES / (npy_intp)sizeof(FEATURE) / (1 + n))), threads);
    blocks = spp_ceil_divide(channels, width);
    if (n >= NPY_MAX_INT32) {  /* as Strip.place is an npy_int32 */
        spp_memory_error(op, n, SPP_FOR_SUPERPIXELS);
        return -1;
    }
    if ((sizes = (npy_int64 *)spp_scratch(op, n, batch, sizeof(npy_int64))) == NULL
            || APPLY_SPECIFIC(count_labels)(op, "the number of superpixels in pooled is",
                                            superpixel_map, n, sizes) != 0
            || spp_prepare_output(op, n, feature_map, 2 + naxes, shape, TYPENUM_INPUT_0) != 0
            || (scratch = (FEATURE *)spp_scratch(op, 1 + n, width * threads, sizeof(FEATURE))) == NULL)
        goto done;
    plane_size = spp_product(shape + 2, naxes);
    stream = PyArray_NBYTES(*feature_map) >= SPP_STREAM_MINIMUM;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(*feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (block = 0; block < batch * blocks; ++block) {
        const npy_intp image = block / blocks;
        const npy_intp first = block % blocks * width;
        const npy_intp count = spp_minimum(width, channels - first);
        FEATURE *values = scratch + spp_thread_number() * (1 + n) * width;
        APPLY_SPECIFIC(read_values)(
            PyArray_BYTES(pooled) + image * PyArray_STRIDE(pooled, 0) + first * PyArray_STRIDE(pooled, 1),
            PyArray_STRIDE(pooled, 1), PyArray_STRIDE(pooled, 2), count, n, sizes + image * n,
            params->mode == SPP_UNPOOL_MEAN, values);
        APPLY_SPECIFIC(paint_image)(
            values, 1 + n, count, PyArray_BYTES(superpixel_map) + image * PyArray_STRIDE(superpixel_map, 0), &grid,
            &walk, stream, plane_size, (FEATURE *)PyArray_DATA(*feature_map) + (image * channels + first) * plane_size);
    }
    failed = 0;
done:
    free(scratch);
    free(sizes);
    return failed;
}
