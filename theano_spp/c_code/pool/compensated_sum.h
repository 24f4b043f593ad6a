#section support_code_apply
/* Sums that are as exact for ten million values as for ten. They are kept in double; for float64
   features the values are added with their rounding errors caught (Knuth's TwoSum). */
#define SPP_CATCH_ERRORS (ITEMSIZE_INPUT_0 == 8)
#define SPP_DOUBLES (1 + SPP_CATCH_ERRORS)  /* kept for each sum */

/* One block's sums of one image, channel by channel within a superpixel. */
typedef struct {
    double *sum;   /* (n_superpixels, width) */
    double *lost;  /* (n_superpixels, width): rounding errors of sum, float64 only */
} APPLY_SPECIFIC(Accumulator);

static inline void APPLY_SPECIFIC(add_exactly)(double value, double *sum, double *lost)
{
    const double old = *sum, both = old + value;
    #if SPP_CATCH_ERRORS
    const double added = both - old;
    *lost += (old - (both - added)) + (value - added);
    #else
    (void)lost;
    #endif
    *sum = both;
}

static inline void APPLY_SPECIFIC(add_piece)(APPLY_SPECIFIC(Accumulator) acc, npy_intp at,
                                             const double *piece, npy_intp channels)
{
    npy_intp c;
    for (c = 0; c < channels; ++c)
        APPLY_SPECIFIC(add_exactly)(piece[c], acc.sum + at + c, acc.lost + at + c);
}

static inline double APPLY_SPECIFIC(total)(APPLY_SPECIFIC(Accumulator) acc, npy_intp at)
{
    const double sum = acc.sum[at];
    #if SPP_CATCH_ERRORS
    if (sum - sum == 0)  /* else the sum is right as it is, and lost became NaN by inf - inf */
        return sum + acc.lost[at];
    #endif
    return sum;
}

/* acc -> pooled (channels, n_superpixels) of one image, divided by sizes if asked. */
static inline void APPLY_SPECIFIC(write_pooled)(APPLY_SPECIFIC(Accumulator) acc, npy_intp channels,
                                                npy_intp n_superpixels, const npy_int64 *sizes,
                                                int divide, FEATURE *pooled)
{
    npy_intp c, l;
    for (c = 0; c < channels; ++c)
        for (l = 0; l < n_superpixels; ++l) {
            double total = APPLY_SPECIFIC(total)(acc, l * channels + c);
            if (divide && sizes[l] > 0)
                total /= (double)sizes[l];
            pooled[c * n_superpixels + l] = (FEATURE)total;
        }
}
