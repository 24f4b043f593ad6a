"""The superpixel pooling network (Kwak, Hong, Han, AAAI 2017) on features of a frozen encoder, in Keras.

::

    features (512, h, w) -> extra convolution -+-> class scores (h, w) -> mean over cells -> classes: the GAP branch
                                               |      = CAM
                                               +-> upsampling -> superpixel pooling -> class scores (n, classes)
                                                                  (n, channels)         = SP-CAM
                                                superpixel map (rows, cols)                |
                                                                                           v
    fine features (512, 2 h, 2 w) ------------------------> superpixel pooling -----> correlation
                                                                -> mean over superpixels -> classes: the SP branch

The paper pools, takes the mean, and classifies. The classifier is linear, so here it comes before the mean: its scores
of the superpixels are the SP-CAM, and their mean is the score of the image. The correlation is not in the paper:
superpixels that look alike share their scores, see `spn.networks.correlation`.
"""
from functools import partial

import numpy as np

from keras_layer import SuperpixelPooling2D
from keras import backend as K
from keras.layers import Activation, Concatenate, GlobalAveragePooling2D, Input, Permute, UpSampling2D
from keras.models import Model
from keras.optimizers import Adam

from ..errors import SpnError
from .correlation import CorrelationMatrix, MeanOverSuperpixels, SuperpixelCorrelation, SuperpixelSizes2D
from .encoder import CHANNELS, OUTPUTS
from .layers import convolution, dense
from .settings import NetworkSettings, TrainingSettings, as_json
from .trained import Trained

FINE = OUTPUTS['block4_conv3'][0], None, None  # the shape of the features that superpixels are compared by


def class_scores(n_classes, settings, n_maps=1):
    """The network up to its class scores.

    Parameters
    ----------
    n_classes : int
    settings : NetworkSettings
    n_maps : int
        The number of superpixel maps of an image, over all of which its features are pooled.

    Returns
    -------
    inputs : list of tensor
        Features, (batch, 512, h, w), and the superpixel maps, (batch, rows, cols) each.
    cell_scores : tensor or None
        (batch, classes, h, w); None without the GAP branch.
    superpixel_scores : list of tensor
        For each map, (batch, n, classes); empty without the superpixel branch.

    Raises
    ------
    SpnError
        If both branches are left out.
    """
    check_branches(settings)
    features = Input((CHANNELS, None, None), name='features')
    superpixel_maps = [Input((None, None), dtype='int32', name='superpixel_map_{}'.format(k + 1))
                       for k in range(n_maps)]
    convolve = partial(convolution, weight_decay=settings.weight_decay)

    cell_scores, superpixel_scores = None, []
    encoded = convolve(settings.channels, 3, 'extra_conv')(features)
    if settings.gap_branch:
        cell_scores = convolve(n_classes, 1, 'cell_scores', 'linear')(encoded)
    if settings.superpixel_branch:
        upsampled = encoded
        for stage in range(settings.upsampling_stages):
            upsampled = UpSampling2D(2, data_format='channels_first', name='upsampling_{}'.format(stage + 1))(upsampled)
            upsampled = convolve(settings.upsampling_channels, 3, 'upsampling_conv_{}'.format(stage + 1))(upsampled)
        pool = SuperpixelPooling2D(data_format='channels_last', resize=settings.resize, name='superpixel_pooling')
        classify = dense(n_classes, 'superpixel_scores', weight_decay=settings.weight_decay)
        upsampled = Permute((2, 3, 1))(upsampled)
        superpixel_scores = [classify(pool([upsampled, superpixel_map])) for superpixel_map in superpixel_maps]
    return [features] + superpixel_maps, cell_scores, superpixel_scores


def check_branches(settings):
    if not settings.gap_branch and not settings.superpixel_branch:
        raise SpnError('a network without the GAP branch and without the superpixel branch has nothing to learn from')


def build(n_classes, settings):
    """The network that is trained.

    Returns
    -------
    keras.models.Model
        [features, superpixel map] -> the probability of each class in the image, (batch, classes), from each branch.
        With correlation, a third input are the fine features, (batch, 512, 2 h, 2 w). Parameters and errors are those
        of :func:`class_scores`.
    """
    inputs, cell_scores, superpixel_scores = class_scores(n_classes, settings)
    outputs = []
    if cell_scores is not None:
        mean = GlobalAveragePooling2D('channels_first', name='mean_over_cells')(cell_scores)
        outputs.append(Activation('sigmoid', name='gap')(mean))
    if superpixel_scores:
        fine = [Input(FINE, name='fine_features')] if settings.correlation else []
        mean = mean_over_superpixels(superpixel_scores[0], inputs[1], fine, settings)
        outputs.append(Activation('sigmoid', name='superpixel')(mean))
        inputs = inputs + fine
    return Model(inputs, outputs, name='superpixel_pooling_network')


def mean_over_superpixels(scores, superpixel_map, fine, settings):
    """The class scores of an image from those of its superpixels, (batch, classes).

    Parameters
    ----------
    scores : tensor, (batch, n, classes)
    superpixel_map : tensor, (batch, rows, cols)
    fine : list of tensor
        The fine features, (batch, 512, 2 h, 2 w); empty without correlation.
    settings : NetworkSettings
    """
    sizes = SuperpixelSizes2D()(superpixel_map)
    for features in fine:
        scores = SuperpixelCorrelation()([scores, pool_fine()([features, superpixel_map]), sizes])
    return MeanOverSuperpixels(settings.size_exponent)([scores, sizes])


def pool_fine():
    """The layer that pools the features that superpixels are compared by."""
    return SuperpixelPooling2D(data_format='channels_first', resize='bilinear')


def summed_cross_entropy(truth, probability):
    """Cross-entropy of the presence of each class, summed over classes."""
    return K.sum(K.binary_crossentropy(truth, probability), axis=-1)


def compile(model, learning_rate):
    """Compile with Adam; the losses of both branches have equal weight."""
    model.compile(Adam(learning_rate), summed_cross_entropy)


def scorer(trained, n_classes, settings, n_maps):
    """A model of the class scores of a trained network, for images with any number of superpixels.

    Parameters
    ----------
    trained : keras.models.Model
        As from :func:`build`.
    n_maps : int
        The number of superpixel maps of an image.

    Returns
    -------
    keras.models.Model
        [features, superpixel maps .., with correlation also fine features] -> the scores of the cells, of the
        superpixels of each map, and of the image from each map, for the branches that the network has. They are without
        bias, so that a score shows the evidence in the features and not the frequency of the class.
    """
    inputs, cell_scores, superpixel_scores = class_scores(n_classes, settings, n_maps)
    fine = [Input(FINE)] if settings.correlation and superpixel_scores else []
    image_scores = [mean_over_superpixels(scores, superpixel_map, fine, settings)
                    for scores, superpixel_map in zip(superpixel_scores, inputs[1:])]
    model = Model(inputs + fine, ([] if cell_scores is None else [cell_scores]) + superpixel_scores + image_scores)
    for layer in model.layers:
        weights = trained.get_layer(layer.name).get_weights() if layer.weights else []
        if layer.name.endswith('_scores'):
            weights[1] = np.zeros_like(weights[1])
        layer.set_weights(weights)
    return model


def correlator(n_maps):
    """A model that compares the superpixels of an image, of all its maps, for images with any number of superpixels.

    Returns
    -------
    keras.models.Model
        [fine features, superpixel maps ..] -> how much each superpixel takes over from each other one.
    """
    fine = Input(FINE)
    superpixel_maps = [Input((None, None), dtype='int32') for _ in range(n_maps)]
    appearance = [pool_fine()([fine, superpixel_map]) for superpixel_map in superpixel_maps]
    sizes = [SuperpixelSizes2D()(superpixel_map) for superpixel_map in superpixel_maps]
    if n_maps > 1:
        appearance, sizes = [Concatenate(axis=-1)(appearance)], [Concatenate(axis=-1)(sizes)]
    return Model([fine] + superpixel_maps, CorrelationMatrix()(appearance + sizes))


class SuperpixelPoolingNetwork(Trained):
    """A trained superpixel pooling network.

    Attributes
    ----------
    about : dict
        In addition to those of `Trained`: ``superpixels`` (how they were made), ``superpixel_names``,
        ``superpixel_digests``, ``encoder`` (its fingerprint), ``weights`` (where those of the encoder came from),
        ``rms`` (what features are divided by), ``sizes`` (of images in training) and ``data`` (a fingerprint).
    """

    layout, what, command = 'spn network 2', 'a trained network', '`spn train`'
    added_by_training, may_lack = ('log', 'superpixel_digests'), ('superpixel_digests',)
    settings_type, training_type = NetworkSettings, TrainingSettings
    example = {'class_names': [''], 'settings': as_json(NetworkSettings(size_exponent=1.)),
               'training': as_json(TrainingSettings()), 'seed': 0, 'superpixels': [{}], 'superpixel_names': [''],
               'superpixel_digests': [''], 'encoder': '', 'weights': '', 'rms': 1., 'sizes': [1], 'data': '',
               'log': [{}]}

    @staticmethod
    def built(about):
        return build(len(about['class_names']), NetworkSettings(**about['settings']))

    @staticmethod
    def compile(model, about):
        compile(model, about['training']['learning_rate'])

    def __init__(self, model, about):
        super().__init__(model, about)
        self._scorers, self._correlators = {}, {}

    def scores(self, features, superpixel_maps, fine):
        """Class scores of one image.

        Parameters
        ----------
        features : ndarray, (512, h, w)
        superpixel_maps : list of ndarray of int32, (rows, cols) each
        fine : ndarray, (512, 2 h, 2 w)

        Returns
        -------
        cell_scores : ndarray, (classes, h, w)
            None without the GAP branch.
        superpixel_scores : list of ndarray, (n, classes) each
            For each map; empty without the superpixel branch.
        image_scores : list of ndarray, (classes,) each
            From each map; empty without the superpixel branch.
        """
        settings, n_maps = self.settings, len(superpixel_maps)
        if n_maps not in self._scorers:
            self._scorers[n_maps] = scorer(self.model, len(self.about['class_names']), settings, n_maps)
        inputs = [features / self.about['rms']] + superpixel_maps
        if settings.correlation and settings.superpixel_branch:
            inputs.append(fine)
        outputs = self._scorers[n_maps].predict_on_batch([each[np.newaxis] for each in inputs])
        outputs = [scores[0] for scores in (outputs if isinstance(outputs, list) else [outputs])]
        cell_scores = outputs.pop(0) if settings.gap_branch else None
        return cell_scores, outputs[:len(outputs) // 2], outputs[len(outputs) // 2:]

    def correlation(self, fine, superpixel_maps):
        """How much each superpixel of an image takes over from each other one that looks alike.

        Parameters
        ----------
        fine : ndarray, (512, 2 h, 2 w)
        superpixel_maps : list of ndarray of int32, (rows, cols) each

        Returns
        -------
        ndarray, (n, n)
            The superpixels of all maps, one map after the other. Rows sum up to 1.
        """
        n_maps = len(superpixel_maps)
        if n_maps not in self._correlators:
            self._correlators[n_maps] = correlator(n_maps)
        return self._correlators[n_maps].predict_on_batch([each[np.newaxis] for each in [fine] + superpixel_maps])[0]

    def bias(self, name):
        """The bias of a layer of class scores, (classes,)."""
        return self.model.get_layer(name).get_weights()[1]
