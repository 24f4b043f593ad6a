"""Makes the models of this folder, with the Keras that is imported, 1 or 2: python make.py FOLDER NAME ...

Each is trained for three steps and saved; then its predictions are written, and those after one more step. It runs on
Python 2.7 and 3. The README next to it says which versions made which file.
"""
from __future__ import print_function

import os
import sys
from importlib import import_module

import keras
import numpy as np
from keras import layers, regularizers
from keras.constraints import maxnorm
from keras.models import Model, Sequential
from keras.optimizers import SGD

import_module('theano.ifelse')  # Keras 1 uses it without importing it

KERAS_1 = keras.__version__.startswith('1.')
rng = np.random.RandomState(0)


def some(*shape):
    return rng.rand(*shape).astype('float32')


def model_of(inputs, outputs):
    return Model(input=inputs, output=outputs) if KERAS_1 else Model(inputs=inputs, outputs=outputs)


def convolutions():
    """Channels first, regularizers, constraints, and layers whose data format Keras 1 does not write."""
    image = layers.Input((3, 9, 10))
    if KERAS_1:
        first = dict(dim_ordering='th')
        x = layers.Convolution2D(4, 3, 3, border_mode='same', W_regularizer=regularizers.l2(.01), **first)(image)
        x = layers.BatchNormalization(axis=1)(x)
        x = layers.MaxPooling2D((2, 2), **first)(layers.Activation('relu')(x))
        x = layers.Convolution2D(5, 2, 3, subsample=(1, 2), W_constraint=maxnorm(2), **first)(x)
        last = dict(W_regularizer=regularizers.l1l2(.01, .02), W_constraint=maxnorm(2))
    else:
        first = dict(data_format='channels_first')
        x = layers.Conv2D(4, (3, 3), padding='same', kernel_regularizer=regularizers.l2(.01), **first)(image)
        x = layers.BatchNormalization(axis=1)(x)
        x = layers.MaxPooling2D((2, 2), **first)(layers.Activation('relu')(x))
        x = layers.Conv2D(5, (2, 3), strides=(1, 2), kernel_constraint=maxnorm(2), **first)(x)
        last = dict(kernel_regularizer=regularizers.l1_l2(.01, .02), kernel_constraint=maxnorm(2))
    x = layers.UpSampling2D((2, 2), **first)(layers.ZeroPadding2D((1, 1), **first)(x))
    x = layers.GlobalAveragePooling2D(**first)(x)
    model = model_of(image, layers.Dense(3, activation='softmax', **last)(x))
    model.compile(SGD(lr=.1, momentum=.9), 'categorical_crossentropy', metrics=['accuracy'])
    return model, [some(8, 3, 9, 10)], [np.eye(3, dtype='float32')[np.arange(8) % 3]]


def merge():
    """Two inputs and two outputs, merged by sum, product, dot product and concatenation."""
    a, b = layers.Input((4,), name='a'), layers.Input((4,), name='b')
    x, y = layers.Dense(4, name='of_a')(a), layers.Dense(4, name='of_b')(b)
    if KERAS_1:
        x = layers.merge([layers.merge([x, y], mode=mode) for mode in ('sum', 'mul', 'ave', 'max', 'dot')] + [a],
                         mode='concat', concat_axis=-1)
    else:
        x = layers.concatenate([layers.add([x, y]), layers.multiply([x, y]), layers.average([x, y]),
                                layers.maximum([x, y]), layers.dot([x, y], -1), a])
    model = model_of([a, b], [layers.Dense(2, name='one')(x), layers.Dense(3, activation='softmax', name='two')(x)])
    model.compile('adam', {'one': 'mse', 'two': 'categorical_crossentropy'}, loss_weights={'one': 1., 'two': .5})
    return model, [some(8, 4), some(8, 4)], [some(8, 2), np.eye(3, dtype='float32')[np.arange(8) % 3]]


def branches():
    """A Sequential that begins with a Merge of two others; Keras 1 only."""
    model = Sequential([layers.Merge([Sequential([layers.Dense(3, input_dim=4)]) for _ in range(2)], mode='concat'),
                        layers.Dense(2)])
    model.compile('adam', 'mse')
    return model, [some(8, 4), some(8, 4)], [some(8, 2)]


def recurrent():
    """Words, LSTM and GRU; regularized, bidirectional and in time."""
    words = layers.Input((6,), dtype='int32')
    regular = {'W_regularizer' if KERAS_1 else 'kernel_regularizer': regularizers.l2(.01)}
    x = layers.LSTM(5, return_sequences=True, **regular)(layers.Embedding(11, 4, mask_zero=True)(words))
    x = layers.Bidirectional(layers.GRU(4, return_sequences=True))(x)
    model = model_of(words, layers.Dense(2)(layers.SimpleRNN(3)(layers.TimeDistributed(layers.Dense(3))(x))))
    model.compile('rmsprop', 'mse')
    return model, [rng.randint(0, 11, (8, 6)).astype('int32')], [some(8, 2)]


def words():
    """A Sequential that begins with words, whose dtype Keras before 2.0.6 writes as that of the weights."""
    model = Sequential([layers.Embedding(11, 4, input_length=6), layers.Flatten(), layers.Dense(2)])
    model.compile('adam', 'mse')
    return model, [rng.randint(0, 11, (8, 6)).astype('int32')], [some(8, 2)]


def lambdas():
    """Functions, which Keras saves as bytecode."""
    model = Sequential([layers.Dense(4, input_shape=(4,)), layers.Lambda(lambda x: x * 2. + 1., name='affine'),
                        layers.Lambda(lambda x: x[:, :2], output_shape=lambda shape: (shape[0], 2), name='cut'),
                        layers.Dense(2)])
    model.compile('rmsprop', 'mse')
    return model, [some(8, 4)], [some(8, 2)]


def superpixels():
    """The layers of this package, with the attributes that they had in its first version."""
    from keras_layer import SuperpixelPooling2D, SuperpixelUnpooling2D
    image, superpixel_map = layers.Input((9, 10, 3)), layers.Input((9, 10), dtype='int32')
    last = dict(data_format='channels_last')
    features = layers.Dense(4, activation='relu')(image)
    pooled = SuperpixelPooling2D(6, mask_empty=True, **last)([features, superpixel_map])
    painted = SuperpixelUnpooling2D(mode='mean', **last)([pooled, superpixel_map])
    scores = layers.Dense(2)(layers.GlobalAveragePooling1D()(pooled))
    model = model_of([image, superpixel_map], [scores, painted])
    model.compile('adam', ['mse', None])
    return model, [some(4, 9, 10, 3), rng.randint(-1, 5, (4, 9, 10)).astype('int32')], [some(4, 2)]


def only(arrays):
    return arrays if len(arrays) > 1 else arrays[0]


def make(name, path):
    model, inputs, targets = globals()[name]()
    for _ in range(3):
        model.train_on_batch(only(inputs), only(targets))
    model.save(path + '.h5')
    arrays = {}

    def keep(what, values):
        for i, value in enumerate(values if isinstance(values, list) else [values]):
            arrays['%s_%d' % (what, i)] = value

    keep('input', inputs)
    keep('target', targets)
    keep('prediction', model.predict(only(inputs)))
    model.train_on_batch(only(inputs), only(targets))
    keep('next_prediction', model.predict(only(inputs)))
    np.savez(path + '.npz', **arrays)


if __name__ == '__main__':
    for name in sys.argv[2:]:
        make(name, os.path.join(sys.argv[1], 'keras-%s-python-%d.%d-%s' % (
            (keras.__version__,) + tuple(sys.version_info[:2]) + (name,))))
        print('made', name)
