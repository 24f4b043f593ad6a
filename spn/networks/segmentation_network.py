"""The second half of the paper: a segmentation network that learns from SP-CAM's masks, in rounds.

The paper's is DecoupledNet (Hong, Noh, Han, NIPS 2015), of pixels. This one is of superpixels, and small: what
three layers of the encoder see is pooled in each superpixel, and a small network says of which class it is, or background.
What it says of superpixels that look alike is averaged, as of SP-CAM.
"""
import numpy as np

from ..results.activation_maps import relative, thresholded
from .encoder import OUTPUTS
from .layers import dense
from .trained import Trained

from keras import backend as K
from keras.layers import Concatenate, Input, Permute
from keras.models import Model
from keras.optimizers import Adam
from keras_layer import SuperpixelPooling2D

#: What the network can be told, and how it is trained.
DEFAULTS = {'hidden': 256, 'weight_decay': 1e-5}
TRAINING = {'epochs': 8, 'batch_size': 16, 'learning_rate': 5e-4, 'map_size': 256, 'dropout': .5, 'kept': .7, 'possible': .5}

WITNESSES = 5  # superpixels that an image has a class by


def probabilities(n_classes, settings, n_maps=1):
    """The network.

    Parameters
    ----------
    n_classes : int
        Without background.
    settings : dict
        As `DEFAULTS`.
    n_maps : int
        How many superpixel maps the same features are pooled over.

    Returns
    -------
    keras.models.Model
        [features (batch, 512, h, w), superpixel maps (batch, rows, cols) .., fine features (batch, 512, 2 h, 2 w), finest
        (batch, 256, 2 h, 2 w)] -> for each map the probability of background and of each class, (batch, n, classes + 1).
    """
    layers = [Input((channels, None, None), name=name) for name, (channels, _) in OUTPUTS.items()]
    superpixel_maps = [Input((None, None), dtype='int32', name='superpixel_map_{}'.format(k + 1)) for k in range(n_maps)]
    pool = SuperpixelPooling2D(data_format='channels_last', resize='bilinear', name='superpixel_pooling')
    hidden = dense(settings['hidden'], 'hidden', 'relu', settings['weight_decay'])
    classify = dense(n_classes + 1, 'class', 'softmax', settings['weight_decay'])
    found, seen = [], [Permute((2, 3, 1))(layer) for layer in layers]
    for superpixel_map in superpixel_maps:
        pooled = Concatenate()([pool([layer, superpixel_map]) for layer in seen])
        found.append(classify(hidden(pooled)))
    return Model([layers[0]] + superpixel_maps + layers[1:], found, name='segmentation_network')


def cross_entropy(truth, probability):
    """Cross-entropy, the mean over pixels for which the truth is known: `truth` holds their share of the image, by class."""
    entropy = -K.sum(truth * K.log(K.maximum(probability, K.epsilon())))
    return entropy / K.maximum(K.sum(truth), K.epsilon())


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


def targets(certain, possible, superpixel_map, n_superpixels, n_classes):
    """What to learn of the superpixels of an image.

    Parameters
    ----------
    certain, possible : ndarray of uint8, (rows, cols)
        Masks: where classes surely are, and where they may be; what is background in the second surely is it.
    superpixel_map : ndarray of int32, (rows, cols)
    n_superpixels, n_classes : int

    Returns
    -------
    ndarray of float32, (n_superpixels, n_classes + 1)
        The pixels of each class, background first, as shares of the image; all 0 for a superpixel of which less than half is
        known: the network shall find out.
    """
    inside = superpixel_map >= 0
    known = inside & ((certain > 0) | (possible == 0))
    n = n_classes + 1
    counts = np.bincount(superpixel_map[known] * n + certain[known], minlength=n_superpixels * n).reshape(n_superpixels, n)
    sizes = np.bincount(superpixel_map[inside], minlength=n_superpixels)
    counts[2 * counts.sum(axis=1) < sizes] = 0
    return (counts / superpixel_map.size).astype('float32')


class SegmentationNetwork(Trained):
    """A trained segmentation network.

    Attributes
    ----------
    about : dict
        Beside what all have: ``settings``, ``round``, ``class_names``, ``rms`` (what features are divided
        by, in the order of `spn.networks.encoder.OUTPUTS`), ``data`` and ``teacher`` (digests of the data set and of the model whose
        masks it learned) and ``threshold``, of the share of each class's maximum, chosen on 'val'.
    """

    layout, what, command = 'spn segmentation network 1', 'a trained segmentation network', '`spn segment`'
    found_later, may_lack = ('log', 'threshold', 'rms'), ('threshold',)
    example = {'class_names': [''], 'settings': DEFAULTS, 'training': TRAINING, 'seed': 0, 'round': 1, 'data': '', 'teacher': '',
               'rms': [1.], 'threshold': .5, 'log': [{}]}

    @staticmethod
    def built(about):
        return probabilities(len(about['class_names']), about['settings'])

    @staticmethod
    def compile(model, about):
        model.compile(Adam(about['training']['learning_rate']), cross_entropy)

    def __init__(self, model, about):
        super(SegmentationNetwork, self).__init__(model, about)
        self._of_maps = {}

    def probabilities(self, layers, superpixel_maps):
        """Probabilities of the superpixels of one image.

        Parameters
        ----------
        layers : list of ndarray, (channels, h, w) each
            In the order of `spn.networks.encoder.OUTPUTS`.
        superpixel_maps : list of ndarray of int32, (rows, cols) each

        Returns
        -------
        list of ndarray, (n, classes + 1) each
            For each map, background first.
        """
        n_maps = len(superpixel_maps)
        if n_maps not in self._of_maps:
            self._of_maps[n_maps] = probabilities(len(self.about['class_names']), self.about['settings'], n_maps)
            self._of_maps[n_maps].set_weights(self.model.get_weights())
        first, *others = [(layer / rms)[np.newaxis] for layer, rms in zip(layers, self.about['rms'])]
        found = self._of_maps[n_maps].predict_on_batch([first] + [each[np.newaxis] for each in superpixel_maps] + others)
        return [of_map[0] for of_map in (found if n_maps > 1 else [found])]


def class_maps(network, maps, i, classes):
    """Maps of classes in 0 .. 1, (classes, rows, cols), in the size of the image.

    Parameters
    ----------
    network : SegmentationNetwork
    maps : spn.results.activation_maps.ActivationMaps
    i : int
    classes : ndarray of int
        Others are out of the question.
    """
    return relative(maps.correlated(i, [[among(of_map, classes) for of_map in of_size]
                                        for of_size in of_superpixels(network, maps, i)]))


def of_superpixels(network, maps, i):
    """What a network says of the superpixels of image `i`, by image size and superpixel map."""
    superpixel_maps = [each[i] for each in maps.superpixels]
    return [network.probabilities(features.layers(i), superpixel_maps) for features in maps.features]


def of_image(network, maps, i):
    """How surely image `i` shows each class, (classes,): the mean probability of the few superpixels that speak most for it."""
    return np.mean([np.sort(of_map[:, 1:], axis=0)[-WITNESSES:].mean(axis=0)
                    for of_size in of_superpixels(network, maps, i) for of_map in of_size], axis=0)


def among(probabilities, classes):
    """Probabilities (n, classes + 1) of some classes, (n, classes), where there is nothing else but background."""
    of_classes = probabilities[:, np.asarray(classes) + 1]
    return of_classes / np.maximum(probabilities[:, :1] + of_classes.sum(axis=1, keepdims=True), 1e-12)


def method(network, maps):
    """The masks of a segmentation network, as `spn.results.evaluation` asks for them."""
    return thresholded(lambda i, classes: class_maps(network, maps, i, classes))
