"""Mean pooling and its gradient as one would first write them in Triton: a program for a block of a channel."""
import triton
import triton.language as tl

BLOCK = 1024


@triton.jit
def _scatter_add(features, labels, sums, channels, pixels, n, BLOCK: tl.constexpr):
    plane = tl.program_id(0)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < pixels
    label = tl.load(labels + plane // channels * pixels + pixel, mask=inside, other=0)
    feature = tl.load(features + plane * pixels + pixel, mask=inside, other=0)
    tl.atomic_add(sums + plane * n + label, feature, mask=inside)


@triton.jit
def _gather(values, labels, painted, channels, pixels, n, BLOCK: tl.constexpr):
    plane = tl.program_id(0)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < pixels
    label = tl.load(labels + plane // channels * pixels + pixel, mask=inside, other=0)
    tl.store(painted + plane * pixels + pixel, tl.load(values + plane * n + label, mask=inside), mask=inside)


def _grid(batch, channels, pixels):
    return batch * channels, triton.cdiv(pixels, BLOCK)


def scatter_add(features, labels, sizes, n):
    """Return the means (batch, channels, n) of features (batch, channels, pixels)."""
    batch, channels, pixels = features.shape
    sums = features.new_zeros(batch, channels, n)
    _scatter_add[_grid(*features.shape)](features, labels, sums, channels, pixels, n, BLOCK=BLOCK)
    return sums / sizes()


def gather(upstream, labels, sizes, n):
    """Return the gradient (batch, channels, pixels) for upstream gradients (batch, channels, n)."""
    shape = upstream.shape[:2] + labels.shape[1:]
    painted = upstream.new_empty(shape)
    _gather[_grid(*shape)](upstream / sizes(), labels, painted, shape[1], shape[2], n, BLOCK=BLOCK)
    return painted
