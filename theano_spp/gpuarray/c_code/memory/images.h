#section support_code
#ifndef SPP_GPU_IMAGES_OF_ARRAYS
#define SPP_GPU_IMAGES_OF_ARRAYS

/* An array (batch, *spatial) or (batch, channels, *spatial) as kernels see it: each image has rows[0] x rows[1] rows of
   `length` pixels. Strides are in bytes. */
typedef struct {
    gpudata *data;
    size_t offset;
    ssize_t image;        /* 0 if one image serves a whole batch */
    size_t rows, length;  /* rows[1]; rows[0] follows from the number of pixels */
    ssize_t row0, row1, pixel;
} SppGpuImages;

/* [in] first: the first of the spatial axes */
static inline SppGpuImages spp_gpu_images(PyGpuArrayObject *array, unsigned int first)
{
    const unsigned int naxes = array->ga.nd - first;
    const size_t *sizes = array->ga.dimensions + first;
    const ssize_t *strides = array->ga.strides + first;
    SppGpuImages images;
    images.data = array->ga.data;
    images.offset = array->ga.offset;
    images.image = array->ga.dimensions[0] == 1 ? 0 : array->ga.strides[0];
    images.rows = naxes > 1 ? sizes[naxes - 2] : 1;
    images.length = sizes[naxes - 1];
    images.row0 = naxes > 2 ? strides[0] : 0;
    images.row1 = naxes > 1 ? strides[naxes - 2] : 0;
    images.pixel = strides[naxes - 1];
    return images;
}

/* The same, with rows that follow each other without a gap joined into one: the offset of a pixel in the first row
   needs no division. */
static inline SppGpuImages spp_gpu_joined_images(PyGpuArrayObject *array, unsigned int first)
{
    const size_t *sizes = array->ga.dimensions + first;
    const ssize_t *strides = array->ga.strides + first;
    SppGpuImages images = spp_gpu_images(array, first);
    unsigned int outer = array->ga.nd - first - 1;  /* axes that are not joined */
    while (outer > 0 && strides[outer - 1] == (ssize_t)images.length * images.pixel)
        images.length *= sizes[--outer];
    images.rows = outer > 0 ? sizes[outer - 1] : 1;
    images.row0 = outer > 1 ? strides[outer - 2] : 0;
    images.row1 = outer > 0 ? strides[outer - 1] : 0;
    return images;
}

/* The arguments for parameters that are declared SPP_IMAGES, SPP_VALUES and SPP_RESULT. */
#define SPP_GPU_IMAGES(images) (images).data, (images).offset, (images).image, (images).rows, (images).length, \
    (images).row0, (images).row1, (images).pixel
#define SPP_GPU_VALUES(array) (array)->ga.data, (array)->ga.offset, (array)->ga.strides[0], (array)->ga.strides[1], \
    (array)->ga.strides[2]
#define SPP_GPU_RESULT(array) (array)->ga.data, (array)->ga.offset

#endif

#section device_code
/* Parameters of a kernel that travel together. external_kernels.py expands them to find their types. */

/* An array of images, see SppGpuImages. */
#define SPP_IMAGES(type, name) GLOBAL_MEM const type *name, ga_size name##_offset, ga_ssize name##_image, \
    ga_size name##_rows, ga_size name##_length, ga_ssize name##_row0, ga_ssize name##_row1, ga_ssize name##_pixel

/* An array (batch, channels, n_superpixels) with its strides. */
#define SPP_VALUES(type, name) GLOBAL_MEM const type *name, ga_size name##_offset, ga_ssize name##_image, \
    ga_ssize name##_channel, ga_ssize name##_superpixel

/* An array in C order. */
#define SPP_RESULT(type, name) GLOBAL_MEM type *name, ga_size name##_offset

/* The address of an element; the address of the first one. */
#define SPP_VALUE_AT(type, name, image, channel, superpixel) ((GLOBAL_MEM const type *)( \
    (GLOBAL_MEM const char *)name + name##_offset + (ga_ssize)(image) * name##_image \
    + (ga_ssize)(channel) * name##_channel + (ga_ssize)(superpixel) * name##_superpixel))
#define SPP_RESULT_AT(type, name) ((GLOBAL_MEM type *)((GLOBAL_MEM char *)name + name##_offset))

/* One image of an array. */
typedef struct {
    GLOBAL_MEM const char *first;  /* pixel */
    ga_uint rows, length;
    ga_ssize row0, row1, pixel;
} SppImage;

#define SPP_IMAGE(name, number) spp_image((GLOBAL_MEM const char *)name + name##_offset \
    + (ga_ssize)(number) * name##_image, name##_rows, name##_length, name##_row0, name##_row1, name##_pixel)

WITHIN_KERNEL SppImage spp_image(GLOBAL_MEM const char *first, ga_size rows, ga_size length, ga_ssize row0,
                                 ga_ssize row1, ga_ssize pixel)
{
    SppImage image;
    image.first = first;
    image.rows = (ga_uint)rows;
    image.length = (ga_uint)length;
    image.row0 = row0;
    image.row1 = row1;
    image.pixel = pixel;
    return image;
}

WITHIN_KERNEL GLOBAL_MEM const char *spp_pixel_at(const SppImage image, ga_uint pixel)
{
    ga_uint row;
    if (pixel < image.length)  /* always, where rows are joined */
        return image.first + (ga_ssize)pixel * image.pixel;
    row = pixel / image.length;
    return image.first + (ga_ssize)(row / image.rows) * image.row0 + (ga_ssize)(row % image.rows) * image.row1
        + (ga_ssize)(pixel % image.length) * image.pixel;
}

/* The same, by the indices of the pixel. Rows must not be joined. */
WITHIN_KERNEL GLOBAL_MEM const char *spp_pixel_on_axes(const SppImage image, ga_size x0, ga_size x1, ga_size x2)
{
    return image.first + (ga_ssize)x0 * image.row0 + (ga_ssize)x1 * image.row1 + (ga_ssize)x2 * image.pixel;
}

#define SPP_LABEL_AT(image, pixel) (*(GLOBAL_MEM const LABEL *)spp_pixel_at(image, (ga_uint)(pixel)))

/* Written so that no compiler warns that an unsigned label is compared with zero. */
#define SPP_IS_NONE(label) ((LABEL)-1 < (LABEL)1 && (label) < (LABEL)1 && (label) != (LABEL)0)
#define SPP_IS_TOO_LARGE(label, n) (!SPP_IS_NONE(label) && (ga_ulong)(label) >= (ga_ulong)(n))

/* The map that has the labels of an image: its own one, or one for the whole batch. */
WITHIN_KERNEL ga_size spp_map_of(ga_size image, ga_size maps) { return maps > 1 ? image : 0; }
