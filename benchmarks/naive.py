"""What one would write without this package, in Theano (the last in NumPy). Labels are 0 .. n - 1, never negative."""
import numpy as np
import theano.tensor as T
from theano.gradient import disconnected_grad

from theano_spp.reference import interpolation


def row_numbers(labels, n):
    """The number of each pixel's superpixel within the whole batch; labels (batch, h, w) -> (batch * h * w,)."""
    return (labels + n * T.arange(labels.shape[0], dtype='int32')[:, None, None]).flatten()


def as_rows(values):
    """(batch, channels, *others) -> (batch * others, channels)."""
    return values.dimshuffle(0, *list(range(2, values.ndim)) + [1]).reshape((-1, values.shape[1]))


def sizes(labels, n):
    index = row_numbers(labels, n)
    ones = T.ones_like(index, 'int64')
    return T.inc_subtensor(T.zeros((labels.shape[0] * n,), 'int64')[index], ones).reshape((-1, n))


def pool(features, labels, n, mode):
    """Theano's advanced inc_subtensor on one flat index per pixel."""
    batch, channels = features.shape[0], features.shape[1]
    sums = T.inc_subtensor(T.zeros((batch * n, channels), features.dtype)[row_numbers(labels, n)], as_rows(features))
    sums = sums.reshape((batch, n, channels)).dimshuffle(0, 2, 1)
    return sums / T.maximum(_float_sizes(labels, n, features.dtype), 1) if mode == 'mean' else sums


def _float_sizes(labels, n, dtype):
    return T.cast(sizes(labels, n), dtype)[:, None, :]


def weighted_pool(features, weights, labels, n, mode):
    weights = weights.dimshuffle(0, 'x', 1, 2)
    sums = pool(features * weights, labels, n, 'sum')
    return sums / pool(weights, labels, n, 'sum') if mode == 'mean' else sums


def extremum(features, labels, n, mode):
    """Pixels in the order of their labels, a row for each superpixel, rows as long as the largest; for one image."""
    order, size = T.argsort(labels.flatten()), sizes(labels, n)[0]
    place = T.arange(size.max())
    index = order[T.minimum((T.cumsum(size) - size)[:, None] + place, labels.size - 1)]
    padded = as_rows(features)[index.flatten()].reshape((n, -1, features.shape[1]))
    padded = T.switch((place < size[:, None])[:, :, None], padded, np.float32(-np.inf if mode == 'max' else np.inf))
    pooled = padded.max(axis=1) if mode == 'max' else padded.min(axis=1)
    return pooled.dimshuffle('x', 1, 0)


def composite_pool(features, labels, n, mode):
    """The formula of each mode, written with :func:`pool` and :func:`unpool`."""
    if mode == 'logsumexp':
        powers, shift = _powers(features)
        return shift[:, :, :, 0] + T.log(pool(powers, labels, n, 'sum'))
    variance = pool(T.sqr(_deviations(features, labels, n)), labels, n, 'mean')
    return T.sqrt(variance) if mode == 'std' else variance


def softmax(features, labels, n):
    powers, _ = _powers(features)
    return powers / unpool(pool(powers, labels, n, 'sum'), labels, n, 'sum')


def normalize(features, labels, n, epsilon=1e-5):
    deviations = _deviations(features, labels, n)
    variance = pool(T.sqr(deviations), labels, n, 'mean')
    return deviations / unpool(T.sqrt(variance + np.float32(epsilon)), labels, n, 'sum')


def _powers(features):
    """exp(x - shift) and shift, the maximum of each channel: simpler than that of each superpixel, but less exact."""
    shift = disconnected_grad(features.max(axis=(2, 3), keepdims=True))
    return T.exp(features - shift), shift


def _deviations(features, labels, n):
    return features - unpool(pool(features, labels, n, 'mean'), labels, n, 'sum')


def unpool(pooled, labels, n, mode):
    """Theano's advanced subtensor on the same index."""
    channels = pooled.shape[1]
    if mode == 'mean':
        pooled = pooled / T.maximum(_float_sizes(labels, n, pooled.dtype), 1)
    painted = as_rows(pooled)[row_numbers(labels, n)]
    batch, height, width = [labels.shape[axis] for axis in range(3)]
    return painted.reshape((batch, height, width, channels)).dimshuffle(0, 3, 1, 2)


def centroids(labels, n):
    height, width = labels.shape[1], labels.shape[2]
    rows = T.zeros_like(labels, 'float32') + T.arange(height, dtype='float32')[:, None]
    columns = T.zeros_like(labels, 'float32') + T.arange(width, dtype='float32')
    return pool(T.stack([rows, columns], axis=1), labels, n, 'mean').dimshuffle(0, 2, 1)


def resize(features, cells, pixels, kind):
    """A matrix product along each axis: faster than indices, above all in the gradient. Squares."""
    return _along_both_axes(features, _resizing_matrix(cells, pixels, kind))


def resize_adjoint(painted, cells, pixels, kind):
    return _along_both_axes(painted, _resizing_matrix(cells, pixels, kind).T)


def _resizing_matrix(cells, pixels, kind):
    return interpolation.resize(np.eye(cells)[None], (pixels,), kind)[0].astype('float32')


def _along_both_axes(images, matrix):
    columns = T.tensordot(images, matrix, [[3], [0]])
    return T.tensordot(columns, matrix, [[2], [0]]).dimshuffle(0, 1, 3, 2)


def overlap(labels, n, cells, pixels, kind):
    """One-hot labels, resized by the adjoint of the interpolation."""
    hot = T.cast(T.eq(labels.dimshuffle(0, 'x', 1, 2), T.arange(n, dtype='int32')[:, None, None]), 'float32')
    return resize_adjoint(hot, cells, pixels, kind) / T.maximum(hot.sum(axis=(2, 3), keepdims=True), 1)


def adjacency(labels):
    """NumPy: pairs of pixels that share a face, sorted and counted by np.unique."""
    faces = []
    for before, after in ((labels[:, :-1], labels[:, 1:]), (labels[:, :, :-1], labels[:, :, 1:])):
        image, row, column = np.nonzero(before != after)
        pair = before[image, row, column], after[image, row, column]
        faces.append(np.stack([image, np.minimum(*pair), np.maximum(*pair)], axis=1))
    return np.unique(np.concatenate(faces), axis=0, return_counts=True)
