#include "memory/arrays.h"

#section support_code_apply
/* The cells of a grid of superpixels, and copies of their pixels.

   The ops on a grid work on one strip of pixels of a cell at a time: all its pixels have the same neighbours, the
   superpixels of the cell itself and of those that touch it. A strip is copied to doubles that follow each other, so
   that the additions come in the same order whatever the layout in memory. */
#define SPP_SOFT_STRIP 256   /* doubles, so that the weights of a strip in 9 neighbours stay in the L1 cache */
#define SPP_SOFT_PREFETCH 3  /* planes ahead */
#define SPP_SOFT_LANES 4     /* doubles computed side by side */
/* Neighbours whose sums are in registers at a time. */
#define SPP_SOFT_ACCUMULATORS (SPP_NEIGHBOURS < 9 ? SPP_NEIGHBOURS : 9)

typedef double APPLY_SPECIFIC(Doubles) __attribute__((vector_size(SPP_SOFT_LANES * sizeof(double))));
/* As many features, at any address that is aligned for one. */
typedef FEATURE APPLY_SPECIFIC(Features)
    __attribute__((vector_size(SPP_SOFT_LANES * sizeof(FEATURE)), aligned(sizeof(FEATURE)), may_alias));

typedef struct {
    npy_intp cells[3], pixels[3];  /* of each axis; 1 where the image has fewer than three */
    npy_intp n_cells;
    int naxes;
} APPLY_SPECIFIC(CellGrid);

typedef struct {
    npy_intp first[3], size[3];  /* pixels on each axis */
    npy_intp neighbour[SPP_NEIGHBOURS];  /* the numbers of superpixels; -1 where the grid ends */
} APPLY_SPECIFIC(Cell);

/* [in] cells: of each spatial axis of pixels (batch, channels, *spatial) */
static inline APPLY_SPECIFIC(CellGrid) APPLY_SPECIFIC(cell_grid)(const npy_intp *cells, PyArrayObject *pixels)
{
    APPLY_SPECIFIC(CellGrid) grid;
    int axis;
    grid.naxes = PyArray_NDIM(pixels) - 2;
    grid.n_cells = 1;
    for (axis = 0; axis < 3; ++axis) {
        const int given = axis - (3 - grid.naxes);
        grid.cells[axis] = given < 0 ? 1 : cells[given];
        grid.pixels[axis] = given < 0 ? 1 : PyArray_DIM(pixels, 2 + given);
        grid.n_cells *= grid.cells[axis];
    }
    return grid;
}

/* The first pixel p of an axis with floor(p cells / pixels) == cell: ceil(cell pixels / cells), without overflow. */
static inline npy_intp APPLY_SPECIFIC(first_pixel)(const APPLY_SPECIFIC(CellGrid) *grid, int axis, npy_intp cell)
{
    const npy_intp cells = grid->cells[axis], pixels = grid->pixels[axis];
    return cell * (pixels / cells) + spp_ceil_divide(cell * (pixels % cells), cells);
}

static inline APPLY_SPECIFIC(Cell) APPLY_SPECIFIC(cell_of)(const APPLY_SPECIFIC(CellGrid) *grid, npy_intp number)
{
    APPLY_SPECIFIC(Cell) cell;
    npy_intp at[3], rest = number;
    int axis, k;
    for (axis = 2; axis >= 0; --axis) {
        at[axis] = rest % grid->cells[axis];
        rest /= grid->cells[axis];
        cell.first[axis] = APPLY_SPECIFIC(first_pixel)(grid, axis, at[axis]);
        cell.size[axis] = APPLY_SPECIFIC(first_pixel)(grid, axis, at[axis] + 1) - cell.first[axis];
    }
    for (k = 0; k < SPP_NEIGHBOURS; ++k) {
        npy_intp neighbour = 0, stride = 1;
        int offsets = k, inside = 1;
        for (axis = 2; axis >= 3 - grid->naxes; --axis) {
            const npy_intp there = at[axis] + offsets % 3 - 1;
            inside = inside && there >= 0 && there < grid->cells[axis];
            neighbour += there * stride;
            stride *= grid->cells[axis];
            offsets /= 3;
        }
        cell.neighbour[k] = inside ? neighbour : -1;
    }
    return cell;
}

/* Rows of pixels of a cell, or of a part of its columns if it has very many. */
typedef struct {
    npy_intp row, rows;  /* the first one, and their number */
    npy_intp x, count;   /* the first pixel in each, and their number */
    npy_intp vectors;    /* that the strip takes: each row is filled up with zeros to whole ones */
} APPLY_SPECIFIC(Strip);

/* The doubles of a strip. Their number is not a power of two, so that strips share no cache sets. */
typedef double APPLY_SPECIFIC(StripValues)[SPP_SOFT_STRIP + 8] __attribute__((aligned(64)));

/* Before the first strip of a cell. */
static const APPLY_SPECIFIC(Strip) APPLY_SPECIFIC(no_strip) = {0, 0, 0, 0, 0};

/* Goes on to the next strip of a cell. Returns whether there is one. */
static inline int APPLY_SPECIFIC(next_strip)(const APPLY_SPECIFIC(Cell) *cell, APPLY_SPECIFIC(Strip) *strip)
{
    const npy_intp rows = cell->size[0] * cell->size[1];
    npy_intp width;
    strip->row += strip->rows;
    if (strip->row >= rows) {
        strip->row = 0;
        strip->x += strip->count;
    }
    if (rows == 0 || strip->x >= cell->size[2])
        return 0;
    strip->count = spp_minimum(SPP_SOFT_STRIP, cell->size[2] - strip->x);
    width = spp_ceil_divide(strip->count, SPP_SOFT_LANES);
    strip->rows = spp_minimum(SPP_SOFT_STRIP / SPP_SOFT_LANES / width, rows - strip->row);
    strip->vectors = strip->rows * width;
    return 1;
}

/* Where a row of a strip begins. [in] image: the first pixel of all, in one channel; row: of the strip */
static inline const char *APPLY_SPECIFIC(row_of_strip)(
    const char *image, const SppStrides *walk, const APPLY_SPECIFIC(Cell) *cell, const APPLY_SPECIFIC(Strip) *strip,
    npy_intp row)
{
    const npy_intp number = strip->row + row;
    return image + (cell->first[0] + number / cell->size[1]) * walk->row[0]
           + (cell->first[1] + number % cell->size[1]) * walk->row[1] + (cell->first[2] + strip->x) * walk->pixel;
}

/* Pixels -> doubles. Meanwhile the same strip of a later plane is prefetched: rows are too short for the hardware to
   foresee them. [in] plane: bytes from plane to plane */
static inline void APPLY_SPECIFIC(read_strip)(
    const char *image, npy_intp plane, const SppStrides *walk, const APPLY_SPECIFIC(Cell) *cell,
    const APPLY_SPECIFIC(Strip) *strip, double *values)
{
    APPLY_SPECIFIC(Doubles) *to = (APPLY_SPECIFIC(Doubles) *)values;
    const npy_intp step = walk->pixel;
    npy_intp row, i;
    for (row = 0; row < strip->rows; ++row) {
        const char *from = APPLY_SPECIFIC(row_of_strip)(image, walk, cell, strip, row);
        __builtin_prefetch(from + SPP_SOFT_PREFETCH * plane, 0, 2);
        __builtin_prefetch(from + SPP_SOFT_PREFETCH * plane + (strip->count - 1) * step, 0, 2);
        #define SPP_PIXEL(i, step) ((double)*(const FEATURE *)(from + (i) * (step)))
        if (step == (npy_intp)sizeof(FEATURE))
            for (i = 0; i + SPP_SOFT_LANES <= strip->count; i += SPP_SOFT_LANES) {
                const APPLY_SPECIFIC(Doubles) lanes = {
                    SPP_PIXEL(i, sizeof(FEATURE)), SPP_PIXEL(i + 1, sizeof(FEATURE)), SPP_PIXEL(i + 2, sizeof(FEATURE)),
                    SPP_PIXEL(i + 3, sizeof(FEATURE))};
                *to++ = lanes;
            }
        else
            for (i = 0; i + SPP_SOFT_LANES <= strip->count; i += SPP_SOFT_LANES) {
                const APPLY_SPECIFIC(Doubles) lanes = {SPP_PIXEL(i, step), SPP_PIXEL(i + 1, step),
                                                       SPP_PIXEL(i + 2, step), SPP_PIXEL(i + 3, step)};
                *to++ = lanes;
            }
        if (i < strip->count) {
            const APPLY_SPECIFIC(Doubles) lanes = {SPP_PIXEL(i, step),
                                                   i + 1 < strip->count ? SPP_PIXEL(i + 1, step) : 0,
                                                   i + 2 < strip->count ? SPP_PIXEL(i + 2, step) : 0, 0};
            *to++ = lanes;
        }
        #undef SPP_PIXEL
    }
}

/* Doubles -> pixels. */
static inline void APPLY_SPECIFIC(write_strip)(
    const double *values, const SppStrides *walk, const APPLY_SPECIFIC(Cell) *cell, const APPLY_SPECIFIC(Strip) *strip,
    const char *image, npy_intp plane)
{
    npy_intp row, i;
    for (row = 0; row < strip->rows; ++row) {
        char *to = (char *)APPLY_SPECIFIC(row_of_strip)(image, walk, cell, strip, row);
        __builtin_prefetch(to + SPP_SOFT_PREFETCH * plane, 1, 2);
        __builtin_prefetch(to + SPP_SOFT_PREFETCH * plane + (strip->count - 1) * walk->pixel, 1, 2);
        i = 0;
        if (walk->pixel == (npy_intp)sizeof(FEATURE))
            for (; i + SPP_SOFT_LANES <= strip->count; i += SPP_SOFT_LANES) {
                const APPLY_SPECIFIC(Features) lanes = {(FEATURE)values[i], (FEATURE)values[i + 1],
                                                        (FEATURE)values[i + 2], (FEATURE)values[i + 3]};
                *(APPLY_SPECIFIC(Features) *)(to + i * sizeof(FEATURE)) = lanes;
            }
        for (; i < strip->count; ++i)
            *(FEATURE *)(to + i * walk->pixel) = (FEATURE)values[i];
        values += SPP_SOFT_LANES * spp_ceil_divide(strip->count, SPP_SOFT_LANES);
    }
}

/* The weights of a strip in each neighbour: zeros where the grid ends, whatever the array holds there.
   [out] weights (SPP_NEIGHBOURS) */
static inline void APPLY_SPECIFIC(read_weights)(
    PyArrayObject *association, npy_intp image, const SppStrides *walk, const APPLY_SPECIFIC(Cell) *cell,
    const APPLY_SPECIFIC(Strip) *strip, APPLY_SPECIFIC(StripValues) *weights)
{
    int k;
    for (k = 0; k < SPP_NEIGHBOURS; ++k)
        if (cell->neighbour[k] >= 0)
            APPLY_SPECIFIC(read_strip)((const char *)PyArray_GETPTR2(association, image, k),
                                       PyArray_STRIDE(association, 1), walk, cell, strip,
                                       weights[k]);
        else
            memset(weights[k], 0, sizeof(weights[k]));
}

/* The values of the superpixels around a cell in one channel: zeros where the grid ends.
   [in] pooled: the value of the first superpixel  [out] values (SPP_NEIGHBOURS) */
static inline void APPLY_SPECIFIC(read_neighbours)(const char *pooled, npy_intp superpixel_stride,
                                                   const APPLY_SPECIFIC(Cell) *cell, double *values)
{
    int k;
    for (k = 0; k < SPP_NEIGHBOURS; ++k)
        values[k] = cell->neighbour[k] < 0 ? 0 : *(const double *)(pooled + cell->neighbour[k] * superpixel_stride);
}

/* What an op reads: its shapes agree, or a ValueError. Arrays may be NULL. [out] cells (naxes) */
static inline int APPLY_SPECIFIC(read_grid)(const char *op, PyArrayObject *grid, PyArrayObject *feature_map,
                                            PyArrayObject *association, PyArrayObject *pooled, npy_intp *cells)
{
    PyArrayObject *pixels = association != NULL ? association : feature_map;
    const int naxes = PyArray_NDIM(pixels) - 2;
    const npy_intp *spatial = PyArray_DIMS(pixels) + 2;
    int good, axis;
    if (spp_read_sizes(op, "grid", grid, naxes, cells) != 0)
        return -1;
    good = (association == NULL || PyArray_DIM(association, 1) == SPP_NEIGHBOURS)
           && (association == NULL || feature_map == NULL
               || (PyArray_DIM(feature_map, 0) == PyArray_DIM(association, 0)
                   && PyArray_CompareLists(PyArray_DIMS(feature_map) + 2, (npy_intp *)spatial, naxes)))
           && (pooled == NULL || (PyArray_DIM(pooled, 0) == PyArray_DIM(pixels, 0)
                                  && PyArray_DIM(pooled, 2) == spp_product(cells, naxes)
                                  && (feature_map == NULL || PyArray_DIM(pooled, 1) == PyArray_DIM(feature_map, 1))));
    for (axis = 0; axis < naxes; ++axis)
        good = good && cells[axis] < (npy_intp)1 << 31
               && (cells[axis] > 0 || spp_product(spatial, naxes) == 0);
    return good ? 0 : spp_raise("check_soft", "(sOOOO)", op, grid,
                                feature_map == NULL ? Py_None : (PyObject *)feature_map,
                                association == NULL ? Py_None : (PyObject *)association,
                                pooled == NULL ? Py_None : (PyObject *)pooled);
}
