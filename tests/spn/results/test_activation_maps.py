"""Activation maps by hand: from scores to maps of pixels and to masks."""
import unittest

import numpy as np
from PIL import Image

from spn.networks.settings import NetworkSettings
from spn.results.activation_maps import ActivationMaps, averaged, painted, resized
from spn.results.masks import masks, relative
from spn.results.runs import Run, cam_of
from tests.spn.cases import ArrayOfFeatures, SharesByHand, bilinear, means, shared


class PiecesTest(unittest.TestCase):

    def setUp(self):
        self.superpixel_map = np.array([[0, 0, 2], [-1, 1, 2]], 'int32')

    def test_scores_are_painted_on_the_pixels_of_their_superpixels_and_nothing_elsewhere(self):
        actual = painted(np.array([[1., -4], [2, 5], [3, 6]]), self.superpixel_map)
        self.assertEqual(actual.tolist(), [[[1, 1, 3], [0, 2, 3]], [[-4, -4, 6], [0, 5, 6]]])

    def test_the_average_is_over_the_pixels_of_each_superpixel(self):
        actual = averaged(np.array([[[1., 3, 5], [100, 7, 6]], [[0, 1, -1], [9, 2, -3]]]), self.superpixel_map)
        self.assertEqual(actual.tolist(), [[[2, 2, 5.5], [0, 7, 5.5]], [[.5, .5, -2], [0, 2, -2]]])

    def test_a_superpixel_without_pixels_harms_no_other(self):
        with np.errstate(all='raise'):
            actual = averaged(np.array([[[1., 3, 5]]]), np.array([[0, 0, 3]]))
        self.assertEqual(actual.tolist(), [[[2, 2, 5]]])

    def test_maps_are_resized_along_lines_between_the_centres_of_cells(self):
        maps = np.random.RandomState(0).normal(size=(3, 4, 5)).astype('float32')
        for shape in (16, 20), (7, 31), (4, 5):
            actual = resized(maps, np.array(shape))
            self.assertEqual(actual.shape, (3,) + shape)
            np.testing.assert_allclose(actual, bilinear(maps, shape), atol=1e-6)
        np.testing.assert_array_equal(resized(maps, (12, 10), Image.NEAREST), maps.repeat(3, 1).repeat(2, 2))

    def test_relative_values_are_1_where_a_class_is_strongest_and_0_where_scores_speak_against_it(self):
        actual = relative(np.array([[[-3., 2, 8]], [[.5, -.5, .25]], [[-1, -2, -3]]]))
        self.assertEqual(actual.tolist(), [[[0, .25, 1]], [[1, 0, .5]], [[0, 0, 0]]])

    def test_the_highest_value_names_the_class_and_background_is_where_none_reaches_the_threshold(self):
        maps = np.array([[[.2, .9, .5], [0, .3, 1]], [[.6, .8, .4], [.1, .5, .2]]])
        actual = masks(maps, np.array([4, 1]), [.05, .5, .6])
        self.assertEqual(actual.dtype, 'uint8')
        self.assertEqual(actual.tolist(), [[[2, 5, 5], [2, 2, 5]], [[2, 5, 5], [0, 2, 5]], [[2, 5, 0], [0, 0, 5]]])


class ScoresByHand(SharesByHand):
    """In place of a trained network of three classes: features are scores of cells, superpixels have their means."""

    def __init__(self, gap_branch=True, superpixel_branch=True, correlation=False):
        self.settings = NetworkSettings(gap_branch=gap_branch, superpixel_branch=superpixel_branch,
                                        correlation=correlation)
        self.about, self.asked = {}, 0

    def scores(self, features, superpixel_maps, fine):
        self.asked += 1
        superpixel_scores = [10 * means(bilinear(features, each.shape), each) for each in superpixel_maps]
        image_scores = [fine[:, 0, 0] + k for k in range(len(superpixel_maps))]
        return (features if self.settings.gap_branch else None,
                *((superpixel_scores, image_scores) if self.settings.superpixel_branch else ([], [])))

    def bias(self, name):
        return {'cell_scores': np.array([1., 0, -1]), 'superpixel_scores': np.array([0, .5, 0])}[name]


class MapsTest(unittest.TestCase):

    def setUp(self):
        rng = np.random.RandomState(0)
        self.sizes = np.array([[9, 12], [7, 5]])
        self.features = [ArrayOfFeatures(rng.normal(size=(2, 3, side, side)), 16 * side) for side in (2, 3, 4)]
        # Two kinds of superpixels: in columns, and in rows of which the first belongs to none.
        self.superpixels = [[np.arange(cols) // 4 * np.ones((rows, 1), int) for rows, cols in self.sizes],
                            [(np.arange(rows)[:, np.newaxis] - 1) // 2 * np.ones(cols, int)
                             for rows, cols in self.sizes]]

    def maps(self, **branches):
        return ActivationMaps(ScoresByHand(**branches), self.features, self.superpixels, self.sizes)

    def painted_scores(self, i, size, kind):
        superpixel_map = self.superpixels[kind][i]
        scores = 10 * means(bilinear(self.features[size][i], superpixel_map.shape), superpixel_map)
        painted = np.zeros((3,) + superpixel_map.shape)
        for n, score in enumerate(scores):
            painted[:, superpixel_map == n] = score[:, np.newaxis]
        return painted

    def test_an_image_that_is_labelled_with_nothing_is_background(self):
        maps, nothing = self.maps(), np.array([], int)
        for name in 'cam', 'cam_in_superpixels', 'sp_cam', 'correlated_cam', 'correlated_sp_cam':
            scores = getattr(maps, name)(0, nothing)
            self.assertEqual(scores.shape, (0, 9, 12))
            np.testing.assert_array_equal(masks(relative(scores), nothing, [.2, .5]), np.zeros((2, 9, 12)))

    def test_CAM_is_the_maximum_over_image_sizes_of_the_resized_scores_of_cells(self):
        maps = self.maps()
        for i, shape in enumerate(self.sizes):
            wanted = [bilinear(features[i], shape) for features in self.features]
            np.testing.assert_allclose(maps.cam(i, np.array([2, 0])), np.max(wanted, axis=0)[[2, 0]], atol=1e-6)
            np.testing.assert_allclose(maps.cam(i, np.array([1]), [1]), wanted[1][[1]], atol=1e-6)
            np.testing.assert_allclose(maps.cam(i, np.array([1]), [2, 0]), np.maximum(wanted[0], wanted[2])[[1]],
                                       atol=1e-6)

    def test_CAM_without_smoothing_repeats_the_scores_of_cells(self):
        np.testing.assert_allclose(self.maps().cam(0, np.array([1]), [1], Image.NEAREST)[0],
                                   self.features[1][0][1].repeat(3, 0).repeat(4, 1), rtol=1e-6)

    def test_CAM_averaged_in_superpixels_is_the_mean_over_kinds_of_superpixels(self):
        cam = self.maps().cam(1, np.arange(3))
        wanted = np.zeros((2,) + cam.shape)
        for kind_cam, superpixels in zip(wanted, self.superpixels):
            for n in range(superpixels[1].max() + 1):
                inside = superpixels[1] == n
                kind_cam[:, inside] = cam[:, inside].mean(axis=1, keepdims=True)
        np.testing.assert_allclose(self.maps().cam_in_superpixels(1, np.arange(3)), wanted.mean(axis=0), atol=1e-6)
        self.assertTrue(np.any(wanted[1, :, 0] == 0) and np.all(wanted[0] != 0))

    def test_SP_CAM_is_the_mean_over_kinds_of_superpixels_and_then_the_maximum_over_image_sizes(self):
        maps = self.maps()
        for i in range(2):
            size_maps = [np.mean([self.painted_scores(i, size, kind) for kind in range(2)], axis=0)
                         for size in range(3)]
            np.testing.assert_allclose(maps.sp_cam(i, np.array([0, 2])), np.max(size_maps, axis=0)[[0, 2]])
            np.testing.assert_allclose(maps.sp_cam(i, np.array([1]), [1]), size_maps[1][[1]])

    def correlated_scores(self, i, size, scores):
        """Scores (n, classes) of the superpixels of each kind, shared and painted; the mean over kinds."""
        fine, maps = self.features[size].fine[i], [superpixels[i] for superpixels in self.superpixels]
        looks = np.concatenate([means(bilinear(fine, each.shape), each) for each in maps])
        sizes = np.concatenate([np.bincount(each[each >= 0]) for each in maps])
        averaged_scores = shared(np.maximum(np.concatenate(scores), 0), looks, sizes)
        kinds = np.split(averaged_scores, [len(scores[0])])
        return np.mean([np.where(labels >= 0, scores.T[:, labels], 0) for scores, labels in zip(kinds, maps)], axis=0)

    def test_correlated_SP_CAM_is_shared_by_superpixels_of_all_kinds_that_look_alike_and_the_mean_over_sizes(self):
        maps = self.maps()
        for i in range(2):
            size_maps = []
            for size in range(3):
                seen = bilinear(self.features[size][i], self.sizes[i])
                size_maps.append(self.correlated_scores(
                    i, size, [10 * means(seen, superpixels[i]) for superpixels in self.superpixels]))
            np.testing.assert_allclose(maps.correlated_sp_cam(i, np.array([2, 0])), np.mean(size_maps, axis=0)[[2, 0]],
                                       rtol=1e-5)
            np.testing.assert_allclose(maps.correlated_sp_cam(i, np.array([1]), [1]), size_maps[1][[1]], rtol=1e-5)

    def test_correlated_CAM_is_averaged_in_superpixels_and_then_shared(self):
        size_maps = []
        for size in range(3):
            seen = bilinear(self.features[size][1], self.sizes[1])
            size_maps.append(self.correlated_scores(
                1, size, [means(seen, superpixels[1]) for superpixels in self.superpixels]))
        np.testing.assert_allclose(self.maps().correlated_cam(1, np.arange(3)), np.mean(size_maps, axis=0), rtol=1e-5)

    def test_the_network_is_asked_once_for_each_image_and_size_however_many_maps_are_read(self):
        maps = self.maps()
        for _ in range(2):
            maps.cam(0, np.array([0])), maps.sp_cam(0, np.array([0])), maps.probabilities(0)
        self.assertEqual(maps.trained.asked, 3)
        maps.cam(1, np.array([0]))
        self.assertEqual(maps.trained.asked, 6)

    def test_the_probability_of_a_class_is_the_mean_over_branches_sizes_and_superpixels(self):
        cells = [1 / (1 + np.exp(-features[0].mean(axis=(1, 2)) - [1, 0, -1])) for features in self.features]
        superpixels = [1 / (1 + np.exp(-features.fine[0][:, 0, 0] - kind - [0, .5, 0])) for features in self.features
                       for kind in range(2)]
        np.testing.assert_allclose(self.maps().probabilities(0), np.mean(cells + superpixels, axis=0))
        np.testing.assert_allclose(self.maps(superpixel_branch=False).probabilities(0), np.mean(cells, axis=0))
        np.testing.assert_allclose(self.maps(gap_branch=False).probabilities(0), np.mean(superpixels, axis=0))

    def test_masks_are_made_of_SP_CAM_correlated_if_the_network_is_or_of_CAM_without_a_superpixel_branch(self):
        classes = np.array([2, 0])
        for branches, name in [({}, 'sp_cam'), ({'correlation': True}, 'correlated_sp_cam'),
                               ({'superpixel_branch': False, 'correlation': True}, 'cam')]:
            maps = self.maps(**branches)
            for one_size, sizes in [(False, None), (True, [2])]:
                scores = getattr(maps, name)(0, classes, sizes)
                positive = np.where(scores > 0, scores, 0)
                np.testing.assert_allclose(cam_of(RunByHand(maps.trained), maps, one_size)(0, classes),
                                           positive / positive.reshape(2, -1).max(axis=1)[:, np.newaxis, np.newaxis])

    def test_absolute_values_are_probabilities_by_all_scores_negative_ones_too_and_0_where_no_superpixel_is(self):
        classes, shape = np.array([2, 0, 1]), self.sizes[0]
        self.superpixels = self.superpixels[1:]  # the first row belongs to none
        self.features[2] = ArrayOfFeatures(np.array(list(map(self.features[2].__getitem__, (0, 1)))) - .4, 64)
        for branches, bias in [({}, [0, 0, .5]), ({'correlation': True}, [0, 0, .5]),
                               ({'superpixel_branch': False}, [-1, 1, 0])]:
            maps = self.maps(**branches)
            actual = cam_of(RunByHand(maps.trained), maps, True, absolute=True)(0, classes)
            seen = bilinear(self.features[2][0], shape)
            if branches == {'superpixel_branch': False}:
                scores = seen[classes]
            else:
                scores = 10 * means(seen, self.superpixels[0][0])
                if branches:
                    looks = means(bilinear(self.features[2].fine[0], shape), self.superpixels[0][0])
                    scores = shared(scores, looks, np.bincount(self.superpixels[0][0][1:].ravel()))
                scores = scores[:, classes].T[:, self.superpixels[0][0]]
            wanted = 1 / (1 + np.exp(-scores - np.reshape(bias, (3, 1, 1))))
            if branches != {'superpixel_branch': False}:
                wanted[:, 0] = 0
            self.assertTrue((wanted[:, 1:] < .5).any() and (wanted > .5).any())
            np.testing.assert_allclose(actual, wanted, rtol=1e-5)

    def test_the_final_method_is_the_one_that_makes_the_masks(self):
        for branches, name in [({}, 'SP-CAM, all sizes'), ({'correlation': True}, 'SP-CAM, correlated'),
                               ({'superpixel_branch': False, 'correlation': True}, 'CAM, all sizes')]:
            self.assertEqual(RunByHand(self.maps(**branches).trained).final, name)

    def test_classes_are_predicted_by_their_probabilities_and_there_is_at_least_one(self):
        maps = self.maps()
        run = RunByHand(maps.trained)
        for sure, wanted in [([.2, .5, .9], [1, 2]), ([.2, .4, .1], [1])]:
            maps.probabilities = lambda i: np.array(sure)
            self.assertEqual(run.classes_of(maps, 0).tolist(), wanted)


class RunByHand(Run):

    def __init__(self, trained):
        self._network, self._rounds = trained, []
        trained.about['sizes'] = [64, 32, 48]  # the middle one comes last
