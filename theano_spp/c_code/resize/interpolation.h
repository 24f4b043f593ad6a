#include "memory/arrays.h"
#include "memory/errors.h"

#section support_code
/* Linear interpolation with half-pixel centres: the cells of a feature map that each pixel of a superpixel map sees.
   theano_spp/reference/interpolation.py explains the mathematics. */
#ifndef SPP_INTERPOLATION
#define SPP_INTERPOLATION

/* One axis. Pixel p sees cell low[p] with the weight scale - fraction[p] and, where fraction[p] > 0, cell low[p] + 1
   with the weight fraction[p]. Weights are whole numbers, in units of 1 / scale. */
typedef struct {
    npy_intp cells, pixels, scale;
    npy_intp addable;    /* this many weights can be added up without overflow of npy_intp */
    npy_intp *low;       /* (pixels) */
    npy_intp *fraction;  /* (pixels) */
} SppAxis;

/* The spatial axes; if there are fewer than three, the first ones have one cell and one pixel. */
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

/* Steps position = low + fraction / scale from pixel to pixel. There are no products of sizes that could overflow;
   sums do not, because there is memory for two npy_intp for each pixel. */
static inline void spp_sample_axis(SppAxis *axis, int bilinear)
{
    const npy_intp cells = axis->cells, pixels = axis->pixels, scale = axis->scale;
    /* nearest begins at cells / scale, bilinear half a cell, pixels / scale, earlier */
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

/* 0, or -1 with a ValueError if there are pixels but no cells to interpolate between. */
static inline int spp_check_cells(const char *op, int naxes, const npy_intp *cells, const npy_intp *pixels)
{
    int i;
    for (i = 0; i < naxes; ++i)
        if (cells[i] < 1 && spp_product(pixels, naxes) > 0)
            return spp_raise("check_cells", "(sNN)", op, spp_shape(naxes, cells), spp_shape(naxes, pixels));
    return 0;
}

/* 0, or -1 with a ValueError if the cells, which are not resized, do not have the sizes of the pixels. */
static inline int spp_check_same_sizes(const char *op, const char *argument, int naxes, const npy_intp *cells,
                                       const npy_intp *pixels)
{
    return PyArray_CompareLists((npy_intp *)cells, (npy_intp *)pixels, naxes)
        ? 0 : spp_raise("check_same_sizes", "(ssNN)", op, argument, spp_shape(naxes, cells), spp_shape(naxes, pixels));
}

/* Linear interpolation between two cells, which are the same one where a pixel sees only one. Between two equal
   values the result is this value to the last bit, so that the argmax of a plateau is its first pixel. */
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

/* Whether a pixel sees the same cells as the pixel before it, one or two. */
static inline int spp_sees_same_cells(const SppAxis *axis, npy_intp pixel)
{
    return pixel > 0 && axis->low[pixel] == axis->low[pixel - 1]
           && (axis->fraction[pixel] > 0) == (axis->fraction[pixel - 1] > 0);
}

/* The second cell that a pixel sees; the first again where it sees only one. */
static inline npy_intp spp_high(const SppAxis *axis, npy_intp pixel)
{
    return axis->low[pixel] + (axis->fraction[pixel] > 0);
}

#endif
