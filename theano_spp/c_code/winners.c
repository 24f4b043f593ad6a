#section support_code_apply
/* The largest features of superpixels, and their pixels, where the features have the size of the superpixel map.
   By the plan and the windows of mean pooling (plan.c, planes.c): each pixel of a piece is compared with the best
   before it, eight channels at once and without a branch. The smallest are the largest of the negated features. */
#define SPP_BEST_MEMORY 262144  /* bytes for the best so far, a part of the second cache, where channels lie together */

/* What is the best so far of one superpixel in SPP_LANES channels. */
typedef struct {
    FEATURE value[SPP_LANES];
    npy_int64 pixel[SPP_LANES];  /* row-major numbers; the first is -1 for none yet */
} APPLY_SPECIFIC(Best);

/* The best so far in a piece, and which pixel of the block it is. */
typedef struct {
    APPLY_SPECIFIC(Lanes) value;
    APPLY_SPECIFIC(Mask) place;
} APPLY_SPECIFIC(Peak);

/* Looks at half a window, the pixels from number p of the block on. [in] v[pixel] lane channel
   [out] at (SPP_LANES): the peak up to each pixel
   Where a piece starts, the peak before becomes a NaN, over which everything wins. With care_for_nans a NaN of the
   piece itself stays; without, the first NaN loses its place to the next, but the chain from pixel to pixel, which is
   what the time is spent on, is half as long. */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(climb)(
    const APPLY_SPECIFIC(Lanes) *v, unsigned starts, npy_intp p, int care_for_nans, APPLY_SPECIFIC(Peak) *peak,
    APPLY_SPECIFIC(Peak) *at)
{
    typedef APPLY_SPECIFIC(Lanes) Lanes;
    typedef APPLY_SPECIFIC(Mask) Mask;
    const APPLY_SPECIFIC(LaneInteger) *low = APPLY_SPECIFIC(keep)[starts & 15];
    const APPLY_SPECIFIC(LaneInteger) *high = APPLY_SPECIFIC(keep)[starts >> 4 & 15];
    int q;
    SPP_UNROLL
    for (q = 0; q < SPP_LANES; ++q) {
        const APPLY_SPECIFIC(LaneInteger) keep = q < 4 ? low[q] : high[q - 4];
        const Lanes before = (Lanes)((Mask)peak->value | ~keep);
        Mask loses = v[q] <= before;
        const Mask here = ((Mask){0}) + (APPLY_SPECIFIC(LaneInteger))(p + q);
        if (care_for_nans)
            loses |= (peak->value != peak->value) & keep;
        peak->value = loses ? peak->value : v[q];
        peak->place = loses ? peak->place : here;
        at[q] = *peak;
    }
}

/* Whether there is a NaN, or maybe one: infinities may look like it. */
static inline int APPLY_SPECIFIC(may_have_nans)(const APPLY_SPECIFIC(Lanes) *v, npy_intp count)
{
    APPLY_SPECIFIC(Lanes) sum = v[0];
    FEATURE total = 0;
    npy_intp i;
    SPP_UNROLL
    for (i = 1; i < count; ++i)
        sum += v[i];
    for (i = 0; i < SPP_LANES; ++i)
        total += sum[i];
    return total != total;
}

/* Finds the best of each piece of the windows of one block.
   [in] from: each channel's first pixel in the block; or, where channels lie together, each pixel's first channel
   [out] at (SPP_BLOCK * SPP_WINDOW): the peak of each piece at SppPiece.row; the rest means nothing */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(find_peaks)(
    const FEATURE *const *from, int together, const npy_uint16 *starts, npy_intp windows, FEATURE sign,
    APPLY_SPECIFIC(Peak) *at)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    APPLY_SPECIFIC(Lanes) v[SPP_LANES];
    APPLY_SPECIFIC(Peak) peak;
    npy_intp w, p, stack = 0;
    int c;
    peak.value = (APPLY_SPECIFIC(Lanes)){0};
    peak.place = (APPLY_SPECIFIC(Mask)){0};
    for (w = 0; w < windows; ++w) {
        const unsigned bits = starts[w];
        if (!together)
            APPLY_SPECIFIC(fetch)(from, w * SPP_WINDOW);
        for (p = w * SPP_WINDOW; p < (w + 1) * SPP_WINDOW; p += SPP_LANES) {
            SPP_UNROLL
            for (c = 0; c < SPP_LANES; ++c)
                v[c] = sign * *(const LanesInMemory *)(together ? from[p + c] : from[c] + p);
            if (!together)
                APPLY_SPECIFIC(transpose)(v);
            if (APPLY_SPECIFIC(may_have_nans)(v, SPP_LANES) || APPLY_SPECIFIC(may_have_nans)(&peak.value, 1))
                APPLY_SPECIFIC(climb)(v, bits >> p % SPP_WINDOW, p, 1, &peak, at + p);
            else
                APPLY_SPECIFIC(climb)(v, bits >> p % SPP_WINDOW, p, 0, &peak, at + p);
        }
        if (bits == 1)
            stack = p - 1;
        if (bits == 0)  /* the stack's best is looked for where it began */
            at[stack] = peak;
    }
}

/* The better of the best so far and a piece's best. [in] first: the block's first pixel */
static inline void APPLY_SPECIFIC(keep_best)(const APPLY_SPECIFIC(Peak) *peak, npy_int64 first,
                                             APPLY_SPECIFIC(Best) *best)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    typedef APPLY_SPECIFIC(Mask) Mask;
    typedef npy_int64 Pixels __attribute__((vector_size(SPP_LANES * 8)));
    typedef npy_int64 PixelsInMemory __attribute__((vector_size(SPP_LANES * 8), aligned(8), may_alias));
    const APPLY_SPECIFIC(Lanes) old = *(LanesInMemory *)best->value;
    const Mask loses = ((peak->value <= old) | (old != old)) & -(APPLY_SPECIFIC(LaneInteger))(best->pixel[0] >= 0);
    const Pixels pixel_loses = __builtin_convertvector(loses, Pixels);
    const Pixels pixel = first + __builtin_convertvector(peak->place, Pixels);
    *(LanesInMemory *)best->value = loses ? old : peak->value;
    *(PixelsInMemory *)best->pixel = pixel_loses ? (Pixels)*(PixelsInMemory *)best->pixel : pixel;
}

/* Writes a superpixel's best of `channels` channels and leaves none yet for the next one in its slot. */
static inline void APPLY_SPECIFIC(finish_best)(APPLY_SPECIFIC(Best) *best, npy_intp channels, FEATURE sign,
                                               npy_intp n_superpixels, FEATURE *pooled, npy_int64 *winner)
{
    npy_intp c;
    for (c = 0; c < channels; ++c) {
        pooled[c * n_superpixels] = sign * best->value[c];
        winner[c * n_superpixels] = best->pixel[c];
    }
    best->pixel[0] = -1;
}

/* Where a block of channels of one image lies. */
typedef struct {
    const char *first;
    npy_intp channel_stride, channels;
    const SppGrid *grid;
    const SppStrides *walk;
} APPLY_SPECIFIC(Features);

/* [in, out] best (groups of SPP_LANES channels, plan->slots): none yet
   [out] pooled, winner (channels, n_superpixels) */
static void APPLY_SPECIFIC(find_winners)(
    const APPLY_SPECIFIC(Features) *features, const SppPlan *plan, FEATURE sign, npy_intp n_superpixels,
    APPLY_SPECIFIC(Best) *best, FEATURE *pooled, npy_int64 *winner)
{
    const SppGrid *grid = features->grid;
    const npy_intp pixels = grid->rows[0] * grid->rows[1] * grid->length;
    const int in_order = spp_lies_in_order(grid, features->walk, sizeof(FEATURE));
    const int together = features->channel_stride == (npy_intp)sizeof(FEATURE);
    APPLY_SPECIFIC(Peak) at[SPP_BLOCK * SPP_WINDOW];
    FEATURE tile[SPP_LANES][SPP_BLOCK * SPP_WINDOW];
    const FEATURE *from[SPP_BLOCK * SPP_WINDOW];
    const SppPiece *piece = plan->piece;
    const npy_intp *finished = plan->finished;
    npy_intp w, p, k, group;
    memset(tile, 0, sizeof(tile));
    for (w = 0; w < plan->windows; w += SPP_BLOCK) {
        const npy_intp first = w * SPP_WINDOW;
        const npy_intp count = spp_minimum(SPP_BLOCK * SPP_WINDOW, pixels - first);
        const npy_intp windows = spp_minimum(SPP_BLOCK, plan->windows - w);
        const npy_intp pieces = plan->pieces_of[w / SPP_BLOCK];
        npy_intp ended = 0;
        for (group = 0; group * SPP_LANES < features->channels; ++group) {
            const npy_intp channel = group * SPP_LANES;
            const npy_intp channels = spp_minimum(SPP_LANES, features->channels - channel);
            const char *begin = features->first + channel * features->channel_stride;
            ended = 0;
            if (together && count == SPP_BLOCK * SPP_WINDOW && channels == SPP_LANES) {
                npy_intp x = first % grid->length, row = first / grid->length;
                for (p = 0; p < count; ++row, x = 0) {
                    const char *line = begin + row / grid->rows[1] * features->walk->row[0]
                                       + row % grid->rows[1] * features->walk->row[1];
                    for (; x < grid->length && p < count; ++x, ++p)
                        from[p] = (const FEATURE *)(line + x * features->walk->pixel);
                }
                APPLY_SPECIFIC(find_peaks)(from, 1, plan->starts + w, windows, sign, at);
            }
            else {
                APPLY_SPECIFIC(find_planes)(begin, features->channel_stride, grid, features->walk, channels, first,
                                            count, in_order, tile, from);
                APPLY_SPECIFIC(find_peaks)(from, 0, plan->starts + w, windows, sign, at);
            }
            for (k = 0; k < pieces; ++k)
                if (piece[k].slot != 0) {
                    APPLY_SPECIFIC(Best) *own = best + group * plan->slots + piece[k].slot;
                    APPLY_SPECIFIC(keep_best)(at + piece[k].row, first, own);
                    if (piece[k].is_last) {
                        const npy_intp to = channel * n_superpixels + finished[ended++];
                        APPLY_SPECIFIC(finish_best)(own, channels, sign, n_superpixels, pooled + to, winner + to);
                    }
                }
        }
        piece += pieces;
        finished += ended;
    }
}

/* [in] superpixel_map, sizes: checked and counted; starts (batch, windows), last (batch, n_superpixels)
   [out] pooled, winner (batch, channels, n_superpixels)  Returns 0, or -1 with an error set. */
static int APPLY_SPECIFIC(pool_winners)(const char *op, PyArrayObject *feature_map, PyArrayObject *superpixel_map,
                                        npy_intp n_superpixels, const npy_int64 *sizes, npy_uint16 *starts,
                                        const npy_intp *last, FEATURE sign, FEATURE *pooled, npy_int64 *winner)
{
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const npy_intp n = n_superpixels;
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides walk = spp_strides(naxes, PyArray_STRIDES(feature_map) + 2);
    const int together = PyArray_STRIDE(feature_map, 1) == (npy_intp)sizeof(FEATURE);
    const int threads = spp_number_of_threads();
    npy_intp slots = 1, groups, width, blocks, block, i;
    APPLY_SPECIFIC(Best) *scratch = NULL;
    SppPlan *plans = APPLY_SPECIFIC(plan_images)(op, superpixel_map, n, starts, last);
    if (plans == NULL)
        return -1;
    for (block = 0; block < batch; ++block)
        slots = spp_maximum(slots, plans[block].slots);
    groups = together ? spp_maximum(8, SPP_BEST_MEMORY / (slots * (npy_intp)sizeof(APPLY_SPECIFIC(Best)))) : 1;
    width = spp_block_width(batch, channels, groups * SPP_LANES, threads);
    groups = spp_ceil_divide(width, SPP_LANES);
    blocks = spp_ceil_divide(channels, width);
    scratch = (APPLY_SPECIFIC(Best) *)spp_scratch(op, slots * groups, threads, sizeof(APPLY_SPECIFIC(Best)));
    if (scratch == NULL) {
        spp_free_plans(plans, batch);
        return -1;
    }
    for (i = 0; i < slots * groups * threads; ++i)
        scratch[i].pixel[0] = -1;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (block = 0; block < batch * blocks; ++block) {
        const npy_intp image = block / blocks, first = block % blocks * width;
        const npy_intp out = (image * channels + first) * n;
        APPLY_SPECIFIC(Features) features;
        npy_intp c, l;
        features.first = PyArray_BYTES(feature_map) + image * PyArray_STRIDE(feature_map, 0)
                         + first * PyArray_STRIDE(feature_map, 1);
        features.channel_stride = PyArray_STRIDE(feature_map, 1);
        features.channels = spp_minimum(width, channels - first);
        features.grid = &grid;
        features.walk = &walk;
        for (l = 0; l < n; ++l)
            if (sizes[image * n + l] == 0)
                for (c = 0; c < features.channels; ++c) {
                    pooled[out + c * n + l] = 0;
                    winner[out + c * n + l] = -1;
                }
        APPLY_SPECIFIC(find_winners)(&features, plans + image, sign, n,
                                     scratch + spp_thread_number() * slots * groups, pooled + out, winner + out);
    }
    spp_free_plans(plans, batch);
    free(scratch);
    return 0;
}
