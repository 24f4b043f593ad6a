"""Mean pooling and its gradient on a GPU, compared in GB/s with the card's own copy: ``make bench-gpu DEVICE=cuda``.

``PEERS=python3`` names a Python with PyTorch or JAX for the same card: they take turns with ours (``gpu_peers.py``).
"""
import collections
import datetime
import json
import os
import random
import subprocess
import tempfile
import time

# Before theano, which it may have to repair.
from theano_spp import superpixel_pool

import click
import numpy as np
import pygpu
import theano
import theano.tensor as T
from theano.gpuarray.type import gpuarray_shared_constructor
from tqdm import tqdm

from .report import write
from .workloads import WORKLOADS, make

ROUNDS, MEGABYTE = 15, 1e6


class Peers:
    """The other libraries, in a separate process that waits for its turns."""

    def __init__(self, python):
        self._process = subprocess.Popen([python, '-m', 'benchmarks.gpu_peers'], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, universal_newlines=True)

    def _ask(self, command):
        self._process.stdin.write(command + '\n')
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def versions(self):
        return self._ask('versions')

    def prepare(self, **arrays):
        """Return the names of the candidates that can be timed on these arrays."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'arrays.npz')
            np.savez(path, **arrays)
            return self._ask('prepare ' + path)

    def seconds(self, name):
        """Return the seconds that forward and gradient took."""
        return self._ask('time ' + name)


class Ours:
    """Pooling, its gradient, and the copy of the features; the arrays are on the device."""

    def __init__(self, features, labels, n):
        x, m = [gpuarray_shared_constructor(array, target=None) for array in (features, labels)]
        self.upstream = np.random.RandomState(1).standard_normal(features.shape[:2] + (n,)).astype('float32')
        upstream = gpuarray_shared_constructor(self.upstream, target=None)
        pooled = superpixel_pool(x, m, n)
        self.forward = theano.function([], pooled.transfer(None))
        self.gradient = theano.function([], T.Lop(pooled, x, upstream).transfer(None))
        self._source = x.get_value(borrow=True, return_internal_type=True)
        self._target = pygpu.empty(self._source.shape, self._source.dtype, context=self._source.context)

    def copy(self):
        self._target[...] = self._source
        return self._target

    def seconds(self):
        """Return the seconds that forward and gradient took, until the device had finished."""
        return [_seconds(call) for call in (self.forward, self.gradient)]


def _seconds(call):
    start = time.perf_counter()
    call().sync()
    return time.perf_counter() - start


def measure(workload, peers):
    """Return bytes of the features, median seconds of the copy, and name -> those of (forward, gradient)."""
    features, labels, n = make(workload)
    ours = Ours(features, labels, n)
    contenders = {'theano_spp': ours.seconds}
    if peers is not None:
        names = peers.prepare(features=features, labels=labels, n_superpixels=n, upstream=ours.upstream,
                              pooled=np.asarray(ours.forward()), gradient=np.asarray(ours.gradient()))
        contenders.update((name, lambda name=name: peers.seconds(name)) for name in names)
    copies, seconds = [], collections.defaultdict(list)
    for _ in range(ROUNDS):
        for name in random.sample(sorted(contenders), len(contenders)):
            contenders[name]()  # brings its data into the caches
            seconds[name].append(contenders[name]())
        _seconds(ours.copy)
        copies.append(_seconds(ours.copy))
    return features.nbytes, np.median(copies), {name: np.median(seconds[name], axis=0) for name in contenders}


def table_rows(workload, peers):
    """Yield the rows of the table for a workload."""
    size, copy, medians = measure(workload, peers)
    yield '| **%s** | copy: %.3f ms, %.0f GB/s | | | | | | |' % (workload.name, 1e3 * copy, 2 * size / copy / 1e9)
    ours = medians['theano_spp']
    for name, both in medians.items():
        cells = [cell for seconds, own in zip(both, ours) for cell in
                 ('%.3f' % (1e3 * seconds), '%.0f' % (size / seconds / 1e9), '%.2f' % (seconds / own))]
        yield '| %.0f MB | %s | %s |' % (size / MEGABYTE, name, ' | '.join(cells))


@click.command()
@click.option('--peers', 'python', metavar='PYTHON', help='A Python that has PyTorch or JAX for the same card.')
def main(python):
    """Time mean pooling on the device of THEANO_FLAGS and write a table to benchmarks/results/."""
    context = theano.gpuarray.get_context(None)
    peers = Peers(python) if python else None
    peer_versions = ' In a process of their own: %s.' % peers.versions() if peers else ''
    rows = [row for workload in tqdm(WORKLOADS, unit='workload') for row in table_rows(workload, peers)]
    write(['# Mean pooling on a GPU, %s' % datetime.date.today().isoformat(), '',
           'Device: %s (%s). Theano %s, pygpu %s.%s' % (context.devname, theano.config.device, theano.__version__,
                                                        pygpu.__version__, peer_versions),
           'float32, channels first, superpixels by SLIC from photographs of scikit-image (W6: random, W7: one'
           ' superpixel); medians of %d rounds in shuffled order, the arrays on the device, until the device has'
           ' finished. GB/s: the features read once, or written once; the copy does both. Ours sorts and checks its'
           ' labels, int32, in every call; those of PyTorch are converted to int64 beforehand. Gradients of PyTorch are'
           ' those of autograd, which keeps what it computed forward.' % ROUNDS, '',
           '| workload | | forward ms | GB/s | of ours | gradient ms | GB/s | of ours |',
           '|---|' + '---|' * 7] + rows, '-gpu')


if __name__ == '__main__':
    main()
