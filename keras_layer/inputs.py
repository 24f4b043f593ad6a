"""What the layers may be called on: two inputs, the second a label map of integers or floats."""
import theano.tensor as T

LARGEST_EXACT_FLOAT = 2 ** 53


def check_two_inputs(layer, input_shape, first, first_axes):
    """Raise ValueError unless `input_shape` is that of [first, superpixel_map].

    Parameters
    ----------
    layer : keras.layers.Layer
        With the attribute `spatial_axes`.
    input_shape : object
        What Keras gives to ``build``: one shape, or a list of them.
    first : str
        The name of the first input.
    first_axes : int
        How many axes it has.
    """
    name = type(layer).__name__
    if not isinstance(input_shape, list) or len(input_shape) != 2:
        raise ValueError('%s is called on [%s, superpixel_map], but got %s' % (
            name, first, 'one tensor of shape %s' % (input_shape,)
            if not isinstance(input_shape, list) else '%d tensors' % len(input_shape)))
    first_shape, map_shape = input_shape
    if len(first_shape) != first_axes:
        raise ValueError('%s: %s has shape %s, but %d axes are wanted'
                         % (name, first, first_shape, first_axes))
    if len(map_shape) != 1 + layer.spatial_axes:
        raise ValueError('%s: superpixel_map has shape %s, but (batch, *spatial) with %d spatial %s is'
                         ' wanted (it has no channel axis)'
                         % (name, map_shape, layer.spatial_axes, 'axis' if layer.spatial_axes == 1 else 'axes'))


def as_labels(layer, superpixel_map):
    """Return a label map of integers; one of floats is cast, if it holds whole numbers.

    The check runs with the model and raises AssertionError: a map that was resized
    bilinearly holds values between its labels, and these are no labels.
    """
    if not superpixel_map.dtype.startswith('float'):
        return superpixel_map
    whole = T.eq(superpixel_map, T.floor(superpixel_map)) & (abs(superpixel_map) < LARGEST_EXACT_FLOAT)
    superpixel_map = T.opt.Assert(
        '%s: superpixel_map holds values that are no whole numbers, but labels are 0, 1, 2, ... or -1 for none'
        ' (resize label maps by nearest neighbour)' % type(layer).__name__)(superpixel_map, T.all(whole))
    return T.cast(superpixel_map, 'int64')
