"""Superpixel maps of another size than the features: resize, then pool."""
import numpy as np

from .. import messages
from . import interpolation
from .interpolation import NONE
from .mean_sum import pool, unpool


def overlap_pool(feature_map, superpixel_map, n_superpixels, mode='mean', resize='bilinear'):
    """Resize the features to the superpixel map, then pool.

    Parameters and result as for :func:`pool`, but `feature_map` may have any spatial sizes.
    """
    n_superpixels = messages.check_n_superpixels('SuperpixelOverlapPool', n_superpixels)
    resized = checked_and_resized('SuperpixelOverlapPool', feature_map, superpixel_map, resize, n_superpixels)
    return pool(resized, superpixel_map, n_superpixels, mode).astype(feature_map.dtype)


def overlap_unpool(pooled, superpixel_map, spatial_shape, mode='sum', resize='bilinear',
                   op_name='SuperpixelOverlapUnpool'):
    """Paint, then sum over the pixels that see each cell: the adjoint of :func:`overlap_pool`.

    Parameters as for :func:`unpool`; `spatial_shape` is the spatial shape of the features to make.

    Returns
    -------
    numpy.ndarray, shape (batch, channels, *spatial_shape), dtype of `pooled`
    """
    messages.check_shapes(op_name, 'pooled', pooled, superpixel_map, 'pooled in batch')
    spatial_shape = messages.as_sizes(op_name, 'spatial_shape', spatial_shape, superpixel_map.ndim - 1)
    messages.check_cells(op_name, spatial_shape, superpixel_map.shape[1:])
    messages.check_labels(op_name, superpixel_map, pooled.shape[2], 'the number of superpixels in pooled is')
    painted = unpool(pooled.astype('float64'), superpixel_map, mode)
    return interpolation.resize_adjoint(painted, spatial_shape, resize).astype(pooled.dtype)


def overlap(superpixel_map, n_superpixels, spatial_shape, mode='mean', resize='nearest'):
    """The weight of each cell in each superpixel: the matrix of :func:`overlap_pool`.

    Returns
    -------
    numpy.ndarray of float64, shape (batch, n_superpixels, *spatial_shape)
    """
    n_superpixels = messages.check_n_superpixels('SuperpixelOverlap', n_superpixels)
    messages.check_labels('SuperpixelOverlap', superpixel_map, n_superpixels)
    # The adjoint applied to one superpixel at a time, each in a channel of its own.
    each = np.broadcast_to(np.eye(n_superpixels), (len(superpixel_map), n_superpixels, n_superpixels))
    return overlap_unpool(each, superpixel_map, spatial_shape, mode, resize, 'SuperpixelOverlap')


def checked_and_resized(op_name, feature_map, superpixel_map, resize, n_superpixels):
    """Check features and labels, and return the features resized to the map."""
    messages.check_shapes(op_name, 'feature_map', feature_map, superpixel_map,
                          'in space' if resize == NONE else 'in batch')
    messages.check_labels(op_name, superpixel_map, n_superpixels)
    if resize == NONE:
        return feature_map
    map_shape = superpixel_map.shape[1:]
    messages.check_cells(op_name, feature_map.shape[2:], map_shape)
    return interpolation.resize(feature_map, map_shape, resize)
