"""Keras 2.2.5 layers for superpixel pooling, on its Theano backend."""
# The order matters: theano_spp makes this old Keras importable, and backend chooses Theano.
import theano_spp
from . import backend

from keras.utils import get_custom_objects

from .old_models import load_old_model
from .over_superpixels import GlobalSuperpixelPooling, SuperpixelSoftmax
from .soft_superpixels import (
    DifferentiableSLIC1D, DifferentiableSLIC2D, DifferentiableSLIC3D, HardSuperpixelMap1D, HardSuperpixelMap2D,
    HardSuperpixelMap3D, SoftSuperpixelPooling1D, SoftSuperpixelPooling2D, SoftSuperpixelPooling3D,
    SoftSuperpixelUnpooling1D, SoftSuperpixelUnpooling2D, SoftSuperpixelUnpooling3D)
from .superpixel_pooling import SuperpixelPooling1D, SuperpixelPooling2D, SuperpixelPooling3D
from .superpixel_unpooling import SuperpixelUnpooling1D, SuperpixelUnpooling2D, SuperpixelUnpooling3D
from .within_superpixels import PixelSoftmax, SuperpixelNormalization

#: The layers by name, for ``load_model`` and ``model_from_json``. Importing this package also registers them.
custom_objects = {layer.__name__: layer for layer in (
    SuperpixelPooling1D, SuperpixelPooling2D, SuperpixelPooling3D,
    SuperpixelUnpooling1D, SuperpixelUnpooling2D, SuperpixelUnpooling3D, GlobalSuperpixelPooling, SuperpixelSoftmax,
    PixelSoftmax, SuperpixelNormalization, SoftSuperpixelPooling1D, SoftSuperpixelPooling2D, SoftSuperpixelPooling3D,
    SoftSuperpixelUnpooling1D, SoftSuperpixelUnpooling2D, SoftSuperpixelUnpooling3D, DifferentiableSLIC1D,
    DifferentiableSLIC2D, DifferentiableSLIC3D, HardSuperpixelMap1D, HardSuperpixelMap2D, HardSuperpixelMap3D)}

# Keras then finds them like its own layers, also where they cannot be passed as an argument: pickle, deepcopy. A layer
# that was registered under the same name before is not replaced.

for _name, _layer in custom_objects.items():
    get_custom_objects().setdefault(_name, _layer)

__all__ = sorted(custom_objects) + ['custom_objects', 'load_old_model']
