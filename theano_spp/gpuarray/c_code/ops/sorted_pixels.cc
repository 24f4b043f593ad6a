#include "memory/arrays.h"
#include "memory/calls.h"
#include "memory/images.h"

#section constants
#define SPP_DIGIT_BITS 5   /* six would need more local memory than OpenCL guarantees */
#define SPP_DIGITS 32
#define SPP_PIXELS_PER_THREAD 4  /* that are sorted; with eight, small maps would leave most of a card idle */
#define SPP_PIXELS_PER_GROUP (SPP_PIXELS_PER_THREAD * SPP_GROUP)

#section support_code_struct
/* Sorts the pixels by superpixel, once for all channels, and all ops: a radix sort, the least significant digit first.
   The first round reads labels, the others the keys and pixel numbers that the round before left.

   [in]  superpixel_map (maps, *spatial), n_superpixels () on the host
   [out] order (maps, pixels) uint32: pixel numbers by superpixel, those of one superpixel in row-major order, those of
         none at the end
         starts (maps, n_superpixels + 1) uint32: where in `order` each superpixel begins; at last, where they end
         sizes (maps, n_superpixels) int32 */
int APPLY_SPECIFIC(sorted_pixels)(PyGpuArrayObject *superpixel_map, PyArrayObject *n_superpixels,
                                  PyGpuArrayObject **order, PyGpuArrayObject **starts, PyGpuArrayObject **sizes,
                                  PARAMS_TYPE *params)
{
    const char *op = PyUnicode_AsUTF8(params->op_name);
    const size_t maps = superpixel_map->ga.dimensions[0], pixels = spp_gpu_pixels(superpixel_map, 1);
    const size_t groups = spp_gpu_ceil_divide(pixels, SPP_PIXELS_PER_GROUP), round_size = maps * SPP_DIGITS;
    const SppGpuImages labels = spp_gpu_joined_images(superpixel_map, 1);
    SppGpuCall call = {params->context->ctx, op, {NULL}, 0, NULL};
    gpudata *keys[2] = {NULL, NULL}, *numbers[2] = {NULL, NULL}, *table = NULL;
    int rounds = 1, round, failed;
    ssize_t n;
    if (op == NULL || (n = spp_gpu_n_superpixels(op, n_superpixels, superpixel_map)) < 0
            || spp_gpu_prepare_table(op, order, maps, pixels, GA_UINT, params->context) != 0
            || spp_gpu_prepare_table(op, starts, maps, n + 1, GA_UINT, params->context) != 0
            || spp_gpu_prepare_table(op, sizes, maps, n, GA_INT, params->context) != 0)
        return -1;
    if (maps * pixels == 0)
        return APPLY_SPECIFIC(set_array)(op, *starts) != 0 || APPLY_SPECIFIC(set_array)(op, *sizes) != 0 ? -1 : 0;
    while ((size_t)n >> rounds * SPP_DIGIT_BITS > 0)
        ++rounds;
    /* the flag, and for each round the digits of each map: zeroed together */
    failed = (call.flag = APPLY_SPECIFIC(zeros)(&call, 1 + rounds * round_size, sizeof(npy_uint32))) == NULL
        || (keys[0] = spp_gpu_allocate(&call, maps * pixels, sizeof(npy_uint32))) == NULL
        || (keys[1] = rounds == 1 ? keys[0] : spp_gpu_allocate(&call, maps * pixels, sizeof(npy_uint32))) == NULL
        || (numbers[0] = rounds == 1 ? keys[0] : spp_gpu_allocate(&call, maps * pixels, sizeof(npy_uint32))) == NULL
        || (table = spp_gpu_allocate(&call, round_size * groups, sizeof(npy_uint32))) == NULL;
    numbers[1] = numbers[0];
    numbers[rounds % 2] = (*order)->ga.data;
    for (round = 0; !failed && round < rounds; ++round) {
        const int from = round % 2, to = 1 - from, shift = round * SPP_DIGIT_BITS, is_first = round == 0;
        const size_t totals = 1 + round * round_size;
        failed = SPP_GPU_START(count_digits, op, maps * groups, SPP_GPU_IMAGES(labels), n, is_first, keys[from], pixels,
                               groups, shift, table, call.flag, totals) != 0
            || SPP_GPU_START(add_up_digits, op, round_size, table, groups, call.flag, totals) != 0
            || SPP_GPU_START(move_by_digit, op, maps * groups, SPP_GPU_IMAGES(labels), n, is_first, keys[from],
                             numbers[from], pixels, groups, shift, table, keys[to], numbers[to]) != 0;
    }
    failed = failed || SPP_GPU_START(find_starts, op, maps * spp_gpu_ceil_divide(n + 1, SPP_GROUP), keys[rounds % 2],
                                     pixels, n, (*starts)->ga.data, (*sizes)->ga.data) != 0;
    return spp_gpu_finish(&call, failed, superpixel_map, n, PyUnicode_AsUTF8(params->limit_name));
}

#section device_code
#define SPP_DIGIT(key, shift) ((key) >> (shift) & (SPP_DIGITS - 1))

/* The sort key of a pixel: its superpixel, n for those that belong to none. */
WITHIN_KERNEL ga_uint spp_key(const SppImage map, ga_size pixel, ga_size n)
{
    const LABEL label = SPP_LABEL_AT(map, pixel);
    return SPP_IS_TOO_LARGE(label, n) || SPP_IS_NONE(label) ? (ga_uint)n : (ga_uint)label;
}
/* Of sorted keys low .. high - 1 the first that is not below a key; high if there is none. */
WITHIN_KERNEL ga_size spp_first_not_below(GLOBAL_MEM const ga_uint *keys, ga_size low, ga_size high, ga_size key)
{
    while (low < high) {
        const ga_size middle = low + (high - low) / 2;
        if (keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#section kernels
/* Digit histograms: table (maps, SPP_DIGITS, groups), the number of keys of a group with each digit; totals (maps,
   SPP_DIGITS), of an image, zeroed by the caller, behind the flag of the call. The first round has no keys yet: it
   checks labels. */
KERNEL void count_digits(SPP_IMAGES(LABEL, labels), ga_size n, ga_int is_first, GLOBAL_MEM const ga_uint *keys,
                         ga_size pixels, ga_size groups, ga_int shift, GLOBAL_MEM ga_uint *table,
                         GLOBAL_MEM ga_int *flag_and_totals, ga_size totals_from)
{
    LOCAL_MEM ga_int counts[SPP_DIGITS];
    const SppWork work = spp_work(1, groups);
    const ga_size image = work.image, group = work.group;
    const SppImage map = SPP_IMAGE(labels, image);
    ga_int i;
    if (LID_0 < SPP_DIGITS)
        counts[LID_0] = 0;
    local_barrier();
    for (i = 0; i < SPP_PIXELS_PER_THREAD; ++i) {
        const ga_size pixel = group * SPP_PIXELS_PER_GROUP + i * SPP_GROUP + LID_0;
        if (pixel < pixels) {
            const ga_uint key = is_first ? spp_key(map, pixel, n) : keys[image * pixels + pixel];
            atom_add_il(&counts[SPP_DIGIT(key, shift)], 1);
            if (is_first && key == n && !SPP_IS_NONE(SPP_LABEL_AT(map, pixel)))
                *flag_and_totals = 1;
        }
    }
    local_barrier();
    if (LID_0 < SPP_DIGITS) {
        table[(image * SPP_DIGITS + LID_0) * groups + group] = counts[LID_0];
        if (counts[LID_0] > 0)
            atom_add_ig(flag_and_totals + totals_from + image * SPP_DIGITS + LID_0, counts[LID_0]);
    }
}

/* One group for each image and digit: replaces its row of the table by exclusive prefix sums, the number of keys
   that come before. */
KERNEL void add_up_digits(GLOBAL_MEM ga_uint *table, ga_size groups, GLOBAL_MEM const ga_uint *flag_and_totals,
                          ga_size totals_from)
{
    LOCAL_MEM ga_uint sums[SPP_GROUP];
    GLOBAL_MEM ga_uint *digit_counts = table + (ga_size)GID_0 * groups;
    GLOBAL_MEM const ga_uint *image_totals =
        flag_and_totals + totals_from + (ga_size)(GID_0 / SPP_DIGITS) * SPP_DIGITS;
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
KERNEL void move_by_digit(SPP_IMAGES(LABEL, labels), ga_size n, ga_int is_first, GLOBAL_MEM const ga_uint *keys,
                          GLOBAL_MEM const ga_uint *order, ga_size pixels, ga_size groups, ga_int shift,
                          GLOBAL_MEM const ga_uint *table, GLOBAL_MEM ga_uint *sorted_keys,
                          GLOBAL_MEM ga_uint *sorted_order)
{
    /* padded by two threads and by one pixel, so that each row begins in another memory bank */
    LOCAL_MEM ga_ushort counts[SPP_DIGITS * (SPP_GROUP + 2)], sums[SPP_GROUP];
    LOCAL_MEM ga_uint keys_and_places[SPP_GROUP * (SPP_PIXELS_PER_THREAD + 1)];
    const SppWork work = spp_work(1, groups);
    const SppImage map = SPP_IMAGE(labels, work.image);
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
        keys_and_places[i + i / SPP_PIXELS_PER_THREAD] = is_first ? spp_key(map, begin + i, n)
                                                                  : keys[image_first + begin + i];
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
        sorted_keys[to] = is_first ? spp_key(map, begin + i, n) : keys[image_first + begin + i];
        sorted_order[to] = is_first ? (ga_uint)(begin + i) : order[image_first + begin + i];
    }
}

/* starts (maps, n + 1): the first sorted pixel whose key is not smaller, by bisection; sizes (maps, n). */
KERNEL void find_starts(GLOBAL_MEM const ga_uint *keys, ga_size pixels, ga_size n, GLOBAL_MEM ga_uint *starts,
                        GLOBAL_MEM ga_int *sizes)
{
    const SppWork work = spp_work(1, (n + SPP_GROUP) / SPP_GROUP);
    const ga_size image = work.image, key = (ga_size)work.group * SPP_GROUP + LID_0;
    GLOBAL_MEM const ga_uint *image_keys = keys + image * pixels;
    if (key <= n) {
        const ga_size start = spp_first_not_below(image_keys, 0, pixels, key);
        starts[image * (n + 1) + key] = (ga_uint)start;
        if (key < n)
            sizes[image * n + key] = (ga_int)(spp_first_not_below(image_keys, start, pixels, key + 1) - start);
    }
}
