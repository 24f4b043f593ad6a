#include "memory/arrays.h"

#section support_code
/* Results larger than the caches are written by non-temporal stores, whole cache lines at a time: half the time,
   because the lines need not be read first. */
#ifndef SPP_NONTEMPORAL_MINIMUM
#define SPP_NONTEMPORAL_MINIMUM 12000000  /* bytes of a result, from which on stores are non-temporal */

/* Bytes of a vector that is stored at once; 0 where the compiler has no vectors whose lanes can be permuted at run
   time. */
#if defined(__clang__) || !defined(__GNUC__) || __GNUC__ < 9 || !defined(__AVX2__)
#define SPP_STORE_BYTES 0
#elif defined(__AVX512F__)
#define SPP_STORE_BYTES 64
#else
#define SPP_STORE_BYTES 32
#endif

#if SPP_STORE_BYTES > 0
#include <immintrin.h>
#if SPP_STORE_BYTES == 64
#define SPP_NONTEMPORAL_STORE(to, vector) _mm512_stream_si512((__m512i *)(to), (__m512i)(vector))
#else
#define SPP_NONTEMPORAL_STORE(to, vector) _mm256_stream_si256((__m256i *)(to), (__m256i)(vector))
#endif
#define SPP_NONTEMPORAL_FENCE() _mm_sfence()
#else
#define SPP_NONTEMPORAL_FENCE()
#endif

/* Bytes on their way to memory, collected until they make whole cache lines: write combining. */
typedef struct {
    char *buffer;   /* at the beginning of a cache line */
    char *to;       /* where the first line in the buffer belongs */
    npy_intp skip;  /* bytes at the start of that line that are not ours to write */
    npy_intp end;   /* of the bytes in the buffer */
} SppLines;

/* [in] buffer: at the beginning of a cache line  [out] to: the first byte to write */
static inline SppLines spp_lines(char *buffer, char *to)
{
    SppLines lines;
    lines.buffer = buffer;
    lines.skip = lines.end = (npy_intp)((npy_uintp)to % SPP_LINE);
    lines.to = to - lines.skip;
    return lines;
}

/* Stores the lines that are complete, and keeps the rest. */
static inline void spp_store_lines(SppLines *lines)
{
#if SPP_STORE_BYTES > 0
    typedef npy_int64 Vector __attribute__((vector_size(SPP_STORE_BYTES), may_alias));
    const npy_intp whole = lines->end / SPP_LINE * SPP_LINE;
    npy_intp at = 0;
    if (whole > 0 && lines->skip > 0) {
        memcpy(lines->to + lines->skip, lines->buffer + lines->skip, SPP_LINE - lines->skip);
        lines->skip = 0;
        at = SPP_LINE;
    }
    for (; at < whole; at += SPP_STORE_BYTES)
        SPP_NONTEMPORAL_STORE(lines->to + at, *(const Vector *)(lines->buffer + at));
    memcpy(lines->buffer, lines->buffer + whole, lines->end - whole);
    lines->to += whole;
    lines->end -= whole;
#else
    (void)lines;
#endif
}

/* Stores all that is in the buffer. */
static inline void spp_end_lines(SppLines *lines)
{
    spp_store_lines(lines);
    memcpy(lines->to + lines->skip, lines->buffer + lines->skip, lines->end - lines->skip);
    SPP_NONTEMPORAL_FENCE();
}
#endif

#section support_code_apply
/* Copies `count` features, by non-temporal stores if asked. */
static inline void APPLY_SPECIFIC(store_features)(const FEATURE *from, npy_intp count, int nontemporal, FEATURE *to)
{
    npy_intp i = 0;
#if SPP_STORE_BYTES > 0
    if (nontemporal) {
        typedef npy_int64 Vector __attribute__((vector_size(SPP_STORE_BYTES)));
        typedef npy_int64 VectorInMemory
            __attribute__((vector_size(SPP_STORE_BYTES), aligned(sizeof(FEATURE)), may_alias));
        for (; i < count && (npy_uintp)(to + i) % SPP_STORE_BYTES != 0; ++i)
            to[i] = from[i];
        for (; i + SPP_STORE_BYTES / (npy_intp)sizeof(FEATURE) <= count; i += SPP_STORE_BYTES / sizeof(FEATURE))
            SPP_NONTEMPORAL_STORE(to + i, (Vector)*(const VectorInMemory *)(from + i));
    }
#endif
    (void)nontemporal;
    memcpy(to + i, from + i, (count - i) * sizeof(FEATURE));
}
