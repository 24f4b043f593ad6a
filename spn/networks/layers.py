"""Convolutions and dense layers as the networks here have them.

NumPy draws their initial weights: Keras's own initializers have Theano compile a function for each variable.
"""
import numpy as np

import keras_layer  # noqa: F401  (before keras: it chooses Keras's Theano backend)
import theano
from keras.initializers import Initializer
from keras.layers import Conv2D, Dense
from keras.regularizers import l2

from ..errors import SpnError

if theano.config.device.startswith('opencl'):
    # What Theano itself makes for a maximum through OpenCL does not compile, and the process goes down with it.
    raise SpnError('spn does not run through OpenCL (device={}): set THEANO_FLAGS=device=cpu'.format(
        theano.config.device))


class HeNormalOfNumpy(Initializer):
    """Normal, of the variance that keeps that of what comes in through a ReLU; He et al., ICCV 2015."""

    def __call__(self, shape, dtype=None):
        return np.random.normal(0, (2 / np.prod(shape[:-1])) ** .5, shape).astype(dtype or 'float32')


class ZerosOfNumpy(Initializer):

    def __call__(self, shape, dtype=None):
        return np.zeros(shape, dtype or 'float32')


#: How layers are told, and what Keras needs to know to load a model that has them.
INITIALIZERS = {'kernel_initializer': HeNormalOfNumpy(), 'bias_initializer': ZerosOfNumpy()}
OBJECTS = {kind.__name__: kind for kind in (HeNormalOfNumpy, ZerosOfNumpy)}


def convolution(channels, size, name, activation='relu', weight_decay=0):
    """A convolution, channels first, whose output has the rows and columns of its input."""
    return Conv2D(channels, size, padding='same', activation=activation, data_format='channels_first', name=name,
                  kernel_regularizer=l2(weight_decay), **INITIALIZERS)


def dense(features, name, activation='linear', weight_decay=0):
    """A dense layer over the last axis."""
    return Dense(features, activation=activation, name=name, kernel_regularizer=l2(weight_decay), **INITIALIZERS)
