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

/* Finds the best of each piece of one block.
   [in] from: each channel's first pixel in the block; or, where channels lie together, each pixel's first channel
   [out] at (SPP_BLOCK): the peak of each piece at SppPiece.last_pixel; the rest means nothing */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(find_peaks)(
    const FEATURE *const *from, int together, npy_uint64 starts, FEATURE sign,
    APPLY_SPECIFIC(Peak) *at)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    APPLY_SPECIFIC(Lanes) v[SPP_LANES];
    APPLY_SPECIFIC(Peak) peak;
    npy_intp p;
    int c;
    peak.value = (APPLY_SPECIFIC(Lanes)){0};
    peak.place = (APPLY_SPECIFIC(Mask)){0};
    for (p = 0; p < SPP_BLOCK; p += SPP_LANES) {
        if (!together && p % SPP_WINDOW == 0)
            APPLY_SPECIFIC(fetch)(from, p);
        SPP_UNROLL
        for (c = 0; c < SPP_LANES; ++c)
            v[c] = sign * *(const LanesInMemory *)(together ? from[p + c] : from[c] + p);
        if (!together)
            APPLY_SPECIFIC(transpose)(v);
        if (APPLY_SPECIFIC(may_have_nans)(v, SPP_LANES) || APPLY_SPECIFIC(may_have_nans)(&peak.value, 1))
            APPLY_SPECIFIC(climb)(v, starts >> p & 0xff, p, 1, &peak, at + p);
        else
            APPLY_SPECIFIC(climb)(v, starts >> p & 0xff, p, 0, &peak, at + p);
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

/* The better of two parts' bests, of which `best` is from the earlier pixels. */
static inline void APPLY_SPECIFIC(keep_better)(const APPLY_SPECIFIC(Best) *later, APPLY_SPECIFIC(Best) *best)
{
    int c;
    for (c = 0; c < SPP_LANES; ++c)
        if (!(later->value[c] <= best->value[c] || best->value[c] != best->value[c])) {
            best->value[c] = later->value[c];
            best->pixel[c] = later->pixel[c];
        }
}

/* Features of a block of channels of one image, and where their best goes. */
typedef struct {
    const char *first;
    npy_intp channel_stride, channels;
    const SppGrid *grid;
    const SppStrides *walk;
    FEATURE sign;                    /* 1, or -1 for the smallest */
    npy_intp n_superpixels;
    FEATURE *pooled;                 /* (channels, n_superpixels) */
    npy_int64 *winner;               /* (channels, n_superpixels) */
    APPLY_SPECIFIC(Best) *partials;  /* (groups of SPP_LANES channels, number_of_partials): of SppPartial */
    npy_intp number_of_partials;
} APPLY_SPECIFIC(Features);

/* Writes a superpixel's best of a group of channels. */
static inline void APPLY_SPECIFIC(write_best)(const APPLY_SPECIFIC(Features) *features, npy_intp group,
                                              npy_intp superpixel, const APPLY_SPECIFIC(Best) *best)
{
    const npy_intp channels = spp_minimum(SPP_LANES, features->channels - group * SPP_LANES);
    npy_intp at = group * SPP_LANES * features->n_superpixels + superpixel, c;
    for (c = 0; c < channels; ++c, at += features->n_superpixels) {
        features->pooled[at] = features->sign * best->value[c];
        features->winner[at] = best->pixel[c];
    }
}

/* Writes a superpixel's best, or keeps it as that of a part, and leaves none yet for the next one in its slot.
   [in] finished: of SppPlan */
static inline void APPLY_SPECIFIC(finish_best)(const APPLY_SPECIFIC(Features) *features, npy_intp group,
                                               npy_intp finished, APPLY_SPECIFIC(Best) *best)
{
    if (finished >= 0)
        APPLY_SPECIFIC(write_best)(features, group, finished, best);
    else
        features->partials[group * features->number_of_partials - 1 - finished] = *best;
    best->pixel[0] = -1;
}

/* Finds the best of all parts for the superpixels that have pixels in several. [in] partial: numbers first .. end - 1 */
static inline void APPLY_SPECIFIC(finish_best_partials)(const APPLY_SPECIFIC(Features) *features, const SppPartial *partial,
                                                      npy_intp first, npy_intp end)
{
    npy_intp group, i;
    for (group = 0; group * SPP_LANES < features->channels; ++group) {
        APPLY_SPECIFIC(Best) *best = features->partials + group * features->number_of_partials;
        for (i = first; i < end; ++i)
            if (partial[i].first != i)
                APPLY_SPECIFIC(keep_better)(best + i, best + partial[i].first);
        for (i = first; i < end; ++i)
            if (partial[i].first == i)
                APPLY_SPECIFIC(write_best)(features, group, partial[i].superpixel, best + i);
    }
}

/* A part of one image. [in, out] best (groups of SPP_LANES channels, plan->slots): none yet */
static void APPLY_SPECIFIC(find_winners)(const APPLY_SPECIFIC(Features) *features, const SppPlan *plan,
                                         APPLY_SPECIFIC(Best) *best)
{
    const SppGrid *grid = features->grid;
    const int in_order = spp_lies_in_order(grid, features->walk, sizeof(FEATURE));
    const int together = features->channel_stride == (npy_intp)sizeof(FEATURE);
    APPLY_SPECIFIC(Peak) at[SPP_BLOCK];
    FEATURE tile[SPP_LANES][SPP_BLOCK];
    const FEATURE *from[SPP_BLOCK];
    const npy_uint64 *starts = plan->starts;
    const SppPiece *piece = plan->piece;
    const npy_intp *finished = plan->finished;
    npy_intp first, p, group;
    memset(tile, 0, sizeof(tile));
    for (first = plan->first; first < plan->end; first += SPP_BLOCK, ++starts) {
        const npy_intp count = spp_minimum(SPP_BLOCK, plan->end - first);
        const npy_intp pieces = __builtin_popcountll(*starts);
        npy_intp ended = 0, k;
        for (group = 0; group * SPP_LANES < features->channels; ++group) {
            const npy_intp channel = group * SPP_LANES;
            const npy_intp channels = spp_minimum(SPP_LANES, features->channels - channel);
            const char *begin = features->first + channel * features->channel_stride;
            if (together && count == SPP_BLOCK && channels == SPP_LANES) {
                npy_intp x = first % grid->length, row = first / grid->length;
                for (p = 0; p < count; ++row, x = 0) {
                    const char *line = begin + row / grid->rows[1] * features->walk->row[0]
                                       + row % grid->rows[1] * features->walk->row[1];
                    for (; x < grid->length && p < count; ++x, ++p)
                        from[p] = (const FEATURE *)(line + x * features->walk->pixel);
                }
                APPLY_SPECIFIC(find_peaks)(from, 1, *starts, features->sign, at);
            }
            else {
                APPLY_SPECIFIC(find_planes)(begin, features->channel_stride, grid, features->walk, channels, first,
                                            count, in_order, tile, from);
                APPLY_SPECIFIC(find_peaks)(from, 0, *starts, features->sign, at);
            }
            ended = 0;
            for (k = 0; k < pieces; ++k)
                if (piece[k].slot != 0) {
                    APPLY_SPECIFIC(Best) *own = best + group * plan->slots + piece[k].slot;
                    APPLY_SPECIFIC(keep_best)(at + piece[k].last_pixel, first, own);
                    if (piece[k].is_last)
                        APPLY_SPECIFIC(finish_best)(features, group, finished[ended++], own);
                }
        }
        piece += pieces;
        finished += ended;
    }
}

/* [in] plans: of the labels  [out] pooled, winner (batch, channels, n_superpixels)
   Returns 0, or -1 with an error set. */
static int APPLY_SPECIFIC(pool_winners)(const char *op, PyArrayObject *feature_map, const SppPlans *plans,
                                        const SppGrid *grid, FEATURE sign, FEATURE *pooled, npy_int64 *winner)
{
    const npy_intp batch = PyArray_DIM(feature_map, 0), channels = PyArray_DIM(feature_map, 1);
    const npy_intp n = plans->n_superpixels, parts = plans->parts, partials = plans->partials[batch];
    const SppStrides walk = spp_strides(PyArray_NDIM(feature_map) - 2, PyArray_STRIDES(feature_map) + 2);
    const int together = PyArray_STRIDE(feature_map, 1) == (npy_intp)sizeof(FEATURE);
    const int threads = spp_number_of_threads();
    const npy_intp most = !together ? 1 : spp_maximum(
        8, SPP_BEST_MEMORY / (plans->slots * (npy_intp)sizeof(APPLY_SPECIFIC(Best))));  /* groups */
    const npy_intp width = spp_block_width(batch * parts, channels, most * SPP_LANES, threads);
    const npy_intp groups = spp_ceil_divide(width, SPP_LANES), blocks = spp_ceil_divide(channels, width);
    APPLY_SPECIFIC(Best) *scratch = (APPLY_SPECIFIC(Best) *)spp_scratch(
        op, plans->slots * groups, threads, sizeof(APPLY_SPECIFIC(Best)));
    APPLY_SPECIFIC(Best) *best_partials = (APPLY_SPECIFIC(Best) *)spp_scratch(
        op, partials, groups * blocks, sizeof(APPLY_SPECIFIC(Best)));
    npy_intp i;
    int last;  /* after all parts */

    if (scratch == NULL || best_partials == NULL) {
        free(scratch);
        free(best_partials);
        return -1;
    }
    for (i = 0; i < plans->slots * groups * threads; ++i)
        scratch[i].pixel[0] = -1;

    for (last = 0; last <= (partials > 0); ++last) {
        #ifdef _OPENMP
        #pragma omp parallel for schedule(static) if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
        #endif
        for (i = 0; i < batch * blocks * (last ? 1 : parts); ++i) {
            const npy_intp part = last ? 0 : i % parts, number = last ? i : i / parts;
            const npy_intp image = number / blocks, block = number % blocks;
            const npy_intp out = (image * channels + block * width) * n;
            APPLY_SPECIFIC(Features) features;
            npy_intp c, l;
            features.first = PyArray_BYTES(feature_map) + image * PyArray_STRIDE(feature_map, 0)
                             + block * width * PyArray_STRIDE(feature_map, 1);
            features.channel_stride = PyArray_STRIDE(feature_map, 1);
            features.channels = spp_minimum(width, channels - block * width);
            features.grid = grid;
            features.walk = &walk;
            features.sign = sign;
            features.n_superpixels = n;
            features.pooled = pooled + out;
            features.winner = winner + out;
            features.partials = best_partials + block * groups * partials;
            features.number_of_partials = partials;
            if (last) {
                APPLY_SPECIFIC(finish_best_partials)(&features, plans->partial, plans->partials[image], plans->partials[image + 1]);
                continue;
            }
            for (l = 0; part == 0 && l < n; ++l)
                if (plans->sizes[image * n + l] == 0)
                    for (c = 0; c < features.channels; ++c) {
                        features.pooled[c * n + l] = 0;
                        features.winner[c * n + l] = -1;
                    }
            APPLY_SPECIFIC(find_winners)(&features, plans->plan + image * parts + part,
                                         scratch + spp_thread_number() * plans->slots * groups);
        }
    }
    free(scratch);
    free(best_partials);
    return 0;
}
