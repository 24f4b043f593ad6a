#include "memory/arrays.h"

#section support_code_apply
/* The cells of a grid of superpixels, and copies of their pixels.

   The three ops on a grid work on one strip of pixels of a cell at a time: all its pixels have the same neighbours, the
   superpixels of the cell itself and of those that touch it. A strip is copied to doubles that follow each other, so
   that the additions come in the same order whatever the layout in memory. */
#define SPP_SOFT_STRIP 256   /* pixels, so that the weights of a strip in 9 neighbours stay in the L1 cache */
#define SPP_SOFT_LANES 8     /* doubles computed side by side; a strip is filled up with zeros to a multiple of it */
#define SPP_SOFT_TOGETHER 3  /* neighbours whose sums are in registers at a time; divides SPP_NEIGHBOURS */

typedef double APPLY_SPECIFIC(Doubles) __attribute__((vector_size(SPP_SOFT_LANES * sizeof(double))));

typedef struct {
    npy_intp cells[3], pixels[3];  /* of each axis; 1 where the image has fewer than three */
    npy_intp n_cells;
    int naxes;
} APPLY_SPECIFIC(CellGrid);

typedef struct {
    npy_intp first[3], size[3];  /* pixels on each axis */
    npy_intp pixels;
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
    cell.pixels = 1;
    for (axis = 2; axis >= 0; --axis) {
        at[axis] = rest % grid->cells[axis];
        rest /= grid->cells[axis];
        cell.first[axis] = APPLY_SPECIFIC(first_pixel)(grid, axis, at[axis]);
        cell.size[axis] = APPLY_SPECIFIC(first_pixel)(grid, axis, at[axis] + 1) - cell.first[axis];
        cell.pixels *= cell.size[axis];
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

/* The pixels of a strip that follow each other in a row of one plane. */
typedef struct {
    npy_intp offset, count;  /* in bytes from the first pixel of the image; in pixels */
} APPLY_SPECIFIC(Segment);

/* The pixels from number `first` of the cell on, in row-major order: as many as lie in one row, at most `most`. */
static inline APPLY_SPECIFIC(Segment) APPLY_SPECIFIC(segment)(
    const APPLY_SPECIFIC(Cell) *cell, const SppStrides *walk, npy_intp first, npy_intp most)
{
    const npy_intp row = first / cell->size[2], x = first % cell->size[2];
    APPLY_SPECIFIC(Segment) segment;
    segment.offset = (cell->first[0] + row / cell->size[1]) * walk->row[0]
                     + (cell->first[1] + row % cell->size[1]) * walk->row[1] + (cell->first[2] + x) * walk->pixel;
    segment.count = spp_minimum(most, cell->size[2] - x);
    return segment;
}

/* The number of vectors that hold a strip of `count` pixels. */
static inline npy_intp APPLY_SPECIFIC(vectors)(npy_intp count)
{
    return spp_ceil_divide(count, SPP_SOFT_LANES);
}

/* Copies the pixels first .. first + count - 1 of a cell -> strip, filled up with zeros to whole vectors. */
static inline void APPLY_SPECIFIC(read_strip)(
    const char *plane, const SppStrides *walk, const APPLY_SPECIFIC(Cell) *cell, npy_intp first, npy_intp count,
    double *strip)
{
    npy_intp i = 0, j;
    while (i < count) {
        const APPLY_SPECIFIC(Segment) segment = APPLY_SPECIFIC(segment)(cell, walk, first + i, count - i);
        const char *from = plane + segment.offset;
        if (walk->pixel == (npy_intp)sizeof(FEATURE))
            for (j = 0; j < segment.count; ++j)
                strip[i + j] = (double)((const FEATURE *)from)[j];
        else
            for (j = 0; j < segment.count; ++j)
                strip[i + j] = (double)*(const FEATURE *)(from + j * walk->pixel);
        i += segment.count;
    }
    for (; i < SPP_SOFT_LANES * APPLY_SPECIFIC(vectors)(count); ++i)
        strip[i] = 0;
}

/* strip -> the pixels first .. first + count - 1 of a cell */
static inline void APPLY_SPECIFIC(write_strip)(
    const double *strip, const SppStrides *walk, const APPLY_SPECIFIC(Cell) *cell, npy_intp first, npy_intp count,
    char *plane)
{
    npy_intp i = 0, j;
    while (i < count) {
        const APPLY_SPECIFIC(Segment) segment = APPLY_SPECIFIC(segment)(cell, walk, first + i, count - i);
        char *to = plane + segment.offset;
        if (walk->pixel == (npy_intp)sizeof(FEATURE))
            for (j = 0; j < segment.count; ++j)
                ((FEATURE *)to)[j] = (FEATURE)strip[i + j];
        else
            for (j = 0; j < segment.count; ++j)
                *(FEATURE *)(to + j * walk->pixel) = (FEATURE)strip[i + j];
        i += segment.count;
    }
}

/* The weights of a strip in each neighbour: zeros where the grid ends, whatever the array holds there.
   [in] weights: the first pixel of the first neighbour's plane  [out] strips (SPP_NEIGHBOURS, SPP_SOFT_STRIP) */
static inline void APPLY_SPECIFIC(read_weights)(
    const char *weights, npy_intp neighbour_stride, const SppStrides *walk, const APPLY_SPECIFIC(Cell) *cell,
    npy_intp first, npy_intp count, double strips[][SPP_SOFT_STRIP])
{
    int k;
    for (k = 0; k < SPP_NEIGHBOURS; ++k)
        if (cell->neighbour[k] >= 0)
            APPLY_SPECIFIC(read_strip)(weights + k * neighbour_stride, walk, cell, first, count, strips[k]);
        else
            memset(strips[k], 0, SPP_SOFT_STRIP * sizeof(double));
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

/* For a result. [in] what, count: a key of messages.MEMORY_FOR, and of how many such things there would be fewer
   Returns 0, or -1 with a MemoryError. */
static inline int APPLY_SPECIFIC(prepare_soft)(const char *op, const char *what, npy_intp count, PyArrayObject **output,
                                               int ndim, const npy_intp *shape, int typenum, int channels_last)
{
    if (spp_fit_output(output, ndim, shape, typenum, channels_last) == 0)
        return 0;
    spp_memory_error(op, count, what);
    return -1;
}
