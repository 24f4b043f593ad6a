"""Layers with the maximum, weights and maps of another size: values, shapes, configs, models on disk."""
import os
import shutil
import tempfile
import unittest

import numpy as np
from keras import backend as K
from keras.layers import Conv1D, Conv2D, Embedding, GlobalAveragePooling1D, Input, Lambda
from keras.models import Model, clone_model, load_model

from keras_layer import (SuperpixelPooling1D, SuperpixelPooling2D, SuperpixelPooling3D, SuperpixelUnpooling2D,
                         SuperpixelUnpooling3D, custom_objects)
from tests.label_maps import random_map
from tests.numeric import exact_extremum, exact_pool, exact_resize
from theano_spp import reference

POOLING = {1: SuperpixelPooling1D, 2: SuperpixelPooling2D, 3: SuperpixelPooling3D}


def run(layer, *arrays):
    """The output of `layer` for these values, and the shape that Keras infers for it."""
    inputs = [Input(array.shape[1:], dtype=str(array.dtype)) for array in arrays]
    output = layer(inputs)
    return Model(inputs, output).predict(list(arrays)), K.int_shape(output)


class OptionsTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.features = self.rng.randn(2, 3, 5, 7).astype('float32')
        self.labels = random_map(self.rng, (2, 5, 7), 6)

    def check(self, expected, layer_of, features, *others):
        """A layer in both data formats against values with channels first."""
        for data_format, turn in (('channels_first', lambda array: array),
                                  ('channels_last', lambda array: np.moveaxis(array, 1, -1))):
            values, shape = run(layer_of(data_format), turn(features), *others)
            np.testing.assert_allclose(values, turn(expected), rtol=1e-5, atol=1e-6)
            self.assertEqual(shape, (None,) + values.shape[1:])

    def test_the_maximum_and_the_minimum_in_one_to_three_axes(self):
        for axes, spatial in ((1, (11,)), (2, (5, 7)), (3, (2, 3, 5))):
            features = self.rng.randn(2, 3, *spatial).astype('float32')
            labels = random_map(self.rng, (2,) + spatial, 6)
            for mode in ('max', 'min')[:3 - axes]:
                self.check(exact_extremum(features, labels, 6, mode)[0],
                           lambda data_format: POOLING[axes](6, mode, data_format), features, labels)

    def test_a_third_input_weighs_the_pixels_in_one_to_three_axes(self):
        for axes, spatial in ((1, (11,)), (2, (5, 7)), (3, (2, 3, 5))):
            features = self.rng.randn(2, 3, *spatial).astype('float32')
            labels = random_map(self.rng, (2,) + spatial, 6)
            weights = self.rng.uniform(.1, 2, labels.shape).astype('float32')
            sums = exact_pool(features * weights[:, None], labels, 6, 'sum')
            total = exact_pool(weights[:, None], labels, 6, 'sum')
            for mode, expected in (('sum', sums), ('mean', sums / np.where(total > 0, total, 1))):
                self.check(expected, lambda data_format: POOLING[axes](6, mode, data_format), features, labels, weights)

    def test_masked_pixels_belong_to_none_whatever_their_weights_are(self):
        words, labels, weights = Input((4,), dtype='int32'), Input((4,), dtype='int32'), Input((4,))
        rows = np.array([[np.nan, np.nan], [1, 2], [3, 4]], 'float32')
        embedded = Embedding(3, 2, mask_zero=True, weights=[rows])(words)
        layer = SuperpixelPooling1D(3, data_format='channels_last', mask_empty=True)
        pooled = Model([words, labels, weights], layer([embedded, labels, weights]))
        values = [np.array([[1, 2, 0, 0]]), np.array([[0, 0, 0, 1]]), np.array([[3, 1, np.nan, 5]])]
        np.testing.assert_allclose(pooled.predict(values), [[[1.5, 2.5], [0, 0], [0, 0]]])
        mask = K.function([words, labels, weights], [layer.output_mask])(values)[0]
        np.testing.assert_array_equal(mask, [[1, 0, 0]])

    def test_the_mask_of_empty_superpixels_is_false_where_no_pixel_has_a_weight(self):
        features = np.moveaxis(self.features, 1, -1)
        weights = np.where(np.isin(self.labels, (1, 5)), 0, self.rng.uniform(.1, 1, (2, 5, 7)))
        weights[1][self.labels[1] == 5] = 1, -1  # sums to 0, but these are weights
        for n in (6, None):
            inputs = [Input((5, 7, 3)), Input((5, 7), dtype='int32'), Input((5, 7))]
            layer = SuperpixelPooling2D(n, 'mean', 'channels_last', mask_empty=True)
            pooled = layer(inputs)
            mask = K.function(inputs, [layer.output_mask])([features, self.labels, weights])[0]
            np.testing.assert_array_equal(mask, [[1, 0, 1, 1, 1, 0], [1, 0, 1, 1, 1, 1]])
            means = Model(inputs, pooled).predict([features, self.labels, weights])
            if n is not None:  # Keras applies masks only if their size is known
                mean = Model(inputs, GlobalAveragePooling1D()(pooled)).predict([features, self.labels, weights])
                np.testing.assert_allclose(mean, [means[0, [0, 2, 3, 4]].mean(0), means[1, [0, 2, 3, 4, 5]].mean(0)],
                                           rtol=1e-5, atol=1e-5)

    def test_features_of_one_pixel_are_not_repeated_to_the_size_of_the_weights(self):
        inputs = [Input((5, 7, 3)), Input((None, None), dtype='int32'), Input((None, None))]
        means = Lambda(lambda x: K.mean(x, axis=(1, 2), keepdims=True),
                       lambda shape: (shape[0], 1, 1, shape[3]))(inputs[0])
        model = Model(inputs, SuperpixelPooling2D(6, 'sum', 'channels_last')([means] + inputs[1:]))
        with self.assertRaises(ValueError) as caught:
            model.predict([np.moveaxis(self.features, 1, -1), self.labels, np.ones((2, 5, 7))])
        self.assertIn('WeightedPool: feature_map has shape (2, 3, 1, 1), but superpixel_map has shape (2, 5, 7)',
                      str(caught.exception))

    def test_features_are_resized_to_a_finer_map(self):
        labels = random_map(self.rng, (2, 11, 13), 6)
        resized = exact_resize(self.features, (11, 13), 'bilinear')
        self.check(exact_pool(resized, labels, 6, 'mean'),
                   lambda data_format: SuperpixelPooling2D(6, 'mean', data_format, resize='bilinear'),
                   self.features, labels)
        self.check(exact_extremum(resized, labels, 6, 'max')[0],
                   lambda data_format: SuperpixelPooling2D(6, 'max', data_format, resize='bilinear'),
                   self.features, labels)

    def test_unpooling_makes_features_of_the_size_of_a_third_input(self):
        pooled, labels = self.rng.randn(2, 3, 6).astype('float32'), random_map(self.rng, (2, 11, 13), 6)
        expected = reference.overlap_unpool(pooled, labels, (5, 7), 'mean', 'nearest')
        for data_format, turn in (('channels_first', lambda array: array),
                                  ('channels_last', lambda array: np.moveaxis(array, 1, -1))):
            values, shape = run(SuperpixelUnpooling2D('mean', data_format, 'nearest'), turn(pooled), labels,
                                turn(self.features))
            np.testing.assert_allclose(values, turn(expected), rtol=1e-5, atol=1e-6)
            self.assertEqual(shape, (None,) + values.shape[1:])

    def test_sizes_may_be_unknown(self):
        inputs = [Input((None, None, 3)), Input((None, None), dtype='int32')]
        pooled = SuperpixelPooling2D(mode='max', data_format='channels_last', resize='nearest')(inputs)
        painted = SuperpixelUnpooling2D(data_format='channels_last', resize='nearest')([pooled, inputs[1], inputs[0]])
        values = Model(inputs, painted).predict([np.moveaxis(self.features, 1, -1), self.labels])
        expected = reference.unpool(exact_extremum(self.features, self.labels, 6, 'max')[0], self.labels)
        np.testing.assert_allclose(np.moveaxis(values, -1, 1), expected, rtol=1e-6)
        self.assertEqual(K.int_shape(painted), (None, None, None, 3))

    def test_the_mask_of_empty_superpixels_goes_with_every_mode(self):
        labels = np.where(self.labels == 3, -1, self.labels)
        inputs = [Input((5, 7, 3)), Input((11, 13), dtype='int32')]
        pooled = SuperpixelPooling2D(6, 'max', 'channels_last', mask_empty=True, resize='nearest')(inputs)
        means = Model(inputs, GlobalAveragePooling1D()(pooled)).predict(
            [np.moveaxis(self.features, 1, -1),
             np.pad(labels, ((0, 0), (0, 6), (0, 6)), 'constant', constant_values=-1)])
        resized = exact_resize(self.features, (11, 13), 'nearest')[:, :, :5, :7]
        maxima = exact_extremum(resized, labels, 6, 'max')[0]
        np.testing.assert_allclose(means, maxima[..., [0, 1, 2, 4, 5]].mean(-1), rtol=1e-5)


class ModelTest(unittest.TestCase):

    def test_a_model_with_every_option_trains_is_saved_cloned_and_loaded(self):
        np.random.seed(0)
        image, labels, weights = Input((4, 5, 3)), Input((11, 13), dtype='int32'), Input((4, 5))
        coarse = Input((4, 5), dtype='int32')
        features = Conv2D(4, 3, padding='same', activation='tanh')(image)
        pooled = SuperpixelPooling2D(6, 'max', 'channels_last', mask_empty=True, resize='bilinear')([features, labels])
        painted = SuperpixelUnpooling2D('mean', 'channels_last', 'bilinear')(
            [Conv1D(4, 1)(SuperpixelPooling2D(6, 'min', 'channels_last', resize='nearest')([features, labels])),
             labels, features])
        weighted = SuperpixelPooling2D(6, 'mean', 'channels_last')([painted, coarse, weights])
        model = Model([image, labels, coarse, weights], [pooled, weighted])
        model.compile('adam', 'mse')

        rng = np.random.RandomState(0)
        arrays = [rng.randn(8, 4, 5, 3), random_map(rng, (8, 11, 13), 6), random_map(rng, (8, 4, 5), 6),
                  rng.uniform(size=(8, 4, 5))]
        targets = [rng.randn(8, 6, 4)] * 2
        losses = model.fit(arrays, targets, epochs=20, verbose=0).history['loss']
        self.assertLess(losses[-1], .97 * losses[0])

        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, 'model.h5')
        model.save(path)
        copy = clone_model(model)
        copy.set_weights(model.get_weights())
        for other in (load_model(path, custom_objects=custom_objects), copy):
            for some, values in zip(other.predict(arrays), model.predict(arrays)):
                np.testing.assert_array_equal(some, values)

    def test_a_config_from_before_these_options_makes_the_layer_it_meant(self):
        layer = SuperpixelPooling2D.from_config({'n_superpixels': 6, 'mode': 'sum', 'data_format': 'channels_last',
                                                 'mask_empty': True, 'name': 'old'})
        self.assertEqual((layer.mode, layer.mask_empty, layer.resize), ('sum', True, None))
        self.assertIsNone(SuperpixelUnpooling3D.from_config({'mode': 'sum', 'data_format': 'channels_last'}).resize)
