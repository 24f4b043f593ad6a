"""The memory traffic of designs of mean pooling on a GPU, counted and not timed:
``python -m benchmarks.gpu_transactions``.

Memory is read in sectors of 32 bytes by warps of 32 threads; a sector that several threads of a warp need at once is
read once. Requests to the caches are counted, in bytes for each byte of features. There are four designs; the second
is ours (docs/gpu.md):

atomics   features read in order, one atomic addition for each run of equal labels in a warp: a read and a write of a
          sector
sorted    pixels sorted by superpixel once, features gathered through the order, segments of at most 4096
runs      features read in order, one sum for each run of a tile of 1024 pixels, then the sums of each superpixel
          gathered
tiles     features of 32 x 32 pixels read in order into shared memory, added up there in the order of the tile's own
          superpixels, one sum for each superpixel of a tile, then the sums of each superpixel gathered
"""
import datetime

import numpy as np
from tqdm import tqdm

from .report import write
from .workloads import WORKLOADS, make

SECTOR, WARP, ITEM = 32, 32, 4
SEGMENT, CHANNELS, TILE = 4096, 4, 1024  # as in theano_spp/gpuarray/c_code
SIDE, TILE_CHANNELS = 32, 8  # of a square tile; channels for which its order is read once, as 16-bit numbers


def atomics(labels, n):
    """Return bytes for each byte of features, and the largest number of atomic additions at one address."""
    starts = np.ones(labels.size, bool)
    starts[1:] = labels[1:] != labels[:-1]
    starts[::WARP] = True
    runs = labels[starts]
    return 1 + runs.size * 2 * SECTOR / float(labels.size * ITEM), np.bincount(runs, minlength=n).max()


def by_order(labels, n):
    """Return bytes for each byte of features, including those of the order, and the mean number of active threads of a
    warp.
    """
    order, starts = np.argsort(labels, kind='mergesort'), np.searchsorted(np.sort(labels), np.arange(n + 1))
    tiles = -(-labels.size // SEGMENT)
    lanes = 4  # of a warp; more warps for a segment would read the same sectors
    while lanes < WARP and 16 * lanes * (n + tiles) <= labels.size:
        lanes *= 2
    bounds = np.unique(np.concatenate([starts, np.arange(0, labels.size, SEGMENT), [labels.size]]))
    begins, ends = bounds[:-1], bounds[1:]
    segments_per_warp = WARP // lanes
    sectors, steps = 0, 0
    for first in range(0, len(begins), segments_per_warp):
        warp = slice(first, first + segments_per_warp)
        length = (ends[warp] - begins[warp]).max()
        at = begins[warp][:, None, None] + np.arange(0, length, lanes)[None, :, None] + np.arange(lanes)[None, None, :]
        active = at < ends[warp][:, None, None]
        sector = np.where(active, order[np.minimum(at, labels.size - 1)] * ITEM // SECTOR, -1)
        sector = np.sort(sector.transpose(1, 0, 2).reshape(at.shape[1], -1), axis=1)
        distinct = (sector[:, 1:] != sector[:, :-1]).sum() + len(sector) - (sector[:, 0] == -1).sum()
        sectors += distinct
        steps += len(sector)
    return sectors * SECTOR / float(labels.size * ITEM) + 1. / CHANNELS, labels.size / float(steps)


def by_runs(labels, n):
    """Return bytes for each byte of features: the features, float64 sums written and gathered, and the list of runs."""
    starts = np.ones(labels.size, bool)
    starts[1:] = labels[1:] != labels[:-1]
    starts[::TILE] = True
    runs = starts.sum() / float(labels.size)
    return 1 + runs * (8 + SECTOR) / ITEM + runs / CHANNELS


def by_tiles(labels):
    """Return bytes for each byte of features, and the number of sums for each pixel. `labels` has two axes."""
    sums = sum(np.unique(labels[row:row + SIDE, column:column + SIDE]).size
               for row in range(0, labels.shape[0], SIDE) for column in range(0, labels.shape[1], SIDE))
    sums /= float(labels.size)
    return 1 + 2. / (TILE_CHANNELS * ITEM) + sums * (8 + SECTOR) / ITEM, sums


def main():
    rows = ['| | superpixels | atomics | additions at one address | sorted | threads of a warp at work | runs | tiles |'
            ' sums of tiles for each pixel |', '|---|' + '---|' * 8]
    for workload in tqdm(WORKLOADS, unit='workload'):
        _, labels, n = make(workload._replace(channels=1))
        image = labels[0].ravel()
        moved, waiting = atomics(image, n)
        gathered, active = by_order(image, n)
        tiled, sums = by_tiles(labels[0])
        rows.append('| %s, %d x %d | %d | %.2f | %d | %.2f | %.1f of 32 | %.2f | %.2f | %.3f |' % (
            workload.name, workload.height, workload.width, n, moved, waiting, gathered, active, by_runs(image, n),
            tiled, sums))
    write(['# Bytes moved on a GPU by designs of mean pooling, counted, %s' % datetime.date.today().isoformat(), '',
           'The first image of each workload, float32, channels first. Bytes requested from the caches for each byte'
           ' of features (sectors of %d bytes, warps of %d threads); the docstring of `benchmarks/gpu_transactions.py`'
           ' explains the designs. Nothing was timed.' % (SECTOR, WARP), ''] + rows, '-gpu-transactions')


if __name__ == '__main__':
    main()
