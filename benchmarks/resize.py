"""Features coarser than the superpixel map: three designs side by side. Run ``python -m benchmarks.resize``.

Ours walks what each cell feeds; beside it the same as a product of the features with the dense matrix of
`superpixel_overlap`, and what one would write without either: resize, then pool. They take turns in one process,
in another order each round; peak memory is that of a process of its own for each.
"""
import datetime
import json
import os
import random
import subprocess
import sys

os.environ.setdefault('OMP_NUM_THREADS', '2')  # before NumPy, whose BLAS reads it too

import theano_spp  # noqa: E402, F401: first, for the bridge to a legacy Theano
import click  # noqa: E402
import numpy as np  # noqa: E402
import theano  # noqa: E402
import theano.tensor as T  # noqa: E402
from tqdm import tqdm  # noqa: E402

from theano_spp import SuperpixelExtremum, SuperpixelPool, interpolation, superpixel_overlap  # noqa: E402
from theano_spp.overlap import SuperpixelOverlapPool  # noqa: E402

from .report import machine, seconds, write  # noqa: E402
from .workloads import superpixels  # noqa: E402

ROUNDS = 7
CHANNELS = 512
#: VGG16's features at strides 16 and 8 (cells), the images of the paper and of PASCAL VOC (pixels).
SIZES = [(cells, pixels, n) for cells in (20, 40) for pixels in (320, 500) for n in (200, 1000)]


def _pool(mode, openmp):
    return (lambda x, m, n: SuperpixelExtremum(mode, openmp=openmp)(x, m, n)[0]) if mode in ('max', 'min') else (
        SuperpixelPool(mode, openmp))


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
    """Resized by a matrix product along each axis, faster than indices and above all in the gradient."""
    matrix = interpolation.resize(np.eye(cells)[None], (pixels,), kind)[0].astype('float32')  # (cells, pixels)
    columns = T.tensordot(x, matrix, [[3], [0]])  # (batch, channels, rows of cells, pixels)
    resized = T.tensordot(columns, matrix, [[2], [0]]).dimshuffle(0, 1, 3, 2)
    return _pool(mode, False)(resized, m, n)


DESIGNS = [('ours, 1 thread', ours), ('ours, 2 threads', ours_on_two_threads),
           ('overlap matrix, BLAS on 2 threads', overlap_matrix),
           ('resize, then pool, BLAS on 2 threads', resize_then_pool)]


def designs(mode):
    return [(name, design) for name, design in DESIGNS if design is not overlap_matrix or mode in ('mean', 'sum')]


def compiled(design, n, cells, pixels, mode, kind):
    """The forward function and that of the gradient."""
    x, m, upstream = T.ftensor4(), T.itensor3(), T.ftensor3()
    pooled = design(x, m, n, cells, pixels, mode, kind)
    gradient = T.grad(None, x, known_grads={pooled: upstream})
    return (theano.function([x, m], theano.Out(pooled, borrow=True)),
            theano.function([upstream, x, m], theano.Out(gradient, borrow=True), on_unused_input='ignore'))


def inputs(cells, pixels, n):
    labels = superpixels(1, pixels, pixels, n)
    n = int(labels.max()) + 1
    rng = np.random.RandomState(0)
    return (rng.standard_normal((1, CHANNELS, n)).astype('float32'),
            rng.standard_normal((1, CHANNELS, cells, cells)).astype('float32'), labels, n)


def measure(size, mode, kind):
    """Return the number of superpixels and {name: (forward, gradient)}, medians in milliseconds."""
    cells, pixels, n = size
    upstream, features, labels, n = inputs(cells, pixels, n)
    functions = {name: compiled(design, n, cells, pixels, mode, kind) for name, design in designs(mode)}
    expected = [f(*a) for f, a in zip(functions[DESIGNS[0][0]], ((features, labels), (upstream, features, labels)))]
    for name, (forward, gradient) in functions.items():  # right before fast; and warm
        np.testing.assert_allclose(forward(features, labels), expected[0], rtol=1e-3, atol=1e-4, err_msg=name)
        if mode in ('mean', 'sum'):  # float32 weights may make another pixel of a plateau the winner
            np.testing.assert_allclose(gradient(upstream, features, labels), expected[1], rtol=1e-3, atol=1e-3,
                                       err_msg=name)
    times = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name in random.sample(sorted(functions), len(functions)):
            forward, gradient = functions[name]
            times[name].append((seconds(forward, features, labels), seconds(gradient, upstream, features, labels)))
    return n, {name: 1e3 * np.median(rounds, axis=0) for name, rounds in times.items()}


def peak_memory(name, size, mode, kind):
    """Megabytes that forward and gradient need beyond their inputs, in a process of its own."""
    arguments = json.dumps([name, size, mode, kind])
    return float(subprocess.check_output([sys.executable, '-m', 'benchmarks.resize', '--memory', arguments]))


def _status(field):
    with open('/proc/self/status') as stream:
        return [int(line.split()[1]) for line in stream if line.startswith(field)][0] / 1024.


def print_peak_memory(name, size, mode, kind):
    cells, pixels, n = size
    upstream, features, labels, n = inputs(cells, pixels, n)
    forward, gradient = compiled(dict(DESIGNS)[name], n, cells, pixels, mode, kind)
    with open('/proc/self/clear_refs', 'w') as stream:
        stream.write('5')  # sets the peak back to what is used now
    before = _status('VmRSS')
    forward(features, labels)
    gradient(upstream, features, labels)
    print(_status('VmHWM') - before)


@click.command()
@click.option('--memory', hidden=True, help='Print the peak memory of one design.')
@click.option('--mode', 'modes', multiple=True, default=('mean', 'max'), show_default=True)
def main(memory, modes):
    """Time the designs for features coarser than the superpixel map, and write a table."""
    if memory:
        return print_peak_memory(*json.loads(memory))
    random.seed(0)
    report = ['# Features coarser than the superpixel map, %s' % datetime.date.today().isoformat(), '', machine(),
              'float32, one image, %d channels, labels by SLIC from a photograph; medians of %d rounds in shuffled'
              ' order; gradient: for a given upstream, with what the graph computes again for it; memory: the most that'
              ' both need beyond their inputs, for bilinear.' % (CHANNELS, ROUNDS)]
    cases = [(mode, kind) for mode in modes for kind in ('nearest', 'bilinear')]
    with tqdm(total=len(cases) * len(SIZES), file=sys.stderr) as progress:
        for mode, kind in cases:
            names = [name for name, _ in designs(mode)]
            report += ['', '## %s, %s' % (mode, kind), '',
                       '| cells | pixels | superpixels | ' + ' | '.join(
                           '%s: forward, gradient (ms)%s' % (name, ', memory (MB)' * (kind == 'bilinear'))
                           for name in names) + ' |',
                       '|---|---|---|' + '---|' * len(names)]
            for size in SIZES:
                progress.set_description('%s %s %s' % (mode, kind, size))
                n, times = measure(size, mode, kind)
                row = ['%.2f, %.2f' % tuple(times[name]) for name in names]
                if kind == 'bilinear':
                    row = ['%s, %.0f' % (both, peak_memory(name, size, mode, kind)) for both, name in zip(row, names)]
                report.append('| %d x %d | %d x %d | %d | ' % (size[0], size[0], size[1], size[1], n)
                              + ' | '.join(row) + ' |')
                progress.update()
    write(report, '-resize')


if __name__ == '__main__':
    main()
