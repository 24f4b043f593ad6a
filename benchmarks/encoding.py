"""How many images a second `spn encode` computes features of, beside the matrix products alone that they are made of:
``python -m benchmarks.encoding``.

A convolution is a matrix product with the pixels under each kernel laid out side by side; what is not in the products
is that layout, biases, maxima, pooling, and Theano.
"""
import datetime
import os
import random
import time

from . import threads  # before NumPy

threads.use(os.cpu_count())

# Before keras: it chooses Keras's Theano backend.
from spn.networks.encoder import BLOCKS, Encoder

import numpy as np
from theano_spp import compile_in_parallel, keep_memory
from tqdm import tqdm

from .report import machine, write

SIZES, ROUNDS, BATCH = (224, 288), 5, 4


def products(side):
    """Return a callable that computes the matrix products of VGG16's thirteen convolutions on BATCH images."""
    pairs, channels = [], 3
    for block, (n, width) in enumerate(BLOCKS):
        pixels = (side // 2 ** block) ** 2
        for _ in range(n):
            pairs.append([np.ones(shape, 'float32') for shape in ((width, 9 * channels), (9 * channels, pixels))])
            channels = width

    def multiply():
        for _ in range(BATCH):
            for kernels, pixels in pairs:
                np.dot(kernels, pixels)
    return multiply, 2e-9 * sum(a.shape[0] * a.shape[1] * b.shape[1] for a, b in pairs)


def main():
    compile_in_parallel()
    keep_memory()
    encoder = Encoder('random')
    rows = ['| image | GFLOP of an image | encoder: images a second | products alone: images a second, GFLOP/s |'
            ' the encoder of it |', '|---|' + '---|' * 4]
    for side in tqdm(SIZES, unit='size'):
        images = np.random.RandomState(0).randint(0, 255, (BATCH, side, side, 3)).astype('uint8')
        multiply, gflop = products(side)
        calls = {'encoder': lambda images=images: encoder(images), 'products': multiply}
        seconds = {name: [] for name in calls}
        for turn in range(ROUNDS + 1):
            for name in random.sample(sorted(calls), len(calls)):
                start = time.perf_counter()
                calls[name]()
                if turn:  # the first one compiles
                    seconds[name].append(time.perf_counter() - start)
        ours, limit = [BATCH / np.median(seconds[name]) for name in ('encoder', 'products')]
        rows.append('| %d x %d | %.1f | %.2f | %.2f, %.0f | %.0f %% |' % (
            side, side, gflop, ours, limit, limit * gflop, 100 * ours / limit))
    write(['# Encoding images by VGG16, %s' % datetime.date.today().isoformat(), '', machine(),
           'Batches of %d images, float32, random weights; medians of %d rounds in turns. The products are NumPy\'s, by'
           ' the BLAS inside its wheel.' % (BATCH, ROUNDS), ''] + rows, '-encoding')


if __name__ == '__main__':
    main()
