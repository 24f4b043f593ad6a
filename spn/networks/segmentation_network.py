"""The second half of the paper: a segmentation network that learns from SP-CAM's masks, in rounds.

The paper's is DecoupledNet (Hong, Noh, Han, NIPS 2015), which classifies pixels. This one is small and classifies
superpixels: features of three layers of the encoder are pooled in each superpixel, and a network with one hidden layer
gives the probability of each class and of background. As in SP-CAM, superpixels that look alike share them.
"""
import numpy as np

from .encoder import OUTPUTS
from .layers import dense
from .settings import RoundSettings, SegmentationSettings, as_json
from .trained import Trained

from keras import backend as K
from keras.layers import Concatenate, Input, Permute
from keras.models import Model
from keras.optimizers import Adam
from keras_layer import SuperpixelPooling2D


def build(n_classes, settings, n_maps=1):
    """The network.

    Parameters
    ----------
    n_classes : int
        Without background.
    settings : SegmentationSettings
    n_maps : int
        The number of superpixel maps of an image, over all of which its features are pooled.

    Returns
    -------
    keras.models.Model
        [features (batch, 512, h, w), superpixel maps (batch, rows, cols) .., fine features (batch, 512, 2 h, 2 w),
        finest (batch, 256, 2 h, 2 w)] -> for each map the probability of background and of each class, (batch, n,
        classes + 1).
    """
    inputs = [Input((channels, None, None), name=name) for name, (channels, _) in OUTPUTS.items()]
    superpixel_maps = [Input((None, None), dtype='int32', name='superpixel_map_{}'.format(k + 1))
                       for k in range(n_maps)]
    pool = SuperpixelPooling2D(data_format='channels_last', resize='bilinear', name='superpixel_pooling')
    hidden = dense(settings.hidden, 'hidden', 'relu', settings.weight_decay)
    classify = dense(n_classes + 1, 'class', 'softmax', settings.weight_decay)
    outputs, channels_last = [], [Permute((2, 3, 1))(features) for features in inputs]
    for superpixel_map in superpixel_maps:
        pooled = Concatenate()([pool([features, superpixel_map]) for features in channels_last])
        outputs.append(classify(hidden(pooled)))
    return Model([inputs[0]] + superpixel_maps + inputs[1:], outputs, name='segmentation_network')


def cross_entropy(truth, probability):
    """Cross-entropy, the mean over the pixels whose class is known: `truth` has their share of the image, by class."""
    entropy = -K.sum(truth * K.log(K.maximum(probability, K.epsilon())))
    return entropy / K.maximum(K.sum(truth), K.epsilon())


class SegmentationNetwork(Trained):
    """A trained segmentation network.

    Attributes
    ----------
    about : dict
        In addition to those of `Trained`: ``round``, ``rms`` (what features are divided by, in the order of
        `spn.networks.encoder.OUTPUTS`), ``data`` and ``teacher`` (digests of the data set and of the model whose masks
        it learned from) and ``threshold``, as a share of the maximum of each class, chosen on 'val'.
    """

    layout, what, command = 'spn segmentation network 1', 'a trained segmentation network', '`spn segment`'
    added_by_training, may_lack = ('log', 'threshold', 'rms'), ('threshold',)
    settings_type, training_type = SegmentationSettings, RoundSettings
    example = {'class_names': [''], 'settings': as_json(SegmentationSettings()), 'training': as_json(RoundSettings()),
               'seed': 0, 'round': 1, 'data': '', 'teacher': '', 'rms': [1.], 'threshold': .5, 'log': [{}]}

    @staticmethod
    def built(about):
        return build(len(about['class_names']), SegmentationSettings(**about['settings']))

    @staticmethod
    def compile(model, about):
        model.compile(Adam(about['training']['learning_rate']), cross_entropy)

    def __init__(self, model, about):
        super().__init__(model, about)
        self._models = {}

    def probabilities(self, blocks, superpixel_maps):
        """Probabilities of the superpixels of one image.

        Parameters
        ----------
        blocks : list of ndarray, (channels, h, w) each
            In the order of `spn.networks.encoder.OUTPUTS`.
        superpixel_maps : list of ndarray of int32, (rows, cols) each

        Returns
        -------
        list of ndarray, (n, classes + 1) each
            For each map, background first.
        """
        n_maps = len(superpixel_maps)
        if n_maps not in self._models:
            self._models[n_maps] = build(len(self.about['class_names']), self.settings, n_maps)
            self._models[n_maps].set_weights(self.model.get_weights())
        first, *others = [(features / rms)[np.newaxis] for features, rms in zip(blocks, self.about['rms'])]
        inputs = [first] + [superpixel_map[np.newaxis] for superpixel_map in superpixel_maps] + others
        outputs = self._models[n_maps].predict_on_batch(inputs)
        return [output[0] for output in (outputs if n_maps > 1 else [outputs])]
