"""Keras 2.2.5 layers for superpixel pooling, on its Theano backend."""
# The order is meant: theano_spp makes a legacy Keras importable, and backend chooses Theano.
import theano_spp  # noqa: F401
from . import backend  # noqa: F401

from .superpixel_pooling import SuperpixelPooling1D, SuperpixelPooling2D, SuperpixelPooling3D
from .superpixel_unpooling import SuperpixelUnpooling1D, SuperpixelUnpooling2D, SuperpixelUnpooling3D

#: What ``load_model``, ``model_from_json`` and ``clone_model`` need to know these layers.
custom_objects = {layer.__name__: layer for layer in (
    SuperpixelPooling1D, SuperpixelPooling2D, SuperpixelPooling3D,
    SuperpixelUnpooling1D, SuperpixelUnpooling2D, SuperpixelUnpooling3D)}

__all__ = sorted(custom_objects) + ['custom_objects']
