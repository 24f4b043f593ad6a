"""Independent truth for the tests: sums taken one pixel at a time, exactly rounded."""
import math

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


def tolerance(dtype):
    """The promise of docs/semantics.md: how far from the exact value, in sums of magnitudes."""
    return {'float64': 1e-14, 'float32': 1e-6, 'float16': 1e-3}[str(np.dtype(dtype))]


def assert_within_promise(pooled, feature_map, superpixel_map, n_superpixels, mode):
    """`pooled` equals the exact value as closely as its dtype promises."""
    exact = exact_pool(feature_map, superpixel_map, n_superpixels, mode)
    magnitudes = exact_pool(abs(feature_map), superpixel_map, n_superpixels, mode)
    assert pooled.dtype == feature_map.dtype and pooled.shape == exact.shape
    np.testing.assert_array_less(abs(pooled - exact), tolerance(pooled.dtype) * magnitudes + 1e-300)
