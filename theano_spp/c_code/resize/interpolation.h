#include "memory/arrays.h"
#include "memory/errors.h"

#section support_code
/* Resizing with half-pixel centres: which cells of a feature map each pixel of a superpixel map sees.
   The mathematics is told in theano_spp/reference/interpolation.py. */
#ifndef SPP_INTERPOLATION
#define SPP_INTERPOLATION

/* One axis. Pixel p sees cell low[p] with weight scale - part[p] and, where part[p] > 0,
   cell low[p] + 1 with weight part[p]; the weights are whole numbers in units of 1 / scale. */
typedef struct {
    npy_intp cells, pixels, scale;
    npy_intp addable;  /* so many weights add up to a number that npy_intp holds */
    npy_intp *low;   /* (pixels) */
    npy_intp *fraction;  /* (pixels) */
} SppAxis;

/* The spatial axes, missing ones in front with one cell and one pixel. */
typedef struct {
    SppAxis axis[3];
} SppSampling;

static inline void spp_free_sampling(SppSampling *sampling)
{
    int i;
    for (i = 0; i < 3; ++i) {
        free(sampling->axis[i].low);
        sampling->axis[i].low = NULL;
    }
}

/* Walks position = low + part / scale from pixel to pixel: no product of sizes, so no overflow.
   Nor do their sums: there is memory for two npy_intp a pixel. */
static inline void spp_sample_axis(SppAxis *axis, int bilinear)
{
    const npy_intp cells = axis->cells, pixels = axis->pixels, scale = axis->scale;
    /* nearest begins at cells / scale, bilinear half a cell, pixels / scale, before */
    npy_intp low = bilinear && cells < pixels ? -1 : (bilinear ? cells - pixels : cells) / scale;
    npy_intp fraction = bilinear && cells < pixels ? cells + pixels : (bilinear ? cells - pixels : cells) % scale;
    npy_intp p;
    for (p = 0; p < pixels; ++p) {
        const int outside = low < 0 || low >= cells - 1;
        axis->low[p] = spp_maximum(0, spp_minimum(low, cells - 1));
        axis->fraction[p] = bilinear && !outside ? fraction : 0;
        low += cells / pixels;
        fraction += 2 * (cells % pixels);
        if (fraction >= scale) {
            fraction -= scale;
            ++low;
        }
    }
}

/* [in] naxes 1..3, cells (naxes) at least 1 each, pixels (naxes) at least 1 each
   Returns 0, or -1 with a MemoryError. Release with spp_free_sampling. */
static inline int spp_sample(const char *op, int naxes, const npy_intp *cells, const npy_intp *pixels,
                             int bilinear, SppSampling *sampling)
{
    int i;
    memset(sampling, 0, sizeof(*sampling));
    for (i = 0; i < 3; ++i) {
        SppAxis *axis = &sampling->axis[i];
        const int given = i - (3 - naxes);
        axis->cells = given < 0 ? 1 : cells[given];
        axis->pixels = given < 0 ? 1 : pixels[given];
        axis->low = (npy_intp *)spp_allocate(op, axis->pixels, "pixels", 2, sizeof(npy_intp));
        if (axis->low == NULL) {
            spp_free_sampling(sampling);
            return -1;
        }
        axis->fraction = axis->low + axis->pixels;
        axis->scale = 2 * axis->pixels;
        axis->addable = NPY_MAX_INTP / axis->scale;
        spp_sample_axis(axis, bilinear);
    }
    return 0;
}

/* 0, or -1 with a ValueError if there are pixels but no cells to resize to them. */
static inline int spp_check_cells(const char *op, int naxes, const npy_intp *cells, const npy_intp *pixels)
{
    int i;
    for (i = 0; i < naxes; ++i)
        if (cells[i] < 1 && spp_product(pixels, naxes) > 0)
            return spp_raise("check_cells", "(sNN)", op, spp_shape(naxes, cells), spp_shape(naxes, pixels));
    return 0;
}

/* 0, or -1 with a ValueError if the cells, which are not resized, are not the pixels. */
static inline int spp_check_same_sizes(const char *op, const char *argument, int naxes, const npy_intp *cells,
                                       const npy_intp *pixels)
{
    return PyArray_CompareLists((npy_intp *)cells, (npy_intp *)pixels, naxes)
        ? 0 : spp_raise("check_same_sizes", "(ssNN)", op, argument, spp_shape(naxes, cells), spp_shape(naxes, pixels));
}

/* The value between two cells, which are one and the same where a pixel sees one alone. Between two
   equal values it is this value to the last bit, so that the first pixel of a plateau is its maximum. */
static inline double spp_lerp(double below, double above, double weight_below, double weight_above)
{
    const double mixed = weight_below * below + weight_above * above;
    return below == above ? below : mixed;
}

static inline double spp_weight_above(const SppAxis *axis, npy_intp pixel)
{
    return (double)axis->fraction[pixel] / (double)axis->scale;
}

static inline double spp_weight_below(const SppAxis *axis, npy_intp pixel)
{
    return (double)(axis->scale - axis->fraction[pixel]) / (double)axis->scale;
}

/* Whether a pixel sees the same cells as the one before it, or the same one alone. */
static inline int spp_sees_same_cells(const SppAxis *axis, npy_intp pixel)
{
    return pixel > 0 && axis->low[pixel] == axis->low[pixel - 1]
           && (axis->fraction[pixel] > 0) == (axis->fraction[pixel - 1] > 0);
}

/* The second cell that a pixel sees; the first again where it sees one alone. */
static inline npy_intp spp_high(const SppAxis *axis, npy_intp pixel)
{
    return axis->low[pixel] + (axis->fraction[pixel] > 0);
}

#endif
