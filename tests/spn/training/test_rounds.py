"""Rounds of the segmentation network: what it learns from, that it learns, and rounds that are stopped."""
import os
import shutil
from unittest import mock

import numpy as np

from spn.data import dataset
from spn.data.dataset import Dataset, Record
from spn.files import write_text
from spn.networks.segmentation_network import SegmentationNetwork
from spn.networks.settings import NetworkSettings, RoundSettings, SegmentationSettings
from spn.results import segmentation_maps
from spn.results.activation_maps import ActivationMaps
from spn.results.runs import Run
from spn.training import fit, rounds
from spn.training.batches import Batches
from spn.training.pseudo_labels import PseudoLabels, masks_to_learn
from spn.training.rounds import learn_from_cams
from tests.spn.cases import (ArrayOfFeatures, SharedFolderTestCase, add_superpixels, bilinear, means, photographs,
                             records, write_small)


class ScoresByHand:
    """In place of a trained network of two classes: its scores are the first channels of the features; no two
    superpixels look alike to it.
    """

    def __init__(self):
        self.settings = NetworkSettings(correlation=False)
        self.about = {'sizes': [64], 'class_names': ['left', 'right'], 'superpixel_names': ['cells']}

    def scores(self, features, superpixel_maps, fine):
        return features[:2], [means(bilinear(features[:2], each.shape), each)
                              for each in superpixel_maps], [np.zeros(2)]

    def correlation(self, fine, superpixel_maps):
        return np.eye(sum(each.max() + 1 for each in superpixel_maps))


class RunByHand(Run):
    """A run whose network is :class:`ScoresByHand`, with features that are not in a file."""

    def __init__(self, folder, features):
        self.folder, self.features, self._network, self._rounds = folder, features, ScoresByHand(), []
        self.paths = [os.path.join(folder, 'model.h5')]
        if not os.path.exists(self.paths[0]):
            write_text(self.paths[0], 'the network by hand')

    def on_dataset(self, data):
        return ActivationMaps(self.network, [self.features], [data.superpixel_maps('cells')], data.sizes)


class LearningTest(SharedFolderTestCase):
    """Training on four images with an object on the left or one on each side, which the scores show."""

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
        super().setUp()
        self.opened = Dataset(self.data)
        self.addCleanup(self.opened.close)
        self.maps = RunByHand(self.whole, self.features).on_dataset(self.opened)

    def test_masks_to_learn_are_those_of_training_images_and_their_classes(self):
        def teacher(i, classes):
            self.assertEqual(list(classes), [0] if i == 0 else [0, 1])
            return self.masks[i], 2 * self.masks[i]
        masks = self.masks_to_learn(teacher, 1.)
        self.assertEqual(masks.images.tolist(), [0, 2])
        for i in masks.images:
            certain, possible = masks[i]
            np.testing.assert_array_equal(certain, self.halved(self.masks[i]))
            np.testing.assert_array_equal(possible, 2 * self.halved(self.masks[i]))

    def masks_to_learn(self, teacher, kept):
        """The masks of a teacher, resized to 16 x 16 pixels."""
        masks = PseudoLabels(masks_to_learn(self.path('masks'), self.opened, teacher, {}, 16), self.opened, kept)
        self.addCleanup(masks.close)
        return masks

    @staticmethod
    def halved(mask):
        """A mask of 32 x 40 pixels resized to 16 x 16: the pixels in which the middles of the new ones lie."""
        return mask[1::2][:, [1, 3, 6, 8, 11, 13, 16, 18, 21, 23, 26, 28, 31, 33, 36, 38]]

    def test_masks_that_are_all_empty_are_reported(self):
        self.assert_says([self.data, 'the masks to learn from are all empty', 'more epochs'], self.masks_to_learn,
                         lambda i, classes: np.zeros((2, 32, 40), 'uint8'), 1.)

    def test_a_data_set_without_images_to_train_on_is_reported_before_features_are_computed(self):
        write_small(self.path('data.h5'), records()[1:])
        run = mock.Mock(folder=self.path('run'), on_dataset=mock.Mock(side_effect=AssertionError))
        with Dataset(self.path('data.h5')) as data:
            self.assert_says([self.path('data.h5'), "no image in the split 'train'"], learn_from_cams, data, run, 1,
                             self.SETTINGS, self.ROUND, 0)

    def test_the_truth_is_unknown_where_the_most_scattered_masks_of_a_class_are(self):
        scattered = self.masks[0].copy()
        scattered[:, ::8] = 1
        masks = {0: (scattered, scattered), 2: (self.masks[2], self.masks[2])}
        learned = self.masks_to_learn(lambda i, classes: masks[i], .5)
        for mask, wanted in zip([*learned[0], *learned[2]], [0 * scattered, scattered, self.masks[2], self.masks[2]]):
            np.testing.assert_array_equal(mask, self.halved(wanted))
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
        probabilities = network.probabilities(self.features.blocks(2), [superpixel_map])[0]
        values = probabilities[:, [2, 1]] / probabilities.sum(axis=1, keepdims=True)
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
        self.assertIn('round-1/masks-to-learn/000000.h5', self.files())
        read, batches = [], Batches.__getitem__
        with mock.patch.object(Batches, '__getitem__', lambda self, k: read.append(k) or batches(self, k)):
            first, = self.learn(self.folder, n_rounds=1)
        self.assertEqual(len(read), 2)  # the batches of the one epoch that was left
        self.assert_same_weights(first.model, self.networks[0].model)
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
        with mock.patch.object(rounds, 'masks_to_learn', lambda folder, data, teacher, *how: taught.append(
                [teacher(i, np.flatnonzero(data.labels[i])) for i in (0, 2)]) or masks_to_learn(
                    folder, data, teacher, *how)):
            self.learn(self.path('run'))
        first = self.networks[0]
        method = segmentation_maps.method(first, self.maps)
        for i, masks in zip((0, 2), taught[0]):
            thresholds = first.about['threshold'] * np.array([1, .25])
            np.testing.assert_array_equal(masks, method(i, np.flatnonzero(self.opened.labels[i]), thresholds))

    def test_a_round_that_another_model_taught_is_reported(self):
        shutil.copytree(self.whole, self.path('run'))
        write_text(self.path('run', 'model.h5'), 'another network')
        self.assert_says([os.path.join('run', 'round-1', 'model.h5'), 'is of another training', 'teacher'], self.learn,
                         self.path('run'))

    def test_a_checkpoint_of_other_settings_is_reported(self):
        self.assert_says([os.path.join(self.whole, 'round-1', 'model.h5'), 'is of another training',
                          "'batch_size': 1"], self.learn, self.whole, batch_size=2)
