"""The share of superpixel pooling in a training step of a Keras model: ``python -m benchmarks.training``.

The convolutions of VGG16 on a photograph, its features pooled by the superpixels of the photograph in two ways: at the
features' own size, and with ``resize='bilinear'`` at the size of the photograph, as in the paper; then a dense layer.
"""
import collections
import datetime
import time

from . import threads  # before NumPy

threads.use(1)

# Before keras: it chooses Keras's Theano backend.
from keras_layer import SuperpixelPooling2D
from theano_spp import keep_memory

import keras
import numpy as np
import theano
from keras import backend, layers, models
from tqdm import tqdm

from .report import machine, write
from .workloads import superpixels

theano.config.floatX = 'float32'
backend.set_image_data_format('channels_first')
BATCH, SIDE, SUPERPIXELS, CLASSES, STEPS = 1, 224, 200, 21, 5
VGG16 = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))

#: Seconds until the first step is done, from the beginning of the model on; of a later step; {op: its share of a later
#: step} for our ops.
Steps = collections.namedtuple('Steps', 'first later ours')


def model(resize, blocks):
    """Return a compiled model: (image, superpixel map) -> a class for each superpixel."""
    image = layers.Input((3, SIDE, SIDE))
    features = image
    for block, (convolutions, channels) in enumerate(VGG16[:blocks]):
        for _ in range(convolutions):
            features = layers.Conv2D(channels, 3, padding='same', activation='relu')(features)
        if block < blocks - 1:
            features = layers.MaxPooling2D()(features)
    side = SIDE if resize else SIDE // 2 ** (blocks - 1)
    superpixel_map = layers.Input((side, side), dtype='int32')
    pooled = SuperpixelPooling2D(SUPERPIXELS, resize=resize)([features, superpixel_map])
    scores = layers.Dense(CLASSES, activation='softmax')(layers.Permute((2, 1))(pooled))
    network = models.Model([image, superpixel_map], scores)
    network.compile('sgd', 'categorical_crossentropy', profile=True)
    return network, side


def steps(resize, blocks, batch=BATCH):
    """Return the `Steps` of training."""
    start = time.perf_counter()
    network, side = model(resize, blocks)
    first = time.perf_counter() - start
    rng = np.random.RandomState(0)
    images = rng.standard_normal((batch, 3, SIDE, SIDE)).astype('float32')
    labels = superpixels(batch, side, side, SUPERPIXELS) % SUPERPIXELS
    targets = np.eye(CLASSES, dtype='float32')[rng.randint(CLASSES, size=(batch, SUPERPIXELS))]
    start = time.perf_counter()
    network.train_on_batch([images, labels], targets)
    first += time.perf_counter() - start
    profile = network.train_function.function.profile
    before = collections.Counter(_seconds_of_ops(profile))
    start = time.perf_counter()
    for _ in range(STEPS):
        network.train_on_batch([images, labels], targets)
    later = (time.perf_counter() - start) / STEPS
    return Steps(first, later, {op: (total - before[op]) / STEPS for op, total in _seconds_of_ops(profile).items()})


def _seconds_of_ops(profile):
    """name -> seconds, only of our ops."""
    seconds = collections.Counter()
    for key, total in profile.apply_time.items():
        node = key[-1] if isinstance(key, tuple) else key
        if type(node.op).__module__.startswith('theano_spp'):
            seconds[type(node.op).__name__] += total
    return seconds


def main():
    keep_memory()
    rows = ['| convolutions of | features | pooled | training step ms | ours ms | of the step | our ops |',
            '|---|' + '---|' * 6]
    for blocks, resize in tqdm([(3, None), (3, 'bilinear'), (5, None), (5, 'bilinear')], unit='model'):
        _, seconds, ops = steps(resize, blocks)
        side = SIDE // 2 ** (blocks - 1)
        rows.append('| VGG16, %d blocks | %d x %d x %d | %s | %.0f | %.2f | %.2f %% | %s |' % (
            blocks, VGG16[blocks - 1][1], side, side, 'at their own size' if resize is None else 'resize=%r' % resize,
            1e3 * seconds, 1e3 * sum(ops.values()), 100 * sum(ops.values()) / seconds,
            ', '.join('%s %.2f' % (name, 1e3 * time) for name, time in sorted(ops.items()))))
    write(['# Superpixel pooling in a training step of Keras, %s' % datetime.date.today().isoformat(), '', machine(),
           'Keras %s, float32, %d image of 3 x %d x %d, about %d superpixels by SLIC from a photograph of scikit-image;'
           ' means of %d steps; what an op takes is from Theano\'s own profile.' % (
               keras.__version__, BATCH, SIDE, SIDE, SUPERPIXELS, STEPS), ''] + rows, '-training')


if __name__ == '__main__':
    main()
