"""Models that older versions made: loaded or built again, they predict the same, and can be trained on."""
import json
import os
import re
import shutil
import tempfile
import unittest
import warnings

import h5py
import numpy as np
import theano
import theano.tensor as T
from keras import backend as K
from keras.engine import Layer
from keras.layers import Conv2D, Dense, Input, Lambda
from keras.models import Model, Sequential, load_model

from keras_layer import load_old_model
from tests.label_maps import regions_map
from tests.processes import REPOSITORY


FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'old_models')


def path_of(name):
    return os.path.join(FOLDER, name + '.h5')


def arrays_of(name, what):
    """The arrays that the old program wrote, as a list; `what` is input, target, prediction or next_prediction."""
    with np.load(os.path.join(FOLDER, name + '.npz')) as arrays:
        return [arrays[key] for key in sorted(arrays) if re.match(what + r'_\d', key)]


def quietly(function, *args, **kwargs):
    """Call a function and return its result and its warnings, as one text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        result = function(*args, **kwargs)
    return result, '\n'.join(str(warning.message) for warning in caught)


def functions():
    """The two functions in the models called lambdas, written again."""
    return {'affine': Lambda(lambda x: x * 2. + 1.), 'cut': Lambda(lambda x: x[:, :2], output_shape=(2,))}


def model_of_the_document(which, path):
    """The model that code in docs/old_models.md makes of the file at `path`."""
    with open(os.path.join(REPOSITORY, 'docs', 'old_models.md'), encoding='utf-8') as stream:
        code = re.findall('```python\n(.*?)```', stream.read(), re.DOTALL)
    assert len(code) == 3, len(code)
    names = {}
    exec(code[which].replace("'old_model.h5'", repr(path)), names)
    return names['model']


class Predictions(unittest.TestCase):
    """Base class: comparisons with what the old programs predicted, tests/keras_layer/old_models/README.md."""

    def assert_predicts(self, model, name, what='prediction'):
        predictions = model.predict(arrays_of(name, 'input'))
        expected = arrays_of(name, what)
        for prediction, wanted in zip(predictions if len(expected) > 1 else [predictions], expected):
            np.testing.assert_allclose(prediction, wanted, rtol=1e-4, atol=1e-6)

    def assert_goes_on(self, model, name):
        """The next step of training is the one that the old program made: the optimizer has its state."""
        self.assert_predicts(model, name)
        model.train_on_batch(arrays_of(name, 'input'), arrays_of(name, 'target'))
        self.assert_predicts(model, name, 'next_prediction')

    def assert_starts_again(self, model, name, warned):
        self.assert_predicts(model, name)
        self.assertIn('load_old_model: the state of the optimizer is left out', warned)
        K.set_value(model.optimizer.lr, .001)
        losses = [np.sum(model.train_on_batch(arrays_of(name, 'input'), arrays_of(name, 'target'))) for _ in range(5)]
        self.assertLess(losses[-1], losses[0])

    def loaded(self, name):
        model, warned = quietly(load_old_model, path_of(name))
        return model, name, warned


class ConvolutionsTest(Predictions):
    """Predictions only: Theano compiles hundreds of modules to train the two models."""

    def test_both_functions_read_convolutions_of_keras_2(self):
        name = 'keras-2.1.6-python-2.7-convolutions'
        for load in (load_model, load_old_model):
            self.assert_predicts(load(path_of(name), compile=False), name)

    def test_regularizers_constraints_and_data_formats_of_keras_1_are_translated(self):
        name = 'keras-1.2.2-python-2.7-convolutions'
        with self.assertRaisesRegex(ValueError, 'Improper config format'):
            quietly(load_model, path_of(name))
        model, _, warned = self.loaded(name)
        self.assertIn('W_constraint of convolution2d_2 is left out', warned)
        configs = [layer.get_config() for layer in model.layers]
        first, last = configs[1], configs[-1]
        self.assertAlmostEqual(float(first['kernel_regularizer']['config']['l2']), .01, places=6)
        self.assertAlmostEqual(float(last['kernel_regularizer']['config']['l1']), .01, places=6)
        self.assertEqual(last['kernel_constraint'], {'class_name': 'MaxNorm', 'config': {'max_value': 2, 'axis': 0}})
        self.assert_predicts(model, name)


class OtherModelsTest(Predictions):

    def setUp(self):
        # Quick: Theano compiles next to nothing; but in this mode it has no convolutions.
        # The second is where Theano keeps the mode that it has once made of the first.
        for module, name, value in ((theano.config, 'mode', 'FAST_COMPILE'),
                                    (theano.compile.mode, 'instantiated_default_mode', None)):
            self.addCleanup(setattr, module, name, getattr(module, name))
            setattr(module, name, value)

    def test_both_functions_read_models_of_keras_2_and_go_on_where_they_were(self):
        for name in ('keras-2.2.4-python-3.6-recurrent', 'keras-2.2.5-python-3.8-superpixels'):
            self.assert_goes_on(quietly(load_model, path_of(name))[0], name)
            model, _, warned = self.loaded(name)
            self.assertNotIn('load_old_model', warned)
            self.assert_goes_on(model, name)

    def test_adam_before_keras_2_1_3_keeps_its_state_with_load_old_model_only(self):
        name = 'keras-2.0.9-python-3.6-merge'
        self.assertIn('Error in loading the saved optimizer state', quietly(load_model, path_of(name))[1])
        model, warned = quietly(load_old_model, path_of(name))
        self.assertNotIn('optimizer', warned)
        self.assert_goes_on(model, name)

    def test_merge_of_keras_1_becomes_the_layers_of_keras_2(self):
        for name in ('keras-1.0.8-python-3.6-merge', 'keras-1.2.2-python-2.7-merge'):
            with self.assertRaisesRegex(ValueError, 'Unknown layer: Merge'):
                quietly(load_model, path_of(name))
            self.assert_starts_again(*self.loaded(name))

    def test_recurrent_layers_and_embeddings_of_keras_1_are_read(self):
        self.assert_starts_again(*self.loaded('keras-1.2.2-python-2.7-recurrent'))

    def test_the_dtype_of_words_is_not_taken_for_that_of_the_weights(self):
        self.assert_starts_again(*self.loaded('keras-2.0.2-python-2.7-words'))

    def test_layers_that_are_given_take_the_place_of_lambdas(self):
        for name in ('keras-1.2.2-python-2.7-lambdas', 'keras-2.2.4-python-3.6-lambdas'):
            model, _ = quietly(load_old_model, path_of(name), layers=functions())
            self.assertEqual([layer.name for layer in model.layers][1:3], ['affine', 'cut'])
            self.assert_predicts(model, name)
        self.assert_goes_on(model, name)

    def test_the_code_of_the_document_reads_lambdas_and_branches(self):
        name = 'keras-2.2.4-python-3.6-lambdas'
        self.assert_goes_on(quietly(model_of_the_document, 0, path_of(name))[0], name)
        name = 'keras-1.2.2-python-2.7-branches'
        with self.assertRaisesRegex(ValueError, 'Keras 2 has no layer for merge_1'):
            quietly(load_old_model, path_of(name))
        self.assert_predicts(model_of_the_document(1, path_of(name)), name)

    def test_a_model_built_in_code_takes_the_weights_of_the_file(self):
        name = 'keras-1.2.2-python-2.7-lambdas'
        with self.assertRaises((ValueError, EOFError, SystemError, TypeError)):
            quietly(load_model, path_of(name))
        model = Sequential([Dense(4, input_shape=(4,)), Lambda(lambda x: x * 2 + 1),
                            Lambda(lambda x: x[:, :2], output_shape=(2,)), Dense(2)])
        model.load_weights(path_of(name))
        self.assert_predicts(model, name)


class ErrorsTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.path = os.path.join(folder, 'model.h5')

    def assert_says(self, message, path, **kwargs):
        with self.assertRaisesRegex(ValueError, message):
            quietly(load_old_model, path, **kwargs)

    def test_lambdas_that_are_not_given_are_named(self):
        for name in ('keras-1.2.2-python-2.7-lambdas', 'keras-2.2.4-python-3.6-lambdas'):
            self.assert_says(r"functions of affine, cut are saved as bytecode.*layers=\{'affine': Lambda\(...\), 'cut'",
                             path_of(name))
        self.assert_says('functions of cut are saved', path_of(name), layers={'affine': functions()['affine']})

    def test_a_given_layer_must_be_in_the_model(self):
        self.assert_says('layers has affin, but this model has affine, cut, dense_',
                         path_of('keras-2.2.4-python-3.6-lambdas'), layers=dict(functions(), affin=Lambda(abs)))

    def test_a_file_of_weights_alone_is_no_model(self):
        model = Sequential([Dense(2, input_shape=(3,))])
        model.save_weights(self.path)
        self.assert_says('model.h5 holds no model, but weights at most .*load_weights', self.path)

    def test_a_merge_that_no_layer_does_today_is_named_unless_it_is_given(self):
        shutil.copy(path_of('keras-1.2.2-python-2.7-merge'), self.path)
        with h5py.File(self.path, 'r+') as file:
            config = json.loads(bytes(np.bytes_(file.attrs['model_config'])).decode('utf-8'))
            merges = [layer['config'] for layer in config['config']['layers'] if layer['class_name'] == 'Merge']
            names = [merge['name'] for merge in merges[:2]]
            merges[0]['mode'] = 'cos'
            merges[1].update(mode=['bytecode', None, None], mode_type='lambda')
            file.attrs['model_config'] = json.dumps(config).encode('utf-8')
        self.assert_says('Keras 2 has no layer for %s: .*load_weights' % ', '.join(names), self.path)
        given = {name: Lambda(lambda inputs: inputs[0] - inputs[1], output_shape=(4,)) for name in names}
        model, _ = quietly(load_old_model, self.path, layers=given)
        for name in names:
            self.assertIs(model.get_layer(name), given[name])


class SuperpixelPooling(Layer):
    """A user's own layer: the mean over each superpixel of one image, whose map is frozen into it."""

    def __init__(self, superpixel_map, **kwargs):
        super().__init__(**kwargs)
        belongs = superpixel_map.ravel() == np.arange(superpixel_map.max() + 1)[:, np.newaxis]
        self.weights_of_pixels = (belongs / belongs.sum(axis=1, keepdims=True)).astype('float32')

    def call(self, inputs):
        pixels = inputs.reshape((inputs.shape[0], -1, inputs.shape[3]))
        return T.tensordot(pixels, self.weights_of_pixels, axes=[[1], [1]]).dimshuffle(0, 2, 1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], len(self.weights_of_pixels), input_shape[3]


class OldModelTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.path = os.path.join(folder, 'old_model.h5')

    def test_the_code_of_the_document_gives_the_numbers_of_the_old_model(self):
        rng = np.random.RandomState(0)
        superpixel_map, images = regions_map(rng, (1, 16, 16), 5), rng.rand(2, 16, 16, 3).astype('float32')
        image = Input((16, 16, 3))
        features = Conv2D(8, 3, padding='same', activation='relu', data_format='channels_last')(image)
        old = Model(image, Dense(2)(SuperpixelPooling(superpixel_map[0])(features)))
        old.save(self.path)
        with self.assertRaisesRegex(Exception, 'Unknown layer: SuperpixelPooling'):
            load_model(self.path)
        new = model_of_the_document(2, self.path).predict([images, superpixel_map.repeat(2, axis=0)])
        np.testing.assert_allclose(new, old.predict(images), rtol=1e-5, atol=1e-6)
