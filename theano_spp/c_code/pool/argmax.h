#include "labels/label_map.h"
#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/channels_first.h"
#include "memory/channels_last.h"
#include "memory/lanes.h"
#include "pool/runs.h"

#section support_code_apply
/* Maximum and argmax of superpixels whose map has the size of the features, by the plan and the runs of mean pooling
   (labels/plan.h, pool/runs.h), with the larger of two in place of their sum. The argmax pixel is looked for only
   when a superpixel is finished, in the run that has the maximum. The minimum is the maximum of the negated
   features. */
#define SPP_BEST_MEMORY 262144  /* bytes of the running maxima if channels are last: a share of the L2 cache */

/* The largest feature so far of one superpixel, in SPP_LANES channels. */
typedef struct {
    FEATURE value[SPP_LANES];
    APPLY_SPECIFIC(LaneInteger) pixel[SPP_LANES];  /* the last of the run that it is in; number in the chunk */
} APPLY_SPECIFIC(Best);

/* The same after the superpixel's last run in a chunk. */
typedef struct {
    FEATURE value[SPP_LANES];
    npy_int64 pixel[SPP_LANES];  /* the argmax pixel, a row-major number in the image */
} APPLY_SPECIFIC(Maxima);

#define SPP_SMALLER(a, b) ((a) < (b) ? (a) : (b))

/* The largest feature of each run of one word, as fold_runs computes it, where there may be NaNs: the first NaN of a
   run is its maximum. */
static void APPLY_SPECIFIC(find_largest_or_nan)(const FEATURE *const *plane, npy_uint64 starts, FEATURE sign,
                                                APPLY_SPECIFIC(Lanes) *row)
{
    npy_intp p, c;
    for (p = 0; p < SPP_WORD; ++p)
        for (c = 0; c < SPP_LANES; ++c) {
            const FEATURE value = sign * plane[c][p];
            const FEATURE before = starts >> p & 1 ? value : row[p - 1][c];
            row[p][c] = value <= before || before != before ? before : value;
        }
}

/* Replaces the best so far by a run's largest feature if that is better. [in] pixel: the run's last */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(keep_best)(
    APPLY_SPECIFIC(Lanes) largest, APPLY_SPECIFIC(LaneInteger) pixel, int is_first, APPLY_SPECIFIC(Best) *best)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    typedef APPLY_SPECIFIC(Mask) Mask;
    typedef APPLY_SPECIFIC(LaneInteger) PixelsInMemory
        __attribute__((vector_size(SPP_LANES * sizeof(FEATURE)), aligned(sizeof(FEATURE)), may_alias));
    const APPLY_SPECIFIC(Lanes) old = *(LanesInMemory *)best->value;
    const Mask loses = ((largest <= old) | (old != old)) & ((APPLY_SPECIFIC(LaneInteger))is_first - 1);
    *(LanesInMemory *)best->value = loses ? old : largest;
    *(PixelsInMemory *)best->pixel = loses ? (Mask)*(PixelsInMemory *)best->pixel : ((Mask){0}) + pixel;
}

/* Replaces the best of a chunk by that of a later one if that is better. */
static inline void APPLY_SPECIFIC(keep_better)(const APPLY_SPECIFIC(Maxima) *later, APPLY_SPECIFIC(Maxima) *best)
{
    int c;
    for (c = 0; c < SPP_LANES; ++c)
        if (!(later->value[c] <= best->value[c] || best->value[c] != best->value[c])) {
            best->value[c] = later->value[c];
            best->pixel[c] = later->pixel[c];
        }
}

/* The features of a block of channels of one image, and where the results go. */
typedef struct {
    const char *first;
    npy_intp channel_stride, channels;
    const SppGrid *grid;
    const SppStrides *walk;
    int contiguous;                    /* pixels, from spp_is_contiguous */
    FEATURE sign;                      /* 1, or -1 for the minimum */
    npy_intp n_superpixels;
    FEATURE *pooled;                   /* (channels, n_superpixels) */
    npy_int64 *argmax;                 /* (channels, n_superpixels) */
    APPLY_SPECIFIC(Maxima) *partials;  /* (vectors of SPP_LANES channels, number_of_partials), as SppPartial */
    npy_intp number_of_partials;
} APPLY_SPECIFIC(Features);

/* The argmax pixel: the first pixel of a run whose feature, times sign, is `*wanted`, which becomes that feature: it
   may have been 0 and be -0.
   [in] last: pixel of the run  Row-major numbers. */
static inline npy_intp APPLY_SPECIFIC(find_argmax)(const APPLY_SPECIFIC(Features) *features, npy_intp channel,
                                                   const SppPlan *plan, npy_intp last, FEATURE *wanted)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    typedef APPLY_SPECIFIC(Mask) Mask;
    enum { ONCE = 2 * SPP_LANES };
    const npy_intp word_first = last - (last - plan->first) % SPP_WORD;
    const npy_uint64 starts = plan->starts[(last - plan->first) / SPP_WORD]
        << (SPP_WORD - 1 - (last - word_first));
    const npy_intp first = last - __builtin_clzll(starts), count = last + 1 - first;
    const char *plane = features->first + channel * features->channel_stride;
    const FEATURE *at = (const FEATURE *)plane + first;
    FEATURE copied[SPP_WORD + ONCE];
    const FEATURE value = *wanted;
    npy_intp i;
    if (!features->contiguous || first + spp_ceil_divide(count, ONCE) * ONCE > plan->end) {
        if (spp_is_evenly_strided(features->grid, features->walk))
            for (i = 0; i < count; ++i)
                copied[i] = *(const FEATURE *)(plane + (first + i) * features->walk->pixel);
        else
            SPP_COPY_PIXELS(FEATURE, plane, features->grid, features->walk, first, count, copied);
        for (i = count; i % ONCE != 0; ++i)
            copied[i] = copied[0];
        at = copied;
    }
    for (i = 0; i < count; i += ONCE) {
        const APPLY_SPECIFIC(Lanes) a = features->sign * *(const LanesInMemory *)(at + i);
        const APPLY_SPECIFIC(Lanes) b = features->sign * *(const LanesInMemory *)(at + i + SPP_LANES);
        const Mask number = {0, 1, 2, 3, 4, 5, 6, 7};
        Mask number_a = value == value ? a == value : a != a, number_b = value == value ? b == value : b != b;
        number_a = number_a ? number : number + (APPLY_SPECIFIC(LaneInteger))ONCE;
        number_b = number_b ? number + (APPLY_SPECIFIC(LaneInteger))SPP_LANES
                            : number + (APPLY_SPECIFIC(LaneInteger))ONCE;
        number_a = SPP_SMALLER(number_a, number_b);
        number_b = SPP_HIGH4(Mask, number_a, number_a);
        number_a = SPP_SMALLER(number_a, number_b);
        number_b = SPP_HIGH2(Mask, number_a, number_a);
        number_a = SPP_SMALLER(number_a, number_b);
        number_b = SPP_HIGH1(Mask, number_a, number_a);
        number_a = SPP_SMALLER(number_a, number_b);
        if (number_a[0] < ONCE) {
            *wanted = features->sign * at[i + number_a[0]];
            return first + i + number_a[0];
        }
    }
    return last;
}

/* Writes a superpixel's maxima of a vector of channels. */
static inline void APPLY_SPECIFIC(write_maxima)(const APPLY_SPECIFIC(Features) *features, npy_intp vector,
                                                npy_intp superpixel, const APPLY_SPECIFIC(Maxima) *maxima)
{
    const npy_intp channels = spp_minimum(SPP_LANES, features->channels - vector * SPP_LANES);
    npy_intp at = vector * SPP_LANES * features->n_superpixels + superpixel, c;
    for (c = 0; c < channels; ++c, at += features->n_superpixels) {
        features->pooled[at] = features->sign * maxima->value[c];
        features->argmax[at] = maxima->pixel[c];
    }
}

/* Finds the argmax pixels of a superpixel in the runs that have the maxima, and writes both; or keeps them, to be
   compared with those of other chunks. [in] finished: of SppPlan */
static inline void APPLY_SPECIFIC(finish_best)(const APPLY_SPECIFIC(Features) *features, npy_intp vector,
                                               const SppPlan *plan, npy_intp finished, const APPLY_SPECIFIC(Best) *best)
{
    const npy_intp channels = spp_minimum(SPP_LANES, features->channels - vector * SPP_LANES);
    APPLY_SPECIFIC(Maxima) maxima;
    npy_intp c;
    memset(&maxima, 0, sizeof(maxima));
    for (c = 0; c < channels; ++c) {
        maxima.value[c] = best->value[c];
        maxima.pixel[c] = APPLY_SPECIFIC(find_argmax)(features, vector * SPP_LANES + c, plan,
                                                      plan->first + best->pixel[c], maxima.value + c);
    }
    if (finished >= 0)
        APPLY_SPECIFIC(write_maxima)(features, vector, finished, &maxima);
    else
        features->partials[vector * features->number_of_partials - 1 - finished] = maxima;
}

/* Finds the maxima of superpixels that have pixels in several chunks. [in] partial: indices first .. end - 1 */
static inline void APPLY_SPECIFIC(finish_partials)(const APPLY_SPECIFIC(Features) *features, const SppPartial *partial,
                                                      npy_intp first, npy_intp end)
{
    npy_intp vector, i;
    for (vector = 0; vector * SPP_LANES < features->channels; ++vector) {
        APPLY_SPECIFIC(Maxima) *best = features->partials + vector * features->number_of_partials;
        for (i = first; i < end; ++i)
            if (partial[i].first != i)
                APPLY_SPECIFIC(keep_better)(best + i, best + partial[i].first);
        for (i = first; i < end; ++i)
            if (partial[i].first == i)
                APPLY_SPECIFIC(write_maxima)(features, vector, partial[i].superpixel, best + i);
    }
}

/* Maximum and argmax of one chunk of an image, up to SPP_LANES channels, where memory holds one plane for each
   channel.
   [out] best (plan->slots): scratch, undefined on return */
static void APPLY_SPECIFIC(argmax_channels_first)(const APPLY_SPECIFIC(Features) *features, const SppPlan *plan,
                                                  APPLY_SPECIFIC(Best) *best)
{
    APPLY_SPECIFIC(Lanes) largest[SPP_WORD];
    FEATURE copy[SPP_LANES][SPP_WORD];
    const FEATURE *plane[SPP_LANES];
    const npy_uint64 *starts = plan->starts;
    const SppRun *run = plan->run;
    const npy_intp *finished = plan->finished;
    npy_intp first;
    memset(copy, 0, sizeof(copy));
    for (first = plan->first; first < plan->end; first += SPP_WORD, ++starts) {
        const SppRun *end = run + __builtin_popcountll(*starts);
        APPLY_SPECIFIC(find_planes)(features->first, features->channel_stride, features->grid, features->walk,
                                    features->channels, first, spp_minimum(SPP_WORD, plan->end - first),
                                    features->contiguous, copy, plane);
        if (APPLY_SPECIFIC(fold_runs)(SPP_LARGEST, plane, *starts, features->sign, largest))
            APPLY_SPECIFIC(find_largest_or_nan)(plane, *starts, features->sign, largest);
        for (; run < end; ++run) {
            APPLY_SPECIFIC(Best) *own = best + run->slot;
            APPLY_SPECIFIC(keep_best)(largest[run->last_pixel], first - plan->first + run->last_pixel,
                                      run->is_first, own);
            if (run->is_last)
                APPLY_SPECIFIC(finish_best)(features, 0, plan, *finished++, own);
        }
    }
}

/* Replaces the largest features so far by those of pixel number p where these are larger. [in, out] largest (width):
   ignored if is_first  Returns the sum of the features, which is NaN if one of them is. */
static inline __attribute__((always_inline)) APPLY_SPECIFIC(Lanes) APPLY_SPECIFIC(keep_larger)(
    const APPLY_SPECIFIC(Rows) *rows, npy_intp p, int is_first, FEATURE sign, FEATURE *largest)
{
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    const FEATURE *feature = (const FEATURE *)(rows->first + p * rows->stride);
    APPLY_SPECIFIC(Lanes) sum = {0};
    npy_intp c;
    for (c = 0; c < rows->width; c += SPP_LANES) {
        LanesInMemory *so_far = (LanesInMemory *)(largest + c);
        const APPLY_SPECIFIC(Lanes) lanes = sign * *(const LanesInMemory *)(feature + c);
        APPLY_SPECIFIC(prefetch_row)(rows, feature + c);
        sum += lanes;
        *so_far = is_first ? lanes : APPLY_SPECIFIC(larger)(*so_far, lanes);
    }
    return sum;
}

/* The largest features of a run in one window, of the pixels start .. stop - 1; the first NaN is the maximum.
   [out] largest (width) */
static inline void APPLY_SPECIFIC(find_largest_of_rows)(const APPLY_SPECIFIC(Rows) *rows, npy_intp start, npy_intp stop,
                                                        FEATURE sign, FEATURE *largest)
{
    APPLY_SPECIFIC(Lanes) sum = APPLY_SPECIFIC(keep_larger)(rows, start, 1, sign, largest);
    npy_intp p, c;
    for (p = start + 1; p < stop; ++p)
        sum += APPLY_SPECIFIC(keep_larger)(rows, p, 0, sign, largest);
    if (!APPLY_SPECIFIC(is_nan)(sum))
        return;
    for (p = start; p < stop; ++p)
        for (c = 0; c < rows->width; ++c) {
            const FEATURE value = sign * ((const FEATURE *)(rows->first + p * rows->stride))[c];
            const FEATURE before = p == start ? value : largest[c];
            largest[c] = value <= before || before != before ? before : value;
        }
}

/* Maximum and argmax of one chunk of an image, where channels are last in memory.
   [in] end: of all features; width: channels, rounded up to whole vectors
   [out] best (plan->slots, width / SPP_LANES), scratch (1 + SPP_WINDOW, width): undefined on return */
static void APPLY_SPECIFIC(argmax_channels_last)(const APPLY_SPECIFIC(Features) *features, const char *end,
                                                 npy_intp width, const SppPlan *plan, APPLY_SPECIFIC(Best) *best,
                                                 FEATURE *scratch)
{
    const int evenly_strided = spp_is_evenly_strided(features->grid, features->walk);
    const npy_intp vectors = width / SPP_LANES;
    const SppRun *run = plan->run;
    const npy_intp *finished = plan->finished;
    npy_intp first, vector;
    for (first = plan->first; first < plan->end; first += SPP_WINDOW) {
        const npy_uint64 starts = plan->starts[(first - plan->first) / SPP_WORD] >> (first - plan->first) % SPP_WORD;
        const npy_intp count = spp_minimum(SPP_WINDOW, plan->end - first);
        const APPLY_SPECIFIC(Rows) rows = APPLY_SPECIFIC(find_rows)(
            features->first, end, features->grid, features->walk, features->channels, width, first, count,
            evenly_strided, scratch + width);
        const int ends = (first - plan->first + SPP_WINDOW) % SPP_WORD == 0 || (starts >> SPP_WINDOW & 0xffff) != 0;
        const int begins = (starts & 0xffff) != 0;  /* else a full-window run goes on */
        npy_uint64 bits = begins ? starts & 0xffff : 1;
        while (bits != 0) {
            int stop;
            const int start = spp_next_run(&bits, SPP_WINDOW, &stop);
            const int is_last = run->is_last && (bits != 0 || ends);
            if (run->slot != 0)
                APPLY_SPECIFIC(find_largest_of_rows)(&rows, start, stop, features->sign, scratch);
            for (vector = 0; run->slot != 0 && vector < vectors; ++vector) {
                APPLY_SPECIFIC(Best) *own = best + run->slot * vectors + vector;
                const APPLY_SPECIFIC(Lanes) largest
                    = *(const APPLY_SPECIFIC(LanesInMemory) *)(scratch + vector * SPP_LANES);
                APPLY_SPECIFIC(keep_best)(largest, first - plan->first + stop - 1, run->is_first && begins, own);
                if (is_last)
                    APPLY_SPECIFIC(finish_best)(features, vector, plan, *finished, own);
            }
            finished += is_last;
            run += bits != 0 || ends;
        }
    }
}

/* [in] plans: of the labels  [out] pooled, argmax (batch, channels, n_superpixels)
   Returns 0, or -1 with an error set. */
static int APPLY_SPECIFIC(pool_argmax)(const char *op, PyArrayObject *feature_map, const SppPlans *plans,
                                       const SppGrid *grid, FEATURE sign, FEATURE *pooled, npy_int64 *argmax)
{
    const npy_intp batch = PyArray_DIM(feature_map, 0), channels = PyArray_DIM(feature_map, 1);
    const npy_intp n = plans->n_superpixels, chunks = plans->chunks, partials = plans->partials[batch];
    const SppStrides walk = spp_strides(PyArray_NDIM(feature_map) - 2, PyArray_STRIDES(feature_map) + 2);
    const int channels_last = PyArray_STRIDE(feature_map, 1) == (npy_intp)sizeof(FEATURE) && channels > 1;
    const int threads = spp_number_of_threads();
    const npy_intp most = !channels_last ? 1 : spp_maximum(
        8, SPP_BEST_MEMORY / (plans->slots * (npy_intp)sizeof(APPLY_SPECIFIC(Best))));  /* in vectors */
    const npy_intp width = spp_block_width(batch * chunks, channels, most * SPP_LANES, threads);
    const npy_intp vectors = spp_ceil_divide(width, SPP_LANES), blocks = spp_ceil_divide(channels, width);
    APPLY_SPECIFIC(Best) *scratch = (APPLY_SPECIFIC(Best) *)spp_scratch(
        op, plans->slots * vectors, threads, sizeof(APPLY_SPECIFIC(Best)));
    FEATURE *rows = (FEATURE *)spp_scratch(op, (1 + SPP_WINDOW) * threads, vectors * SPP_LANES, sizeof(FEATURE));
    APPLY_SPECIFIC(Maxima) *partial_maxima = (APPLY_SPECIFIC(Maxima) *)spp_scratch(
        op, partials, vectors * blocks, sizeof(APPLY_SPECIFIC(Maxima)));
    npy_intp i;
    int last;  /* after all chunks */

    if (scratch == NULL || partial_maxima == NULL || rows == NULL) {
        free(scratch);
        free(rows);
        free(partial_maxima);
        return -1;
    }

    for (last = 0; last <= (partials > 0); ++last) {
        #ifdef _OPENMP
        #pragma omp parallel for schedule(static) if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
        #endif
        for (i = 0; i < batch * blocks * (last ? 1 : chunks); ++i) {
            const npy_intp chunk = last ? 0 : i % chunks, number = last ? i : i / chunks;
            const npy_intp image = number / blocks, block = number % blocks;
            const npy_intp out = (image * channels + block * width) * n;
            APPLY_SPECIFIC(Best) *own = scratch + spp_thread_number() * plans->slots * vectors;
            APPLY_SPECIFIC(Features) features;
            npy_intp c, l;
            features.first = PyArray_BYTES(feature_map) + image * PyArray_STRIDE(feature_map, 0)
                             + block * width * PyArray_STRIDE(feature_map, 1);
            features.channel_stride = PyArray_STRIDE(feature_map, 1);
            features.channels = spp_minimum(width, channels - block * width);
            features.grid = grid;
            features.walk = &walk;
            features.contiguous = spp_is_contiguous(grid, &walk, sizeof(FEATURE));
            features.sign = sign;
            features.n_superpixels = n;
            features.pooled = pooled + out;
            features.argmax = argmax + out;
            features.partials = partial_maxima + block * vectors * partials;
            features.number_of_partials = partials;
            if (last) {
                APPLY_SPECIFIC(finish_partials)(&features, plans->partial, plans->partials[image],
                                                plans->partials[image + 1]);
                continue;
            }
            for (l = 0; chunk == 0 && l < n; ++l)
                if (plans->sizes[image * n + l] == 0)
                    for (c = 0; c < features.channels; ++c) {
                        features.pooled[c * n + l] = 0;
                        features.argmax[c * n + l] = -1;
                    }
            if (channels_last)
                APPLY_SPECIFIC(argmax_channels_last)(
                    &features, APPLY_SPECIFIC(array_end)(feature_map), vectors * SPP_LANES,
                    plans->plan + image * chunks + chunk, own,
                    rows + spp_thread_number() * (1 + SPP_WINDOW) * vectors * SPP_LANES);
            else
                APPLY_SPECIFIC(argmax_channels_first)(&features, plans->plan + image * chunks + chunk, own);
        }
    }
    free(scratch);
    free(rows);
    free(partial_maxima);
    return 0;
}
