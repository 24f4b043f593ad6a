"""Keras layers that pool the features of each superpixel."""
import numpy as np
import theano.tensor as T
from keras import backend as K
from keras.engine import Layer

from theano_spp import SuperpixelPool, superpixel_pool, superpixel_sizes
from theano_spp.arguments import as_mode

from .data_format import channels_from_front, channels_to_front, join_shape, split_shape
from .inputs import as_labels, shapes_of_two_inputs, without_masked


class _SuperpixelPooling(Layer):
    """The layers below in all they share; they differ in `spatial_axes` alone."""

    spatial_axes = None

    def __init__(self, n_superpixels=None, mode='mean', data_format=None, mask_empty=False, **kwargs):
        super(_SuperpixelPooling, self).__init__(**kwargs)
        self.n_superpixels = self._check_n_superpixels(n_superpixels)
        self.mode = as_mode(type(self).__name__, mode, SuperpixelPool.modes)
        self.data_format = K.normalize_data_format(data_format)
        self.mask_empty = bool(mask_empty)
        self.supports_masking = True  # else clone_model drops the mask that compute_mask gives

    def _check_n_superpixels(self, n_superpixels):
        if n_superpixels is None:
            return None
        whole = isinstance(n_superpixels, (int, np.integer)) and not isinstance(n_superpixels, bool)
        if not whole or n_superpixels < 1:
            raise ValueError('%s: n_superpixels is %r, but must be a positive integer, or None to have it'
                             ' counted in each batch' % (type(self).__name__, n_superpixels))
        return int(n_superpixels)

    def _check(self, inputs):
        # Here and not in build, which a shared layer passes only once.
        feature_shape, map_shape = shapes_of_two_inputs(self, inputs, 'feature_map', 2 + self.spatial_axes)
        _, _, spatial = split_shape(feature_shape, self.data_format)
        if any(None not in sizes and sizes[0] != sizes[1] for sizes in zip(spatial, map_shape[1:])):
            raise ValueError(
                '%s: feature_map has shape %s (%s), but superpixel_map has shape %s; their spatial sizes'
                ' must be equal: resize the superpixel map to the features by nearest neighbour, or'
                ' upsample the features to the map'
                % (type(self).__name__, feature_shape, self.data_format, map_shape))

    def _labels(self, inputs, mask):
        return without_masked(self, as_labels(self, inputs[1]), mask[0] if mask else None)

    def call(self, inputs, mask=None):
        self._check(inputs)
        pooled = superpixel_pool(channels_to_front(inputs[0], self.data_format), self._labels(inputs, mask),
                                 self.n_superpixels, self.mode)
        return channels_from_front(pooled, self.data_format)

    def compute_mask(self, inputs, mask=None):
        if not self.mask_empty:
            return None
        present = T.gt(superpixel_sizes(self._labels(inputs, mask), self.n_superpixels), 0)
        present._keras_shape = (None, self.n_superpixels)  # TimeDistributed asks for it
        return present

    def compute_output_shape(self, input_shape):
        batch, channels, _ = split_shape(input_shape[0], self.data_format)
        return join_shape(batch, channels, (self.n_superpixels,), self.data_format)

    def get_config(self):
        config = {'n_superpixels': self.n_superpixels, 'mode': self.mode,
                  'data_format': self.data_format, 'mask_empty': self.mask_empty}
        return dict(super(_SuperpixelPooling, self).get_config(), **config)


class SuperpixelPooling2D(_SuperpixelPooling):
    """Superpixel pooling of images: one feature vector for each superpixel.

    Called on ``[feature_map, superpixel_map]``. The map holds the superpixel of each pixel,
    0 .. n_superpixels - 1, as integers or as floats that are whole numbers. Pixels with a
    negative label belong to none.

    # Arguments
        n_superpixels: A positive integer, or None to take the largest label of each
            batch + 1. Give a number where the pooled features are an output of the model:
            `predict` puts batches together, and these must have one shape.
        mode: `'mean'` or `'sum'`.
        data_format: A string, one of `channels_last` or `channels_first`.
            None takes `image_data_format` of your Keras config file.
        mask_empty: Whether to give the layers above a mask, (batch, n_superpixels), that is
            False for the superpixels without pixels: `GlobalAveragePooling1D` then averages
            over the others alone (give `n_superpixels` and use `channels_last` for it).

    # Input shape
        A list of two tensors:
        - If `data_format='channels_last'`:
            `[(batch, rows, cols, channels), (batch, rows, cols)]`
        - If `data_format='channels_first'`:
            `[(batch, channels, rows, cols), (batch, rows, cols)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, n_superpixels, channels)`
        - If `data_format='channels_first'`: `(batch, channels, n_superpixels)`
        A superpixel without pixels holds 0.

    # Raises
        ValueError: if the arguments or the shapes do not fit.
        IndexError: when the model runs, if a label is not below `n_superpixels`.
        AssertionError: when the model runs, if a float map holds a value that is no whole number.

    # References
        - [Weakly Supervised Semantic Segmentation Using Superpixel Pooling Network, AAAI 2017]
    """

    spatial_axes = 2


class SuperpixelPooling1D(_SuperpixelPooling):
    """Superpixel pooling of sequences: one feature vector for each segment.

    As `SuperpixelPooling2D`, called on ``[feature_map, superpixel_map]``.

    # Arguments
        As of `SuperpixelPooling2D`; `data_format=None` takes `image_data_format` here too.

    # Input shape
        - If `data_format='channels_last'`: `[(batch, steps, channels), (batch, steps)]`
        - If `data_format='channels_first'`: `[(batch, channels, steps), (batch, steps)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, n_superpixels, channels)`
        - If `data_format='channels_first'`: `(batch, channels, n_superpixels)`
    """

    spatial_axes = 1


class SuperpixelPooling3D(_SuperpixelPooling):
    """Superpixel pooling of volumes: one feature vector for each supervoxel.

    As `SuperpixelPooling2D`, called on ``[feature_map, superpixel_map]``.

    # Arguments
        As of `SuperpixelPooling2D`.

    # Input shape
        - If `data_format='channels_last'`:
            `[(batch, dim1, dim2, dim3, channels), (batch, dim1, dim2, dim3)]`
        - If `data_format='channels_first'`:
            `[(batch, channels, dim1, dim2, dim3), (batch, dim1, dim2, dim3)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, n_superpixels, channels)`
        - If `data_format='channels_first'`: `(batch, channels, n_superpixels)`
    """

    spatial_axes = 3
