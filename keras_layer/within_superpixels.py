"""Keras layers that compare the pixels within each superpixel; the features keep their shape."""
from keras import backend as K
from keras.engine import Layer

from theano_spp import superpixel_normalize, superpixel_softmax
from theano_spp.composites import as_epsilon

from .data_format import channels_from_front, channels_to_front, split_shape
from .inputs import as_labels, differ, shapes_of_inputs, without_masked


class _WithinSuperpixels(Layer):
    """Base class of the layers below; each defines :meth:`_compare`."""

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.supports_masking = True

    def _check(self, inputs):
        # 1 to 3, derived from the features; with any other number of axes, the check below raises an error.
        axes = K.ndim(inputs[0]) if isinstance(inputs, list) and inputs else 4
        self.spatial_axes = min(max(axes - 2, 1), 3)
        shapes = shapes_of_inputs(self, inputs, ['feature_map', 'superpixel_map'],
                                  [2 + self.spatial_axes, 1 + self.spatial_axes])
        if differ(split_shape(shapes[0], self.data_format)[2], shapes[1][1:]):
            raise ValueError('%s: feature_map has shape %s (%s), but superpixel_map has shape %s; their spatial'
                             ' sizes must be equal: resize the superpixel map to the features by nearest neighbour'
                             % (type(self).__name__, shapes[0], self.data_format, shapes[1]))

    def call(self, inputs, mask=None):
        self._check(inputs)
        labels = without_masked(self, as_labels(self, inputs[1]), mask[0] if mask else None, inputs[0].shape[0])
        compared = self._compare(channels_to_front(inputs[0], self.data_format), labels)
        return channels_from_front(compared, self.data_format)

    def _compare(self, feature_map, superpixel_map):
        raise NotImplementedError

    def compute_mask(self, inputs, mask=None):
        return mask[0] if mask else None

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return dict(super().get_config(), data_format=self.data_format)


class PixelSoftmax(_WithinSuperpixels):
    """Softmax over the pixels of each superpixel, in each channel separately; 0 on pixels without a superpixel.

    Useful as attention over the pixels of a superpixel. Not to be confused with `SuperpixelSoftmax`, which is called on
    pooled features and is the softmax over the superpixels of an image.

    Called on ``[feature_map, superpixel_map]``, with 1 to 3 spatial axes.

    # Arguments
        data_format: A string, one of `channels_last` or `channels_first`.
            None takes `image_data_format` of your Keras config file.

    # Input shape
        - If `data_format='channels_last'`: `[(batch, *spatial, channels), (batch, *spatial)]`
        - If `data_format='channels_first'`: `[(batch, channels, *spatial), (batch, *spatial)]`

    # Output shape
        As the features. The values of a superpixel sum to 1 in each channel.

    # Raises
        ValueError: if the shapes do not match.
        AssertionError: when the model runs, if a float map contains a value that is not an integer.
    """

    def _compare(self, feature_map, superpixel_map):
        return superpixel_softmax(feature_map, superpixel_map)


class SuperpixelNormalization(_WithinSuperpixels):
    """Normalizes each superpixel to mean 0 and variance 1, in each channel separately; 0 on pixels without superpixel.

    Like instance normalization, with superpixels in place of images: what remains is how pixels differ from their
    superpixel. It has no weights, and behaves the same in training and in prediction.

    Called on ``[feature_map, superpixel_map]``, with 1 to 3 spatial axes.

    # Arguments
        epsilon: A positive float, added to the variance.
        data_format: A string, one of `channels_last` or `channels_first`.
            None takes `image_data_format` of your Keras config file.

    # Input shape
        - If `data_format='channels_last'`: `[(batch, *spatial, channels), (batch, *spatial)]`
        - If `data_format='channels_first'`: `[(batch, channels, *spatial), (batch, *spatial)]`

    # Output shape
        As the features.

    # Raises
        TypeError, ValueError: if `epsilon` is not a number or not positive, or the shapes do not match.
        AssertionError: when the model runs, if a float map contains a value that is not an integer.
    """

    def __init__(self, epsilon=1e-5, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        as_epsilon(type(self).__name__, epsilon, K.floatx())
        self.epsilon = float(epsilon)

    def _compare(self, feature_map, superpixel_map):
        return superpixel_normalize(feature_map, superpixel_map, epsilon=self.epsilon)

    def get_config(self):
        return dict(super().get_config(), epsilon=self.epsilon)
