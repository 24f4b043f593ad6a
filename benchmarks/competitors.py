"""What a user of Theano or NumPy could choose for mean pooling: each is a pair of functions, forward and gradient.

forward(features, labels) -> pooled; gradient(upstream, features, labels) -> [gradient for the features].
"""
import functools

# Before theano, which it may have to repair.
from theano_spp import SuperpixelPool

import numpy as np
import theano.tensor as T

from . import naive, peers
from .measure import compiled


def _compile(pool, n_superpixels):
    features, labels = T.ftensor4(), T.itensor3()
    return compiled([features, labels], pool(features, labels, n_superpixels))


def superpixel_pool(workload, n_superpixels, threads):
    return _compile(SuperpixelPool('mean', openmp=threads > 1), n_superpixels)


def inc_subtensor(workload, n_superpixels, threads):
    """Theano's advanced inc_subtensor on one flat index per pixel."""
    return _compile(functools.partial(naive.pool, mode='mean'), n_superpixels)


def one_hot(workload, n_superpixels, threads):
    """A matrix product of the features with the labels as one-hot rows."""
    gigabytes = 4e-9 * workload.batch * workload.height * workload.width * n_superpixels
    if gigabytes > 2:
        raise MemoryError('its one-hot labels alone need %.1f GB' % gigabytes)

    def pool(features, labels, n):
        hot = T.cast(T.eq(labels.flatten(2)[:, :, None], T.arange(n, dtype='int32')), 'float32')
        return T.batched_dot(features.flatten(3), hot) / T.maximum(hot.sum(1), 1)[:, None, :]
    return _compile(pool, n_superpixels)


def bincount(workload, n_superpixels, threads):
    """NumPy, one channel at a time; its gradient is np.take."""
    def forward(features, labels):
        pooled = np.empty(features.shape[:2] + (n_superpixels,), 'float32')
        for image, label, out in zip(features, labels.reshape(len(labels), -1), pooled):
            sizes = np.maximum(np.bincount(label, minlength=n_superpixels), 1)
            for channel, row in zip(image, out):
                row[...] = np.bincount(label, channel.ravel(), n_superpixels) / sizes
        return pooled

    def gradient(upstream, features, labels):
        painted = np.empty(upstream.shape[:2] + labels.shape[1:], 'float32')
        for values, label, out in zip(upstream, labels, painted):
            sizes = np.maximum(np.bincount(label.ravel(), minlength=n_superpixels), 1).astype('float32')
            for row, channel in zip(values / sizes, out):
                np.take(row, label, out=channel, mode='clip')
        return [painted]
    return [forward, gradient]


OURS = 'superpixel_pool'


def competitors_for(layout):
    """Return [(name, function that makes its pair)], ours first.

    Parameters
    ----------
    layout : {'first', 'last'}
        Where the channels lie in memory. Features are (batch, channels, height, width) either way.
    """
    if layout == 'last':
        return [(OURS, superpixel_pool), ('inc_subtensor', inc_subtensor)] + peers.CHANNELS_LAST
    return [(OURS, superpixel_pool), ('inc_subtensor', inc_subtensor), ('one-hot product', one_hot),
            ('np.bincount, np.take', bincount)] + peers.CHANNELS_FIRST
