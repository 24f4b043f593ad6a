"""Maximum and minimum pooling, and gathering values from single pixels and scattering values to them."""
import numpy as np

from .. import messages
from . import interpolation
from .interpolation import NONE
from .resized import checked_and_resized
from .sharing import for_each_image
from .sorting import pixels_by_superpixel


def extremum(feature_map, superpixel_map, n_superpixels, mode='max', resize=NONE):
    """Pool by the largest or smallest feature of each superpixel, and return the pixel that has it.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial) or (1, *spatial)
    n_superpixels : int
    mode : {'max', 'min'}
    resize : {'none', 'nearest', 'bilinear'}

    Returns
    -------
    pooled : numpy.ndarray, shape (batch, channels, n_superpixels), dtype of `feature_map`
        0 for a superpixel without pixels.
    argmax : numpy.ndarray of int64, shape (batch, channels, n_superpixels)
        The row-major number of the first pixel that has this value; -1 for a superpixel without pixels.
    """
    n_superpixels = messages.check_n_superpixels('SuperpixelExtremum', n_superpixels)
    resized = checked_and_resized('SuperpixelExtremum', feature_map, superpixel_map, resize, n_superpixels)
    dtype = feature_map.dtype
    # Resized float16 features are compared in float32, as in C.
    feature_map = resized.astype(dtype if resize == NONE else np.promote_types(dtype, 'float32'))
    batch, channels = feature_map.shape[:2]
    pooled = np.zeros((batch, channels, n_superpixels), dtype)
    argmax = np.full((batch, channels, n_superpixels), -1, 'int64')
    first_best = {'max': np.argmax, 'min': np.argmin}[mode]  # both choose a NaN if there is one
    for image, labels, values, argmax_pixels in zip(feature_map, for_each_image(superpixel_map, batch), pooled, argmax):
        order, starts = pixels_by_superpixel(labels)
        features = image.reshape(channels, labels.size)
        for pixels in np.split(order, starts[1:]) if len(starts) else ():
            label = int(labels.flat[pixels[0]])
            argmax_pixels[:, label] = pixels[first_best(features[:, pixels], axis=1)]
            values[:, label] = features[np.arange(channels), argmax_pixels[:, label]]
    return pooled, argmax


def take_pixels(feature_map, pixels, map_shape, resize=NONE):
    """Gather the features at one pixel for each channel and superpixel.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    pixels : numpy.ndarray of int64, shape (batch, channels, n)
        Row-major numbers in a map of `map_shape`; the result for -1 is 0.
    map_shape : sequence of int
    resize : {'none', 'nearest', 'bilinear'}

    Returns
    -------
    numpy.ndarray, shape (batch, channels, n), dtype of `feature_map`
    """
    map_shape = messages.as_sizes('TakePixels', 'map_shape', map_shape, feature_map.ndim - 2)
    messages.check_like_pixels('TakePixels', 'feature_map', feature_map, pixels, 2)
    messages.check_pixels('TakePixels', pixels, messages.product(map_shape))
    if resize == NONE:
        messages.check_same_sizes('TakePixels', 'the spatial shape of feature_map', feature_map.shape[2:], map_shape)
    else:
        messages.check_cells('TakePixels', feature_map.shape[2:], map_shape)
    if 0 in pixels.shape + map_shape:
        return np.zeros(pixels.shape, feature_map.dtype)
    if resize != NONE:
        feature_map = interpolation.resize(feature_map, map_shape, resize).astype(feature_map.dtype)
    taken = np.take_along_axis(feature_map.reshape(pixels.shape[:2] + (-1,)), np.maximum(pixels, 0), axis=2)
    return np.where(pixels >= 0, taken, np.zeros((), taken.dtype))


def put_pixels(values, pixels, spatial_shape, map_shape, resize=NONE):
    """Scatter-add values to one pixel for each channel and superpixel: the adjoint of :func:`take_pixels`.

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
    map_shape = messages.as_sizes('PutPixels', 'map_shape', map_shape, axes)
    spatial_shape = messages.as_sizes('PutPixels', 'spatial_shape', spatial_shape, axes)
    messages.check_like_pixels('PutPixels', 'values', values, pixels, 3)
    messages.check_pixels('PutPixels', pixels, messages.product(map_shape))
    if resize == NONE:
        messages.check_same_sizes('PutPixels', 'spatial_shape', spatial_shape, map_shape)
    else:
        messages.check_cells('PutPixels', spatial_shape, map_shape)
    if 0 in pixels.shape + map_shape:
        return np.zeros(pixels.shape[:2] + spatial_shape, values.dtype)
    painted = np.zeros(pixels.shape[:2] + (messages.product(map_shape),))
    batch, channel, _ = place = np.nonzero(pixels >= 0)
    np.add.at(painted, (batch, channel, pixels[place]), values[place])
    painted = painted.reshape(pixels.shape[:2] + map_shape)
    if resize != NONE:
        painted = interpolation.resize_adjoint(painted, spatial_shape, resize)
    return painted.astype(values.dtype)
