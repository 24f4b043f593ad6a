"""The segmentation network: which masks it learns from, what it says, that it learns, rounds that are stopped."""
import os
import shutil
import unittest
from unittest import mock

import numpy as np

from spn.data import dataset
from spn.data.dataset import Dataset, Record, add_superpixels
from spn.files import write_text
from spn.networks.segmentation_network import SegmentationNetwork, cross_entropy
from spn.networks.settings import NetworkSettings, RoundSettings, SegmentationSettings, as_json
from spn.results import segmentation_maps
from spn.results.activation_maps import ActivationMaps
from spn.results.runs import Run
from spn.results.segmentation_maps import among
from spn.training import fit, rounds
from spn.training.batches import Batches
from spn.training.pseudo_labels import least_scattered, masks_to_learn, scatter, targets
from spn.training.rounds import learn_from_cams
from tests.spn.cases import (ArrayOfFeatures, SharedFolderTestCase, SharesByHand, bilinear, means, photographs, records,
                             shared, write_small)

from keras import backend as K


class ScatterTest(unittest.TestCase):

    def test_a_disc_has_1_whatever_its_size_and_place(self):
        rows, cols = np.mgrid[:200, :300]
        for radius, row, col in [(20, 60, 50), (60, 100, 200)]:
            self.assertAlmostEqual(scatter((rows - row) ** 2 + (cols - col) ** 2 <= radius ** 2), 1, delta=.01)

    def test_a_square_has_a_little_more_and_a_line_much_more(self):
        # pi / 3 of a square, pi / 6 * (n + 1 / n) of a rectangle of 1 x n in the limit of small pixels.
        self.assertAlmostEqual(scatter(np.ones((100, 100), bool)), np.pi / 3, delta=.001)
        self.assertAlmostEqual(scatter(np.ones((10, 400), bool)), np.pi / 6 * (40 + 1 / 40), delta=.1)

    def test_pieces_far_apart_have_much_more(self):
        mask = np.zeros((40, 400), bool)
        mask[10:30, :20] = mask[10:30, -20:] = True
        # Two squares of side 20 at 190 from their middle: (20 ** 2 / 6 + 190 ** 2) * 2 pi / 800.
        self.assertAlmostEqual(scatter(mask), (400 / 6 + 190 ** 2) * 2 * np.pi / 800, delta=.1)

    def test_an_empty_mask_has_infinity_and_a_pixel_0(self):
        self.assertEqual(scatter(np.zeros((5, 6), bool)), np.inf)
        self.assertEqual(scatter(np.eye(1, 6, 2, dtype=bool)), 0)

    def test_of_each_class_the_share_that_is_scattered_least_is_taken_and_no_empty_mask(self):
        scatters = np.array([3., 1, np.inf, 2, 9, np.inf, 1.5, 2.5])
        classes = np.array([0, 0, 0, 0, 4, 7, 0, 4])
        self.assertEqual(np.flatnonzero(least_scattered(scatters, classes, .5)).tolist(), [1, 6, 7])
        self.assertEqual(np.flatnonzero(least_scattered(scatters, classes, .51)).tolist(), [1, 3, 4, 6, 7])
        self.assertEqual(np.flatnonzero(least_scattered(scatters, classes, 1.)).tolist(), [0, 1, 3, 4, 6, 7])
        self.assertEqual(np.flatnonzero(least_scattered(scatters, classes, .01)).tolist(), [1, 7])


class TargetsTest(unittest.TestCase):

    def test_targets_are_the_pixels_of_each_class_in_each_superpixel_by_those_of_the_image(self):
        superpixel_map = np.array([[0, 0, 2, 2], [0, 0, -1, 2]], 'int32')
        mask = np.array([[0, 2, 1, 1], [2, 2, 1, 0]], 'uint8')
        found = targets(mask, mask, superpixel_map, 4, 2)
        np.testing.assert_allclose(found * 8, [[1, 0, 3], [0, 0, 0], [1, 2, 0], [0, 0, 0]], atol=1e-6)
        self.assertEqual(found.dtype, 'float32')

    def test_pixels_that_may_be_of_a_class_or_not_do_not_count_nor_superpixels_of_which_less_than_half_is_known(self):
        superpixel_map = np.repeat([[0, 1, 2]], 4, axis=0).astype('int32')
        certain, possible = np.zeros((2, 4, 3), 'uint8')
        certain[0], possible[:3] = 1, 1  # each superpixel: one surely, two maybe, one surely not
        possible[2, 1], possible[:, 2] = 0, 1  # the second: two surely not; the third: none
        found = targets(certain, possible, superpixel_map, 3, 1)
        np.testing.assert_allclose(found * 12, [[1, 1], [2, 1], [0, 0]], atol=1e-6)

    def test_the_loss_is_the_mean_over_the_pixels_whose_truth_is_known(self):
        truth, probability = np.array([[[.5, 0], [.1, .2]], [[0, 0], [0, .1]]]), np.array([[[.25, .75], [.5, .5]],
                                                                                        [[.9, .1], [.2, .8]]])
        wanted = -(.5 * np.log(.25) + .3 * np.log(.5) + .1 * np.log(.8)) / .9
        found = K.eval(cross_entropy(K.variable(truth), K.variable(probability)))
        self.assertAlmostEqual(float(found), wanted, places=5)

    def test_where_nothing_is_known_the_loss_is_0(self):
        self.assertEqual(K.eval(cross_entropy(K.zeros((1, 2, 3)), K.variable(np.full((1, 2, 3), 1 / 3)))), 0)


class NetworkTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        rng = np.random.RandomState(0)
        cls.about = {'class_names': ['cat', 'cup'], 'settings': as_json(SegmentationSettings(hidden=5)),
                     'training': {'learning_rate': 1.}, 'seed': 0, 'rms': [2., 4., 8.]}
        cls.network = SegmentationNetwork.new(cls.about)
        cls.layers = [rng.normal(size=(channels, side, side)).astype('float32')
                      for channels, side in ((512, 2), (512, 4), (256, 4))]
        cls.maps = [np.arange(24, dtype='int32').reshape(4, 6) // 3, np.arange(6) // 3 * np.ones((4, 1), 'int32')]
        cls.maps[1][0] = -1

    def test_what_three_layers_see_is_pooled_in_superpixels_and_classified(self):
        (hidden, bias), (classify,
                         last_bias) = [self.network.model.get_layer(name).get_weights() for name in ('hidden', 'class')]
        found = self.network.probabilities(self.layers, self.maps)
        for of_map, superpixel_map in zip(found, self.maps):
            pooled = np.concatenate([means(bilinear(layer, (4, 6)), superpixel_map) / rms
                                     for layer, rms in zip(self.layers, self.about['rms'])], axis=1)
            scores = np.exp(np.maximum(pooled.dot(hidden) + bias, 0).dot(classify) + last_bias)
            np.testing.assert_allclose(of_map, scores / scores.sum(axis=1, keepdims=True), rtol=1e-4)

    def test_one_map_says_what_it_says_beside_others(self):
        alone, = self.network.probabilities(self.layers, self.maps[1:])
        np.testing.assert_allclose(alone, self.network.probabilities(self.layers, self.maps)[1], rtol=1e-5)

    def maps_of_two_sizes(self):
        rng = np.random.RandomState(1)
        features = [ArrayOfFeatures(rng.normal(size=(1, 512, side, side)), 16 * side) for side in (2, 3)]
        return ActivationMaps(SharesByHand(), features, [[each] for each in self.maps], np.array([[4, 6]]))

    def test_maps_of_classes_are_shared_by_superpixels_that_look_alike_and_the_mean_over_sizes_and_maps(self):
        maps, classes, painted = self.maps_of_two_sizes(), np.array([1, 0]), []
        for features in maps.features:
            found = [of_map[:, [2, 1]] / of_map.sum(axis=1, keepdims=True)
                     for of_map in self.network.probabilities(features.blocks(0), self.maps)]
            looks = np.concatenate([means(bilinear(features.fine[0], (4, 6)), each) for each in self.maps])
            sizes = np.concatenate([np.bincount(each[each >= 0]) for each in self.maps])
            given = shared(np.concatenate(found), looks, sizes)
            for of_map, superpixel_map in zip(np.split(given, [len(found[0])]), self.maps):
                painted.append(np.where(superpixel_map >= 0, of_map.T[:, superpixel_map], 0))
        mean = np.mean(painted, axis=0)
        np.testing.assert_allclose(segmentation_maps.class_maps(self.network, maps, 0, classes),
                                   mean / mean.max(axis=(1, 2), keepdims=True), rtol=1e-4)

    def test_an_image_has_a_class_by_the_mean_over_the_five_superpixels_that_speak_most_for_it(self):
        maps, wanted = self.maps_of_two_sizes(), []
        for features in maps.features:
            for of_map in self.network.probabilities(features.blocks(0), self.maps):
                wanted.append([sorted(of_class)[-5:] for of_class in of_map.T[1:]])
        wanted = [np.mean([np.mean(each[c]) for each in wanted]) for c in range(2)]
        np.testing.assert_allclose(segmentation_maps.image_probabilities(self.network, maps, 0), wanted, rtol=1e-5)

    def test_classes_that_are_out_of_the_question_leave_their_probability_to_the_others(self):
        found = among(np.array([[.2, .1, .3, .4], [.5, 0, .25, .25]]), np.array([2, 0]))
        np.testing.assert_allclose(found, [[4 / 7, 1 / 7], [1 / 3, 0]])

    def test_a_superpixel_that_is_surely_something_else_has_no_class(self):
        np.testing.assert_array_equal(among(np.array([[0., 0, 1]]), np.array([0])), [[0]])


class ScoresByHand(object):
    """Stands for a trained network of two classes whose scores are the first channels of the features; no two
    superpixels look alike to it.
    """

    def __init__(self):
        self.settings = NetworkSettings(correlation=False)
        self.about = {'sizes': [64], 'class_names': ['left', 'right'], 'superpixel_names': ['cells']}

    def scores(self, features, superpixel_maps, fine):
        return features[:2], [means(bilinear(features[:2], each.shape), each)
                              for each in superpixel_maps], [np.zeros(2)]

    def correlated(self, scores, fine, superpixel_maps):
        return scores


class RunByHand(Run):
    """A run whose network is by hand, on features that are not in a file."""

    def __init__(self, folder, features):
        self.folder, self.features, self._network, self._rounds = folder, features, ScoresByHand(), []
        self.paths = [os.path.join(folder, 'model.h5')]
        if not os.path.exists(self.paths[0]):
            write_text(self.paths[0], 'the network by hand')

    def on_dataset(self, data):
        return ActivationMaps(self.network, [self.features], [data.superpixel_maps('cells')], data.sizes)


class LearningTest(SharedFolderTestCase):
    """On four images of an object on the left, or one on either side; scores see them."""

    SETTINGS = SegmentationSettings(hidden=16)
    ROUND = RoundSettings(epochs=4, batch_size=1, map_size=40, learning_rate=.005, kept=1., possible=.25, dropout=.3)

    @classmethod
    def make_shared(cls):
        cls.masks = np.zeros((4, 32, 40), 'uint8')
        cls.masks[:, 8:24, 4:16] = 1
        cls.masks[2:, 16:, 24:] = 2
        labels = np.array([[1, 0], [1, 0], [1, 1], [1, 1]], 'uint8')
        records = []
        for i, split in enumerate(['train', 'val', 'train', 'test']):
            image = photographs()[0][i:i + 32, i:i + 40].copy()
            image[cls.masks[i] > 0] = 255
            records.append(Record(str(i), image, labels[i], cls.masks[i], split))
        cls.images = [record.image for record in records]
        cls.data = os.path.join(cls.shared, 'data.h5')
        dataset.write_dataset(cls.data, ['left', 'right'], [lambda record=record: record for record in records], 4,
                              (32, 40), {})
        cells = (np.arange(32)[:, np.newaxis] // 4 * 10 + np.arange(40) // 4).astype('int32')
        add_superpixels(cls.data, 'cells', [cells] * 4, {})
        features = np.random.RandomState(0).normal(size=(4, 512, 4, 4)) * .1
        for c in range(2):
            features[:, c] += [(mask == c + 1).reshape(4, 8, 4, 10).mean(axis=(1, 3)) * 4 - 1 for mask in cls.masks]
        cls.features = ArrayOfFeatures(features, 64)
        cls.whole = os.path.join(cls.shared, 'whole')
        cls.networks = cls.learn(cls.whole)

    @classmethod
    def learn(cls, folder, n_rounds=2, **how):
        with Dataset(cls.data) as data:
            return learn_from_cams(data, RunByHand(folder, cls.features), n_rounds, cls.SETTINGS,
                                   cls.ROUND._replace(**how), 0)

    def setUp(self):
        super(LearningTest, self).setUp()
        self.opened = Dataset(self.data)
        self.addCleanup(self.opened.close)
        self.maps = RunByHand(self.whole, self.features).on_dataset(self.opened)

    def test_masks_to_learn_are_those_of_training_images_and_their_classes(self):
        def teacher(i, classes):
            self.assertEqual(list(classes), [0] if i == 0 else [0, 1])
            return self.masks[i], 2 * self.masks[i]
        found = masks_to_learn(self.opened, teacher, 1.)
        self.assertEqual(sorted(found), [0, 2])
        for i, (certain, possible) in found.items():
            np.testing.assert_array_equal(certain, self.masks[i])
            np.testing.assert_array_equal(possible, 2 * self.masks[i])

    def test_masks_that_are_all_empty_are_said(self):
        self.assert_says([self.data, 'the masks to learn from are all empty', 'more epochs'], masks_to_learn,
                         self.opened, lambda i, classes: np.zeros((2, 32, 40), 'uint8'), 1.)

    def test_a_data_set_without_images_to_train_on_is_said_before_features_are_computed(self):
        write_small(self.path('data.h5'), records()[1:])
        run = mock.Mock(folder=self.path('run'), on_dataset=mock.Mock(side_effect=AssertionError))
        with Dataset(self.path('data.h5')) as data:
            self.assert_says([self.path('data.h5'), "no image in the split 'train'"], learn_from_cams, data, run, 1,
                             self.SETTINGS, self.ROUND, 0)

    def test_where_the_masks_of_a_class_that_are_scattered_most_are_the_truth_is_unknown(self):
        scattered = self.masks[0].copy()
        scattered[:, ::8] = 1
        masks = {0: (scattered, scattered), 2: (self.masks[2], self.masks[2])}
        found = masks_to_learn(self.opened, lambda i, classes: masks[i], .5)
        for mask, wanted in zip(found[0] + found[2], [0 * scattered, scattered, self.masks[2], self.masks[2]]):
            np.testing.assert_array_equal(mask, wanted)
            self.assertEqual(mask.dtype, 'uint8')

    def test_learning_lowers_the_loss_and_writes_a_folder_for_each_round(self):
        for number, network in enumerate(self.networks, 1):
            losses = [row['loss'] for row in network.about['log']]
            self.assertEqual(len(losses), 4)
            self.assertLess(losses[-1], .7 * losses[0])
            folder = os.path.join(self.whole, 'round-{}'.format(number))
            self.assertEqual(sorted(os.listdir(folder)), ['checkpoint.h5', 'curves.png', 'log.csv', 'model.h5'])
            loaded = SegmentationNetwork.load(os.path.join(folder, 'model.h5'))
            self.assertEqual(loaded.about, network.about)
            self.assertEqual((loaded.about['round'], loaded.about['seed']), (number, number))
            self.assertEqual(loaded.about['rms'], [1, 1.5, 1.25])
            self.assertTrue(.1 <= loaded.about['threshold'] <= .9)

    def test_maps_of_classes_are_painted_on_superpixels_by_the_maximum_of_each(self):
        network, classes = self.networks[0], np.array([1, 0])
        superpixel_map = self.maps.superpixels[0][2]
        of_superpixels = network.probabilities(self.features.blocks(2), [superpixel_map])[0]
        values = of_superpixels[:, [2, 1]] / of_superpixels.sum(axis=1, keepdims=True)
        wanted = (values / values.max(axis=0)).T[:, superpixel_map]
        np.testing.assert_allclose(segmentation_maps.class_maps(network, self.maps, 2, classes), wanted, rtol=1e-5)
        masks = segmentation_maps.method(network, self.maps)(2, classes, [.4, 1.1])
        np.testing.assert_array_equal(masks, [np.where(wanted.max(axis=0) >= .4, 2 - wanted.argmax(axis=0), 0),
                                              np.zeros((32, 40))])

    def test_an_image_that_is_labelled_with_nothing_is_background(self):
        masks = segmentation_maps.method(self.networks[0], self.maps)(0, np.array([], int), [.2, .5])
        np.testing.assert_array_equal(masks, np.zeros((2, 32, 40)))

    def test_a_network_that_learned_the_left_and_the_right_tells_them_apart(self):
        network, = self.learn(self.folder, n_rounds=1, epochs=30, dropout=0.)
        left, right = segmentation_maps.class_maps(network, self.maps, 3, np.array([0, 1]))
        self.assertGreater(np.mean((left > right)[self.masks[3] == 1]), .9)
        self.assertGreater(np.mean((right > left)[self.masks[3] == 2]), .9)

    def test_a_round_that_was_stopped_ends_as_one_that_was_not(self):
        write_log = fit.write_log

        def stopped(log, folder):
            write_log(log, folder)
            if folder.endswith('round-1') and len(log) == 3:
                raise KeyboardInterrupt
        with mock.patch.object(fit, 'write_log', stopped):
            with self.assertRaises(KeyboardInterrupt):
                self.learn(self.folder)
        self.assertNotIn('round-1/model.h5', self.files())
        read, batches = [], Batches.__getitem__
        with mock.patch.object(Batches, '__getitem__', lambda self, k: read.append(k) or batches(self, k)):
            first, = self.learn(self.folder, n_rounds=1)
        self.assertEqual(len(read), 2)  # the batches of the one epoch that was left
        for found, wanted in zip(first.model.get_weights(), self.networks[0].model.get_weights()):
            np.testing.assert_array_equal(found, wanted)
        self.assertEqual(first.about, self.networks[0].about)

    def test_finished_rounds_are_not_learned_again_nor_are_their_masks_made(self):
        with mock.patch.object(Batches, '__getitem__', side_effect=AssertionError), \
                mock.patch.object(rounds, 'masks_to_learn', side_effect=AssertionError):
            again = self.learn(self.whole)
        self.assertEqual([network.about for network in again], [network.about for network in self.networks])

    def test_each_round_is_taught_by_the_one_before(self):
        shutil.copytree(self.whole, self.path('run'))
        shutil.rmtree(self.path('run', 'round-2'))
        taught = []
        with mock.patch.object(rounds, 'masks_to_learn', lambda data, teacher, kept: taught.append(
                [teacher(i, np.flatnonzero(data.labels[i])) for i in (0, 2)]) or masks_to_learn(data, teacher, kept)):
            self.learn(self.path('run'))
        first = self.networks[0]
        method = segmentation_maps.method(first, self.maps)
        for i, masks in zip((0, 2), taught[0]):
            thresholds = first.about['threshold'] * np.array([1, .25])
            np.testing.assert_array_equal(masks, method(i, np.flatnonzero(self.opened.labels[i]), thresholds))

    def test_a_round_that_another_model_taught_is_said(self):
        shutil.copytree(self.whole, self.path('run'))
        write_text(self.path('run', 'model.h5'), 'another network')
        self.assert_says([os.path.join('run', 'round-1', 'model.h5'), 'is of another training', 'teacher'], self.learn,
                         self.path('run'))

    def test_a_checkpoint_of_other_settings_is_said(self):
        self.assert_says([os.path.join(self.whole, 'round-1', 'model.h5'), 'is of another training',
                          "'batch_size': 1"], self.learn, self.whole, batch_size=2)
