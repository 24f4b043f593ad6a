#section support_code
/* Before a loop with a constant number of rounds, at most 16: unrolled, so that what it works on stays in registers. */
#ifndef SPP_UNROLL
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 8
#define SPP_UNROLL
#else
#define SPP_UNROLL _Pragma("GCC unroll 16")
#endif
#endif
