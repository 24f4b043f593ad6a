#section support_code
/* What the labels of an image ask pooling to do, found once for all its channels.

   An image is a row of windows of SPP_WINDOW pixels in row-major order. The pixels of one superpixel that
   follow each other in one window are a piece; so are up to SPP_BLOCK whole windows of one superpixel, a
   stack. Sums of pieces are short, so they are taken in the features' own precision, and added up in double:

       window     |0 0 0 0 0 1 1 1|1 1 1 1 1 1 1 1|1 1 1 1 1 1 1 1|1 1 2 2 2 0 0 0|     (8 pixels drawn)
       piece      |----0----|--1--|---------------2---------------|-3-|--4--|--5--|
       starts      1 0 0 0 0 1 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 1 0 0 1 0 0
                                                   0: adds to the stack

   The sums of a superpixel live in a slot from its first piece to its last, and then another superpixel
   takes the slot: superpixels are compact, so a few slots, which stay in the first cache, serve many. */
#ifndef SPP_PLAN
#define SPP_PLAN

#define SPP_BLOCK 4  /* windows whose pieces are summed before any is added to its slot */

typedef struct {
    npy_int32 slot;         /* 0 for pixels that belong to none */
    npy_uint8 row;          /* its last pixel in the block */
    npy_uint8 is_last;      /* of its superpixel */
} SppPiece;

/* One image's. */
typedef struct {
    npy_intp windows, slots;
    npy_uint16 *starts;     /* (windows): bit i if a piece starts at pixel i; 0 goes on with a stack */
    npy_uint8 *pieces_of;   /* (blocks): how many pieces start in it */
    SppPiece *piece;
    npy_intp *finished;     /* the superpixels in the order of their last pieces */
} SppPlan;

/* starts of one window as the labels have it -> as the plan has it. */
static inline unsigned spp_plan_window(unsigned starts, npy_intp pixels, npy_intp window, int *stacked)
{
    if (pixels < SPP_WINDOW || starts > 1) {
        *stacked = 0;
        /* pixels beyond the last make a piece that belongs to none */
        return starts | 1 | (pixels < SPP_WINDOW ? 1u << pixels : 0);
    }
    *stacked = *stacked && starts == 0 && window % SPP_BLOCK != 0;
    if (*stacked)
        return 0;
    *stacked = 1;
    return 1;
}

static inline void spp_free_plans(SppPlan *plans, npy_intp batch)
{
    npy_intp image;
    for (image = 0; plans != NULL && image < batch; ++image)
        free(plans[image].piece);
    free(plans);
}

#endif

#section support_code_apply
/* Plans one image. [in] labels: checked, starts (windows), last (n_superpixels): of find_runs
   [out] plan: its starts are those given, changed  [in, out] slot_of (n_superpixels): zeros
   Returns 0, or -1 if there is no memory (sets no error: it runs without the interpreter). */
static int APPLY_SPECIFIC(plan_image)(const char *labels, const SppGrid *grid, const SppStrides *walk,
                                      npy_intp n_superpixels, npy_uint16 *starts, const npy_intp *last,
                                      npy_int32 *slot_of, SppPlan *plan)
{
    const npy_intp pixels = grid->rows[0] * grid->rows[1] * grid->length;
    const npy_intp windows = spp_ceil_divide(pixels, SPP_WINDOW);
    const npy_intp blocks = spp_ceil_divide(windows, SPP_BLOCK);
    LABEL strip[SPP_STRIP];
    const LABEL *here = strip;
    npy_intp n_pieces = 1, n_free = 0, slots = 1, w;
    npy_int32 *free_slot = NULL;
    SppPiece *next = NULL, *piece = NULL;
    npy_intp *finished = NULL;
    int stacked = 0;

    for (w = 0; w < windows; ++w) {
        starts[w] = (npy_uint16)spp_plan_window(starts[w], pixels - w * SPP_WINDOW, w, &stacked);
        n_pieces += __builtin_popcount(starts[w]);
    }
    /* one block of memory: pieces, finished superpixels, free slots, counts */
    next = (SppPiece *)malloc((size_t)n_pieces * sizeof(SppPiece)
                              + (size_t)n_superpixels * (sizeof(npy_intp) + sizeof(npy_int32)) + (size_t)blocks);
    if (next == NULL)
        return -1;
    plan->windows = windows;
    plan->starts = starts;
    plan->piece = next;
    plan->finished = finished = (npy_intp *)(next + n_pieces);
    free_slot = (npy_int32 *)(finished + n_superpixels);
    plan->pieces_of = (npy_uint8 *)(free_slot + n_superpixels);

    for (w = 0; w < windows; ++w) {
        const npy_intp in_strip = w * SPP_WINDOW % SPP_STRIP;
        unsigned bits = starts[w];
        if (in_strip == 0)
            here = APPLY_SPECIFIC(labels_from)(labels, grid, walk, w * SPP_WINDOW,
                                               spp_minimum(SPP_STRIP, pixels - w * SPP_WINDOW), strip);
        if (w % SPP_BLOCK == 0)
            plan->pieces_of[w / SPP_BLOCK] = 0;
        plan->pieces_of[w / SPP_BLOCK] += (npy_uint8)__builtin_popcount(bits);
        do {
            const int at = bits == 0 ? 0 : spp_lowest_bit(bits);
            const int end = (bits & (bits - 1)) == 0 ? SPP_WINDOW : spp_lowest_bit(bits & (bits - 1));
            const npy_intp pixel = w * SPP_WINDOW + at;
            const int belongs = pixel < pixels && !SPP_IS_NONE(here[in_strip + at]);
            const npy_intp label = belongs ? (npy_intp)here[in_strip + at] : 0;
            if (bits != 0) {
                piece = next++;
                piece->is_last = 0;
                piece->row = (npy_uint8)(w % SPP_BLOCK * SPP_WINDOW + end - 1);
                if (belongs && slot_of[label] == 0)
                    slot_of[label] = n_free > 0 ? free_slot[--n_free] : (npy_int32)slots++;
                piece->slot = belongs ? slot_of[label] : 0;
            }
            if (belongs && last[label] < w * SPP_WINDOW + end) {
                piece->is_last = 1;
                *finished++ = label;
                free_slot[n_free++] = slot_of[label];
            }
            bits &= bits - 1;
        } while (bits != 0);
    }
    plan->slots = slots;
    return 0;
}

/* The plans of all images. [in] superpixel_map: checked, starts (batch, windows), last (batch, n_superpixels)
   Returns NULL with an error set. Release with spp_free_plans. */
static SppPlan *APPLY_SPECIFIC(plan_images)(const char *op, PyArrayObject *superpixel_map,
                                            npy_intp n_superpixels, npy_uint16 *starts, const npy_intp *last)
{
    const npy_intp batch = PyArray_DIM(superpixel_map, 0);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides walk = spp_strides(naxes, PyArray_STRIDES(superpixel_map) + 1);
    const npy_intp windows = spp_ceil_divide(grid.rows[0] * grid.rows[1] * grid.length, SPP_WINDOW);
    const int threads = spp_number_of_threads();
    npy_int32 *slot_of = NULL;
    SppPlan *plans = NULL;
    npy_intp image;
    int failed = 0;

    if (n_superpixels >= NPY_MAX_INT32)  /* as SppPiece.slot is an npy_int32 */
        spp_memory_error(op, n_superpixels, SPP_FOR_SUPERPIXELS);
    else if ((slot_of = (npy_int32 *)spp_scratch(op, n_superpixels, threads, sizeof(npy_int32))) != NULL)
        plans = (SppPlan *)spp_allocate(op, batch, SPP_FOR_IMAGES, 1, sizeof(SppPlan));
    if (plans == NULL) {
        free(slot_of);
        return NULL;
    }
    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) reduction(|:failed) \
        if (PyArray_SIZE(superpixel_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (image = 0; image < batch; ++image) {
        npy_int32 *own_slot_of = slot_of + spp_thread_number() * n_superpixels;
        memset(own_slot_of, 0, n_superpixels * sizeof(npy_int32));
        failed |= 0 != APPLY_SPECIFIC(plan_image)(
            PyArray_BYTES(superpixel_map) + image * PyArray_STRIDE(superpixel_map, 0), &grid, &walk,
            n_superpixels, starts + image * windows, last + image * n_superpixels, own_slot_of,
            plans + image);
    }
    free(slot_of);
    if (failed) {
        spp_memory_error(op, batch * windows, SPP_FOR_WINDOWS);
        spp_free_plans(plans, batch);
        return NULL;
    }
    return plans;
}
