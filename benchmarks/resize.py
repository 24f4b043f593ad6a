"""Features coarser than the superpixel map: three designs side by side. Run ``python -m benchmarks.resize``.

Ours reads the sparse cell weights. The alternatives are a product of the features with the dense matrix of
`superpixel_overlap`, and what one would write without this package: resize, then pool. They take turns in one process,
in another order each round.
"""
import datetime
import random
import sys

from . import threads
threads.use(2)

# Before theano, which it may have to repair.
from theano_spp import SuperpixelExtremum, superpixel_overlap, superpixel_pool
from theano_spp.ops.resized import SuperpixelOverlapPool

import click
import numpy as np
import theano.tensor as T
from tqdm import tqdm

from . import naive
from .measure import bind, check, compiled, medians, peak_memory
from .report import machine, write
from .workloads import superpixels

ROUNDS = 7
CHANNELS = 512
#: VGG16's features at strides 16 and 8 (cells), the images of the paper and of PASCAL VOC (pixels).
SIZES = [(cells, pixels, n) for cells in (20, 40) for pixels in (320, 500) for n in (200, 1000)]


def ours(x, m, n, cells, pixels, mode, kind, openmp=False):
    if mode in SuperpixelExtremum.modes:
        return SuperpixelExtremum(mode, kind, openmp)(x, m, n)[0]
    return SuperpixelOverlapPool(mode, kind, openmp)(x, m, n)


def ours_on_two_threads(*arguments):
    return ours(*arguments, openmp=True)


def overlap_matrix(x, m, n, cells, pixels, mode, kind):
    matrix = superpixel_overlap(m, n, (cells, cells), kind, mode)
    return T.batched_dot(x.flatten(3), matrix.flatten(3).dimshuffle(0, 2, 1))


def resize_then_pool(x, m, n, cells, pixels, mode, kind):
    return superpixel_pool(naive.resize(x, cells, pixels, kind), m, n, mode)


DESIGNS = [('ours, 1 thread', ours), ('ours, 2 threads', ours_on_two_threads),
           ('overlap matrix, BLAS on 2 threads', overlap_matrix),
           ('resize, then pool, BLAS on 2 threads', resize_then_pool)]


def designs(mode):
    return [(name, design) for name, design in DESIGNS if design is not overlap_matrix or mode in ('mean', 'sum')]


def measure(size, mode, kind, progress):
    """Return the number of superpixels, {name: (forward, gradient)}, medians in milliseconds, and {name: megabytes}."""
    cells, pixels, n = size
    labels = superpixels(1, pixels, pixels, n)
    n = int(labels.max()) + 1
    features = np.random.RandomState(0).standard_normal((1, CHANNELS, cells, cells)).astype('float32')
    x, m = T.ftensor4(), T.itensor3()
    both = bind({name: compiled([x, m], design(x, m, n, cells, pixels, mode, kind)) for name, design in designs(mode)},
                 [features, labels])
    # With float32 weights another pixel of a plateau may become the argmax pixel.
    check(both, gradients=mode in ('mean', 'sum'))
    return n, medians(both, ROUNDS, progress), peak_memory(both)


@click.command()
@click.option('--mode', 'modes', multiple=True, default=('mean', 'max'), show_default=True)
def main(modes):
    """Time the designs for features coarser than the superpixel map, and write a table."""
    random.seed(0)
    report = ['# Features coarser than the superpixel map, %s' % datetime.date.today().isoformat(), '', machine(),
              'float32, one image, %d channels, labels by SLIC from a photograph; medians of %d rounds in shuffled'
              ' order; gradient: for a given upstream, with what the graph recomputes for it; memory: the peak of both'
              ' beyond their inputs.' % (CHANNELS, ROUNDS)]
    cases = [(mode, kind) for mode in modes for kind in ('nearest', 'bilinear')]
    with tqdm(total=ROUNDS * len(cases) * len(SIZES), unit='round', file=sys.stderr) as progress:
        for mode, kind in cases:
            names = [name for name, _ in designs(mode)]
            report += ['', '## %s, %s' % (mode, kind), '',
                       '| cells | pixels | superpixels | ' + ' | '.join(
                           '%s: forward, gradient (ms), memory (MB)' % name for name in names) + ' |',
                       '|---|---|---|' + '---|' * len(names)]
            for size in SIZES:
                progress.set_description('%s %s %s' % (mode, kind, size))
                n, times, memory = measure(size, mode, kind, progress)
                row = ['%.2f, %.2f, %.0f' % (tuple(times[name]) + (memory[name],)) for name in names]
                report.append('| %d x %d | %d x %d | %d | ' % (size[0], size[0], size[1], size[1], n)
                              + ' | '.join(row) + ' |')
    write(report, '-resize')


if __name__ == '__main__':
    main()
