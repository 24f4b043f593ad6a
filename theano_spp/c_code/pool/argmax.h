#include "labels/plan.h"
#include "memory/arrays.h"
#include "memory/rows.h"
#include "memory/lanes.h"
#include "pool/reduction.h"
#include "pool/runs.h"

#section support_code_apply
/* Maximum and argmax. Where channels are first, the argmax pixel is looked for only when a superpixel is finished, in
   the run that has the maximum; where they are last, each channel's would be in another cache line, and it is carried
   along. The minimum is the maximum of the negated features. */
#define SPP_SMALLER(a, b) ((a) < (b) ? (a) : (b))

struct APPLY_SPECIFIC(Argmax) : APPLY_SPECIFIC(Reduction) {
    typedef APPLY_SPECIFIC(Lanes) Lanes;
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    typedef APPLY_SPECIFIC(LaneInteger) LaneInteger;
    typedef APPLY_SPECIFIC(Mask) Mask;
    typedef APPLY_SPECIFIC(Rows) Rows;
    typedef Mask PixelsInMemory __attribute__((aligned(sizeof(FEATURE)), may_alias));
    typedef LaneInteger PixelInMemory __attribute__((may_alias));
    typedef Lanes Run;
    struct State {
        FEATURE value[SPP_LANES];
        LaneInteger pixel[SPP_LANES];  /* its number in the chunk; channels first: the last pixel of its run */
    };
    struct Partial {
        FEATURE value[SPP_LANES];
        npy_int64 pixel[SPP_LANES];    /* the argmax pixel, a row-major number in the image */
    };
    struct Output {
        FEATURE sign;            /* 1, or -1 for the minimum: features are multiplied by it */
        PyArrayObject *pooled;   /* (batch, channels, n_superpixels) */
        PyArrayObject *argmax;   /* the same, in the same layout */
    };
    enum { SLOT_MEMORY = 262144, SCRATCH_ROWS = 2 };

    const APPLY_SPECIFIC(Block) *block;
    FEATURE sign, *pooled;  /* of the first superpixel and the first channel of the block */
    npy_int64 *argmax;
    npy_intp channel_step, superpixel_step;  /* of both */
    int contiguous, evenly_strided;  /* pixels, from spp_is_contiguous and spp_is_evenly_strided */

    void begin(const APPLY_SPECIFIC(Block) *new_block, const Output *output)
    {
        block = new_block;
        channel_step = PyArray_STRIDE(output->pooled, 1) / (npy_intp)sizeof(FEATURE);
        superpixel_step = PyArray_STRIDE(output->pooled, 2) / (npy_intp)sizeof(FEATURE);
        contiguous = spp_is_contiguous(block->grid, block->walk, sizeof(FEATURE));
        evenly_strided = spp_is_evenly_strided(block->grid, block->walk);
        sign = output->sign;
        pooled = (FEATURE *)PyArray_GETPTR2(output->pooled, block->image, block->first_channel);
        argmax = (npy_int64 *)PyArray_GETPTR2(output->argmax, block->image, block->first_channel);
    }

    /* The first NaN of a run is its maximum. */
    SPP_INLINE void fold(const FEATURE *const *plane, npy_uint64 starts, Run *row)
    {
        npy_intp p, c;
        if (!APPLY_SPECIFIC(fold_runs)(SPP_LARGEST, plane, starts, sign, row))
            return;
        for (p = 0; p < SPP_WORD; ++p)
            for (c = 0; c < SPP_LANES; ++c) {
                const FEATURE value = sign * plane[c][p];
                const FEATURE before = starts >> p & 1 ? value : row[p - 1][c];
                row[p][c] = value <= before || before != before ? before : value;
            }
    }

    SPP_INLINE void add(Run largest, npy_intp pixel, int is_first, State *best)
    {
        add_lanes(largest, ((Mask){0}) + (LaneInteger)pixel, is_first, best);
    }

    static SPP_INLINE void add_lanes(Lanes largest, Mask pixels, int is_first, State *best)
    {
        const Lanes old = *(LanesInMemory *)best->value;
        const Mask loses = ((largest <= old) | (old != old)) & ((LaneInteger)is_first - 1);
        *(LanesInMemory *)best->value = loses ? old : largest;
        *(PixelsInMemory *)best->pixel = loses ? (Mask)*(PixelsInMemory *)best->pixel : pixels;
    }

    /* Replaces the largest features so far by those of pixel number p where these are larger, and their pixels by this
       one's number in the chunk. [in, out] largest, pixels (width): ignored if is_first  Returns the sum of the
       features, which is NaN if one of them is. */
    SPP_INLINE Lanes keep_larger(const Rows *rows, npy_intp p, npy_intp number, int is_first, FEATURE *largest,
                                 FEATURE *pixels)
    {
        const FEATURE *feature = (const FEATURE *)(rows->first + p * rows->stride);
        const Mask numbers = ((Mask){0}) + (LaneInteger)number;
        Lanes sum = {0};
        npy_intp c;
        for (c = 0; c < rows->width; c += SPP_LANES) {
            LanesInMemory *so_far = (LanesInMemory *)(largest + c);
            PixelsInMemory *there = (PixelsInMemory *)(pixels + c);
            const Lanes lanes = sign * *(const LanesInMemory *)(feature + c);
            APPLY_SPECIFIC(prefetch_row)(rows, feature + c);
            sum += lanes;
            if (is_first) {
                *so_far = lanes;
                *there = numbers;
            } else {
                const Lanes old = *so_far;
                const Mask wins = lanes > old;
                *so_far = wins ? lanes : old;
                *there = wins ? numbers : (Mask)*there;
            }
        }
        return sum;
    }

    /* [out] largest (2, width): scratch, for the largest features and their pixels */
    SPP_INLINE void add_rows(const Rows *rows, APPLY_SPECIFIC(RunPart) part, FEATURE *largest, State *best)
    {
        FEATURE *pixels = largest + rows->width;
        const npy_intp number = part.pixel - (part.stop - 1);  /* in the chunk, of pixel 0 of the window */
        Lanes sum = keep_larger(rows, part.start, number + part.start, 1, largest, pixels);
        npy_intp p, c;
        for (p = part.start + 1; p < part.stop; ++p)
            sum += keep_larger(rows, p, number + p, 0, largest, pixels);
        if (APPLY_SPECIFIC(is_nan)(sum))
            for (p = part.start; p < part.stop; ++p)
                for (c = 0; c < rows->width; ++c) {
                    const FEATURE value = sign * ((const FEATURE *)(rows->first + p * rows->stride))[c];
                    const FEATURE before = largest[c];
                    if (p == part.start || !(value <= before || before != before)) {
                        largest[c] = value;
                        ((PixelInMemory *)pixels)[c] = (LaneInteger)(number + p);
                    }
                }
        for (c = 0; c < rows->width; c += SPP_LANES)
            add_lanes(*(const LanesInMemory *)(largest + c), *(const PixelsInMemory *)(pixels + c), part.is_first,
                      best++);
    }

    /* Channels first: the argmax pixel, the first pixel of a run whose feature, times sign, is `*wanted`, which becomes
       that feature: it may have been 0 and be -0.
       [in] last: pixel of the run  Row-major numbers. */
    npy_intp find_argmax(npy_intp channel, npy_intp last, FEATURE *wanted) const
    {
        enum { ONCE = 2 * SPP_LANES };
        const SppPlan *plan = block->plan;
        const npy_intp word_first = last - (last - plan->first) % SPP_WORD;
        const npy_uint64 starts = plan->starts[(last - plan->first) / SPP_WORD]
            << (SPP_WORD - 1 - (last - word_first));
        const npy_intp first = last - __builtin_clzll(starts), count = last + 1 - first;
        const char *plane = block->features + channel * block->channel_stride;
        const FEATURE *at = (const FEATURE *)plane + first;
        FEATURE copied[SPP_WORD + ONCE];
        const FEATURE value = *wanted;
        npy_intp i;
        if (!contiguous || first + spp_ceil_divide(count, ONCE) * ONCE > plan->end) {
            if (evenly_strided)
                for (i = 0; i < count; ++i)
                    copied[i] = *(const FEATURE *)(plane + (first + i) * block->walk->pixel);
            else
                spp_copy_pixels(plane, block->grid, block->walk, first, count, copied);
            for (i = count; i % ONCE != 0; ++i)
                copied[i] = copied[0];
            at = copied;
        }
        for (i = 0; i < count; i += ONCE) {
            const Lanes a = sign * *(const LanesInMemory *)(at + i);
            const Lanes b = sign * *(const LanesInMemory *)(at + i + SPP_LANES);
            const Mask number = {0, 1, 2, 3, 4, 5, 6, 7};
            Mask number_a = value == value ? a == value : a != a, number_b = value == value ? b == value : b != b;
            number_a = number_a ? number : number + (LaneInteger)ONCE;
            number_b = number_b ? number + (LaneInteger)SPP_LANES
                                : number + (LaneInteger)ONCE;
            number_a = SPP_SMALLER(number_a, number_b);
            number_b = SPP_HIGH4(Mask, number_a, number_a);
            number_a = SPP_SMALLER(number_a, number_b);
            number_b = SPP_HIGH2(Mask, number_a, number_a);
            number_a = SPP_SMALLER(number_a, number_b);
            number_b = SPP_HIGH1(Mask, number_a, number_a);
            number_a = SPP_SMALLER(number_a, number_b);
            if (number_a[0] < ONCE) {
                *wanted = sign * at[i + number_a[0]];
                return first + i + number_a[0];
            }
        }
        return last;
    }

    Partial finish(npy_intp vector, const State *best) const
    {
        const npy_intp first = vector * SPP_LANES;
        Partial partial = Partial();
        npy_intp c;
        for (c = 0; c < spp_minimum(SPP_LANES, block->channels - first); ++c) {
            partial.value[c] = best->value[c];
            partial.pixel[c] = block->plan->first + best->pixel[c];
            if (!block->channels_last)
                partial.pixel[c] = find_argmax(first + c, partial.pixel[c], partial.value + c);
        }
        return partial;
    }

    static void merge(const Partial *later, Partial *best)
    {
        int c;
        for (c = 0; c < SPP_LANES; ++c)
            if (!(later->value[c] <= best->value[c] || best->value[c] != best->value[c])) {
                best->value[c] = later->value[c];
                best->pixel[c] = later->pixel[c];
            }
    }

    Partial empty() const
    {
        Partial partial;
        int c;
        for (c = 0; c < SPP_LANES; ++c) {
            partial.value[c] = sign * 0;  /* which makes 0, not -0, in the end */
            partial.pixel[c] = -1;
        }
        return partial;
    }

    void write(npy_intp vector, npy_intp superpixel, const Partial &partial)
    {
        const npy_intp first = vector * SPP_LANES;
        npy_intp at = first * channel_step + superpixel * superpixel_step, c;
        for (c = 0; c < spp_minimum(SPP_LANES, block->channels - first); ++c, at += channel_step) {
            pooled[at] = sign * partial.value[c];
            argmax[at] = partial.pixel[c];
        }
    }
};
