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
    """

    def __init__(self, features, maps, labels, indices, map_size, batch_size, seed, n_outputs):
        self.features, self.maps, self.labels, self.indices = features, maps, labels, indices
        self.map_size, self.batch_size, self.seed, self.n_outputs = map_size, batch_size, seed, n_outputs
        self.start_epoch(0)

    def start_epoch(self, epoch):
        rng = np.random.RandomState([self.seed, epoch])
        self.order = rng.permutation(self.indices)
        self.choice = rng.randint(1 << 30, size=(len(self), 2))

    def __len__(self):
        return -(-len(self.indices) // self.batch_size)

    def __getitem__(self, k):
        chosen = self.order[k * self.batch_size:(k + 1) * self.batch_size]
        features = self.features[self.choice[k, 0] % len(self.features)]
        maps = self.maps[self.choice[k, 1] % len(self.maps)]
        found = np.array([features[i] for i in chosen]) / self.rms
        superpixels = np.array([nearest(maps[i], self.map_size) for i in chosen])
        return [found, superpixels], [self.labels[chosen]] * self.n_outputs

    @property
    def rms(self):
        """The features' root mean square, over all sizes."""
        return float(np.mean([features.rms for features in self.features]))


def nearest(superpixel_map, size):
    """A superpixel map resized by nearest neighbour, so that labels stay labels."""
    return np.array(Image.fromarray(superpixel_map, 'I').resize((size, size), Image.NEAREST))
