"""One superpixel map for all images that a model ever sees: a tensor instead of an input to feed."""
import os
import shutil
import tempfile
import unittest

import numpy as np
from keras import backend as K
from keras.layers import LSTM, Dense, GlobalAveragePooling1D, Input, Lambda, Masking
from keras.models import Model, load_model

from keras_layer import (GlobalSuperpixelPooling, PixelSoftmax, SuperpixelNormalization, SuperpixelPooling1D,
                         SuperpixelPooling2D, SuperpixelUnpooling2D)
from tests.numeric import exact_pool, exact_unpool

LABELS = np.array([[[0, 0, 1, -1], [0, 4, 1, 1], [4, 4, 3, 3]]], 'int32')


class SharedMapTest(unittest.TestCase):

    def setUp(self):
        rng = np.random.RandomState(0)
        self.images = rng.randn(10, 3, 4, 2).astype('float32')
        self.classes = np.eye(2)[np.arange(10) % 2]
        self.weights = rng.uniform(.5, 2, (10, 3, 4)).astype('float32')
        self.labels = np.repeat(LABELS, 10, axis=0)

    def check(self, outputs_of, *more):
        """The model with the only map predicts, in batches of four, what it does with a map for each image."""
        np.random.seed(0)
        image, others = Input((3, 4, 2)), [Input((3, 4)) for _ in more]
        only, each = Input(tensor=K.variable(LABELS, dtype='int32')), Input((3, 4), dtype='int32')
        layers = outputs_of()
        of_only, of_each = [Model([image, labels] + others, layers(image, labels, *others)) for labels in (only, each)]
        found = of_only.predict([self.images] + list(more), batch_size=4)
        expected = of_each.predict([self.images, self.labels] + list(more), batch_size=4)
        for value, right in zip(*[v if isinstance(v, list) else [v] for v in (found, expected)]):
            np.testing.assert_allclose(value, right, rtol=1e-5, atol=1e-6)
        return of_only, found

    def test_pooling_and_unpooling_equal_a_walk(self):
        def layers():
            pooling, unpooling = SuperpixelPooling2D(5, data_format='channels_last'), SuperpixelUnpooling2D(
                data_format='channels_last')

            def outputs(image, labels):
                pooled = pooling([image, labels])
                return [pooled, unpooling([pooled, labels])]
            return outputs

        _, (pooled, painted) = self.check(layers)
        expected = exact_pool(self.images.transpose(0, 3, 1, 2), self.labels, 5, 'mean')
        np.testing.assert_allclose(pooled, expected.transpose(0, 2, 1), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(painted, exact_unpool(expected, self.labels, 'sum').transpose(0, 2, 3, 1), rtol=1e-5,
                                   atol=1e-6)

    def test_every_layer_and_masks_of_empty_superpixels(self):
        def layers():
            pooling = SuperpixelPooling2D(6, mask_empty=True, data_format='channels_last')
            rest = [GlobalAveragePooling1D(), GlobalSuperpixelPooling(data_format='channels_last'), LSTM(2)]
            pixels = [PixelSoftmax('channels_last'), SuperpixelNormalization(data_format='channels_last')]
            return lambda image, labels: [layer(pooling([image, labels])) for layer in rest] + [
                layer([image, labels]) for layer in pixels]

        self.check(layers)

    def test_weights_of_each_image(self):
        def layers():
            pooling = SuperpixelPooling2D(6, mask_empty=True, data_format='channels_last')
            average = GlobalAveragePooling1D()
            return lambda image, labels, weights: average(pooling([image, labels, weights]))

        self.weights[3][LABELS[0] == 4] = 0
        self.check(layers, self.weights)

    def test_one_image_of_weights(self):
        image, labels = Input((3, 4, 2)), Input((3, 4), dtype='int32')
        pooling = SuperpixelPooling2D(6, mask_empty=True, data_format='channels_last')
        average = GlobalAveragePooling1D()
        self.weights[0][LABELS[0] == 4] = 0
        only = Input(tensor=K.variable(self.weights[:1]))
        found = Model([image, labels, only], average(pooling([image, labels, only]))).predict(
            [self.images, self.labels])
        each = Input((3, 4))
        expected = Model([image, labels, each], average(pooling([image, labels, each]))).predict(
            [self.images, self.labels, np.repeat(self.weights[:1], 10, axis=0)])
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)

    def test_pixels_that_the_features_mask_belong_to_none_in_their_own_image(self):
        steps, labels = np.ones((4, 5, 2), 'float32'), np.array([[0, 0, 1, 1, 2]], 'int32')
        steps[1, 1] = steps[2, 2:4] = 0
        feature, only = Input((5, 2)), Input(tensor=K.variable(labels, dtype='int32'))
        pooled = SuperpixelPooling1D(3, 'sum', 'channels_last')([Masking()(feature), only])
        np.testing.assert_array_equal(Model([feature, only], pooled).predict(steps)[..., 0],
                                      [[2, 2, 1], [1, 2, 1], [2, 0, 1], [2, 2, 1]])

    def test_it_trains_and_is_saved_and_the_loaded_model_takes_a_map_for_each_image(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)

        def layers():
            pooling, dense = SuperpixelPooling2D(6, mask_empty=True, data_format='channels_last'), Dense(2)
            average = GlobalAveragePooling1D()
            return lambda image, labels: average(dense(pooling([image, labels])))

        model, before = self.check(layers)
        model.compile('sgd', 'mse')
        model.fit(self.images, self.classes, batch_size=4, epochs=3, verbose=0)
        after = model.predict(self.images)
        self.assertGreater(abs(after - before).max(), 1e-3)
        model.save(os.path.join(folder, 'model.h5'))
        loaded = load_model(os.path.join(folder, 'model.h5'))
        np.testing.assert_allclose(loaded.predict([self.images, self.labels]), after, rtol=1e-5, atol=1e-6)

    def test_maps_that_are_fed_for_each_image_can_be_cut_to_the_first(self):
        image, labels = Input((3, 4, 2)), Input((3, 4), dtype='int32')
        first = Lambda(lambda maps: maps[:1], output_shape=lambda shape: (1,) + shape[1:])(labels)
        pooled = SuperpixelPooling2D(5, data_format='channels_first')([Lambda(
            lambda x: K.permute_dimensions(x, (0, 3, 1, 2)), output_shape=(2, 3, 4))(image), first])
        found = Model([image, labels], pooled).predict([self.images, self.labels])
        np.testing.assert_allclose(found, exact_pool(self.images.transpose(0, 3, 1, 2), self.labels, 5, 'mean'),
                                   rtol=1e-5, atol=1e-6)
