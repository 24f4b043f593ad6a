"""Photographs that come with scikit-image: crops to train on, mosaics to predict, and their superpixels.

Each photograph is a class. Crops come only from its left half and parts of mosaics only from its right half, so that
nothing in a mosaic was seen in training.
"""
import numpy as np
from scipy.ndimage import find_objects, gaussian_filter
from skimage import data
from skimage.segmentation import felzenszwalb

GRID = (3, 3)  # a mosaic has as many regions as there are photographs
WAVES = 26     # how many pixels, at most, borders of regions deviate from the grid


def load_photographs():
    """Return the photographs by class name: (rows, cols, 3) in 0..1, float32.

    All of them are in the wheels of scikit-image 0.17 to 0.21, so nothing is downloaded.
    """
    photographs = {
        'coffee': data.coffee(),
        'cat': data.chelsea(),
        'rocket': data.rocket(),
        'tissue': data.immunohistochemistry(),
        'galaxies': data.hubble_deep_field(),
        'retina': halve(data.retina())[100:-100, 100:-100],  # without the black around the eye
        'brick': data.brick(),
        'grass': data.grass(),
        'gravel': data.gravel(),
    }
    return {name: as_rgb(photograph) for name, photograph in photographs.items()}


def halve(photograph):
    """Halve rows and columns, by the mean of two by two pixels."""
    rows, cols = photograph.shape[0] // 2, photograph.shape[1] // 2
    return photograph[:2 * rows, :2 * cols].reshape(rows, 2, cols, 2, -1).mean(axis=(1, 3))


def as_rgb(photograph):
    """Give grey photographs three equal channels, and all of them values in 0..1."""
    if photograph.ndim == 2:
        photograph = np.stack([photograph] * 3, axis=-1)
    return (photograph / 255.).astype('float32')


def training_half(photograph):
    return photograph[:, :photograph.shape[1] // 2]


def held_out_half(photograph):
    return photograph[:, photograph.shape[1] // 2:]


def random_window(part, rows, cols, rng):
    """Return `rows` x `cols` pixels from anywhere in `part`."""
    top = rng.randint(part.shape[0] - rows + 1)
    left = rng.randint(part.shape[1] - cols + 1)
    return part[top:top + rows, left:left + cols]


def training_crops(photographs, n_crops, size, rng):
    """Cut `n_crops` squares from the training half of each photograph, every other one mirrored.

    Returns
    -------
    crops : ndarray, (n_crops x classes, size, size, 3)
    labels : ndarray of int, (n_crops x classes,)
        The photograph of each crop: an image-level label, without any information on pixels.
    """
    crops, labels = [], []
    for label, photograph in enumerate(photographs):
        for i in range(n_crops):
            crop = random_window(training_half(photograph), size, size, rng)
            crops.append(crop[:, ::-1] if i % 2 else crop)
            labels.append(label)
    return np.array(crops), np.array(labels)


def in_other_light(crops, rng):
    """Make each crop up to 30 % darker or brighter, so that brightness alone does not reveal the class."""
    light = rng.uniform(.7, 1.3, size=(len(crops), 1, 1, 1))
    return np.minimum(crops * light, 1).astype(crops.dtype)


def mosaic(photographs, shape, rng, half=held_out_half):
    """Make a picture of `shape` from parts of halves of the photographs, one part of each, with wavy borders.

    The parts are held out from training, unless `half` is :func:`training_half`.

    Returns
    -------
    image : ndarray, (rows, cols, 3)
    truth : ndarray of int, (rows, cols)
        The photograph that each pixel comes from.
    """
    places = [np.clip((position + wave(shape, rng)) * n // length, 0, n - 1).astype(int)
              for position, n, length in zip(np.indices(shape), GRID, shape)]
    truth = rng.permutation(len(photographs))[places[0] * GRID[1] + places[1]]

    image = np.empty(shape + (3,), photographs[0].dtype)
    for label, photograph in enumerate(photographs):
        inside = truth == label
        box = find_objects(inside)[0]
        part = random_window(half(photograph), *inside[box].shape, rng=rng)
        image[box][inside[box]] = part[inside[box]]
    return image, truth


def wave(shape, rng):
    """Smooth noise of -WAVES .. WAVES pixels."""
    noise = gaussian_filter(rng.uniform(-1, 1, shape), sigma=14, mode='wrap')
    return noise * (WAVES / abs(noise).max())


def superpixels(image, scale):
    """Return the superpixel map of an image, (rows, cols) of int. A larger `scale` gives larger superpixels.

    Felzenszwalb's superpixels are as large as what they show: a piece of sky is one, a dark gap between two stones
    another. SLIC's compact superpixels, all of about one size, work less well here.
    """
    return felzenszwalb(image, scale=scale, sigma=.8, min_size=scale // 3)
