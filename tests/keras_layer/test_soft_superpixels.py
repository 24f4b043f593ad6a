"""Layers of soft superpixels: values, shapes, configs, masks, models that train and are saved, errors."""
import doctest
import os
import shutil
import tempfile
import unittest

import numpy as np
from keras import backend as K
from keras.layers import Conv1D, Conv2D, Input, Lambda, Masking
from keras.models import Model, clone_model, load_model, model_from_json
from keras.optimizers import SGD

import keras_layer
from keras_layer import (DifferentiableSLIC1D, DifferentiableSLIC2D, HardSuperpixelMap1D, HardSuperpixelMap2D,
                         SoftSuperpixelPooling1D, SoftSuperpixelPooling2D, SoftSuperpixelPooling3D,
                         SoftSuperpixelUnpooling1D, SoftSuperpixelUnpooling2D, SuperpixelPooling1D,
                         SuperpixelPooling2D, custom_objects)
from tests.numeric import exact_pool
from tests.theano_spp.test_slic import exact_hard_map, exact_slic, with_positions
from tests.theano_spp.test_soft import exact_soft_pool, exact_soft_unpool

#: Spatial sizes and grids.
CASES = ((11,), (4,)), ((5, 7), (2, 3)), ((3, 4, 5), (2, 1, 2))
FAMILIES = ('SoftSuperpixelPooling', 'SoftSuperpixelUnpooling', 'DifferentiableSLIC', 'HardSuperpixelMap')


def layers_of(axes):
    """The layers of so many spatial axes, in the order of their families."""
    return [custom_objects['%s%dD' % (family, axes)] for family in FAMILIES]


def to_last(array):
    return np.moveaxis(array, 1, -1)


class ValueTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_every_layer_equals_a_walk_over_the_pixels_in_one_to_three_axes_and_both_data_formats(self):
        for spatial, grid in CASES:
            axes, n_superpixels = len(grid), int(np.prod(grid))
            features = self.rng.randn(2, 3, *spatial).astype('float32')
            association = self.rng.uniform(.1, 2, (2, 3 ** axes) + spatial).astype('float32')
            pooled = self.rng.randn(2, 3, n_superpixels).astype('float32')
            sums, totals = exact_soft_pool(features, association, grid)
            mode, means = ('sum', sums) if axes == 3 else ('mean', sums / totals[:, None])
            soft, centres = exact_slic(with_positions(features, grid, .5), grid, 2)
            expected = [means, exact_soft_unpool(pooled, association, grid), soft, centres[:, :3],
                        exact_hard_map(association, grid)]
            for data_format, turn in (('channels_first', lambda array: array), ('channels_last', to_last)):
                pooling, unpooling, slic, hard_map = layers_of(axes)
                arrays = [turn(array) for array in (features, association, pooled)]
                x, a, y = inputs = [Input(array.shape[1:]) for array in arrays]
                outputs = [pooling(grid, mode, data_format)([x, a]), unpooling(grid, data_format)([y, a])] + slic(
                    grid, 2, .5, data_format)(x) + [hard_map(grid, data_format)(a)]
                results = Model(inputs, outputs).predict(arrays)
                self.assertEqual(results[-1].dtype, 'int32')
                for output, result, value in zip(outputs, results, expected):
                    np.testing.assert_allclose(result, value if value is expected[-1] else turn(value), 1e-4, 1e-5)
                    self.assertEqual(K.int_shape(output), (None,) + result.shape[1:])

    def test_the_data_format_of_the_keras_config_is_the_default(self):
        before = K.image_data_format()
        try:
            for data_format in ('channels_first', 'channels_last'):
                K.set_image_data_format(data_format)
                for axes in (1, 2, 3):
                    for layer in layers_of(axes):
                        self.assertEqual(layer((2, 3, 4)[:axes]).data_format, data_format)
        finally:
            K.set_image_data_format(before)

    def test_one_axis_may_have_an_integer_for_its_grid(self):
        for layer in layers_of(1):
            self.assertEqual(layer(np.int64(4)).get_config()['grid'], (4,))
            self.assertEqual(layer.from_config(dict(layer(4).get_config(), grid=[4])).grid, (4,))

    def test_the_examples_of_the_docstrings_run(self):
        results = doctest.testmod(keras_layer.soft_superpixels)
        self.assertEqual((results.failed, results.attempted > 12), (0, True))


class MaskTest(unittest.TestCase):

    def test_a_mask_of_pixels_is_refused_and_a_lambda_drops_it(self):
        masked, association = Masking()(Input((11, 3))), Input((11, 3))
        for layer, inputs, argument in (
                (SoftSuperpixelPooling1D(4, data_format='channels_last'), [masked, association], 'feature_map'),
                (SoftSuperpixelUnpooling1D(4, data_format='channels_last'), [Input((4, 2)), masked], 'association'),
                (DifferentiableSLIC1D(4, data_format='channels_last'), masked, 'feature_map'),
                (HardSuperpixelMap1D(4, data_format='channels_last'), masked, 'association')):
            with self.assertRaisesRegex(ValueError, r'%s: %s has a mask, but .*drop the mask with Lambda\(lambda x: x\)'
                                        % (type(layer).__name__, argument)):
                layer(inputs)
        dropped = Lambda(lambda x: x, lambda shape: shape)(masked)
        association, _ = DifferentiableSLIC1D(4, data_format='channels_last')(dropped)
        self.assertEqual(K.int_shape(association), (None, 11, 3))

    def test_a_mask_of_superpixels_ends_at_unpooling(self):
        features, labels, association = Input((11, 2)), Input((11,), dtype='int32'), Input((11, 3))
        pooled = SuperpixelPooling1D(4, data_format='channels_last', mask_empty=True)([features, labels])
        layer = SoftSuperpixelUnpooling1D(4, data_format='channels_last')
        self.assertEqual(K.int_shape(layer([pooled, association])), (None, 11, 2))
        self.assertIsNotNone(layer.input_mask[0])
        self.assertIsNone(layer.output_mask)


def small_model():
    """Images of any size -> features learned, and what comes of their soft superpixels."""
    np.random.seed(0)
    image = Input((None, None, 3))
    features = Conv2D(4, 3, padding='same', data_format='channels_last')(image)
    association, pooled = DifferentiableSLIC2D((2, 3), 2, .5, 'channels_last')(features)
    colours = SoftSuperpixelPooling2D((2, 3), data_format='channels_last')([image, association])
    painted = SoftSuperpixelUnpooling2D((2, 3), 'channels_last')([Conv1D(2, 1)(pooled), association])
    labels = HardSuperpixelMap2D((2, 3), 'channels_last')(association)
    hard = SuperpixelPooling2D(6, data_format='channels_last')([image, labels])
    return Model(image, [features, association, pooled, colours, painted, labels, hard])


class ModelTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)
        self.images = self.rng.randn(4, 5, 7, 3).astype('float32')

    def test_a_chain_of_all_layers_equals_walks_over_the_pixels_in_images_of_any_size(self):
        model = small_model()
        self.assertEqual([shape[1:] for shape in model.output_shape], [
            (None, None, 4), (None, None, 9), (6, 4), (6, 3), (None, None, 2), (None, None), (6, 3)])
        kernel, bias = model.layers[[type(layer) for layer in model.layers].index(Conv1D)].get_weights()
        for shape in (5, 7), (9, 8):
            images = self.rng.randn(2, *(shape + (3,))).astype('float32')
            features, *results = model.predict(images)
            features, images = [np.moveaxis(array, -1, 1).astype('float64') for array in (features, images)]
            association, pooled = exact_slic(with_positions(features, (2, 3), .5), (2, 3), 2)
            pooled = pooled[:, :4]
            colours, totals = exact_soft_pool(images, association, (2, 3))
            scores = np.einsum('bcn,cd->bdn', pooled, kernel[0]) + bias[:, None]
            labels = exact_hard_map(association, (2, 3))
            expected = [association, pooled, colours / totals[:, None],
                        exact_soft_unpool(scores, association, (2, 3)), labels, exact_pool(images, labels, 6, 'mean')]
            for result, value in zip(results, expected):
                np.testing.assert_allclose(result, value if value is labels else to_last(value), 1e-4, 1e-5)

    def check_training_step(self, model, targets, outputs_of):
        """Gradient descent changes the kernel of the convolution as differences of the loss say; `outputs_of()`."""
        model.compile(SGD(1.), 'mse')
        convolution = model.layers[1]
        before, (kernel, bias) = model.get_weights(), convolution.get_weights()
        model.fit(self.images, targets, epochs=1, verbose=0)
        change = convolution.get_weights()[0] - kernel
        model.set_weights(before)

        def loss(kernel):
            convolution.set_weights([kernel, bias])
            return sum(np.mean((output - target) ** 2) for output, target in zip(outputs_of(), targets))

        for _ in range(3):
            direction = self.rng.randn(*kernel.shape)
            slope = (loss(kernel + 3e-3 * direction) - loss(kernel - 3e-3 * direction)) / 6e-3
            np.testing.assert_allclose(-np.sum(change * direction), slope, rtol=1e-2, atol=1e-3)
        self.assertGreater(abs(change).max(), .01)

    def test_a_training_step_changes_the_weights_before_slic_by_the_gradient_through_its_two_outputs(self):
        model = small_model()
        _, _, pooled, colours, painted, _, _ = model.outputs
        model = Model(model.inputs, [pooled, colours, painted])
        self.check_training_step(
            model, [self.rng.randn(4, 6, 4), self.rng.randn(4, 6, 3), self.rng.randn(4, 5, 7, 2)],
            lambda: map(np.float64, model.predict(self.images)))

    def test_superpixel_pooling_with_the_hard_map_trains_what_is_before_both(self):
        model = small_model()
        features, _, _, _, _, labels, _ = model.outputs
        pooled = SuperpixelPooling2D(6, data_format='channels_last')([features, labels])
        maps = Model(model.inputs, labels).predict(self.images)
        predicted = Model(model.inputs, features)
        self.check_training_step(Model(model.inputs, pooled), [self.rng.randn(4, 6, 4)], lambda: [to_last(exact_pool(
            np.moveaxis(predicted.predict(self.images), -1, 1), maps, 6, 'mean'))])  # the map has no gradient

    def test_a_saved_model_is_loaded_and_cloned_with_every_setting_and_predicts_the_same(self):
        model = small_model()
        model.compile('sgd', 'mse')
        expected = model.predict(self.images)
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, 'model.h5')
        model.save(path)
        for other in (load_model(path, custom_objects=custom_objects), clone_model(model)):
            other.set_weights(model.get_weights())
            self.assertEqual([layer.get_config() for layer in other.layers],
                             [layer.get_config() for layer in model.layers])
            for result, value in zip(other.predict(self.images), expected):
                np.testing.assert_array_equal(result, value)
        self.assertEqual(model_from_json(model.to_json()).get_config(), model.get_config())


class ErrorTest(unittest.TestCase):

    def assert_says(self, sentence, call, *arguments, **named):
        with self.assertRaises(ValueError) as caught:
            call(*arguments, **named)
        self.assertIn(sentence, str(caught.exception))

    def test_a_grid_that_is_not_a_positive_integer_for_each_axis(self):
        for wrong in ((2,), (2, 3, 4), (2, 0), (2, -3), (2., 3.), (2, True), 6, '23', None, np.array([2, 3])):
            for layer in layers_of(2):
                self.assert_says('%s: grid is %r, but must be a tuple of 2 positive integers, the number of superpixels'
                                 ' on each spatial axis (such as (10, 10))' % (layer.__name__, wrong), layer, wrong)
        self.assert_says('DifferentiableSLIC1D: grid is 0, but must be a positive integer, the number of superpixels on'
                         ' each spatial axis (such as 10)', DifferentiableSLIC1D, 0)

    def test_options_that_cannot_be(self):
        self.assert_says("SoftSuperpixelPooling2D: mode is 'max', but must be 'mean' or 'sum'",
                         SoftSuperpixelPooling2D, (2, 3), 'max')
        for wrong in (0, 2.5, True, '5'):
            self.assert_says('DifferentiableSLIC2D: iterations is %r, but must be a positive integer' % (wrong,),
                             DifferentiableSLIC2D, (2, 3), wrong)
        for wrong in (-1, np.nan, np.inf, True, '1', None):
            self.assert_says('DifferentiableSLIC2D: compactness is %r, but must be a number that is not negative'
                             % (wrong,), DifferentiableSLIC2D, (2, 3), compactness=wrong)

    def test_too_few_or_too_many_inputs(self):
        x = Input((5, 7, 9))
        self.assert_says('SoftSuperpixelPooling2D is called on [feature_map, association], but got one tensor',
                         SoftSuperpixelPooling2D((2, 3)), x)
        self.assert_says('SoftSuperpixelUnpooling2D is called on [pooled, association], but got 3 tensors',
                         SoftSuperpixelUnpooling2D((2, 3)), [Input((6, 2)), x, x])
        self.assert_says('DifferentiableSLIC2D is called on feature_map, but got 2 tensors',
                         DifferentiableSLIC2D((2, 3)), [x, x])
        self.assert_says('HardSuperpixelMap2D is called on association, but got 2 tensors',
                         HardSuperpixelMap2D((2, 3)), [x, x])

    def test_inputs_with_the_wrong_number_of_axes(self):
        self.assert_says('SoftSuperpixelPooling3D: feature_map has shape (None, 5, 7, 9), but 5 axes are wanted',
                         SoftSuperpixelPooling3D((2, 3, 1)), [Input((5, 7, 9)), Input((5, 7, 9))])
        self.assert_says('DifferentiableSLIC1D: feature_map has shape (None, 5, 7, 9), but 3 axes are wanted',
                         DifferentiableSLIC1D(2), Input((5, 7, 9)))

    def test_shapes_that_are_known_not_to_agree(self):
        features, association = Input((5, 7, 3)), Input((5, 7, 9))
        self.assert_says('HardSuperpixelMap2D: association has shape (None, 5, 7, 9) (channels_first), but (batch, 9,'
                         ' *spatial) is wanted: with 2 spatial axes each pixel has 9 weights (take the first output of'
                         ' DifferentiableSLIC2D, in the same data_format)',
                         HardSuperpixelMap2D((2, 3), 'channels_first'), association)
        self.assert_says('SoftSuperpixelPooling2D: association has shape (None, 5, 7, 3) (channels_last), but (batch,'
                         ' *spatial, 9) is wanted',
                         SoftSuperpixelPooling2D((2, 3), data_format='channels_last'), [features, features])
        self.assert_says('SoftSuperpixelPooling2D: feature_map has shape (None, 5, 8, 3), but association has shape'
                         ' (None, 5, 7, 9) (channels_last); their spatial sizes must be equal: resize the features to'
                         ' the association (UpSampling2D)',
                         SoftSuperpixelPooling2D((2, 3), data_format='channels_last'), [Input((5, 8, 3)), association])
        self.assert_says('SoftSuperpixelUnpooling2D: pooled has shape (None, 4, 6) (channels_last), but (batch,'
                         ' n_superpixels, channels) is wanted, and a grid of 2 x 3 has 6 superpixels (give the grid'
                         ' that', SoftSuperpixelUnpooling2D((2, 3), 'channels_last'), [Input((4, 6)), association])
