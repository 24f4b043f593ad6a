"""Mini-batches for Keras: features of one image size chosen at random, superpixel maps, image-level labels."""
import numpy as np
from keras.utils import Sequence

from PIL import Image


class Batches(Sequence):
    """The images of one epoch, in an order that follows from seed and epoch alone: a run that was stopped goes on as it was.

    Parameters
    ----------
    features : list of spn.features.Features
        One for each size; each batch takes one of them.
    maps : list of spn.dataset.SuperpixelMaps
        Each batch takes one of them.
    labels : ndarray, (n, classes)
    indices : ndarray of int
        The images to take.
    map_size : int
        Superpixel maps are brought to as many rows and columns, by nearest neighbour: those of a batch must be of one size.
    batch_size, seed : int
    n_outputs : int
        How many branches learn from the labels.
    dropout : float
        The share of feature maps that are 0, others in each image; see :func:`without_some`.
    fine : bool
        Whether fine features are asked for too.
    """

    def __init__(self, features, maps, labels, indices, map_size, batch_size, seed, n_outputs, dropout=0., fine=False):
        self.features, self.maps, self.labels, self.indices = features, maps, labels, indices
        self.map_size, self.batch_size, self.seed, self.n_outputs = map_size, batch_size, seed, n_outputs
        self.dropout, self.fine, self.rms = dropout, fine, mean_rms(features)
        self.start_epoch(0)

    def start_epoch(self, epoch):
        rng = np.random.RandomState([self.seed, epoch])
        self.order = rng.permutation(self.indices)
        self.choice = rng.randint(1 << 30, size=(len(self), 3))

    def __len__(self):
        return -(-len(self.indices) // self.batch_size)

    def __getitem__(self, k):
        chosen = self.order[k * self.batch_size:(k + 1) * self.batch_size]
        features = self.features[self.choice[k, 0] % len(self.features)]
        maps = self.maps[self.choice[k, 1] % len(self.maps)]
        found = np.array([features[i] for i in chosen]) / self.rms
        found = without_some(found, self.dropout, self.choice[k, 2])
        superpixels = np.array([nearest(maps[i], self.map_size) for i in chosen])
        fine = [np.array([features.fine[i] for i in chosen])] if self.fine else []
        return [found, superpixels] + fine, [self.labels[chosen]] * self.n_outputs


def mean_rms(features):
    """The root mean square of features, the mean over image sizes."""
    return float(np.mean([each.rms for each in features]))


def nearest(superpixel_map, size):
    """A superpixel map resized by nearest neighbour, so that labels stay labels."""
    return np.array(Image.fromarray(superpixel_map, 'I').resize((size, size), Image.NEAREST))


def without_some(features, dropout, seed):
    """Features (batch, channels, h, w) with a share of the channels 0, others in each image; those that remain are the stronger
    for it. Dropped here and not by Keras, whose random numbers a run that was stopped does not find again.
    """
    kept = np.random.RandomState(seed).rand(*features.shape[:2]) >= dropout
    return features * (kept / (1 - dropout)).astype('float32')[:, :, np.newaxis, np.newaxis]
