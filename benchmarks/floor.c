/* What memory allows: features read once, or written once, by loops that do nothing else. */
#include <stddef.h>

typedef float Lanes __attribute__((vector_size(64), aligned(4)));

/* The sum of `count` features, a multiple of 128 of them. */
float read_features(const float *features, ptrdiff_t count)
{
    float total = 0;
    #pragma omp parallel reduction(+:total)
    {
        Lanes sum[8] = {{0}};  /* as many as keep the adders busy */
        ptrdiff_t i;
        int k;
        #pragma omp for schedule(static)
        for (i = 0; i < count / 128; ++i)
            #pragma GCC unroll 8
            for (k = 0; k < 8; ++k)
                sum[k] += *(const Lanes *)(features + 128 * i + 16 * k);
        for (k = 0; k < 8; ++k)
            for (i = 0; i < 16; ++i)
                total += sum[k][i];
    }
    return total;
}

void write_features(float *features, ptrdiff_t count, float value)
{
    ptrdiff_t i;
    #pragma omp parallel for schedule(static)
    for (i = 0; i < count; ++i)
        features[i] = value;
}
