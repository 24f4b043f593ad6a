"""Mini-batches of features whose first channels identify their image."""
import unittest

import numpy as np

from spn.training.batches import Batches, nearest
from tests.spn.cases import ArrayOfFeatures


def maps_of(n, shape=(6, 16)):
    """Superpixel maps of n images: image i has i + 1 columns; the first row belongs to no superpixel."""
    maps = [(np.arange(shape[1]) * (i + 1) // shape[1] * np.ones((shape[0], 1))).astype('int32') for i in range(n)]
    for superpixel_map in maps:
        superpixel_map[0] = -1
    return maps


class BatchesTest(unittest.TestCase):

    def setUp(self):
        # Features and labels identify their image.
        self.features = [ArrayOfFeatures(np.arange(9.).reshape(9, 1, 1, 1) + np.zeros((1, 1, side, side)), 16 * side,
                                         rms)
                         for side, rms in [(2, 1.), (3, 2.), (4, 6.)]]
        self.labels = np.arange(9)[:, np.newaxis] * [1, 10]

    def batches(self, seed=0, features=None, maps=None, truth=None, **options):
        return Batches(features or self.features, maps or [maps_of(9)],
                       truth or (lambda images, superpixels: [self.labels[images]]),
                       np.array([0, 2, 3, 5, 6, 8]), 16, 4, seed, **options)

    def images(self, batches, epoch):
        batches.start_epoch(epoch)
        return [labels[0][:, 0].tolist() for _, labels in (batches[k] for k in range(len(batches)))]

    def test_an_epoch_has_each_image_once_in_batches_of_one_size_and_a_rest(self):
        for epoch in range(3):
            images = self.images(self.batches(), epoch)
            self.assertEqual([len(batch) for batch in images], [4, 2])
            self.assertEqual(sorted(sum(images, [])), [0, 2, 3, 5, 6, 8])

    def test_the_order_follows_from_seed_and_epoch_whatever_was_read_before(self):
        first = self.batches()
        orders = [self.images(first, epoch) for epoch in range(4)]
        self.assertEqual(self.images(self.batches(), 2), orders[2])
        self.assertEqual(self.images(first, 0), orders[0])
        orders.append(self.images(self.batches(seed=1), 0))
        self.assertEqual(len({str(order) for order in orders}), 5)

    def test_features_labels_and_superpixels_are_of_one_image(self):
        batches = self.batches(features=self.features[:1])
        for k in range(len(batches)):
            (features, superpixels), labels = batches[k]
            images = features[:, 0, 0, 0].astype(int)
            for image, superpixel_map, label in zip(images, superpixels, labels[0]):
                self.assertEqual(superpixel_map.max(), image)
                self.assertEqual(label.tolist(), [image, 10 * image])

    def test_features_are_divided_by_their_root_mean_square_over_all_sizes(self):
        batches = self.batches()
        self.assertEqual(batches.rms, [3])
        (features, _), labels = batches[0]
        np.testing.assert_allclose(3 * features[:, 0, 0, 0], labels[0][:, 0], rtol=1e-6)

    def test_finer_features_come_after_the_superpixels_if_they_are_asked_for(self):
        batches = self.batches(features=self.features[1:2], finer=('finest', 'fine'))
        self.assertEqual(batches.rms, [2, 1.25, 1.5])
        for k in range(2):
            (features, _, finest, fine), labels = batches[k]
            self.assertEqual((features.shape[1:], finest.shape[1:], fine.shape[1:]), ((1, 3, 3), (1, 6, 6), (1, 6, 6)))
            for n, image in enumerate(labels[0][:, 0]):
                np.testing.assert_allclose(finest[n], self.features[1].finest[image] / 1.25)
                np.testing.assert_allclose(fine[n], self.features[1].fine[image] / 1.5)

    def test_targets_are_computed_for_the_images_and_the_superpixels_of_the_batch(self):
        asked = []
        batches = self.batches(truth=lambda *given: asked.append(given) or ['truth'])
        for k in range(2):
            (_, superpixels), truth = batches[k]
            self.assertEqual(truth, ['truth'])
            self.assertEqual([superpixel_map.max() for superpixel_map in superpixels], list(asked[k][0]))
            np.testing.assert_array_equal(asked[k][1], superpixels)

    def test_each_batch_has_one_of_the_sizes_and_one_of_the_superpixels_and_all_of_them_come(self):
        kinds_of_maps = [[labels + (labels >= 0) * hundreds for labels in maps_of(9)] for hundreds in (0, 100, 200)]
        batches, seen = self.batches(maps=kinds_of_maps), []
        for epoch in range(30):
            batches.start_epoch(epoch)
            for k in range(len(batches)):
                (features, superpixels), _ = batches[k]
                kinds = {superpixel_map.max() // 100 for superpixel_map in superpixels}
                self.assertEqual(len(kinds), 1)
                seen.append((features.shape[-1],) + tuple(kinds))
        self.assertEqual(set(seen), {(side, kind) for side in (2, 3, 4) for kind in range(3)})
        self.assertLess(max(seen.count(kind) for kind in set(seen)), 16)  # of 60, in nine kinds

    def test_feature_maps_are_dropped_whole_others_in_each_image_and_epoch_and_the_same_each_time(self):
        features = [ArrayOfFeatures(np.ones((9, 512, 2, 2)) * np.arange(1, 5).reshape(2, 2), 32)]
        seen = []
        for epoch in 0, 1, 0:
            batches = self.batches(features=features, dropout=.75)
            batches.start_epoch(epoch)
            for k in range(len(batches)):
                (dropped, _), _ = batches[k]
                self.assertEqual(dropped.dtype, 'float32')
                kept = dropped[:, :, 0, 0] > 0
                np.testing.assert_array_equal(dropped, 4. * kept[:, :, np.newaxis, np.newaxis] * [[1, 2], [3, 4]])
                seen += [tuple(kept_channels) for kept_channels in kept]
        self.assertAlmostEqual(np.mean(seen), .25, delta=.02)
        self.assertEqual(seen[12:], seen[:6])
        self.assertEqual(len(set(seen)), 12)

    def test_finer_features_are_dropped_too(self):
        (features, _, fine), _ = self.batches(features=[ArrayOfFeatures(np.ones((9, 512, 2, 2)), 32)], dropout=.75,
                                           finer=('fine',))[0]
        for each in features, fine:
            self.assertAlmostEqual(np.mean(np.any(each != 0, axis=(2, 3))), .25, delta=.05)

    def test_superpixel_maps_are_resized_by_the_pixel_in_which_the_middle_of_the_new_one_lies(self):
        superpixel_map = np.random.RandomState(0).randint(-1, 70000, size=(7, 9)).astype('int32')
        superpixel_map[3, 4] = -1
        for size in 5, 7, 20:
            resized = nearest(superpixel_map, size)
            self.assertEqual(resized.dtype, 'int32')
            rows, cols = [((np.arange(size) + .5) * n / size).astype(int) for n in (7, 9)]
            np.testing.assert_array_equal(resized, superpixel_map[rows][:, cols])
