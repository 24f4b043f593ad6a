#include "../../c_code/memory/errors.h"
#include "memory/arrays.h"
#include "memory/images.h"

#section support_code
#ifndef SPP_GPU_CELLS_OF_GRIDS
#define SPP_GPU_CELLS_OF_GRIDS

/* The cells of a grid of superpixels; 1 cell and 1 pixel on axes that an image lacks. */
typedef struct {
    size_t cells[3], pixels[3];
    size_t n_cells, n_pixels;
} SppGpuCells;

/* Reads the grid and checks the shapes. Arrays may be NULL. Returns 0, or -1 with a ValueError. */
static inline int spp_gpu_read_grid(const char *op, PyArrayObject *grid, PyGpuArrayObject *feature_map,
                                    PyGpuArrayObject *association, PyGpuArrayObject *pooled, SppGpuCells *cells)
{
    PyGpuArrayObject *pixels = association != NULL ? association : feature_map;
    const unsigned int naxes = pixels->ga.nd - 2;
    const size_t *spatial = pixels->ga.dimensions + 2;
    const size_t n_pixels = spp_gpu_product(spatial, naxes);
    size_t sizes[3], neighbours = 1;
    unsigned int axis;
    int good;
    if (spp_gpu_read_sizes(op, "grid", grid, naxes, sizes) != 0)
        return -1;
    for (axis = 0; axis < naxes; ++axis)
        neighbours *= 3;
    good = (association == NULL || association->ga.dimensions[1] == neighbours)
        && (association == NULL || feature_map == NULL
            || (feature_map->ga.dimensions[0] == association->ga.dimensions[0]
                && memcmp(feature_map->ga.dimensions + 2, spatial, naxes * sizeof(size_t)) == 0))
        && (pooled == NULL || (pooled->ga.dimensions[0] == pixels->ga.dimensions[0]
                               && pooled->ga.dimensions[2] == spp_gpu_product(sizes, naxes)
                               && (feature_map == NULL
                                   || pooled->ga.dimensions[1] == feature_map->ga.dimensions[1])));
    for (axis = 0; axis < naxes; ++axis)
        good = good && sizes[axis] < (size_t)1 << 31 && (sizes[axis] > 0 || n_pixels == 0);
    if (!good)
        return spp_raise("check_soft", "(sOOOO)", op, grid, feature_map == NULL ? Py_None : (PyObject *)feature_map,
                         association == NULL ? Py_None : (PyObject *)association,
                         pooled == NULL ? Py_None : (PyObject *)pooled);
    for (axis = 0; axis < 3; ++axis) {
        const int given = (int)axis - (3 - (int)naxes);
        cells->cells[axis] = given < 0 ? 1 : sizes[given];
        cells->pixels[axis] = given < 0 ? 1 : spatial[given];
    }
    cells->n_cells = spp_gpu_product(sizes, naxes);
    cells->n_pixels = n_pixels;
    return n_pixels <= SPP_GPU_MOST && cells->n_cells <= SPP_GPU_MOST
        ? 0 : spp_raise("too_large_for_gpu", "(sKK)", op, (unsigned long long)n_pixels,
                        (unsigned long long)cells->n_cells);
}

/* The arguments for parameters that are declared SPP_CELLS. */
#define SPP_GPU_CELLS(grid) (grid).cells[0], (grid).cells[1], (grid).cells[2], (grid).pixels[0], (grid).pixels[1], \
    (grid).pixels[2]

#endif

#section device_code
#define SPP_CELLS(name) ga_size name##_cells0, ga_size name##_cells1, ga_size name##_cells2, ga_size name##_pixels0, \
    ga_size name##_pixels1, ga_size name##_pixels2

/* A grid; and a cell of it, by its place on each axis. */
typedef struct {
    ga_uint cells[3], pixels[3];
} SppCells;

typedef struct {
    ga_uint at[3];
} SppCell;

#define SPP_CELLS_OF(name) spp_cells(name##_cells0, name##_cells1, name##_cells2, name##_pixels0, name##_pixels1, \
    name##_pixels2)

WITHIN_KERNEL SppCells spp_cells(ga_size cells0, ga_size cells1, ga_size cells2, ga_size pixels0, ga_size pixels1,
                                 ga_size pixels2)
{
    SppCells grid;
    grid.cells[0] = (ga_uint)cells0;
    grid.cells[1] = (ga_uint)cells1;
    grid.cells[2] = (ga_uint)cells2;
    grid.pixels[0] = (ga_uint)pixels0;
    grid.pixels[1] = (ga_uint)pixels1;
    grid.pixels[2] = (ga_uint)pixels2;
    return grid;
}

/* A number in row-major order -> the place on each axis. */
WITHIN_KERNEL SppCell spp_place(ga_uint number, const ga_uint *sizes)
{
    SppCell place;
    place.at[2] = number % sizes[2];
    place.at[1] = number / sizes[2] % sizes[1];
    place.at[0] = number / sizes[2] / sizes[1];
    return place;
}

/* The cell of a pixel: floor(p cells / pixels) on each axis. */
WITHIN_KERNEL SppCell spp_cell_of(const SppCells grid, const SppCell pixel)
{
    SppCell cell;
    ga_int axis;
    for (axis = 0; axis < 3; ++axis)
        cell.at[axis] = (ga_uint)((ga_ulong)pixel.at[axis] * grid.cells[axis] / grid.pixels[axis]);
    return cell;
}

/* The first pixel of a cell, or of the one after the last: ceil(cell pixels / cells). */
WITHIN_KERNEL ga_uint spp_first_pixel(const SppCells grid, ga_int axis, ga_uint cell)
{
    return (ga_uint)(((ga_ulong)cell * grid.pixels[axis] + grid.cells[axis] - 1) / grid.cells[axis]);
}

/* The number of the superpixel that is the neighbour k of a cell, or of which a cell is the neighbour k if direction
   is -1; -1 where the grid ends. */
WITHIN_KERNEL ga_int spp_neighbour(const SppCells grid, const SppCell cell, ga_int k, ga_int direction)
{
    ga_int axis, offsets = k, number = 0, stride = 1, inside = 1;
    for (axis = 2; axis >= 3 - SPP_SOFT_AXES; --axis) {
        const ga_int there = (ga_int)cell.at[axis] + direction * (offsets % 3 - 1);
        inside = inside && there >= 0 && there < (ga_int)grid.cells[axis];
        number += there * stride;
        stride *= (ga_int)grid.cells[axis];
        offsets /= 3;
    }
    return inside ? number : -1;
}
