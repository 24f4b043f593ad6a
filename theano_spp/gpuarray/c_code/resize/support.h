#include "resize/sampling.h"

#section device_code
/* The pixels of an axis that may see a cell, a superset of its support: all others have weight 0 for it. */
typedef struct {
    ga_size begin, end;
} SppSupport;

WITHIN_KERNEL SppSupport spp_support(ga_size cell, ga_size cells, ga_size pixels)
{
    const ga_size begin = cell == 0 ? 0 : (cell - 1) * pixels / cells, end = (cell + 2) * pixels / cells + 2;
    SppSupport support;
    support.begin = begin > 0 ? begin - 1 : 0;
    support.end = end < pixels ? end : pixels;
    return support;
}

/* The weight of a cell in what a pixel of an axis sees. [in] at: index of the pixel in the tables */
WITHIN_KERNEL ga_double spp_cell_weight(const SppAxes axes, ga_size at, ga_size cell)
{
    return axes.low[at] == cell ? axes.cell_weights[2 * at]
        : axes.low[at] + 1 == cell ? axes.cell_weights[2 * at + 1] : 0;
}
