"""The frozen encoder: the convolutions of VGG16, the sources of its weights, and features kept on disk."""
import os
import shutil
import warnings
from unittest import mock

import h5py
import numpy as np
from scipy.ndimage import correlate
from skimage import data

from spn.networks import encoder, features
from spn.networks.encoder import MEAN_BGR, OUTPUTS, Encoder, weights_from
from spn.networks.features import check_size, square_image
from tests.spn.cases import FolderTestCase, photographs, records, write_small

from keras import backend as K


def encoder_of(weights):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return Encoder(weights)


def halved(maps):
    """Maps (channels, rows, cols) reshaped to cells of two by two."""
    return maps.reshape(len(maps), maps.shape[1] // 2, 2, maps.shape[2] // 2, 2)


def weights_of(source):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return weights_from(source)


class SmallBlocks:
    """Within the block, VGG16 has few convolutions of few channels."""

    BLOCKS = [(2, 3), (1, 5), (1, 4)]

    def __enter__(self):
        layers = ['block1_conv1', 'block1_conv2', 'block2_conv1', 'block3_conv1']
        self.patches = [mock.patch.object(encoder, 'BLOCKS', self.BLOCKS),
                        mock.patch.object(encoder, 'CONVOLUTIONS', layers)]
        for patch in self.patches:
            patch.start()
        return layers

    def __exit__(self, *error):
        for patch in self.patches:
            patch.stop()


class ConvolutionsTest(FolderTestCase):

    def test_kernels_are_not_turned_over(self):
        # The first convolution of the pretrained weights, on a photograph.
        encoder = encoder_of('package')
        kernel, bias = weights_from('package')['block1_conv1']
        photograph = data.astronaut()[60:92, 200:240]
        first = K.function([encoder.model.input], [encoder.model.get_layer('block1_conv1').output])
        centred = photograph[..., ::-1] - MEAN_BGR.astype('float64')
        maps, = first([centred.transpose(2, 0, 1)[np.newaxis]])
        for channel in 0, 17, 63:
            wanted = sum(correlate(centred[..., i], kernel[:, :, i, channel].astype('float64'), mode='constant')
                         for i in range(3)) + bias[channel]
            np.testing.assert_allclose(maps[0, channel], np.maximum(wanted, 0), atol=1e-2)
            turned = sum(correlate(centred[..., i], kernel[::-1, ::-1, i, channel].astype('float64'), mode='constant')
                         for i in range(3)) + bias[channel]
            self.assertGreater(np.abs(turned - wanted).max(), 10)

    def test_all_layers_are_those_of_SciPy_one_after_the_other(self):
        with SmallBlocks() as layers:
            small = encoder_of('random')
            weights = {name: [kernel, np.arange(len(bias)) / 4]
                       for name, (kernel, bias) in encoder.random_weights().items()}
            for name, (kernel, bias) in weights.items():
                small.model.get_layer(name).set_weights([kernel[::-1, ::-1], bias])
        photographs_ = np.stack([data.astronaut()[60:92, 200:240], data.chelsea()[100:132, 120:160]])
        outputs = small(photographs_)
        for n, image in enumerate(photographs_):
            maps = (image[..., ::-1] - MEAN_BGR.astype('float64')).transpose(2, 0, 1)
            wanted = []
            for name in layers:
                if name in ('block2_conv1', 'block3_conv1'):
                    wanted.append(maps)
                    maps = halved(maps).max(axis=(2, 4))
                kernel, bias = weights[name]
                maps = np.array([sum(correlate(plane, kernel[:, :, i, o].astype('float64'), mode='constant')
                                     for i, plane in enumerate(maps)) + bias[o] for o in range(len(bias))]).clip(0)
            first, second = wanted
            for actual, expected in zip(outputs, (maps, second, halved(first).mean(axis=(2, 4)))):
                np.testing.assert_allclose(actual[n], expected, rtol=1e-3, atol=1e-3 * expected.max())

    def test_parts_of_one_photograph_are_more_alike_than_those_of_two(self):
        # By the cosine of their mean features.
        images = np.stack([data.chelsea()[y:y + 96, x:x + 96] for y, x in [(60, 100), (80, 130)]] +
                          [data.coffee()[y:y + 96, x:x + 96] for y, x in [(100, 200), (120, 230)]])
        mean = encoder_of('package')(images)[0].mean(axis=(2, 3))
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        alike = mean.dot(mean.T)
        self.assertGreater(min(alike[0, 1], alike[2, 3]) - alike[:2, 2:].max(), .2)


class WeightsTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        small = SmallBlocks()
        self.layers = small.__enter__()
        self.addCleanup(small.__exit__)
        patch = mock.patch.object(encoder, 'KERAS_FILE', os.path.join(self.folder, 'vgg16_weights*.h5'))
        patch.start()
        self.addCleanup(patch.stop)

    def write_keras_file(self, name='vgg16_weights_notop.h5', shapes=((3, 3), (3, 3), (3, 5), (5, 4))):
        """Write a file like that of keras.applications, and return its arrays."""
        rng, wanted = np.random.RandomState(0), {}
        with h5py.File(self.path(name), 'w') as file:
            for layer, shape in zip(self.layers, shapes):
                kernel, bias = [rng.normal(size=of).astype('float32') for of in ((3, 3) + shape, shape[1:])]
                group = file.create_group(layer)
                group[layer + '_W_1:0'], group[layer + '_b_1:0'] = kernel, bias
                wanted[layer] = kernel, bias
            file.create_group('block1_pool')
        return wanted

    def test_random_weights_warn_and_are_the_same_each_time(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            first = weights_from('random')
        self.assertRegex(str(caught[-1].message), 'RANDOM weights.*segmentations will be poor')
        for name in self.layers:
            np.testing.assert_array_equal(first[name][0], weights_of('random')[name][0])
        self.assertAlmostEqual(first['block1_conv2'][0].std(), (2 / 27) ** .5, delta=.05)

    def test_the_file_of_keras_is_read_where_it_is(self):
        wanted = self.write_keras_file()
        for source in 'keras', 'auto':
            weights = weights_from(source)
            self.assertEqual(list(weights), self.layers)
            for name in self.layers:
                for array, stored in zip(weights[name], wanted[name]):
                    np.testing.assert_array_equal(array, stored)

    def test_the_file_of_newer_keras_nests_its_arrays_deeper(self):
        wanted = self.write_keras_file()
        with h5py.File(self.path('vgg16_weights_notop.h5'), 'w') as file:
            for name, (kernel, bias) in wanted.items():
                file[name + '/' + name + '/bias:0'], file[name + '/' + name + '/kernel:0'] = bias, kernel
        for name, (kernel, bias) in weights_from('keras').items():
            np.testing.assert_array_equal(kernel, wanted[name][0])
            np.testing.assert_array_equal(bias, wanted[name][1])

    def test_the_encoder_has_the_weights_of_the_file_and_a_fingerprint_of_its_own(self):
        wanted = self.write_keras_file()
        encoder = Encoder('keras')
        for name, (kernel, bias) in wanted.items():
            for array, stored in zip(encoder.model.get_layer(name).get_weights(), (kernel[::-1, ::-1], bias)):
                np.testing.assert_array_equal(array, stored)
        self.assertEqual(Encoder('keras').fingerprint, encoder.fingerprint)
        self.assertEqual(encoder.model.trainable_weights, [])
        for name in 'block2_conv1_W_1:0', 'block2_conv1_b_1:0':
            with h5py.File(self.path('vgg16_weights_notop.h5'), 'r+') as file:
                before = file['block2_conv1'][name][..., 0]
                file['block2_conv1'][name][..., 0] = before + 1
            self.assertNotEqual(Encoder('keras').fingerprint, encoder.fingerprint)
            with h5py.File(self.path('vgg16_weights_notop.h5'), 'r+') as file:
                file['block2_conv1'][name][..., 0] = before
            self.assertEqual(Encoder('keras').fingerprint, encoder.fingerprint)

    def test_a_file_of_keras_that_is_missing_broken_or_of_another_network(self):
        self.assert_says([self.folder, 'is not there', '--weights package'], weights_from, 'keras')
        self.write('vgg16_weights.h5', 'a letter')
        self.assert_says(['vgg16_weights.h5 is not the file of keras.applications', '--weights package'], weights_from,
                         'auto')
        self.write_keras_file('vgg16_weights.h5', shapes=((3, 3), (3, 3)))
        self.assert_says(['vgg16_weights.h5 is not the file', 'block2_conv1'], weights_from, 'keras')
        self.write_keras_file('vgg16_weights.h5', shapes=((3, 3), (3, 4), (4, 5), (5, 4)))
        self.assert_says(['vgg16_weights.h5: block1_conv2 has arrays of [(3, 3, 3, 4), (4,)]', 'not those of VGG16'],
                         weights_from, 'keras')

    def test_a_file_of_keras_that_refers_to_another_file_is_refused(self):
        self.write_keras_file('vgg16_weights.h5')
        shutil.move(self.path('vgg16_weights.h5'), self.path('other.h5'))
        with h5py.File(self.path('vgg16_weights.h5'), 'w') as file:
            for layer in self.layers:
                file[layer] = h5py.ExternalLink('other.h5', '/' + layer)
        self.assert_says(['vgg16_weights.h5 is not the file', 'is a link', '--weights package'], weights_from, 'keras')

    def test_the_package_is_used_if_the_file_of_keras_is_missing(self):
        with mock.patch.object(encoder, 'package_weights', lambda: 'of the package'):
            self.assertEqual(weights_from('auto'), 'of the package')
            self.write_keras_file()
            self.assertNotEqual(weights_from('auto'), 'of the package')

    def test_an_unknown_source(self):
        self.assert_says(["'imagenet'", 'auto, package, keras, random'], weights_from, 'imagenet')

    def test_a_package_whose_file_was_changed(self):
        self.write('unpacked/' + encoder.ONNX, 'other weights')
        with mock.patch.object(encoder.CARRIER, 'fetch', lambda: self.path('unpacked')):
            self.assert_says([encoder.ONNX, 'is not the file that the package carries', 'remove the folder'],
                             weights_from, 'package')


class EncoderByHand:
    """In place of an encoder: its features are the mean colours of cells. After `stop_after` images Ctrl-C stops it."""

    def __init__(self, fingerprint='by hand', stop_after=None):
        self.fingerprint, self.stop_after, self.encoded = fingerprint, stop_after, 0

    def __call__(self, images):
        if self.stop_after is not None and self.encoded >= self.stop_after:
            raise KeyboardInterrupt
        self.encoded += len(images)
        outputs = []
        for channels, stride in OUTPUTS.values():
            n, side = len(images), images.shape[1] // stride
            means = images.reshape(n, side, stride, side, stride, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2)
            outputs.append(np.concatenate([means, np.zeros((n, channels - 3, side, side))], axis=1).astype('float32'))
        return outputs


class FeaturesTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.data = self.path('data.h5')
        patch = mock.patch.object(features, 'KIND', features.KIND._replace(size=4))
        patch.start()
        self.addCleanup(patch.stop)

    def write_images(self, n=10, seed=0):
        """Write a data set of n parts of photographs, the first third of which is train."""
        pictures = [records()[k % 3]._replace(image=photographs()[k % 3][seed:, k % 20:], mask=None,
                                           split='train' if k < n / 3
                                           else 'val') for k in range(n)]
        write_small(self.data, pictures)
        return [record.image for record in pictures]

    def make(self, encoder, size=32):
        made = features.make_features(self.data, size, encoder)
        self.addCleanup(made.close)
        return made

    def wanted(self, image, size, layer=0):
        return EncoderByHand()(square_image(image, size)[np.newaxis])[layer][0]

    def test_the_features_of_each_image_are_kept_as_float16_with_their_root_mean_square_over_train(self):
        images, total = self.write_images(), []
        made = self.make(EncoderByHand(), 48)
        self.assertEqual((len(made), made.size), (10, 48))
        for i, image in enumerate(images):
            self.assertEqual((made[i].dtype, made[i].shape), ('float32', (512, 3, 3)))
            np.testing.assert_array_equal(made[i], self.wanted(image, 48).astype('float16'))
            for layer, finer in enumerate((made.fine, made.finest), 1):
                self.assertEqual((finer[i].dtype, finer[i].shape), ('float32', ((512, 6, 6), (256, 6, 6))[layer - 1]))
                np.testing.assert_array_equal(finer[i], self.wanted(image, 48, layer).astype('float16'))
            for actual, wanted in zip(made.blocks(i), (made[i], made.fine[i], made.finest[i])):
                np.testing.assert_array_equal(actual, wanted)
            if i < 10 / 3:
                total.append([layer.astype('float64') ** 2 for layer in made.blocks(i)])
        for squares, layer in zip(zip(*total), (made, made.fine, made.finest)):
            self.assertAlmostEqual(layer.rms, np.mean(squares) ** .5, places=6)
        self.assertEqual(self.files(), ['data.features-48/' + name for name in (
            '000000.h5', '000001.h5', '000002.h5', 'made_by.json')] + ['data.h5'])

    def test_images_are_resized_to_squares_first(self):
        image = photographs()[0]
        self.assertEqual(square_image(image, 32).shape, (32, 32, 3))
        means = image.reshape(32, 2, 16, 5, 3).mean(axis=(1, 3))
        self.assertLess(np.abs(square_image(image, 32).reshape(32, 16, 2, 3).mean(axis=2) - means).mean(), 4)

    def test_a_second_run_computes_nothing(self):
        self.write_images()
        first, second = EncoderByHand(), EncoderByHand()
        self.make(first)
        made = self.make(second)
        self.assertEqual((first.encoded, second.encoded, len(made)), (10, 0, 10))

    def test_a_run_that_was_stopped_goes_on_where_it_was(self):
        images = self.write_images()
        with self.assertRaises(KeyboardInterrupt):
            self.make(EncoderByHand(stop_after=8))
        self.assertIn('data.features-32/000001.h5', self.files())
        rest = EncoderByHand()
        made = self.make(rest)
        self.assertEqual(rest.encoded, 2)
        for i, image in enumerate(images):
            np.testing.assert_array_equal(made[i], self.wanted(image, 32).astype('float16'))

    def test_features_of_another_encoder_or_data_set_are_made_anew(self):
        self.write_images()
        self.make(EncoderByHand()).close()
        other = EncoderByHand('another')
        self.make(other).close()
        self.assertEqual(other.encoded, 10)
        images, again = self.write_images(seed=3), EncoderByHand('another')
        made = self.make(again)
        self.assertEqual(again.encoded, 10)
        np.testing.assert_array_equal(made[4], self.wanted(images[4], 32).astype('float16'))

    def test_parts_of_another_encoder_are_thrown_away(self):
        self.write_images()
        with self.assertRaises(KeyboardInterrupt):
            self.make(EncoderByHand(stop_after=8))
        other = EncoderByHand('another')
        self.make(other)
        self.assertEqual(other.encoded, 10)

    def test_a_data_set_without_training_images_has_its_root_mean_square_over_all(self):
        write_small(self.data, [record._replace(split='test') for record in records()])
        made = self.make(EncoderByHand())
        self.assertAlmostEqual(made.rms, np.mean([made[i].astype('float64') ** 2 for i in range(3)]) ** .5, places=6)

    def test_sizes_that_no_feature_fits_in(self):
        for size in 16, 33, 0, -32:
            self.assert_says(['the size {} is not a multiple of 16, 32 or more'.format(size)], check_size, size)
        check_size(32)

    def test_a_file_of_features_that_is_cut_short(self):
        self.write_images()
        self.make(EncoderByHand()).close()
        path = self.path('data.features-32', '000001.h5')
        with open(path, 'r+b') as stream:
            stream.truncate(os.path.getsize(path) // 2)
        self.assert_says([path, 'is cut short or not an HDF5 file', 'remove it and make it again with `spn encode`'],
                         self.make, EncoderByHand())
        os.remove(path)
        again = EncoderByHand()
        self.make(again)
        self.assertEqual(again.encoded, 4)

    def test_features_of_another_version_are_made_anew(self):
        self.write_images()
        with mock.patch.object(features, 'KIND', features.KIND._replace(layout='spn features 1')):
            self.make(EncoderByHand()).close()
        again = EncoderByHand()
        self.make(again)
        self.assertEqual(again.encoded, 10)
