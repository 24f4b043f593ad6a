"""Superpixels that look alike share their scores: the layers against NumPy, one superpixel after the other."""
import unittest

import numpy as np

from spn.networks.correlation import OBJECTS, MeanOverSuperpixels, SuperpixelCorrelation, SuperpixelSizes2D
from tests.spn.cases import FolderTestCase, shared

from keras import backend as K
from keras.layers import Input
from keras.models import Model, load_model


def correlated(scores, features, sizes):
    inputs = [Input((None, None)), Input((None, None)), Input((None,))]
    model = Model(inputs, SuperpixelCorrelation()(inputs))
    return model.predict([scores, features.transpose(0, 2, 1), sizes])


class CorrelationTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        rng = np.random.RandomState(0)
        self.scores, self.features = rng.normal(size=(2, 7, 3)), rng.normal(size=(2, 7, 5)) + 3
        self.sizes = rng.randint(1, 40, size=(2, 7)).astype(float)

    def test_scores_are_the_mean_over_superpixels_weighted_by_their_size_and_by_how_much_they_look_alike(self):
        actual = correlated(self.scores, self.features, self.sizes)
        for k in range(2):
            np.testing.assert_allclose(actual[k], shared(self.scores[k], self.features[k], self.sizes[k]), atol=1e-5)

    def test_two_that_look_alike_share_and_one_that_does_not_keeps_its_own(self):
        features = np.array([[[1., 0], [3, 0], [0, 2]]])
        actual = correlated(np.array([[[6.], [12], [1]]]), features - features.mean(), np.array([[2., 2, 4]]))
        # Minus their mean, weighted by size, (1, 1), they are (0, -1), (2, -1) and (-1, 1): the third is opposite to
        # both.
        cosine = 1 / 5 ** .5
        first, second = (6 + 12 * cosine) / (1 + cosine), (6 * cosine + 12) / (1 + cosine)
        np.testing.assert_allclose(actual[0, :, 0], [first, second, 1], rtol=1e-5)

    def test_a_superpixel_without_pixels_harms_no_other(self):
        self.sizes[:, [1, 4]] = 0
        self.scores[:, [1, 4]], self.features[:, [1, 4]] = 100, 0
        actual = correlated(self.scores, self.features, self.sizes)
        for k in range(2):
            wanted = shared(self.scores[k], self.features[k], self.sizes[k])
            np.testing.assert_allclose(np.delete(actual[k], [1, 4], axis=0), np.delete(wanted, [1, 4], axis=0),
                                       atol=1e-5)
            self.assertTrue(np.isfinite(actual).all())

    def test_a_superpixel_that_is_the_whole_image_keeps_its_scores(self):
        # The mean of these numbers is exact, so minus their mean the features are exactly 0.
        actual = correlated(self.scores[:, :1], np.full((2, 1, 5), 2.), np.full((2, 1), 8.))
        np.testing.assert_allclose(actual, self.scores[:, :1], rtol=1e-6)

    def test_the_gradient_of_scores_is_that_of_the_mean(self):
        inputs = [K.variable(each) for each in (self.scores, self.features.transpose(0, 2, 1), self.sizes)]
        wanted = np.random.RandomState(1).normal(size=self.scores.shape)
        gradient = K.eval(K.gradients(K.sum(SuperpixelCorrelation()(inputs) * K.variable(wanted)), inputs[:1])[0])
        for k in range(2):
            weights = shared(np.eye(7), self.features[k], self.sizes[k])
            np.testing.assert_allclose(gradient[k], weights.T.dot(wanted[k]), atol=1e-5)

    def test_a_saved_model_predicts_the_same(self):
        inputs = [Input((7, 3)), Input((5, 7)), Input((8, 9), dtype='int32')]
        model = Model(inputs, SuperpixelCorrelation()(inputs[:2] + [SuperpixelSizes2D()(inputs[2])]))
        model.save(self.path('model.h5'))
        maps = np.random.RandomState(2).randint(-1, 7, size=(2, 8, 9))
        given = [self.scores, self.features.transpose(0, 2, 1), maps]
        actual = load_model(self.path('model.h5'), OBJECTS, compile=False).predict(given)
        np.testing.assert_array_equal(actual, model.predict(given))
        sizes = np.array([np.bincount(each[each >= 0], minlength=7) for each in maps.reshape(2, -1)]).astype(float)
        wanted = [shared(*each) for each in zip(self.scores, self.features, sizes)]
        np.testing.assert_allclose(actual, wanted, atol=1e-5)


class MeanTest(unittest.TestCase):

    def test_superpixels_count_the_same_or_by_a_power_of_their_pixels_and_those_without_pixels_do_not(self):
        rng = np.random.RandomState(0)
        scores, sizes = rng.normal(size=(2, 5, 3)), np.array([[4., 9, 1, 0, 0], [1, 0, 16, 25, 4]])
        for exponent in 0, .5, 1:
            actual = K.eval(MeanOverSuperpixels(exponent)([K.variable(scores), K.variable(sizes)]))
            for k, there in enumerate(([0, 1, 2], [0, 2, 3, 4])):
                np.testing.assert_allclose(actual[k],
                                           np.average(scores[k][there], axis=0, weights=sizes[k][there] ** exponent),
                                           rtol=1e-5)


class SizesTest(unittest.TestCase):

    def test_pixels_are_counted_by_superpixel(self):
        maps = K.variable(np.array([[[0, 0, 2], [-1, 0, 2]], [[1, 1, 1], [1, 1, 0]]]), dtype='int32')
        self.assertEqual(K.eval(SuperpixelSizes2D()(maps)).tolist(), [[3, 0, 2], [1, 5, 0]])
