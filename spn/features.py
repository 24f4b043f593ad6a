"""Features of the frozen encoder, computed once for each image and size, and kept on disk beside the data set.

Those of block5_conv3 say what is there. Those of block4_conv3, twice as fine, say how much two places look alike. Those of
block3_conv3 see the least of what is around.
"""
import json
import os

import numpy as np
from PIL import Image

from .dataset import Dataset
from .encoder import OUTPUTS, STRIDE
from .errors import SpnError
from .files import Parts, progress
from .hdf5 import hdf5_beside, open_hdf5

LAYOUT = 'spn features 3'
PART = 32


class Layers(object):
    """Features by image: ``self[i]`` those of block5_conv3, ``fine[i]`` of block4_conv3, ``finest[i]`` of block3_conv3."""

    def __getitem__(self, i):
        return self._features[i]

    def layers(self, i):
        """The features of image `i` in the order of `spn.encoder.OUTPUTS`."""
        return [self[i], self.fine[i], self.finest[i]]


class Features(Layers):
    """Cached features of block5_conv3: ``features[i]`` is (512, size / 16, size / 16) of float32.

    Attributes
    ----------
    fine, finest : AsFloat
        Those of block4_conv3, (512, size / 8, size / 8) each, and of block3_conv3, (256, size / 8, size / 8).
    size : int
        Rows and columns that the images were resized to.
    rms : float
        The root of the mean square over the training images: networks divide by it. ``fine.rms`` and ``finest.rms`` are
        those of the others.
    """

    def __init__(self, path):
        self.path = path
        self._file = open_hdf5(path, LAYOUT, 'a file of features', '`spn encode`')
        self.made_by = json.loads(self._file.attrs['made_by'])
        self._features, self.fine, self.finest = [AsFloat(self._file[name]) for name in OUTPUTS]
        self.size, self.rms = self.made_by['size'], self._features.rms

    def __len__(self):
        return len(self._features)

    def close(self):
        self._file.close()


class AsFloat(object):
    """What is stored in half precision, read as float32."""

    def __init__(self, stored):
        self._stored, self.rms = stored, float(stored.attrs['rms'])

    def __len__(self):
        return len(self._stored)

    def __getitem__(self, i):
        return self._stored[i].astype('float32')


def path_of(data_path, size):
    """Where the features of a data set lie."""
    return '{}.features-{}.h5'.format(os.path.splitext(data_path)[0], size)


def squared(image, size):
    """An image resized to `size` x `size` pixels, as the paper's mini-batches are."""
    return np.array(Image.fromarray(image).resize((size, size), Image.BILINEAR))


def check_size(size):
    if size < 2 * STRIDE or size % STRIDE:
        raise SpnError('the size {} is no multiple of {} from {} on: the encoder makes one feature of {} pixels'.format(
            size, STRIDE, 2 * STRIDE, STRIDE))


def already(path, made_by):
    """The features at `path`, if they were made so; None if not, or if the file is of another version or cut short."""
    try:
        features = Features(path)
    except SpnError:
        return None
    if features.made_by == made_by:
        return features
    features.close()


def make(data_path, size, encoder):
    """Encode all images of a data set, unless that was done; a run that was stopped goes on where it was.

    Parameters
    ----------
    data_path : str
    size : int
        Images are resized to as many rows and columns; a multiple of 16.
    encoder : spn.encoder.Encoder

    Returns
    -------
    Features
    """
    check_size(size)
    path = path_of(data_path, size)
    with Dataset(data_path) as dataset:
        made_by = {'data': dataset.fingerprint, 'size': size, 'encoder': encoder.fingerprint}
        features = already(path, made_by)
        if features is not None:
            return features
        parts = Parts(path, len(dataset), dict(made_by, layout=LAYOUT), PART)
        with progress(total=len(dataset), title='features of {} px'.format(size), unit='images') as bar:
            bar.update(parts.n_done())
            for part in parts.missing():
                images = np.array([squared(dataset.image(i), size) for i in parts.items(part)])
                parts.save(part, **{name: found.astype('float16') for name, found in zip(OUTPUTS, encoder(images))})
                bar.update(len(images))
        train = set(np.flatnonzero(dataset.splits == 'train') if 'train' in dataset.splits else range(len(dataset)))
    with hdf5_beside(path) as (file, disk):
        file.attrs.update(layout=LAYOUT, made_by=json.dumps(made_by, sort_keys=True))
        stored, squares = {}, {name: [] for name in OUTPUTS}
        for name, (channels, stride) in OUTPUTS.items():
            shape = channels, size // stride, size // stride
            # Most of what a ReLU gives is 0: a third of the size, read in a few milliseconds.
            stored[name] = file.create_dataset(name, (parts.n,) + shape, 'float16', chunks=(1,) + shape, compression='lzf')
        for part in range(len(parts)):
            items = parts.items(part)
            for name, found in parts.load(part).items():
                stored[name][items.start:items.stop] = found
                disk.check()
                squares[name] += [np.mean(np.square(features, dtype='float64')) for i, features in zip(items, found) if i in train]
        for name in OUTPUTS:
            stored[name].attrs['rms'] = np.mean(squares[name]) ** .5
    parts.remove()
    return Features(path)
