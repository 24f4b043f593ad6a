"""The segmentation network: which masks it learns from, what it is shown, that it learns, rounds that are stopped."""
import os
import unittest
from unittest import mock

import numpy as np

from spn import dataset, rounds, segmentation, training
from spn.activation_maps import ActivationMaps
from spn.dataset import Dataset, Record, add_superpixels
from spn.encoder import MEAN_BGR
from spn.rounds import learn_from_cams, masks_to_learn
from spn.runs import Run
from spn.segmentation import Decoder, Pairs, known_cross_entropy, least_scattered, scatter, small, target
from tests.spn.cases import ArrayOfFeatures, SharedFolderTestCase, bilinear, photographs

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

    def test_targets_are_the_share_of_the_object_in_each_cell(self):
        mask = np.zeros((6, 8), bool)
        mask[1:3, 3:7] = True
        for found in small(mask, 2), target(mask, mask, 2):
            np.testing.assert_allclose(found, [[2 / 12, 6 / 12], [0, 0]], atol=1e-6)
            self.assertEqual(found.dtype, 'float32')

    def test_a_pixel_on_the_edge_of_two_cells_counts_for_both_in_part(self):
        mask = np.array([[1., 0, 1], [0, 1, 1], [1, 1, 0]])
        # Each cell has one pixel whole, two by half and one by a quarter.
        wanted = [[1 + 0 + 0 + 1 / 4, 1 + 0 + 1 / 2 + 1 / 4], [1 + 0 + 1 / 2 + 1 / 4, 0 + 1 / 2 + 1 / 2 + 1 / 4]]
        np.testing.assert_allclose(small(mask, 2), np.array(wanted) / 2.25, atol=1e-6)

    def test_a_cell_most_of_which_may_be_the_object_or_not_is_unknown_and_else_that_part_does_not_count(self):
        certain, possible = np.zeros((2, 4, 16), bool)
        certain[:2, :4], possible[:, :4] = True, True  # 8 pixels of 16 surely, the other 8 maybe: half of it is known
        certain[:2, 4:8], possible[:3, 4:8] = True, True  # 8 surely, 4 maybe, 4 surely not
        possible[:, 8:12] = True  # maybe
        possible[0, 12:] = True  # hardly
        for columns, wanted in [(np.s_[:4], -1), (np.s_[4:8], 8 / 12), (np.s_[8:12], -1), (np.s_[12:], 0)]:
            found = target(certain[:, columns], possible[:, columns], 1)
            np.testing.assert_allclose(found, [[wanted]], atol=1e-6)
            self.assertEqual(found.dtype, 'float32')

    def test_the_loss_is_the_mean_over_the_cells_whose_truth_is_known(self):
        truth, probability = np.array([[1., -1], [.25, 0]]), np.array([[.5, .9], [.5, .2]])
        wanted = (-np.log(.5) - np.log(.5) - np.log(.8)) / 3
        for given, loss in [(truth, wanted), (-truth - 1.5, 0)]:
            found = K.eval(known_cross_entropy(K.variable(given), K.variable(probability)))
            self.assertAlmostEqual(float(found), loss, places=5)


class NetworkByHand(object):
    """Stands for a trained network of two classes whose scores are the first channels of the features."""

    def __init__(self):
        self.about = {'settings': {'gap_branch': True, 'superpixel_branch': True, 'correlation': False}, 'rms': 2.,
                      'fine_rms': 4., 'sizes': [64], 'class_names': ['left', 'right'], 'superpixel_names': ['cells']}

    def scores(self, features, superpixel_maps):
        of_superpixels = []
        for each in superpixel_maps:
            seen = bilinear(features[:2], each.shape)
            of_superpixels.append(np.array([seen[:, each == k].mean(axis=1) for k in range(each.max() + 1)]))
        return features[:2], of_superpixels


class RunByHand(Run):
    """A run whose network is by hand, on features that are not in a file."""

    def __init__(self, folder, features):
        self.folder, self.features, self._network, self._decoders = folder, features, NetworkByHand(), []

    def on_dataset(self, data):
        return ActivationMaps(self.network, [self.features], [data.superpixel_maps('cells')], data.sizes)


class LearningTest(SharedFolderTestCase):
    """On four images of an object on the left, or one on either side; scores see them."""

    SETTINGS = dict(segmentation.DEFAULTS, channels=[8, 8, 8])
    HOW = dict(segmentation.TRAINING, epochs=4, batch_size=1, learning_rate=.01, kept=1., possible=.25, dropout=.3)

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
            features[:, c] += [small(mask == c + 1, 4) * 4 - 1 for mask in cls.masks]
        cls.features = ArrayOfFeatures(features, 64)
        cls.whole = os.path.join(cls.shared, 'whole')
        cls.decoders = cls.learn(cls.whole)

    @classmethod
    def learn(cls, folder, n_rounds=2, **how):
        with Dataset(cls.data) as data:
            return learn_from_cams(data, RunByHand(folder, cls.features), n_rounds, cls.SETTINGS, dict(cls.HOW, **how), 0)

    def setUp(self):
        super(LearningTest, self).setUp()
        self.opened = Dataset(self.data)
        self.addCleanup(self.opened.close)
        self.run_by_hand = RunByHand(self.whole, self.features)
        self.maps = self.run_by_hand.on_dataset(self.opened)
        self.reader = self.run_by_hand.reader(self.maps, self.opened.image)

    def test_the_decoder_is_shown_features_fine_ones_the_SP_CAM_of_the_class_and_the_image(self):
        features, fine, class_maps, image = self.reader(2, np.array([1, 0]))
        self.assertEqual((features.shape, fine.shape, class_maps.shape, image.shape),
                         ((2, 512, 4, 4), (2, 512, 8, 8), (2, 1, 16, 16), (2, 3, 16, 16)))
        for k, c in enumerate([1, 0]):
            np.testing.assert_allclose(features[k], self.features[2] / 2)
            np.testing.assert_allclose(fine[k], self.features.fine[2] / 4)
            sp_cam = self.maps.sp_cam(2, np.array([c]))[0].clip(0)
            means = (sp_cam / sp_cam.max()).reshape(16, 2, 8, 5).mean(axis=(1, 3))  # two pixels and a half make a cell
            np.testing.assert_allclose(class_maps[k, 0].reshape(16, 8, 2).mean(axis=2), means, atol=1e-5)
        np.testing.assert_array_equal(self.reader(2, np.array([0, 1]))[2], class_maps[::-1])
        # Blue, green, red as VGG16 wants them; rows are halved, so pairs of them are weighted.
        blue = 64 * image[0, 0] + MEAN_BGR[0]
        means = self.images[2][..., 2].reshape(16, 2, 40).mean(axis=1)
        self.assertLess(np.abs(blue.mean(axis=1) - means.mean(axis=1)).mean(), 8)
        self.assertGreater(np.corrcoef(blue.mean(axis=1), means.mean(axis=1))[0, 1], .98)
        np.testing.assert_array_equal(image[0], image[1])

    def test_masks_to_learn_are_those_of_training_images_and_their_classes(self):
        def teacher(i, classes):
            self.assertEqual(list(classes), [0] if i == 0 else [0, 1])
            return self.masks[i], self.masks[i]
        pairs, targets = masks_to_learn(self.opened, teacher, 8, 1.)
        self.assertEqual([(int(i), int(c)) for i, c in pairs], [(0, 0), (2, 0), (2, 1)])
        for (i, c), found in zip(pairs, targets):
            np.testing.assert_allclose(found, (self.masks[i] == c + 1).reshape(8, 4, 8, 5).mean(axis=(1, 3)), atol=1e-6)

    def test_masks_that_are_all_empty_are_said(self):
        self.assert_says([self.data, 'the masks to learn from are all empty', 'more epochs'], masks_to_learn, self.opened,
                         lambda i, classes: np.zeros((2, 32, 40), 'uint8'), 8, 1.)

    def test_the_masks_of_a_class_that_are_surely_scattered_most_are_left_out(self):
        scattered = self.masks[0].copy()
        scattered[:, ::8] = 1
        masks = {0: (scattered, scattered), 2: (scattered, self.masks[2])}
        pairs, targets = masks_to_learn(self.opened, lambda i, classes: masks[i], 8, .5)
        self.assertEqual([(int(i), int(c)) for i, c in pairs], [(2, 0), (2, 1)])
        np.testing.assert_array_equal(targets[0], target(self.masks[2] == 1, scattered == 1, 8))

    def test_a_batch_has_each_pair_with_its_target_and_is_mirrored_as_a_whole_or_not_at_all(self):
        given = [(0, np.int64(0)), (2, np.int64(1)), (3, np.int64(0))]
        targets = np.random.RandomState(0).rand(3, 16, 16)
        pairs = Pairs(self.reader, given, targets, 2, seed=0)
        mirrored, orders = [], set()
        for epoch in range(6):
            pairs.start_epoch(epoch)
            seen = []
            for k in range(len(pairs)):
                inputs, found = pairs[k]
                turned = [array[..., ::-1] for array in inputs + [found]]
                plain = np.any([np.array_equal(found[0, 0], of_pair) for of_pair in targets])
                mirrored.append(not plain)
                *inputs, found = inputs + [found] if plain else turned
                for *arrays, shown in zip(*(inputs + [found])):
                    pair = next(n for n, of_pair in enumerate(targets) if np.array_equal(of_pair, shown[0]))
                    seen.append(pair)
                    i, c = given[pair]
                    for array, wanted in zip(arrays, self.reader(i, np.array([c]))):
                        np.testing.assert_array_equal(array, wanted[0])
            self.assertEqual(sorted(seen), [0, 1, 2])
            orders.add(tuple(seen))
        self.assertTrue(0 < sum(mirrored) < len(mirrored))
        self.assertGreater(len(orders), 1)

    def test_feature_maps_are_dropped_and_what_else_is_shown_is_not(self):
        pairs = [Pairs(self.reader, [(0, 0), (2, 0), (2, 1)], np.ones((3, 16, 16)), 3, 0, dropout) for dropout in (0., .75)]
        (*features, class_maps, image), (*dropped, class_maps_then, image_then) = [batches[0][0] for batches in pairs]
        others, others_then = (class_maps, image), (class_maps_then, image_then)
        for whole, found in zip(features, dropped):
            kept = np.any(found != 0, axis=(2, 3))
            self.assertAlmostEqual(kept.mean(), .25, delta=.05)
            self.assertEqual(len({tuple(of_pair) for of_pair in kept}), 3)
            np.testing.assert_allclose(found, 4 * whole * kept[:, :, np.newaxis, np.newaxis], rtol=1e-6)
        for found, wanted in zip(others_then, others):
            np.testing.assert_array_equal(found, wanted)

    def test_learning_lowers_the_loss_and_writes_a_folder_for_each_round(self):
        for number, decoder in enumerate(self.decoders, 1):
            losses = [row['loss'] for row in decoder.about['log']]
            self.assertEqual(len(losses), 4)
            self.assertLess(losses[-1], .7 * losses[0])
            folder = os.path.join(self.whole, 'round-{}'.format(number))
            self.assertEqual(sorted(os.listdir(folder)), ['checkpoint.h5', 'curves.png', 'log.csv', 'model.h5'])
            loaded = Decoder.load(os.path.join(folder, 'model.h5'))
            self.assertEqual(loaded.about, decoder.about)
            self.assertEqual((loaded.about['round'], loaded.about['seed']), (number, 0))
            self.assertTrue(.1 <= loaded.about['threshold'] <= .9)

    def test_probability_maps_are_resized_and_averaged_in_superpixels(self):
        decoder, classes = self.decoders[0], np.array([0, 1])
        said = decoder.model.predict_on_batch(self.reader(2, classes))
        self.assertEqual(said.shape, (2, 1, 16, 16))
        smooth = bilinear(said[:, 0], (32, 40))
        found = segmentation.probability_maps(decoder, self.reader, 2, classes, [])
        np.testing.assert_allclose(found, smooth, atol=1e-5)
        found = segmentation.probability_maps(decoder, self.reader, 2, classes, self.maps.superpixels)
        wanted = smooth.reshape(2, 8, 4, 10, 4).mean(axis=(2, 4)).repeat(4, 1).repeat(4, 2)
        np.testing.assert_allclose(found, wanted, atol=1e-5)
        masks = segmentation.method(decoder, self.reader, self.maps.superpixels)(2, classes, [.4, 1.1])
        np.testing.assert_array_equal(masks, [np.where(wanted.max(axis=0) >= .4, 1 + wanted.argmax(axis=0), 0),
                                              np.zeros((32, 40))])

    def test_a_round_that_was_stopped_ends_as_one_that_was_not(self):
        write_log = training.write_log

        def stopped(log, folder):
            write_log(log, folder)
            if folder.endswith('round-1') and len(log) == 3:
                raise KeyboardInterrupt
        with mock.patch.object(training, 'write_log', stopped):
            with self.assertRaises(KeyboardInterrupt):
                self.learn(self.folder)
        self.assertNotIn('round-1/model.h5', self.files())
        read, batches = [], Pairs.__getitem__
        with mock.patch.object(Pairs, '__getitem__', lambda pairs, k: read.append(k) or batches(pairs, k)):
            first, = self.learn(self.folder, n_rounds=1)
        self.assertEqual(len(read), 3)  # the batches of the one epoch that was left
        for found, wanted in zip(first.model.get_weights(), self.decoders[0].model.get_weights()):
            np.testing.assert_array_equal(found, wanted)
        self.assertEqual(first.about, self.decoders[0].about)

    def test_a_finished_round_is_not_learned_again_and_teaches_the_next_one(self):
        first, second = self.decoders
        self.assertNotEqual(first.about['targets'], second.about['targets'])
        taught = []
        with mock.patch.object(Pairs, '__getitem__', side_effect=AssertionError), \
                mock.patch.object(rounds, 'masks_to_learn', lambda data, teacher, *rest: taught.append(
                    [teacher(i, np.flatnonzero(data.labels[i])) for i in (0, 2)]) or masks_to_learn(data, teacher, *rest)):
            again = self.learn(self.whole)
        self.assertEqual([decoder.about for decoder in again], [decoder.about for decoder in self.decoders])
        method = segmentation.method(first, self.reader, self.maps.superpixels)
        for i, masks in zip((0, 2), taught[1]):
            thresholds = first.about['threshold'] * np.array([.25, 1])
            np.testing.assert_array_equal(masks, method(i, np.flatnonzero(self.opened.labels[i]), thresholds))

    def test_a_checkpoint_of_other_settings_is_said(self):
        self.assert_says([os.path.join(self.whole, 'round-1', 'model.h5'), 'is of another training',
                          "'batch_size': 1"], self.learn, self.whole, batch_size=2)
