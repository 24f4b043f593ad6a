"""What the layers may be called on: two inputs, the second a label map of integers or floats."""
import numpy as np
import theano.tensor as T
from keras import backend as K


def shapes_of_two_inputs(layer, inputs, first, first_axes):
    """Return the shapes, None where unknown, of [first, superpixel_map]; ValueError if `inputs` are not these.

    Parameters
    ----------
    layer : keras.layers.Layer
        With the attribute `spatial_axes`.
    inputs : object
        What the layer was called on.
    first : str
        The name of the first input.
    first_axes : int
        How many axes it has.
    """
    name = type(layer).__name__
    if not isinstance(inputs, list) or len(inputs) != 2:
        raise ValueError('%s is called on [%s, superpixel_map], but got %s' % (
            name, first, '%d tensors' % len(inputs) if isinstance(inputs, list) and len(inputs) > 1 else 'one tensor'))
    # A placeholder of the backend may know its axes alone.
    first_shape, map_shape = [K.int_shape(x) or (None,) * K.ndim(x) for x in inputs]
    if len(first_shape) != first_axes:
        raise ValueError('%s: %s has shape %s, but %d axes are wanted'
                         % (name, first, first_shape, first_axes))
    if len(map_shape) != 1 + layer.spatial_axes:
        raise ValueError('%s: superpixel_map has shape %s, but (batch, *spatial) with %d spatial %s is'
                         ' wanted (it has no channel axis)'
                         % (name, map_shape, layer.spatial_axes, 'axis' if layer.spatial_axes == 1 else 'axes'))
    return first_shape, map_shape


def as_labels(layer, superpixel_map):
    """Return a label map of integers; one of floats is cast, if it holds whole numbers.

    The check runs with the model and raises AssertionError: a map that was resized
    bilinearly holds values between its labels, and these are no labels.
    """
    if not superpixel_map.dtype.startswith('float'):
        return superpixel_map
    name = type(layer).__name__
    largest = 2 ** (np.finfo(superpixel_map.dtype).nmant + 1)  # beyond it neighbouring labels are one float
    superpixel_map = T.opt.Assert(
        '%s: superpixel_map holds values that are no whole numbers, but labels are 0, 1, 2, ... or -1 for none'
        ' (resize label maps by nearest neighbour)' % name)(
            superpixel_map, T.all(T.eq(superpixel_map, T.floor(superpixel_map))))
    superpixel_map = T.opt.Assert(
        '%s: superpixel_map holds labels beyond %d, which %s cannot tell apart'
        " (use an input with dtype='int32')" % (name, largest, superpixel_map.dtype))(
            superpixel_map, T.all(T.le(abs(superpixel_map), largest)))
    return T.cast(superpixel_map, 'int64')


def without_masked(layer, labels, mask):
    """Return `labels` with -1 where Keras's `mask` of the features is False: masked pixels belong to none."""
    if mask is None:
        return labels
    if K.ndim(mask) != K.ndim(labels):
        raise ValueError('%s: the mask of feature_map has %d axes, but superpixel_map has %d; a mask says for'
                         ' each pixel whether it counts (label the pixels that do not with -1 instead)'
                         % (type(layer).__name__, K.ndim(mask), K.ndim(labels)))
    return T.switch(mask, T.cast(labels, 'int64'), -1)
