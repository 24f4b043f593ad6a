#section support_code
/* How the pixels of an array lie in memory, and which item of an array serves an image. */
#ifndef SPP_GRID
#define SPP_GRID

static inline npy_intp spp_minimum(npy_intp a, npy_intp b) { return a < b ? a : b; }
static inline npy_intp spp_maximum(npy_intp a, npy_intp b) { return a > b ? a : b; }
static inline npy_intp spp_ceil_divide(npy_intp a, npy_intp b) { return a / b + (a % b != 0); }

/* The spatial axes as rows[0] x rows[1] rows of `length` pixels, in row-major order. */
typedef struct {
    npy_intp rows[2];
    npy_intp length;
} SppGrid;

/* Bytes from row to row and from pixel to pixel of one array on that grid. */
typedef struct {
    npy_intp row[2];
    npy_intp pixel;
} SppStrides;

/* The spatial axes of an array, the 1 to 3 that begin at `axis`. */
static inline SppGrid spp_grid_of(PyArrayObject *array, int axis)
{
    const npy_intp *end = PyArray_DIMS(array) + PyArray_NDIM(array);
    const int naxes = PyArray_NDIM(array) - axis;
    SppGrid grid;
    grid.rows[0] = naxes > 2 ? end[-3] : 1;
    grid.rows[1] = naxes > 1 ? end[-2] : 1;
    grid.length = end[-1];
    return grid;
}

static inline SppStrides spp_strides_of(PyArrayObject *array, int axis)
{
    const npy_intp *end = PyArray_STRIDES(array) + PyArray_NDIM(array);
    const int naxes = PyArray_NDIM(array) - axis;
    SppStrides walk;
    walk.row[0] = naxes > 2 ? end[-3] : 0;
    walk.row[1] = naxes > 1 ? end[-2] : 0;
    walk.pixel = end[-1];
    return walk;
}

/* Whether pixels, in row-major order, are evenly spaced: each `walk->pixel` bytes after the one before. */
static inline int spp_is_evenly_strided(const SppGrid *grid, const SppStrides *walk)
{
    return (grid->rows[1] < 2 || walk->row[1] == grid->length * walk->pixel)
           && (grid->rows[0] < 2 || walk->row[0] == grid->rows[1] * grid->length * walk->pixel);
}

/* Whether pixels are contiguous in row-major order. */
static inline int spp_is_contiguous(const SppGrid *grid, const SppStrides *walk, size_t itemsize)
{
    const npy_intp item = (npy_intp)itemsize;
    return (grid->length < 2 || walk->pixel == item)
           && (grid->rows[1] < 2 || walk->row[1] == grid->length * item)
           && (grid->rows[0] < 2 || walk->row[0] == grid->rows[1] * grid->length * item);
}

static inline npy_intp spp_rows(const SppGrid *grid) { return grid->rows[0] * grid->rows[1]; }

/* The first pixel of a row. [in] image: the first pixel of all */
static inline const char *spp_row(const char *image, const SppGrid *grid, const SppStrides *walk, npy_intp row)
{
    return image + row / grid->rows[1] * walk->row[0] + row % grid->rows[1] * walk->row[1];
}

/* Copies `count` pixels, the first of which has the row-major number `first`, whatever their strides. */
template <typename Pixel>
static inline void spp_copy_pixels(const char *image, const SppGrid *grid, const SppStrides *walk, npy_intp first,
                                   npy_intp count, Pixel *to)
{
    npy_intp row = first / grid->length, x = first % grid->length, i = 0;
    for (; i < count; ++row, x = 0) {
        const char *from = spp_row(image, grid, walk, row);
        for (; x < grid->length && i < count; ++x, ++i)
            to[i] = *(const Pixel *)(from + x * walk->pixel);
    }
}

static inline npy_intp spp_product(const npy_intp *shape, int ndim)
{
    return PyArray_MultiplyList((npy_intp *)shape, ndim);
}

/* The number of pixels of one image of superpixel_map (batch, *spatial): 0 if the map is empty, however large its
   other sizes are. */
static inline npy_intp spp_image_pixels(PyArrayObject *superpixel_map)
{
    return PyArray_SIZE(superpixel_map) == 0
        ? 0 : spp_product(PyArray_DIMS(superpixel_map) + 1, PyArray_NDIM(superpixel_map) - 1);
}

/* [out] shape (axes - 1): the spatial sizes of superpixel_map (batch, *spatial) */
static inline void spp_copy_spatial_shape(PyArrayObject *superpixel_map, npy_intp *shape)
{
    memcpy(shape, PyArray_DIMS(superpixel_map) + 1, (PyArray_NDIM(superpixel_map) - 1) * sizeof(npy_intp));
}

/* Which item of an array belongs to an image of the batch: superpixel maps and weights of pixels may be one for each
   image or one for all. What is made once for each map, like sizes, is found by this number too. */
static inline npy_intp spp_item_number(PyArrayObject *array, npy_intp image)
{
    return spp_minimum(image, PyArray_DIM(array, 0) - 1);
}

/* The first pixel of that item. */
static inline const char *spp_item_of(PyArrayObject *array, npy_intp image)
{
    return PyArray_BYTES(array) + spp_item_number(array, image) * PyArray_STRIDE(array, 0);
}

/* The first label of the map of an image. */
static inline const char *spp_labels_of(PyArrayObject *superpixel_map, npy_intp image)
{
    return spp_item_of(superpixel_map, image);
}

#endif
