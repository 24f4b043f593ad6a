#section support_code_apply
/* Sums that are as exact for ten million values as for ten: kept in double, and for float64 features compensated,
   that is, kept together with their rounding errors (TwoSum, Knuth). */
#define SPP_COMPENSATED (ITEMSIZE_INPUT_0 == 8)
#define SPP_DOUBLES (1 + SPP_COMPENSATED)  /* that each sum takes */

/* The sums of one block of channels of one image. */
typedef struct {
    double *sum;    /* (n_superpixels, width) */
    double *error;  /* (n_superpixels, width): the rounding errors of sum, float64 features only */
} APPLY_SPECIFIC(Accumulator);

static inline void APPLY_SPECIFIC(add_compensated)(double value, double *sum, double *error)
{
    const double old = *sum, both = old + value;
    #if SPP_COMPENSATED
    const double added = both - old;
    *error += (old - (both - added)) + (value - added);
    #else
    (void)error;
    #endif
    *sum = both;
}

static inline void APPLY_SPECIFIC(add_values)(APPLY_SPECIFIC(Accumulator) acc, npy_intp at,
                                              const double *values, npy_intp channels)
{
    npy_intp c;
    for (c = 0; c < channels; ++c)
        APPLY_SPECIFIC(add_compensated)(values[c], acc.sum + at + c, acc.error + at + c);
}

static inline double APPLY_SPECIFIC(total)(APPLY_SPECIFIC(Accumulator) acc, npy_intp at)
{
    const double sum = acc.sum[at];
    #if SPP_COMPENSATED
    if (sum - sum == 0)  /* else the sum is infinite or NaN as it should be, but error is NaN, from inf - inf */
        return sum + acc.error[at];
    #endif
    return sum;
}

/* acc -> pooled (channels, n_superpixels) of one image, divided by sizes for the mean */
static inline void APPLY_SPECIFIC(write_pooled)(APPLY_SPECIFIC(Accumulator) acc, npy_intp channels,
                                                npy_intp n_superpixels, const npy_int64 *sizes,
                                                int mean, FEATURE *pooled)
{
    npy_intp c, l;
    for (c = 0; c < channels; ++c)
        for (l = 0; l < n_superpixels; ++l) {
            double total = APPLY_SPECIFIC(total)(acc, l * channels + c);
            if (mean && sizes[l] > 0)
                total /= (double)sizes[l];
            pooled[c * n_superpixels + l] = (FEATURE)total;
        }
}
