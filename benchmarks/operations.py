"""Every operation, compared with what one would write without it: run ``python -m benchmarks.operations``.

The sizes are those of VGG16. Both take turns in one process, on one thread, in another order each round.
"""
import collections
import datetime
import functools
import itertools
import os
import random
import sys

from . import threads
threads.use(1)

# Before theano, which it may have to repair.
import theano_spp
from theano_spp import (superpixel_adjacency, superpixel_centroids, superpixel_overlap, superpixel_pool,
                        superpixel_sizes, superpixel_unpool)

import click
import numpy as np
import theano
import theano.tensor as T
from tqdm import tqdm

from . import naive
from .measure import bind, check, compiled, medians, peak_memory
from .report import machine, write
from .workloads import superpixels

ROUNDS, QUICK_ROUNDS = 7, 1
CHANNELS = 512
SUPERPIXELS = 200
PIXELS = 160
#: With `resize`: features of stride 8.
CELLS, FINE_PIXELS = 40, 320

Operation = collections.namedtuple('Operation', 'name inputs pixels ours naive how')


def weighted_pool(features, weights, labels, n, mode):
    return superpixel_pool(features, labels, n, mode, weights)


def resize_then_pool(features, labels, n, mode, resize):
    return superpixel_pool(naive.resize(features, CELLS, FINE_PIXELS, resize), labels, n, mode)


def unpool(pooled, labels, n, mode, resize=None):
    return superpixel_unpool(pooled, labels, mode, resize, (CELLS, CELLS) if resize else None)


def unpool_then_resize(pooled, labels, n, mode, resize):
    return naive.resize_adjoint(superpixel_unpool(pooled, labels, mode), CELLS, FINE_PIXELS, resize)


# By the name of the package, so that benchmarks.versions can leave out what an older version lacks.
def softmax(features, labels, n):
    return theano_spp.superpixel_softmax(features, labels, n)


def normalize(features, labels, n):
    return theano_spp.superpixel_normalize(features, labels, n)


def overlap(labels, n, resize):
    return superpixel_overlap(labels, n, (CELLS, CELLS), resize)


def one_hot_overlap(labels, n, resize):
    return naive.overlap(labels, n, CELLS, FINE_PIXELS, resize)


def operations():
    """Return an Operation for each row: `ours` and `naive` take the inputs, labels and the number of superpixels."""
    rows = []

    def add(name, inputs, ours, other, how, pixels=PIXELS, **options):
        rows.append(Operation('`%s`' % name.format(**options), inputs, pixels,
                              functools.partial(ours, **options), functools.partial(other, **options), how))

    by_index, kinds = 'inc_subtensor on flat indices', ('nearest', 'bilinear')
    for mode in ('mean', 'sum'):
        add("superpixel_pool(mode='{mode}')", ['features'], superpixel_pool, naive.pool, by_index, mode=mode)
    for mode in ('max', 'min'):
        add("superpixel_pool(mode='{mode}')", ['features'], superpixel_pool, naive.extremum,
            'pixels sorted by label, padded to the largest superpixel', mode=mode)
    for mode in ('mean', 'sum'):
        add("superpixel_pool(mode='{mode}', pixel_weights=w)", ['features', 'weights'], weighted_pool,
            naive.weighted_pool, 'product, ' + by_index, mode=mode)
    for mode, resize in itertools.product(('mean', 'sum', 'max', 'min'), kinds):
        add("superpixel_pool(mode='{mode}', resize='{resize}')", ['cells'], superpixel_pool, resize_then_pool,
            'resize, `superpixel_pool`', FINE_PIXELS, mode=mode, resize=resize)
    for mode in ('var', 'std', 'logsumexp'):
        add("superpixel_pool(mode='{mode}')", ['features'], superpixel_pool, naive.composite_pool,
            'the formula, inc_subtensor and subtensor of flat indices', mode=mode)
    add('superpixel_softmax', ['features'], softmax, naive.softmax,
        'the formula, inc_subtensor and subtensor of flat indices')
    add('superpixel_normalize', ['features'], normalize, naive.normalize,
        'the formula, inc_subtensor and subtensor of flat indices')
    for mode in ('sum', 'mean'):
        add("superpixel_unpool(mode='{mode}')", ['pooled'], unpool, naive.unpool, 'subtensor of flat indices',
            mode=mode)
    for mode, resize in itertools.product(('sum', 'mean'), kinds):
        add("superpixel_unpool(mode='{mode}', resize='{resize}')", ['pooled'], unpool, unpool_then_resize,
            '`superpixel_unpool`, adjoint of resize', FINE_PIXELS, mode=mode, resize=resize)
    for resize in kinds:
        add("superpixel_overlap(resize='{resize}')", [], overlap, one_hot_overlap, 'one-hot labels, adjoint of resize',
            FINE_PIXELS, resize=resize)
    add('superpixel_sizes', [], superpixel_sizes, naive.sizes, by_index)
    add('superpixel_centroids', [], superpixel_centroids, naive.centroids, by_index)
    add('superpixel_adjacency', None, superpixel_adjacency, naive.adjacency, 'np.unique of pairs of pixels')
    return rows


def make_input(name, n):
    """Return an input of an operation, float32."""
    rng = np.random.RandomState(0)
    if name == 'weights':  # not around 0: division by a sum near 0 would leave only rounding errors
        return rng.uniform(.5, 1.5, (1, PIXELS, PIXELS)).astype('float32')
    spatial = {'features': (PIXELS, PIXELS), 'cells': (CELLS, CELLS), 'pooled': (n,)}[name]
    return rng.standard_normal((1, CHANNELS) + spatial).astype('float32')


def functions(graph, values, n):
    """Compile forward and gradient of a graph for inputs like `values`, the last of which are the labels."""
    variables = [T.TensorType(value.dtype, (False,) * value.ndim)() for value in values]
    return compiled(variables, graph(*variables, n))


def measure(operation, rounds, progress):
    """Return the cells of a row."""
    labels = superpixels(1, operation.pixels, operation.pixels, SUPERPIXELS)
    n = int(labels.max()) + 1
    ways = {'ours': operation.ours, 'naive': operation.naive}
    if operation.inputs is None:  # in NumPy
        both = bind({name: [way] for name, way in ways.items()}, [labels])
    else:
        values = [make_input(name, n) for name in operation.inputs] + [labels]
        both = bind({name: functions(way, values, n) for name, way in ways.items()}, values)
    check(both)
    times, memory = medians(both, rounds, progress), peak_memory(both)
    cells = [operation.name]
    for name in ways:
        milliseconds = ['%.2f' % time for time in times[name]]
        cells += milliseconds + ['-'] * (2 - len(milliseconds)) + ['%.0f' % memory[name]]
    return cells + [operation.how]


@click.command()
@click.option('--quick', is_flag=True, help='One round: to see that it works.')
def main(quick):
    """Time every operation and write a table to benchmarks/results/."""
    random.seed(0)
    rounds = QUICK_ROUNDS if quick else ROUNDS
    blas = int(os.environ['OMP_NUM_THREADS'])
    report = ['# Every operation, %s' % datetime.date.today().isoformat(), '', machine(),
              'Threads: BLAS %d, ours %d.' % (blas, blas if theano.config.openmp else 1),
              'float32, int32 labels by SLIC from a photograph, one image, %d channels. With resize: features %d x %d,'
              ' map %d x %d; else both %d x %d; about %d superpixels.' % (
                  CHANNELS, CELLS, CELLS, FINE_PIXELS, FINE_PIXELS, PIXELS, PIXELS, SUPERPIXELS),
              'Medians of %d rounds in shuffled order. Backward: the gradients for all inputs of floats for a given'
              ' upstream, with what the graph recomputes for them; - if there is none. Memory: the peak of forward and'
              ' backward, one after the other, beyond their inputs. Naive: Theano without this package or, where it'
              ' says resize, the features resized by two matrix products.' % rounds, '',
              '| operation | ours: forward ms | backward ms | memory MB | naive: forward ms | backward ms | memory MB'
              ' | naive is |', '|---|---|---|---|---|---|---|---|']
    rows = operations()
    with tqdm(total=rounds * len(rows), unit='round', file=sys.stderr) as progress:
        for operation in rows:
            progress.set_description(operation.name)
            report.append('| %s |' % ' | '.join(measure(operation, rounds, progress)))
    write(report, '-operations-quick' if quick else '-operations')


if __name__ == '__main__':
    main()
