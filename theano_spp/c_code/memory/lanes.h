#include "memory/unroll.h"

#section support_code
#ifndef SPP_LANES
#define SPP_LANES 8  /* channels computed side by side, one memory stream each: the L1 cache has as many ways */

/* A permutation of the lanes of a and b by constant indices; those of b start at SPP_LANES. */
#if defined(__clang__) || __GNUC__ >= 12
#define SPP_SHUFFLE(MASK, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SPP_SHUFFLE(MASK, a, b, ...) __builtin_shuffle(a, b, (MASK){__VA_ARGS__})
#endif

#if defined(__AVX__)
#include <immintrin.h>
#endif

enum { SPP_SUM, SPP_LARGEST };  /* how the features of several pixels become one */

#endif

#section support_code_apply
/* Vectors of SPP_LANES features, as the compiler's vector extension: AVX where the machine has it, otherwise SSE or
   scalar code, with the same bits everywhere. */
typedef FEATURE APPLY_SPECIFIC(Lanes) __attribute__((vector_size(SPP_LANES * sizeof(FEATURE))));
/* The same, at any address that is aligned for one feature. */
typedef FEATURE APPLY_SPECIFIC(LanesInMemory)
    __attribute__((vector_size(SPP_LANES * sizeof(FEATURE)), aligned(sizeof(FEATURE)), may_alias));
/* Integers of the same width, as masks of lanes. */
#if ITEMSIZE_INPUT_0 == 8
typedef npy_int64 APPLY_SPECIFIC(LaneInteger);
#else
typedef npy_int32 APPLY_SPECIFIC(LaneInteger);
#endif
typedef APPLY_SPECIFIC(LaneInteger) APPLY_SPECIFIC(Mask)
    __attribute__((vector_size(SPP_LANES * sizeof(FEATURE))));

/* The steps of a transposition exchange 4, 2 or 1 adjacent lanes between two vectors: LOW has the first half of each
   pair from a, and from b the first half in place of the second; HIGH has the second halves. */
#define SPP_LOW4(M, a, b) SPP_SHUFFLE(M, a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define SPP_HIGH4(M, a, b) SPP_SHUFFLE(M, a, b, 4, 5, 6, 7, 12, 13, 14, 15)
#define SPP_LOW2(M, a, b) SPP_SHUFFLE(M, a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define SPP_HIGH2(M, a, b) SPP_SHUFFLE(M, a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define SPP_LOW1(M, a, b) SPP_SHUFFLE(M, a, b, 0, 8, 2, 10, 4, 12, 6, 14)
#define SPP_HIGH1(M, a, b) SPP_SHUFFLE(M, a, b, 1, 9, 3, 11, 5, 13, 7, 15)

/* v[channel] lane pixel -> v[pixel] lane channel */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(transpose)(APPLY_SPECIFIC(Lanes) *v)
{
    typedef APPLY_SPECIFIC(Mask) Mask;
    int c;
    SPP_UNROLL
    for (c = 0; c < 4; ++c) {
        const APPLY_SPECIFIC(Lanes) a = v[c], b = v[c + 4];
        v[c] = SPP_LOW4(Mask, a, b);
        v[c + 4] = SPP_HIGH4(Mask, a, b);
    }
    SPP_UNROLL
    for (c = 0; c < 8; ++c)
        if ((c & 2) == 0) {
            const APPLY_SPECIFIC(Lanes) a = v[c], b = v[c + 2];
            v[c] = SPP_LOW2(Mask, a, b);
            v[c + 2] = SPP_HIGH2(Mask, a, b);
        }
    SPP_UNROLL
    for (c = 0; c < 8; c += 2) {
        const APPLY_SPECIFIC(Lanes) a = v[c], b = v[c + 1];
        v[c] = SPP_LOW1(Mask, a, b);
        v[c + 1] = SPP_HIGH1(Mask, a, b);
    }
}

/* a > b ? a : b for each lane: b where either is NaN. The processor has an instruction for it, which compilers do
   not use by themselves because of NaNs. */
static inline __attribute__((always_inline)) APPLY_SPECIFIC(Lanes) APPLY_SPECIFIC(larger)(APPLY_SPECIFIC(Lanes) a,
                                                                                        APPLY_SPECIFIC(Lanes) b)
{
#if defined(__AVX__) && ITEMSIZE_INPUT_0 == 4
    return (APPLY_SPECIFIC(Lanes))_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__AVX512F__) && ITEMSIZE_INPUT_0 == 8
    return (APPLY_SPECIFIC(Lanes))_mm512_max_pd((__m512d)a, (__m512d)b);
#else
    return a > b ? a : b;
#endif
}

/* For each lane, the sum or the larger of two. */
static inline __attribute__((always_inline)) APPLY_SPECIFIC(Lanes) APPLY_SPECIFIC(combine)(
    int operation, APPLY_SPECIFIC(Lanes) a, APPLY_SPECIFIC(Lanes) b)
{
    return operation == SPP_SUM ? a + b : APPLY_SPECIFIC(larger)(a, b);
}

/* v[channel] lane pixel -> *folded lane channel: the sum of the pixels, or the largest. v is scratch, undefined on
   return. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(fold_lanes)(
    int operation, APPLY_SPECIFIC(Lanes) *v, APPLY_SPECIFIC(Lanes) *folded)
{
    typedef APPLY_SPECIFIC(Mask) Mask;
    int c;
    SPP_UNROLL
    for (c = 0; c < 4; ++c)
        v[c] = APPLY_SPECIFIC(combine)(operation, SPP_LOW4(Mask, v[c], v[c + 4]), SPP_HIGH4(Mask, v[c], v[c + 4]));
    SPP_UNROLL
    for (c = 0; c < 2; ++c)
        v[c] = APPLY_SPECIFIC(combine)(operation, SPP_LOW2(Mask, v[c], v[c + 2]), SPP_HIGH2(Mask, v[c], v[c + 2]));
    *folded = APPLY_SPECIFIC(combine)(operation, SPP_LOW1(Mask, v[0], v[1]), SPP_HIGH1(Mask, v[0], v[1]));
}

/* Whether any lane is NaN; true for some vectors with infinities too. */
static inline __attribute__((always_inline)) int APPLY_SPECIFIC(is_nan)(APPLY_SPECIFIC(Lanes) lanes)
{
    FEATURE sum = 0;
    int c;
    for (c = 0; c < SPP_LANES; ++c)
        sum += lanes[c];
    return sum != sum;
}

/* [starts of four pixels][pixel]: a mask for the running sum, all zeros where a run starts */
static const APPLY_SPECIFIC(LaneInteger) APPLY_SPECIFIC(keep)[16][4] = {
    {-1, -1, -1, -1}, {0, -1, -1, -1}, {-1, 0, -1, -1}, {0, 0, -1, -1},
    {-1, -1, 0, -1},  {0, -1, 0, -1},  {-1, 0, 0, -1},  {0, 0, 0, -1},
    {-1, -1, -1, 0},  {0, -1, -1, 0},  {-1, 0, -1, 0},  {0, 0, -1, 0},
    {-1, -1, 0, 0},   {0, -1, 0, 0},   {-1, 0, 0, 0},   {0, 0, 0, 0}};
