"""Keras layers that pool the features of each superpixel."""
import theano.tensor as T
from keras import backend as K
from keras.engine import Layer

from theano_spp import superpixel_pool, superpixel_sizes
from theano_spp.arguments import as_mode, as_resize
from theano_spp.arguments import check_goes_with_resize
from theano_spp.ops.sharing import for_each_image
from theano_spp.pool import MODES
from theano_spp.sizes import superpixel_count
from theano_spp.arguments import check_goes_with_weights

from .arguments import is_positive_integer
from .data_format import channels_from_front, channels_to_front, join_shape, split_shape
from .inputs import as_labels, differ, shapes_of_inputs, without_masked


class _SuperpixelPooling(Layer):
    """Base class of the layers below, which only differ in `spatial_axes`."""

    spatial_axes = None

    def __init__(self, n_superpixels=None, mode='mean', data_format=None, mask_empty=False, resize=None,
                 **kwargs):
        super().__init__(**kwargs)
        self.n_superpixels = self._check_n_superpixels(n_superpixels)
        self.mode = as_mode(type(self).__name__, mode, MODES)
        self.data_format = K.normalize_data_format(data_format)
        self.mask_empty = bool(mask_empty)
        as_resize(type(self).__name__, resize)
        check_goes_with_resize(type(self).__name__, self.mode, resize)
        self.resize = resize
        self.supports_masking = True  # otherwise clone_model drops the mask that compute_mask returns

    def _check_n_superpixels(self, n_superpixels):
        if n_superpixels is None:
            return None
        if not is_positive_integer(n_superpixels):
            raise ValueError('%s: n_superpixels is %r, but must be a positive integer, or None to have it'
                             ' counted in each batch' % (type(self).__name__, n_superpixels))
        return int(n_superpixels)

    def _check(self, inputs):
        # Here and not in build, which Keras calls only once for a shared layer.
        feature_axes, map_axes = 2 + self.spatial_axes, 1 + self.spatial_axes
        shapes = shapes_of_inputs(self, inputs, ['feature_map', 'superpixel_map', 'pixel_weights'],
                                  [feature_axes, map_axes, map_axes], optional=1)
        if len(shapes) == 3:
            check_goes_with_weights(type(self).__name__, self.mode, self.resize)
        _, _, spatial = split_shape(shapes[0], self.data_format)
        if self.resize is None and differ(spatial, shapes[1][1:]):
            raise ValueError(
                '%s: feature_map has shape %s (%s), but superpixel_map has shape %s; their spatial sizes must be'
                ' equal: resize the superpixel map to the features by nearest neighbour, or have the layer resize'
                " the features: resize='bilinear' or resize='nearest'"
                % (type(self).__name__, shapes[0], self.data_format, shapes[1]))
        if len(shapes) == 3 and differ(shapes[2][1:], shapes[1][1:]):
            raise ValueError('%s: pixel_weights has shape %s, but superpixel_map has shape %s; one weight for each'
                             ' pixel is wanted: (batch, *spatial)' % (type(self).__name__, shapes[2], shapes[1]))

    def _labels(self, inputs, mask):
        mask = mask[0] if mask else None
        if mask is not None and self.resize is not None:
            raise ValueError('%s: feature_map has a mask, but resize is %r; a mask is not resized (label the pixels'
                             ' that do not count with -1 instead)' % (type(self).__name__, self.resize))
        return without_masked(self, as_labels(self, inputs[1]), mask, inputs[0].shape[0])

    def call(self, inputs, mask=None):
        self._check(inputs)
        pooled = superpixel_pool(channels_to_front(inputs[0], self.data_format), self._labels(inputs, mask),
                                 self.n_superpixels, self.mode, inputs[2] if len(inputs) == 3 else None, self.resize)
        return channels_from_front(pooled, self.data_format)

    def compute_mask(self, inputs, mask=None):
        if not self.mask_empty:
            return None
        labels, n_superpixels, batch = self._labels(inputs, mask), self.n_superpixels, inputs[0].shape[0]
        if len(inputs) == 3:  # pixels of weight 0 do not count, but their labels do if n is derived from the labels
            n_superpixels = superpixel_count(labels) if n_superpixels is None else n_superpixels
            labels = without_masked(self, labels, T.neq(inputs[2], 0), batch)
        present = T.gt(for_each_image(superpixel_sizes(labels, n_superpixels), batch), 0)
        present._keras_shape = (None, self.n_superpixels)  # TimeDistributed needs it
        return present

    def compute_output_shape(self, input_shape):
        batch, channels, _ = split_shape(input_shape[0], self.data_format)
        return join_shape(batch, channels, (self.n_superpixels,), self.data_format)

    def get_config(self):
        config = {'n_superpixels': self.n_superpixels, 'mode': self.mode,
                  'data_format': self.data_format, 'mask_empty': self.mask_empty, 'resize': self.resize}
        return dict(super().get_config(), **config)


class SuperpixelPooling2D(_SuperpixelPooling):
    """Superpixel pooling of images: one feature vector for each superpixel.

    Called on ``[feature_map, superpixel_map]``. The map contains the superpixel of each pixel,
    0 .. n_superpixels - 1, as integers or as floats with integer values. Pixels with a
    negative label belong to no superpixel. An optional third input, `pixel_weights`, weights
    each pixel in the sum, the mean, the variance or the standard deviation.

    # Arguments
        n_superpixels: A positive integer, or None to take the largest label of each
            batch + 1. Give a number if the pooled features are an output of the model:
            `predict` concatenates batches, so all must have the same shape.
        mode: `'mean'`, `'sum'`, `'max'`, `'min'`, `'var'`, `'std'` or `'logsumexp'`; the last
            three without `resize`.
        data_format: A string, one of `channels_last` or `channels_first`.
            None takes `image_data_format` of your Keras config file.
        mask_empty: Whether to pass a mask to the next layers, (batch, n_superpixels), that is
            False for superpixels without pixels, or whose pixels all have weight 0:
            `GlobalAveragePooling1D` then averages only over the others (it needs
            `n_superpixels` and `channels_last`).
        resize: `None`, `'nearest'` or `'bilinear'`: how features of another size than the
            superpixel map are resized to it, with half-pixel centres, before they are pooled.
            The resized features are never created, so this is cheap for maps of any size
            (except without a C compiler, or in Theano's mode FAST_COMPILE).

    # Input shape
        A list of two tensors, or of three with the weights, (batch, rows, cols):
        - If `data_format='channels_last'`:
            `[(batch, rows, cols, channels), (batch, rows, cols)]`
        - If `data_format='channels_first'`:
            `[(batch, channels, rows, cols), (batch, rows, cols)]`
        The rows and cols of features and map may differ if `resize` is given.
        One map, of shape (1, rows, cols), serves all images as a tensor instead of an input to feed:
        `Input(tensor=K.variable(superpixel_map, dtype='int32'))`. So do weights.

    # Output shape
        - If `data_format='channels_last'`: `(batch, n_superpixels, channels)`
        - If `data_format='channels_first'`: `(batch, channels, n_superpixels)`
        The value of a superpixel without pixels is 0.

    # Raises
        ValueError: if the arguments are invalid or the shapes do not match.
        IndexError: when the model runs, if a label is not below `n_superpixels`.
        AssertionError: when the model runs, if a float map contains a value that is not an integer.

    # References
        - [Weakly Supervised Semantic Segmentation Using Superpixel Pooling Network, AAAI 2017]
    """

    spatial_axes = 2


class SuperpixelPooling1D(_SuperpixelPooling):
    """Superpixel pooling of sequences: one feature vector for each segment.

    As `SuperpixelPooling2D`, called on ``[feature_map, superpixel_map]``.

    # Arguments
        As for `SuperpixelPooling2D`; `data_format=None` takes `image_data_format` here too.

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
        As for `SuperpixelPooling2D`.

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
