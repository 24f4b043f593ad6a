#section support_code
#ifndef SPP_GPU_SAMPLING
#define SPP_GPU_SAMPLING

/* The cells of a feature map that the pixels of a superpixel map see, axis by axis: tables on the device.
   theano_spp/reference/interpolation.py explains the mathematics. */
typedef struct {
    size_t pixels[3], cells[3];  /* of each axis; if there are fewer than three, the first ones have one */
    gpudata *low;                /* (pixels of all axes) ga_uint: the first cell that a pixel sees */
    gpudata *cell_weights;       /* (pixels of all axes, 2) ga_double: its weight, and that of the next cell */
} SppGpuSampling;

/* For a kernel that does not look at the tables. [in] any: memory on the device */
static inline SppGpuSampling spp_gpu_no_sampling(gpudata *any)
{
    const SppGpuSampling sampling = {{1, 1, 1}, {1, 1, 1}, any, any};
    return sampling;
}

/* The arguments for parameters that are declared SPP_AXES. */
#define SPP_GPU_AXES(sampling) (sampling).low, (sampling).cell_weights, (sampling).pixels[0], (sampling).pixels[1], \
    (sampling).pixels[2], (sampling).cells[0], (sampling).cells[1], (sampling).cells[2]

#endif

#section device_code
/* Parameters of a kernel: see SppGpuSampling. */
#define SPP_AXES(name) GLOBAL_MEM const ga_uint *name##_low, GLOBAL_MEM const ga_double *name##_weights, \
    ga_size name##_pixels0, ga_size name##_pixels1, ga_size name##_pixels2, ga_size name##_cells0, \
    ga_size name##_cells1, ga_size name##_cells2

typedef struct {
    GLOBAL_MEM const ga_uint *low;
    GLOBAL_MEM const ga_double *cell_weights;
    ga_size pixels0, pixels1, pixels2, cells0, cells1, cells2;
} SppAxes;

#define SPP_AXES_OF(name) spp_axes(name##_low, name##_weights, name##_pixels0, name##_pixels1, name##_pixels2, \
                                   name##_cells0, name##_cells1, name##_cells2)

WITHIN_KERNEL SppAxes spp_axes(GLOBAL_MEM const ga_uint *low, GLOBAL_MEM const ga_double *cell_weights, ga_size pixels0,
                               ga_size pixels1, ga_size pixels2, ga_size cells0, ga_size cells1, ga_size cells2)
{
    SppAxes axes;
    axes.low = low;
    axes.cell_weights = cell_weights;
    axes.pixels0 = pixels0;
    axes.pixels1 = pixels1;
    axes.pixels2 = pixels2;
    axes.cells0 = cells0;
    axes.cells1 = cells1;
    axes.cells2 = cells2;
    return axes;
}
