"""Mini-batches for Keras: features of a randomly chosen image size, superpixel maps, and targets."""
import numpy as np
from keras.utils import Sequence


class Batches(Sequence):
    """The images of one epoch, in an order that depends only on seed and epoch, so that training can be resumed.

    Parameters
    ----------
    features : list of spn.networks.features.Features
        One for each size; each batch takes one of them.
    maps : list of spn.data.dataset.SuperpixelMaps
        Each batch takes one of them.
    truth : callable
        ``truth(images, superpixels)`` gives the targets, one array for each output, of images, (batch,), by their
        resized superpixel maps, (batch, map_size, map_size).
    indices : ndarray of int
        The images to use.
    map_size : int
        Rows and columns that superpixel maps are resized to by nearest neighbour, because those of a batch must have
        the same size.
    batch_size, seed : int
    dropout : float
        The share of channels that are set to 0; see :func:`drop_channels`.
    finer : sequence of str
        The finer features to add after the superpixel maps: 'fine', 'finest'.
    """

    def __init__(self, features, maps, truth, indices, map_size, batch_size, seed, dropout=0., finer=()):
        self.features, self.maps, self.truth, self.indices = features, maps, truth, indices
        self.map_size, self.batch_size, self.seed, self.dropout, self.finer = map_size, batch_size, seed, dropout, finer
        self.rms = [mean_rms(features)] + [mean_rms([getattr(each, name) for each in features]) for name in finer]
        self.start_epoch(0)

    def start_epoch(self, epoch):
        rng = np.random.RandomState([self.seed, epoch])
        self.order = rng.permutation(self.indices)
        self.choice = rng.randint(1 << 30, size=(len(self), 3))

    def __len__(self):
        return -(-len(self.indices) // self.batch_size)

    def __getitem__(self, k):
        chosen = self.order[k * self.batch_size:(k + 1) * self.batch_size]
        sized = self.features[self.choice[k, 0] % len(self.features)]
        maps = self.maps[self.choice[k, 1] % len(self.maps)]
        superpixels = np.array([nearest(maps[i], self.map_size) for i in chosen])
        features, *finer = [
            drop_channels(np.array([stored[i] for i in chosen]) / rms, self.dropout, self.choice[k, 2] + number)
            for number, (stored, rms) in enumerate(zip([sized] + [getattr(sized, name) for name in self.finer],
                                                       self.rms))]
        return [features, superpixels] + finer, self.truth(chosen, superpixels)


def mean_rms(features):
    """The mean over image sizes of the root mean square of features."""
    return float(np.mean([each.rms for each in features]))


def nearest(labels, size):
    """A superpixel map or a mask resized by nearest neighbour, so that labels stay labels."""
    rows, cols = [((np.arange(size) + .5) * n / size).astype(int) for n in labels.shape]
    return labels[rows[:, np.newaxis], cols]


def drop_channels(features, dropout, seed):
    """Inverted dropout of whole channels: in each image zero a random share of them, and scale the rest by
    1 / (1 - dropout). Not Keras's own, because no checkpoint restores the state of its random numbers.

    Parameters
    ----------
    features : ndarray, (batch, channels, h, w)
    dropout : float
    seed : int
    """
    kept = np.random.RandomState(seed).rand(*features.shape[:2]) >= dropout
    return features * (kept / (1 - dropout)).astype('float32')[:, :, np.newaxis, np.newaxis]
