"""Checks of the inputs of the layers: tensors and lists of them, among them label maps of integers or floats."""
import numpy as np
import theano.tensor as T
from keras import backend as K

from theano_spp.ops.sharing import for_each_image


def shapes_of_inputs(layer, inputs, names, axes, optional=0, cure=''):
    """Return the shapes of the inputs, None where unknown; ValueError if the inputs are not as described.

    Parameters
    ----------
    layer : keras.layers.Layer
        With the attribute `spatial_axes`.
    inputs : object
        The argument of the layer's call: a list of tensors, or one tensor.
    names : list of str
        The names of the expected inputs; a label map is called 'superpixel_map'.
    axes : list of int
        The expected number of axes of each.
    optional : int
        The number of inputs at the end that may be missing.
    cure : str
        What to do, for the error about too few or too many inputs.

    Returns
    -------
    list of tuple
    """
    name = type(layer).__name__
    least = len(names) - optional
    if len(names) == 1 and not isinstance(inputs, list):
        inputs = [inputs]
    if not isinstance(inputs, list) or not least <= len(inputs) <= len(names):
        raise ValueError('%s is called on %s%s, but got %s%s' % (
            name, names[0] if len(names) == 1 else '[%s]' % ', '.join(names[:least]),
            ''.join(' or [%s]' % ', '.join(names[:most]) for most in range(least + 1, len(names) + 1)),
            '%d tensors' % len(inputs) if isinstance(inputs, list) and len(inputs) > 1 else 'one tensor',
            cure and ' (%s)' % cure))
    # A placeholder of the backend may only know its number of axes.
    shapes = [K.int_shape(x) or (None,) * K.ndim(x) for x in inputs]
    for argument, x, shape, wanted in zip(names, inputs, shapes, axes):
        if len(shape) != wanted:
            stale = (' (the tensor itself has %d axes, so the shape that Keras keeps of it is wrong: give the Lambda'
                     ' that makes it its output_shape)' % wanted if K.ndim(x) == wanted else '')
            raise ValueError('%s: %s has shape %s, but %s%s' % (
                name, argument, shape, '%d axes are wanted' % wanted if argument != 'superpixel_map' else
                '(batch, *spatial) with %d spatial %s is wanted (it has no channel axis)'
                % (layer.spatial_axes, 'axis' if layer.spatial_axes == 1 else 'axes'), stale))
    return shapes


def differ(some, other):
    """Whether two shapes, None where unknown, are certainly different."""
    return any(None not in sizes and sizes[0] != sizes[1] for sizes in zip(some, other))


def as_labels(layer, superpixel_map):
    """Return a label map of integers; a map of floats is cast, after a check that its values are integers.

    The check runs with the model and raises AssertionError: a map that was resized
    bilinearly contains values between its labels, which are not labels.
    """
    if not superpixel_map.dtype.startswith('float'):
        return superpixel_map
    name = type(layer).__name__
    largest = 2 ** (np.finfo(superpixel_map.dtype).nmant + 1) - 1  # the next integer may be its successor, rounded
    superpixel_map = T.opt.Assert(
        '%s: superpixel_map holds values that are no whole numbers, but labels are 0, 1, 2, ... or -1 for none'
        ' (resize label maps by nearest neighbour)' % name)(
            superpixel_map, T.all(T.eq(superpixel_map, T.floor(superpixel_map))))
    superpixel_map = T.opt.Assert(
        '%s: superpixel_map holds labels beyond %d, which %s cannot tell apart'
        " (use an input with dtype='int32')" % (name, largest, superpixel_map.dtype))(
            superpixel_map, T.all(T.le(abs(superpixel_map), largest)))
    return T.cast(superpixel_map, 'int64')


def without_masked(layer, labels, mask, batch):
    """Return `labels` with -1 where Keras's `mask` of the features is False: masked pixels have no superpixel.

    The labels, or the mask, may be one map for all images; without a mask they remain that.
    """
    if mask is None:
        return labels
    if K.ndim(mask) != K.ndim(labels):
        raise ValueError('%s: the mask of feature_map has %d axes, but superpixel_map has %d; a mask says for'
                         ' each pixel whether it counts (label the pixels that do not with -1 instead)'
                         % (type(layer).__name__, K.ndim(mask), K.ndim(labels)))
    return T.switch(for_each_image(mask, batch), for_each_image(T.cast(labels, 'int64'), batch), -1)
