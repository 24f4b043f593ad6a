#section support_code_apply
/* The sums of one superpixel in some channels, while its pixels come by: in a slot (SPP_DOUBLES, width). */
typedef double APPLY_SPECIFIC(Doubles) __attribute__((vector_size(SPP_LANES * sizeof(double))));
typedef double APPLY_SPECIFIC(DoublesInMemory)
    __attribute__((vector_size(SPP_LANES * sizeof(double)), aligned(sizeof(double)), may_alias));

/* Adds SPP_LANES channels of a piece. [in, out] slot: from the first of these channels on */
static inline __attribute__((always_inline)) void APPLY_SPECIFIC(add_to_slot)(APPLY_SPECIFIC(Lanes) piece,
                                                                              npy_intp width, double *slot)
{
    APPLY_SPECIFIC(DoublesInMemory) *sum = (APPLY_SPECIFIC(DoublesInMemory) *)slot;
    const APPLY_SPECIFIC(Doubles) value = __builtin_convertvector(piece, APPLY_SPECIFIC(Doubles));
    const APPLY_SPECIFIC(Doubles) old = *sum, both = old + value;
    #if SPP_CATCH_ERRORS
    const APPLY_SPECIFIC(Doubles) added = both - old;  /* as add_exactly */
    *(APPLY_SPECIFIC(DoublesInMemory) *)(slot + width) += (old - (both - added)) + (value - added);
    #endif
    (void)width;
    *sum = both;
}

/* Where the sums of `channels` channels of one image go when the last of a superpixel's pixels has come by. */
typedef struct {
    npy_intp channels, width;
    const npy_int64 *divisor;  /* (n_superpixels), or NULL */
    npy_intp channel_step, superpixel_step;
    FEATURE *pooled;           /* the first superpixel's first channel */
    double *partials;          /* (number of partial sums, SPP_DOUBLES, width) */
} APPLY_SPECIFIC(Results);

static inline void APPLY_SPECIFIC(write_superpixel)(const APPLY_SPECIFIC(Results) *results, npy_intp superpixel,
                                                    double *slot)
{
    const double divisor = results->divisor == NULL ? 1 : (double)results->divisor[superpixel];
    const npy_intp step = results->channel_step;
    FEATURE *pooled = results->pooled + superpixel * results->superpixel_step;
    APPLY_SPECIFIC(Accumulator) acc;
    npy_intp c;
    acc.sum = slot;
    acc.lost = slot + results->width;
    if (step == 1)  /* a vector at a time */
        for (c = 0; c < results->channels; ++c)
            pooled[c] = (FEATURE)(APPLY_SPECIFIC(total)(acc, c) / divisor);
    else
        for (c = 0; c < results->channels; ++c)
            pooled[c * step] = (FEATURE)(APPLY_SPECIFIC(total)(acc, c) / divisor);
}

/* Writes a superpixel's sums, or keeps them as a partial sum, and leaves zeros for the next one in its slot.
   [in] finished: of SppPlan */
static inline void APPLY_SPECIFIC(finish_superpixel)(const APPLY_SPECIFIC(Results) *results, npy_intp finished,
                                                     double *slot)
{
    const npy_intp doubles = SPP_DOUBLES * results->width;
    if (finished >= 0)
        APPLY_SPECIFIC(write_superpixel)(results, finished, slot);
    else
        memcpy(results->partials + (-1 - finished) * doubles, slot, doubles * sizeof(double));
    memset(slot, 0, doubles * sizeof(double));
}

/* Adds up partial sums and writes the superpixels that they make. [in] partial: numbers first .. end - 1 */
static inline void APPLY_SPECIFIC(finish_partials)(const APPLY_SPECIFIC(Results) *results, const SppPartial *partial,
                                                 npy_intp first, npy_intp end)
{
    const npy_intp width = results->width, doubles = SPP_DOUBLES * width;
    npy_intp i, c;
    for (i = first; i < end; ++i)
        if (partial[i].first != i) {
            double *sum = results->partials + partial[i].first * doubles;
            const double *more = results->partials + i * doubles;
            for (c = 0; c < width; ++c) {
                APPLY_SPECIFIC(add_exactly)(more[c], sum + c, sum + width + c);
                #if SPP_CATCH_ERRORS
                sum[width + c] += more[width + c];
                #endif
            }
        }
    for (i = first; i < end; ++i)
        if (partial[i].first == i)
            APPLY_SPECIFIC(write_superpixel)(results, partial[i].superpixel, results->partials + i * doubles);
}
