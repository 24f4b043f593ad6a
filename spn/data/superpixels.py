"""Superpixel maps for the images of a data set, computed by scikit-image on all cores, or brought by the user."""
import functools
import hashlib
import json
import os
import re

import numpy as np
from skimage import segmentation
from skimage.color import rgb2gray
from skimage.filters import sobel

from theano_spp.label_tools import relabel_sequential

from ..errors import SpnError
from ..files import Parts, locked, on_all_cores, progress
from .dataset import Dataset, add_superpixels
from .sources.images import opened
from .sources.walk import files_below, inside

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


def maps_of_part(path, settings, items):
    """Superpixel maps of some images, as a dict of arrays; called in a worker process."""
    with Dataset(path) as dataset:
        if 'folder' in settings:
            maps = [user_superpixel_map(settings['folder'], dataset.names[i], dataset.sizes[i]) for i in items]
        else:
            maps = [superpixel_map(dataset.image(i), settings) for i in items]
    return {str(i): labels for i, labels in zip(items, maps)}


def make_superpixels(path, name, settings, n_workers=None):
    """Add superpixel maps to a data set file. A run that was stopped goes on where it was. If only some images have
    maps of this name and these settings, those are kept.

    Parameters
    ----------
    path : str
        The data set.
    name : str
        The name of the maps in the file; existing maps of that name are replaced.
    settings : dict
        As from :func:`method_settings`, or ``{'folder': path}`` for maps that the user brings.
    n_workers : int, optional
        Number of processes; one for each core if None.

    Returns
    -------
    counts : ndarray of int
        The number of superpixels of each image.
    """
    if not re.match(r'[^\W_][^\x00-\x1f/]*$', name):
        raise SpnError('superpixels cannot be called {!r}: choose a name of letters and digits'.format(name))
    parts_path = '{}.superpixels-{}'.format(path, name)
    with locked(parts_path), Dataset(path) as dataset:
        old = None
        if name in dataset.superpixel_names() and 'folder' not in settings:  # the user's files may have changed
            old = dataset.superpixel_maps_so_far(name)
            if old.made_by != json.loads(json.dumps(settings)) or np.all(old.counts >= 0):
                old = None
        items = np.arange(len(dataset)) if old is None else np.flatnonzero(old.counts < 0)
        made_by = dict(settings, data=dataset.digests[items].tolist())
        if 'folder' in settings:
            made_by.update(files=folder_digest(settings['folder']), names=dataset.names.tolist())
        with Parts(parts_path, len(items), made_by, part_size=16) as parts:
            compute = functools.partial(compute_part, path, settings, parts, items)
            with progress(total=len(items), title='superpixels', unit='images') as bar:
                bar.update(parts.n_done())
                for part, _ in on_all_cores(compute, parts.missing(), n_workers):
                    bar.update(len(parts.items(part)))
            new = (stored[str(items[k])] for part in range(len(parts)) for stored in [parts.load(part)]
                   for k in parts.items(part))
            maps = (next(new) if old is None or old.counts[i] < 0 else old[i] for i in range(len(dataset)))
            return add_superpixels(path, name, maps, settings, dataset.digests)


def folder_digest(folder):
    """A digest that changes with any file of a folder, so that parts computed from other files are not reused."""
    paths = files_below(folder, folder).files
    return hashlib.sha256(repr([(path, os.path.getsize(path), os.path.getmtime(path)) for path in paths]).encode(
        'utf-8', 'surrogateescape')).hexdigest()


def compute_part(path, settings, parts, items, part):
    parts.save(part, **maps_of_part(path, settings, items[parts.items(part)]))
