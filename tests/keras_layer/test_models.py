"""The layers as parts of models: training, saving, loading, and Keras's tools."""
import copy
import json
import os
import pickle
import shutil
import tempfile
import unittest

import h5py
import numpy as np
from keras.callbacks import ModelCheckpoint
from keras.layers import Conv2D, Dense, GlobalAveragePooling1D, Input, TimeDistributed
from keras.models import Model, clone_model, load_model, model_from_json
from keras.optimizers import Adam
from keras.utils import HDF5Matrix, Sequence, plot_model

from keras_layer import SuperpixelPooling2D, SuperpixelUnpooling2D, custom_objects
from tests.label_maps import regions_map
from tests.processes import run_python


def small_model():
    """Image and superpixel map -> class of the image, and the painted features."""
    np.random.seed(0)
    image, labels = Input((11, 13, 3)), Input((11, 13), dtype='int32')
    features = Conv2D(4, 3, padding='same', activation='relu')(image)
    pooled = SuperpixelPooling2D(6, mask_empty=True, data_format='channels_last')([features, labels])
    scores = Dense(2, activation='softmax')(GlobalAveragePooling1D()(pooled))
    painted = SuperpixelUnpooling2D(data_format='channels_last')([pooled, labels])
    model = Model([image, labels], [scores, painted])
    model.compile(Adam(.05), ['categorical_crossentropy', None])
    return model


def small_data(n=12):
    """Images that are red or green in one of their superpixels, and grey elsewhere."""
    rng = np.random.RandomState(0)
    labels = regions_map(rng, (n, 11, 13), 5)
    classes = np.eye(2)[np.arange(n) % 2]
    images = rng.uniform(.4, .6, (n, 11, 13, 3))
    for image, superpixels, which in zip(images, labels, classes.argmax(1)):
        image[superpixels == 0, which] += 2
    return images.astype('float32'), labels, classes


class Batches(Sequence):

    def __len__(self):
        return 3

    def __getitem__(self, index):
        images, labels, classes = [array[index * 4:index * 4 + 4] for array in small_data()]
        return [images, labels], classes


class TrainingTest(unittest.TestCase):

    def test_fit_lowers_the_loss(self):
        images, labels, classes = small_data()
        history = small_model().fit([images, labels], classes, epochs=15, verbose=0).history['loss']
        self.assertLess(history[-1], .5 * history[0])

    def test_fit_generator_with_a_sequence_lowers_the_loss(self):
        history = small_model().fit_generator(Batches(), epochs=15, verbose=0).history['loss']
        self.assertLess(history[-1], .5 * history[0])

    def test_gradients_reach_the_layers_below(self):
        model = small_model()
        convolution = [layer for layer in model.layers if isinstance(layer, Conv2D)][0]
        before = convolution.get_weights()[0]
        images, labels, classes = small_data()
        model.train_on_batch([images, labels], classes)
        self.assertGreater(abs(convolution.get_weights()[0] - before).max(), 1e-3)

    def test_fit_predict_and_evaluate_read_hdf5_matrices(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, 'data.h5')
        data = small_data()
        with h5py.File(path, 'w') as stream:
            for name, array in zip(('images', 'labels', 'classes'), data):
                stream[name] = array
        images, labels, classes = [HDF5Matrix(path, name) for name in ('images', 'labels', 'classes')]
        model = small_model()
        np.testing.assert_allclose(model.predict([images, labels], batch_size=5)[0],
                                   model.predict(list(data[:2]), batch_size=5)[0], rtol=1e-5)
        history = model.fit([images, labels], classes, epochs=15, batch_size=4, shuffle='batch', verbose=0).history
        self.assertLess(history['loss'][-1], .5 * history['loss'][0])


class SavingTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.model = small_model()
        self.data = list(small_data()[:2])
        self.expected = self.model.predict(self.data)

    def assert_same(self, model):
        for values, expected in zip(model.predict(self.data), self.expected):
            np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-7)

    def test_a_saved_model_loads_with_its_optimizer_and_predicts_the_same(self):
        path = os.path.join(self.folder, 'model.h5')
        self.model.save(path)
        loaded = load_model(path, custom_objects=custom_objects)
        self.assert_same(loaded)
        loaded.train_on_batch(self.data, small_data()[2])

    def test_a_saved_model_loads_in_another_process(self):
        path = os.path.join(self.folder, 'model.h5')
        self.model.save(path)
        printed = run_python('''
from keras_layer import custom_objects
from keras.models import load_model
from tests.keras_layer.test_models import small_data
print(repr(load_model({!r}, custom_objects=custom_objects).predict(list(small_data()[:2]))[0].tolist()))
'''.format(path))
        np.testing.assert_allclose(json.loads(printed), self.expected[0], rtol=1e-5)

    def test_pickle_deepcopy_and_load_model_know_the_layers_without_custom_objects(self):
        model, (images, labels, _) = small_model(), small_data(3)
        path = os.path.join(self.folder, 'm.h5')
        model.save(path)
        for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), load_model(path),
                      model_from_json(model.to_json())):
            again.set_weights(model.get_weights())
            for actual, wanted in zip(again.predict([images, labels]), model.predict([images, labels])):
                np.testing.assert_array_equal(actual, wanted)

    def test_json_keeps_every_setting(self):
        again = model_from_json(self.model.to_json(), custom_objects=custom_objects)
        again.set_weights(self.model.get_weights())
        self.assert_same(again)
        for layer, other in zip(self.model.layers, again.layers):
            self.assertEqual(layer.get_config(), other.get_config())

    def test_every_layers_config_makes_an_equal_layer(self):
        for name, kind in custom_objects.items():
            settings = {'mode': 'sum', 'data_format': 'channels_first', 'name': 'mine'}
            if name in ('SuperpixelSoftmax', 'PixelSoftmax', 'SuperpixelNormalization') or name.startswith((
                    'SoftSuperpixelUnpooling', 'DifferentiableSLIC', 'HardSuperpixelMap')):
                del settings['mode']
            if name.startswith('SuperpixelPooling'):
                settings.update(n_superpixels=np.int64(7), mask_empty=True)
            if name.startswith(('Soft', 'DifferentiableSLIC', 'HardSuperpixelMap')):
                settings.update(grid=[2, np.int64(3), 4][:kind.spatial_axes])
            if name.startswith('DifferentiableSLIC'):
                settings.update(iterations=np.int64(3), compactness=np.float64(.5))
            layer = kind(**settings)
            config = json.loads(json.dumps(layer.get_config()))
            self.assertEqual(dict(config, **settings), config)
            self.assertEqual(kind.from_config(config).get_config(), layer.get_config())

    def test_a_checkpoint_and_a_clone_predict_the_same(self):
        path = os.path.join(self.folder, 'weights.h5')
        images, labels, classes = small_data()
        self.model.fit([images, labels], classes, verbose=0, callbacks=[ModelCheckpoint(path)])
        self.expected = self.model.predict(self.data)
        self.assert_same(load_model(path, custom_objects=custom_objects))
        clone = clone_model(self.model)
        clone.set_weights(self.model.get_weights())
        self.assert_same(clone)


class ToolsTest(unittest.TestCase):

    def test_the_summary_shows_the_shapes(self):
        lines = []
        small_model().summary(print_fn=lines.append)
        rows = [line for line in lines if 'superpixel' in line]
        self.assertIn('(None, 6, 4)', rows[0])
        self.assertIn('(None, 11, 13, 4)', rows[-1])

    @unittest.skipUnless(shutil.which('dot'), 'plot_model draws with graphviz: apt-get install graphviz')
    def test_plot_model_draws(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, 'model.png')
        plot_model(small_model(), path, show_shapes=True)
        with open(path, 'rb') as stream:
            self.assertEqual(stream.read(4), b'\x89PNG')

    def test_time_distributed_refuses_two_inputs(self):
        # Keras 2.2.5's wrapper takes one input; docs/semantics.md says what to do instead.
        with self.assertRaises(AssertionError):
            TimeDistributed(SuperpixelPooling2D(3))([Input((2, 5, 7, 3)), Input((2, 5, 7))])
