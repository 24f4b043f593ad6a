#section support_code_apply
#define SPP_NEIGHBOURS 64        /* channels at once where the channels of a pixel lie together, or more: */
#define SPP_LONG_ROW 128         /* bytes of a pixel: longer ones are added from the first channel to the last */
#define SPP_SLOT_MEMORY 262144   /* while these bytes, a part of the second cache, hold all slots */

/* Pooling reads each feature once, in one of two walks over the windows of a plan (plan.c), and adds the sums
   of pieces to the slots of their superpixels.

   Where each channel is a plane of its own, SPP_LANES channels are walked at a time, a window after the other:

       8 channels x 8 pixels  --transpose-->  8 rows of 8 channels  --add row to row-->  sums of pieces

   without a branch: where a piece starts, the sum so far is masked away. Stacks of whole windows are added up
   as they are and transposed once.

   Where the channels of a pixel lie together, the rows are there already, and are added up in the order in which
   they lie in memory.

   Either way the order of the additions depends on the labels alone, so the results are the same to the last bit
   for every number of threads. */

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

/* Writes a superpixel's sums of `channels` channels and leaves zeros for the next one in its slot.
   [in, out] sum (SPP_DOUBLES, width)  [out] pooled (channels, n_superpixels), from this superpixel on */
static inline void APPLY_SPECIFIC(finish_superpixel)(double *sum, npy_intp width, npy_intp channels, double divisor,
                                                     npy_intp n_superpixels, FEATURE *pooled)
{
    APPLY_SPECIFIC(Accumulator) acc;
    npy_intp c;
    acc.sum = sum;
    acc.lost = sum + width;
    for (c = 0; c < channels; ++c)
        pooled[c * n_superpixels] = (FEATURE)(APPLY_SPECIFIC(total)(acc, c) / divisor);
    for (c = 0; c < SPP_DOUBLES * width; ++c)
        sum[c] = 0;
}

/* One image's channels, each a plane of its own. [in, out] slots (plan->slots, SPP_DOUBLES, SPP_LANES): zeros
   [out] pooled (channels, n_superpixels) */
static void APPLY_SPECIFIC(pool_planes)(
    const char *features, npy_intp channel_stride, const SppGrid *grid, const SppStrides *walk,
    npy_intp channels, const SppPlan *plan, const npy_int64 *sizes, int divide, npy_intp n_superpixels,
    double *slots, FEATURE *pooled)
{
    const npy_intp pixels = grid->rows[0] * grid->rows[1] * grid->length;
    const int in_order = spp_lies_in_order(grid, walk, sizeof(FEATURE));
    APPLY_SPECIFIC(Lanes) row[SPP_BLOCK * SPP_WINDOW];
    FEATURE tile[SPP_LANES][SPP_BLOCK * SPP_WINDOW];
    const FEATURE *plane[SPP_LANES];
    const SppPiece *piece = plan->piece;
    const npy_intp *finished = plan->finished;
    npy_intp w, k, c;
    memset(tile, 0, sizeof(tile));
    for (w = 0; w < plan->windows; w += SPP_BLOCK) {
        const npy_intp first = w * SPP_WINDOW;
        const npy_intp count = spp_minimum(SPP_BLOCK * SPP_WINDOW, pixels - first);
        const npy_intp pieces = plan->pieces_of[w / SPP_BLOCK];
        if (in_order && count == SPP_BLOCK * SPP_WINDOW)
            for (c = 0; c < SPP_LANES; ++c)  /* missing channels repeat the last one */
                plane[c] = (const FEATURE *)(features + spp_minimum(c, channels - 1) * channel_stride) + first;
        else
            for (c = 0; c < SPP_LANES; ++c) {
                if (c < channels)
                    SPP_COPY_PIXELS(FEATURE, features + c * channel_stride, grid, walk, first, count, tile[c]);
                plane[c] = tile[c];
            }
        APPLY_SPECIFIC(sum_pieces)(plane, plan->starts + w, spp_minimum(SPP_BLOCK, plan->windows - w), row);
        for (k = 0; k < pieces; ++k, ++piece) {
            double *sum = slots + piece->slot * (SPP_DOUBLES * SPP_LANES);
            APPLY_SPECIFIC(add_row)((const FEATURE *)(row + piece->row), SPP_LANES, SPP_LANES, sum);
            if (piece->is_last) {
                APPLY_SPECIFIC(finish_superpixel)(sum, SPP_LANES, channels, divide ? (double)sizes[*finished] : 1,
                                                  n_superpixels, pooled + *finished);
                ++finished;
            }
        }
    }
}

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

/* [in]  feature_map (batch, channels, *spatial), superpixel_map (batch, *spatial), n_superpixels ()
   [out] pooled (batch, channels, n_superpixels) */
int APPLY_SPECIFIC(superpixel_pool)(PyArrayObject *feature_map, PyArrayObject *superpixel_map,
                                    PyArrayObject *n_superpixels, PyArrayObject **pooled,
                                    PARAMS_TYPE *params)
{
    const char *op = "SuperpixelPool";
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const npy_intp channel_stride = PyArray_STRIDE(feature_map, 1);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides walk = spp_strides(naxes, PyArray_STRIDES(feature_map) + 2);
    const npy_intp windows = spp_ceil_divide(grid.rows[0] * grid.rows[1] * grid.length, SPP_WINDOW);
    const int channels_lie_together = channel_stride == (npy_intp)sizeof(FEATURE) && channels > 1;
    const int divide = params->mode == SPP_POOL_MEAN;
    const int threads = spp_number_of_threads();
    npy_intp shape[3] = {batch, channels, 0};
    npy_intp n, slots = 1, width, blocks, lanes, block;
    npy_int64 *sizes = NULL;
    npy_intp *last = NULL;
    npy_uint16 *starts = NULL;
    SppPlan *plans = NULL;
    double *scratch = NULL;
    FEATURE *rows = NULL;
    int failed = -1;

    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map, SPP_AGREE_IN_SPACE) != 0
            || (n = shape[2] = spp_n_superpixels(op, n_superpixels)) < 0
            || (sizes = (npy_int64 *)spp_scratch(op, n, batch, sizeof(npy_int64))) == NULL)
        return -1;
    if ((last = (npy_intp *)spp_scratch(op, n, batch, sizeof(npy_intp))) == NULL
            || (starts = (npy_uint16 *)spp_allocate(op, batch * windows, SPP_FOR_WINDOWS, 1, sizeof(npy_uint16))) == NULL
            || APPLY_SPECIFIC(find_runs)(op, "n_superpixels is", superpixel_map, n, sizes, starts, last) != 0
            || spp_prepare_output(op, n, pooled, 3, shape, TYPENUM_INPUT_0) != 0)
        goto done;
    if (PyArray_SIZE(feature_map) == 0) {
        PyArray_FILLWBYTE(*pooled, 0);
        failed = 0;
        goto done;
    }
    if ((plans = APPLY_SPECIFIC(plan_images)(op, superpixel_map, n, starts, last)) == NULL)
        goto done;

    for (block = 0; block < batch; ++block)
        slots = spp_maximum(slots, plans[block].slots);
    width = spp_block_width(batch, channels, channels_lie_together
                            ? spp_maximum(SPP_NEIGHBOURS, SPP_SLOT_MEMORY / (slots * SPP_DOUBLES * 8)) : SPP_LANES,
                            threads);
    blocks = spp_ceil_divide(channels, width);
    lanes = channels_lie_together ? width : SPP_LANES;
    if ((scratch = (double *)spp_scratch(op, slots * threads + 1, SPP_DOUBLES * lanes + 8, sizeof(double))) == NULL
            || (rows = (FEATURE *)spp_scratch(op, threads * SPP_LANES, lanes, sizeof(FEATURE))) == NULL)
        goto done;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (block = 0; block < batch * blocks; ++block) {
        const npy_intp image = block / blocks;
        const npy_intp first = block % blocks * width;
        const npy_intp count = spp_minimum(width, channels - first);
        const char *features = PyArray_BYTES(feature_map) + image * PyArray_STRIDE(feature_map, 0)
                               + first * channel_stride;
        const npy_int64 *size = sizes + image * n;
        FEATURE *out = (FEATURE *)PyArray_DATA(*pooled) + (image * channels + first) * n;
        double *own_slots = spp_align(scratch) + spp_thread_number() * slots * SPP_DOUBLES * lanes;
        npy_intp c, l;
        for (l = 0; l < n; ++l)
            if (size[l] == 0)
                for (c = 0; c < count; ++c)
                    out[c * n + l] = 0;
        if (channels_lie_together)
            APPLY_SPECIFIC(pool_neighbours)(features, &grid, &walk, count, plans + image, size, divide, n, own_slots,
                                            rows + spp_thread_number() * SPP_LANES * lanes, out);
        else
            APPLY_SPECIFIC(pool_planes)(features, channel_stride, &grid, &walk, count, plans + image, size, divide, n,
                                        own_slots, out);
    }
    failed = 0;
done:
    spp_free_plans(plans, batch);
    free(rows);
    free(scratch);
    free(starts);
    free(last);
    free(sizes);
    return failed;
}
