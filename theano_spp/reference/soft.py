"""Soft superpixels: each pixel belongs, with weights, to the superpixels of the grid cells around it."""
import itertools

import numpy as np

from .. import messages
from .mean_sum import pool, unpool


def neighbours(spatial_shape, grid):
    """The superpixels around each pixel: those of its own grid cell and of the cells that touch it.

    Pixel p of P lies in cell floor(p G / P) of the G cells of its axis. Each cell is one superpixel, numbered in
    row-major order.

    Parameters
    ----------
    spatial_shape : sequence of int, in pixels
    grid : sequence of int, in cells
        One number for each spatial axis.

    Returns
    -------
    numpy.ndarray of int64, shape (3 ** axes, *spatial_shape)
        The offsets -1, 0, 1 on each axis, in row-major order; -1 where the grid ends.
    """
    cells = np.meshgrid(*[np.arange(pixels) * size // max(pixels, 1) for pixels, size in zip(spatial_shape, grid)],
                        indexing='ij')
    numbers = np.empty((3 ** len(grid),) + tuple(spatial_shape), 'int64')
    for number, offsets in zip(numbers, itertools.product((-1, 0, 1), repeat=len(grid))):
        inside = np.ones(tuple(spatial_shape), bool)
        number[...] = 0
        for cell, offset, size in zip(cells, offsets, grid):
            inside &= (cell + offset >= 0) & (cell + offset < size)
            number *= size
            number += cell + offset
        number[~inside] = -1
    return numbers


def soft_pool(feature_map, association, grid):
    """Sum the weighted features, and the weights, of each superpixel.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    association : numpy.ndarray of floats, shape (batch, 3 ** axes, *spatial)
        The weights of each pixel in the superpixels around it, in the order of :func:`neighbours`.
    grid : sequence of int, in cells

    Returns
    -------
    sums : numpy.ndarray of float64, shape (batch, channels, n_superpixels)
    totals : numpy.ndarray of float64, shape (batch, n_superpixels)
    """
    grid = messages.check_soft('SoftPool', grid, feature_map, association)
    n_superpixels = messages.product(grid)
    sums = np.zeros(feature_map.shape[:2] + (n_superpixels,))
    totals = np.zeros((len(feature_map), n_superpixels))
    with np.errstate(invalid='ignore', over='ignore'):
        for labels, weights in _each(association, grid):
            sums += pool(weights * feature_map, labels, n_superpixels, 'sum')
            totals += pool(weights, labels, n_superpixels, 'sum')[:, 0]
    return sums, totals


def soft_unpool(pooled, association, grid, dtype='float64'):
    """Paint on each pixel the sum of the values of the superpixels around it, times its weights in them.

    Parameters
    ----------
    pooled : numpy.ndarray of float64, shape (batch, channels, n_superpixels)
    association, grid
        As for :func:`soft_pool`.

    Returns
    -------
    numpy.ndarray of `dtype`, shape (batch, channels, *spatial)
    """
    grid = messages.check_soft('SoftUnpool', grid, None, association, pooled)
    painted = np.zeros(pooled.shape[:2] + association.shape[2:])
    with np.errstate(invalid='ignore', over='ignore'):
        for labels, weights in _each(association, grid):
            painted += np.where(labels[:, None] >= 0, weights * unpool(pooled, labels), 0)
        return painted.astype(dtype)


def soft_dot(feature_map, pooled, grid):
    """The dot products, over the channels, of each pixel's features and the values of the superpixels around it.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    pooled : numpy.ndarray of floats, shape (batch, channels, n_superpixels)
    grid : sequence of int, in cells

    Returns
    -------
    numpy.ndarray, shape (batch, 3 ** axes, *spatial), dtype of `feature_map`
        0 where the grid ends.
    """
    return _compare('SoftDot', feature_map, pooled, grid, lambda x, y: x * y, 0).astype(feature_map.dtype)


def soft_association(feature_map, pooled, grid):
    """The softmax of minus the squared distances of each pixel's features from the values of the superpixels around it.

    Parameters and result as for :func:`soft_dot`.
    """
    distances = _compare('SoftAssociation', feature_map, pooled, grid, lambda x, y: (x - y) ** 2, np.inf)
    with np.errstate(invalid='ignore'):
        powers = np.exp(distances.min(axis=1, keepdims=True) - distances)
        # A neighbour beyond the grid has weight 0 even if the others are infinitely far, which makes theirs NaN.
        beyond = neighbours(feature_map.shape[2:], [int(cells) for cells in grid]) < 0
        return np.where(beyond, 0, powers / powers.sum(axis=1, keepdims=True)).astype(feature_map.dtype)


def _each(association, grid):
    """For each neighbour, its number as a label map for all images, and the weights in it."""
    for k, labels in enumerate(neighbours(association.shape[2:], grid)):
        yield labels[None], association[:, k:k + 1].astype('float64')


def _compare(op_name, feature_map, pooled, grid, compare, beyond):
    grid = messages.check_soft(op_name, grid, feature_map, None, pooled)
    numbers = neighbours(feature_map.shape[2:], grid)
    result = np.empty((len(feature_map),) + numbers.shape)
    with np.errstate(invalid='ignore', over='ignore'):
        for k, labels in enumerate(numbers):
            values = compare(feature_map.astype('float64'), unpool(pooled.astype('float64'), labels[None]))
            # NumPy sums pairwise only along the axis that is contiguous in memory.
            total = np.ascontiguousarray(np.moveaxis(values, 1, -1)).sum(-1)
            result[:, k] = np.where(labels >= 0, total, beyond)
    return result
