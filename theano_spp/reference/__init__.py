"""The definition of every operation in plain NumPy: slow, obvious, and what the C code must reproduce.

The ops call it when they cannot run C code (no compiler, FAST_COMPILE, float16), and the tests compare the C code with
it. It needs only NumPy, and can be imported where Theano is not installed.
"""

from .composites import composite_pool, normalize, softmax
from .counts import count, sizes
from .max_min import extremum, put_pixels, take_pixels
from .mean_sum import pool, unpool
from .resized import overlap, overlap_pool, overlap_unpool
from .soft import neighbours, soft_association, soft_dot, soft_pool, soft_unpool
from .sorting import sorted_pixels
from .weighted import pixel_dot, weighted_pool, weighted_unpool

__all__ = ['pool', 'unpool', 'extremum', 'take_pixels', 'put_pixels', 'weighted_pool', 'weighted_unpool', 'pixel_dot',
           'overlap', 'overlap_pool', 'overlap_unpool', 'composite_pool', 'softmax', 'normalize', 'sizes', 'count',
           'neighbours', 'soft_pool', 'soft_unpool', 'soft_dot', 'soft_association', 'sorted_pixels']
