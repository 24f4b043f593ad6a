"""Predictions of a segmentation network for images: maps of classes, and classes."""
from unittest import mock

import numpy as np

from spn.results import segmentation_maps
from spn.results.activation_maps import ActivationMaps
from spn.results.segmentation_maps import among
from tests.spn.cases import ArrayOfFeatures, SharesByHand, bilinear, means, shared
from tests.spn.networks.test_segmentation_network import SmallNetworkTestCase


class SegmentationMapsTest(SmallNetworkTestCase):

    def maps_of_two_sizes(self):
        rng = np.random.RandomState(1)
        features = [ArrayOfFeatures(rng.normal(size=(1, 512, side, side)), 16 * side) for side in (2, 3)]
        return ActivationMaps(SharesByHand(), features, [[each] for each in self.maps], np.array([[4, 6]]))

    def test_maps_of_classes_are_shared_by_superpixels_that_look_alike_and_the_mean_over_sizes_and_maps(self):
        maps, classes, painted = self.maps_of_two_sizes(), np.array([1, 0]), []
        for features in maps.features:
            scores = [probabilities[:, [2, 1]] / probabilities.sum(axis=1, keepdims=True)
                      for probabilities in self.network.probabilities(features.blocks(0), self.maps)]
            looks = np.concatenate([means(bilinear(features.fine[0], (4, 6)), each) for each in self.maps])
            sizes = np.concatenate([np.bincount(each[each >= 0]) for each in self.maps])
            averaged = shared(np.concatenate(scores), looks, sizes)
            for map_scores, superpixel_map in zip(np.split(averaged, [len(scores[0])]), self.maps):
                painted.append(np.where(superpixel_map >= 0, map_scores.T[:, superpixel_map], 0))
        mean = np.mean(painted, axis=0)
        np.testing.assert_allclose(segmentation_maps.class_maps(self.network, maps, 0, classes),
                                   mean / mean.max(axis=(1, 2), keepdims=True), rtol=1e-4)

    def test_the_probability_of_a_class_in_an_image_is_the_mean_of_the_five_highest_of_its_superpixels(self):
        maps, wanted = self.maps_of_two_sizes(), []
        for features in maps.features:
            for probabilities in self.network.probabilities(features.blocks(0), self.maps):
                wanted.append([sorted(class_probabilities)[-5:] for class_probabilities in probabilities.T[1:]])
        wanted = [np.mean([np.mean(each[c]) for each in wanted]) for c in range(2)]
        np.testing.assert_allclose(segmentation_maps.image_probabilities(self.network, maps, 0), wanted, rtol=1e-5)

    def test_a_network_is_asked_once_for_an_image_in_turn_and_never_answers_for_another(self):
        rng = np.random.RandomState(2)
        features = [ArrayOfFeatures(rng.normal(size=(2, 512, 2, 2)), 32)]
        maps = ActivationMaps(SharesByHand(), features, [[each] * 2 for each in self.maps], np.array([[4, 6]] * 2))
        wanted = [self.network.probabilities(features[0].blocks(i), self.maps) for i in (0, 1)]
        with mock.patch.object(self.network, 'probabilities', side_effect=self.network.probabilities) as probabilities:
            for i, n_calls in (0, 1), (0, 1), (1, 2), (0, 3):
                actual = segmentation_maps.superpixel_probabilities(self.network, maps, i)[0]
                for of_map, wanted_of_map in zip(actual, wanted[i]):
                    np.testing.assert_array_equal(of_map, wanted_of_map)
                self.assertEqual(probabilities.call_count, n_calls)

    def test_excluded_classes_leave_their_probability_to_the_others(self):
        relative_probabilities = among(np.array([[.2, .1, .3, .4], [.5, 0, .25, .25]]), np.array([2, 0]))
        np.testing.assert_allclose(relative_probabilities, [[4 / 7, 1 / 7], [1 / 3, 0]])

    def test_a_superpixel_that_is_surely_something_else_has_no_class(self):
        np.testing.assert_array_equal(among(np.array([[0., 0, 1]]), np.array([0])), [[0]])
