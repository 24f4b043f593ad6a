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

/* Writes a superpixel's sums of `channels` channels and leaves zeros for the next one in its slot.
   [out] pooled: the first channel's; the next is `step` further on */
static inline void APPLY_SPECIFIC(finish_superpixel)(double *slot, npy_intp width, npy_intp channels, double divisor,
                                                     npy_intp step, FEATURE *pooled)
{
    APPLY_SPECIFIC(Accumulator) acc;
    npy_intp c;
    acc.sum = slot;
    acc.lost = slot + width;
    if (step == 1)  /* a vector at a time */
        for (c = 0; c < channels; ++c)
            pooled[c] = (FEATURE)(APPLY_SPECIFIC(total)(acc, c) / divisor);
    else
        for (c = 0; c < channels; ++c)
            pooled[c * step] = (FEATURE)(APPLY_SPECIFIC(total)(acc, c) / divisor);
    memset(slot, 0, SPP_DOUBLES * width * sizeof(double));
}
