"""The superpixel pooling network against NumPy and SciPy, and its file."""
import json
import os
import unittest

import h5py
import numpy as np
from scipy.signal import convolve2d

from spn.errors import SpnError
from spn.networks import superpixel_pooling_network
from spn.networks.settings import NetworkSettings, TrainingSettings, as_json
from spn.networks.superpixel_pooling_network import SuperpixelPoolingNetwork
from spn.results.activation_maps import ActivationMaps
from tests.spn.cases import ArrayOfFeatures, FolderTestCase, bilinear, means, shared

from keras import backend as K
from keras.layers import Lambda
from keras.models import Model, load_model
from keras_layer import custom_objects
from spn.networks.layers import OBJECTS

SETTINGS = NetworkSettings(channels=4, upsampling_stages=2, upsampling_channels=3, correlation=False, size_exponent=0)
N_CLASSES = 3
RMS = 1.75


def convolved(maps, kernel, bias):
    """A convolution with a rectifier. Keras keeps kernels as (rows, cols, in, out)."""
    sums = [sum(convolve2d(plane, kernel[:, :, i, o], 'same') for i, plane in enumerate(maps)) + bias[o]
             for o in range(len(bias))]
    return np.maximum(sums, 0)


def true_scores(weights, features, superpixel_map, stages=2):
    """Class scores without bias: (classes, h, w) of cells and (n, classes) of superpixels, 0 for one without pixels."""
    encoded = upsampled = convolved(features.astype('float64'), *weights['extra_conv'])
    for stage in range(stages):
        upsampled = convolved(upsampled.repeat(2, 1).repeat(2, 2), *weights['upsampling_conv_{}'.format(stage + 1)])
    seen = bilinear(upsampled, superpixel_map.shape)
    pooled = np.array([seen[:, superpixel_map == n].mean(axis=1) if np.any(superpixel_map == n) else np.zeros(len(seen))
                       for n in range(superpixel_map.max() + 1)])
    return np.einsum('chw,ck->khw', encoded,
                     weights['cell_scores'][0][0, 0]), pooled.dot(weights['superpixel_scores'][0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def columns(n, rows=25, cols=31):
    """A superpixel map of n columns."""
    return (np.arange(cols) * n // cols * np.ones((rows, 1))).astype('int32')


class NetworkTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        rng = np.random.RandomState(0)
        cls.model = superpixel_pooling_network.build(N_CLASSES, SETTINGS)
        for layer in cls.model.layers:
            layer.set_weights([rng.normal(0, .2 if array.ndim == 4 else 1, array.shape)
                               for array in layer.get_weights()])
        cls.weights = {layer.name: layer.get_weights() for layer in cls.model.layers if layer.weights}
        cls.features = np.maximum(rng.normal(size=(2, 512, 3, 4)), 0).astype('float32')
        # The second image has superpixels 0, 2 and 3, no superpixel 1, and pixels that belong to none.
        cls.maps = np.array([columns(6), columns(4)])
        cls.maps[1][cls.maps[1] == 1] = 0
        cls.maps[1][:9] = -1
        cls.trained = cls.network(cls.model)

    @staticmethod
    def network(model, **settings):
        return SuperpixelPoolingNetwork(model, {'settings': as_json(SETTINGS._replace(**settings)), 'rms': RMS,
                                                'class_names': ['bird', 'cat', 'cup'], 'log': []})

    def test_class_scores_of_cells_and_superpixels_are_those_of_SciPy(self):
        for features, superpixel_map in zip(self.features, self.maps):
            cell_scores, (superpixel_scores,), (image_scores,) = self.trained.scores(
                RMS * features, [superpixel_map], None)
            wanted = true_scores(self.weights, features, superpixel_map)
            self.assertEqual((cell_scores.shape, superpixel_scores.shape), (wanted[0].shape, wanted[1].shape))
            np.testing.assert_allclose(cell_scores, wanted[0], rtol=1e-3, atol=1e-4 * np.abs(wanted[0]).max())
            np.testing.assert_allclose(superpixel_scores, wanted[1], rtol=1e-3, atol=1e-4 * np.abs(wanted[1]).max())
            self.assertGreater(superpixel_scores.std(axis=0).min(), .1)
            there = np.unique(superpixel_map[superpixel_map >= 0])
            np.testing.assert_allclose(image_scores, wanted[1][there].mean(axis=0), rtol=1e-3,
                                       atol=1e-4 * np.abs(wanted[1]).max())

    def test_scores_are_read_of_more_superpixels_than_training_had(self):
        superpixel_map = np.arange(120, dtype='int32').reshape(10, 12)
        _, (actual,), _ = self.trained.scores(RMS * self.features[0], [superpixel_map], None)
        _, wanted = true_scores(self.weights, self.features[0], superpixel_map)
        self.assertEqual(actual.shape, (120, N_CLASSES))
        np.testing.assert_allclose(actual, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())

    def test_several_maps_of_an_image_are_read_at_once(self):
        finer = np.arange(120, dtype='int32').reshape(10, 12)
        cell_scores, actual, _ = self.trained.scores(RMS * self.features[0], [finer, self.maps[0]], None)
        np.testing.assert_allclose(cell_scores, true_scores(self.weights, self.features[0], finer)[0], rtol=1e-3,
                                   atol=1e-4 * np.abs(cell_scores).max())
        for scores, superpixel_map in zip(actual, [finer, self.maps[0]]):
            wanted = true_scores(self.weights, self.features[0], superpixel_map)[1]
            np.testing.assert_allclose(scores, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())

    def test_the_probability_in_an_image_is_that_of_the_mean_over_its_cells_or_over_the_superpixels_that_it_has(self):
        small = .02 * self.features  # where the sigmoid is not flat
        by_cells, by_superpixels = self.model.predict([small, self.maps])
        for k, there in enumerate([[0, 1, 2, 3, 4, 5], [0, 2, 3]]):
            scores = true_scores(self.weights, small[k], self.maps[k])
            np.testing.assert_allclose(by_cells[k], sigmoid(scores[0].mean(axis=(1, 2))
                                                            + self.weights['cell_scores'][1]), atol=1e-5)
            np.testing.assert_allclose(by_superpixels[k], sigmoid(scores[1][there].mean(axis=0)
                                                                  + self.weights['superpixel_scores'][1]), atol=1e-5)
        self.assertGreater(np.abs(by_superpixels - by_cells).max(), 1e-3)

    def test_with_correlation_it_is_that_of_the_mean_by_pixels_over_scores_shared_by_superpixels_that_look_alike(self):
        model = superpixel_pooling_network.build(N_CLASSES, SETTINGS._replace(correlation=True, size_exponent=1))
        for layer in model.layers:
            if layer.weights:
                layer.set_weights(self.weights[layer.name])
        small, fine = .1 * self.features, np.random.RandomState(2).normal(size=(2, 512, 6, 8)).astype('float32')
        _, by_superpixels = model.predict([small, self.maps, fine])
        for k, there in enumerate([[0, 1, 2, 3, 4, 5], [0, 2, 3]]):
            labels = self.maps[k]
            looks = np.array([bilinear(fine[k], labels.shape)[:, labels == n].mean(axis=1) for n in there])
            sizes = np.bincount(labels[labels >= 0])[there]
            scores = shared(true_scores(self.weights, small[k], labels)[1][there], looks, sizes)
            mean = np.average(scores, axis=0, weights=sizes)
            np.testing.assert_allclose(by_superpixels[k], sigmoid(mean + self.weights['superpixel_scores'][1]),
                                       atol=1e-5)
            # Without bias, with superpixels that were not in training.
            trained = self.network(model, correlation=True, size_exponent=1)
            more = columns(9)
            _, (scores, _), image_scores = trained.scores(RMS * small[k], [more, labels], fine[k])
            self.assertEqual(len(scores), 9)
            np.testing.assert_allclose(image_scores[1], mean, atol=1e-4)
            sizes = np.bincount(more.ravel())
            scores = shared(true_scores(self.weights, small[k], more)[1], means(bilinear(fine[k], more.shape), more),
                            sizes)
            np.testing.assert_allclose(image_scores[0], np.average(scores, axis=0, weights=sizes), atol=1e-4)

    def test_scores_are_shared_among_the_superpixels_of_all_maps_of_an_image(self):
        rng = np.random.RandomState(3)
        fine, maps = rng.normal(size=(512, 6, 8)).astype('float32'), [self.maps[0], columns(3)]
        scores = rng.normal(size=(6 + 3, 2))
        matrix = self.trained.correlation(fine, maps)
        self.assertEqual(matrix.shape, (9, 9))
        looks = np.concatenate([means(bilinear(fine, each.shape), each) for each in maps])
        wanted = shared(scores, looks, np.concatenate([np.bincount(each.ravel()) for each in maps]))
        np.testing.assert_allclose(matrix.dot(scores), wanted, atol=1e-5)

    def test_without_classes_there_is_nothing_to_share(self):
        maps = ActivationMaps(self.trained, [ArrayOfFeatures(self.features, 64)], [self.maps], np.array([[25, 31]] * 2))
        self.assertEqual(maps.correlated_sp_cam(0, np.array([], int)).shape, (0, 25, 31))

    def test_the_bias_is_kept_apart_from_the_scores(self):
        for name in 'cell_scores', 'superpixel_scores':
            np.testing.assert_array_equal(self.trained.bias(name), self.weights[name][1])
            self.assertGreater(np.abs(self.trained.bias(name)).min(), .01)

    def test_a_network_of_one_branch_has_only_its_scores(self):
        # Without upsampling superpixels have as many channels as the extra convolution makes.
        weights = dict(self.weights, superpixel_scores=[
            np.random.RandomState(1).normal(size=(SETTINGS.channels, N_CLASSES)), np.ones(N_CLASSES)])
        wanted = true_scores(weights, self.features[0], self.maps[0], stages=0)
        for branch, other, output in [('gap', 'superpixel', 0), ('superpixel', 'gap', 1)]:
            settings = {other + '_branch': False, 'upsampling_stages': 0}
            model = superpixel_pooling_network.build(N_CLASSES, SETTINGS._replace(**settings))
            self.assertEqual(model.output_names, [branch])
            for layer in model.layers:
                if layer.weights:
                    layer.set_weights(weights[layer.name])
            network = self.network(model, **settings)
            cell_scores, superpixel_scores, _ = network.scores(RMS * self.features[0], [self.maps[0]], None)
            self.assertEqual((cell_scores is None, len(superpixel_scores)), (output == 1, output))
            np.testing.assert_allclose((superpixel_scores or [cell_scores])[0], wanted[output], rtol=1e-3,
                                       atol=1e-4 * np.abs(wanted[output]).max())

    def test_a_network_without_branches_is_refused(self):
        with self.assertRaisesRegex(SpnError, 'without the GAP branch and without the superpixel branch'):
            superpixel_pooling_network.build(N_CLASSES, SETTINGS._replace(gap_branch=False, superpixel_branch=False))

    def test_the_loss_is_the_cross_entropy_summed_over_classes(self):
        truth, probability = np.array([[1., 0, 1], [0, 0, 0]]), np.array([[.9, .2, .5], [.1, .5, .75]])
        wanted = [-np.log(.9 * .8 * .5), -np.log(.9 * .5 * .25)]
        loss = superpixel_pooling_network.summed_cross_entropy(K.variable(truth), K.variable(probability))
        np.testing.assert_allclose(K.eval(loss), wanted, rtol=1e-5)


class FileTest(FolderTestCase):

    ABOUT = {'settings': as_json(SETTINGS._replace(superpixel_branch=False)), 'rms': RMS,
             'class_names': ['bird', 'cat', 'cup'], 'seed': 3, 'sizes': [64, 96],
             'training': as_json(TrainingSettings(epochs=2)), 'superpixels': [{'method': 'grid'}],
             'superpixel_names': ['grid'], 'encoder': 'a digest', 'weights': 'random', 'data': 'another'}
    LOG = [{'epoch': 1, 'loss': .5}]

    @classmethod
    def setUpClass(cls):
        cls.model = superpixel_pooling_network.build(N_CLASSES, SETTINGS._replace(superpixel_branch=False))
        superpixel_pooling_network.compile(cls.model, 1e-3)

    def setUp(self):
        super().setUp()
        self.model_file = self.path('model.h5')
        SuperpixelPoolingNetwork(self.model, dict(self.ABOUT, log=self.LOG)).save(self.model_file)

    def test_what_is_saved_is_loaded(self):
        loaded = SuperpixelPoolingNetwork.load(self.model_file)
        self.assertEqual(loaded.about, dict(self.ABOUT, log=self.LOG))
        self.assert_same_weights(loaded.model, self.model)
        self.assertEqual(self.files(), ['model.h5'])

    def test_a_file_that_is_missing(self):
        self.assert_says([self.path('none.h5'), 'is not there', '`spn train` makes a trained network'],
                         SuperpixelPoolingNetwork.load, self.path('none.h5'))

    def test_a_file_cut_short_anywhere(self):
        with open(self.model_file, 'rb') as stream:
            whole = stream.read()
        for share in 0, .1, .5, .99:
            self.write('model.h5', whole[:int(share * len(whole))])
            self.assert_says([self.model_file, 'is cut short or not an HDF5 file', 'make it again with `spn train`'],
                             SuperpixelPoolingNetwork.load, self.model_file)

    def test_a_file_of_another_layout(self):
        self.model.save(self.model_file)
        self.assert_says([self.model_file, 'its layout is None', "wanted is 'spn network 2'"],
                         SuperpixelPoolingNetwork.load, self.model_file)

    def test_a_file_that_lacks_its_weights_or_what_made_it(self):
        with h5py.File(self.model_file, 'r+') as file:
            del file['model_weights']['extra_conv']
        self.assert_says([self.model_file, 'is not whole', 'train it again with `spn train`'],
                         SuperpixelPoolingNetwork.load, self.model_file)
        with h5py.File(self.model_file, 'r+') as file:
            del file.attrs['about']
        self.assert_says([self.model_file, 'is not whole', 'train it again with `spn train`'],
                         SuperpixelPoolingNetwork.load, self.model_file)

    def save_as_keras_does(self, model):
        """Write a file like those of earlier versions: the model by Keras, and its settings."""
        with h5py.File(self.model_file, 'w') as file:
            model.save(file)
            file.attrs['layout'], file.attrs['about'] = 'spn network 2', json.dumps(dict(self.ABOUT, log=self.LOG))

    def test_a_model_that_keras_saved_is_loaded(self):
        self.save_as_keras_does(self.model)
        loaded = SuperpixelPoolingNetwork.load(self.model_file)
        self.assertEqual(len(loaded.model.get_weights()), 4)
        self.assert_same_weights(loaded.model, self.model)

    def test_code_in_a_model_file_is_not_run(self):
        marker = self.path('was-run')
        outputs = Lambda(lambda x, path=marker: open(path, 'w').close() or x)(self.model.output)
        self.save_as_keras_does(Model(self.model.inputs, outputs))
        os.remove(marker)
        SuperpixelPoolingNetwork.load(self.model_file)
        self.assertFalse(os.path.exists(marker))
        # Keras itself runs it.
        load_model(self.model_file, dict(OBJECTS, **custom_objects), compile=False)
        self.assertTrue(os.path.exists(marker))

    def test_a_file_that_refers_to_other_files_is_refused(self):
        other = self.write('other.bin', b'0' * 4 * 16)
        for plant in [lambda file: file.__setitem__('x', h5py.ExternalLink(other, '/')),
                      lambda file: file.__setitem__('x', h5py.SoftLink('/model_weights')),
                      lambda file: file['model_weights'].create_dataset(
                          'x', (16,), 'int32', external=[(other, 0, 64)])]:
            with h5py.File(self.model_file, 'r+') as file:
                plant(file)
            self.assert_says([self.model_file, '/x ', 'it again with `spn train`'],
                             SuperpixelPoolingNetwork.load, self.model_file)
            SuperpixelPoolingNetwork(self.model, dict(self.ABOUT, log=self.LOG)).save(self.model_file)

    def test_settings_that_are_unknown_or_weights_of_other_shapes_are_refused(self):
        settings = self.ABOUT['settings']
        for changed, words in [
                ({'settings': dict(settings, code='x')}, "settings has the unknown 'code'"),
                ({'settings': {}}, "settings lacks 'channels'"), ({'more': 1}, "has the unknown 'more'"),
                ({'settings': dict(settings, channels='many')}, "channels is 'many'"),
                ({'settings': dict(settings, channels=4.)}, 'channels is 4.0'),
                ({'settings': dict(settings, channels=-4)}, 'channels is -4, wanted is a number from 0 on'),
                ({'settings': dict(settings, gap_branch=1)}, 'gap_branch is 1, wanted is one such as True'),
                ({'training': {'epochs': 2}}, "training lacks 'batch_size'"), ({'seed': True}, 'seed is True'),
                ({'class_names': 'cat'}, "class_names is 'cat'"), ({'class_names': [1]}, 'class_names is 1'),
                ({'class_names': ['bird', 'cat']}, 'cell_scores has arrays of'), ({'log': 3}, 'log is 3'),
                ({'log': [{'epoch': 1}]}, "lacks 'loss'"), ({'log': [{'epoch': 1, 'loss': 'low'}]}, "loss is 'low'"),
                ({'log': [{'epoch': 1, 'loss': float('nan')}]}, 'diverged')]:
            SuperpixelPoolingNetwork(self.model,
                                     dict(self.ABOUT, **dict({'log': self.LOG}, **changed))).save(self.model_file)
            self.assert_says([self.model_file, words, 'rain it again with `spn train`'], SuperpixelPoolingNetwork.load,
                             self.model_file)

    def test_a_precision_that_could_not_be_measured_is_not_an_error(self):
        log = [dict(self.LOG[0], val_gap_precision=float('nan'))]
        SuperpixelPoolingNetwork(self.model, dict(self.ABOUT, log=log)).save(self.model_file)
        self.assertEqual(SuperpixelPoolingNetwork.load(self.model_file).about['log'][0]['loss'], .5)

    def test_weights_that_are_not_finite_are_refused(self):
        with h5py.File(self.model_file, 'r+') as file:
            layer = file['model_weights/extra_conv']
            layer[layer.attrs['weight_names'][0].decode()][0] = np.nan
        self.assert_says([self.model_file, 'diverged', 'smaller learning rate'], SuperpixelPoolingNetwork.load,
                         self.model_file)

    def test_every_array_has_a_checksum(self):
        self.assert_all_have_checksums(self.model_file)

    def test_training_resumes_from_a_checkpoint_of_the_same_settings(self):
        actual = SuperpixelPoolingNetwork.resumed(self.model_file, dict(self.ABOUT, sizes=(64, 96)))  # in JSON a list
        self.assertEqual(actual.about['log'], self.LOG)

    def test_where_there_is_no_checkpoint_training_begins(self):
        self.assertIsNone(SuperpixelPoolingNetwork.resumed(self.path('none.h5'), self.ABOUT))

    def test_a_checkpoint_of_another_model_is_reported_and_left_alone(self):
        size = os.path.getsize(self.model_file)
        for changed, words in [({'seed': 4}, 'seed: 3 there, 4 asked for'),
                               ({'sizes': [64]}, 'sizes: [64, 96] there, [64]'),
                               ({'extra': 1}, 'extra: None there, 1 asked for')]:
            self.assert_says([self.model_file, 'is of another training', words, 'or another folder'],
                             SuperpixelPoolingNetwork.resumed, self.model_file, dict(self.ABOUT, **changed))
        self.assertEqual((self.files(), os.path.getsize(self.model_file)), (['model.h5'], size))
