"""Superpixel pooling for Theano: one value per channel and superpixel, with gradients."""
import sys

from . import installation, legacy_bridge
from .version import __version__

__all__ = ['superpixel_pool', 'superpixel_unpool', 'superpixel_sizes', 'superpixel_overlap',
           'superpixel_centroids', 'superpixel_adjacency', 'superpixel_softmax', 'superpixel_normalize',
           'soft_superpixel_pool', 'soft_superpixel_unpool', 'soft_superpixel_association', 'differentiable_slic',
           'hard_superpixel_map', 'label_tools', 'compile_in_parallel', 'keep_memory', 'SuperpixelPool',
           'SuperpixelUnpool', 'SuperpixelExtremum', '__version__']

legacy_bridge.apply()  # before the import of Theano, which may need it

if sys.version_info >= (3, 7) and not installation.has_theano():
    # theano_spp.reference needs NumPy alone. Everything else reports what is missing when it is used.

    def __getattr__(name):
        if name in __all__:
            installation.check_theano()
        raise AttributeError("module 'theano_spp' has no attribute {!r}".format(name))
else:
    installation.check_theano()
    from . import label_tools
    from .composites import superpixel_normalize, superpixel_softmax
    from .memory import keep_memory
    from .ops import half_precision  # registers an optimization with Theano
    from .ops.max_min import SuperpixelExtremum
    from .ops.mean_sum import SuperpixelPool, SuperpixelUnpool
    from .overlap import superpixel_overlap
    from .parallel_compilation import compile_in_parallel
    from .pool import superpixel_pool
    from .region_graph import superpixel_adjacency, superpixel_centroids
    from .sizes import superpixel_sizes
    from .slic import differentiable_slic, hard_superpixel_map
    from .soft import soft_superpixel_association, soft_superpixel_pool, soft_superpixel_unpool
    from .unpool import superpixel_unpool
    from . import gpuarray  # registers the ops on the GPU with Theano
