"""Softmax and normalization over the pixels of each superpixel, and the pooling modes that are composites."""
import unittest

import numpy as np
from keras import backend as K
from keras.layers import Conv2D, Embedding, Input
from keras.models import Model, clone_model, model_from_json
from keras.optimizers import Adam

from keras_layer import (PixelSoftmax, SuperpixelNormalization, SuperpixelPooling1D, SuperpixelPooling2D,
                         SuperpixelPooling3D, SuperpixelSoftmax, custom_objects)
from tests.label_maps import random_map
from theano_spp import reference

SPATIAL = {1: (11,), 2: (5, 7), 3: (2, 3, 5)}
POOLING = {1: SuperpixelPooling1D, 2: SuperpixelPooling2D, 3: SuperpixelPooling3D}
LAYERS = {'softmax': (PixelSoftmax, {}, reference.softmax),
          'normalization': (SuperpixelNormalization, {'epsilon': .1},
                            lambda features, labels: reference.normalize(features, labels, .1))}


class WithinSuperpixelsTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def check(self, expected, layer_of, features, *others):
        """A layer in both data formats against values with channels first."""
        for data_format, turn in (('channels_first', lambda array: array),
                                  ('channels_last', lambda array: np.moveaxis(array, 1, -1))):
            arrays = [turn(features)] + list(others)
            inputs = [Input(array.shape[1:], dtype=str(array.dtype)) for array in arrays]
            output = layer_of(data_format)(inputs)
            values = Model(inputs, output).predict(arrays)
            np.testing.assert_allclose(values, turn(expected), rtol=1e-5, atol=1e-6)
            self.assertEqual(K.int_shape(output), (None,) + values.shape[1:])

    def test_values_equal_the_reference_in_one_to_three_axes(self):
        for axes, spatial in SPATIAL.items():
            features, labels = self.rng.randn(2, 3, *spatial).astype('float32'), random_map(self.rng, (2,) + spatial, 6)
            for layer, settings, reference_function in LAYERS.values():
                self.check(reference_function(features, labels),
                           lambda data_format: layer(data_format=data_format, **settings), features, labels)

    def test_pooling_layers_take_the_modes_that_are_composites(self):
        for axes, mode in ((1, 'var'), (2, 'std'), (3, 'logsumexp'), (2, 'logsumexp')):
            features = self.rng.randn(2, 3, *SPATIAL[axes]).astype('float32')
            labels = random_map(self.rng, (2,) + SPATIAL[axes], 6)
            self.check(reference.composite_pool(features, labels, 6, mode),
                       lambda data_format: POOLING[axes](6, mode, data_format), features, labels)

    def test_a_third_input_weighs_the_pixels_of_a_standard_deviation(self):
        features, labels = self.rng.randn(2, 3, 5, 7).astype('float32'), random_map(self.rng, (2, 5, 7), 6)
        weights = self.rng.uniform(size=(2, 5, 7)).astype('float32')
        self.check(reference.composite_pool(features, labels, 6, 'std', weights),
                   lambda data_format: SuperpixelPooling2D(6, 'std', data_format), features, labels, weights)

    def test_float_maps_and_unknown_sizes(self):
        features = self.rng.randn(2, 5, 7, 3).astype('float32')
        labels = random_map(self.rng, (2, 5, 7), 6).astype('float32')
        inputs = [Input((None, None, 3)), Input((None, None))]
        output = PixelSoftmax('channels_last')(inputs)
        self.assertEqual(K.int_shape(output), (None, None, None, 3))
        expected = reference.softmax(np.moveaxis(features, -1, 1), labels.astype('int32'))
        values = Model(inputs, output).predict([features, labels])
        np.testing.assert_allclose(values, np.moveaxis(expected, 1, -1), rtol=1e-5)

    def test_masked_pixels_belong_to_none_and_stay_masked(self):
        words, labels = Input((4,), dtype='int32'), Input((4,), dtype='int32')
        embedded = Embedding(3, 1, mask_zero=True, weights=[np.log([[9.], [1], [3]])])(words)
        layer = PixelSoftmax('channels_last')
        values = [np.array([[1, 2, 0, 2]]), np.array([[0, 0, 0, 1]])]
        np.testing.assert_allclose(Model([words, labels], layer([embedded, labels])).predict(values),
                                   [[[.25], [.75], [0], [1]]], rtol=1e-6)
        mask = K.function([words, labels], [layer.output_mask])(values)[0]
        np.testing.assert_array_equal(mask, [[1, 1, 0, 1]])

    def test_a_model_trains_and_its_copies_predict_the_same(self):
        np.random.seed(0)
        image, labels = Input((5, 7, 3)), Input((5, 7), dtype='int32')
        features = Conv2D(4, 3, padding='same')(image)
        attention = PixelSoftmax('channels_last')([features, labels])
        normalized = SuperpixelNormalization(.01, 'channels_last')([attention, labels])
        pooled = [SuperpixelPooling2D(6, mode, 'channels_last')([source, labels])
                  for mode, source in (('std', attention), ('logsumexp', normalized))]
        model = Model([image, labels], pooled)
        model.compile(Adam(.05), 'mse')
        arrays = [self.rng.randn(8, 5, 7, 3), random_map(self.rng, (8, 5, 7), 6)]
        losses = model.fit(arrays, [np.ones((8, 6, 4))] * 2, epochs=20, verbose=0).history['loss']
        self.assertLess(losses[-1], .97 * losses[0])
        copies = [clone_model(model), model_from_json(model.to_json(), custom_objects)]
        for copy in copies:
            copy.set_weights(model.get_weights())
            for layer, other in zip(model.layers, copy.layers):
                self.assertEqual(layer.get_config(), other.get_config())
            for some, values in zip(copy.predict(arrays), model.predict(arrays)):
                np.testing.assert_allclose(some, values, rtol=1e-5, atol=1e-7)

    def test_each_softmax_says_what_it_is_not(self):
        self.assertIn('SuperpixelSoftmax', PixelSoftmax.__doc__)
        self.assertIn('PixelSoftmax', SuperpixelSoftmax.__doc__)

    def test_impossible_arguments_are_errors_that_say_why(self):
        features, labels = Input((5, 7, 3)), Input((5, 7))
        for sentence, call in (
                ("SuperpixelPooling2D: mode 'std' goes with resize=None, but resize is 'nearest'",
                 lambda: SuperpixelPooling2D(6, 'std', resize='nearest')),
                ('SuperpixelNormalization: epsilon is 0, but must be positive', lambda: SuperpixelNormalization(0)),
                ('PixelSoftmax is called on [feature_map, superpixel_map], but got one tensor',
                 lambda: PixelSoftmax()(features)),
                ('PixelSoftmax: feature_map has shape (None, 5), but 3 axes are wanted',
                 lambda: PixelSoftmax()([Input((5,)), labels])),
                ('PixelSoftmax: superpixel_map has shape (None, 5, 7, 3), but (batch, *spatial) with 2 spatial axes is'
                 ' wanted',
                 lambda: PixelSoftmax()([features, features])),
                ('SuperpixelNormalization: feature_map has shape (None, 5, 7, 3) (channels_last), but superpixel_map'
                 ' has shape (None, 5, 8); their spatial sizes must be equal: resize the superpixel map',
                 lambda: SuperpixelNormalization(data_format='channels_last')([features, Input((5, 8))]))):
            with self.assertRaises(ValueError) as caught:
                call()
            self.assertIn(sentence, str(caught.exception))
        with self.assertRaisesRegex(TypeError, "SuperpixelNormalization: epsilon is '1e-5', but a number is wanted"):
            SuperpixelNormalization('1e-5')
