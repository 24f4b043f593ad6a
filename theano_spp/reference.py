"""The meaning of every operation in plain NumPy: slow, obvious, and what the C code must equal.

The ops call it where there is no C code (no compiler, FAST_COMPILE, float16), the tests compare
the C code with it. Sums are taken in float64, pairwise, which keeps the promise of docs/semantics.md.
"""
import numpy as np

from . import interpolation
from .interpolation import NONE
from .label_map import check_labels


# In what an array and a superpixel map must agree: how the array lies, and what to do where spatial sizes differ, None where
# they may. The same sentences as in c_code/memory/arrays.h.
IN_SPACE = ('(batch, channels, *spatial)', 'resize the superpixel map to the features by nearest neighbour, or have'
            " superpixel_pool resize the features: resize='bilinear' or resize='nearest'")
IN_SPACE_WEIGHTED = ('(batch, channels, *spatial)', 'resize the superpixel map to the features by nearest neighbour'
                     ' (pixel_weights go with resize=None)')
IN_BATCH = ('(batch, channels, *cells)', None)
POOLED_IN_BATCH = ('(batch, channels, n_superpixels)', None)

# The same sentences as in c_code/pool/pixel_weights.h.
WEIGHTS_OF_MAP = ('one weight for each pixel is wanted, (batch, *spatial) (use pixel_weights *'
                  ' T.ones_like(superpixel_map) for weights that repeat)')
POOLED_OF_FEATURES = ('(batch, channels, *spatial) and (batch, channels, n_superpixels) must agree in channels: give'
                      ' one value for each channel and superpixel')


def pool(feature_map, superpixel_map, n_superpixels, mode='mean'):
    """Pool the features of each superpixel.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    n_superpixels : int
    mode : {'mean', 'sum'}

    Returns
    -------
    numpy.ndarray, shape (batch, channels, n_superpixels), dtype of `feature_map`
        0 for a superpixel without pixels.
    """
    n_superpixels = check_n_superpixels('SuperpixelPool', n_superpixels)
    check_shapes('SuperpixelPool', 'feature_map', feature_map, superpixel_map, IN_SPACE)
    check_labels('SuperpixelPool', superpixel_map, n_superpixels)
    batch, channels = feature_map.shape[:2]
    pooled = np.zeros((batch, channels, n_superpixels), 'float64')
    for image, labels, sums in zip(feature_map, superpixel_map, pooled):
        order, starts = _pixels_by_superpixel(labels)
        if len(starts):
            sorted_features = image.reshape(channels, labels.size)[:, order].astype('float64')
            with np.errstate(invalid='ignore', over='ignore'):
                sums[:, labels.ravel()[order[starts]].astype('int64')] += np.add.reduceat(
                    sorted_features, starts, axis=1)  # added to 0: -0 becomes +0, as in the C code
    if mode == 'mean':
        pooled /= np.maximum(sizes(superpixel_map, n_superpixels), 1)[:, None, :]
    with np.errstate(over='ignore'):
        return pooled.astype(feature_map.dtype)


def unpool(pooled, superpixel_map, mode='sum'):
    """Paint each superpixel's value on its pixels.

    Parameters
    ----------
    pooled : numpy.ndarray of floats, shape (batch, channels, n_superpixels)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    mode : {'sum', 'mean'}
        'mean' paints value / size, the gradient of mean pooling.

    Returns
    -------
    numpy.ndarray, shape (batch, channels, *spatial), dtype of `pooled`
        0 on pixels that belong to none.
    """
    n_superpixels = pooled.shape[2]
    check_shapes('SuperpixelUnpool', 'pooled', pooled, superpixel_map, POOLED_IN_BATCH)
    check_labels('SuperpixelUnpool', superpixel_map, n_superpixels, 'the number of superpixels in pooled is')
    values = pooled
    if mode == 'mean':
        values = pooled.astype('float64') / np.maximum(sizes(superpixel_map, n_superpixels), 1)[:, None, :]
    painted = np.zeros(pooled.shape[:2] + superpixel_map.shape[1:], pooled.dtype)
    for item, labels, image in zip(values, superpixel_map, painted):
        image[:, labels >= 0] = item[:, labels[labels >= 0].astype('int64')]
    return painted


def weighted_pool(feature_map, superpixel_map, n_superpixels, pixel_weights):
    """Sum the weighted features, and the weights, of each superpixel.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    n_superpixels : int
    pixel_weights : numpy.ndarray of floats, shape (batch, *spatial)

    Returns
    -------
    sums : numpy.ndarray of float64, shape (batch, channels, n_superpixels)
    totals : numpy.ndarray of float64, shape (batch, n_superpixels)
    """
    n_superpixels = check_n_superpixels('WeightedPool', n_superpixels)
    check_shapes('WeightedPool', 'feature_map', feature_map, superpixel_map, IN_SPACE_WEIGHTED)
    _check_weights('WeightedPool', pixel_weights, superpixel_map)
    check_labels('WeightedPool', superpixel_map, n_superpixels)
    with np.errstate(invalid='ignore', over='ignore'):
        weights = pixel_weights[:, None].astype('float64')
        return (pool(weights * feature_map, superpixel_map, n_superpixels, 'sum'),
                pool(weights, superpixel_map, n_superpixels, 'sum')[:, 0])


def weighted_unpool(pooled, superpixel_map, pixel_weights, dtype='float64'):
    """Paint each superpixel's value times the pixel's weight on its pixels.

    Parameters
    ----------
    pooled : numpy.ndarray of float64, shape (batch, channels, n_superpixels)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    pixel_weights : numpy.ndarray of floats, shape (batch, *spatial)

    Returns
    -------
    numpy.ndarray of `dtype`, shape (batch, channels, *spatial)
        0 on pixels that belong to none.
    """
    check_shapes('WeightedUnpool', 'pooled', pooled, superpixel_map, POOLED_IN_BATCH)
    _check_weights('WeightedUnpool', pixel_weights, superpixel_map)
    check_labels('WeightedUnpool', superpixel_map, pooled.shape[2], 'the number of superpixels in pooled is')
    with np.errstate(invalid='ignore', over='ignore'):
        weighted = pixel_weights[:, None].astype('float64') * unpool(pooled, superpixel_map)
        return np.where(superpixel_map[:, None] >= 0, weighted, 0).astype(dtype)


def pixel_dot(feature_map, pooled, superpixel_map):
    """Multiply each pixel's features with its superpixel's values, and sum over the channels.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    pooled : numpy.ndarray of float64, shape (batch, channels, n_superpixels)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)

    Returns
    -------
    numpy.ndarray of float64, shape (batch, *spatial)
        0 on pixels that belong to none.
    """
    check_shapes('PixelDot', 'feature_map', feature_map, superpixel_map, IN_SPACE_WEIGHTED)
    check_shapes('PixelDot', 'pooled', pooled, superpixel_map, POOLED_IN_BATCH)
    if feature_map.shape[1] != pooled.shape[1]:
        raise ValueError('PixelDot: feature_map has shape %s, but pooled has shape %s; %s'
                         % (feature_map.shape, pooled.shape, POOLED_OF_FEATURES))
    check_labels('PixelDot', superpixel_map, pooled.shape[2], 'the number of superpixels in pooled is')
    with np.errstate(invalid='ignore', over='ignore'):
        products = feature_map * unpool(pooled, superpixel_map)
        # NumPy sums pairwise along the last axis in memory alone.
        dot = np.ascontiguousarray(np.moveaxis(products, 1, -1)).sum(-1)
    return np.where(superpixel_map >= 0, dot, 0)


def extremum(feature_map, superpixel_map, n_superpixels, mode='max', resize=NONE):
    """Pool by the largest or smallest feature of each superpixel, and tell where it is.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    n_superpixels : int
    mode : {'max', 'min'}
    resize : {'none', 'nearest', 'bilinear'}

    Returns
    -------
    pooled : numpy.ndarray, shape (batch, channels, n_superpixels), dtype of `feature_map`
        0 for a superpixel without pixels.
    winner : numpy.ndarray of int64, shape (batch, channels, n_superpixels)
        The row-major number of the first pixel that has this value; -1 for none.
    """
    n_superpixels = check_n_superpixels('SuperpixelExtremum', n_superpixels)
    resized = _resized('SuperpixelExtremum', feature_map, superpixel_map, resize, n_superpixels)
    dtype = feature_map.dtype
    # Resized float16 features are compared in float32, as in C.
    feature_map = resized.astype(dtype if resize == NONE else np.promote_types(dtype, 'float32'))
    batch, channels = feature_map.shape[:2]
    pooled = np.zeros((batch, channels, n_superpixels), dtype)
    winner = np.full((batch, channels, n_superpixels), -1, 'int64')
    first_best = {'max': np.argmax, 'min': np.argmin}[mode]  # a NaN is the best for both
    for image, labels, values, winners in zip(feature_map, superpixel_map, pooled, winner):
        order, starts = _pixels_by_superpixel(labels)
        features = image.reshape(channels, labels.size)
        for pixels in np.split(order, starts[1:]) if len(starts) else ():
            label = int(labels.flat[pixels[0]])
            winners[:, label] = pixels[first_best(features[:, pixels], axis=1)]
            values[:, label] = features[np.arange(channels), winners[:, label]]
    return pooled, winner


@np.errstate(invalid='ignore', over='ignore', divide='ignore')
def composite_pool(feature_map, superpixel_map, n_superpixels, mode, pixel_weights=None):
    """Pool by the variance, the standard deviation or the logarithm of the sum of exponentials.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    n_superpixels : int
    mode : {'var', 'std', 'logsumexp'}
    pixel_weights : numpy.ndarray of floats, shape (batch, *spatial), optional
        For 'var' and 'std': not negative.

    Returns
    -------
    numpy.ndarray, shape (batch, channels, n_superpixels), dtype of `feature_map`
        0 for a superpixel without pixels, or whose weights sum to 0.
    """
    pooled = np.zeros(feature_map.shape[:2] + (n_superpixels,))
    for image, label, pixels, features in _each_superpixel(feature_map, superpixel_map):
        if mode == 'logsumexp':
            pooled[image, :, label] = np.logaddexp.reduce(features, axis=1)
        else:
            weights = (np.ones(features.shape[1]) if pixel_weights is None
                       else pixel_weights[image][pixels].astype('float64'))
            if weights.sum() != 0:
                means = np.average(features, axis=1, weights=weights)
                pooled[image, :, label] = np.average((features - means[:, None]) ** 2, axis=1, weights=weights)
    if mode == 'std':
        pooled = np.sqrt(pooled)
    return pooled.astype(feature_map.dtype)


@np.errstate(invalid='ignore', over='ignore', divide='ignore')
def softmax(feature_map, superpixel_map):
    """Softmax over the pixels of each superpixel, in each channel by itself.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)

    Returns
    -------
    numpy.ndarray, shape and dtype of `feature_map`
        0 on pixels that belong to none.
    """
    shares = np.zeros(feature_map.shape, feature_map.dtype)
    for image, _, pixels, features in _each_superpixel(feature_map, superpixel_map):
        powers = np.exp(features - features.max(axis=1, keepdims=True))
        shares[image][:, pixels] = powers / powers.sum(axis=1, keepdims=True)
    return shares


@np.errstate(invalid='ignore', over='ignore', divide='ignore')
def normalize(feature_map, superpixel_map, epsilon=1e-5):
    """Give each superpixel the mean 0 and the variance 1, in each channel by itself.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    epsilon : float
        Added to the variance.

    Returns
    -------
    numpy.ndarray, shape and dtype of `feature_map`
        0 on pixels that belong to none.
    """
    normalized = np.zeros(feature_map.shape, feature_map.dtype)
    for image, _, pixels, features in _each_superpixel(feature_map, superpixel_map):
        deviations = features - features.mean(axis=1, keepdims=True)
        variance = (deviations ** 2).mean(axis=1, keepdims=True)
        normalized[image][:, pixels] = deviations / np.sqrt(variance + epsilon)
    return normalized


def overlap_pool(feature_map, superpixel_map, n_superpixels, mode='mean', resize='bilinear'):
    """Resize the features to the superpixel map, then pool.

    Parameters and returns as of :func:`pool`; `feature_map` may have any spatial sizes.
    """
    n_superpixels = check_n_superpixels('SuperpixelOverlapPool', n_superpixels)
    resized = _resized('SuperpixelOverlapPool', feature_map, superpixel_map, resize, n_superpixels)
    return pool(resized, superpixel_map, n_superpixels, mode).astype(feature_map.dtype)


def overlap_unpool(pooled, superpixel_map, spatial_shape, mode='sum', resize='bilinear',
                   op_name='SuperpixelOverlapUnpool'):
    """Paint, then sum the pixels that each cell feeds: the adjoint of :func:`overlap_pool`.

    Parameters as of :func:`unpool`; `spatial_shape` is that of the features to make.

    Returns
    -------
    numpy.ndarray, shape (batch, channels, *spatial_shape), dtype of `pooled`
    """
    check_shapes(op_name, 'pooled', pooled, superpixel_map, POOLED_IN_BATCH)
    spatial_shape = _as_sizes(op_name, 'spatial_shape', spatial_shape, superpixel_map.ndim - 1)
    _check_cells(op_name, spatial_shape, superpixel_map.shape[1:])
    check_labels(op_name, superpixel_map, pooled.shape[2], 'the number of superpixels in pooled is')
    painted = unpool(pooled.astype('float64'), superpixel_map, mode)
    return interpolation.resize_adjoint(painted, spatial_shape, resize).astype(pooled.dtype)


def overlap(superpixel_map, n_superpixels, spatial_shape, mode='mean', resize='nearest'):
    """How much each cell counts for each superpixel: the matrix of :func:`overlap_pool`.

    Returns
    -------
    numpy.ndarray of float64, shape (batch, n_superpixels, *spatial_shape)
    """
    n_superpixels = check_n_superpixels('SuperpixelOverlap', n_superpixels)
    check_labels('SuperpixelOverlap', superpixel_map, n_superpixels)
    # The adjoint of painting one superpixel at a time; as many channels as superpixels.
    each = np.broadcast_to(np.eye(n_superpixels), (len(superpixel_map), n_superpixels, n_superpixels))
    return overlap_unpool(each, superpixel_map, spatial_shape, mode, resize, 'SuperpixelOverlap')


def take_pixels(feature_map, pixels, map_shape, resize=NONE):
    """Take the features at one pixel for each channel and superpixel.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    pixels : numpy.ndarray of int64, shape (batch, channels, n)
        Row-major numbers in a map of `map_shape`; 0 is taken for -1.
    map_shape : sequence of int
    resize : {'none', 'nearest', 'bilinear'}

    Returns
    -------
    numpy.ndarray, shape (batch, channels, n), dtype of `feature_map`
    """
    map_shape = _as_sizes('TakePixels', 'map_shape', map_shape, feature_map.ndim - 2)
    _check_like_pixels('TakePixels', 'feature_map', feature_map, pixels, 2)
    _check_pixels('TakePixels', pixels, map_shape)
    if resize == NONE:
        _check_same_sizes('TakePixels', 'the spatial shape of feature_map', feature_map.shape[2:], map_shape)
    else:
        _check_cells('TakePixels', feature_map.shape[2:], map_shape)
    if 0 in pixels.shape + map_shape:
        return np.zeros(pixels.shape, feature_map.dtype)
    if resize != NONE:
        feature_map = interpolation.resize(feature_map, map_shape, resize).astype(feature_map.dtype)
    taken = np.take_along_axis(feature_map.reshape(pixels.shape[:2] + (-1,)), np.maximum(pixels, 0), axis=2)
    return np.where(pixels >= 0, taken, np.zeros((), taken.dtype))


def put_pixels(values, pixels, spatial_shape, map_shape, resize=NONE):
    """Put values on one pixel for each channel and superpixel: the adjoint of :func:`take_pixels`.

    Parameters
    ----------
    values : numpy.ndarray of floats, shape (batch, channels, n)
    pixels : numpy.ndarray of int64, shape (batch, channels, n)
    spatial_shape, map_shape : sequence of int
    resize : {'none', 'nearest', 'bilinear'}

    Returns
    -------
    numpy.ndarray, shape (batch, channels, *spatial_shape), dtype of `values`
    """
    axes = min(len(map_shape), len(spatial_shape))
    map_shape = _as_sizes('PutPixels', 'map_shape', map_shape, axes)
    spatial_shape = _as_sizes('PutPixels', 'spatial_shape', spatial_shape, axes)
    _check_like_pixels('PutPixels', 'values', values, pixels, 3)
    _check_pixels('PutPixels', pixels, map_shape)
    if resize == NONE:
        _check_same_sizes('PutPixels', 'spatial_shape', spatial_shape, map_shape)
    else:
        _check_cells('PutPixels', spatial_shape, map_shape)
    if 0 in pixels.shape + map_shape:
        return np.zeros(pixels.shape[:2] + spatial_shape, values.dtype)
    painted = np.zeros(pixels.shape[:2] + (_product(map_shape),))
    batch, channel, _ = place = np.nonzero(pixels >= 0)
    np.add.at(painted, (batch, channel, pixels[place]), values[place])
    painted = painted.reshape(pixels.shape[:2] + map_shape)
    if resize != NONE:
        painted = interpolation.resize_adjoint(painted, spatial_shape, resize)
    return painted.astype(values.dtype)


def sizes(superpixel_map, n_superpixels):
    """Count the pixels of each superpixel.

    Parameters
    ----------
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    n_superpixels : int

    Returns
    -------
    numpy.ndarray of int64, shape (batch, n_superpixels)
    """
    n_superpixels = check_n_superpixels('SuperpixelSizes', n_superpixels)
    check_labels('SuperpixelSizes', superpixel_map, n_superpixels)
    counts = np.zeros((len(superpixel_map), n_superpixels), 'int64')
    for labels, count in zip(superpixel_map, counts):
        count += np.bincount(labels[labels >= 0].astype('int64'), minlength=n_superpixels)
    return counts


def count(superpixel_map):
    """Return the number of superpixels of a batch: its largest label + 1, 0 if it has none.

    Parameters
    ----------
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    """
    check_labels('SuperpixelCount', superpixel_map, np.iinfo('int64').max, 'the number of superpixels can be at most')
    return max(int(superpixel_map.max()) + 1, 0) if superpixel_map.size else 0


def _pixels_by_superpixel(labels):
    """The pixel numbers of one image sorted by label, and where in them each superpixel starts."""
    flat = labels.ravel()
    order = np.argsort(flat, kind='mergesort')
    order = order[flat[order] >= 0]
    ordered = flat[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(order) else order
    return order, starts


def _each_superpixel(feature_map, superpixel_map):
    """Yield, for each superpixel that has pixels, the image, the label, which pixels, and their features in float64."""
    for image, labels in enumerate(superpixel_map):
        for label in np.unique(labels[labels >= 0]):
            pixels = labels == label
            yield image, int(label), pixels, feature_map[image][:, pixels].astype('float64')


def check_n_superpixels(op_name, n_superpixels):
    n_superpixels = int(n_superpixels)
    if n_superpixels < 0:
        raise ValueError('%s: n_superpixels is %d, but must not be negative'
                         ' (give the largest label + 1, or None to have it counted)'
                         % (op_name, n_superpixels))
    return n_superpixels


def check_shapes(op_name, argument, array, superpixel_map, agreement):
    """Raise ValueError with both shapes if they do not agree as they must: IN_SPACE, for example."""
    layout, cure_in_space = agreement
    items, maps = len(array), len(superpixel_map)
    if items != maps:
        wanted = 'batch, which is %d and %d: give one superpixel map for each item%s' % (
            items, maps, '' if maps != 1 else ' (np.repeat(superpixel_map, %d, axis=0), T.repeat for a variable, has one map'
            ' serve all)' % items)
    elif cure_in_space is not None and array.shape[2:] != superpixel_map.shape[1:]:
        wanted = 'batch and spatial sizes: ' + cure_in_space
    else:
        return
    raise ValueError('%s: %s has shape %s, but superpixel_map has shape %s; %s and (batch, *spatial) must agree in %s'
                     % (op_name, argument, array.shape, superpixel_map.shape, layout, wanted))


def _check_weights(op_name, pixel_weights, superpixel_map):
    if pixel_weights.shape != superpixel_map.shape:
        raise ValueError('%s: pixel_weights has shape %s, but superpixel_map has shape %s; %s'
                         % (op_name, pixel_weights.shape, superpixel_map.shape, WEIGHTS_OF_MAP))


def _product(sizes):
    """In whole numbers of any length, where ``np.prod`` overflows."""
    product = 1
    for size in sizes:
        product *= size
    return product


def _as_sizes(op_name, argument, vector, axes):
    sizes = tuple(int(size) for size in vector)
    if len(sizes) != axes:
        raise ValueError('%s: %s has %d sizes, but %d are wanted (one for each spatial axis)'
                         % (op_name, argument, len(sizes), axes))
    for axis, size in enumerate(sizes):
        if size < 0:
            raise ValueError('%s: %s[%d] is %d, but must not be negative (give sizes)'
                             % (op_name, argument, axis, size))
    if _product(sizes) >= 2 ** 63:
        raise ValueError('%s: %s is %s, but its product must not be above 2**63 - 1 (give sizes of spatial axes)'
                         % (op_name, argument, sizes))
    return sizes


def _check_same_sizes(op_name, argument, spatial_shape, map_shape):
    if spatial_shape != map_shape:
        raise ValueError("%s: %s is %s, but map_shape is %s; without resize they must be equal (use %s('nearest') or"
                         " %s('bilinear'))" % (op_name, argument, spatial_shape, map_shape, op_name, op_name))


def _check_cells(op_name, spatial_shape, map_shape):
    for axis, (cells, pixels) in enumerate(zip(spatial_shape, map_shape)):
        if cells < 1 and 0 not in map_shape:
            raise ValueError('%s: spatial axis %d has no cells, but superpixel_map has %d pixels there; no features'
                             ' cannot be resized (give at least one cell on each axis)' % (op_name, axis, pixels))


def _check_like_pixels(op_name, argument, array, pixels, axes):
    if array.shape[:axes] != pixels.shape[:axes]:
        raise ValueError('%s: %s has shape %s, but pixels has shape %s; their first %d sizes must agree (give the'
                         ' winners of SuperpixelExtremum on the same features)'
                         % (op_name, argument, array.shape, pixels.shape, axes))


def _check_pixels(op_name, pixels, map_shape):
    n_pixels = _product(map_shape)
    if (pixels >= n_pixels).any():
        place = np.unravel_index(np.argmax(pixels >= n_pixels), pixels.shape)
        raise IndexError('%s: pixels[%s] is %d, but an image has %d pixels (give the winners of SuperpixelExtremum'
                         ' on the same superpixel map)'
                         % (op_name, ', '.join(str(i) for i in place), pixels[place], n_pixels))


def _resized(op_name, feature_map, superpixel_map, resize, n_superpixels):
    """Check features and labels, and return the features in the size of the map."""
    check_shapes(op_name, 'feature_map', feature_map, superpixel_map, IN_SPACE if resize == NONE else IN_BATCH)
    check_labels(op_name, superpixel_map, n_superpixels)
    if resize == NONE:
        return feature_map
    map_shape = superpixel_map.shape[1:]
    _check_cells(op_name, feature_map.shape[2:], map_shape)
    return interpolation.resize(feature_map, map_shape, resize)
