#include "memory/arrays.h"
#include "memory/rows.h"
#include "memory/lanes.h"
#include "pool/compensated_sum.h"
#include "pool/overflow.h"
#include "pool/reduction.h"
#include "pool/results.h"
#include "pool/runs.h"

#section support_code_apply
/* Sum and mean: runs are added up in the precision of the features, and their sums in double. */
struct APPLY_SPECIFIC(Sum) : APPLY_SPECIFIC(Reduction) {
    typedef APPLY_SPECIFIC(Lanes) Lanes;
    typedef APPLY_SPECIFIC(LanesInMemory) LanesInMemory;
    typedef APPLY_SPECIFIC(Rows) Rows;
    typedef double Doubles __attribute__((vector_size(SPP_LANES * sizeof(double))));
    typedef double DoublesInMemory
        __attribute__((vector_size(SPP_LANES * sizeof(double)), aligned(sizeof(double)), may_alias));
    typedef Lanes Run;
    struct State { DoublesInMemory sum[SPP_DOUBLES]; };  /* and the rounding errors, for float64 features */
    typedef State Partial;
    struct Output {
        PyArrayObject *pooled;  /* (batch, channels, n_superpixels) */
        int mean;
        int *overflowed;        /* becomes 1 if the sum of a run overflows */
    };
    enum { SLOT_MEMORY = 1048576, SCRATCH_ROWS = SPP_LANES };

    const npy_int64 *divisor;  /* (n_superpixels), or NULL */
    int *overflowed;
    APPLY_SPECIFIC(Results) results;

    void begin(const APPLY_SPECIFIC(Block) *block, const Output *output)
    {
        divisor = output->mean ? block->sizes : NULL;
        overflowed = output->overflowed;
        APPLY_SPECIFIC(begin_results)(output->pooled, block, &results);
    }

    SPP_INLINE void fold(const FEATURE *const *plane, npy_uint64 starts, Run *row)
    {
        APPLY_SPECIFIC(fold_runs)(SPP_SUM, plane, starts, 1, row);
    }

    static SPP_INLINE void add_to_slot(Lanes run_sum, double *slot)
    {
        const Doubles value = __builtin_convertvector(run_sum, Doubles);
        const Doubles old = *(DoublesInMemory *)slot, both = old + value;
        #if SPP_COMPENSATED
        const Doubles added = both - old;  /* TwoSum, as in add_compensated */
        *(DoublesInMemory *)(slot + SPP_LANES) += (old - (both - added)) + (value - added);
        #endif
        *(DoublesInMemory *)slot = both;
    }

    SPP_INLINE void add(Run run_sum, npy_intp, int, State *state) { add_to_slot(run_sum, (double *)state); }

    /* A single run needs no division if it is a single pixel. */
    SPP_INLINE int write_run(npy_intp finished, Run run_sum)
    {
        if (finished < 0 || (divisor != NULL && divisor[finished] != 1))
            return 0;
        /* + 0 turns -0 into 0, as in slots, whose sums begin with 0 */
        APPLY_SPECIFIC(write_lanes)(&results, finished, 0, run_sum + 0);
        return 1;
    }

    /* Adds pixel number p to the sum of a run. [in, out] partial (width): the sum so far, ignored if is_first; if
       is_last, the sum is added to the slot instead of being stored here */
    static SPP_INLINE void add_row(const Rows *rows, npy_intp p, int is_first, int is_last, FEATURE *partial,
                                   double *slot)
    {
        enum { LINE = 64 / sizeof(FEATURE) };
        const FEATURE *feature = (const FEATURE *)(rows->first + p * rows->stride);
        const npy_intp width = rows->width;
        npy_intp c, i;
        for (c = 0; c + LINE <= width; c += LINE) {
            APPLY_SPECIFIC(prefetch_row)(rows, feature + c);
            for (i = c; i < c + LINE; i += SPP_LANES)
                add_lanes_of_row(feature + i, is_first, is_last, partial + i, slot + SPP_DOUBLES * i);
        }
        for (; c < width; c += SPP_LANES)
            add_lanes_of_row(feature + c, is_first, is_last, partial + c, slot + SPP_DOUBLES * c);
    }

    static SPP_INLINE void add_lanes_of_row(const FEATURE *feature, int is_first, int is_last, FEATURE *partial,
                                            double *slot)
    {
        Lanes lanes = *(const LanesInMemory *)feature;
        if (!is_first)
            lanes = *(const LanesInMemory *)partial + lanes;
        if (is_last)
            add_to_slot(lanes, slot);
        else
            *(LanesInMemory *)partial = lanes;
    }

    /* Adds a window to a full-window run; each eighth pixel goes to a sum of its own. [in, out] partial (SPP_LANES,
       width) */
    static SPP_INLINE void add_full_window(const Rows *rows, int is_first, FEATURE *partial, double *slot)
    {
        npy_intp p;
        for (p = 0; p < SPP_LANES; ++p)
            if (is_first)
                add_row(rows, p, 1, 0, partial + p * rows->width, slot);
            else
                add_row(rows, p, 0, 0, partial + p * rows->width, slot);
        for (; p < SPP_WINDOW; ++p)
            add_row(rows, p, 0, 0, partial + (p - SPP_LANES) * rows->width, slot);
    }

    /* Adds the eight sums of a full-window run to that of its superpixel, in the order of fold_lanes. */
    static SPP_INLINE void finish_full_run(npy_intp width, const FEATURE *partial, double *slot)
    {
        npy_intp c;
        for (c = 0; c < width; c += SPP_LANES) {
            #define SPP_ROW(i) *(const LanesInMemory *)(partial + (i) * width + c)
            add_to_slot(((SPP_ROW(0) + SPP_ROW(4)) + (SPP_ROW(2) + SPP_ROW(6)))
                        + ((SPP_ROW(1) + SPP_ROW(5)) + (SPP_ROW(3) + SPP_ROW(7))), slot + SPP_DOUBLES * c);
            #undef SPP_ROW
        }
    }

    SPP_INLINE void add_rows(const Rows *rows, APPLY_SPECIFIC(RunPart) part, FEATURE *partial, State *state)
    {
        double *slot = (double *)state;
        npy_intp p;
        if (part.stop - part.start == SPP_WINDOW) {
            add_full_window(rows, part.begins, partial, slot);
            if (part.ends)
                finish_full_run(rows->width, partial, slot);
        }
        else if (part.stop - part.start == 1)
            add_row(rows, part.start, 1, 1, partial, slot);
        else {
            add_row(rows, part.start, 1, 0, partial, slot);
            for (p = part.start + 1; p < part.stop - 1; ++p)
                add_row(rows, p, 0, 0, partial, slot);
            add_row(rows, p, 0, 1, partial, slot);
        }
    }

    SPP_INLINE const Partial &finish(npy_intp, const State *state) const { return *state; }

    SPP_INLINE void reset(State *state) { *state = State(); }

    static void merge(const Partial *later, Partial *partial)
    {
        const double *more = (const double *)later;
        double *sum = (double *)partial;
        int c;
        for (c = 0; c < SPP_LANES; ++c) {
            APPLY_SPECIFIC(add_compensated)(more[c], sum + c, sum + SPP_LANES + c);
            #if SPP_COMPENSATED
            sum[SPP_LANES + c] += more[SPP_LANES + c];
            #endif
        }
    }

    Partial empty() const { return Partial(); }

    SPP_INLINE void write(npy_intp vector, npy_intp superpixel, const Partial &partial)
    {
        Doubles sum = partial.sum[0];
        #if SPP_COMPENSATED
        sum = sum - sum == 0 ? sum + partial.sum[1] : sum;  /* as in total() */
        #endif
        if (divisor != NULL && divisor[superpixel] > 1)
            sum /= (double)divisor[superpixel];
        APPLY_SPECIFIC(write_lanes)(&results, superpixel, vector * SPP_LANES, __builtin_convertvector(sum, Lanes));
    }

    void flush()
    {
        APPLY_SPECIFIC(flush_results)(&results);
        if (APPLY_SPECIFIC(has_overflowed)()) {
            #ifdef _OPENMP
            #pragma omp atomic write
            #endif
            *overflowed = 1;
        }
    }
};
