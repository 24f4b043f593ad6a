#include "labels/label_map.h"
#include "memory/arrays.h"
#include "memory/errors.h"

#section support_code
/* The plan: what pooling has to do for the labels of a map, found once for all channels, and all images that share it.

   A window is SPP_WINDOW pixels in row-major order. A run is the pixels of one superpixel that follow each other
   within one window; or up to four full windows of one superpixel within a word of SPP_WORD pixels, a full-window
   run. Runs are short, so that their sums can be taken in the precision of the features:

       window     |0 0 0 0 0 1 1 1|1 1 1 1 1 1 1 1|1 1 1 1 1 1 1 1|1 1 2 2 2 0 0 0|     (8 pixels drawn)
       run        |----0----|--1--|---------------2---------------|-3-|--4--|--5--|
       starts      1 0 0 0 0 1 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 1 0 0 1 0 0
                                                   0: the full-window run goes on

   States of superpixels are kept in slots, assigned as in linear-scan register allocation: a superpixel has a slot
   from its first run to its last, and then another superpixel takes the slot. Superpixels are compact, so a few
   slots, which stay in the L1 cache, are enough for any number of them.

   Large images are divided into chunks. What one chunk contributes to a superpixel that has pixels in several chunks
   is a partial state, for sums a partial sum; partial states are kept until the end and merged then. */
#ifndef SPP_PLAN
#define SPP_PLAN

#define SPP_WINDOW 16

enum { SPP_BAD_LABEL = 1, SPP_NO_MEMORY = 2 };  /* what may prevent a plan */

typedef struct {
    npy_int32 slot;               /* 0 for pixels that belong to no superpixel */
    npy_uint8 last_pixel;         /* of the run, in its word */
    npy_uint8 is_first, is_last;  /* run of its superpixel in this chunk */
} SppRun;

/* The plan of one chunk. */
typedef struct {
    npy_intp first, end;   /* pixels, row-major numbers in the image */
    npy_uint64 *starts;    /* (words): bit i is set if a run starts at pixel i of the word */
    npy_intp runs, room;   /* the number of runs, and the number that there is memory for */
    SppRun *run;
    npy_intp superpixels;  /* the number of those with pixels in this chunk */
    npy_intp *finished;    /* labels, in the order of their last runs; or -1 - index of a partial state of the map */
    npy_intp slots;
} SppPlan;

/* The partial state of one chunk, of a superpixel that has pixels in other chunks too. */
typedef struct {
    npy_intp superpixel;
    npy_intp first;  /* the index, in the map, of this superpixel's first partial state */
} SppPartial;

typedef struct {
    npy_intp maps, n_superpixels, chunks;
    npy_int64 *sizes;    /* (maps, n_superpixels) */
    SppPlan *plan;       /* (maps, chunks) */
    npy_intp slots;      /* of the plan that needs the most */
    SppPartial *partial;
    npy_intp *partials;  /* (maps + 1): where the partial states of each map begin in `partial` */
} SppPlans;

/* The map of an image: a single one serves all images. */
static inline npy_intp spp_map_of(const SppPlans *plans, npy_intp image) { return spp_minimum(image, plans->maps - 1); }

/* The number of partial states in all images before this one: images that share a map have states of their own. */
static inline npy_intp spp_partials_before(const SppPlans *plans, npy_intp image)
{
    return plans->maps == 1 ? image * plans->partials[1] : plans->partials[image];
}

/* Makes one run of full windows of one superpixel that follow each other, by leaving only the first one's start.
   [in, out] starts: of one word */
static inline npy_uint64 spp_join_full_windows(npy_uint64 starts)
{
    int w, joined = 0;
    if (starts == 1)
        return 1;
    for (w = 0; w < SPP_WORD; w += SPP_WINDOW) {
        const unsigned bits = starts >> w & 0xffff;
        if (joined && bits == 0)
            continue;
        joined = bits <= 1;
        starts |= (npy_uint64)1 << w;
    }
    return starts;
}

static inline void spp_free_plans(SppPlans *plans)
{
    npy_intp i;
    for (i = 0; plans->plan != NULL && i < plans->maps * plans->chunks; ++i) {
        free(plans->plan[i].starts);
        free(plans->plan[i].run);
        free(plans->plan[i].finished);
    }
    free(plans->plan);
    free(plans->partial);
    free(plans->partials);
    free(plans->sizes);
}

/* Assigns a slot to each superpixel of a chunk, from its first run to its last.
   [in, out] plan: on entry, `slot` of each run is its label, or -1; slot_of (n_superpixels): zeros, undefined on
   return
   [in] last (n_superpixels): index of the last run
   Returns 0, or -1 if there is no memory. */
static inline int spp_assign_slots(SppPlan *plan, const npy_intp *last, npy_int32 *slot_of)
{
    npy_intp free_slots = 0, k, *finished = NULL;
    npy_int32 *free_slot = (npy_int32 *)malloc((plan->superpixels + 1) * sizeof(npy_int32));
    finished = plan->finished = (npy_intp *)malloc((plan->superpixels + 1) * sizeof(npy_intp));
    plan->slots = 1;
    for (k = 0; free_slot != NULL && finished != NULL && k < plan->runs; ++k) {
        const npy_int32 label = plan->run[k].slot;
        npy_int32 slot = 0;
        if (label >= 0) {
            slot = slot_of[label];
            plan->run[k].is_first = slot == 0;
            if (slot == 0)
                slot = slot_of[label] = free_slots > 0 ? free_slot[--free_slots] : (npy_int32)plan->slots++;
            if (last[label] == k) {
                plan->run[k].is_last = 1;
                *finished++ = label;
                free_slot[free_slots++] = slot;
            }
        }
        plan->run[k].slot = slot;
    }
    k = free_slot == NULL || finished == NULL ? -1 : 0;
    free(free_slot);
    return (int)k;
}

/* Assigns indices to the partial states of superpixels that have pixels in several chunks, and puts them in
   `finished`.
   [in] chunk_sizes (maps, chunks, n_superpixels)  Returns 0, or -1 if there is no memory. */
static inline int spp_find_partials(SppPlans *plans, const npy_int64 *chunk_sizes)
{
    const npy_intp n = plans->n_superpixels;
    npy_intp i, k, count = 0, *first = NULL;
    SppPartial *partial = NULL;
    if ((plans->partials = (npy_intp *)spp_zeros(plans->maps + 1, 1, sizeof(npy_intp))) == NULL)
        return -1;
    if (plans->chunks == 1)
        return 0;
    for (i = 0; i < plans->maps * plans->chunks; ++i)
        count += plans->plan[i].superpixels;
    partial = plans->partial = (SppPartial *)malloc((count + 1) * sizeof(SppPartial));
    first = (npy_intp *)spp_zeros(n, 1, sizeof(npy_intp));
    count = 0;
    for (i = 0; partial != NULL && first != NULL && i < plans->maps * plans->chunks; ++i) {
        const npy_intp map = i / plans->chunks, before = plans->partials[map];
        SppPlan *plan = plans->plan + i;
        for (k = 0; i % plans->chunks == 0 && k < n; ++k)
            first[k] = -1;
        for (k = 0; k < plan->superpixels; ++k) {
            const npy_intp label = plan->finished[k];
            if (chunk_sizes[i * n + label] == plans->sizes[map * n + label])
                continue;
            if (first[label] < 0)
                first[label] = count - before;
            partial[count].superpixel = label;
            partial[count].first = first[label];
            plan->finished[k] = -1 - (count++ - before);
        }
        plans->partials[map + 1] = count;
    }
    k = partial == NULL || first == NULL ? -1 : 0;
    free(first);
    return (int)k;
}

#endif

#section support_code_apply
/* Finds the runs of one chunk of an image and counts the pixels of each superpixel.
   [in] labels: of the image's first pixel  [in, out] plan: first and end are set, all else is zero
   [in, out] sizes (n_superpixels): zeros  [out] last (n_superpixels): index of each superpixel's last run
   Returns 0, or SPP_BAD_LABEL at the first label that is >= n_superpixels, or SPP_NO_MEMORY. */
static int APPLY_SPECIFIC(find_runs)(const char *labels, const SppGrid *grid, const SppStrides *walk,
                                     npy_intp n_superpixels, SppPlan *plan, npy_int64 *sizes, npy_intp *last)
{
    LABEL copy[SPP_STRIP];
    npy_uint8 differs[SPP_STRIP];
    npy_intp first, i, k = 0;
    plan->starts = (npy_uint64 *)spp_zeros(
        spp_ceil_divide(plan->end - plan->first, SPP_STRIP), SPP_STRIP / SPP_WORD, sizeof(npy_uint64));
    if (plan->starts == NULL)
        return SPP_NO_MEMORY;
    for (first = plan->first; first < plan->end; first += SPP_STRIP) {
        const npy_intp count = spp_minimum(SPP_STRIP, plan->end - first);
        const LABEL *here = APPLY_SPECIFIC(labels_from)(labels, grid, walk, first, count, copy);
        npy_uint64 *starts = plan->starts + (first - plan->first) / SPP_WORD;
        if (k + SPP_STRIP + 1 > plan->room) {
            SppRun *more = NULL;
            plan->room = 2 * plan->room + 2 * SPP_STRIP;
            if ((more = (SppRun *)realloc(plan->run, plan->room * sizeof(SppRun))) == NULL)
                return SPP_NO_MEMORY;
            plan->run = more;
        }
        APPLY_SPECIFIC(find_changes)(here, count, differs);
        for (i = 0; i < count; i += SPP_WORD) {
            const int length = (int)spp_minimum(SPP_WORD, count - i);
            npy_uint64 bits = spp_pack_bits(differs + i) | 1;
            if (length < SPP_WORD)
                bits |= (npy_uint64)1 << length;  /* pixels beyond the last are a run of no superpixel */
            bits = starts[i / SPP_WORD] = spp_join_full_windows(bits);
            while (bits != 0) {
                int stop;
                const int start = spp_next_run(&bits, SPP_WORD, &stop);
                const LABEL label = start < length ? here[i + start] : 0;
                SppRun *run = plan->run + k;
                run->slot = -1;
                run->last_pixel = (npy_uint8)(stop - 1);
                run->is_first = run->is_last = 0;
                if (start < length && !SPP_IS_NONE(label)) {
                    if ((npy_uint64)label >= (npy_uint64)n_superpixels)
                        return SPP_BAD_LABEL;
                    run->slot = (npy_int32)label;
                    plan->superpixels += sizes[(npy_intp)label] == 0;
                    sizes[(npy_intp)label] += stop - start;
                    last[(npy_intp)label] = k;
                }
                ++k;
            }
        }
    }
    plan->runs = k;
    return 0;
}

/* Checks every label and makes the plans of all maps. [out] plans: release with spp_free_plans, after an error too
   Returns 0, or -1 with an error set: an IndexError that names the first bad label, or a MemoryError. */
static int APPLY_SPECIFIC(plan_maps)(const char *op, PyArrayObject *superpixel_map, npy_intp n_superpixels,
                                     SppPlans *plans)
{
    const npy_intp maps = PyArray_DIM(superpixel_map, 0), n = n_superpixels;
    const npy_intp pixels = spp_image_pixels(superpixel_map);
    const SppGrid grid = spp_grid_of(superpixel_map, 1);
    const SppStrides walk = spp_strides_of(superpixel_map, 1);
    const SppChunks chunks = spp_chunks(pixels, n);
    const int threads = spp_number_of_threads();
    npy_intp i, *last = NULL;
    npy_int64 *chunk_sizes = NULL;
    npy_int32 *slot_of = NULL;
    int problems = 0, failed = -1;

    memset(plans, 0, sizeof(*plans));
    plans->maps = maps;
    plans->n_superpixels = n;
    plans->chunks = chunks.number;
    if (n >= NPY_MAX_INT32) {  /* because SppRun.slot is an npy_int32 */
        spp_memory_error(op, n, "superpixels");
        return -1;
    }
    if ((plans->plan = (SppPlan *)spp_allocate(op, maps, "images", chunks.number, sizeof(SppPlan))) == NULL
            || (plans->sizes = (npy_int64 *)spp_scratch(op, n, maps, sizeof(npy_int64))) == NULL
            || (last = (npy_intp *)spp_scratch(op, n, threads, sizeof(npy_intp))) == NULL
            || (slot_of = (npy_int32 *)spp_scratch(op, n, threads, sizeof(npy_int32))) == NULL
            || (chunk_sizes = chunks.number == 1 ? plans->sizes : (npy_int64 *)spp_scratch(
                    op, n, maps * chunks.number, sizeof(npy_int64))) == NULL)
        goto done;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) reduction(|:problems) if (maps * pixels >= SPP_PARALLEL_MINIMUM)
    #endif
    for (i = 0; i < maps * chunks.number; ++i) {
        const npy_intp map = i / chunks.number, own = spp_thread_number() * n;
        SppPlan *plan = plans->plan + i;
        int problem;
        plan->first = i % chunks.number * chunks.pixels;
        plan->end = spp_minimum(plan->first + chunks.pixels, pixels);
        problem = APPLY_SPECIFIC(find_runs)(spp_labels_of(superpixel_map, map), &grid, &walk, n, plan,
                                            chunk_sizes + i * n, last + own);
        memset(slot_of + own, 0, n * sizeof(npy_int32));
        if (problem == 0 && spp_assign_slots(plan, last + own, slot_of + own) != 0)
            problem = SPP_NO_MEMORY;
        problems |= problem;
    }
    if (problems & SPP_BAD_LABEL) {
        APPLY_SPECIFIC(label_error)(op, superpixel_map, n, "n_superpixels is");
        goto done;
    }
    if (chunks.number > 1)
        spp_add_sizes(maps, chunks.number, n, chunk_sizes, plans->sizes);
    if (problems & SPP_NO_MEMORY || spp_find_partials(plans, chunk_sizes) != 0) {
        spp_memory_error(op, maps * spp_ceil_divide(pixels, SPP_WINDOW), "windows");
        goto done;
    }
    for (i = 0; i < maps * chunks.number; ++i)
        plans->slots = spp_maximum(plans->slots, plans->plan[i].slots);
    failed = 0;
done:
    if (chunk_sizes != plans->sizes)
        free(chunk_sizes);
    free(slot_of);
    free(last);
    return failed;
}
