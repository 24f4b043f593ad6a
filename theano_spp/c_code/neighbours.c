#section support_code_apply
/* Pooling where the channels of a pixel lie together: its row is there already. Rows are added up in the order in
   which they lie in memory, and each channel's features in the order of planes.c. */
#define SPP_NEIGHBOURS 64       /* channels at once, or more: */
#define SPP_SLOT_MEMORY 262144  /* while these bytes, a part of the second cache, hold all slots */
#define SPP_LONG_ROW 128        /* bytes of a pixel: longer ones are added from the first channel to the last */

/* Adds a row to another. [in, out] sum (channels), overwritten if is_first */
static inline void APPLY_SPECIFIC(add_features)(const FEATURE *feature, npy_intp channels, int is_first, FEATURE *sum)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    npy_intp c = 0;
    if (is_first) {
        memcpy(sum, feature, channels * sizeof(FEATURE));
        return;
    }
    for (; c + SPP_LANES <= channels; c += SPP_LANES)
        *(LanesInMemory *)(sum + c) += *(const LanesInMemory *)(feature + c);
    for (; c < channels; ++c)
        sum[c] += feature[c];
}

/* Adds up the pixels of a piece, whose channels lie together.
   [in] pixel (count): where each begins  [out] sum (channels) */
static inline void APPLY_SPECIFIC(add_pixels)(const FEATURE *const *pixel, npy_intp count, npy_intp channels,
                                              FEATURE *sum)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    npy_intp c, p;
    if (channels * (npy_intp)sizeof(FEATURE) >= SPP_LONG_ROW) {
        for (p = 0; p < count; ++p)
            APPLY_SPECIFIC(add_features)(pixel[p], channels, p == 0, sum);
        return;
    }
    for (c = 0; c + SPP_LANES <= channels; c += SPP_LANES) {
        APPLY_SPECIFIC(Lanes) lanes = *(const LanesInMemory *)(pixel[0] + c);
        for (p = 1; p < count; ++p)
            lanes += *(const LanesInMemory *)(pixel[p] + c);
        *(LanesInMemory *)(sum + c) = lanes;
    }
    for (; c < channels; ++c) {
        FEATURE one = pixel[0][c];
        for (p = 1; p < count; ++p)
            one += pixel[p][c];
        sum[c] = one;
    }
}

/* Adds a window to a stack: every eighth pixel to one sum. [in, out] sum (SPP_LANES, channels) */
static inline void APPLY_SPECIFIC(stack_pixels)(const FEATURE *const *pixel, npy_intp channels, int is_first,
                                                FEATURE *sum)
{
    npy_intp p;
    for (p = 0; p < SPP_WINDOW; ++p)
        APPLY_SPECIFIC(add_features)(pixel[p], channels, is_first && p < SPP_LANES, sum + p % SPP_LANES * channels);
}

/* The sum of a stack's sums, in the order of add_lanes. [in, out] sum (SPP_LANES, channels) -> the first row */
static inline void APPLY_SPECIFIC(end_stack)(npy_intp channels, FEATURE *sum)
{
    npy_intp c;
    for (c = 0; c < channels; ++c) {
        #define SPP_ROW(i) sum[(i) * channels + c]
        sum[c] = ((SPP_ROW(0) + SPP_ROW(4)) + (SPP_ROW(2) + SPP_ROW(6)))
                 + ((SPP_ROW(1) + SPP_ROW(5)) + (SPP_ROW(3) + SPP_ROW(7)));
        #undef SPP_ROW
    }
}

/* One image's channels, side by side for each pixel. [in, out] slots (plan->slots, SPP_DOUBLES, channels): zeros
   [in] sum (SPP_LANES, channels): scratch  [out] pooled (channels, n_superpixels) */
static void APPLY_SPECIFIC(pool_neighbours)(
    const char *features, const SppGrid *grid, const SppStrides *walk, npy_intp channels, const SppPlan *plan,
    const npy_int64 *sizes, int divide, npy_intp n_superpixels, double *slots, FEATURE *sum, FEATURE *pooled)
{
    const npy_intp pixels = grid->rows[0] * grid->rows[1] * grid->length;
    const SppPiece *piece = plan->piece;
    const npy_intp *finished = plan->finished;
    const FEATURE *at[SPP_WINDOW];
    const char *line = features;
    npy_intp x = 0, r1 = 0, r0 = 0, w, p;
    for (w = 0; w < plan->windows; ++w) {
        const npy_intp length = spp_minimum(SPP_WINDOW, pixels - w * SPP_WINDOW);
        unsigned bits = plan->starts[w];
        const int is_stack = bits <= 1;
        for (p = 0; p < length; ++p) {
            at[p] = (const FEATURE *)(line + x * walk->pixel);
            if (++x == grid->length) {
                x = 0;
                r1 = r1 + 1 == grid->rows[1] ? 0 : r1 + 1;
                r0 += r1 == 0;
                line = features + r0 * walk->row[0] + r1 * walk->row[1];
            }
        }
        if (is_stack) {
            if (piece->slot != 0)
                APPLY_SPECIFIC(stack_pixels)(at, channels, bits == 1, sum);
            if (w + 1 < plan->windows && plan->starts[w + 1] == 0)
                continue;  /* the stack goes on */
            APPLY_SPECIFIC(end_stack)(channels, sum);
            bits = 1;
        }
        for (; bits != 0; bits &= bits - 1, ++piece) {
            double *total = slots + piece->slot * SPP_DOUBLES * channels;
            if (piece->slot == 0)
                continue;
            if (!is_stack) {
                const int begin = spp_lowest_bit(bits);
                const int end = (bits & (bits - 1)) == 0 ? SPP_WINDOW : spp_lowest_bit(bits & (bits - 1));
                APPLY_SPECIFIC(add_pixels)(at + begin, end - begin, channels, sum);
            }
            APPLY_SPECIFIC(add_row)(sum, channels, channels, total);
            if (piece->is_last) {
                APPLY_SPECIFIC(finish_superpixel)(total, channels, channels, divide ? (double)sizes[*finished] : 1,
                                                  n_superpixels, pooled + *finished);
                ++finished;
            }
        }
    }
}
