#include "memory/unroll.h"
#include "soft/cells.h"

#section support_code_apply
/* exp(x) of SPP_SOFT_LANES doubles that are not positive, within two units in the last place, with the same bits on
   every machine; 0 below -700. Compilers do not vectorise the library's exp.

   x = n ln(2) + r with a whole n and |r| <= ln(2) / 2, so exp(x) = 2^n exp(r), and exp(r) is its Taylor series. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(exponential)(APPLY_SPECIFIC(Doubles) *lanes)
{
    typedef npy_uint64 Integers __attribute__((vector_size(SPP_SOFT_LANES * sizeof(npy_uint64))));  /* they may wrap */
    const double shift = 6755399441055744.0;  /* 1.5 * 2^52: a sum with it is a whole number, found in its low bits */
    const double factors[] = {1. / 6227020800, 1. / 479001600, 1. / 39916800, 1. / 3628800, 1. / 362880, 1. / 40320,
                              1. / 5040, 1. / 720, 1. / 120, 1. / 24, 1. / 6, 1. / 2, 1., 1.};
    const APPLY_SPECIFIC(Doubles) x = *lanes, zero = {0};
    const APPLY_SPECIFIC(Doubles) shifted = x * 1.4426950408889634 + shift, n = shifted - shift;
    const APPLY_SPECIFIC(Doubles) r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
    APPLY_SPECIFIC(Doubles) power = r * factors[0] + factors[1];
    size_t i;
    SPP_UNROLL
    for (i = 2; i < sizeof(factors) / sizeof(*factors); ++i)
        power = power * r + factors[i];
    power = (APPLY_SPECIFIC(Doubles))((Integers)power + ((Integers)shifted << 52));
    power = x < -700. ? zero : power;  /* there, and for NaN, the bits of power mean nothing */
    *lanes = x == x ? power : x;
}
