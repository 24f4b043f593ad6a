"""The second half of the paper: a segmentation network that learns from SP-CAM's masks, in rounds.

The idea is DecoupledNet's (Hong, Noh, Han, NIPS 2015): a map of one class, read off the classification network, and the
encoder's features go into a decoder that knows no classes and says object or background. At inference it runs once for each
class of the image; the class of highest probability wins. The decoder here is of a size that two cores can train; besides
the features it sees finer ones and the image, at a quarter of its resolution, because the features are too coarse for edges.
"""
import numpy as np

from .activation_maps import averaged, masks, resized
from .batches import without_some
from .encoder import CHANNELS, MEAN_BGR
from .features import squared
from .initial import INITIALIZERS
from .trained import Trained

from keras import backend as K
from keras.layers import AveragePooling2D, Concatenate, Conv2D, Input, UpSampling2D
from keras.models import Model
from keras.optimizers import Adam
from keras.regularizers import l2
from keras.utils import Sequence

CELLS = 4  # of the decoder along each side of a feature: two stages, each doubles rows and columns

#: What a decoder can be told, and how it is trained.
DEFAULTS = {'channels': [96, 48, 32], 'weight_decay': 1e-5}
TRAINING = {'epochs': 6, 'batch_size': 16, 'learning_rate': 5e-4, 'kept': .7, 'possible': .5, 'dropout': .5}


def build(settings):
    """The decoder.

    Returns
    -------
    keras.models.Model
        [features (batch, 512, h, w), fine features (batch, 512, 2 h, 2 w), map of the class (batch, 1, 4 h, 4 w), image
        (batch, 3, 4 h, 4 w)] -> the probability that a cell shows the class, (batch, 1, 4 h, 4 w).
    """
    features, fine = Input((CHANNELS, None, None), name='features'), Input((CHANNELS, None, None), name='fine_features')
    class_map, image = Input((1, None, None), name='class_map'), Input((3, None, None), name='image')
    decay = l2(settings['weight_decay'])

    def convolution(channels, size, name, activation='relu'):
        return Conv2D(channels, size, padding='same', activation=activation, data_format='channels_first', name=name,
                      kernel_regularizer=decay, **INITIALIZERS)

    def joined(*parts):
        return Concatenate(axis=1)(list(parts))

    def doubled(maps):
        return UpSampling2D(2, data_format='channels_first')(maps)

    first, middle, last = settings['channels']
    smaller_map = AveragePooling2D(2, data_format='channels_first')(class_map)
    smallest_map = AveragePooling2D(2, data_format='channels_first')(smaller_map)
    found = convolution(first, 3, 'coarse')(joined(convolution(first, 1, 'narrow')(features), smallest_map))
    found = convolution(middle, 3, 'middle')(joined(doubled(found), convolution(middle, 1, 'narrow_fine')(fine), smaller_map))
    edges = convolution(last, 3, 'edges_2')(convolution(last, 3, 'edges_1')(image))
    found = convolution(last, 3, 'both')(joined(doubled(found), edges, class_map))
    return Model([features, fine, class_map, image], convolution(1, 1, 'object', 'sigmoid')(found), name='decoder')


def scatter(mask):
    """How scattered the pixels of a mask are: their variance by that of a disc of the same area.

    This project's choice; the paper's "degree of scatter" is not known. 1 for a disc, more for what is thin or in pieces.

    Parameters
    ----------
    mask : ndarray of bool, (rows, cols)

    Returns
    -------
    float
        inf for an empty mask.
    """
    rows, cols = np.nonzero(mask)
    if not len(rows):
        return np.inf
    return (rows.var() + cols.var()) * 2 * np.pi / len(rows)


def least_scattered(scatters, classes, share):
    """Which masks to learn from: of each class the share that is scattered least.

    Parameters
    ----------
    scatters : ndarray, (masks,)
    classes : ndarray of int, (masks,)
    share : float

    Returns
    -------
    ndarray of bool, (masks,)
        Empty masks are never taken.
    """
    taken = np.zeros(len(scatters), bool)
    for c in np.unique(classes):
        of_class = np.flatnonzero((classes == c) & np.isfinite(scatters))
        n = int(np.ceil(share * len(of_class)))
        taken[of_class[np.argsort(scatters[of_class], kind='stable')[:n]]] = True
    return taken


class Reader(object):
    """What the decoder is shown of an image and a class.

    Parameters
    ----------
    maps : spn.activation_maps.ActivationMaps
        Of the superpixel pooling network.
    place : int
        Which of its image sizes, by place.
    class_maps : callable
        ``class_maps(i, classes)`` gives values in 0 .. 1, (classes, rows, cols), as from :func:`spn.runs.cam_of`.
    image : callable
        ``image(i)`` is (rows, cols, 3), uint8.
    """

    def __init__(self, maps, place, class_maps, image):
        self.maps, self.features, self.class_maps, self.image = maps, maps.features[place], class_maps, image
        self._class_maps = {}  # by image and class: they are small, and to compute them takes a while

    @property
    def side(self):
        """Rows and columns of what the decoder says."""
        return CELLS * self.features.side

    def __call__(self, i, classes):
        """Features, fine ones, maps of the classes and image, once for each of the classes: what the model takes."""
        missing = [c for c in classes if (i, c) not in self._class_maps]
        if missing:
            for c, of_class in zip(missing, self.class_maps(i, np.array(missing))):
                self._class_maps[i, c] = small(of_class, self.side)
        image = (squared(self.image(i), self.side)[..., ::-1] - MEAN_BGR).transpose(2, 0, 1).astype('float32') / 64
        about = self.maps.trained.about
        shown = [self.features[i] / about['rms'], self.features.fine[i] / about['fine_rms'], image]
        features, fine, image = [np.repeat(each[np.newaxis], len(classes), axis=0) for each in shown]
        return [features, fine, np.array([self._class_maps[i, c] for c in classes])[:, np.newaxis], image]


def small(mask, side):
    """The mean of a map or mask (rows, cols) in each of side x side cells; a pixel on the edge of two counts for both in part."""
    of_rows, of_cols = [shares(n, side) for n in mask.shape]
    return (of_rows.dot(mask).dot(of_cols.T)).astype('float32')


def shares(n, cells):
    """Which share of each of `cells` equal parts of a line lies in each of its `n` equal parts, (cells, n)."""
    edges, pixels = np.arange(cells + 1)[:, np.newaxis] * n / cells, np.arange(n)
    overlap = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return np.maximum(overlap, 0) * cells / n


def target(certain, possible, side):
    """What to learn of an image and a class.

    Parameters
    ----------
    certain, possible : ndarray of bool, (rows, cols)
        Where the class surely is, and where it may be.
    side : int

    Returns
    -------
    ndarray of float32, (side, side)
        The share of object in each cell; -1 where most of the cell may be the class or not: the decoder shall find out.
    """
    object_share, known = small(certain, side), small(certain | ~possible, side)
    return np.where(known > .5, object_share / np.maximum(known, 1e-6), -1).astype('float32')


def known_cross_entropy(truth, probability):
    """Cross-entropy of a cell showing the class, the mean over cells for which the truth is known."""
    known = K.cast(K.greater_equal(truth, 0), K.floatx())
    return K.sum(known * K.binary_crossentropy(K.maximum(truth, 0), probability)) / K.maximum(K.sum(known), 1)


class Decoder(Trained):
    """A trained decoder.

    Attributes
    ----------
    about : dict
        Beside what all have: ``settings``, ``round``, ``data`` and ``targets`` (digests of the data set and of the masks
        that it learned) and ``threshold``, of the probability, chosen on 'val'.
    """

    layout, what, command = 'spn decoder 1', 'a trained decoder', '`spn segment`'
    found_later = ('log', 'threshold')
    own_objects = {'known_cross_entropy': known_cross_entropy}

    def probabilities(self, inputs):
        """(classes, 4 h, 4 w) for what a :class:`Reader` shows of an image and its classes."""
        return self.model.predict_on_batch(inputs)[:, 0]


class Pairs(Sequence):
    """Mini-batches of image and class with the mask to learn.

    Parameters
    ----------
    reader : Reader
    pairs : list of (int, int)
        Image and class.
    targets : ndarray of float32, (pairs, 4 h, 4 w)
        As from :func:`target`.
    batch_size, seed : int
    dropout : float
        The share of the encoder's feature maps that are 0, as in `spn.batches.Batches`.
    """

    def __init__(self, reader, pairs, targets, batch_size, seed, dropout=0.):
        self.reader, self.pairs, self.targets, self.batch_size, self.seed = reader, pairs, targets, batch_size, seed
        self.dropout = dropout
        self.start_epoch(0)

    def start_epoch(self, epoch):
        rng = np.random.RandomState([self.seed, epoch])
        self.order = rng.permutation(len(self.pairs))
        self.mirrored = rng.randint(2, size=len(self))
        self.dropped = rng.randint(1 << 30, size=len(self))

    def __len__(self):
        return -(-len(self.pairs) // self.batch_size)

    def __getitem__(self, k):
        chosen = self.order[k * self.batch_size:(k + 1) * self.batch_size]
        inputs = [np.concatenate(arrays) for arrays in zip(*[
            self.reader(i, np.array([c])) for i, c in (self.pairs[pair] for pair in chosen)])]
        inputs[:2] = [without_some(features, self.dropout, self.dropped[k]) for features in inputs[:2]]
        targets = self.targets[chosen][:, np.newaxis]
        if self.mirrored[k]:
            inputs, targets = [array[..., ::-1] for array in inputs], targets[..., ::-1]
        return inputs, targets


def new(about):
    np.random.seed(about['seed'])  # Keras draws the first weights from it
    model = build(about['settings'])
    model.compile(Adam(about['training']['learning_rate']), known_cross_entropy)
    return Decoder(model, dict(about, log=[]))


def method(decoder, reader, superpixels=()):
    """The masks of a decoder, as `spn.evaluation` asks for them.

    Parameters
    ----------
    superpixels : sequence of spn.dataset.SuperpixelMaps
        Probabilities are averaged in these superpixels, if any.
    """
    def of_image(i, classes, thresholds):
        return masks(probability_maps(decoder, reader, i, classes, superpixels), classes, thresholds)
    return of_image


def probability_maps(decoder, reader, i, classes, superpixels):
    """(classes, rows, cols), in the size of the image."""
    if not len(classes):
        return np.zeros((0,) + tuple(reader.maps.sizes[i]))
    found = resized(decoder.probabilities(reader(i, classes)), reader.maps.sizes[i])
    return np.mean([averaged(found, maps[i]) for maps in superpixels], axis=0) if len(superpixels) else found
