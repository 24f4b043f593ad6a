"""Keras layers that pool or compare the superpixels of an image, without the empty ones."""
import theano.tensor as T
from keras import backend as K
from keras.engine import Layer
from theano.gradient import disconnected_grad

from theano_spp.arguments import as_mode

MODES = ('max', 'mean', 'sum')


class _OverSuperpixels(Layer):
    """Base class of the layers below, whose input is pooled features with a mask of the superpixels that exist."""

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.supports_masking = True
        self.axis = 2 if self.data_format == 'channels_first' else 1  # of the superpixels

    def _present(self, pooled, mask):
        """Which superpixels exist, in the shape of `pooled`; all of them without a mask."""
        if K.ndim(pooled) != 3:
            raise ValueError('%s: pooled has %d axes, but features of superpixels are wanted: (batch, channels,'
                             ' n_superpixels) or, channels last, (batch, n_superpixels, channels)'
                             % (type(self).__name__, K.ndim(pooled)))
        if mask is None:
            return T.ones_like(pooled, dtype='bool')
        return T.and_(mask.dimshuffle((0, 'x', 1) if self.axis == 2 else (0, 1, 'x')),
                      T.ones_like(pooled, dtype='bool'))

    def get_config(self):
        return dict(super().get_config(), data_format=self.data_format)


class GlobalSuperpixelPooling(_OverSuperpixels):
    """The maximum, mean or sum over the superpixels of an image, without those that have no pixels.

    Needs ``mask_empty=True`` in the pooling layer before it. Keras's own `GlobalMaxPooling1D` would treat the 0 of a
    superpixel without pixels as a value.

    # Arguments
        mode: `'max'`, `'mean'` or `'sum'`. If several superpixels have the maximum, the gradient goes to each of
            them.
        data_format: As for the pooling layer.

    # Input shape
        - If `data_format='channels_last'`: `(batch, n_superpixels, channels)`
        - If `data_format='channels_first'`: `(batch, channels, n_superpixels)`

    # Output shape
        `(batch, channels)`; 0 for an image without superpixels.

    # Raises
        ValueError: if `mode` is none of these, or the input does not have three axes.
    """

    def __init__(self, mode='max', data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.mode = as_mode(type(self).__name__, mode, MODES)

    def call(self, inputs, mask=None):
        present = self._present(inputs, mask)
        if self.mode == 'max':
            # One more value is appended for images without superpixels: Theano has no maximum over an empty axis.
            smallest = T.alloc(T.constant(-float('inf'), dtype=inputs.dtype),
                               *[1 if axis == self.axis else inputs.shape[axis] for axis in range(3)])
            largest = T.max(T.concatenate([T.switch(present, inputs, smallest), smallest], axis=self.axis),
                            axis=self.axis)
            return T.switch(T.any(present, axis=self.axis), largest, T.zeros_like(largest))
        total = T.sum(T.switch(present, inputs, T.zeros_like(inputs)), axis=self.axis)
        if self.mode == 'sum':
            return total
        return total / T.maximum(T.sum(present, axis=self.axis, dtype=inputs.dtype), T.ones_like(total))

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[3 - self.axis]

    def get_config(self):
        return dict(super().get_config(), mode=self.mode)


class SuperpixelSoftmax(_OverSuperpixels):
    """Softmax over the superpixels of an image, in each channel separately; 0 for superpixels that have no pixels.

    Useful as attention over superpixels. Needs ``mask_empty=True`` in the pooling layer before it. Not to be confused
    with `PixelSoftmax`, which is called on a feature map and is the softmax over the pixels of each superpixel.

    # Arguments
        data_format: As for the pooling layer.

    # Input shape
        - If `data_format='channels_last'`: `(batch, n_superpixels, channels)`
        - If `data_format='channels_first'`: `(batch, channels, n_superpixels)`

    # Output shape
        As the input. The values of an image sum to 1 in each channel; they are all 0 for an image without superpixels.

    # Raises
        ValueError: if the input does not have three axes.
    """

    def call(self, inputs, mask=None):
        present = self._present(inputs, mask)
        # The maximum is subtracted to avoid overflow; neither the result nor the gradient depends on it.

        largest = GlobalSuperpixelPooling('max', self.data_format).call(inputs, mask).dimshuffle(
            (0, 1, 'x') if self.axis == 2 else (0, 'x', 1))
        powers = T.switch(present, T.exp(T.switch(present, inputs - disconnected_grad(largest), T.zeros_like(inputs))),
                          T.zeros_like(inputs))
        total = T.sum(powers, axis=self.axis, keepdims=True)
        return powers / T.switch(T.gt(total, 0), total, T.ones_like(total))

    def compute_mask(self, inputs, mask=None):
        return mask

    def compute_output_shape(self, input_shape):
        return input_shape
