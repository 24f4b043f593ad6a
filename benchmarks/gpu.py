"""Mean pooling and its gradient on a GPU, in GB/s beside the card's own copy: ``make bench-gpu DEVICE=cuda``.

PyTorch's index_add and scatter_reduce run in turns with them if it is installed and finds the same card.
"""
import collections
import datetime
import random
import time

import theano_spp  # noqa: F401: first, for the bridge and the ops on the device
import numpy as np
import pygpu
import theano
import theano.tensor as T
from theano.gpuarray.type import gpuarray_shared_constructor
from tqdm import tqdm

from theano_spp import superpixel_pool

from .report import write
from .workloads import WORKLOADS, make

ROUNDS, MEGABYTE = 9, 1e6


def torch_contenders(features, labels, n):
    """Return name -> (forward, backward), each a call that ends when the card has; {} without PyTorch or its card."""
    try:
        import torch
        if not torch.cuda.is_available():
            return {}
    except ImportError:
        return {}
    batch, channels = features.shape[:2]
    x = torch.tensor(features.reshape(batch, channels, -1)).cuda()
    m = torch.tensor(labels.reshape(batch, -1).astype('int64')).cuda()
    sizes = torch.stack([torch.bincount(image, minlength=n) for image in m]).clamp(min=1)[:, None].float()
    index = m[:, None].expand(batch, channels, -1)

    def scatter_reduce():
        torch.zeros(batch, channels, n, device='cuda').scatter_reduce(2, index, x, 'mean', include_self=False)
        torch.cuda.synchronize()

    def index_add():
        for image in range(batch):
            torch.zeros(channels, n, device='cuda').index_add(1, m[image], x[image])
        torch.cuda.synchronize()

    def gather():
        (upstream / sizes).gather(2, index)
        torch.cuda.synchronize()

    upstream = torch.randn(batch, channels, n, device='cuda')
    return {'PyTorch scatter_reduce, gather': (scatter_reduce, gather), 'PyTorch index_add (sums)': (index_add, None)}


def ours(features, labels, n):
    """Return (forward, backward, copy), each a call that ends when the card has."""
    x, m = [gpuarray_shared_constructor(array, target=None) for array in (features, labels)]
    upstream = gpuarray_shared_constructor(np.random.RandomState(1).standard_normal(
        features.shape[:2] + (n,)).astype('float32'), target=None)
    pooled = superpixel_pool(x, m, n)
    forward = theano.function([], pooled.transfer(None))
    backward = theano.function([], T.Lop(pooled, x, upstream).transfer(None))
    source = x.get_value(borrow=True, return_internal_type=True)
    target = pygpu.empty(source.shape, source.dtype, context=source.context)

    def copy():
        target[...] = source
        target.sync()

    return lambda: forward().sync(), lambda: backward().sync(), copy


def measure(workload):
    """Return name -> median seconds."""
    features, labels, n = make(workload)
    forward, backward, copy = ours(features, labels, n)
    calls = collections.OrderedDict([('copy', copy), ('pooling', forward), ('its gradient', backward)])
    for name, (there, back) in torch_contenders(features, labels, n).items():
        calls[name + ', forward'] = there
        if back is not None:
            calls[name + ', backward'] = back
    for call in calls.values():
        call()  # compiles
    seconds = collections.defaultdict(list)
    for _ in range(ROUNDS):
        for name in random.sample(list(calls), len(calls)):
            start = time.perf_counter()
            calls[name]()
            seconds[name].append(time.perf_counter() - start)
    return features.nbytes, collections.OrderedDict((name, np.median(seconds[name])) for name in calls)


def main():
    context = theano.gpuarray.get_context(None)
    rows = []
    for workload in tqdm(WORKLOADS, unit='workload'):
        size, seconds = measure(workload)
        for name, median in seconds.items():
            moved = 2 * size if name == 'copy' else size
            rows.append('| %s | %.0f | %s | %.3f | %.1f | %.2f |' % (
                workload.name, size / MEGABYTE, name, 1e3 * median, moved / median / 1e9,
                moved / median / (2 * size / seconds['copy'])))
    write(['# Mean pooling on a GPU, %s' % datetime.date.today().isoformat(), '',
           'Device: %s (%s). Theano %s, pygpu %s.' % (context.devname, theano.config.device, theano.__version__,
                                                      pygpu.__version__),
           'float32, channels first, superpixels by SLIC from photographs of scikit-image; medians of %d rounds in shuffled'
           ' order, the arrays on the device, until the device has finished. GB/s: the features read once, or written once;'
           ' the copy does both.' % ROUNDS, '',
           '| workload | features MB | | ms | GB/s | of the copy\'s |', '|---|' + '---|' * 5] + rows, '-gpu')


if __name__ == '__main__':
    main()
