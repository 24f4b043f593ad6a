#section support_code_apply
/* Pooling where each channel is a plane of its own: SPP_LANES channels at a time, a window after the other.

       8 channels x 8 pixels  --transpose-->  8 rows of 8 channels  --add row to row-->  sums of pieces

   without a branch: where a piece starts, the sum so far is masked away. Stacks of whole windows are added up as
   they are and transposed once. */

/* Sums the pieces of the windows of one block.
   [in] plane (SPP_LANES): each channel's features from the block's first pixel on
   [out] row (SPP_BLOCK * SPP_WINDOW): the sum of each piece at SppPiece.row; the rest means nothing */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(sum_pieces)(
    const FEATURE *const *plane, const npy_uint16 *starts, npy_intp windows, APPLY_SPECIFIC(Lanes) *row)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    APPLY_SPECIFIC(Lanes) v[SPP_LANES];
    npy_intp w = 0, p;
    int c, half, q;
    while (w < windows) {
        const unsigned bits = starts[w];
        p = w * SPP_WINDOW;
        APPLY_SPECIFIC(fetch)(plane, p);
        if (bits == 1) {
            SPP_UNROLL
            for (c = 0; c < SPP_LANES; ++c)
                v[c] = *(const LanesInMemory *)(plane[c] + p) + *(const LanesInMemory *)(plane[c] + p + SPP_LANES);
            for (++w; w < windows && starts[w] == 0; ++w) {
                APPLY_SPECIFIC(fetch)(plane, w * SPP_WINDOW);
                SPP_UNROLL
                for (c = 0; c < SPP_LANES; ++c) {
                    v[c] += *(const LanesInMemory *)(plane[c] + w * SPP_WINDOW);
                    v[c] += *(const LanesInMemory *)(plane[c] + w * SPP_WINDOW + SPP_LANES);
                }
            }
            APPLY_SPECIFIC(add_lanes)(v, &row[p + SPP_WINDOW - 1]);
        }
        else {
            APPLY_SPECIFIC(Lanes) sum = {0};
            for (half = 0; half < SPP_WINDOW; half += SPP_LANES) {
                const APPLY_SPECIFIC(LaneInteger) *low = APPLY_SPECIFIC(keep)[bits >> half & 15];
                const APPLY_SPECIFIC(LaneInteger) *high = APPLY_SPECIFIC(keep)[bits >> (half + 4) & 15];
                SPP_UNROLL
                for (c = 0; c < SPP_LANES; ++c)
                    v[c] = *(const LanesInMemory *)(plane[c] + p + half);
                APPLY_SPECIFIC(transpose)(v);
                SPP_UNROLL
                for (q = 0; q < SPP_LANES; ++q) {
                    const APPLY_SPECIFIC(LaneInteger) keep = q < 4 ? low[q] : high[q - 4];
                    sum = v[q] + (APPLY_SPECIFIC(Lanes))((APPLY_SPECIFIC(Mask))sum & keep);
                    row[p + half + q] = sum;
                }
            }
            ++w;
        }
    }
}

/* One image's channels, each a plane of its own. [in, out] slots (plan->slots, SPP_DOUBLES, SPP_LANES): zeros
   [out] pooled: the first superpixel's first channel */
static void APPLY_SPECIFIC(pool_planes)(
    const char *features, npy_intp channel_stride, const SppGrid *grid, const SppStrides *walk,
    npy_intp channels, const SppPlan *plan, const npy_int64 *sizes, int divide, double *slots,
    npy_intp channel_step, npy_intp superpixel_step, FEATURE *pooled)
{
    const npy_intp pixels = grid->rows[0] * grid->rows[1] * grid->length;
    const int in_order = spp_lies_in_order(grid, walk, sizeof(FEATURE));
    APPLY_SPECIFIC(Lanes) row[SPP_BLOCK * SPP_WINDOW];
    FEATURE tile[SPP_LANES][SPP_BLOCK * SPP_WINDOW];
    const FEATURE *plane[SPP_LANES];
    const SppPiece *piece = plan->piece;
    const npy_intp *finished = plan->finished;
    npy_intp w, k;
    memset(tile, 0, sizeof(tile));
    for (w = 0; w < plan->windows; w += SPP_BLOCK) {
        const npy_intp first = w * SPP_WINDOW;
        const npy_intp count = spp_minimum(SPP_BLOCK * SPP_WINDOW, pixels - first);
        const npy_intp pieces = plan->pieces_of[w / SPP_BLOCK];
        APPLY_SPECIFIC(find_planes)(features, channel_stride, grid, walk, channels, first, count, in_order, tile,
                                    plane);
        APPLY_SPECIFIC(sum_pieces)(plane, plan->starts + w, spp_minimum(SPP_BLOCK, plan->windows - w), row);
        for (k = 0; k < pieces; ++k, ++piece) {
            double *sum = slots + piece->slot * (SPP_DOUBLES * SPP_LANES);
            APPLY_SPECIFIC(add_to_slot)(row[piece->row], SPP_LANES, sum);
            if (piece->is_last) {
                APPLY_SPECIFIC(finish_superpixel)(sum, SPP_LANES, channels, divide ? (double)sizes[*finished] : 1,
                                                  channel_step, pooled + *finished * superpixel_step);
                ++finished;
            }
        }
    }
}
