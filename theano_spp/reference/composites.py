"""Variance, standard deviation, logsumexp, softmax and normalization, one superpixel at a time."""
import numpy as np

from .sharing import for_each_image
from .sorting import each_superpixel


@np.errstate(invalid='ignore', over='ignore', divide='ignore')
def composite_pool(feature_map, superpixel_map, n_superpixels, mode, pixel_weights=None):
    """Pool by variance, standard deviation or logsumexp.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial) or (1, *spatial)
    n_superpixels : int
    mode : {'var', 'std', 'logsumexp'}
    pixel_weights : numpy.ndarray of floats, shape (batch, *spatial) or (1, *spatial), optional
        Only for 'var' and 'std'; must not be negative.

    Returns
    -------
    numpy.ndarray, shape (batch, channels, n_superpixels), dtype of `feature_map`
        0 for a superpixel without pixels, or with weights that sum to 0.
    """
    pooled = np.zeros(feature_map.shape[:2] + (n_superpixels,))
    if pixel_weights is not None:
        pixel_weights = for_each_image(pixel_weights, len(feature_map))
    for image, label, pixels, features in each_superpixel(feature_map, superpixel_map):
        if mode == 'logsumexp':
            pooled[image, :, label] = np.logaddexp.reduce(features, axis=1)
        else:
            weights = (np.ones(features.shape[1]) if pixel_weights is None
                       else pixel_weights[image][pixels].astype('float64'))
            if weights.sum() != 0:
                means = np.average(features, axis=1, weights=weights)
                pooled[image, :, label] = np.average((features - means[:, None]) ** 2, axis=1, weights=weights)
    if mode == 'std':
        pooled = np.sqrt(pooled)
    return pooled.astype(feature_map.dtype)


@np.errstate(invalid='ignore', over='ignore', divide='ignore')
def softmax(feature_map, superpixel_map):
    """Softmax over the pixels of each superpixel, in each channel separately.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial) or (1, *spatial)

    Returns
    -------
    numpy.ndarray, shape and dtype of `feature_map`
        0 on pixels that belong to no superpixel.
    """
    shares = np.zeros(feature_map.shape, feature_map.dtype)
    for image, _, pixels, features in each_superpixel(feature_map, superpixel_map):
        powers = np.exp(features - features.max(axis=1, keepdims=True))
        shares[image][:, pixels] = powers / powers.sum(axis=1, keepdims=True)
    return shares


@np.errstate(invalid='ignore', over='ignore', divide='ignore')
def normalize(feature_map, superpixel_map, epsilon=1e-5):
    """Normalize the features of each superpixel to mean 0 and variance 1, in each channel separately.

    Parameters
    ----------
    feature_map : numpy.ndarray of floats, shape (batch, channels, *spatial)
    superpixel_map : numpy.ndarray of integers, shape (batch, *spatial) or (1, *spatial)
    epsilon : float
        Added to the variance.

    Returns
    -------
    numpy.ndarray, shape and dtype of `feature_map`
        0 on pixels that belong to no superpixel.
    """
    normalized = np.zeros(feature_map.shape, feature_map.dtype)
    for image, _, pixels, features in each_superpixel(feature_map, superpixel_map):
        deviations = features - features.mean(axis=1, keepdims=True)
        variance = (deviations ** 2).mean(axis=1, keepdims=True)
        normalized[image][:, pixels] = deviations / np.sqrt(variance + epsilon)
    return normalized
