#section support_code_apply
/* Pooling reads each feature once, in one of two walks over the windows of a plan: planes.c or neighbours.c. The
   sums of pieces are added to the slots of their superpixels. The order of all additions depends on the labels
   alone, so the results are the same to the last bit for every memory layout and number of threads. */

/* [in]  feature_map (batch, channels, *spatial), superpixel_map (batch, *spatial), n_superpixels ()
   [out] pooled (batch, channels, n_superpixels) */
int APPLY_SPECIFIC(superpixel_pool)(PyArrayObject *feature_map, PyArrayObject *superpixel_map,
                                    PyArrayObject *n_superpixels, PyArrayObject **pooled,
                                    PARAMS_TYPE *params)
{
    const char *op = "SuperpixelPool";
    const npy_intp batch = PyArray_DIM(feature_map, 0);
    const npy_intp channels = PyArray_DIM(feature_map, 1);
    const npy_intp channel_stride = PyArray_STRIDE(feature_map, 1);
    const int naxes = PyArray_NDIM(superpixel_map) - 1;
    const SppGrid grid = spp_grid(naxes, PyArray_DIMS(superpixel_map) + 1);
    const SppStrides walk = spp_strides(naxes, PyArray_STRIDES(feature_map) + 2);
    const npy_intp windows = spp_ceil_divide(grid.rows[0] * grid.rows[1] * grid.length, SPP_WINDOW);
    const int channels_lie_together = channel_stride == (npy_intp)sizeof(FEATURE) && channels > 1;
    const int divide = params->mode == SPP_POOL_MEAN;
    const int threads = spp_number_of_threads();
    npy_intp shape[3] = {batch, channels, 0};
    npy_intp channel_step, superpixel_step;  /* of pooled */
    npy_intp n, slots = 1, width, blocks, lanes, block;
    npy_int64 *sizes = NULL;
    npy_intp *last = NULL;
    npy_uint16 *starts = NULL;
    SppPlan *plans = NULL;
    double *scratch = NULL;
    FEATURE *rows = NULL;
    const char *end = PyArray_BYTES(feature_map) + sizeof(FEATURE);
    int failed = -1, axis;

    for (axis = 0; axis < PyArray_NDIM(feature_map); ++axis)
        end += spp_maximum(0, (PyArray_DIM(feature_map, axis) - 1) * PyArray_STRIDE(feature_map, axis));
    if (spp_check_shapes(op, "feature_map", feature_map, superpixel_map, SPP_AGREE_IN_SPACE) != 0
            || (n = shape[2] = spp_n_superpixels(op, n_superpixels)) < 0
            || (sizes = (npy_int64 *)spp_scratch(op, n, batch, sizeof(npy_int64))) == NULL)
        return -1;
    if ((last = (npy_intp *)spp_scratch(op, n, batch, sizeof(npy_intp))) == NULL
            || (starts = (npy_uint16 *)spp_allocate(op, batch * windows, SPP_FOR_WINDOWS, 1,
                                                    sizeof(npy_uint16))) == NULL
            || APPLY_SPECIFIC(find_runs)(op, "n_superpixels is", superpixel_map, n, sizes, starts, last) != 0
            || spp_prepare_layout(op, n, pooled, 3, shape, TYPENUM_INPUT_0,
                                  spp_has_channels_last(feature_map)) != 0)
        goto done;
    if (PyArray_SIZE(feature_map) == 0) {
        PyArray_FILLWBYTE(*pooled, 0);
        failed = 0;
        goto done;
    }
    if ((plans = APPLY_SPECIFIC(plan_images)(op, superpixel_map, n, starts, last)) == NULL)
        goto done;

    channel_step = PyArray_STRIDE(*pooled, 1) / (npy_intp)sizeof(FEATURE);
    superpixel_step = PyArray_STRIDE(*pooled, 2) / (npy_intp)sizeof(FEATURE);
    for (block = 0; block < batch; ++block)
        slots = spp_maximum(slots, plans[block].slots);
    width = spp_block_width(batch, channels, channels_lie_together
                            ? spp_maximum(SPP_NEIGHBOURS, SPP_SLOT_MEMORY / (slots * SPP_DOUBLES * 8)) : SPP_LANES,
                            threads);
    blocks = spp_ceil_divide(channels, width);
    lanes = spp_ceil_divide(channels_lie_together ? width : SPP_LANES, SPP_LANES) * SPP_LANES;
    if ((scratch = (double *)spp_scratch(op, slots * threads + 1, SPP_DOUBLES * lanes + 8, sizeof(double))) == NULL
            || (rows = (FEATURE *)spp_scratch(op, threads * (SPP_LANES + SPP_WINDOW), lanes, sizeof(FEATURE))) == NULL)
        goto done;

    #ifdef _OPENMP
    #pragma omp parallel for schedule(static) if (PyArray_SIZE(feature_map) >= SPP_PARALLEL_MINIMUM)
    #endif
    for (block = 0; block < batch * blocks; ++block) {
        const npy_intp image = block / blocks;
        const npy_intp first = block % blocks * width;
        const npy_intp count = spp_minimum(width, channels - first);
        const char *features = PyArray_BYTES(feature_map) + image * PyArray_STRIDE(feature_map, 0)
                               + first * channel_stride;
        const npy_int64 *size = sizes + image * n;
        FEATURE *out = (FEATURE *)PyArray_DATA(*pooled) + image * channels * n + first * channel_step;
        double *own_slots = (double *)spp_align(scratch) + spp_thread_number() * slots * SPP_DOUBLES * lanes;
        npy_intp c, l;
        for (l = 0; l < n; ++l)
            if (size[l] == 0)
                for (c = 0; c < count; ++c)
                    out[c * channel_step + l * superpixel_step] = 0;
        if (channels_lie_together)
            APPLY_SPECIFIC(pool_neighbours)(
                features, end, &grid, &walk, count, lanes, plans + image, size, divide, own_slots,
                rows + spp_thread_number() * (SPP_LANES + SPP_WINDOW) * lanes, channel_step, superpixel_step, out);
        else
            APPLY_SPECIFIC(pool_planes)(features, channel_stride, &grid, &walk, count, plans + image, size, divide,
                                        own_slots, channel_step, superpixel_step, out);
    }
    failed = 0;
done:
    spp_free_plans(plans, batch);
    free(rows);
    free(scratch);
    free(starts);
    free(last);
    free(sizes);
    return failed;
}
