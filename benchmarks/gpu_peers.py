"""Mean pooling of other libraries on a GPU, timed in a separate process, because the PyTorch and JAX for today's cards
need a NumPy that is too new for Theano. ``gpu.py`` starts it and gives it its turns.

It reads commands from stdin and answers each with a line of JSON. ``versions``: those of the libraries. ``prepare
PATH``, an .npz with features, labels, upstream, n_superpixels and our results: the names of what can be timed. ``time
NAME``: the seconds that its forward and gradient took.
"""
import functools
import json
import os
import sys
import time

import numpy as np

from . import peers

#: Not pooling, but what bounds it: the sum of all features, and filling an array of their size.
BOUND = 'PyTorch sum, fill_'

os.environ.setdefault('XLA_PYTHON_CLIENT_PREALLOCATE', 'false')  # JAX would reserve most of the card's memory


def torch_contenders(features, labels, upstream, n):
    """Yield (name, forward, gradient) with labels converted to int64 beforehand; gradients are those of autograd."""
    import torch
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    x = torch.tensor(features, device=device).flatten(2).requires_grad_()
    m = torch.tensor(labels, device=device).long().flatten(1)
    upstream = torch.tensor(upstream, device=device)
    index = m[:, None].expand(x.shape)

    def sizes():
        return x.new_zeros(len(m), n).scatter_add(1, m, x.new_ones(m.shape)).clamp(min=1)[:, None]

    def zeros():
        return x.new_zeros(x.shape[:2] + (n,))

    def scatter_reduce():
        return zeros().scatter_reduce(2, index, x, 'mean', include_self=False)

    def scatter_add():
        return zeros().scatter_add(2, index, x) / sizes()

    def index_add():
        sums = [nothing.index_add(1, label, image) for nothing, label, image in zip(zeros(), m, x)]
        return torch.stack(sums) / sizes()

    def one_hot_product():
        return torch.bmm(x, torch.nn.functional.one_hot(m, n).to(x.dtype)) / sizes()

    def gather():
        return (upstream / sizes()).gather(2, index)

    def finished(result):
        if device == 'cuda':
            torch.cuda.synchronize()
        return result.detach()

    def without_autograd(function):
        def call():
            with torch.no_grad():
                return finished(function())
        return call

    def with_autograd(function):
        pooled = function()
        return (without_autograd(function),
                lambda: finished(torch.autograd.grad(pooled, x, upstream, retain_graph=True)[0]))

    def compiled():
        return [without_autograd(torch.compile(function)) for function in (scatter_add, gather)]

    def csr_product():
        """With matrices made beforehand: the weights of pixels for means, and transposed."""
        weights = [torch.sparse_coo_tensor(torch.stack([label, torch.arange(label.numel(), device=device)]),
                                           1 / size[0][label], (n, label.numel()))
                   for label, size in zip(m, sizes())]
        to_superpixels, to_pixels = [[matrix.to_sparse_csr() for matrix in matrices]
                                     for matrices in (weights, [matrix.t() for matrix in weights])]

        def products(matrices, values):
            return torch.stack([(matrix @ value.t()).t() for matrix, value in zip(matrices, values)])
        return [without_autograd(functools.partial(products, *arguments))
                for arguments in ((to_superpixels, x), (to_pixels, upstream))]

    def triton():
        from . import triton_kernels
        return [without_autograd(functools.partial(function, values, m, sizes, n)) for function, values in (
            (triton_kernels.scatter_add, x), (triton_kernels.gather, upstream))]

    def fill():
        return torch.empty_like(x).fill_(1)

    for make in [functools.partial(with_autograd, function)
                 for function in (scatter_reduce, scatter_add, index_add, one_hot_product)] + [
                     compiled, csr_product, triton]:
        name = getattr(make, 'args', [make])[0].__name__
        try:
            yield ['PyTorch %s' % name] + list(make())
        except (ImportError, torch.cuda.OutOfMemoryError) as reason:
            print('PyTorch %s is left out: %s' % (name, reason), file=sys.stderr)
    yield [BOUND, without_autograd(x.sum), without_autograd(fill)]


def jax_contenders(features, labels, upstream, n):
    import jax
    x, m, upstream = [jax.device_put(array) for array in (features, labels, upstream)]
    forward, gradient = peers.jax_on_device(n)
    yield ('JAX segment_sum', lambda: forward(x, m).block_until_ready(),
           lambda: gradient(upstream, x, m).block_until_ready())


def prepared(path):
    """Return name -> (forward, gradient), and check that the results are ours up to rounding."""
    with np.load(path) as file:
        arrays = [file[name] for name in ('features', 'labels', 'upstream')] + [int(file['n_superpixels'])]
        ours = file['pooled'], file['gradient']
    contenders = {}
    for make in (torch_contenders, jax_contenders):
        try:
            for name, *both in make(*arrays):
                for call, right in zip(both, ours):
                    result = call()
                    if name == BOUND:
                        continue
                    result = np.asarray(result.cpu() if hasattr(result, 'cpu') else result).reshape(right.shape)
                    np.testing.assert_allclose(result, right, rtol=1e-3, atol=1e-4 * np.abs(right).max(), err_msg=name)
                contenders[name] = both
        except ImportError as reason:
            print(reason, file=sys.stderr)
    return contenders


def versions():
    """Those of the libraries, as far as they are installed, and the name of the card."""
    names = []
    try:
        import torch
        names += ['PyTorch %s' % torch.__version__]
        names += [torch.cuda.get_device_name()] if torch.cuda.is_available() else ['without a card']
    except ImportError:
        pass
    try:
        import jax
        names.append('JAX %s' % jax.__version__)
    except ImportError:
        pass
    return ', '.join(names)


def main():
    contenders = {}
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # so that output of the libraries is not taken for an answer
    for line in sys.stdin:
        command, _, argument = line.rstrip('\n').partition(' ')
        if command == 'prepare':
            contenders.clear()
            contenders.update(prepared(argument))
            answer = list(contenders)
        elif command == 'versions':
            answer = versions()
        else:
            answer = []
            for call in contenders[argument]:
                start = time.perf_counter()
                call()
                answer.append(time.perf_counter() - start)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == '__main__':
    main()
