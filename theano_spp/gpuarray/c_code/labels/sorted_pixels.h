#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"

#section constants
#define SPP_DIGIT_BITS 5   /* six would need more local memory than OpenCL guarantees */
#define SPP_DIGITS 32
#define SPP_PIXELS_PER_THREAD 4  /* that are sorted; with eight, small maps would leave most of a card idle */
#define SPP_PIXELS_PER_GROUP (SPP_PIXELS_PER_THREAD * SPP_GROUP)

#section support_code
#ifndef SPP_SORTED_PIXELS
#define SPP_SORTED_PIXELS

/* The pixels of each map sorted by superpixel, those of one superpixel in row-major order. */
typedef struct {
    gpudata *order;   /* (maps, pixels) ga_uint: pixel numbers */
    gpudata *starts;  /* (maps, n + 1) ga_uint: where in `order` each superpixel begins; at last, where they end */
} SppSorted;

#endif

#section support_code_struct
/* Sorts the pixels by superpixel, once for all channels: a radix sort, the least significant digit first. Sets the flag
   of the call if a label is too large.
   [in] superpixel_map (maps, *spatial) with pixels
   Returns 0, or -1 with an error set. */
int APPLY_SPECIFIC(sort_pixels)(SppGpuCall *call, PyGpuArrayObject *superpixel_map, size_t n, SppSorted *sorted)
{
    const char *op = call->op;
    const size_t maps = superpixel_map->ga.dimensions[0];
    const size_t pixels = spp_gpu_pixels(superpixel_map, 1);
    const size_t groups = spp_gpu_ceil_divide(pixels, SPP_PIXELS_PER_GROUP);
    const size_t round_size = maps * SPP_DIGITS;
    const SppGpuImages labels = spp_gpu_joined_images(superpixel_map, 1);
    gpudata *keys[2] = {NULL, NULL}, *order[2] = {NULL, NULL}, *table = NULL, *totals = NULL;
    int rounds = 1, round;
    while (n >> rounds * SPP_DIGIT_BITS > 0)
        ++rounds;
    if ((keys[0] = spp_gpu_allocate(call, maps * pixels, sizeof(npy_uint32))) == NULL
            || (keys[1] = spp_gpu_allocate(call, maps * pixels, sizeof(npy_uint32))) == NULL
            || (order[0] = spp_gpu_allocate(call, maps * pixels, sizeof(npy_uint32))) == NULL
            || (order[1] = spp_gpu_allocate(call, maps * pixels, sizeof(npy_uint32))) == NULL
            || (table = spp_gpu_allocate(call, maps * SPP_DIGITS * groups, sizeof(npy_uint32))) == NULL
            || (totals = spp_gpu_allocate(call, rounds * round_size, sizeof(npy_uint32))) == NULL
            || (sorted->starts = spp_gpu_allocate(call, maps * (n + 1), sizeof(npy_uint32))) == NULL
            || SPP_GPU_START(find_keys, op, maps * spp_gpu_ceil_divide(pixels, SPP_GROUP), SPP_GPU_IMAGES(labels),
                             pixels, n, keys[0], order[0], totals, rounds * round_size, call->flag) != 0)
        return -1;
    for (round = 0; round < rounds; ++round) {
        const int from = round % 2, to = 1 - from, shift = round * SPP_DIGIT_BITS;
        if (SPP_GPU_START(count_digits, op, maps * groups, keys[from], pixels, groups, shift, table, totals,
                          round * round_size) != 0
                || SPP_GPU_START(add_up_digits, op, round_size, table, groups, totals, round * round_size) != 0
                || SPP_GPU_START(move_by_digit, op, maps * groups, keys[from], order[from], pixels, groups, shift,
                                 table, keys[to], order[to]) != 0)
            return -1;
    }
    sorted->order = order[rounds % 2];
    return SPP_GPU_START(find_starts, op, maps * spp_gpu_ceil_divide(n + 1, SPP_GROUP), keys[rounds % 2], pixels, n,
                         sorted->starts);
}

#section device_code
#define SPP_DIGIT(key, shift) ((key) >> (shift) & (SPP_DIGITS - 1))

#section kernels
/* The sort keys: the superpixel of each pixel, n for pixels that belong to none. Also zeroes the totals of all
   rounds. */
KERNEL void find_keys(SPP_IMAGES(LABEL, labels), ga_size pixels, ga_size n, GLOBAL_MEM ga_uint *keys,
                      GLOBAL_MEM ga_uint *order, GLOBAL_MEM ga_uint *totals, ga_size totals_count,
                      GLOBAL_MEM ga_int *flag)
{
    const SppWork work = spp_work(1, (pixels + SPP_GROUP - 1) / SPP_GROUP);
    const ga_size image = work.image, pixel = (ga_size)work.group * SPP_GROUP + LID_0;
    const ga_size thread = (ga_size)GID_0 * SPP_GROUP + LID_0;  /* enough: SPP_GROUP for each image at least */
    if (thread < totals_count)
        totals[thread] = 0;
    if (pixel < pixels) {
        const LABEL label = SPP_LABEL_AT(SPP_IMAGE(labels, image), pixel);
        const int too_large = SPP_IS_TOO_LARGE(label, n);
        if (too_large)
            *flag = 1;
        keys[image * pixels + pixel] = too_large || SPP_IS_NONE(label) ? (ga_uint)n : (ga_uint)label;
        order[image * pixels + pixel] = (ga_uint)pixel;
    }
}

/* Digit histograms: table (maps, SPP_DIGITS, groups), the number of keys of a group with each digit; totals (maps,
   SPP_DIGITS), of an image. */
KERNEL void count_digits(GLOBAL_MEM const ga_uint *keys, ga_size pixels, ga_size groups, ga_int shift,
                         GLOBAL_MEM ga_uint *table, GLOBAL_MEM ga_uint *totals, ga_size totals_from)
{
    LOCAL_MEM ga_int counts[SPP_DIGITS];
    const SppWork work = spp_work(1, groups);
    const ga_size image = work.image, group = work.group;
    ga_int i;
    if (LID_0 < SPP_DIGITS)
        counts[LID_0] = 0;
    local_barrier();
    for (i = 0; i < SPP_PIXELS_PER_THREAD; ++i) {
        const ga_size pixel = group * SPP_PIXELS_PER_GROUP + i * SPP_GROUP + LID_0;
        if (pixel < pixels)
            atom_add_il(&counts[SPP_DIGIT(keys[image * pixels + pixel], shift)], 1);
    }
    local_barrier();
    if (LID_0 < SPP_DIGITS) {
        table[(image * SPP_DIGITS + LID_0) * groups + group] = counts[LID_0];
        if (counts[LID_0] > 0)
            atom_add_ig((GLOBAL_MEM ga_int *)totals + totals_from + image * SPP_DIGITS + LID_0, counts[LID_0]);
    }
}

/* One group for each image and digit: replaces its row of the table by exclusive prefix sums, the number of keys
   that come before. */
KERNEL void add_up_digits(GLOBAL_MEM ga_uint *table, ga_size groups, GLOBAL_MEM const ga_uint *totals,
                          ga_size totals_from)
{
    LOCAL_MEM ga_uint sums[SPP_GROUP];
    GLOBAL_MEM ga_uint *digit_counts = table + (ga_size)GID_0 * groups;
    GLOBAL_MEM const ga_uint *image_totals = totals + totals_from + (ga_size)(GID_0 / SPP_DIGITS) * SPP_DIGITS;
    const ga_size each = (groups + SPP_GROUP - 1) / SPP_GROUP;
    const ga_size begin = LID_0 * each, end = begin + each < groups ? begin + each : groups;
    ga_uint sum = 0, before = 0, digit, reach;
    ga_size i;
    for (digit = 0; digit < GID_0 % SPP_DIGITS; ++digit)
        before += image_totals[digit];
    for (i = begin; i < end; ++i)
        sum += digit_counts[i];
    sums[LID_0] = sum;
    for (reach = 1; reach < SPP_GROUP; reach *= 2) {
        ga_uint earlier = 0;
        local_barrier();
        if (LID_0 >= reach)
            earlier = sums[LID_0 - reach];
        local_barrier();
        sums[LID_0] += earlier;
    }
    before += sums[LID_0] - sum;
    for (i = begin; i < end; ++i) {
        const ga_uint here = digit_counts[i];
        digit_counts[i] = before;
        before += here;
    }
}

/* Moves the pixels of a group behind those with smaller digits and behind earlier ones with the same digit. Each
   thread counts the digits of its consecutive pixels, so the pixels of a digit stay in order. Neighbouring threads
   read and write neighbouring pixels, which mostly have the same digit and go to neighbouring places. */
KERNEL void move_by_digit(GLOBAL_MEM const ga_uint *keys, GLOBAL_MEM const ga_uint *order, ga_size pixels,
                          ga_size groups, ga_int shift, GLOBAL_MEM const ga_uint *table,
                          GLOBAL_MEM ga_uint *sorted_keys, GLOBAL_MEM ga_uint *sorted_order)
{
    /* padded by two threads and by one pixel, so that each row begins in another memory bank */
    LOCAL_MEM ga_ushort counts[SPP_DIGITS * (SPP_GROUP + 2)], sums[SPP_GROUP];
    LOCAL_MEM ga_uint keys_and_places[SPP_GROUP * (SPP_PIXELS_PER_THREAD + 1)];
    const SppWork work = spp_work(1, groups);
    const ga_size image_first = work.image * pixels, begin = (ga_size)work.group * SPP_PIXELS_PER_GROUP;
    const ga_uint count = (ga_uint)(pixels - begin < SPP_PIXELS_PER_GROUP ? pixels - begin : SPP_PIXELS_PER_GROUP);
    /* SPP_DIGITS threads, one for a digit, for each SPP_DIGITS threads' counts: the first of the counts that it adds
       up */
    const ga_uint own = LID_0 % SPP_DIGITS * (SPP_GROUP + 2) + LID_0 / SPP_DIGITS * SPP_DIGITS;
    const ga_uint thread_first = LID_0 * (SPP_PIXELS_PER_THREAD + 1);
    const ga_uint thread_count = LID_0 * SPP_PIXELS_PER_THREAD >= count ? 0
        : count - LID_0 * SPP_PIXELS_PER_THREAD < SPP_PIXELS_PER_THREAD ? count - LID_0 * SPP_PIXELS_PER_THREAD
        : SPP_PIXELS_PER_THREAD;
    ga_ushort before = 0;
    ga_uint i;
    for (i = 0; i < SPP_DIGITS; ++i)
        counts[i * (SPP_GROUP + 2) + LID_0] = 0;
    for (i = LID_0; i < count; i += SPP_GROUP)
        keys_and_places[i + i / SPP_PIXELS_PER_THREAD] = keys[image_first + begin + i];
    local_barrier();
    for (i = 0; i < thread_count; ++i)
        counts[SPP_DIGIT(keys_and_places[thread_first + i], shift) * (SPP_GROUP + 2) + LID_0] += 1;
    local_barrier();
    for (i = 0; i < SPP_DIGITS; ++i)
        before += counts[own + i];
    sums[LID_0] = before;
    local_barrier();
    before = 0;
    for (i = LID_0 % SPP_DIGITS; i < LID_0; i += SPP_DIGITS)
        before += sums[i];
    for (i = 0; i < SPP_DIGITS; ++i) {
        const ga_ushort here = counts[own + i];
        counts[own + i] = before;
        before += here;
    }
    local_barrier();
    for (i = 0; i < thread_count; ++i) {
        const ga_uint digit = SPP_DIGIT(keys_and_places[thread_first + i], shift);
        keys_and_places[thread_first + i] = table[(work.image * (ga_size)SPP_DIGITS + digit) * groups + work.group]
                                     + counts[digit * (SPP_GROUP + 2) + LID_0];
        counts[digit * (SPP_GROUP + 2) + LID_0] += 1;
    }
    local_barrier();
    for (i = LID_0; i < count; i += SPP_GROUP) {
        const ga_size to = image_first + keys_and_places[i + i / SPP_PIXELS_PER_THREAD];
        sorted_keys[to] = keys[image_first + begin + i];
        sorted_order[to] = order[image_first + begin + i];
    }
}

/* starts (maps, n + 1): the first sorted pixel whose key is not smaller, by bisection. */
KERNEL void find_starts(GLOBAL_MEM const ga_uint *keys, ga_size pixels, ga_size n, GLOBAL_MEM ga_uint *starts)
{
    const SppWork work = spp_work(1, (n + SPP_GROUP) / SPP_GROUP);
    const ga_size image = work.image, key = (ga_size)work.group * SPP_GROUP + LID_0;
    ga_size low = 0, high = pixels;
    if (key > n)
        return;
    while (low < high) {
        const ga_size middle = low + (high - low) / 2;
        if (keys[image * pixels + middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    starts[image * (n + 1) + key] = (ga_uint)low;
}
