#section device_code
/* The pixels of an axis that may see a cell, a superset of its support: all others have weight 0 for it. */
WITHIN_KERNEL ga_size spp_support_begin(ga_size cell, ga_size cells, ga_size pixels)
{
    const ga_size begin = cell == 0 ? 0 : (cell - 1) * pixels / cells;
    return begin > 0 ? begin - 1 : 0;
}

WITHIN_KERNEL ga_size spp_support_end(ga_size cell, ga_size cells, ga_size pixels)
{
    const ga_size end = (cell + 2) * pixels / cells + 2;
    return end < pixels ? end : pixels;
}

/* The weight of a cell in what a pixel of an axis sees. [in] at: index of the pixel in the tables */
WITHIN_KERNEL ga_double spp_cell_weight(GLOBAL_MEM const ga_uint *low, GLOBAL_MEM const ga_double *cell_weights,
                                        ga_size at, ga_size cell)
{
    return low[at] == cell ? cell_weights[2 * at] : low[at] + 1 == cell ? cell_weights[2 * at + 1] : 0;
}
