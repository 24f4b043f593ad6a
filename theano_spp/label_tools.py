"""Tools to clean up label maps: ids with gaps, different sizes, masks. NumPy in, NumPy out."""
import numpy as np

from .label_map import (as_array, as_label_array, as_label_batch, check_is_no_variable, check_not_masked,
                        check_spatial_axes)
from .messages import check_labels_fit_int64
from .region_graph import superpixel_adjacency


def relabel_sequential(superpixel_map, spatial_axes=2):
    """Renumber the labels of a map, or of each map of a batch, to 0, 1, 2, ... without gaps.

    Parameters
    ----------
    superpixel_map : array_like of any integer dtype, shape (*spatial) or (batch, *spatial)
        A single map, (rows, cols), or a batch of maps. Pixels with negative labels belong to no superpixel.
    spatial_axes : {2, 1, 3}
        The number of axes of a single map; an array with one axis more is a batch. 1 for sequences, 3 for volumes.

    Returns
    -------
    relabelled : numpy.ndarray of int32, shape of `superpixel_map`
        The new labels, in the order of the old ones; -1 where the old one is negative.
    originals : numpy.ndarray, shape (superpixels,), or a list of these, one for each map of a batch
        The old labels: ``originals[new] == old``, in a batch ``originals[b][new] == old``. int64, or uint64 if
        `superpixel_map` is.

    Raises
    ------
    TypeError
        If the labels are not integers, or not an array.
    ValueError
        If the axes are neither those of a map nor of a batch, `spatial_axes` is not 1, 2 or 3, or ``numpy.ma`` masks
        labels.

    Notes
    -----
    ``skimage.segmentation.relabel_sequential`` takes a single image and refuses negative labels; there 0 is the
    background and stays 0, and the other labels are numbered from 1. Here 0 is a label like any other, as in
    :func:`theano_spp.superpixel_pool`.

    Examples
    --------
    >>> relabelled, originals = relabel_sequential([[70, 70], [0, -5]])
    >>> relabelled.tolist(), originals.tolist()
    ([[1, 1], [0, -1]], [0, 70])
    >>> relabelled, originals = relabel_sequential([[[70, 70], [0, -5]], [[8, 9], [9, 9]]])
    >>> relabelled.tolist()
    [[[1, 1], [0, -1]], [[0, 1], [1, 1]]]
    >>> [labels.tolist() for labels in originals]
    [[0, 70], [8, 9]]
    """
    batch, is_single = as_label_batch('relabel_sequential', superpixel_map, spatial_axes)
    relabelled = np.empty(batch.shape, 'int32')
    originals = []
    for image, new in zip(batch, relabelled):
        labels, number = np.unique(image, return_inverse=True)
        n_negative = np.count_nonzero(labels < 0)
        new[...] = np.maximum(number.reshape(image.shape) - n_negative, -1)
        originals.append(labels[n_negative:].astype('uint64' if labels.dtype == 'uint64' else 'int64'))
    return (relabelled[0], originals[0]) if is_single else (relabelled, originals)


def count_superpixels(superpixel_map):
    """Return the largest label + 1: an `n_superpixels` that is large enough for all of these maps.

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
        If the labels are not integers, or not an array.
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


def pad_to_batch(superpixel_maps, shape=None, spatial_axes=2):
    """Combine maps of different sizes into one batch, each in the top left corner and padded with -1.

    If images are padded in the same way, with any values, pooling gives the same results as for each image alone.

    Parameters
    ----------
    superpixel_maps : sequence of array_like of any integer dtype, shape (*spatial)
        Each a single map, (rows, cols).
    shape : sequence of int, optional
        The spatial sizes of the batch, in pixels; None takes the largest size of the maps on each axis.
    spatial_axes : {2, 1, 3}
        The number of axes of each map. 1 for sequences, 3 for volumes.

    Returns
    -------
    numpy.ndarray, shape (batch, *shape)
        The dtype is the smallest signed integer dtype that holds all labels of the given dtypes; int64 for uint64.

    Raises
    ------
    TypeError
        If the labels are not integers, or not an array.
    ValueError
        If there is no map, ``numpy.ma`` masks labels, a map does not have `spatial_axes` axes or is larger than
        `shape`, `shape` is not one integer for each axis, or `spatial_axes` is not 1, 2 or 3.
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
    check_spatial_axes('pad_to_batch', spatial_axes)
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
    for i, labels in enumerate(maps):
        if labels.ndim != spatial_axes:
            raise ValueError('pad_to_batch: superpixel_maps[%d] has shape %s, but with spatial_axes=%d each map has %d'
                             ' axes (give maps without batch axis, as a list%s)'
                             % (i, labels.shape, spatial_axes, spatial_axes,
                                ', or say spatial_axes=%d' % labels.ndim if labels.ndim in (1, 2, 3) else ''))
        check_labels_fit_int64('pad_to_batch', labels, 'superpixel_maps[%d]' % i)
    if shape is None:
        shape = np.max([labels.shape for labels in maps], axis=0)
    elif np.shape(shape) != (spatial_axes,) or np.asarray(shape).dtype.kind not in 'iu':
        raise ValueError('pad_to_batch: shape is %r, but one integer for each spatial axis of the maps is wanted, %d in'
                         ' all (leave out batch and channels)' % (shape, spatial_axes))
    for i, labels in enumerate(maps):
        if (np.array(labels.shape) > shape).any():
            raise ValueError('pad_to_batch: superpixel_maps[%d] has shape %s, which is larger than shape %s (give a'
                             ' larger one, or None for the largest of the maps)' % (i, labels.shape, tuple(shape)))
    batch = np.full((len(maps),) + tuple(shape), -1, np.result_type(*[_signed(labels.dtype) for labels in maps]))
    for image, labels in zip(batch, maps):
        image[tuple(slice(size) for size in labels.shape)] = labels
    return batch


def apply_mask(superpixel_map, mask):
    """Label the pixels that a mask excludes with -1, so that they belong to no superpixel.

    Parameters
    ----------
    superpixel_map : array_like of any integer dtype and shape
        One map, or a batch.
    mask : array_like of bool, or of integers 0 and 1, shape of `superpixel_map`
        True where the pixel counts, as in Keras and in ``skimage.segmentation.slic``; ``numpy.ma`` uses the opposite
        convention.

    Returns
    -------
    numpy.ndarray, shape of `superpixel_map`
        A copy with -1 where `mask` is False. The dtype is the smallest signed integer dtype that holds all labels of
        the given dtype; int64 for uint64.

    Raises
    ------
    TypeError
        If the labels are not integers, or not an array; if `mask` is neither bool nor integers.
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


def enforce_connectivity(superpixel_map, min_size=1, spatial_axes=2):
    """Give every superpixel one island, its largest one: its other islands join the superpixels around them.

    Parameters
    ----------
    superpixel_map : array_like of any integer dtype, shape (*spatial) or (batch, *spatial)
        A single map, (rows, cols), or a batch of maps. Pixels with negative labels belong to no superpixel.
    min_size : int, in pixels
        Superpixels with fewer pixels in their largest island join another one as well; their labels are left unused.
    spatial_axes : {2, 1, 3}
        The number of axes of a single map; an array with one axis more is a batch. 1 for sequences, 3 for volumes.

    Returns
    -------
    numpy.ndarray, shape and dtype of `superpixel_map`
        Each island that was given up has the label of the superpixel with which it shares the longest border. Where
        negative labels separate islands from all that are kept, the largest of these islands is kept too.

    Raises
    ------
    TypeError
        If the labels are not integers, or not an array.
    ValueError
        If the axes are neither those of a map nor of a batch, `spatial_axes` is not 1, 2 or 3, `min_size` is no number,
        or ``numpy.ma`` masks labels.

    Notes
    -----
    Pixels touch if they share a face. SLIC ends with such a step; :func:`theano_spp.hard_superpixel_map` leaves it to
    this function.

    Examples
    --------
    >>> enforce_connectivity([[0, 0, 1, 1],
    ...                       [0, 1, 1, 0]])
    array([[0, 0, 1, 1],
           [0, 1, 1, 1]])
    """
    batch, is_single = as_label_batch('enforce_connectivity', superpixel_map, spatial_axes)
    if isinstance(min_size, bool) or not isinstance(min_size, (int, float, np.integer, np.floating)):
        raise ValueError('enforce_connectivity: min_size is %r, but a number of pixels is wanted (1 keeps the largest'
                         ' island of every superpixel)' % (min_size,))
    connected = np.stack([_connected(labels, min_size) for labels in batch]) if len(batch) else batch.copy()
    return connected[0] if is_single else connected


def _connected(labels, min_size):
    islands, n_islands = _components(labels, lambda here, there: here == there)
    numbers, first = np.unique(islands, return_index=True)
    label = np.empty(n_islands, labels.dtype)
    label[numbers] = labels.ravel()[first]
    size = np.bincount(islands.ravel(), minlength=n_islands)
    # The largest island of each label, the first one if several are.
    order = np.lexsort((np.arange(n_islands), -size, label))
    is_kept = np.zeros(n_islands, bool)
    is_kept[order[_is_first(label[order])]] = True
    is_kept &= (size >= min_size) & (label >= 0)
    areas, _ = _components(labels, lambda here, there: (here >= 0) & (there >= 0))
    _keep_one_of_each(areas.ravel()[first], size, label, is_kept)
    edges, lengths = superpixel_adjacency(np.where(labels >= 0, islands, -1), labels.ndim)
    here, there = np.concatenate([edges[:, 1:], edges[:, :0:-1]]).T
    lengths = np.tile(lengths, 2)
    while True:
        # Islands that touch only others like them join in a later round.
        joins = ~is_kept[here] & is_kept[there]
        if not joins.any():
            return label[islands]
        # The borders of an island with all islands that have a label by now.
        pairs, number = np.unique(np.stack([here[joins].astype(label.dtype), label[there[joins]]]), axis=1,
                                  return_inverse=True)
        border = np.bincount(number.ravel(), lengths[joins])
        a, joined = pairs
        order = np.lexsort((joined, -border, a))
        order = order[_is_first(a[order])]
        a, joined = a[order].astype(int), joined[order]
        label[a] = joined
        is_kept[a] = True


def _keep_one_of_each(area, size, label, is_kept):
    """Keep the largest island of each area in which none is kept: an area is enclosed by negative labels."""
    lost = np.flatnonzero(~np.isin(area, area[is_kept]) & (label >= 0))
    order = lost[np.lexsort((lost, -size[lost], area[lost]))]
    is_kept[order[_is_first(area[order])]] = True


def _is_first(values):
    """Whether each of sorted values is the first one of its kind."""
    return np.append(True, values[1:] != values[:-1])[:len(values)]


def _components(labels, is_one):
    """The numbers of the connected components of a map, of the shape of the map, and how many there are.

    `is_one` says of arrays of neighbouring labels whether they belong together.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    pixels = np.arange(labels.size).reshape(labels.shape)
    pairs = [np.zeros((2, 0), pixels.dtype)]
    for axis in range(labels.ndim):
        along, number = np.moveaxis(labels, axis, 0), np.moveaxis(pixels, axis, 0)
        is_equal = is_one(along[:-1], along[1:])
        pairs.append(np.stack([number[:-1][is_equal], number[1:][is_equal]]))
    some, other = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.ones(some.size, bool), (some, other)), shape=(labels.size,) * 2)
    n_islands, islands = connected_components(graph, directed=False)
    return islands.reshape(labels.shape).astype('int64'), n_islands


def _signed(dtype):
    """The smallest signed dtype that holds all values of an integer dtype; int64 for uint64."""
    return np.dtype('int64') if dtype == 'uint64' else np.promote_types(dtype, 'int8')
