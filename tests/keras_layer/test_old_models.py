"""Models with a user's own superpixel layer: built again with ours, they predict the same."""
import os
import re
import shutil
import tempfile
import unittest

import numpy as np
import theano.tensor as T
from keras.engine import Layer
from keras.layers import Conv2D, Dense, Input
from keras.models import Model, load_model

from tests.label_maps import regions_map
from tests.processes import REPOSITORY


class SuperpixelPooling(Layer):
    """A user's own layer: the mean over each superpixel of one image, whose map is frozen into it."""

    def __init__(self, superpixel_map, **kwargs):
        super().__init__(**kwargs)
        belongs = superpixel_map.ravel() == np.arange(superpixel_map.max() + 1)[:, np.newaxis]
        self.weights_of_pixels = (belongs / belongs.sum(axis=1, keepdims=True)).astype('float32')

    def call(self, inputs):
        pixels = inputs.reshape((inputs.shape[0], -1, inputs.shape[3]))
        return T.tensordot(pixels, self.weights_of_pixels, axes=[[1], [1]]).dimshuffle(0, 2, 1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], len(self.weights_of_pixels), input_shape[3]


class OldModelTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.path = os.path.join(folder, 'old_model.h5')

    def test_the_code_of_the_document_gives_the_numbers_of_the_old_model(self):
        rng = np.random.RandomState(0)
        superpixel_map, images = regions_map(rng, (1, 16, 16), 5), rng.rand(2, 16, 16, 3).astype('float32')
        image = Input((16, 16, 3))
        features = Conv2D(8, 3, padding='same', activation='relu', data_format='channels_last')(image)
        old = Model(image, Dense(2)(SuperpixelPooling(superpixel_map[0])(features)))
        old.save(self.path)
        with self.assertRaisesRegex(Exception, 'Unknown layer: SuperpixelPooling'):
            load_model(self.path)
        with open(os.path.join(REPOSITORY, 'docs', 'old_models.md'), encoding='utf-8') as stream:
            code, = re.findall('```python\n(.*?)```', stream.read(), re.DOTALL)
        names = {}
        exec(code.replace("'old_model.h5'", repr(self.path)), names)
        new = names['model'].predict([images, superpixel_map.repeat(2, axis=0)])
        np.testing.assert_allclose(new, old.predict(images), rtol=1e-5, atol=1e-6)
