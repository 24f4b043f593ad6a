#section support_code_apply
/* Pooling where each channel is a plane of its own: SPP_LANES channels at a time, a window after the other.

       8 channels x 8 pixels  --transpose-->  8 rows of 8 channels  --add row to row-->  sums of pieces

   without a branch: where a piece starts, the sum so far is masked away. Stacks of whole windows are added up as
   they are and transposed once. */

/* Sums the pieces of one block.
   [in] plane (SPP_LANES): each channel's features from the block's first pixel on
   [out] row (SPP_BLOCK): the sum of each piece at SppPiece.last_pixel; the rest means nothing */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(sum_pieces)(
    const FEATURE *const *plane, npy_uint64 starts, APPLY_SPECIFIC(Lanes) *row)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    APPLY_SPECIFIC(Lanes) v[SPP_LANES];
    npy_intp p = 0;
    int c, half, q;
    while (p < SPP_BLOCK) {
        const unsigned bits = starts >> p & 0xffff;
        APPLY_SPECIFIC(fetch)(plane, p);
        if (bits == 1) {
            SPP_UNROLL
            for (c = 0; c < SPP_LANES; ++c)
                v[c] = *(const LanesInMemory *)(plane[c] + p) + *(const LanesInMemory *)(plane[c] + p + SPP_LANES);
            for (p += SPP_WINDOW; p < SPP_BLOCK && (starts >> p & 0xffff) == 0; p += SPP_WINDOW) {
                APPLY_SPECIFIC(fetch)(plane, p);
                SPP_UNROLL
                for (c = 0; c < SPP_LANES; ++c) {
                    v[c] += *(const LanesInMemory *)(plane[c] + p);
                    v[c] += *(const LanesInMemory *)(plane[c] + p + SPP_LANES);
                }
            }
            APPLY_SPECIFIC(add_lanes)(v, &row[p - 1]);
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
            p += SPP_WINDOW;
        }
    }
}

/* A part of one image, each channel a plane of its own. [in, out] slots (plan->slots, SPP_DOUBLES, SPP_LANES): zeros */
static void APPLY_SPECIFIC(pool_planes)(
    const char *features, npy_intp channel_stride, const SppGrid *grid, const SppStrides *walk, const SppPlan *plan,
    APPLY_SPECIFIC(Results) results, double *slots)
{
    const int in_order = spp_lies_in_order(grid, walk, sizeof(FEATURE));
    APPLY_SPECIFIC(Lanes) row[SPP_BLOCK];
    FEATURE tile[SPP_LANES][SPP_BLOCK];
    const FEATURE *plane[SPP_LANES];
    const npy_uint64 *starts = plan->starts;
    const SppPiece *piece = plan->piece;
    const npy_intp *finished = plan->finished;
    APPLY_SPECIFIC(Waiting) waiting;
    npy_intp first;
    waiting.count = 0;
    results.waiting = &waiting;
    memset(tile, 0, sizeof(tile));
    for (first = plan->first; first < plan->end; first += SPP_BLOCK, ++starts) {
        const SppPiece *end = piece + __builtin_popcountll(*starts);
        APPLY_SPECIFIC(find_planes)(features, channel_stride, grid, walk, results.channels, first,
                                    spp_minimum(SPP_BLOCK, plan->end - first), in_order, tile, plane);
        APPLY_SPECIFIC(sum_pieces)(plane, *starts, row);
        for (; piece < end; ++piece) {
            double *slot = slots + piece->slot * (SPP_DOUBLES * SPP_LANES);
            if (piece->is_first & piece->is_last) {
                APPLY_SPECIFIC(finish_only_piece)(&results, *finished++, row[piece->last_pixel]);
                continue;
            }
            APPLY_SPECIFIC(add_to_slot)(row[piece->last_pixel], SPP_LANES, slot);
            if (piece->is_last)
                APPLY_SPECIFIC(finish_superpixel)(&results, *finished++, SPP_LANES, slot);
        }
    }
    APPLY_SPECIFIC(write_waiting)(&results);
}
