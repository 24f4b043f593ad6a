"""The segmentation network against NumPy: its loss, and its predictions for superpixels."""
import unittest

import numpy as np

from spn.networks.segmentation_network import SegmentationNetwork, cross_entropy
from spn.networks.settings import SegmentationSettings, as_json
from tests.spn.cases import bilinear, means

from keras import backend as K  # after spn: it chooses Keras's Theano backend


class LossTest(unittest.TestCase):

    def test_the_loss_is_the_mean_over_the_pixels_whose_truth_is_known(self):
        truth, probability = np.array([[[.5, 0], [.1, .2]], [[0, 0], [0, .1]]]), np.array([[[.25, .75], [.5, .5]],
                                                                                        [[.9, .1], [.2, .8]]])
        wanted = -(.5 * np.log(.25) + .3 * np.log(.5) + .1 * np.log(.8)) / .9
        loss = K.eval(cross_entropy(K.variable(truth), K.variable(probability)))
        self.assertAlmostEqual(float(loss), wanted, places=5)

    def test_where_nothing_is_known_the_loss_is_0(self):
        self.assertEqual(K.eval(cross_entropy(K.zeros((1, 2, 3)), K.variable(np.full((1, 2, 3), 1 / 3)))), 0)


class SmallNetworkTestCase(unittest.TestCase):
    """A network with random weights, features of an image, and two superpixel maps of it."""

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


class NetworkTest(SmallNetworkTestCase):

    def test_features_of_three_layers_are_pooled_in_superpixels_and_classified(self):
        hidden, bias = self.network.model.get_layer('hidden').get_weights()
        classify, last_bias = self.network.model.get_layer('class').get_weights()
        map_probabilities = self.network.probabilities(self.layers, self.maps)
        for actual, superpixel_map in zip(map_probabilities, self.maps):
            pooled = np.concatenate([means(bilinear(layer, (4, 6)), superpixel_map) / rms
                                     for layer, rms in zip(self.layers, self.about['rms'])], axis=1)
            scores = np.exp(np.maximum(pooled.dot(hidden) + bias, 0).dot(classify) + last_bias)
            np.testing.assert_allclose(actual, scores / scores.sum(axis=1, keepdims=True), rtol=1e-4)

    def test_a_map_gives_the_same_alone_and_with_others(self):
        alone, = self.network.probabilities(self.layers, self.maps[1:])
        np.testing.assert_allclose(alone, self.network.probabilities(self.layers, self.maps)[1], rtol=1e-5)
