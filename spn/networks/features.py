"""Features of the frozen encoder, computed once for each image and size, and kept on disk next to the data set.

block5_conv3 is for recognizing classes. block4_conv3, of twice the resolution, is for comparing superpixels.
block3_conv3 has the smallest receptive field.
"""
import hashlib
import json
import os

import numpy as np
from PIL import Image

from ..data.dataset import Dataset
from ..errors import SpnError
from ..files import Parts, locked, progress, say
from ..hdf5 import Stored, as_text, atomic_hdf5, explaining_damage, open_hdf5, text
from .encoder import OUTPUTS, STRIDE

LAYOUT = 'spn features 4'
MADE_BY = '`spn encode`'
PART = 32


class ImageFeatures:
    """Features of images: block5_conv3 as ``self[i]``, block4_conv3 as ``fine[i]``, block3_conv3 as ``finest[i]``."""

    def __getitem__(self, i):
        return self._features[i]

    def blocks(self, i):
        """The features of image `i` in the order of `spn.networks.encoder.OUTPUTS`."""
        return [self[i], self.fine[i], self.finest[i]]


class Features(ImageFeatures):
    """Cached features of block5_conv3: ``features[i]`` is (512, size / 16, size / 16) of float32.

    Attributes
    ----------
    digests : list of str
        Of the images, as in `spn.data.dataset.Dataset`.
    fine, finest : AsFloat
        Features of block4_conv3, (512, size / 8, size / 8) each, and of block3_conv3, (256, size / 8, size / 8).
    size : int
        Rows and columns that the images were resized to.
    rms : float
        The root mean square over the training images, by which networks divide. ``fine.rms`` and ``finest.rms`` are
        those of the other two.
    """

    def __init__(self, path):
        self.path = path
        self._file = open_hdf5(path, LAYOUT, 'a file of features', MADE_BY)
        with explaining_damage(path, MADE_BY):
            self.made_by = json.loads(text(self._file.attrs['made_by']))
            self.digests = [text(digest) for digest in self._file['digests'][:]]
            self.stored = {name: Stored(path, name, self._file[name], MADE_BY) for name in OUTPUTS}
            self._features, self.fine, self.finest = map(AsFloat, self.stored.values())
            self.size, self.rms = self.made_by['size'], self._features.rms
            self.averaged_over = text(self._file.attrs['averaged_over'])

    def __len__(self):
        return len(self._features)

    def close(self):
        self._file.close()


class AsFloat:
    """An array stored in half precision, read as float32."""

    def __init__(self, stored):
        self._stored, self.rms = stored, float(stored.attrs['rms'])

    def __len__(self):
        return len(self._stored)

    def __getitem__(self, i):
        return self._stored[i].astype('float32')


def features_path(data_path, size):
    """The file of the features of a data set."""
    return '{}.features-{}.h5'.format(os.path.splitext(data_path)[0], size)


def square_image(image, size):
    """An image resized to `size` x `size` pixels, as in the paper's mini-batches."""
    return np.array(Image.fromarray(image).resize((size, size), Image.BILINEAR))


def check_size(size):
    if size < 2 * STRIDE or size % STRIDE:
        raise SpnError('the size {} is not a multiple of {}, {} or more: the encoder makes one feature for each {} '
                       'pixels'.format(size, STRIDE, 2 * STRIDE, STRIDE))


def features_made_by(path, made_by):
    """The features at `path`, whatever the images, if they were made with these settings; None if not, or if the file
    cannot be read.
    """
    try:
        features = Features(path)
    except SpnError:
        return None
    if features.made_by == made_by:
        return features
    features.close()


def make_features(data_path, size, encoder):
    """Encode all images of a data set, unless that was done; a run that was stopped goes on where it was.

    Images are identified by their pixels: if a data set is made again, images that were encoded before are not encoded
    again.

    Parameters
    ----------
    data_path : str
    size : int
        Rows and columns that images are resized to; a multiple of 16.
    encoder : spn.networks.encoder.Encoder

    Returns
    -------
    Features
    """
    check_size(size)
    path, made_by = features_path(data_path, size), {'size': size, 'encoder': encoder.fingerprint}
    with Dataset(data_path) as dataset:
        features = finished_features(path, made_by, dataset)
        if features is None:
            with locked(path):
                features = finished_features(path, made_by, dataset)  # another process may have made them meanwhile
                if features is None:
                    encode(path, made_by, dataset, encoder)
    return Features(path) if features is None else features


def finished_features(path, made_by, dataset):
    """The features at `path` if they are of these settings and this data set, else None."""
    features = features_made_by(path, made_by)
    if features is not None:
        if features.digests == dataset.digests.tolist() and features.averaged_over == averaged_over(dataset):
            return features
        features.close()


def averaged_over(dataset):
    """A digest of the images over which the root mean square is taken: those of train, or all if train is empty."""
    return hashlib.sha256(''.join(dataset.digests[averaged_images(dataset)]).encode()).hexdigest()


def averaged_images(dataset):
    train = np.flatnonzero(dataset.splits == 'train')
    return train if len(train) else np.arange(len(dataset))


def encode(path, made_by, dataset, encoder):
    """Write the features of a data set; images that are in the existing file at `path` are not encoded again."""
    old = features_made_by(path, made_by)
    old_row = {} if old is None else {digest: i for i, digest in enumerate(old.digests)}
    n_dropped = len(set(old_row) - set(dataset.digests))
    if n_dropped:
        say('{}: the features of {} pictures are dropped, which are gone or have changed'.format(path, n_dropped))
    missing = [i for i, digest in enumerate(dataset.digests) if digest not in old_row]
    settings = dict(made_by, layout=LAYOUT, data=dataset.digests[missing].tolist())
    with Parts(path, len(missing), settings, PART) as parts:
        with progress(total=len(missing), title='features of {} px'.format(made_by['size']), unit='images') as bar:
            bar.update(parts.n_done())
            for part in parts.missing():
                images = np.array([square_image(dataset.image(missing[k]), made_by['size']) for k in parts.items(part)])
                parts.save(part, **{name: array.astype('float16') for name, array in zip(OUTPUTS, encoder(images))})
                bar.update(len(images))
        with atomic_hdf5(path) as (file, disk):
            write(file, disk, made_by, dataset, feature_rows(dataset, old, old_row, parts))
    if old is not None:
        old.close()


def feature_rows(dataset, old, old_row, parts):
    """The features of each image of a data set, by layer: from the `old` file if they are in it, else from parts."""
    new = (row for part in range(len(parts)) for row in by_image(parts.load(part)))
    for digest in dataset.digests:
        if digest in old_row:
            yield {name: old.stored[name][old_row[digest]] for name in OUTPUTS}
        else:
            yield next(new)


def by_image(arrays):
    for k in range(len(arrays['block5_conv3'])):
        yield {name: array[k] for name, array in arrays.items()}


def write(file, disk, made_by, dataset, rows):
    file.attrs.update(layout=as_text(LAYOUT), made_by=as_text(json.dumps(made_by, sort_keys=True)),
                      averaged_over=as_text(averaged_over(dataset)))
    file.create_dataset('digests', data=as_text(dataset.digests), chunks=True, fletcher32=True)
    averaged, squares = set(averaged_images(dataset)), {name: [] for name in OUTPUTS}
    for name, (channels, stride) in OUTPUTS.items():
        shape = channels, made_by['size'] // stride, made_by['size'] // stride
        # Most outputs of a ReLU are 0, so compression saves two thirds; an image is read in a few milliseconds.
        file.create_dataset(name, (len(dataset),) + shape, 'float16', chunks=(1,) + shape, compression='lzf',
                            fletcher32=True)
    for i, row in enumerate(rows):
        for name, array in row.items():
            file[name][i] = array
            disk.check()
            if i in averaged:
                squares[name].append(np.mean(np.square(array, dtype='float64')))
    for name in OUTPUTS:
        file[name].attrs['rms'] = np.mean(squares[name]) ** .5
