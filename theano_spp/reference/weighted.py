"""Pooling with weights for pixels."""
import numpy as np

from .. import messages
from .mean_sum import pool, unpool
from .sharing import for_each_image


def weighted_pool(feature_map, superpixel_map, n_superpixels, pixel_weights):
    """Sum the weighted features, and the weights, of each superpixel.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial) or (1, *spatial)
    n_superpixels : int
    pixel_weights : numpy.ndarray of floats, shape (batch, *spatial) or (1, *spatial)

    Returns
    -------
    sums : numpy.ndarray of float64, shape (batch, channels, n_superpixels)
    totals : numpy.ndarray of float64, shape (batch, n_superpixels)
    """
    n_superpixels = messages.check_n_superpixels('WeightedPool', n_superpixels)
    messages.check_shapes('WeightedPool', 'feature_map', feature_map, superpixel_map, 'in space, weighted')
    messages.check_weights('WeightedPool', pixel_weights, superpixel_map, len(feature_map))
    messages.check_labels('WeightedPool', superpixel_map, n_superpixels)
    with np.errstate(invalid='ignore', over='ignore'):
        weights = for_each_image(pixel_weights, len(feature_map))[:, None].astype('float64')
        return (pool(weights * feature_map, superpixel_map, n_superpixels, 'sum'),
                pool(weights, superpixel_map, n_superpixels, 'sum')[:, 0])


def weighted_unpool(pooled, superpixel_map, pixel_weights, dtype='float64'):
    """Paint each superpixel's value, times the pixel's weight, on its pixels.

    Parameters
    ----------
    pooled : numpy.ndarray of float64, shape (batch, channels, n_superpixels)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial) or (1, *spatial)
    pixel_weights : numpy.ndarray of floats, shape (batch, *spatial) or (1, *spatial)

    Returns
    -------
    numpy.ndarray of `dtype`, shape (batch, channels, *spatial)
        0 on pixels that belong to no superpixel.
    """
    messages.check_shapes('WeightedUnpool', 'pooled', pooled, superpixel_map, 'pooled in batch')
    messages.check_weights('WeightedUnpool', pixel_weights, superpixel_map, len(pooled))
    messages.check_labels('WeightedUnpool', superpixel_map, pooled.shape[2], 'the number of superpixels in pooled is')
    with np.errstate(invalid='ignore', over='ignore'):
        weighted = pixel_weights[:, None].astype('float64') * unpool(pooled, superpixel_map)
        return np.where(superpixel_map[:, None] >= 0, weighted, 0).astype(dtype)


def pixel_dot(feature_map, pooled, superpixel_map):
    """The dot product, over the channels, of each pixel's features and its superpixel's values.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    pooled : numpy.ndarray of float64, shape (batch, channels, n_superpixels)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial) or (1, *spatial)

    Returns
    -------
    numpy.ndarray of float64, shape (batch, *spatial)
        0 on pixels that belong to no superpixel.
    """
    messages.check_shapes('PixelDot', 'feature_map', feature_map, superpixel_map, 'in space, weighted')
    messages.check_shapes('PixelDot', 'pooled', pooled, superpixel_map, 'pooled in batch')
    messages.check_channels('PixelDot', feature_map, pooled)
    messages.check_labels('PixelDot', superpixel_map, pooled.shape[2], 'the number of superpixels in pooled is')
    with np.errstate(invalid='ignore', over='ignore'):
        products = feature_map * unpool(pooled, superpixel_map)
        # NumPy sums pairwise only along the axis that is contiguous in memory.

        dot = np.ascontiguousarray(np.moveaxis(products, 1, -1)).sum(-1)
    return np.where(superpixel_map >= 0, dot, 0)
