"""Mean and sum pooling, and unpooling. Sums are float64 and pairwise, for the precision stated in docs/semantics.md."""
import numpy as np

from .. import messages
from .counts import sizes
from .sharing import for_each_image
from .sorting import pixels_by_superpixel


def pool(feature_map, superpixel_map, n_superpixels, mode='mean'):
    """Pool the features of each superpixel.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial) or (1, *spatial)
        One map serves all images.
    n_superpixels : int
    mode : {'mean', 'sum'}

    Returns
    -------
    numpy.ndarray, shape (batch, channels, n_superpixels), dtype of `feature_map`
        0 for a superpixel without pixels.
    """
    n_superpixels = messages.check_n_superpixels('SuperpixelPool', n_superpixels)
    messages.check_shapes('SuperpixelPool', 'feature_map', feature_map, superpixel_map, 'in space')
    messages.check_labels('SuperpixelPool', superpixel_map, n_superpixels)
    batch, channels = feature_map.shape[:2]
    pooled = np.zeros((batch, channels, n_superpixels), 'float64')
    for image, labels, sums in zip(feature_map, for_each_image(superpixel_map, batch), pooled):
        order, starts = pixels_by_superpixel(labels)
        if len(starts):
            sorted_features = image.reshape(channels, labels.size)[:, order].astype('float64')
            with np.errstate(invalid='ignore', over='ignore'):
                sums[:, labels.ravel()[order[starts]].astype('int64')] += np.add.reduceat(
                    sorted_features, starts, axis=1)  # added to 0: -0 becomes +0, as in the C code
    if mode == 'mean':
        pooled /= np.maximum(sizes(superpixel_map, n_superpixels), 1)[:, None, :]
    with np.errstate(over='ignore'):
        return pooled.astype(feature_map.dtype)


def unpool(pooled, superpixel_map, mode='sum'):
    """Paint each superpixel's value on its pixels.

    Parameters
    ----------
    pooled : numpy.ndarray of floats, shape (batch, channels, n_superpixels)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial) or (1, *spatial)
    mode : {'sum', 'mean'}
        'mean' paints value / size, the gradient of mean pooling.

    Returns
    -------
    numpy.ndarray, shape (batch, channels, *spatial), dtype of `pooled`
        0 on pixels that belong to no superpixel.
    """
    n_superpixels = pooled.shape[2]
    messages.check_shapes('SuperpixelUnpool', 'pooled', pooled, superpixel_map, 'pooled in batch')
    messages.check_labels('SuperpixelUnpool', superpixel_map, n_superpixels, 'the number of superpixels in pooled is')
    values = pooled
    if mode == 'mean':
        values = pooled.astype('float64') / np.maximum(sizes(superpixel_map, n_superpixels), 1)[:, None, :]
    painted = np.zeros(pooled.shape[:2] + superpixel_map.shape[1:], pooled.dtype)
    for item, labels, image in zip(values, for_each_image(superpixel_map, len(pooled)), painted):
        image[:, labels >= 0] = item[:, labels[labels >= 0].astype('int64')]
    return painted
