"""Mean pooling with other libraries, each as a pair of functions like those of ``competitors.py``.

forward(features, labels) -> pooled; gradient(upstream, features, labels) -> [gradient for the features].
A library that is not installed raises ImportError when its pair is made. Each pair is written as users of the library
would write it: labels in the dtype it needs, sizes counted in each call, features with channels first.
"""
import numpy as np


def numba_loop(workload, n_superpixels, threads):
    """A plain loop over images, channels and pixels, compiled; sums in float32."""
    import numba
    parallel = threads > 1

    @numba.njit(parallel=parallel)
    def sizes_of(labels):
        sizes = np.zeros((labels.shape[0], n_superpixels), np.float32)
        for b in numba.prange(labels.shape[0]):
            for label in labels[b].flat:
                sizes[b, label] += 1
        return np.maximum(sizes, np.float32(1))

    @numba.njit(parallel=parallel)
    def forward(features, labels):
        batch, channels, height, width = features.shape
        pooled = np.zeros((batch, channels, n_superpixels), np.float32)
        sizes = sizes_of(labels)
        for plane in numba.prange(batch * channels):
            b, c = plane // channels, plane % channels
            sums = pooled[b, c]
            for y in range(height):
                for x in range(width):
                    sums[labels[b, y, x]] += features[b, c, y, x]
            sums /= sizes[b]
        return pooled

    @numba.njit(parallel=parallel)
    def gradient(upstream, features, labels):
        batch, channels, height, width = features.shape
        painted = np.empty((batch, channels, height, width), np.float32)
        sizes = sizes_of(labels)
        for plane in numba.prange(batch * channels):
            b, c = plane // channels, plane % channels
            values = upstream[b, c] / sizes[b]
            for y in range(height):
                for x in range(width):
                    painted[b, c, y, x] = values[labels[b, y, x]]
        return painted

    return [forward, lambda *arguments: [gradient(*arguments)]]


def numba_loop_channels_last(workload, n_superpixels, threads):
    """The same, with the channels innermost: features come as a view of (batch, height, width, channels)."""
    import numba
    parallel = threads > 1
    chunks = max(threads // workload.batch, 1)  # of an image, each with sums of its own

    @numba.njit(parallel=parallel)
    def pool(features, labels):
        batch, height, width, channels = features.shape
        sums = np.zeros((batch, chunks, n_superpixels, channels), np.float32)
        sizes = np.zeros((batch, chunks, n_superpixels), np.float32)
        for chunk in numba.prange(batch * chunks):
            b, k = chunk // chunks, chunk % chunks
            for y in range(height * k // chunks, height * (k + 1) // chunks):
                for x in range(width):
                    label = labels[b, y, x]
                    sizes[b, k, label] += 1
                    for c in range(channels):
                        sums[b, k, label, c] += features[b, y, x, c]
        total = sizes.sum(axis=1)
        return sums.sum(axis=1) / np.maximum(total, np.float32(1)).reshape((batch, n_superpixels, 1))

    @numba.njit(parallel=parallel)
    def paint(upstream, labels):
        batch, n, channels = upstream.shape
        height, width = labels.shape[1:]
        painted = np.empty((batch, height, width, channels), np.float32)
        sizes = np.zeros((batch, n), np.float32)
        for b in numba.prange(batch):
            for label in labels[b].flat:
                sizes[b, label] += 1
        for row in numba.prange(batch * height):
            b, y = row // height, row % height
            for x in range(width):
                label = labels[b, y, x]
                for c in range(channels):
                    painted[b, y, x, c] = upstream[b, label, c] / sizes[b, label]
        return painted

    def forward(features, labels):
        return pool(features.transpose(0, 2, 3, 1), labels).transpose(0, 2, 1)

    def gradient(upstream, features, labels):
        return [paint(np.ascontiguousarray(upstream.transpose(0, 2, 1)), labels).transpose(0, 3, 1, 2)]
    return [forward, gradient]


def scipy_sparse(workload, n_superpixels, threads):
    """A product with a sparse matrix, made from the labels of each image."""
    from scipy import sparse

    def membership(label):
        pixels = np.arange(label.size + 1)
        sizes = np.maximum(np.bincount(label, minlength=n_superpixels), 1).astype('float32')
        return sparse.csr_matrix((1 / sizes[label], label, pixels), shape=(label.size, n_superpixels))

    def forward(features, labels):
        return np.stack([membership(label.ravel()).T.dot(image.reshape(len(image), -1).T).T
                         for image, label in zip(features, labels)])

    def gradient(upstream, features, labels):
        return [np.stack([membership(label.ravel()).dot(values.T).T.reshape(image.shape)
                          for values, image, label in zip(upstream, features, labels)])]
    return [forward, gradient]


def _torch_gradient(upstream, features, labels):
    import torch
    upstream, index = torch.from_numpy(upstream), torch.from_numpy(labels).long().flatten(1)
    sizes = torch.zeros(len(index), upstream.shape[2]).scatter_add_(1, index, torch.ones(index.shape))
    values = upstream / sizes.clamp_(min=1)[:, None]
    painted = torch.stack([torch.index_select(image, 1, label) for image, label in zip(values, index)])
    return [painted.numpy().reshape(features.shape)]


def torch_index_add(workload, n_superpixels, threads):
    import torch

    def forward(features, labels):
        features, index = torch.from_numpy(features).flatten(2), torch.from_numpy(labels).long().flatten(1)
        pooled = torch.zeros(features.shape[:2] + (n_superpixels,))
        sizes = torch.zeros(len(index), n_superpixels)
        for image, label, sums, size in zip(features, index, pooled, sizes):
            sums.index_add_(1, label, image)
            size.index_add_(0, label, torch.ones(label.shape))
        return pooled.div_(sizes.clamp_(min=1)[:, None]).numpy()
    return [forward, _torch_gradient]


def torch_scatter_reduce(workload, n_superpixels, threads):
    """scatter_reduce_ with the mean of PyTorch itself."""
    import torch

    def forward(features, labels):
        features, index = torch.from_numpy(features).flatten(2), torch.from_numpy(labels).long().flatten(1)
        pooled = torch.zeros(features.shape[:2] + (n_superpixels,))
        return pooled.scatter_reduce_(2, index[:, None].expand(features.shape), features, 'mean',
                                      include_self=False).numpy()
    return [forward, _torch_gradient]


def torch_scatter_add(workload, n_superpixels, threads):
    import torch

    def forward(features, labels):
        features, index = torch.from_numpy(features).flatten(2), torch.from_numpy(labels).long().flatten(1)
        pooled = torch.zeros(features.shape[:2] + (n_superpixels,))
        pooled.scatter_add_(2, index[:, None].expand(features.shape), features)
        sizes = torch.zeros(len(index), n_superpixels).scatter_add_(1, index, torch.ones(index.shape))
        return pooled.div_(sizes.clamp_(min=1)[:, None]).numpy()
    return [forward, _torch_gradient]


def tensorflow_segment_mean(workload, n_superpixels, threads):
    import tensorflow as tf

    @tf.function
    def forward(features, labels):
        rows = tf.reshape(tf.transpose(features, (0, 2, 3, 1)), (-1, workload.channels))
        index = labels + n_superpixels * tf.range(workload.batch, dtype=tf.int32)[:, None, None]
        means = tf.math.unsorted_segment_mean(rows, tf.reshape(index, (-1,)), workload.batch * n_superpixels)
        return tf.transpose(tf.reshape(means, (workload.batch, n_superpixels, workload.channels)), (0, 2, 1))

    @tf.function
    def gradient(upstream, features, labels):
        with tf.GradientTape() as tape:
            tape.watch(features)
            pooled = forward(features, labels)
        return tape.gradient(pooled, features, upstream)

    def as_tensors(function):
        return lambda *arrays: function(*[tf.convert_to_tensor(array) for array in arrays]).numpy()
    return [as_tensors(forward), lambda *arrays: [as_tensors(gradient)(*arrays)]]


def jax_on_device(n_superpixels):
    """Return forward and gradient, compiled, on JAX arrays; unlike in the other pairs, the gradient is not a list."""
    import jax
    import jax.numpy as jnp

    def pool_image(image, label):
        rows, label = image.reshape(len(image), -1).T, label.ravel()
        sums = jax.ops.segment_sum(rows, label, n_superpixels)
        sizes = jax.ops.segment_sum(jnp.ones(label.size, 'float32'), label, n_superpixels)
        return (sums / jnp.maximum(sizes, 1)[:, None]).T

    pool = jax.vmap(pool_image)
    return jax.jit(pool), jax.jit(
        lambda upstream, features, labels: jax.vjp(lambda x: pool(x, labels), features)[1](upstream)[0])


def jax_segment_sum(workload, n_superpixels, threads):
    forward, gradient = jax_on_device(n_superpixels)
    return [lambda *arrays: np.asarray(forward(*arrays)), lambda *arrays: [np.asarray(gradient(*arrays))]]


def torch_index_add_channels_last(workload, n_superpixels, threads):
    import torch

    def rows_of(labels):
        index = torch.from_numpy(labels).long().flatten(1)
        return (index + n_superpixels * torch.arange(len(index))[:, None]).flatten()

    def sizes_of(index):
        return torch.zeros(workload.batch * n_superpixels).index_add_(0, index, torch.ones(index.shape)).clamp_(min=1)

    def forward(features, labels):
        rows, index = torch.from_numpy(features.transpose(0, 2, 3, 1)).flatten(0, 2), rows_of(labels)
        pooled = torch.zeros(workload.batch * n_superpixels, rows.shape[1]).index_add_(0, index, rows)
        return pooled.div_(sizes_of(index)[:, None]).view(workload.batch, n_superpixels, -1).numpy().transpose(0, 2, 1)

    def gradient(upstream, features, labels):
        index = rows_of(labels)
        values = torch.from_numpy(upstream).transpose(1, 2).flatten(0, 1) / sizes_of(index)[:, None]
        painted = torch.index_select(values, 0, index).view(labels.shape + (-1,))
        return [painted.numpy().transpose(0, 3, 1, 2)]
    return [forward, gradient]


def numpy_take_channels_last(workload, n_superpixels, threads):
    """np.add.reduceat on pixels sorted by label; its gradient is np.take."""
    def rows_of(labels):
        batch = len(labels)
        return (labels.reshape(batch, -1) + n_superpixels * np.arange(batch, dtype='int32')[:, None]).ravel()

    def sizes_of(index):
        return np.maximum(np.bincount(index, minlength=workload.batch * n_superpixels), 1).astype('float32')

    def forward(features, labels):
        rows, index = features.transpose(0, 2, 3, 1).reshape(-1, workload.channels), rows_of(labels)
        order = np.argsort(index, kind='stable')
        present, starts = np.unique(index[order], return_index=True)
        pooled = np.zeros((workload.batch * n_superpixels, workload.channels), 'float32')
        pooled[present] = np.add.reduceat(rows[order], starts, axis=0)
        pooled /= sizes_of(index)[:, None]
        return pooled.reshape(workload.batch, n_superpixels, -1).transpose(0, 2, 1)

    def gradient(upstream, features, labels):
        index = rows_of(labels)
        values = upstream.transpose(0, 2, 1).reshape(-1, workload.channels) / sizes_of(index)[:, None]
        return [np.take(values, index, axis=0).reshape(labels.shape + (-1,)).transpose(0, 3, 1, 2)]
    return [forward, gradient]


#: [(name, function that makes the pair)], for features with channels first,
CHANNELS_FIRST = [
    ('numba loop', numba_loop),
    ('scipy.sparse product', scipy_sparse),
    ('PyTorch index_add_', torch_index_add),
    ('PyTorch scatter_add_', torch_scatter_add),
    ('PyTorch scatter_reduce_', torch_scatter_reduce),
    ('TensorFlow unsorted_segment_mean', tensorflow_segment_mean),
    ('JAX segment_sum', jax_segment_sum),
]
#: and with channels last.
CHANNELS_LAST = [
    ('numba loop', numba_loop_channels_last),
    ('np.add.reduceat, np.take', numpy_take_channels_last),
    ('PyTorch index_add_', torch_index_add_channels_last),
]
