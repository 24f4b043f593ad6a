"""What a label map may be: the one place that says which are welcome, and why not."""
import numpy as np
import theano.tensor as T


def as_label_map(op_name, superpixel_map, spatial_axes=None):
    """Return `superpixel_map` as a Theano variable, or say why it is no label map.

    Parameters
    ----------
    op_name : str
        The op to name in an error.
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial)
    spatial_axes : int, optional
        How many spatial axes there must be; 1 to 3 if None.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If there are too few or too many axes.
    """
    labels = T.as_tensor_variable(superpixel_map)
    if labels.dtype not in T.discrete_dtypes or labels.dtype == 'bool':
        cure = ("use superpixel_map.astype('int32')" if labels.dtype == 'bool'
                else "labels are whole numbers, use T.cast(superpixel_map, 'int32')")
        raise TypeError('%s: superpixel_map has dtype %s, but labels are integers (%s)'
                        % (op_name, labels.dtype, cure))
    if spatial_axes is None and not 2 <= labels.ndim <= 4:
        raise ValueError('%s: superpixel_map has %d axes, but (batch, *spatial) with 1 to 3 spatial'
                         ' axes is wanted, 2 to 4 in all (add a batch axis to a single map:'
                         ' superpixel_map[None, ...])' % (op_name, labels.ndim))
    if spatial_axes is not None and labels.ndim != 1 + spatial_axes:
        raise ValueError('%s: superpixel_map has %d axes, but (batch, *spatial) with the %d spatial'
                         ' axes of feature_map is wanted, %d in all (the map has no channel axis; add'
                         ' a batch axis to a single map: superpixel_map[None, ...])'
                         % (op_name, labels.ndim, spatial_axes, 1 + spatial_axes))
    return labels


def check_labels(op_name, superpixel_map, n_superpixels, limit_name='n_superpixels is'):
    """Raise IndexError for the first label that is not below `n_superpixels`.

    Parameters
    ----------
    op_name : str
        The op to name in the error.
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial)
    n_superpixels : int
    limit_name : str
        What holds the number of superpixels, for the error text.
    """
    # The same sentences as in c_code/label_map.c.
    bad = superpixel_map > n_superpixels - 1 if n_superpixels > 0 else superpixel_map >= 0
    if bad.any():
        place = np.unravel_index(np.argmax(bad), bad.shape)
        raise IndexError('%s: superpixel_map[%s] is %d, but %s %d (%s; %s)' % (
            op_name, ', '.join(str(i) for i in place), superpixel_map[place], limit_name, n_superpixels,
            'labels are 0..%d' % (n_superpixels - 1) if n_superpixels > 0 else 'no label is valid',
            'use -1 for pixels that belong to none' if superpixel_map.dtype.kind == 'i'
            else 'for pixels that belong to none use -1 in a signed dtype'))
