"""Features of the frozen encoder, computed once for each image and size, and kept on disk next to the data set.

block5_conv3 is for recognizing classes. block4_conv3, of twice the resolution, is for comparing superpixels.
block3_conv3 has the smallest receptive field.
"""
import functools
import os

import numpy as np
from PIL import Image

from ..data.dataset import Dataset
from ..errors import SpnError
from ..parts import Kind, fill, packed
from ..workers import HERE, kept_open
from .encoder import OUTPUTS, STRIDE

KIND = Kind('spn features 5', 'features', '`spn encode`')


class ImageFeatures:
    """Features of images: block5_conv3 as ``self[i]``, block4_conv3 as ``fine[i]``, block3_conv3 as ``finest[i]``."""

    def __getitem__(self, i):
        return self._features[i]

    def blocks(self, i):
        """The features of image `i` in the order of `spn.networks.encoder.OUTPUTS`."""
        return [self[i], self.fine[i], self.finest[i]]


class Features(ImageFeatures):
    """Cached features of the images of a data set: ``features[i]`` is (512, size / 16, size / 16) of float32.

    Parameters
    ----------
    parts : spn.parts.Parts
        As from :func:`make_features`.
    dataset : spn.data.dataset.Dataset

    Attributes
    ----------
    fine, finest : Layer
        Features of block4_conv3, (512, size / 8, size / 8) each, and of block3_conv3, (256, size / 8, size / 8).
    size : int
        Rows and columns that the images were resized to.
    encoder : str
        The fingerprint of the encoder.
    rms : float
        The root mean square over the training images, or over all if there are none, by which networks divide.
        ``fine.rms`` and ``finest.rms`` are those of the other two.
    """

    def __init__(self, parts, dataset):
        self._parts, self.path = parts, parts.folder
        self.size, self.encoder = parts.made_by['size'], parts.made_by['encoder']
        keys, averaged = dataset.digests.tolist(), dataset.digests[averaged_images(dataset)].tolist()
        self._features, self.fine, self.finest = [Layer(parts, name, keys, averaged) for name in OUTPUTS]
        self.rms = self._features.rms

    def __len__(self):
        return len(self._features)

    def close(self):
        self._parts.close()


class Layer:
    """Features of one layer, stored in half precision, read as float32."""

    def __init__(self, parts, name, keys, averaged):
        self._parts, self._name, self._keys = parts, name, keys
        self.rms = float(np.mean(parts.column(name + '_mean_square', averaged)) ** .5)

    def __len__(self):
        return len(self._keys)

    def __getitem__(self, i):
        return self._parts.array(self._name, self._keys[i]).astype('float32')


def folder_of(data_path, size):
    """The folder of the features of a data set."""
    return '{}.features-{}'.format(os.path.splitext(data_path)[0], size)


def square_image(image, size):
    """An image resized to `size` x `size` pixels, as in the paper's mini-batches."""
    return np.array(Image.fromarray(image).resize((size, size), Image.BILINEAR))


def check_size(size):
    if size < 2 * STRIDE or size % STRIDE:
        raise SpnError('the size {} is not a multiple of {}, {} or more: the encoder makes one feature for each {} '
                       'pixels'.format(size, STRIDE, 2 * STRIDE, STRIDE))


def make_features(data_path, size, encoder, workers=HERE):
    """Encode all images of a data set, unless that was done; a run that was stopped goes on where it was.

    Images are identified by their pixels: if a data set is made again, images that were encoded before are not encoded
    again.

    Parameters
    ----------
    data_path : str
    size : int
        Rows and columns that images are resized to; a multiple of 16.
    encoder : spn.networks.encoder.Encoder
    workers : spn.workers.LocalProcesses or spn.cluster.Cluster
        As for :func:`spn.parts.fill`.

    Returns
    -------
    Features
    """
    check_size(size)
    made_by = {'size': size, 'encoder': encoder.fingerprint}
    with Dataset(data_path) as dataset:
        compute = functools.partial(part_of, os.path.abspath(data_path), dataset.fingerprint, size, encoder)
        parts = fill(folder_of(data_path, size), KIND, made_by, dataset.digests.tolist(), compute, workers,
                     'features of {} px'.format(size))
        return Features(parts, dataset)


@kept_open
def opened(data_path, fingerprint):
    """A data set, which stays open in each process; `fingerprint` tells apart what was at this path before."""
    return Dataset(data_path)


def part_of(data_path, fingerprint, size, encoder, places):
    """The features of some images, as a part; called in a worker."""
    dataset = opened(data_path, fingerprint)
    outputs = encoder(np.array([square_image(dataset.image(i), size) for i in places]))
    arrays = {name: array.astype('float16') for name, array in zip(OUTPUTS, outputs)}
    mean_squares = {name + '_mean_square': np.array([np.mean(np.square(each, dtype='float64')) for each in array])
                    for name, array in arrays.items()}
    # Most outputs of a ReLU are 0, so compression saves two thirds; an image is read in a few milliseconds.
    return packed(KIND, dataset.digests[places], mean_squares, arrays, compression='lzf')


def averaged_images(dataset):
    train = np.flatnonzero(dataset.splits == 'train')
    return train if len(train) else np.arange(len(dataset))
