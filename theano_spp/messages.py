"""The errors that ops raise about their arrays when a compiled function runs: each sentence once, in NumPy alone.

The reference calls these functions before it computes. C and GPU code detect an error by themselves, and then call the
function of this file that raises it.
"""
import numpy as np

#: How the shape of an array must agree with that of a superpixel map: the axes of the array, and what to do if spatial
#: sizes differ, None if they may.
AGREEMENTS = {
    'in space': ('(batch, channels, *spatial)',
                 'resize the superpixel map to the features by nearest neighbour, or have'
                 " superpixel_pool resize the features: resize='bilinear' or resize='nearest'"),
    'in space, weighted': ('(batch, channels, *spatial)',
                           'resize the superpixel map to the features by nearest neighbour'
                           ' (pixel_weights go with resize=None)'),
    'in batch': ('(batch, channels, *cells)', None),
    'pooled in batch': ('(batch, channels, n_superpixels)', None),
}

#: What memory was needed for, and what to do if there is not enough.
MEMORY_FOR = {
    'superpixels': 'superpixels (number labels that have gaps anew from 0 with'
                   ' theano_spp.label_tools.relabel_sequential)',
    'grid': 'superpixels of a grid (give one with fewer grid cells)',
    'cells': 'cells of a feature map (give one with smaller spatial sizes)',
    'pixels': 'pixels of a superpixel map (give one with smaller spatial sizes)',
    'images': 'images (give fewer at once)',
    'windows': 'windows of 16 pixels (give smaller superpixel maps, or fewer at once)',
}


def check_labels(op_name, superpixel_map, n_superpixels, limit_name='n_superpixels is',
                 argument='superpixel_map'):
    """Raise IndexError for the first label that is not below `n_superpixels`.

    Parameters
    ----------
    op_name : str
        The op to name in the error.
    superpixel_map : array_like of integers, any number of axes
    n_superpixels : int
    limit_name : str
        Where the number of superpixels comes from, for the error text.
    argument : str
        The map to name in the error.
    """
    superpixel_map = np.asarray(superpixel_map)  # it may come from a GPU
    bad = superpixel_map > n_superpixels - 1 if n_superpixels > 0 else superpixel_map >= 0
    if bad.any():
        place = np.unravel_index(np.argmax(bad), bad.shape)
        raise IndexError('%s: %s[%s] is %d, but %s %d (%s; %s,'
                         ' theano_spp.label_tools.relabel_sequential for ids with gaps)' % (
            op_name, argument, ', '.join(str(i) for i in place), superpixel_map[place], limit_name, n_superpixels,
            'labels are 0..%d' % (n_superpixels - 1) if n_superpixels > 0 else 'no label is valid',
            'use -1 for pixels that belong to none' if superpixel_map.dtype.kind == 'i'
            else 'for pixels that belong to none use -1 in a signed dtype'))


def check_labels_fit_int64(function_name, labels, argument='superpixel_map'):
    """Raise IndexError for the first label above 2**63 - 1, which only uint64 can hold."""
    check_labels(function_name, labels, 2 ** 63, 'the number of superpixels can be at most', argument)


def check_n_superpixels(op_name, n_superpixels):
    """Return `n_superpixels` as an int; ValueError if it is negative."""
    n_superpixels = int(n_superpixels)
    if n_superpixels < 0:
        raise ValueError('%s: n_superpixels is %d, but must not be negative'
                         ' (give the largest label + 1, or None to have it counted)'
                         % (op_name, n_superpixels))
    return n_superpixels


def check_shapes(op_name, argument, array, superpixel_map, agreement):
    """Raise ValueError with both shapes unless they agree as required by `agreement`, a key of `AGREEMENTS`.

    One map serves all images of the array.
    """
    layout, cure_in_space = AGREEMENTS[agreement]
    images, maps = array.shape[0], superpixel_map.shape[0]
    if maps not in (1, images):
        several = ('; for several maps of one image repeat the image (np.repeat(%s, %d, axis=0), T.repeat for a'
                   ' variable)' % (argument, maps) if images == 1 else '')
        wanted = ('batch, which is %d and %d: give one superpixel map for each image, or one for all, (1, *spatial)%s'
                  % (images, maps, several))
    elif cure_in_space is not None and array.shape[2:] != superpixel_map.shape[1:]:
        wanted = 'batch and spatial sizes: ' + cure_in_space
    else:
        return
    raise ValueError('%s: %s has shape %s, but superpixel_map has shape %s; %s and (batch, *spatial) must agree in %s'
                     % (op_name, argument, array.shape, superpixel_map.shape, layout, wanted))


def check_weights(op_name, pixel_weights, superpixel_map, batch):
    """Raise ValueError unless there is one weight for each pixel of `batch` images, or of one image for all."""
    spatial = superpixel_map.shape[1:]
    if pixel_weights.shape[1:] != spatial or pixel_weights.shape[0] not in (1, batch):
        alike = '' if batch == 1 else ', or %s to weight all images alike' % ((1,) + spatial,)
        raise ValueError('%s: pixel_weights has shape %s, but for a batch of %d and superpixel_map of shape %s one'
                         ' weight for each pixel is wanted: %s%s (use pixel_weights * T.ones_like(superpixel_map) for'
                         ' weights that repeat)'
                         % (op_name, pixel_weights.shape, batch, superpixel_map.shape, (batch,) + spatial, alike))


def check_channels(op_name, feature_map, pooled):
    """Raise ValueError unless features and values of superpixels have the same numbers of images and channels."""
    if feature_map.shape[:2] != pooled.shape[:2]:
        raise ValueError('%s: feature_map has shape %s, but pooled has shape %s; (batch, channels, *spatial) and'
                         ' (batch, channels, n_superpixels) must agree in batch and channels: give one value for each'
                         ' image, channel and superpixel' % (op_name, feature_map.shape, pooled.shape))


def check_soft(op_name, grid, feature_map=None, association=None, pooled=None):
    """Return the grid of soft superpixels as a tuple; ValueError unless these arrays agree with it and each other.

    Parameters
    ----------
    op_name : str
    grid : vector of integers
        The number of grid cells on each spatial axis.
    feature_map : array of shape (batch, channels, *spatial), optional
    association : array of shape (batch, 3 ** axes, *spatial), optional
    pooled : array of shape (batch, channels, n_superpixels), optional
    """
    pixels = feature_map if association is None else association
    spatial_shape = pixels.shape[2:]
    grid = as_sizes(op_name, 'grid', grid, len(spatial_shape))
    for axis, (cells, size) in enumerate(zip(grid, spatial_shape)):
        if cells < 1 and 0 not in spatial_shape or cells >= 2 ** 31:
            raise ValueError('%s: grid[%d] is %d, but at least one grid cell for the %d pixels of this axis is wanted,'
                             ' and at most 2**31 - 1 (give numbers of superpixels, such as (10, 10))'
                             % (op_name, axis, cells, size))
    if association is not None and association.shape[1] != 3 ** len(grid):
        raise ValueError('%s: association has shape %s, but with %s each pixel has %d weights: (batch, %d, *spatial),'
                         ' one for its own grid cell and each that touches it (make it with'
                         ' soft_superpixel_association)'
                         % (op_name, association.shape, 'one spatial axis' if len(grid) == 1
                            else '%d spatial axes' % len(grid), 3 ** len(grid), 3 ** len(grid)))
    if feature_map is not None and association is not None and (
            feature_map.shape[:1] + feature_map.shape[2:] != association.shape[:1] + spatial_shape):
        raise ValueError('%s: feature_map has shape %s, but association has shape %s; (batch, channels, *spatial) and'
                         ' (batch, %d, *spatial) must agree in batch and spatial sizes: give weights for each pixel of'
                         ' each image (T.repeat(association, batch, axis=0) for images that share them)'
                         % (op_name, feature_map.shape, association.shape, 3 ** len(grid)))
    if pooled is not None and pooled.shape[2] != product(grid):
        raise ValueError('%s: pooled has shape %s, but a grid of %s has %d superpixels; (batch, channels,'
                         ' n_superpixels) is wanted: give the grid that the values were pooled with'
                         % (op_name, pooled.shape, ' x '.join(map(str, grid)), product(grid)))
    if pooled is not None and feature_map is not None:
        check_channels(op_name, feature_map, pooled)
    if pooled is not None and association is not None and len(pooled) != len(association):
        raise ValueError('%s: pooled has shape %s, but association has shape %s; both must have the same batch: give'
                         ' weights for each image' % (op_name, pooled.shape, association.shape))
    return grid


def as_sizes(op_name, argument, vector, axes):
    """Return a vector as a tuple of `axes` sizes; ValueError if its elements are not valid sizes."""
    sizes = tuple(int(size) for size in vector)
    if len(sizes) != axes:
        raise ValueError('%s: %s has %d sizes, but %d are wanted (one for each spatial axis)'
                         % (op_name, argument, len(sizes), axes))
    for axis, size in enumerate(sizes):
        if size < 0:
            raise ValueError('%s: %s[%d] is %d, but must not be negative (give sizes)'
                             % (op_name, argument, axis, size))
    if product(sizes) >= 2 ** 63:
        raise ValueError('%s: %s is %s, but its product must not be above 2**63 - 1 (give smaller sizes)'
                         % (op_name, argument, sizes))
    return sizes


def check_same_sizes(op_name, argument, spatial_shape, map_shape):
    """Raise ValueError if features that are not resized differ in size from the map."""
    if spatial_shape != map_shape:
        raise ValueError("%s: %s is %s, but map_shape is %s; without resize they must be equal (use %s('nearest') or"
                         " %s('bilinear'))" % (op_name, argument, spatial_shape, map_shape, op_name, op_name))


def check_cells(op_name, spatial_shape, map_shape):
    """Raise ValueError if there are pixels, but no cells that could be resized to them."""
    for axis, (cells, pixels) in enumerate(zip(spatial_shape, map_shape)):
        if cells < 1 and 0 not in map_shape:
            raise ValueError('%s: spatial axis %d has no cells, but superpixel_map has %d pixels there; no features'
                             ' cannot be resized (give at least one cell on each axis)' % (op_name, axis, pixels))


def check_like_pixels(op_name, argument, array, pixels, axes):
    """Raise ValueError unless the first `axes` sizes of an array are those of `pixels`."""
    if array.shape[:axes] != pixels.shape[:axes]:
        raise ValueError('%s: %s has shape %s, but pixels has shape %s; their first %d sizes must agree (give the'
                         ' argmax pixels of SuperpixelExtremum on the same features)'
                         % (op_name, argument, array.shape, pixels.shape, axes))


def check_pixels(op_name, pixels, n_pixels):
    """Raise IndexError for the first pixel number that is beyond the `n_pixels` of an image."""
    pixels = np.asarray(pixels)  # it may come from a GPU
    if (pixels >= n_pixels).any():
        place = np.unravel_index(np.argmax(pixels >= n_pixels), pixels.shape)
        raise IndexError('%s: pixels[%s] is %d, but an image has %d pixels (give the argmax pixels of'
                         ' SuperpixelExtremum on the same superpixel map)'
                         % (op_name, ', '.join(str(i) for i in place), pixels[place], n_pixels))


def product(sizes):
    """The product of Python integers, which does not overflow as ``np.prod`` does."""
    product = 1
    for size in sizes:
        product *= size
    return product


def no_memory(op_name, count, what):
    """Raise MemoryError: there is no memory for `count` items of the kind `what`, a key of `MEMORY_FOR`."""
    raise MemoryError('%s: no memory for %d %s' % (op_name, count, MEMORY_FOR[what]))


def no_memory_for_result(op_name, shape):
    """Raise MemoryError: there is no memory for a result of this shape."""
    raise MemoryError('%s: no memory for a result of shape %s (give a smaller spatial_shape)' % (op_name, shape))


def no_memory_on_gpu(op_name):
    """Raise MemoryError: the GPU has no memory for the result or for intermediate arrays."""
    raise MemoryError('%s: the GPU has no memory for the result or for what is kept on the way (give a smaller batch,'
                      ' or number labels that have gaps anew from 0 with theano_spp.label_tools.relabel_sequential)'
                      % op_name)


def too_large_for_gpu(op_name, pixels, n_superpixels):
    """Raise ValueError: the kernels use 32-bit numbers for the pixels and superpixels of an image."""
    raise ValueError('%s: an image has %d pixels and there are %d superpixels, but on the GPU both can be at most'
                     ' 2**31 - 2 (cut the image, number labels that have gaps anew from 0 with'
                     ' theano_spp.label_tools.relabel_sequential, or use the CPU: device=cpu)'
                     % (op_name, pixels, n_superpixels))


def wrong_table(op_name, argument, table, maps, length):
    """Raise ValueError: what is known of labels, an array of the GPU, is not that of this superpixel map."""
    raise ValueError('%s: %s has shape %s, but for this superpixel map %s in C order is wanted (call the op on the'
                     ' inputs of its version on the CPU: it adds the others)'
                     % (op_name, argument, tuple(table.shape), (maps, length)))


def too_many_groups(op_name, groups):
    """Raise ValueError: a GPU cannot start that many groups of threads in one kernel."""
    raise ValueError('%s: these sizes ask for %d groups of threads, but a GPU starts at most 2**31 - 1 at once (give a'
                     ' smaller batch)' % (op_name, groups))
