"""Independent truth for the tests: plain walks over the pixels, with exactly rounded sums.

`tests.fuzz.Truth` computes the same, but neither can replace the other. These walks are too plain to be wrong, but
take up to seconds for ten thousand pixels. `Truth` is for images of a million pixels and for infinities; it sorts and
slices pixels, which could be wrong, so `tests.theano_spp.test_fuzz` compares the two.
"""
import itertools
import math
from fractions import Fraction

import numpy as np


def exact_pool(feature_map, superpixel_map, n_superpixels, mode):
    """Pooling by a walk over the pixels and ``math.fsum``, in float64."""
    batch, channels = feature_map.shape[:2]
    pooled = np.zeros((batch, channels, n_superpixels))
    for b in range(batch):
        for c in range(channels):
            members = [[] for _ in range(n_superpixels)]
            for place in np.ndindex(*superpixel_map.shape[1:]):
                label = int(superpixel_map[(b,) + place])
                if label >= 0:
                    members[label].append(float(feature_map[(b, c) + place]))
            for label, values in enumerate(members):
                if values:
                    pooled[b, c, label] = math.fsum(values) / (len(values) if mode == 'mean' else 1)
    return pooled


def exact_unpool(pooled, superpixel_map, mode):
    """Unpooling by a walk over the pixels, in float64."""
    painted = np.zeros(pooled.shape[:2] + superpixel_map.shape[1:])
    for b, labels in enumerate(superpixel_map):
        for place in np.ndindex(*labels.shape):
            if labels[place] >= 0:
                size = (labels == labels[place]).sum() if mode == 'mean' else 1
                painted[(b, slice(None)) + place] = pooled[b, :, int(labels[place])] / float(size)
    return painted


def exact_extremum(feature_map, superpixel_map, n_superpixels, mode):
    """The best value of each superpixel and the row-major number of its argmax pixel, by a walk over the pixels."""
    better = {'max': lambda value, best: value > best, 'min': lambda value, best: value < best}[mode]
    shape = feature_map.shape[:2] + (n_superpixels,)
    pooled, argmax = np.zeros(shape, feature_map.dtype), np.full(shape, -1)
    for b, c in np.ndindex(*shape[:2]):
        for number, (value, label) in enumerate(zip(feature_map[b, c].ravel(), superpixel_map[b].ravel())):
            if label < 0 or argmax[b, c, label] >= 0 and np.isnan(pooled[b, c, label]):
                continue
            if argmax[b, c, label] < 0 or np.isnan(value) or better(value, pooled[b, c, label]):
                pooled[b, c, label], argmax[b, c, label] = value, number
    return pooled, argmax


def cells_of_pixel(cells, pixels, pixel, kind):
    """The cells that one pixel of an axis sees, with their weights, as exact fractions: half-pixel centres."""
    position = Fraction(2 * pixel + 1, 2 * pixels) * cells
    if kind == 'nearest':
        return [(math.floor(position), 1)]
    position = min(max(position - Fraction(1, 2), 0), cells - 1)
    low = math.floor(position)
    return [(cell, share) for cell, share in ((low, 1 - (position - low)), (low + 1, position - low)) if share]


def exact_resize(feature_map, spatial_shape, kind):
    """Resizing by a walk over the pixels and the cells that each sees, in float64."""
    resized = np.zeros(feature_map.shape[:2] + tuple(spatial_shape))
    for place in np.ndindex(*spatial_shape):
        seen = [cells_of_pixel(cells, pixels, pixel, kind)
                for cells, pixels, pixel in zip(feature_map.shape[2:], spatial_shape, place)]
        for corner in itertools.product(*seen):
            share = float(np.prod([share for _, share in corner]))
            at = tuple(cell for cell, _ in corner)
            resized[(slice(None),) * 2 + place] += share * feature_map[(slice(None),) * 2 + at]
    return resized


def tolerance(dtype):
    """The promise of docs/semantics.md: the largest error, as a fraction of the sum of magnitudes."""
    return {'float64': 1e-14, 'float32': 1e-6, 'float16': 1e-3}[str(np.dtype(dtype))]


def assert_within_promise(pooled, feature_map, superpixel_map, n_superpixels, mode):
    """`pooled` equals the exact value as closely as its dtype promises."""
    exact = exact_pool(feature_map, superpixel_map, n_superpixels, mode)
    magnitudes = exact_pool(abs(feature_map), superpixel_map, n_superpixels, mode)
    assert pooled.dtype == feature_map.dtype and pooled.shape == exact.shape
    np.testing.assert_array_less(abs(pooled - exact), tolerance(pooled.dtype) * magnitudes + 1e-300)
