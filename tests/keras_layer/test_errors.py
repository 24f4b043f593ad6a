"""The errors that layers raise for bad inputs and options, before anything runs."""
import unittest

import numpy as np
from keras.layers import Input, Lambda, Masking
from keras.models import Model

from keras_layer import SuperpixelPooling1D, SuperpixelPooling2D, SuperpixelUnpooling2D
from tests.processes import run_python


class LayerErrorTest(unittest.TestCase):

    def assert_says(self, sentence, call, *arguments, **named):
        with self.assertRaises(ValueError) as caught:
            call(*arguments, **named)
        self.assertIn(sentence, str(caught.exception))

    def test_a_number_of_superpixels_that_is_not_a_positive_integer(self):
        for wrong in (0, -3, 2.5, '7', True, np.zeros(2)):
            self.assert_says('SuperpixelPooling2D: n_superpixels is %r, but must be a positive integer, or None'
                             % (wrong,), SuperpixelPooling2D, wrong)

    def test_an_unknown_mode(self):
        self.assert_says("SuperpixelPooling1D: mode is 'avg', but must be 'mean', 'sum', 'max', 'min', 'var', 'std'"
                         " or 'logsumexp' (use 'mean')", SuperpixelPooling1D, mode='avg')
        self.assert_says("SuperpixelUnpooling2D: mode is 'max', but must be 'sum' or 'mean'",
                         SuperpixelUnpooling2D, 'max')

    def test_an_unknown_data_format(self):
        self.assert_says('data_format', SuperpixelPooling2D, data_format='channels_middle')

    def test_a_layer_not_called_on_its_inputs(self):
        features, labels = Input((5, 7, 3)), Input((5, 7))
        for inputs, came in ((features, 'one tensor'), ([features] + 3 * [labels], '4 tensors')):
            self.assert_says('SuperpixelPooling2D is called on [feature_map, superpixel_map] or [feature_map,'
                             ' superpixel_map, pixel_weights], but got ' + came, SuperpixelPooling2D(3), inputs)
            self.assert_says('SuperpixelUnpooling2D is called on [pooled, superpixel_map], but got ' + came,
                             SuperpixelUnpooling2D(), inputs)

    def test_the_error_for_an_unpooling_layer_called_on_its_inputs_mentions_resize(self):
        features, pooled, labels = Input((5, 7, 3)), Input((3, 2)), Input((5, 7))
        self.assert_says("SuperpixelUnpooling2D is called on [pooled, superpixel_map], but got 3 tensors (a third one,"
                         " feature_map, goes with resize='nearest' or 'bilinear')",
                         SuperpixelUnpooling2D(), [pooled, labels, features])
        self.assert_says("SuperpixelUnpooling2D is called on [pooled, superpixel_map, feature_map], but got 2 tensors"
                         " (resize is 'nearest', and the spatial sizes to make are those of feature_map; leave resize"
                         " out to paint in the size of superpixel_map)",
                         SuperpixelUnpooling2D(resize='nearest'), [pooled, labels])

    def test_a_shared_layer_says_so_at_its_second_call_too(self):
        features, labels = Input((5, 7, 3)), Input((5, 7))
        for layer, first in ((SuperpixelPooling2D(3, data_format='channels_last'), features),
                             (SuperpixelUnpooling2D(data_format='channels_last'), Input((3, 2)))):
            layer([first, labels])
            for inputs in (first, [first] + 3 * [labels]):
                self.assert_says('is called on [', layer, inputs)
        layer = SuperpixelPooling2D(3, data_format='channels_last')
        layer([features, labels])
        self.assert_says('must be equal', layer, [features, Input((5, 8))])

    def test_inputs_with_the_wrong_number_of_axes(self):
        features, labels = Input((5, 7, 3)), Input((5, 7))
        self.assert_says('SuperpixelPooling2D: feature_map has shape (None, 5, 7), but 4 axes are wanted',
                         SuperpixelPooling2D(3), [labels, features])
        self.assert_says('SuperpixelPooling2D: superpixel_map has shape (None, 5, 7, 3), but (batch, *spatial) with 2'
                         ' spatial axes is wanted (it has no channel axis)',
                         SuperpixelPooling2D(3), [features, features])
        self.assert_says('SuperpixelPooling1D: feature_map has shape (None, 5, 7, 3), but 3 axes are wanted',
                         SuperpixelPooling1D(3), [features, labels])
        self.assert_says('SuperpixelUnpooling2D: pooled has shape (None, 5, 7, 3), but 3 axes are wanted',
                         SuperpixelUnpooling2D(), [features, labels])

    def test_spatial_sizes_that_are_known_to_differ(self):
        self.assert_says('SuperpixelPooling2D: feature_map has shape (None, 5, 7, 3) (channels_last), but'
                         ' superpixel_map has shape (None, 5, 8); their spatial sizes must be equal: resize the'
                         ' superpixel map', SuperpixelPooling2D(3, data_format='channels_last'),
                         [Input((5, 7, 3)), Input((5, 8))])

    def test_an_unknown_resize(self):
        self.assert_says("SuperpixelPooling2D: resize is 'cubic', but must be None, 'nearest' or 'bilinear'",
                         SuperpixelPooling2D, resize='cubic')
        self.assert_says("SuperpixelUnpooling2D: resize is 'cubic'", SuperpixelUnpooling2D, resize='cubic')
        for layer in (SuperpixelPooling2D, SuperpixelUnpooling2D):
            self.assert_says("%s: resize is 'none', but must be None, 'nearest' or 'bilinear' (use None)"
                             % layer.__name__, layer, resize='none')

    def test_weights_of_another_shape_than_the_map(self):
        layer, features, labels = SuperpixelPooling2D(3, data_format='channels_last'), Input((5, 7, 3)), Input((5, 7))
        self.assert_says('SuperpixelPooling2D: pixel_weights has shape (None, 5, 8), but superpixel_map has shape'
                         ' (None, 5, 7); one weight for each pixel is wanted', layer, [features, labels, Input((5, 8))])
        self.assert_says('SuperpixelPooling2D: pixel_weights has shape (None, 5, 7, 1), but 3 axes are wanted',
                         layer, [features, labels, Input((5, 7, 1))])

    def test_weights_with_a_mode_or_a_resize_that_has_none(self):
        inputs = [Input((7, 3)), Input((7,)), Input((7,))]
        self.assert_says("SuperpixelPooling1D: pixel_weights go with mode 'mean', 'sum', 'var' or 'std', but mode is"
                         " 'max' (label the pixels that shall not count with -1)",
                         SuperpixelPooling1D(3, 'max', 'channels_last'), inputs)
        self.assert_says("SuperpixelPooling1D: pixel_weights go with resize=None, but resize is 'nearest' (give"
                         ' features of the size',
                         SuperpixelPooling1D(3, data_format='channels_last', resize='nearest'), inputs)

    def test_a_mask_of_features_that_are_resized(self):
        features = Masking()(Input((5, 7)))
        self.assert_says("SuperpixelPooling1D: feature_map has a mask, but resize is 'nearest'; a mask is not resized"
                         ' (label the pixels that do not count with -1 instead)',
                         SuperpixelPooling1D(3, resize='nearest', data_format='channels_last'),
                         [features, Input((11,))])

    def test_a_label_too_large_is_named_when_the_model_runs(self):
        inputs = [Input((5, 7, 3)), Input((5, 7), dtype='int32')]
        model = Model(inputs, SuperpixelPooling2D(4, data_format='channels_last')(inputs))
        labels = np.zeros((2, 5, 7), 'int32')
        labels[1, 4, 6] = 4
        with self.assertRaises(IndexError) as caught:
            model.predict([np.ones((2, 5, 7, 3)), labels])
        self.assertIn('superpixel_map[1, 4, 6] is 4, but n_superpixels is 4 (labels are 0..3', str(caught.exception))


class StaleShapeTest(unittest.TestCase):

    def test_a_lambda_without_its_output_shape_is_named(self):
        features, labels = Input((8, 8, 3)), Input((8, 8, 1), dtype='int32')
        layer = SuperpixelPooling2D(4, data_format='channels_last')
        with self.assertRaisesRegex(ValueError, r'superpixel_map has shape \(None, 8, 8, 1\).*the tensor itself has 3'
                                                ' axes.*give the Lambda that makes it its output_shape'):
            layer([features, Lambda(lambda x: x[..., 0])(labels)])
        pooled = layer([features, Lambda(lambda x: x[..., 0], output_shape=(8, 8))(labels)])
        self.assertEqual(pooled._keras_shape, (None, 4, 3))


class BackendErrorTest(unittest.TestCase):

    def import_error(self, before):
        return run_python(before + '''
try:
    import keras_layer
except ImportError as error:
    print(error)
''').strip().split('\n')[-1]

    def test_the_error_for_another_keras_names_the_version_to_install(self):
        self.assertEqual(self.import_error('import theano_spp, keras; keras.__version__ = "2.3.1"'),
                         'keras_layer needs Keras 2.2.5 on its Theano backend, but Keras is 2.3.1:'
                         ' pip install keras==2.2.5')

    def test_the_error_for_another_backend_says_how_to_choose_theano(self):
        self.assertEqual(self.import_error('import theano_spp, keras; keras.backend.backend = lambda: "tensorflow"'),
                         'keras_layer needs Keras 2.2.5 on its Theano backend, but the backend is tensorflow:'
                         ' set KERAS_BACKEND=theano before Keras is imported')

    def test_without_keras_the_error_says_what_to_install(self):
        printed = self.import_error('import theano_spp, sys; sys.modules["keras"] = None')
        self.assertIn('Keras cannot be imported', printed)
        self.assertIn('pip install keras==2.2.5 and set KERAS_BACKEND=theano', printed)

    def test_the_theano_backend_is_chosen_where_nothing_is_chosen(self):
        printed = run_python('''
import os; del os.environ['KERAS_BACKEND']; os.environ['KERAS_HOME'] = os.devnull
import keras_layer, keras; print(keras.backend.backend())
''', KERAS_BACKEND='theano')
        self.assertEqual(printed.strip(), 'theano')
