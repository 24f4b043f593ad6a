"""Superpixel pooling for Theano: one value for each channel and superpixel, with gradients."""
# The order is meant: Theano may need the bridge, and external_c tells a wrong Theano in words.
from . import legacy_bridge
legacy_bridge.apply()
from . import external_c

from . import half_precision, label_tools  # the first registers an optimization with Theano
from .composites import superpixel_normalize, superpixel_softmax
from .extremum import SuperpixelExtremum
from .graph import superpixel_adjacency, superpixel_centroids
from .overlap import superpixel_overlap
from .pool import SuperpixelPool, superpixel_pool
from .sizes import superpixel_sizes
from .unpool import SuperpixelUnpool, superpixel_unpool
from .version import __version__
from . import gpuarray  # registers the ops on the GPU with Theano

__all__ = ['superpixel_pool', 'superpixel_unpool', 'superpixel_sizes', 'superpixel_overlap',
           'superpixel_centroids', 'superpixel_adjacency', 'superpixel_softmax', 'superpixel_normalize',
           'label_tools', 'SuperpixelPool', 'SuperpixelUnpool', 'SuperpixelExtremum', '__version__']
