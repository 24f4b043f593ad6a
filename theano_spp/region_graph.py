"""Region adjacency graphs: the centroid of each superpixel, and which superpixels touch."""
import numpy as np
import theano
import theano.tensor as T

from .arguments import as_n_superpixels, check_float64_is_allowed
from .label_map import as_label_batch, as_label_map
from .messages import check_labels_fit_int64
from .ops.mean_sum import SuperpixelPool
from .sizes import superpixel_count


def superpixel_centroids(superpixel_map, n_superpixels=None):
    """Compute the mean pixel coordinates of each superpixel.

    Parameters
    ----------
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial)
        1 to 3 spatial axes; labels as for :func:`superpixel_pool`.
    n_superpixels : int or integer Theano scalar, optional
        None takes the largest label of the batch + 1.

    Returns
    -------
    TensorVariable of floatX, shape (batch, n_superpixels, spatial axes), in pixels
        Row first, then column; pixel centres are at whole numbers, as in ``skimage.measure.regionprops``.
        0 for a superpixel without pixels: :func:`superpixel_sizes` shows which these are. The batch is that of
        `superpixel_map`, 1 for a map that serves several images. Disconnected from `superpixel_map`.

    Raises
    ------
    TypeError
        If the labels or `n_superpixels` are not integers.
    ValueError
        If `n_superpixels` is negative, or there are too few or too many axes.
    IndexError
        When the compiled function runs, if a label is not below `n_superpixels`.

    Examples
    --------
    >>> superpixel_centroids(np.array([[[0, 0], [1, 0]]])).eval().round(3)
    array([[[0.333, 0.667],
            [1.   , 0.   ]]])
    """
    superpixel_map = as_label_map('superpixel_centroids', superpixel_map)
    n_superpixels = (superpixel_count(superpixel_map) if n_superpixels is None
                     else as_n_superpixels('superpixel_centroids', n_superpixels))
    check_float64_is_allowed('superpixel_centroids', 'coordinates are added up')
    shape, ndim = superpixel_map.shape, superpixel_map.ndim
    # float64 whatever floatX is: float32 cannot represent odd numbers above 2**24.
    coordinates = [T.alloc(T.shape_padright(T.arange(shape[axis], dtype='float64'), ndim - 1 - axis), *shape)
                   for axis in range(1, ndim)]
    centroids = SuperpixelPool('mean')(T.stack(coordinates, axis=1), superpixel_map, n_superpixels)
    return T.cast(centroids.dimshuffle(0, 2, 1), theano.config.floatX)


def superpixel_adjacency(superpixel_map, spatial_axes=2):
    """Find which superpixels touch, and along how many pixel faces. NumPy in, NumPy out.

    The number of edges differs from map to map: compute them when the maps are loaded, and feed them to the Theano
    graph as inputs.

    Parameters
    ----------
    superpixel_map : array_like of any integer dtype, shape (*spatial) or (batch, *spatial)
        A single map, (rows, cols), or a batch of maps. Pixels with negative labels belong to no superpixel and have no
        edges.
    spatial_axes : {2, 1, 3}
        The number of axes of a single map; an array with one axis more is a batch. 1 for sequences, 3 for volumes.

    Returns
    -------
    edges : numpy.ndarray of int64, shape (m, 3)
        Rows [image, a, b] with a < b, sorted: superpixels a and b touch in this image of the batch. A single map is
        image 0.
    lengths : numpy.ndarray of int64, shape (m,), in pixel faces
        The number of pairs of neighbouring pixels, one in a and one in b, that share a face: pixels have 2 neighbours
        in 1-D, 4 in 2-D and 6 in 3-D.

    Raises
    ------
    TypeError
        If the labels are not integers, or are a Theano variable.
    ValueError
        If the axes are neither those of a map nor of a batch, `spatial_axes` is not 1, 2 or 3, or ``numpy.ma`` masks
        labels.
    IndexError
        If a label is above 2**63 - 1.

    Examples
    --------
    >>> edges, lengths = superpixel_adjacency([[0, 0, 2], [1, 1, 2]])
    >>> edges.tolist(), lengths.tolist()
    ([[0, 0, 1], [0, 0, 2], [0, 1, 2]], [2, 1, 1])
    """
    labels, is_single = as_label_batch('superpixel_adjacency', superpixel_map, spatial_axes)
    check_labels_fit_int64('superpixel_adjacency', labels[0] if is_single else labels)
    faces = []
    for axis in range(1, labels.ndim):
        along = np.moveaxis(labels, axis, 1)
        before, after = along[:, :-1], along[:, 1:]
        border = np.nonzero((before != after) & (before >= 0) & (after >= 0))
        pair = before[border].astype('int64'), after[border].astype('int64')
        faces.append(np.stack([border[0], np.minimum(*pair), np.maximum(*pair)], axis=1))
    # The same as np.unique(..., axis=0), but several times faster.

    faces = np.concatenate(faces)
    faces = faces[np.lexsort(faces.T[::-1])]
    is_first = np.ones(len(faces), bool)
    is_first[1:] = (faces[1:] != faces[:-1]).any(axis=1)
    starts = np.flatnonzero(is_first)
    return faces[starts], np.diff(np.append(starts, len(faces)))
