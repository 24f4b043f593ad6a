"""Keras layers that look over all superpixels of an image, and leave those without pixels out."""
import theano.tensor as T
from keras import backend as K
from keras.engine import Layer
from theano.gradient import disconnected_grad

from theano_spp.arguments import as_mode

MODES = ('max', 'mean', 'sum')


class _OverSuperpixels(Layer):
    """What the layers below share: pooled features, and the mask that says which superpixels there are."""

    def __init__(self, data_format=None, **kwargs):
        super(_OverSuperpixels, self).__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.supports_masking = True
        self.axis = 2 if self.data_format == 'channels_first' else 1  # of the superpixels

    def _present(self, pooled, mask):
        """Which superpixels there are, with the axes of `pooled`; all of them without a mask."""
        if K.ndim(pooled) != 3:
            raise ValueError('%s: pooled has %d axes, but features of superpixels are wanted: (batch, channels,'
                             ' n_superpixels) or, channels last, (batch, n_superpixels, channels)'
                             % (type(self).__name__, K.ndim(pooled)))
        if mask is None:
            return T.ones_like(pooled, dtype='bool')
        return T.and_(mask.dimshuffle((0, 'x', 1) if self.axis == 2 else (0, 1, 'x')),
                      T.ones_like(pooled, dtype='bool'))

    def get_config(self):
        return dict(super(_OverSuperpixels, self).get_config(), data_format=self.data_format)


class GlobalSuperpixelPooling(_OverSuperpixels):
    """The maximum, mean or sum over the superpixels of an image, without those that have no pixels.

    Give ``mask_empty=True`` to the pooling layer below: Keras's own `GlobalMaxPooling1D` takes the 0 of a superpixel
    without pixels for a value.

    # Arguments
        mode: `'max'`, `'mean'` or `'sum'`. Where several superpixels have the maximum, the gradient goes to each of
            them.
        data_format: As of the pooling layer.

    # Input shape
        - If `data_format='channels_last'`: `(batch, n_superpixels, channels)`
        - If `data_format='channels_first'`: `(batch, channels, n_superpixels)`

    # Output shape
        `(batch, channels)`; 0 for an image without superpixels.

    # Raises
        ValueError: if `mode` is none of these, or the input has not three axes.
    """

    def __init__(self, mode='max', data_format=None, **kwargs):
        super(GlobalSuperpixelPooling, self).__init__(data_format, **kwargs)
        self.mode = as_mode(type(self).__name__, mode, MODES)

    def call(self, inputs, mask=None):
        present = self._present(inputs, mask)
        if self.mode == 'max':
            # With one more value, that of an image without superpixels: Theano has no maximum of nothing.
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
        return dict(super(GlobalSuperpixelPooling, self).get_config(), mode=self.mode)


class SuperpixelSoftmax(_OverSuperpixels):
    """The softmax over the superpixels of an image, of each channel by itself; 0 for superpixels that have no pixels.

    As attention over superpixels: which of them count. Give ``mask_empty=True`` to the pooling layer below. Not to be
    confused with `PixelSoftmax`, which is called on a feature map and is the softmax over the pixels of each
    superpixel.

    # Arguments
        data_format: As of the pooling layer.

    # Input shape
        - If `data_format='channels_last'`: `(batch, n_superpixels, channels)`
        - If `data_format='channels_first'`: `(batch, channels, n_superpixels)`

    # Output shape
        As the input. The values of an image sum to 1 in each channel; they are all 0 for an image without superpixels.

    # Raises
        ValueError: if the input has not three axes.
    """

    def call(self, inputs, mask=None):
        present = self._present(inputs, mask)
        # The largest is subtracted so that nothing overflows; the result does not depend on it, nor does the gradient.
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
