"""Keras layers that paint each superpixel's features on its pixels."""
from keras import backend as K
from keras.engine import Layer

from theano_spp import SuperpixelUnpool, superpixel_unpool
from theano_spp.arguments import as_mode

from .data_format import channels_from_front, channels_to_front, join_shape, split_shape
from .inputs import as_labels, shapes_of_two_inputs


class _SuperpixelUnpooling(Layer):
    """The layers below in all they share; they differ in `spatial_axes` alone."""

    spatial_axes = None

    def __init__(self, mode='sum', data_format=None, **kwargs):
        super(_SuperpixelUnpooling, self).__init__(**kwargs)
        self.mode = as_mode(type(self).__name__, mode, SuperpixelUnpool.modes)
        self.data_format = K.normalize_data_format(data_format)
        self.supports_masking = True

    def call(self, inputs):
        shapes_of_two_inputs(self, inputs, 'pooled', 3)
        pooled, superpixel_map = inputs
        painted = superpixel_unpool(channels_to_front(pooled, self.data_format),
                                    as_labels(self, superpixel_map), self.mode)
        return channels_from_front(painted, self.data_format)

    def compute_mask(self, inputs, mask=None):
        return None  # a mask of empty superpixels ends here: no pixel is painted by one

    def compute_output_shape(self, input_shape):
        pooled_shape, map_shape = input_shape
        batch, channels, _ = split_shape(pooled_shape, self.data_format)
        return join_shape(batch, channels, map_shape[1:], self.data_format)

    def get_config(self):
        config = {'mode': self.mode, 'data_format': self.data_format}
        return dict(super(_SuperpixelUnpooling, self).get_config(), **config)


class SuperpixelUnpooling2D(_SuperpixelUnpooling):
    """Paints each superpixel's features on its pixels.

    Called on ``[pooled, superpixel_map]``, with the map that was pooled with, or another.

    # Arguments
        mode: `'sum'` paints the features themselves; `'mean'` paints features / size, the
            gradient of mean pooling.
        data_format: A string, one of `channels_last` or `channels_first`.
            None takes `image_data_format` of your Keras config file.

    # Input shape
        A list of two tensors:
        - If `data_format='channels_last'`:
            `[(batch, n_superpixels, channels), (batch, rows, cols)]`
        - If `data_format='channels_first'`:
            `[(batch, channels, n_superpixels), (batch, rows, cols)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, rows, cols, channels)`
        - If `data_format='channels_first'`: `(batch, channels, rows, cols)`
        A pixel with a negative label holds 0.

    # Raises
        ValueError: if the arguments or the shapes do not fit.
        IndexError: when the model runs, if `pooled` has no superpixel for a label.
        AssertionError: when the model runs, if a float map holds a value that is no whole number.
    """

    spatial_axes = 2


class SuperpixelUnpooling1D(_SuperpixelUnpooling):
    """Paints each segment's features on its steps. As `SuperpixelUnpooling2D`.

    # Input shape
        - If `data_format='channels_last'`: `[(batch, n_superpixels, channels), (batch, steps)]`
        - If `data_format='channels_first'`: `[(batch, channels, n_superpixels), (batch, steps)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, steps, channels)`
        - If `data_format='channels_first'`: `(batch, channels, steps)`
    """

    spatial_axes = 1


class SuperpixelUnpooling3D(_SuperpixelUnpooling):
    """Paints each supervoxel's features on its voxels. As `SuperpixelUnpooling2D`.

    # Input shape
        - If `data_format='channels_last'`:
            `[(batch, n_superpixels, channels), (batch, dim1, dim2, dim3)]`
        - If `data_format='channels_first'`:
            `[(batch, channels, n_superpixels), (batch, dim1, dim2, dim3)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, dim1, dim2, dim3, channels)`
        - If `data_format='channels_first'`: `(batch, channels, dim1, dim2, dim3)`
    """

    spatial_axes = 3
