"""What the layers compute in a model, against the NumPy reference."""
import unittest

import numpy as np
from keras import backend as K
from keras.layers import LSTM, Dense, Embedding, GlobalAveragePooling1D, Input, Lambda, TimeDistributed
from keras.models import Model

from keras_layer import (SuperpixelPooling1D, SuperpixelPooling2D, SuperpixelPooling3D, SuperpixelUnpooling1D,
                         SuperpixelUnpooling2D, SuperpixelUnpooling3D)
from tests.label_maps import random_map
from theano_spp import reference

SPATIAL = {1: (11,), 2: (5, 7), 3: (2, 3, 5)}
POOLING = {1: SuperpixelPooling1D, 2: SuperpixelPooling2D, 3: SuperpixelPooling3D}
UNPOOLING = {1: SuperpixelUnpooling1D, 2: SuperpixelUnpooling2D, 3: SuperpixelUnpooling3D}


def to_last(array):
    return np.moveaxis(array, 1, -1)


class LayerValuesTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def run_layer(self, layer, first, labels, known_sizes=True, label_dtype='int32'):
        """The output of `layer` for these values, and the shape that Keras infers for it."""
        sizes = (lambda array: array.shape[1:]) if known_sizes else (lambda array: (None,) * (array.ndim - 1))
        channel = 1 if layer.data_format == 'channels_first' else -1
        shape = list(sizes(first))
        shape[channel if channel < 0 else channel - 1] = first.shape[channel]
        inputs = [Input(tuple(shape)), Input(sizes(labels), dtype=label_dtype)]
        output = layer(inputs)
        return Model(inputs, output).predict([first, labels]), K.int_shape(output)

    def test_pooling_in_both_data_formats_one_to_three_axes_and_both_modes(self):
        for axes, spatial in SPATIAL.items():
            features = self.rng.randn(2, 3, *spatial).astype('float32')
            labels = random_map(self.rng, (2,) + spatial, 6)
            for mode in ('mean', 'sum'):
                expected = reference.pool(features, labels, 6, mode)
                pooled, shape = self.run_layer(POOLING[axes](6, mode, 'channels_first'), features, labels)
                np.testing.assert_allclose(pooled, expected, rtol=1e-5, atol=1e-6)
                self.assertEqual(shape, (None, 3, 6))
                pooled, shape = self.run_layer(POOLING[axes](6, mode, 'channels_last'), to_last(features), labels)
                np.testing.assert_allclose(pooled, to_last(expected), rtol=1e-5, atol=1e-6)
                self.assertEqual(shape, (None, 6, 3))

    def test_unpooling_in_both_data_formats_one_to_three_axes_and_both_modes(self):
        for axes, spatial in SPATIAL.items():
            pooled = self.rng.randn(2, 3, 6).astype('float32')
            labels = random_map(self.rng, (2,) + spatial, 6)
            for mode in ('sum', 'mean'):
                expected = reference.unpool(pooled, labels, mode)
                painted, shape = self.run_layer(UNPOOLING[axes](mode, 'channels_first'), pooled, labels)
                np.testing.assert_allclose(painted, expected, rtol=1e-6)
                self.assertEqual(shape, (None, 3) + spatial)
                painted, shape = self.run_layer(UNPOOLING[axes](mode, 'channels_last'), to_last(pooled), labels)
                np.testing.assert_allclose(painted, to_last(expected), rtol=1e-6)
                self.assertEqual(shape, (None,) + spatial + (3,))

    def test_batch_height_width_and_number_of_superpixels_may_be_unknown(self):
        features = self.rng.randn(2, 3, 5, 7).astype('float32')
        labels = random_map(self.rng, (2, 5, 7), 6)
        labels[0, 0, 0] = 5
        pooled, shape = self.run_layer(SuperpixelPooling2D(data_format='channels_last'), to_last(features), labels,
                                       known_sizes=False)
        np.testing.assert_allclose(pooled, to_last(reference.pool(features, labels, 6)), rtol=1e-5, atol=1e-6)
        self.assertEqual(shape, (None, None, 3))
        painted, shape = self.run_layer(SuperpixelUnpooling2D(data_format='channels_last'), pooled, labels,
                                        known_sizes=False)
        np.testing.assert_allclose(painted, to_last(reference.unpool(np.moveaxis(pooled, -1, 1), labels)))
        self.assertEqual(shape, (None, None, None, 3))

    def test_the_data_format_of_the_keras_config_is_the_default(self):
        before = K.image_data_format()
        try:
            for data_format in ('channels_first', 'channels_last'):
                K.set_image_data_format(data_format)
                for layer in list(POOLING.values()) + list(UNPOOLING.values()):
                    self.assertEqual(layer().data_format, data_format)
        finally:
            K.set_image_data_format(before)

    def test_float_maps_of_whole_numbers_pool_as_integer_maps(self):
        features = self.rng.randn(2, 5, 7, 3).astype('float32')
        labels = random_map(self.rng, (2, 5, 7), 6)
        expected, _ = self.run_layer(SuperpixelPooling2D(6, data_format='channels_last'), features, labels)
        for dtype in ('float32', 'float64'):
            pooled, _ = self.run_layer(SuperpixelPooling2D(6, data_format='channels_last'), features,
                                       labels.astype(dtype), label_dtype=dtype)
            np.testing.assert_array_equal(pooled, expected)

    def test_a_float_map_between_labels_is_an_error_and_not_another_label(self):
        labels = np.zeros((1, 5, 7), 'float32')
        for wrong in (.5, -.5, np.nan):
            labels[0, 2, 3] = wrong
            for layer, first in ((SuperpixelPooling2D(6, data_format='channels_last'), np.ones((1, 5, 7, 3))),
                                 (SuperpixelUnpooling2D(data_format='channels_last'), np.ones((1, 6, 3)))):
                with self.assertRaises(AssertionError) as caught:
                    self.run_layer(layer, first, labels, label_dtype='float32')
                self.assertIn('%s: superpixel_map holds values that are no whole numbers' % type(layer).__name__,
                              str(caught.exception))
                self.assertIn('by nearest neighbour', str(caught.exception))

    def test_a_float_map_with_labels_that_floats_cannot_tell_apart_is_an_error(self):
        labels = np.zeros((1, 5, 7), 'float32')
        for wrong in (2. ** 24, 2. ** 24 + 2, -np.inf, np.inf, 1e30):
            labels[0, 2, 3] = wrong
            with self.assertRaises(AssertionError) as caught:
                self.run_layer(SuperpixelPooling2D(6, data_format='channels_last'), np.ones((1, 5, 7, 3)), labels,
                               label_dtype='float32')
            self.assertIn("SuperpixelPooling2D: superpixel_map holds labels beyond 16777215, which float32 cannot"
                          " tell apart (use an input with dtype='int32')", str(caught.exception))

    def test_a_k_function_of_the_layers_computes(self):
        features, labels = K.placeholder((None, 2, 2, 1)), K.placeholder((None, 2, 2), dtype='int32')
        pooled = SuperpixelPooling2D(3, data_format='channels_last')([features, labels])
        painted = SuperpixelUnpooling2D(data_format='channels_last')([pooled, labels])
        function = K.function([features, labels], [pooled, painted])
        pooled, painted = function([np.array([[[[.1], [.2]], [[.3], [.4]]]]), np.array([[[0, 0], [1, 2]]])])
        np.testing.assert_allclose(pooled, [[[.15], [.3], [.4]]], rtol=1e-6)
        np.testing.assert_allclose(painted, [[[[.15], [.15]], [[.3], [.4]]]], rtol=1e-6)


class MaskTest(unittest.TestCase):

    def setUp(self):
        rng = np.random.RandomState(0)
        self.features = rng.randn(2, 5, 7, 3).astype('float32')
        self.labels = np.array([[[0] * 7] * 5, [[0] * 3 + [3] * 4] * 5], 'int32')
        self.inputs = [Input((5, 7, 3)), Input((5, 7), dtype='int32')]

    def predict(self, output):
        return Model(self.inputs, output).predict([self.features, self.labels])

    def test_the_mask_is_false_for_empty_superpixels_alone(self):
        layer = SuperpixelPooling2D(6, data_format='channels_last', mask_empty=True)
        layer(self.inputs)
        mask = K.function(self.inputs, [layer.output_mask])([self.features, self.labels])[0]
        np.testing.assert_array_equal(mask, [[1, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0]])
        layer = SuperpixelPooling2D(4, data_format='channels_last')
        layer(self.inputs)
        self.assertIsNone(layer.output_mask)

    def test_the_mask_counts_channels_first_superpixels_too(self):
        inputs = [Input((3, 5, 7)), Input((5, 7), dtype='int32')]
        layer = SuperpixelPooling2D(4, data_format='channels_first', mask_empty=True)
        layer(inputs)
        mask = K.function(inputs, [layer.output_mask])([np.moveaxis(self.features, -1, 1), self.labels])[0]
        np.testing.assert_array_equal(mask, [[1, 0, 0, 0], [1, 0, 0, 1]])

    def test_the_mean_over_masked_superpixels_is_that_of_the_real_ones(self):
        pooled = reference.pool(np.moveaxis(self.features, -1, 1), self.labels, 4)
        for mask_empty, expected in ((True, [pooled[0, :, 0], pooled[1][:, [0, 3]].mean(1)]),
                                     (False, pooled.mean(2))):
            layer = SuperpixelPooling2D(4, data_format='channels_last', mask_empty=mask_empty)
            mean = self.predict(GlobalAveragePooling1D()(layer(self.inputs)))
            np.testing.assert_allclose(mean, expected, rtol=1e-5, atol=1e-6)

    def test_the_mask_goes_through_dense_layers_and_ends_at_unpooling(self):
        pooled = SuperpixelPooling2D(4, data_format='channels_last', mask_empty=True)(self.inputs)
        dense, unpooling = Dense(2), SuperpixelUnpooling2D(data_format='channels_last')
        painted = unpooling([dense(pooled), self.inputs[1]])
        self.assertIsNotNone(dense.output_mask)
        self.assertIsNone(unpooling.output_mask)
        self.assertEqual(self.predict(painted).shape, (2, 5, 7, 2))

    def test_masked_pixels_belong_to_none(self):
        words, labels = Input((4,), dtype='int32'), Input((4,), dtype='int32')
        rows = np.array([[100, 100], [1, 2], [3, 4]], 'float32')
        embedded = Embedding(3, 2, mask_zero=True, weights=[rows])(words)
        layer = SuperpixelPooling1D(3, data_format='channels_last', mask_empty=True)
        pooled = Model([words, labels], layer([embedded, labels]))
        values = [np.array([[1, 2, 0, 0]]), np.array([[0, 0, 0, 1]])]
        np.testing.assert_allclose(pooled.predict(values), [[[2, 3], [0, 0], [0, 0]]])
        mask = K.function([words, labels], [layer.output_mask])(values)[0]
        np.testing.assert_array_equal(mask, [[1, 0, 0]])

    def test_a_mask_that_is_not_of_pixels_is_refused(self):
        features = Lambda(lambda x: x, lambda shape: shape, mask=lambda x, mask: K.ones_like(x[:, 0, 0, 0]))(
            self.inputs[0])
        with self.assertRaises(ValueError) as caught:
            SuperpixelPooling2D(4, data_format='channels_last')([features, self.inputs[1]])
        self.assertIn('SuperpixelPooling2D: the mask of feature_map has 1 axes, but superpixel_map has 3',
                      str(caught.exception))

    def test_time_distributed_layers_train_on_the_mask_of_float_maps(self):
        inputs = [Input((5, 7, 3)), Input((5, 7))]
        pooled = SuperpixelPooling2D(6, data_format='channels_last', mask_empty=True)(inputs)
        model = Model(inputs, TimeDistributed(Dense(1))(pooled))
        model.compile('sgd', 'mse')
        self.assertTrue(np.isfinite(model.train_on_batch([self.features, self.labels], np.zeros((2, 6, 1)))))

    def test_recurrent_layers_run_over_the_superpixels_that_have_pixels(self):
        np.random.seed(0)
        inputs = [Input((5, 7, 3)), Input((5, 7), dtype='int32')]
        recurrent = LSTM(2)
        outputs = [recurrent(SuperpixelPooling2D(n, data_format='channels_last', mask_empty=True)(inputs))
                   for n in (4, 9)]
        few, many = Model(inputs, outputs).predict([self.features, self.labels])
        np.testing.assert_allclose(few, many, rtol=1e-5)
