"""Checks of label maps: their type, dtype and axes, with the errors that explain what is wrong.

The values of labels are checked when a compiled function runs: see `messages.check_labels`.
"""
import numpy as np
import theano.tensor as T
from theano import gof


def as_label_map(op_name, superpixel_map, spatial_axes=None):
    """Return `superpixel_map` as a Theano variable, or explain why it is not a label map.

    Parameters
    ----------
    op_name : str
        The op to name in an error.
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial)
    spatial_axes : int, optional
        The required number of spatial axes; 1 to 3 if None.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If there are too few or too many axes.
    """
    labels = T.as_tensor_variable(superpixel_map)
    check_label_dtype(op_name, labels)
    check_label_axes(op_name, labels, spatial_axes)
    return labels


def as_label_array(function_name, superpixel_map, argument='superpixel_map'):
    """Return `superpixel_map` as a NumPy array of integers, or explain why it is not one.

    Parameters
    ----------
    function_name, argument : str
        What to name in an error.
    superpixel_map : array_like of any integer dtype, any number of axes

    Raises
    ------
    TypeError
        If the labels are not integers, or are a Theano variable.
    ValueError
        If some are masked by ``numpy.ma``.
    """
    check_not_masked(function_name, superpixel_map, argument, 'apply_mask(map.data, ~numpy.ma.getmaskarray(map)), which'
                     ' labels them -1')
    labels = as_array(function_name, superpixel_map, argument)
    check_label_dtype(function_name, labels, argument)
    return labels


def as_label_batch(function_name, superpixel_map, spatial_axes):
    """Return `superpixel_map` as a NumPy batch of maps, and whether it was a single map.

    A map of (rows, cols) and a batch of sequences both have two axes, so the caller must give the number of spatial
    axes; it is never guessed.

    Parameters
    ----------
    function_name : str
        What to name in an error.
    superpixel_map : array_like of any integer dtype, shape (*spatial) or (batch, *spatial)
    spatial_axes : {1, 2, 3}

    Returns
    -------
    labels : numpy.ndarray of integers, shape (batch, *spatial)
        A single map is a batch of one.
    is_single : bool

    Raises
    ------
    TypeError
        If the labels are not integers, or are a Theano variable.
    ValueError
        If some are masked by ``numpy.ma``, `spatial_axes` is not 1, 2 or 3, or the axes are neither those of a map nor
        of a batch.
    """
    check_spatial_axes(function_name, spatial_axes)
    labels = as_label_array(function_name, superpixel_map)
    if labels.ndim not in (spatial_axes, spatial_axes + 1):
        cures = ['spatial_axes=%d for %s' % (axes, what) for axes, what in ((labels.ndim, 'a single map'),
                                                                           (labels.ndim - 1, 'a batch of maps'))
                 if axes in (1, 2, 3)]
        raise ValueError('%s: superpixel_map has shape %s, but with spatial_axes=%d a single map has %d axes and a'
                         ' batch of maps has %d (%s)'
                         % (function_name, labels.shape, spatial_axes, spatial_axes, spatial_axes + 1,
                            'use ' + ', or '.join(cures) if cures
                            else 'a map has 1 to 3 axes, and none for channels'))
    is_single = labels.ndim == spatial_axes
    return labels[np.newaxis] if is_single else labels, is_single


def check_spatial_axes(function_name, spatial_axes):
    """Raise ValueError if a map cannot have this number of spatial axes."""
    if isinstance(spatial_axes, (bool, np.bool_)) or spatial_axes not in (1, 2, 3):
        raise ValueError('%s: spatial_axes is %r, but must be 1, 2 or 3 (1 for sequences, 2 for images, 3 for volumes)'
                         % (function_name, spatial_axes))


def as_array(function_name, array, argument):
    """Return `array` as a NumPy array; TypeError if it is a Theano variable, or cannot be converted."""
    check_is_no_variable(function_name, array, argument)
    try:
        values = np.asarray(array)
    except ValueError:  # newer versions of NumPy raise this where older ones return an array of objects
        values = np.empty((), object)
    if values.dtype == object:
        raise TypeError('%s: %s is of type %s, but a NumPy array, or rows of equal lengths, are wanted (use list(...)'
                        ' for what can only be iterated)' % (function_name, argument, type(array).__name__))
    return values


def check_is_no_variable(function_name, array, argument):
    """Raise TypeError if `array` is a Theano variable, whose value is known only when a graph runs."""
    if isinstance(array, gof.Variable):
        raise TypeError('%s: %s is a Theano variable, but a NumPy array is wanted (call %s on the NumPy map'
                        ' beforehand, and give what it returns to the graph as an input)'
                        % (function_name, argument, function_name))


def check_not_masked(function_name, array, argument, cure):
    """Raise ValueError if ``numpy.ma`` masks values of an array, or of arrays in a list: the mask would be lost."""
    if any(np.ma.is_masked(part) for part in (array if isinstance(array, (list, tuple)) else [array])):
        raise ValueError('%s: %s has values that numpy.ma masks, but the mask would be lost (use %s)'
                         % (function_name, argument, cure))


def check_label_dtype(op_name, labels, argument='superpixel_map'):
    """Raise TypeError if `labels`, a NumPy array or a Theano variable, are not integers."""
    dtype = np.dtype(labels.dtype)
    if dtype.kind not in 'iu':
        cast = "T.cast(%s, 'int32')" if isinstance(labels, gof.Variable) else "%s.astype('int32')"
        cure = "use %s.astype('int32')" if dtype.kind == 'b' else 'labels are whole numbers, use ' + cast
        raise TypeError('%s: %s has dtype %s, but labels are integers (%s)'
                        % (op_name, argument, dtype, cure % argument))


def check_label_axes(op_name, labels, spatial_axes=None):
    """Raise ValueError if `labels`, a NumPy array or a Theano variable, are not (batch, *spatial).

    Parameters
    ----------
    op_name : str
    labels : numpy.ndarray or TensorVariable
    spatial_axes : int, optional
        The required number of spatial axes; 1 to 3 if None.
    """
    if spatial_axes is None and not 2 <= labels.ndim <= 4:
        raise ValueError('%s: superpixel_map has %d axes, but (batch, *spatial) with 1 to 3 spatial'
                         ' axes is wanted, 2 to 4 in all (add a batch axis to a single map:'
                         ' superpixel_map[None, ...])' % (op_name, labels.ndim))
    if spatial_axes is not None and labels.ndim != 1 + spatial_axes:
        raise ValueError('%s: superpixel_map has %d axes, but (batch, *spatial) with the %d spatial'
                         ' axes of feature_map is wanted, %d in all (the map has no channel axis; add'
                         ' a batch axis to a single map: superpixel_map[None, ...])'
                         % (op_name, labels.ndim, spatial_axes, 1 + spatial_axes))
