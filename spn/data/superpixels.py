"""Superpixel maps for the images of a data set, computed by scikit-image on all cores, or brought by the user."""
import functools
import hashlib
import os
import re

import numpy as np
from skimage import segmentation
from skimage.color import rgb2gray
from skimage.filters import sobel

from theano_spp.label_tools import relabel_sequential

from ..errors import SpnError
from ..parts import fill
from ..workers import LocalProcesses
from .dataset import Dataset
from .sources.images import opened
from .sources.walk import files_below, inside
from .superpixel_maps import KIND, folder_of, keys_of, packed_maps

#: The settings of each method, with their defaults.
METHODS = {
    # Regions are merged unless they differ by more than the differences inside them, so that superpixels are as large
    # as what they show. A larger scale gives larger superpixels. Felzenszwalb and Huttenlocher, IJCV 2004.
    'felzenszwalb': {'scale': 150., 'sigma': .6, 'min_size': 60},
    # Compact, and all of about one size. Achanta et al., PAMI 2012.
    'slic': {'n_segments': 200, 'compactness': 10.},
    # Compact watershed of the image gradient. Neubert and Protzel, ICPR 2014.
    'watershed': {'n_segments': 200, 'compactness': 1e-4},
    'grid': {'n_segments': 200},
}


def felzenszwalb(image, scale, sigma, min_size):
    return segmentation.felzenszwalb(image, scale=scale, sigma=sigma, min_size=int(min_size))


def slic(image, n_segments, compactness):
    return segmentation.slic(image, n_segments=int(n_segments), compactness=compactness, start_label=0)


def watershed(image, n_segments, compactness):
    return segmentation.watershed(sobel(rgb2gray(image)), markers=int(n_segments), compactness=compactness) - 1


def grid(image, n_segments):
    """Equal rectangles, as close to squares as whole numbers allow."""
    rows, cols = image.shape[:2]
    side = (rows * cols / n_segments) ** .5
    down, across = max(1, int(round(rows / side))), max(1, int(round(cols / side)))
    return (np.arange(rows)[:, np.newaxis] * down // rows) * across + np.arange(cols) * across // cols


FUNCTIONS = {'felzenszwalb': felzenszwalb, 'slic': slic, 'watershed': watershed, 'grid': grid}


def method_settings(method, given):
    """The settings of a method: the defaults, replaced by what was `given`.

    Parameters
    ----------
    method : str
    given : dict of float

    Returns
    -------
    dict
        The settings and the key ``method``, for :func:`superpixel_map`.

    Raises
    ------
    SpnError
        If there is no such method, or it has no such setting.
    """
    if method not in METHODS:
        raise SpnError('there is no superpixel method {!r}; there are {}'.format(method, ', '.join(sorted(METHODS))))
    for name, value in given.items():
        if name not in METHODS[method]:
            raise SpnError('the superpixel method {} has no setting {!r}; it has {}'.format(
                method, name, ', '.join(METHODS[method])))
        if not 0 < value < float('inf'):
            raise SpnError('{}={} of the superpixel method {} must be above 0'.format(name, value, method))
        if isinstance(METHODS[method][name], int) and value != int(value):
            raise SpnError('{}={} of the superpixel method {} must be a whole number'.format(name, value, method))
    return dict(METHODS[method], method=method, **given)


def superpixel_map(image, settings):
    """The superpixel map of one image.

    Parameters
    ----------
    image : ndarray of uint8, (rows, cols, 3)
    settings : dict
        As from :func:`method_settings`.

    Returns
    -------
    ndarray of int32, (rows, cols)
        Superpixels 0 .. n - 1, each with at least one pixel.
    """
    settings = dict(settings)
    labels = FUNCTIONS[settings.pop('method')](image, **settings)
    return relabel_sequential(labels)[0]


def user_superpixel_map(folder, name, shape):
    """A superpixel map that the user brings: ``NAME.npy`` or ``NAME.png``, in the subfolder and under the name of the
    picture.

    Pixels of one number are a superpixel; which numbers, and their colours in a palette, do not matter.

    Parameters
    ----------
    folder : str
    name : str
        The picture's name; its ending is ignored.
    shape : (int, int)
        Rows and columns of the picture.
    """
    stem = os.path.splitext(name)[0]
    path = next((path for ending in ('.npy', '.png') for path in [os.path.join(folder, stem + ending)]
                 if os.path.exists(path)), None)
    if path is None:
        raise SpnError('{0} has no superpixel map for {1}: wanted is {2}.npy or {2}.png'.format(folder, name, stem))
    if not inside(folder, path):
        raise SpnError('{} leads out of {}: copy the map there'.format(path, folder))
    labels = array_in(path)
    if labels.dtype.kind not in 'ui':
        raise SpnError('{} holds {}, wanted are whole numbers, one for each superpixel (negative: no '
                       'superpixel)'.format(path, labels.dtype))
    if labels.ndim == 3 and labels.shape[2] in (3, 4) and labels.dtype == np.uint8:  # superpixels drawn in colours
        labels = labels[..., :3].astype('int64').dot([1 << 16, 1 << 8, 1])
    if labels.shape != tuple(shape):
        raise SpnError('{} is {}, but the picture {} is {}: they must be of one size'.format(
            path, labels.shape, name, tuple(int(side) for side in shape)))
    if not np.any(labels >= 0):
        raise SpnError('{} has no superpixel: all its numbers are negative'.format(path))
    return relabel_sequential(labels)[0]


def array_in(path):
    if path.endswith('.png'):
        with opened(path) as picture:
            picture.load()  # NumPy 1.19 overlooks an error that is raised when it asks for the pixels
            return np.array(picture)
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SpnError('{} cannot be read as a superpixel map: {}'.format(path, error)) from error


def make_superpixels(path, name, settings, workers=LocalProcesses()):
    """Make the superpixel maps of a data set that it does not have yet.

    Parameters
    ----------
    path : str
        The data set.
    name : str
        The name of the maps. Maps of that name that were made with other settings are replaced.
    settings : dict
        As from :func:`method_settings`, or ``{'folder': path}`` for maps that the user brings.
    workers : spn.workers.LocalProcesses or spn.cluster.Cluster

    Returns
    -------
    counts : ndarray of int
        The number of superpixels of each image.
    """
    if not re.match(r'[^\W_][^\x00-\x1f/]*$', name):
        raise SpnError('superpixels cannot be called {!r}: choose a name of letters and digits'.format(name))
    made_by = {'settings': settings}
    if 'folder' in settings:
        made_by['files'] = folder_digest(settings['folder'])
    with Dataset(path) as dataset:
        keys = keys_of(dataset, settings)
        compute = functools.partial(part_of, os.path.abspath(path), settings)
        parts = fill(folder_of(path, name), KIND, made_by, keys, compute, workers, 'superpixels')
        parts.close()
        return dataset.superpixel_maps(name).counts


def part_of(path, settings, places):
    """The superpixel maps of some images, as a part; called in a worker."""
    with Dataset(path) as dataset:
        keys = keys_of(dataset, settings)
        return packed_maps([keys[i] for i in places], [map_of(dataset, i, settings) for i in places])


def map_of(dataset, i, settings):
    """The superpixel map of image `i`."""
    if 'folder' in settings:
        return user_superpixel_map(settings['folder'], dataset.names[i], dataset.sizes[i])
    return superpixel_map(dataset.image(i), settings)


def folder_digest(folder):
    """A digest that changes with any file of a folder, so that maps that were read from other files are not kept."""
    paths = files_below(folder, folder).files
    return hashlib.sha256(repr([(path, os.path.getsize(path), os.path.getmtime(path)) for path in paths]).encode(
        'utf-8', 'surrogateescape')).hexdigest()
