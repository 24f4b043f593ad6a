"""What a user could pick for mean pooling: each is a pair of functions, forward and gradient.

forward(features, labels) -> pooled; gradient(upstream, features, labels) -> gradient for the features.
"""
import numpy as np
import theano
import theano.tensor as T

from theano_spp import SuperpixelPool


def _compile(pooled_of, workload, n_superpixels):
    """Both functions of a symbolic pooling, without the checks and copies that are not its own."""
    features, labels, upstream = T.ftensor4(), T.itensor3(), T.ftensor3()
    pooled = pooled_of(features, labels, workload, n_superpixels)
    gradient = T.grad(None, features, known_grads={pooled: upstream})
    return (theano.function([features, labels], theano.Out(pooled, borrow=True)),
            theano.function([upstream, features, labels], theano.Out(gradient, borrow=True),
                            on_unused_input='ignore'))  # some need the features for their shape


def superpixel_pool(workload, n_superpixels, openmp=False):
    return _compile(lambda features, labels, _, n: SuperpixelPool('mean', openmp)(features, labels, n),
                    workload, n_superpixels)


def superpixel_pool_on_two_threads(workload, n_superpixels):
    return superpixel_pool(workload, n_superpixels, openmp=True)


def inc_subtensor(workload, n_superpixels):
    """Theano's advanced inc_subtensor on one flat index per pixel."""
    def pooled(features, labels, workload, n):
        batch, channels = workload.batch, workload.channels
        rows = features.dimshuffle(0, 2, 3, 1).reshape((-1, channels))
        index = (labels + n * T.arange(batch, dtype='int32')[:, None, None]).flatten()
        sums = T.inc_subtensor(T.zeros((batch * n, channels), 'float32')[index], rows)
        sizes = T.inc_subtensor(T.zeros((batch * n,), 'float32')[index], np.float32(1))
        means = sums / T.maximum(sizes, 1)[:, None]
        return means.reshape((batch, n, channels)).dimshuffle(0, 2, 1)
    return _compile(pooled, workload, n_superpixels)


def one_hot(workload, n_superpixels):
    """A matrix product of the features with the labels as one-hot rows."""
    gigabytes = 4e-9 * workload.batch * workload.height * workload.width * n_superpixels
    if gigabytes > 2:
        raise MemoryError('its one-hot labels alone need %.1f GB' % gigabytes)

    def pooled(features, labels, workload, n):
        hot = T.cast(T.eq(labels.flatten(2)[:, :, None], T.arange(n, dtype='int32')), 'float32')
        return T.batched_dot(features.flatten(3), hot) / T.maximum(hot.sum(1), 1)[:, None, :]
    return _compile(pooled, workload, n_superpixels)


def bincount(workload, n_superpixels):
    """NumPy, a channel at a time; its gradient is np.take."""
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
        return painted
    return forward, gradient


#: name -> how it is made; ours first.
COMPETITORS = [
    ('superpixel_pool, 1 thread', superpixel_pool),
    ('superpixel_pool, 2 threads', superpixel_pool_on_two_threads),
    ('inc_subtensor, 1 thread', inc_subtensor),
    ('one-hot, BLAS on 2 threads', one_hot),
    ('np.bincount, 1 thread', bincount),
]
