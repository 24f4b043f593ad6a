"""The V3 block: what it computes, that all of it learns, and that the example reports true numbers."""
import contextlib
import io
import os
import shutil
import tempfile
import unittest
from unittest import mock

from keras_layer import custom_objects

from keras.layers import Input
from keras.models import Model, clone_model, load_model
from keras.optimizers import SGD
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from examples import picture, v3_block, v3_picture
from examples.photographs import held_out_half, load_photographs, training_half

from .test_demo import maps_of_themselves

CHANNELS, FILTERS = 3, 4


def block_in_numpy(features, superpixel_map, weights):
    """relu(convolution + painted 1x1 convolution of means), pixel by pixel, for one image.

    `weights` are the kernel and bias of the 3x3 convolution, then those of the 1x1 convolution. Keras on Theano
    turns the kernel by 180 degrees, as the convolution of the textbooks does.
    """
    kernel, bias, kernel_of_means, bias_of_means = weights
    rows, cols, _ = features.shape
    padded = np.pad(features, [(1, 1), (1, 1), (0, 0)], mode='constant')
    result = np.empty((rows, cols, len(bias)))
    for row, col in np.ndindex(rows, cols):
        result[row, col] = bias
        for i, j in np.ndindex(3, 3):
            result[row, col] += padded[row + i, col + j].dot(kernel[2 - i, 2 - j])
        label = superpixel_map[row, col]
        if label >= 0:
            mean = features[superpixel_map == label].mean(axis=0)
            result[row, col] += mean.dot(kernel_of_means[0]) + bias_of_means
    return np.maximum(result, 0)


class BlockTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        rng = np.random.RandomState(1)
        cls.features = rng.normal(size=(2, 5, 6, CHANNELS)).astype('float32')
        # Another number of superpixels in each image, one of them empty, and pixels that belong to none.
        cls.maps = np.stack([rng.choice([-1, 0, 1, 3], (5, 6)), rng.choice([0, 1], (5, 6))])
        features, superpixel_map = Input((None, None, CHANNELS)), Input((None, None), dtype='int32')
        cls.model, cls.by_pixel = [
            Model([features, superpixel_map], block(features, superpixel_map, FILTERS))
            for block in (v3_block.superpixel_block, v3_block.pixel_block)]
        for model in cls.model, cls.by_pixel:
            # Biases start at 0, where a forgotten one would not be seen.
            model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])

    def weights(self, model):
        """By the rank of their kernels: the 3x3 convolution first."""
        layers = [layer for layer in model.layers if layer.weights]
        return [weight for layer in sorted(layers, key=lambda layer: -layer.count_params())
                for weight in layer.get_weights()]

    def test_the_block_computes_the_formula(self):
        weights = self.weights(self.model)
        self.assertEqual([weight.shape for weight in weights],
                         [(3, 3, CHANNELS, FILTERS), (FILTERS,), (1, CHANNELS, FILTERS), (FILTERS,)])
        computed = self.model.predict([self.features, self.maps])
        for features, superpixel_map, result in zip(self.features, self.maps, computed):
            np.testing.assert_allclose(result, block_in_numpy(features, superpixel_map, weights), atol=1e-5)
        self.assertTrue(.2 < np.mean(computed > 0) < .8)

    def test_the_block_without_superpixels_is_that_with_a_superpixel_for_each_pixel(self):
        weights = self.weights(self.by_pixel)
        weights[2] = weights[2][0]  # (1, 1, channels, filters)
        for features, result in zip(self.features, self.by_pixel.predict([self.features, self.maps])):
            each = np.arange(5 * 6).reshape(5, 6)
            np.testing.assert_allclose(result, block_in_numpy(features, each, weights), atol=1e-5)

    def test_one_step_changes_every_weight_by_its_gradient(self):
        model = clone_model(self.model)
        model.set_weights(self.model.get_weights())
        model.compile(SGD(1.), 'mse')
        target = np.random.RandomState(2).normal(size=(2, 5, 6, FILTERS))
        model.train_on_batch([self.features, self.maps], target)

        def loss(weights):
            return np.mean([np.mean((block_in_numpy(*image, weights=weights) - wanted) ** 2)
                            for *image, wanted in zip(self.features.astype('float64'), self.maps, target)])
        before = [weight.astype('float64') for weight in self.weights(self.model)]
        for weight, after in zip(before, self.weights(model)):
            for place in np.ndindex(*weight.shape):
                first, losses = weight[place], []
                for nudge in 1e-6, -1e-6:
                    weight[place] = first + nudge
                    losses.append(loss(before))
                weight[place] = first
                gradient = (losses[0] - losses[1]) / 2e-6
                self.assertGreater(abs(gradient), 1e-5)
                self.assertAlmostEqual(first - after[place], gradient, delta=1e-5)

    def test_the_block_is_the_same_after_saving_and_loading(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.model.save(os.path.join(folder, 'block.h5'))
        loaded = load_model(os.path.join(folder, 'block.h5'), custom_objects=custom_objects, compile=False)
        for features, superpixel_map, result in zip(self.features, self.maps,
                                                    loaded.predict([self.features, self.maps])):
            np.testing.assert_allclose(
                result, block_in_numpy(features, superpixel_map, self.weights(self.model)), atol=1e-5)


class ExampleTest(unittest.TestCase):
    """One short run, and what it passes on to the picture."""

    @classmethod
    def setUpClass(cls):
        # On mosaics of a quarter of the pixels.
        with mock.patch.object(v3_block, 'draw') as draw, mock.patch.object(v3_block, 'SHAPE', (96, 128)), \
                contextlib.redirect_stdout(io.StringIO()):
            cls.scores = v3_block.run(load_photographs(), 'v3.png', seeds=[5], steps=80, every=40, n_training=3,
                                      n_validation=1)
        path, cls.losses, cls.predicted, cls.image, cls.superpixel_map, cls.truth, _ = draw.call_args[0]

    def test_both_networks_start_from_the_same_weights(self):
        first = []
        for block in v3_block.BLOCKS.values():
            np.random.seed(1)
            weights = v3_block.labeller(9, block)[0].get_weights()
            first.append(sorted((weight.ravel().tolist() for weight in weights), key=lambda row: (len(row), row)))
        self.assertEqual(first[0], first[1])

    def test_training_lowers_the_loss_of_both_networks(self):
        for network, ((first, last),) in self.losses.items():
            self.assertEqual((first[0], last[0]), (40, 80))
            self.assertLess(last[1], first[1] - .3, network)
            self.assertLess(last[1], np.log(9) - .4, network)  # log(9): all nine classes alike

    def test_the_scores_are_those_of_what_is_drawn(self):
        for network, regions in self.predicted.items():
            right = sum(regions[place] == self.truth[place] for place in np.ndindex(*self.truth.shape))
            self.assertAlmostEqual(self.scores[network][0, 3], right / self.truth.size)
            # The last point of the curve is the same network on the same mosaic.
            self.assertAlmostEqual(self.scores[network][0, 2], self.losses[network][0, -1, 2], places=5)

    def test_scores_of_a_prediction_by_hand(self):
        probabilities = np.array([[[[.5, .25, .25], [.1, .2, .7]]]])
        loss, accuracy = v3_block.score(probabilities, np.array([[[[1], [2]]]]))
        self.assertAlmostEqual(loss, (np.log(4) + np.log(10 / 7)) / 2)
        self.assertEqual(accuracy, .5)

    def test_averaging_makes_a_superpixel_of_one_opinion(self):
        np.random.seed(1)
        inputs = [self.image[None], self.superpixel_map[None]]
        probabilities, averaged = [network.predict(inputs)[0] for network in
                                   v3_block.labeller(9, v3_block.pixel_block)]
        for label in range(self.superpixel_map.max() + 1):
            inside = self.superpixel_map == label
            np.testing.assert_allclose(averaged[inside] - probabilities[inside].mean(axis=0), 0, atol=1e-5)

    def test_the_table_counts_the_seeds_in_which_superpixels_help(self):
        without = np.tile([.1, .9, .6, .7], (3, 1))
        scores = {'with superpixels': np.array([[.1, .9, .5, .8], [.1, .9, .7, .8], [.1, .9, .5, .8]]),
                  'with superpixels, averaged': np.array([[.1, .9, .6, .6], [.1, .9, .5, .7], [.1, .9, .7, .6]]),
                  'without superpixels': without, 'without superpixels, averaged': without}
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            v3_block.print_table(scores, [7, 8, 9])
        self.assertIn('As they are: with superpixels the validation loss is lower in 2, the accuracy higher in 3 of 3',
                      said.getvalue())
        self.assertIn('Averaged afterwards: with superpixels the validation loss is lower in 1, the accuracy higher in'
                      ' 0 of 3', said.getvalue())
        self.assertRegex(said.getvalue(), r'8 +with superpixels +0.100 +90.0% +0.700 +80.0%')
        self.assertRegex(said.getvalue(), r'mean +with superpixels +0.100 +90.0% +0.567 +80.0%')

    def test_training_mosaics_are_from_left_halves_and_validation_mosaics_from_right_halves(self):
        photographs = maps_of_themselves()
        for half, left in (training_half, True), (held_out_half, False):
            (images, maps), truth = v3_block.labelled_mosaics(photographs, 2, half, np.random.RandomState(1))
            np.testing.assert_array_equal(truth[..., 0], images[..., 0])
            self.assertEqual(maps.shape, (2,) + v3_block.SHAPE)
            for label, photograph in enumerate(photographs):
                cols = images[truth[..., 0] == label][:, 2]
                np.testing.assert_array_equal(cols < photograph.shape[1] // 2, left)


class PictureTest(unittest.TestCase):

    def test_each_panel_shows_what_its_title_says(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        truth = np.arange(256)[None] * 9 // 256 * np.ones((192, 1), int)
        image = np.full((192, 256, 3), .5)
        curves = np.stack([np.arange(1, 5), np.full(4, 1.), np.full(4, .5)], axis=-1)
        v3_picture.draw(os.path.join(folder, 'v3.png'), {'with': np.stack([curves] * 3), 'without': curves[None] + .1},
                        {'with': np.full((192, 256), 3), 'without': np.full((192, 256), 7)},
                        image, np.zeros((192, 256), int), truth, list('abcdefghi'))
        self.assertEqual(os.listdir(folder), ['v3.png'])
        drawn = imread(os.path.join(folder, 'v3.png'))[..., :3]
        self.assertEqual(drawn.shape, (1040, 1300, 3))

        def shine_through(label):
            return .75 * np.array(to_rgb(picture.COLOURS[label])) + .25 * .5
        # The right place in each panel, some pixels below its middle and within region 4.
        for col, colour in [(169, (.5, .5, .5)), (490, shine_through(3)), (811, shine_through(7)),
                            (1132, shine_through(4))]:
            np.testing.assert_allclose(drawn[930, col], colour, atol=.01, err_msg=str(col))
        # Each panel has two straight lines, the first network's below, and the scale says which loss it is.
        for cols, loss in (slice(100, 400), 1), (slice(740, 1040), .5):
            heights = [np.median(np.where(np.all(abs(drawn[380:670, cols] - to_rgb(colour)) < .02, axis=-1))[0])
                       for colour in (v3_picture.SUPERPIXELS, v3_picture.PIXELS)]
            self.assertGreater(heights[0], heights[1] + 5, loss)
