"""Checks of the arguments other than label maps when a graph is built: features, modes, numbers of superpixels."""
import numpy as np
import theano
import theano.tensor as T
from theano import gof
from theano.compile import SharedVariable

from .reference.interpolation import KINDS

FEATURE_DTYPES = ('float16', 'float32', 'float64')
#: The names that other libraries use for the modes.
MODE_SYNONYMS = {'avg': 'mean', 'ave': 'mean', 'average': 'mean', 'average_inc_pad': 'mean',
                 'average_exc_pad': 'mean', 'add': 'sum', 'total': 'sum', 'maximum': 'max', 'minimum': 'min',
                 'variance': 'var', 'stddev': 'std', 'lse': 'logsumexp'}
#: Other names that users might try for the kinds of resizing.
RESIZE_SYNONYMS = {'linear': 'bilinear', 'trilinear': 'bilinear', 'none': None}


def as_features(op_name, argument, features, axes, layout):
    """Return `features` as a Theano variable of a float dtype.

    Parameters
    ----------
    op_name, argument : str
        What to name in an error.
    features : tensor_like of float16, float32 or float64
    axes : tuple of int
        The allowed numbers of axes.
    layout : str
        The expected axes, for the error message.

    Raises
    ------
    TypeError
        If the dtype is no float.
    ValueError
        If the number of axes is wrong.
    """
    features = T.as_tensor_variable(features)
    if features.dtype not in FEATURE_DTYPES:
        raise TypeError("%s: %s has dtype %s, but features are float16, float32 or float64"
                        " (use %s.astype('float32'))" % (op_name, argument, features.dtype, argument))
    if features.ndim not in axes:
        raise ValueError('%s: %s has %d axes, but %s is wanted'
                         % (op_name, argument, features.ndim, layout))
    return features


def as_feature_map(op_name, feature_map):
    """Return `feature_map` as a Theano variable of shape (batch, channels, *spatial)."""
    return as_features(op_name, 'feature_map', feature_map, axes=(3, 4, 5),
                       layout='(batch, channels, *spatial) with 1 to 3 spatial axes')


def as_pooled(op_name, pooled, argument='pooled'):
    """Return `pooled` as a Theano variable of shape (batch, channels, n_superpixels)."""
    return as_features(op_name, argument, pooled, axes=(3,), layout='(batch, channels, n_superpixels)')


def pooled_type(feature_map, n_superpixels):
    """Return the TensorType of the pooled features of these variables: (batch, channels, n_superpixels)."""
    return T.TensorType(feature_map.dtype, feature_map.broadcastable[:2] + (
        isinstance(n_superpixels, T.Constant) and int(n_superpixels.data) == 1,))


def check_float64_is_allowed(op_name, purpose):
    """Raise ValueError if Theano's flags forbid the float64 intermediates that the computation needs.

    They cannot be hidden from the flag, because Theano recreates every variable of a graph when it compiles a function.
    """
    if theano.config.warn_float64 == 'raise':
        raise ValueError("%s: %s in float64 whatever the result is, but Theano's flag warn_float64 is 'raise' (make and"
                         " compile the graph under theano.configparser.change_flags(warn_float64='ignore'))"
                         % (op_name, purpose))


def as_mode(op_name, mode, modes):
    """Return `mode` if it is one of `modes`, else raise ValueError with what to use instead."""
    if not isinstance(mode, str) or mode not in modes:
        synonym = MODE_SYNONYMS.get(str(mode))
        raise ValueError('%s: mode is %r, but must be %s%s' % (
            op_name, mode, one_of(modes), ' (use %r)' % synonym if synonym in modes else ''))
    return mode


def one_of(choices):
    """Return "'mean', 'sum' or 'max'"."""
    quoted = [repr(choice) for choice in choices]
    return ' or '.join([', '.join(quoted[:-1]), quoted[-1]])


def as_resize(op_name, resize, kinds=(None,) + KINDS):
    """Return `resize` if it is one of `kinds`, else raise ValueError with what to use instead."""
    if not (resize is None or isinstance(resize, str)) or resize not in kinds:
        synonym = RESIZE_SYNONYMS.get(str(resize), '')
        raise ValueError('%s: resize is %r, but must be %s%s' % (
            op_name, resize, one_of(kinds), ' (use %r)' % synonym if synonym in kinds else ''))
    return resize


#: The modes of `superpixel_pool` that support `pixel_weights`, and those that support `resize`.
WEIGHTED_MODES = ('mean', 'sum', 'var', 'std')
RESIZED_MODES = ('mean', 'sum', 'max', 'min')


def check_goes_with_weights(op_name, mode, resize):
    """Raise ValueError with an alternative if `mode` or `resize` does not support weights."""
    if mode not in WEIGHTED_MODES:
        cure = ('add the logarithm of the weights to the features: feature_map + T.log(pixel_weights)[:, None, ...]'
                if mode == 'logsumexp' else 'label the pixels that shall not count with -1')
        raise ValueError('%s: pixel_weights go with mode %s, but mode is %r (%s)'
                         % (op_name, one_of(WEIGHTED_MODES), mode, cure))
    if resize is not None:
        raise ValueError('%s: pixel_weights go with resize=None, but resize is %r (give features of the'
                         ' size of the superpixel map, or label the pixels that shall not count with -1)'
                         % (op_name, resize))


def check_goes_with_resize(op_name, mode, resize):
    """Raise ValueError with an alternative if `mode` is a composite and features would have to be resized."""
    if mode not in RESIZED_MODES and resize is not None:
        raise ValueError('%s: mode %r goes with resize=None, but resize is %r (each pixel is compared with its own'
                         ' superpixel, so the features must lie on the pixels: resize the superpixel map to the'
                         ' features by nearest neighbour, or the features to the superpixel map beforehand)'
                         % (op_name, mode, resize))


def as_spatial_shape(op_name, argument, spatial_shape, axes=None, of='superpixel_map',
                     cure='use feature_map.shape[2:]'):
    """Return the sizes of spatial axes as an int64 Theano vector, and its length, None if unknown before a run.

    If the length is known, it can also be read off the returned vector, by code that makes another node of it: an op's
    own R_op, a clone with other dtypes. If it is not, the op must check it when it runs.

    Parameters
    ----------
    op_name, argument : str
        What to name in an error.
    spatial_shape : sequence of int or integer Theano scalar, or integer Theano vector
    axes : int, optional
        The required length; 1 to 3 if None.
    of, cure : str
        For an error: what has so many spatial axes, and what to do.

    Raises
    ------
    TypeError
        If the sizes are not integers.
    ValueError
        If there are known to be too few or too many.
    """
    try:
        sizes = T.as_tensor_variable(spatial_shape)
    except (TypeError, ValueError):
        sizes = None
    if sizes is None or sizes.ndim != 1 or sizes.dtype not in T.discrete_dtypes or sizes.dtype == 'bool':
        raise TypeError('%s: %s is %s, but must be a sequence of integers, one for each spatial axis (%s)'
                        % (op_name, argument, spatial_shape if sizes is None else sizes.type, cure))
    length = _known_length(sizes)
    if length is not None and length not in ((1, 2, 3) if axes is None else (axes,)):
        raise ValueError('%s: %s has %d sizes, but %s wanted' % (
            op_name, argument, length, '1 to 3 are' if axes is None else '%d for the spatial axes of %s %s'
            % (axes, of, 'is' if axes == 1 else 'are')))
    if sizes.dtype != 'int64' and length is not None:
        return T.stack([T.cast(sizes[i], 'int64') for i in range(length)]), length
    return T.cast(sizes, 'int64'), length


def as_grid(op_name, grid, axes):
    """Return the numbers of grid cells on each of `axes` spatial axes as an int64 Theano vector, or raise an error."""
    return as_spatial_shape(op_name, 'grid', grid, axes, 'the image',
                            'give numbers of superpixels, such as %s' % repr((10,) * axes))[0]


def _known_length(vector):
    if isinstance(vector, SharedVariable):  # its value may be replaced by a longer one
        return None
    try:
        return T.get_vector_length(vector)
    except ValueError:
        return None


def as_n_superpixels(op_name, n_superpixels):
    """Return `n_superpixels`, an int or an integer Theano scalar, as an int64 Theano scalar.

    Raises
    ------
    TypeError
        If it is not an integer, or is a tensor with axes.
    ValueError
        If its value is already known and negative.
    """
    wanted = 'an integer or an integer scalar of Theano'
    if not isinstance(n_superpixels, gof.Variable):
        if isinstance(n_superpixels, np.ndarray) and n_superpixels.ndim == 0:
            n_superpixels = n_superpixels[()]
        if isinstance(n_superpixels, (bool, np.bool_)) or not isinstance(n_superpixels, (int, np.integer)):
            raise TypeError('%s: n_superpixels is %r, but must be %s (use int(...); superpixel_pool and'
                            ' superpixel_sizes count the superpixels for None)'
                            % (op_name, n_superpixels, wanted))
        if not 0 <= n_superpixels <= np.iinfo('int64').max:
            raise ValueError('%s: n_superpixels is %d, but must not be negative or above 2**63 - 1'
                             ' (give the largest label + 1, or None to have it counted)'
                             % (op_name, n_superpixels))
        return T.constant(np.int64(n_superpixels), dtype='int64')
    n_superpixels = T.as_tensor_variable(n_superpixels)
    if n_superpixels.dtype not in T.discrete_dtypes or n_superpixels.dtype == 'bool':
        raise TypeError("%s: n_superpixels has dtype %s, but must be %s (use T.cast(n, 'int64'))"
                        % (op_name, n_superpixels.dtype, wanted))
    if n_superpixels.ndim != 0:
        raise TypeError('%s: n_superpixels has %d axes, but must be %s (one number for the whole'
                        ' batch: the largest of them)' % (op_name, n_superpixels.ndim, wanted))
    return T.cast(n_superpixels, 'int64')
