"""Conversions between Keras's two data formats and that of the ops, channels first."""
from keras import backend as K


def channels_to_front(features, data_format):
    """(batch, ..., channels) -> (batch, channels, ...); a view, nothing is copied."""
    if data_format == 'channels_first':
        return features
    axes = range(K.ndim(features))
    return K.permute_dimensions(features, [0, axes[-1]] + list(axes[1:-1]))


def channels_from_front(features, data_format):
    """(batch, channels, ...) -> the order of the data format; a view, nothing is copied."""
    if data_format == 'channels_first':
        return features
    axes = range(K.ndim(features))
    return K.permute_dimensions(features, [0] + list(axes[2:]) + [1])


def split_shape(shape, data_format):
    """Return the batch size, the number of channels and the other sizes of a feature shape."""
    if data_format == 'channels_first':
        return shape[0], shape[1], tuple(shape[2:])
    return shape[0], shape[-1], tuple(shape[1:-1])


def join_shape(batch, channels, others, data_format):
    """The inverse of :func:`split_shape`."""
    if data_format == 'channels_first':
        return (batch, channels) + tuple(others)
    return (batch,) + tuple(others) + (channels,)
