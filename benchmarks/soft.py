"""Soft superpixels, compared with the same in PyTorch and with SLIC: run ``python -m benchmarks.soft``.

PyTorch, if it is installed, does what its users do: grid cells by reshaping, which needs sizes that are multiples of
the grid, einsum over the pixels of each, unfold for the neighbours. Ours takes any sizes. All take turns in one
process, on one thread unless OMP_NUM_THREADS says otherwise, in another order each round.
"""
import datetime
import os
import random
import sys

from . import threads
threads.use(1)

# Before theano, which it may have to repair.
import theano_spp

import click
import numpy as np
import theano
import theano.tensor as T
from skimage import color, data, segmentation, transform
from tqdm import tqdm

from .measure import bind, check, compiled, medians
from .report import machine, versions, write

ROUNDS, QUICK_ROUNDS = 9, 1
#: Batch, channels, pixels on a side, grid cells on a side.
SIZES = ((4, 64, 224, 16), (4, 20, 224, 16), (1, 256, 112, 14), (8, 5, 224, 28))
ITERATIONS = 5


#: The inputs of each operation.
OPERATIONS = {'soft_superpixel_pool': ['features', 'association'], 'soft_superpixel_unpool': ['pooled', 'association'],
              'soft_superpixel_association': ['features', 'pooled'], 'differentiable_slic': ['features']}


def ours(name, grid):
    """Return an operation as a function of Theano variables."""
    if name == 'differentiable_slic':
        return lambda x: theano_spp.differentiable_slic(x, grid, ITERATIONS)[0]
    return lambda *variables: getattr(theano_spp, name)(*variables, grid)


def in_pytorch(grid):
    """The same for PyTorch: name -> function of tensors."""
    import torch
    from torch.nn import functional
    torch.set_num_threads(int(os.environ['OMP_NUM_THREADS']))
    rows, columns = grid

    def in_cells(x):
        batch, channels, height, width = x.shape
        return x.reshape(batch, channels, rows, height // rows, columns, width // columns)

    def around(y):
        batch, channels, _ = y.shape
        return functional.unfold(y.reshape(batch, channels, rows, columns), 3, padding=1).reshape(
            batch, channels, 9, rows, columns)

    def add_up(parts):  # (batch, channels, 9, rows, columns): of each grid cell, for its neighbours
        batch, channels = parts.shape[:2]
        # What a grid cell has for its neighbour k is what that one has from its neighbour 8 - k.
        return functional.fold(parts.reshape(batch, channels * 9, rows * columns), (rows, columns), 3,
                               padding=1).reshape(batch, channels, rows * columns)

    def pool(x, a):
        a = in_cells(a)
        inside = around(torch.ones(x.shape[0], 1, rows * columns))[:, 0, :, :, None, :, None]
        a = a * inside
        sums = add_up(torch.einsum('bcripj,bkripj->bckrp', in_cells(x), a))
        totals = add_up(a.sum((3, 5))[:, None])
        return sums / totals

    def unpool(y, a):
        return torch.einsum('bckrp,bkripj->bcripj', around(y), in_cells(a)).reshape(
            y.shape[:2] + a.shape[2:])

    def associate(x, y):
        inside = around(torch.ones(x.shape[0], 1, rows * columns))[:, 0, :, :, None, :, None]
        cells, values = in_cells(x), around(y)
        # As in the paper's implementations: by the squares, without an array of pixels x neighbours x channels.
        distances = ((cells ** 2).sum(1)[:, None] - 2 * torch.einsum('bcripj,bckrp->bkripj', cells, values)
                     + (values ** 2).sum(1)[:, :, :, None, :, None])
        distances = distances.masked_fill(inside == 0, float('inf'))
        return torch.softmax(-distances, 1).reshape((x.shape[0], 9) + x.shape[2:])

    def slic(x):
        means = functional.adaptive_avg_pool2d(x, grid).flatten(2)
        for _ in range(ITERATIONS):
            association = associate(x, means)
            means = pool(x, association)
        return association

    def callables(function):
        def forward(*arrays):
            with torch.no_grad():
                return function(*map(torch.from_numpy, arrays)).numpy()

        def gradient(upstream, *arrays):
            tensors = [torch.from_numpy(array).requires_grad_() for array in arrays]
            function(*tensors).backward(torch.from_numpy(upstream))
            return [tensor.grad.numpy() for tensor in tensors]

        return [forward, gradient]

    return {'soft_superpixel_pool': callables(pool), 'soft_superpixel_unpool': callables(unpool),
            'soft_superpixel_association': callables(associate), 'differentiable_slic': callables(slic)}


def inputs(batch, channels, side, grid):
    """Features, weights that sum to 1, values of superpixels, float32, by name."""
    rng = np.random.RandomState(0)
    features = rng.standard_normal((batch, channels, side, side)).astype('float32') / np.sqrt(channels)
    pooled = rng.standard_normal((batch, channels, grid * grid)).astype('float32') / np.sqrt(channels)
    association = theano_spp.soft_superpixel_association(features, pooled, (grid, grid)).eval()
    return {'features': features, 'association': association, 'pooled': pooled}


def rows_of(size, rounds, progress):
    """Yield the rows of the table for a size."""
    batch, channels, side, grid = size
    arrays = inputs(*size)
    try:
        pytorch = in_pytorch((grid, grid))
    except ImportError:
        pytorch = {}
    for name, names in OPERATIONS.items():
        values = [arrays[each] for each in names]
        variables = [T.TensorType('float32', (False,) * value.ndim)() for value in values]
        ways = {'ours': compiled(variables, ours(name, (grid, grid))(*variables))}
        if name in pytorch:
            ways['PyTorch'] = pytorch[name]
        calls = bind(ways, values)
        check(calls)
        times = medians(calls, rounds, progress)
        ratios = ['%.2f' % (other / own) for own, other in zip(times['ours'], times.get('PyTorch', []))]
        yield '| %d x %d x %d x %d, %d x %d | `%s` | %s | %s | %s |' % (
            batch, channels, side, side, grid, grid, name, ' | '.join('%.2f' % time for time in times['ours']),
            ' | '.join('%.2f' % time for time in times.get('PyTorch', [])) or '- | -', ', '.join(ratios) or '-')


def beside_slic(rounds, progress):
    """Yield the rows that compare superpixels of a photograph: one image, hard labels at the end."""
    photo = transform.resize(data.astronaut(), (320, 320), anti_aliasing=True)
    features = (color.rgb2lab(photo).transpose(2, 0, 1)[None] / 6).astype('float32')
    x = T.ftensor4()
    for grid in (10, 20):
        association, _ = theano_spp.differentiable_slic(x, (grid, grid), ITERATIONS, compactness=1.5)
        function = theano.function([x], theano_spp.hard_superpixel_map(association, (grid, grid)))
        calls = {'ours': [lambda: function(features)], 'scikit-image': [lambda: segmentation.slic(
            photo, n_segments=grid ** 2, compactness=10, max_num_iter=ITERATIONS, enforce_connectivity=False,
            start_label=0)]}
        times = medians(calls, rounds, progress)
        yield '| %d | %.1f | %.1f |' % (grid ** 2, times['ours'][0], times['scikit-image'][0])


@click.command()
@click.option('--quick', is_flag=True, help='One round of one size: to see that it works.')
def main(quick):
    """Time the operations on soft superpixels and write a table to benchmarks/results/."""
    random.seed(0)
    rounds, sizes = (QUICK_ROUNDS, SIZES[1:2]) if quick else (ROUNDS, SIZES)
    report = ['# Soft superpixels, %s' % datetime.date.today().isoformat(), '', machine(), versions(),
              'float32. Medians of %d rounds in shuffled order, ms. Backward: the gradients for all inputs of floats,'
              ' with what has to be recomputed for them (PyTorch: forward and backward). differentiable_slic: %d'
              ' iterations. The last column: PyTorch / ours.' % (rounds, ITERATIONS), '',
              '| features, grid | operation | ours: forward | backward | PyTorch: forward | backward | ratios |',
              '|---|---|---|---|---|---|---|']
    with tqdm(total=rounds * (4 * len(sizes) + 2), unit='round', file=sys.stderr) as progress:
        for size in sizes:
            report += rows_of(size, rounds, progress)
        report += ['', 'Label maps of a photograph of 320 x 320 pixels, %d iterations, ms: differentiable_slic and'
                   ' hard_superpixel_map, and scikit-image\'s slic without its step for connectivity.' % ITERATIONS, '',
                   '| superpixels | ours | scikit-image |', '|---|---|---|']
        report += beside_slic(rounds, progress)
    write(report, '-soft-quick' if quick else '-soft')


if __name__ == '__main__':
    main()
