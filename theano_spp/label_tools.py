"""For label maps as they come from the world: ids with gaps, several sizes, masks. NumPy in, NumPy out."""
import numpy as np

from .label_map import (as_array, as_label_array, check_is_no_variable, check_label_axes, check_labels_fit_int64,
                        check_not_masked)


def relabel_sequential(superpixel_map):
    """Number the labels of each image 0, 1, 2, ... without gaps.

    Parameters
    ----------
    superpixel_map : array_like of any integer dtype, shape (batch, *spatial)
        1 to 3 spatial axes. Negative labels belong to none.

    Returns
    -------
    relabelled : numpy.ndarray of int32, shape (batch, *spatial)
        Labels in the order of the old ones; -1 where the old one is negative.
    originals : list of numpy.ndarray, one for each image, shape (superpixels of the image,)
        The old labels: ``originals[b][new] == old``. int64, or uint64 if `superpixel_map` is.

    Raises
    ------
    TypeError
        If the labels are not integers, or no array.
    ValueError
        If there are too few or too many axes, or ``numpy.ma`` masks labels.

    Notes
    -----
    ``skimage.segmentation.relabel_sequential`` takes a single image and refuses negative labels; there 0 is the
    background and stays 0, and the others are numbered from 1. Here 0 is a label as any other, as in
    :func:`theano_spp.superpixel_pool`.

    Examples
    --------
    >>> relabelled, originals = relabel_sequential([[[70, 70], [0, -5]], [[8, 9], [9, 9]]])
    >>> relabelled.tolist()
    [[[1, 1], [0, -1]], [[0, 1], [1, 1]]]
    >>> [labels.tolist() for labels in originals]
    [[0, 70], [8, 9]]
    """
    superpixel_map = as_label_array('relabel_sequential', superpixel_map)
    check_label_axes('relabel_sequential', superpixel_map)
    relabelled = np.empty(superpixel_map.shape, 'int32')
    originals = []
    for image, new in zip(superpixel_map, relabelled):
        labels, number = np.unique(image, return_inverse=True)
        n_negative = np.count_nonzero(labels < 0)
        new[...] = np.maximum(number.reshape(image.shape) - n_negative, -1)
        originals.append(labels[n_negative:].astype('uint64' if labels.dtype == 'uint64' else 'int64'))
    return relabelled, originals


def count_superpixels(superpixel_map):
    """Return the largest label + 1: the `n_superpixels` that is large enough for all of these maps.

    Parameters
    ----------
    superpixel_map : array_like of any integer dtype and shape, or list or tuple of these
        One map, a batch, or maps of different sizes.

    Returns
    -------
    int
        0 if no pixel has a label.

    Raises
    ------
    TypeError
        If the labels are not integers, or no array.
    ValueError
        If ``numpy.ma`` masks labels.

    Examples
    --------
    >>> count_superpixels([np.array([[0, 3, -1]]), np.array([[5], [5]])])
    6
    """
    if isinstance(superpixel_map, (list, tuple)):
        return max([count_superpixels(each) for each in superpixel_map] + [0])
    superpixel_map = as_label_array('count_superpixels', superpixel_map)
    return max(int(superpixel_map.max()) + 1, 0) if superpixel_map.size else 0


def pad_to_batch(superpixel_maps, shape=None):
    """Put maps of different sizes into one batch, each in the top left corner, with -1 around it.

    Images padded the same way, with anything, then pool as each would alone.

    Parameters
    ----------
    superpixel_maps : sequence of array_like of any integer dtype, shape (*spatial)
        1 to 3 spatial axes, the same number in all.
    shape : sequence of int, optional
        The spatial sizes of the batch, in pixels; None takes the largest of the maps on each axis.

    Returns
    -------
    numpy.ndarray, shape (batch, *shape)
        Of the smallest signed integer dtype that holds every label of the dtypes that came; int64 for uint64.

    Raises
    ------
    TypeError
        If the labels are not integers, or no array.
    ValueError
        If there is no map, ``numpy.ma`` masks labels, a map has too few, too many or other axes than the first, or
        is larger than `shape`, or `shape` is not one integer for each axis.
    IndexError
        If a label of a uint64 map is above 2**63 - 1.

    Examples
    --------
    >>> pad_to_batch([[[0, 1]], [[0], [1]]])
    array([[[ 0,  1],
            [-1, -1]],
    <BLANKLINE>
           [[ 0, -1],
            [ 1, -1]]])
    """
    check_is_no_variable('pad_to_batch', superpixel_maps, 'superpixel_maps')
    try:
        maps = list(superpixel_maps)
    except TypeError:
        raise TypeError('pad_to_batch: superpixel_maps is %r, but a sequence of maps is wanted (give a list of arrays)'
                        % (superpixel_maps,))
    maps = [as_label_array('pad_to_batch', labels, 'superpixel_maps[%d]' % i) for i, labels in enumerate(maps)]
    if not maps:
        raise ValueError('pad_to_batch: superpixel_maps is empty, but the maps of a batch are wanted (give at least'
                         ' one)')
    axes = maps[0].ndim
    for i, labels in enumerate(maps):
        if labels.ndim != axes or not 1 <= axes <= 3:
            raise ValueError('pad_to_batch: superpixel_maps[%d] has shape %s, but 1 to 3 spatial axes are wanted, the'
                             ' same number in all (give maps without batch axis, as a list)' % (i, labels.shape))
        check_labels_fit_int64('pad_to_batch', labels, 'superpixel_maps[%d]' % i)
    if shape is None:
        shape = np.max([labels.shape for labels in maps], axis=0)
    elif np.shape(shape) != (axes,) or np.asarray(shape).dtype.kind not in 'iu':
        raise ValueError('pad_to_batch: shape is %r, but one integer for each spatial axis of the maps is wanted, %d in'
                         ' all (leave out batch and channels)' % (shape, axes))
    for i, labels in enumerate(maps):
        if (np.array(labels.shape) > shape).any():
            raise ValueError('pad_to_batch: superpixel_maps[%d] has shape %s, which is larger than shape %s (give a'
                             ' larger one, or None for the largest of the maps)' % (i, labels.shape, tuple(shape)))
    batch = np.full((len(maps),) + tuple(shape), -1, np.result_type(*[_signed(labels.dtype) for labels in maps]))
    for image, labels in zip(batch, maps):
        image[tuple(slice(size) for size in labels.shape)] = labels
    return batch


def apply_mask(superpixel_map, mask):
    """Give the pixels that a mask leaves out to no superpixel.

    Parameters
    ----------
    superpixel_map : array_like of any integer dtype and shape
        One map, or a batch.
    mask : array_like of bool, or of integers 0 and 1, shape of `superpixel_map`
        True where the pixel counts, as in Keras and in ``skimage.segmentation.slic``; in ``numpy.ma`` it is the
        other way round.

    Returns
    -------
    numpy.ndarray, shape of `superpixel_map`
        A copy with -1 where `mask` is False. Of the smallest signed integer dtype that holds every label of the
        dtype that came; int64 for uint64.

    Raises
    ------
    TypeError
        If the labels are not integers, or no array; if `mask` is neither bool nor integers.
    ValueError
        If the shapes do not agree, the integers of `mask` are not 0 and 1, or ``numpy.ma`` masks values of either.
    IndexError
        If a label of a uint64 map is above 2**63 - 1 and not masked.

    Examples
    --------
    >>> superpixel_map = np.array([[0, 1, 255]], 'uint8')
    >>> apply_mask(superpixel_map, superpixel_map != 255)
    array([[ 0,  1, -1]], dtype=int16)
    """
    superpixel_map = as_label_array('apply_mask', superpixel_map)
    check_not_masked('apply_mask', mask, 'mask', 'mask.filled(False)')
    mask = as_array('apply_mask', mask, 'mask')
    if mask.dtype.kind not in 'biu':
        raise TypeError('apply_mask: mask has dtype %s, but True and False are wanted, or integers 1 and 0 (use'
                        ' mask > 0)' % mask.dtype)
    if mask.shape != superpixel_map.shape:
        raise ValueError('apply_mask: mask has shape %s, but superpixel_map has shape %s; one value for each pixel is'
                         ' wanted (use np.broadcast_to(mask, superpixel_map.shape) for one mask for the whole batch)'
                         % (mask.shape, superpixel_map.shape))
    other = (mask != 0) & (mask != 1)
    if other.any():
        raise ValueError('apply_mask: mask holds %d, but True and False are wanted, or integers 1 and 0 (use mask > 0)'
                         % mask[other][0])
    is_masked = mask == 0
    labels = np.where(is_masked, np.zeros((), superpixel_map.dtype), superpixel_map)
    check_labels_fit_int64('apply_mask', labels)
    labels = labels.astype(_signed(superpixel_map.dtype))
    labels[is_masked] = -1
    return labels


def _signed(dtype):
    """The smallest signed dtype that holds all of an integer dtype; int64 for uint64."""
    return np.dtype('int64') if dtype == 'uint64' else np.promote_types(dtype, 'int8')
