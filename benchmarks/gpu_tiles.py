"""Another design of mean pooling on a GPU, which ``gpu.py`` tries beside ours: square tiles in shared memory.

Only its feature part: labels are prepared by NumPy, the features are float32 with channels first, and each image has a
map of its own. A group of threads reads 32 x 32 pixels of four channels in the order of memory. Each superpixel of the
tile is cut into pieces of at most 64 pixels; a thread adds up a piece of one channel. A second kernel adds up the
pieces of each superpixel, in fixed order.
"""
import collections

import numpy as np
import pygpu
from pygpu.gpuarray import GpuKernel

SIDE, PIECE, CHANNELS, GROUP = 32, 64, 4, 256

KERNELS = '''
#include "cluda.h"
#define SIDE %(SIDE)d
#define TILE (SIDE * SIDE)
#define CHANNELS %(CHANNELS)d
#define GROUP %(GROUP)d

/* order (tiles, TILE): positions in the tile, by superpixel; first_piece (tiles + 1); ends (pieces, 2): where each
   piece begins and ends in its tile's order -> sums (channels, pieces) */
KERNEL void add_tiles(GLOBAL_MEM const ga_float *features, ga_uint channels, ga_uint height, ga_uint width,
                      ga_uint tiles_of_image, ga_uint tiles_across, GLOBAL_MEM const ga_ushort *order,
                      GLOBAL_MEM const ga_uint *first_piece, GLOBAL_MEM const ga_ushort *ends, ga_uint pieces,
                      GLOBAL_MEM ga_double *sums)
{
    LOCAL_MEM ga_float values[CHANNELS * TILE];
    LOCAL_MEM ga_ushort sorted[TILE];
    const ga_uint blocks = (channels + CHANNELS - 1) / CHANNELS;
    const ga_uint tile = GID_0 / blocks, channel = GID_0 %% blocks * CHANNELS;
    const ga_uint image = tile / tiles_of_image, y0 = tile %% tiles_of_image / tiles_across * SIDE;
    const ga_uint x0 = tile %% tiles_of_image %% tiles_across * SIDE;
    const ga_uint first = first_piece[tile], count = first_piece[tile + 1] - first;
    ga_uint i, c, k;
    for (i = LID_0; i < TILE; i += GROUP) {
        const ga_uint y = y0 + i / SIDE, x = x0 + i %% SIDE;
        sorted[i] = order[(ga_size)tile * TILE + i];
        for (c = 0; c < CHANNELS && channel + c < channels; ++c)
            if (y < height && x < width)
                values[c * TILE + i] = features[(((ga_size)image * channels + channel + c) * height + y) * width + x];
    }
    local_barrier();
    for (i = LID_0; i < count * CHANNELS; i += GROUP) {
        const ga_uint piece = first + i %% count;
        const ga_uint end = ends[2 * piece + 1];
        c = i / count;
        if (channel + c < channels) {
            ga_double total = 0;
            for (k = ends[2 * piece]; k < end;) {
                const ga_uint stop = k + 16 < end ? k + 16 : end;
                ga_float chain = 0;
                for (; k < stop; ++k)
                    chain += values[c * TILE + sorted[k]];
                total += chain;
            }
            sums[(ga_size)(channel + c) * pieces + piece] = total;
        }
    }
}

/* of_superpixel (pieces): numbers of pieces, by image and superpixel; starts (images * n + 1): where each begins in
   it */
KERNEL void add_pieces(GLOBAL_MEM const ga_double *sums, ga_uint pieces, GLOBAL_MEM const ga_uint *of_superpixel,
                       GLOBAL_MEM const ga_uint *starts, GLOBAL_MEM const ga_int *sizes, ga_uint channels, ga_uint n,
                       ga_uint count, GLOBAL_MEM ga_float *pooled)
{
    const ga_uint i = GID_0 * GROUP + LID_0;
    if (i < count) {
        const ga_uint superpixel = i / n / channels * n + i %% n, channel = i / n %% channels;
        ga_double total = 0;
        ga_uint k;
        for (k = starts[superpixel]; k < starts[superpixel + 1]; ++k)
            total += sums[(ga_size)channel * pieces + of_superpixel[k]];
        pooled[i] = (ga_float)(sizes[superpixel] > 0 ? total / sizes[superpixel] : 0);
    }
}
''' % globals()

Plan = collections.namedtuple('Plan', 'order first_piece ends of_superpixel starts sizes')


def plan(labels, n):
    """Return the `Plan` of labels (images, height, width), all of them in 0 .. n - 1."""
    images, height, width = labels.shape
    orders, first_piece, ends, superpixels = [], [0], [], []
    for image in range(images):
        for y in range(0, height, SIDE):
            for x in range(0, width, SIDE):
                tile = np.full((SIDE, SIDE), n)
                inside = labels[image, y:y + SIDE, x:x + SIDE]
                tile[:inside.shape[0], :inside.shape[1]] = inside
                order = np.argsort(tile, axis=None, kind='mergesort')
                ordered = tile.ravel()[order]
                begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
                for begin, end in zip(begins, np.r_[begins[1:], SIDE * SIDE]):
                    if ordered[begin] < n:
                        for first in range(begin, end, PIECE):
                            ends.append((first, min(first + PIECE, end)))
                            superpixels.append(image * n + ordered[begin])
                orders.append(order)
                first_piece.append(len(ends))
    superpixels = np.array(superpixels)
    of_superpixel = np.argsort(superpixels, kind='mergesort')
    starts = np.searchsorted(superpixels[of_superpixel], np.arange(images * n + 1))
    sizes = [np.bincount(label.ravel(), minlength=n) for label in labels]
    return Plan(*[np.ascontiguousarray(array, dtype) for array, dtype in (
        (orders, 'uint16'), (first_piece, 'uint32'), (ends, 'uint16'), (of_superpixel, 'uint32'), (starts, 'uint32'),
        (sizes, 'int32'))])


class Tiles:
    """Mean pooling of features on the device, by one map for each image.

    Parameters
    ----------
    features : pygpu.gpuarray.GpuArray of float32, (images, channels, height, width)
    labels : numpy.ndarray of int32, (images, height, width)
    n : int
    """

    def __init__(self, features, labels, n):
        context = features.context
        prepared = plan(labels, n)
        on_device = Plan(*[pygpu.array(array, context=context) for array in prepared])
        images, channels, height, width = features.shape
        pieces, across, down = len(prepared.ends), -(-width // SIDE), -(-height // SIDE)
        sums = pygpu.empty((channels, pieces), 'float64', context=context)
        self.pooled = pygpu.empty((images, channels, n), 'float32', context=context)
        array, number = pygpu.gpuarray.GpuArray, 'uint32'
        self.calls = [
            (self._kernel('add_tiles', [array] + [number] * 5 + [array] * 3 + [number, array], context),
             [features, channels, height, width, down * across, across, on_device.order, on_device.first_piece,
              on_device.ends, pieces, sums],
             images * down * across * -(-channels // CHANNELS)),
            (self._kernel('add_pieces', [array, number] + [array] * 3 + [number] * 3 + [array], context),
             [sums, pieces, on_device.of_superpixel, on_device.starts, on_device.sizes, channels, n,
              images * channels * n, self.pooled],
             -(-images * channels * n // GROUP))]

    @staticmethod
    def _kernel(name, types, context):
        return GpuKernel(KERNELS, name, types, context=context, have_double=True, have_small=True)

    def __call__(self):
        for kernel, arguments, groups in self.calls:
            kernel(*arguments, gs=groups, ls=GROUP)
        return self.pooled
