"""Mean and maximum and their gradients on a GPU, in GB/s beside the card's own copy: ``make bench-gpu DEVICE=cuda``.

``PEERS=python3`` names a Python with PyTorch or JAX for the same card: they take turns with ours (``gpu_peers.py``).
"""
import collections
import datetime
import functools
import json
import os
import random
import subprocess
import tempfile
import time

# Before theano, which it may have to repair.
from theano_spp.ops.max_min import PutPixels, SuperpixelExtremum
from theano_spp.ops.mean_sum import SuperpixelPool, SuperpixelUnpool

import click
import numpy as np
import pygpu
import theano
import theano.tensor as T
from theano.gpuarray.type import gpuarray_shared_constructor
from tqdm import tqdm

from theano_spp.gpuarray.labels import GpuSortedPixels
from theano_spp.gpuarray.max_min import GpuSuperpixelExtremum
from theano_spp.gpuarray.mean_sum import GpuSuperpixelPool, GpuSuperpixelUnpool

from .gpu_tiles import Tiles
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


MEAN, MEAN_KNOWN, MAX, MAX_KNOWN, TILES = OURS = (
    'theano_spp', 'the same, labels known', 'theano_spp, maximum', 'the same, labels known (gradient: as above)',
    'another design of the mean, square tiles, labels known')


class Ours:
    """What is measured of ours, and the copy of the features; the arrays are on the device.

    Attributes
    ----------
    calls : dict
        One of `OURS` -> (forward, gradient). Where labels are known, only features are looked at: the share of a second
        pooling of one map. The gradient of the maximum is given the argmax pixels.
    """

    def __init__(self, features, labels, n):
        x, m = [_on_device(array) for array in (features, labels)]
        self.upstream = np.random.RandomState(1).standard_normal(features.shape[:2] + (n,)).astype('float32')
        upstream = _on_device(self.upstream)
        order, starts, sizes = map(_on_device, _results(GpuSortedPixels('SuperpixelPool')(m, T.constant(n))))
        argmax = _on_device(_results([SuperpixelExtremum('max')(x, m, n)[1]])[0])
        spatial = features.shape[2:]
        put = PutPixels()(upstream, argmax, spatial, spatial)
        variables = {
            MEAN: (SuperpixelPool('mean')(x, m, n), SuperpixelUnpool('mean')(upstream, m)),
            MEAN_KNOWN: (GpuSuperpixelPool(SuperpixelPool('mean'))(x, m, n, order, starts),
                         GpuSuperpixelUnpool(SuperpixelUnpool('mean'))(upstream, m, sizes)),
            MAX: (SuperpixelExtremum('max')(x, m, n)[0], put),
            MAX_KNOWN: (GpuSuperpixelExtremum(SuperpixelExtremum('max'))(x, m, n, order, starts)[0], put)}
        self.calls = {name: [theano.function([], each.transfer(None)) for each in both]
                      for name, both in variables.items()}
        source = x.get_value(borrow=True, return_internal_type=True)
        self.calls[TILES] = [Tiles(source, labels, n), None]
        for call, rtol in ((self.calls[MEAN_KNOWN][0], 0), (self.calls[TILES][0], 1e-5)):
            right = np.asarray(self.calls[MEAN][0]())
            np.testing.assert_allclose(np.asarray(call()), right, rtol, rtol * np.abs(right).max())
        self._source = source
        self._target = pygpu.empty(self._source.shape, self._source.dtype, context=self._source.context)

    def copy(self):
        self._target[...] = self._source
        return self._target

    def seconds(self, name):
        """Return the seconds that forward and gradient took, until the device had finished."""
        return [_seconds(call) if call is not None else np.nan for call in self.calls[name]]


def _on_device(array):
    return gpuarray_shared_constructor(array, target=None)


def _results(variables):
    return [np.asarray(result) for result in theano.function([], variables)()]


def _seconds(call):
    start = time.perf_counter()
    call().sync()
    return time.perf_counter() - start


def measure(workload, peers):
    """Return bytes of the features, median seconds of the copy, and name -> those of (forward, gradient)."""
    features, labels, n = make(workload)
    ours = Ours(features, labels, n)
    contenders = {name: functools.partial(ours.seconds, name) for name in OURS}
    if peers is not None:
        pooled, gradient = [np.asarray(call()) for call in ours.calls[MEAN]]
        names = peers.prepare(features=features, labels=labels, n_superpixels=n, upstream=ours.upstream, pooled=pooled,
                              gradient=gradient)
        contenders.update((name, functools.partial(peers.seconds, name)) for name in names)
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
    ours = medians[MEAN]
    for name, both in medians.items():
        cells = [cell for seconds, own in zip(both, ours) for cell in (
            ('%.3f' % (1e3 * seconds), '%.0f' % (size / seconds / 1e9), '%.2f' % (seconds / own))
            if seconds == seconds else ('', '', ''))]
        yield '| %.0f MB | %s | %s |' % (size / MEGABYTE, name, ' | '.join(cells))


@click.command()
@click.option('--peers', 'python', metavar='PYTHON', help='A Python that has PyTorch or JAX for the same card.')
@click.option('--only', 'names', multiple=True, type=click.Choice([workload.name for workload in WORKLOADS]),
              help='A workload; all if none is named.')
def main(python, names):
    """Time mean pooling on the device of THEANO_FLAGS and write a table to benchmarks/results/."""
    context = theano.gpuarray.get_context(None)
    peers = Peers(python) if python else None
    peer_versions = ' In a process of their own: %s.' % peers.versions() if peers else ''
    workloads = [workload for workload in WORKLOADS if not names or workload.name in names]
    rows = [row for workload in tqdm(workloads, unit='workload') for row in table_rows(workload, peers)]
    write(['# Mean pooling on a GPU, %s' % datetime.date.today().isoformat(), '',
           'Device: %s (%s). Theano %s, pygpu %s.%s' % (context.devname, theano.config.device, theano.__version__,
                                                        pygpu.__version__, peer_versions),
           'float32, channels first, superpixels by SLIC from photographs of scikit-image (W6: random, W7: one'
           ' superpixel); medians of %d rounds in shuffled order, the arrays on the device, until the device has'
           ' finished. GB/s: the features read once, or written once; the copy does both. Ours checks its labels,'
           ' int32, and sorts or counts them in every call, unless they are known; those of PyTorch are converted to'
           ' int64 beforehand. Gradients of PyTorch are those of autograd, which keeps what it computed forward, but'
           ' for its compiled gather, CSR product and Triton, which start from the labels.' % ROUNDS, '',
           '| workload | | forward ms | GB/s | of ours | gradient ms | GB/s | of ours |',
           '|---|' + '---|' * 7] + rows, '-gpu')


if __name__ == '__main__':
    main()
