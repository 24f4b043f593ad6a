#include "labels/label_map.h"
#include "memory/arrays.h"
#include "memory/errors.h"
#include "resize/interpolation.h"
#include "resize/sparse_rows.h"

#section support_code
/* The candidates: pixels of a superpixel map whose resized features can be the maximum of their superpixel. */
#ifndef SPP_CANDIDATES
#define SPP_CANDIDATES

typedef struct {
    npy_intp pixel;  /* its number in its row */
    npy_intp superpixel;
} SppCandidate;

/* The candidates of one map, in row-major order: one sparse row for each row of pixels. */
typedef SppSparseRows<SppCandidate> SppCandidates;

#endif

#section support_code_apply
/* Between two cells resized features are linear; where a pixel sees only one cell they are constant:

       features       3                       7                       5
       resized     3  3  3.5  4.5  5.5  6.5  6.75  6.25  5.75  5.25  5  5     all of one superpixel
       candidates  ^     ^              ^    ^                  ^    ^

   A pixel between two others of its superpixel is never the argmax: either one of the two is larger, or all three
   are equal and the first of them comes earlier. So along each axis only the two ends are candidates, and of equal
   ones only the first. (Rounding may lift a pixel between the ends above both by the last bit; even then it is not
   the argmax.) */

/* Whether a pixel's neighbours on one axis are in its superpixel and see the same cells, so that one of them, never
   the pixel itself, can be the argmax. */
static inline int APPLY_SPECIFIC(is_beaten)(const char *label, npy_intp stride, const SppAxis *axis, npy_intp pixel)
{
    const LABEL own = *(const LABEL *)label;
    if (!spp_sees_same_cells(axis, pixel) || *(const LABEL *)(label - stride) != own)
        return 0;
    return axis->fraction[pixel] == 0
           || (pixel + 1 < axis->pixels && spp_sees_same_cells(axis, pixel + 1)
               && *(const LABEL *)(label + stride) == own);
}

/* The candidates of one map. Returns 0, or -1 if there is no memory (without an error set, because it runs without
   the interpreter). */
static int APPLY_SPECIFIC(find_map_candidates)(const char *labels, const SppStrides *walk,
                                               const SppSampling *sampling, SppCandidates *candidates)
{
    const SppAxis *axis = sampling->axis;
    npy_intp r0, r1, p, row = 0, found = 0;
    if (spp_start_rows(candidates, axis[0].pixels * axis[1].pixels) != 0)
        return -1;
    for (r0 = 0; r0 < axis[0].pixels; ++r0)
        for (r1 = 0; r1 < axis[1].pixels; ++r1) {
            const char *label = labels + r0 * walk->row[0] + r1 * walk->row[1];
            candidates->first[row++] = found;
            for (p = 0; p < axis[2].pixels; ++p, label += walk->pixel) {
                const SppCandidate candidate = {p, (npy_intp)*(const LABEL *)label};
                if (SPP_IS_NONE(*(const LABEL *)label)
                        || APPLY_SPECIFIC(is_beaten)(label, walk->pixel, axis + 2, p)
                        || APPLY_SPECIFIC(is_beaten)(label, walk->row[1], axis + 1, r1)
                        || APPLY_SPECIFIC(is_beaten)(label, walk->row[0], axis, r0))
                    continue;
                if (spp_append(candidates, found++, candidate) != 0)
                    return -1;
            }
        }
    candidates->first[row] = found;
    return 0;
}

/* The candidates of all maps.
   [in] superpixel_map: checked, with pixels
   Returns NULL with an error set. Release with spp_free_rows. */
static SppCandidates *APPLY_SPECIFIC(find_candidates)(const char *op, PyArrayObject *superpixel_map,
                                                      const SppSampling *sampling)
{
    const npy_intp maps = PyArray_DIM(superpixel_map, 0);
    const SppStrides walk = spp_strides_of(superpixel_map, 1);
    SppCandidates *candidates = (SppCandidates *)spp_allocate(op, maps, "images", 1, sizeof(SppCandidates));
    npy_intp map;
    int failed = 0;
    if (candidates == NULL)
        return NULL;
    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) reduction(|:failed) \
        if (maps > 1 && PyArray_SIZE(superpixel_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (map = 0; map < maps; ++map)
        failed |= 0 != APPLY_SPECIFIC(find_map_candidates)(spp_labels_of(superpixel_map, map), &walk, sampling,
                                                           candidates + map);
    if (failed) {
        spp_memory_error(op, PyArray_SIZE(superpixel_map), "pixels");
        spp_free_rows(candidates, maps);
        return NULL;
    }
    return candidates;
}
