"""Maximum, mean, sum and softmax over the superpixels of an image, where some superpixels have no pixels."""
import unittest

import numpy as np
from keras import backend as K
from keras.layers import Input
from keras.models import Model, model_from_json

from keras_layer import GlobalSuperpixelPooling, SuperpixelPooling2D, SuperpixelSoftmax

# Superpixels 0 and 2 of three; 1 alone; none. Two channels.
LABELS = np.array([[[0, 0], [2, 2]], [[1, 1], [1, -1]], [[-1, -1], [-1, -1]]], 'int32')
FEATURES = np.array([[[[-1, -4], [-1, -4]], [[-1, -2], [-3, -2]]], [[[-1, 5], [-1, 5]], [[-1, 5], [7, 7]]],
                     [[[9, 9], [9, 9]], [[9, 9], [9, 9]]]], 'float32')
POOLED = np.array([[[-1, -4], [0, 0], [-2, -2]], [[0, 0], [-1, 5], [0, 0]], np.zeros((3, 2))], 'float32')
WANTED = {'max': [[-1, -2], [-1, 5], [0, 0]], 'sum': [[-3, -6], [-1, 5], [0, 0]], 'mean': [[-1.5, -3], [-1, 5], [0, 0]]}
# exp(-1) : exp(-2) is 1 : exp(-1), exp(-4) : exp(-2) is exp(-2) : 1.
FIRST, SECOND = 1 / (1 + np.exp(-1)), np.exp(-2) / (1 + np.exp(-2))
SOFTMAX = [[[FIRST, SECOND], [0, 0], [1 - FIRST, 1 - SECOND]], [[0, 0], [1, 1], [0, 0]], np.zeros((3, 2))]


def model_of(layer, data_format, n_superpixels=3):
    axes = (2, 2, 2)
    features, labels = Input(axes), Input((2, 2), dtype='int32')
    pooled = SuperpixelPooling2D(n_superpixels, mask_empty=True, data_format=data_format)([features, labels])
    return Model([features, labels], [layer(pooled), pooled])


def turned(array, data_format, first):
    """An array with channels last, with the channels moved to axis `first` if the format is channels first."""
    return np.moveaxis(array, -1, first) if data_format == 'channels_first' else np.asarray(array)


class OverSuperpixelsTest(unittest.TestCase):

    def test_superpixels_without_pixels_are_left_out_in_both_data_formats(self):
        for data_format in 'channels_last', 'channels_first':
            given = [turned(FEATURES, data_format, 1), LABELS]
            for mode, wanted in WANTED.items():
                for n_superpixels in 3, None:
                    model = model_of(GlobalSuperpixelPooling(mode, data_format), data_format, n_superpixels)
                    actual, pooled = model.predict(given)
                    np.testing.assert_allclose(pooled, turned(POOLED, data_format, 1))
                    np.testing.assert_allclose(actual, wanted)
                    self.assertEqual(model.output_shape[0], (None, 2))
            model = model_of(SuperpixelSoftmax(data_format), data_format)
            np.testing.assert_allclose(model.predict(given)[0], turned(np.array(SOFTMAX), data_format, 1), rtol=1e-6)
            self.assertEqual(model.output_shape[0], (None, 2, 3) if data_format == 'channels_first' else (None, 3, 2))

    def test_gradients_are_finite_and_reach_no_superpixel_that_is_left_out(self):
        mask = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0]], bool)
        pooled, present, weights = K.placeholder(ndim=3), K.placeholder(ndim=2, dtype='bool'), K.placeholder(ndim=3)
        for layer in [SuperpixelSoftmax('channels_last')] + [
                GlobalSuperpixelPooling(mode, 'channels_last') for mode in WANTED]:
            actual = layer.call(pooled, present)
            actual = actual if K.ndim(actual) == 3 else K.expand_dims(actual, 1)
            gradient = K.function([pooled, present, weights], [K.gradients(K.sum(actual * weights), pooled)])
            pooled_gradient = gradient([POOLED, mask, np.random.RandomState(0).normal(size=(3, 1, 2)) + np.zeros(
                (3, 3 if isinstance(layer, SuperpixelSoftmax) else 1, 1)) + np.arange(3)[:, np.newaxis, np.newaxis]])[0]
            self.assertTrue(np.isfinite(pooled_gradient).all())
            self.assertTrue(np.all(pooled_gradient[~mask] == 0))
            if not isinstance(layer, SuperpixelSoftmax):
                self.assertTrue(np.any(pooled_gradient[mask] != 0))

    def test_large_scores_do_not_overflow(self):
        actual = K.eval(SuperpixelSoftmax('channels_last').call(K.variable([[[1000.], [1000.], [-1000.]]])))
        np.testing.assert_allclose(actual, [[[.5], [.5], [0]]])

    def test_without_a_mask_all_superpixels_count(self):
        pooled = K.variable(POOLED[:1])
        self.assertEqual(K.eval(GlobalSuperpixelPooling('max', 'channels_last').call(pooled)).tolist(), [[0, 0]])

    def test_json_keeps_the_settings_and_the_softmax_passes_its_mask_on(self):
        model = model_of(SuperpixelSoftmax('channels_first'), 'channels_first')
        again = model_from_json(model.to_json())
        self.assertEqual(again.get_config(), model.get_config())
        features, labels = Input((2, 2, 2)), Input((2, 2), dtype='int32')
        pooled = SuperpixelPooling2D(3, mask_empty=True, data_format='channels_last')([features, labels])
        attention = SuperpixelSoftmax('channels_last')(pooled)
        chained = Model([features, labels], GlobalSuperpixelPooling('mean', 'channels_last')(attention))
        # The mean of what sums to 1 over two superpixels, one, none.
        np.testing.assert_allclose(chained.predict([FEATURES, LABELS]), [[.5, .5], [1, 1], [0, 0]], rtol=1e-6)

    def test_impossible_arguments_are_errors_that_say_why(self):
        with self.assertRaisesRegex(ValueError, "GlobalSuperpixelPooling: mode is 'median', but must be 'max', 'mean'"
                                                " or 'sum'"):
            GlobalSuperpixelPooling('median')
        with self.assertRaisesRegex(ValueError, 'SuperpixelSoftmax: pooled has 4 axes'):
            SuperpixelSoftmax()(Input((2, 2, 2)))
