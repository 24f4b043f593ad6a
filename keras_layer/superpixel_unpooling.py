"""Keras layers that paint each superpixel's features on its pixels."""
from keras import backend as K
from keras.engine import Layer

from theano_spp import SuperpixelUnpool, superpixel_unpool
from theano_spp.arguments import as_mode, as_resize

from .data_format import channels_from_front, channels_to_front, join_shape, split_shape
from .inputs import as_labels, shapes_of_inputs


class _SuperpixelUnpooling(Layer):
    """Base class of the layers below, which only differ in `spatial_axes`."""

    spatial_axes = None

    def __init__(self, mode='sum', data_format=None, resize=None, **kwargs):
        super().__init__(**kwargs)
        self.mode = as_mode(type(self).__name__, mode, SuperpixelUnpool.modes)
        self.data_format = K.normalize_data_format(data_format)
        as_resize(type(self).__name__, resize)
        self.resize = resize
        self.supports_masking = True

    def call(self, inputs):
        map_axes, feature_axes = 1 + self.spatial_axes, 2 + self.spatial_axes
        if self.resize is None:
            shapes_of_inputs(self, inputs, ['pooled', 'superpixel_map'], [3, map_axes],
                             cure="a third one, feature_map, goes with resize='nearest' or 'bilinear'")
            spatial_shape = None
        else:
            shapes_of_inputs(self, inputs, ['pooled', 'superpixel_map', 'feature_map'], [3, map_axes, feature_axes],
                             cure='resize is %r, and the spatial sizes to make are those of feature_map; leave resize'
                                  ' out to paint in the size of superpixel_map' % self.resize)
            spatial_shape = channels_to_front(inputs[2], self.data_format).shape[2:]
        painted = superpixel_unpool(channels_to_front(inputs[0], self.data_format), as_labels(self, inputs[1]),
                                    self.mode, self.resize, spatial_shape)
        return channels_from_front(painted, self.data_format)

    def compute_mask(self, inputs, mask=None):
        return None  # a mask of empty superpixels ends here: they paint no pixel

    def compute_output_shape(self, input_shape):
        batch, channels, _ = split_shape(input_shape[0], self.data_format)
        spatial = (input_shape[1][1:] if self.resize is None
                   else split_shape(input_shape[2], self.data_format)[2])
        return join_shape(batch, channels, spatial, self.data_format)

    def get_config(self):
        config = {'mode': self.mode, 'data_format': self.data_format, 'resize': self.resize}
        return dict(super().get_config(), **config)


class SuperpixelUnpooling2D(_SuperpixelUnpooling):
    """Paints each superpixel's features on its pixels.

    Called on ``[pooled, superpixel_map]``, with the map that was used for pooling, or another.

    # Arguments
        mode: `'sum'` paints the features themselves; `'mean'` paints features / size, the
            gradient of mean pooling.
        data_format: A string, one of `channels_last` or `channels_first`.
            None takes `image_data_format` of your Keras config file.
        resize: `None`, or `'nearest'` or `'bilinear'` to make features of another size than the
            map, that of a third input, `feature_map`. Each cell gets the sum over the pixels that
            see it, weighted by how much they see of it: the adjoint of pooling with `resize`.

    # Input shape
        A list of two tensors, or of three with `resize`:
        - If `data_format='channels_last'`:
            `[(batch, n_superpixels, channels), (batch, rows, cols)]`
        - If `data_format='channels_first'`:
            `[(batch, channels, n_superpixels), (batch, rows, cols)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, rows, cols, channels)`
        - If `data_format='channels_first'`: `(batch, channels, rows, cols)`
        The value of a pixel with a negative label is 0.

    # Raises
        ValueError: if the arguments are invalid or the shapes do not match.
        IndexError: when the model runs, if `pooled` has no superpixel for a label.
        AssertionError: when the model runs, if a float map contains a value that is not an integer.
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
