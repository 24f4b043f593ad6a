"""The convolutions and dense layers of our networks.

NumPy draws the initial weights, because Keras's own initializers make Theano compile a function for each variable.
"""
import numpy as np

import keras_layer  # noqa: F401  (before keras: it chooses Keras's Theano backend)
from keras.initializers import Initializer
from keras.layers import Conv2D, Dense
from keras.regularizers import l2


class HeNormalOfNumpy(Initializer):
    """Normal, with a variance that ReLU layers preserve; He et al., ICCV 2015."""

    def __call__(self, shape, dtype=None):
        return np.random.normal(0, (2 / np.prod(shape[:-1])) ** .5, shape).astype(dtype or 'float32')


class ZerosOfNumpy(Initializer):

    def __call__(self, shape, dtype=None):
        return np.zeros(shape, dtype or 'float32')


#: As arguments of layers, and as `custom_objects` for loading a model.
INITIALIZERS = {'kernel_initializer': HeNormalOfNumpy(), 'bias_initializer': ZerosOfNumpy()}
OBJECTS = {kind.__name__: kind for kind in (HeNormalOfNumpy, ZerosOfNumpy)}


def convolution(channels, size, name, activation='relu', weight_decay=0):
    """A convolution, channels first, whose output has the rows and columns of its input."""
    return Conv2D(channels, size, padding='same', activation=activation, data_format='channels_first', name=name,
                  kernel_regularizer=l2(weight_decay), **INITIALIZERS)


def dense(features, name, activation='linear', weight_decay=0):
    """A dense layer over the last axis."""
    return Dense(features, activation=activation, name=name, kernel_regularizer=l2(weight_decay), **INITIALIZERS)
