"""Masks, heat maps and overlays of images: of a data set, by SP-CAM; of new pictures, by all that was trained."""
import os

import numpy as np

from . import segmentation
from .activation_maps import masks, thresholded
from .errors import SpnError, UnreadablePicture
from .evaluation import best_threshold
from .files import progress
from .pictures import draw_key, heat, overlay, save_image, save_mask, titled
from .runs import UNCHECKED, cam_of
from .sources.images import read_picture


def write_cams(dataset, run, folder, split, threshold=None, absolute=False, one_size=False):
    """Write masks, heat maps and overlays of a split, for the classes that each image is labelled with.

    Parameters
    ----------
    dataset : spn.dataset.Dataset
    run : spn.runs.Run
    folder : str
        ``masks``, ``heat`` and ``overlays`` are made in it, and ``classes.png``, which tells the colours of overlays.
    split : str
    threshold : float, optional
        That which is best on 'val' if None.
    absolute, one_size : bool
        As of :func:`cam_of`.

    Returns
    -------
    int
        How many images were written.
    """
    maps = run.on_dataset(dataset)
    values = cam_of(run, maps, one_size, absolute)
    if threshold is None:
        threshold = best_threshold(dataset, thresholded(values), UNCHECKED)
    draw_key(dataset.class_names, os.path.join(folder, 'classes.png'))
    indices = dataset.indices(split)
    for i in progress(indices, title='writing', unit='images'):
        name, image, classes = file_name(dataset.names[i]), dataset.image(i), np.flatnonzero(dataset.labels[i])
        found = values(i, classes)
        mask = masks(found, classes, [threshold])[0]
        save_mask(mask, os.path.join(folder, 'masks', name + '.png'))
        save_image(overlay(image, mask), os.path.join(folder, 'overlays', name + '.png'))
        for c, value in zip(classes, found):
            save_image(heat(image, value), os.path.join(folder, 'heat', '{}-{}.png'.format(
                name, file_name(dataset.class_names[c]))))
    return len(indices)


def file_name(name):
    """A name of a file from that of a picture or a class."""
    return os.path.splitext(name)[0].replace('/', '-').replace(' ', '-')


def write_predictions(run, pictures, folder, named=(), max_side=500):
    """Segment new pictures.

    Parameters
    ----------
    run : spn.runs.Run
    pictures : sequence of str
    folder : str
    named : sequence of str
        The classes that the pictures show; found out if there are none.
    max_side : int

    Returns
    -------
    skipped : list of str
        A sentence for each picture that could not be read.

    Raises
    ------
    SpnError
        If a class is named that the run does not know.
    """
    class_names, skipped = run.about['class_names'], []
    for name in named:
        if name not in class_names:
            raise SpnError('{} does not know the class {!r}; it knows {}'.format(run.folder, name, ', '.join(class_names)))
    for path in progress(pictures, title='predicting', unit='pictures'):
        try:
            image = read_picture(path, max_side)
        except UnreadablePicture as error:
            skipped.append(str(error))
            continue
        mask, classes = predict(run, image, [class_names.index(name) for name in named])
        stem = os.path.join(folder, os.path.splitext(os.path.basename(path))[0])
        save_mask(mask, stem + '-mask.png')
        titled(overlay(image, mask), classes, class_names, stem + '-overlay.png')
    return skipped


def predict(run, image, classes=()):
    """The mask of one picture.

    Parameters
    ----------
    run : spn.runs.Run
    image : ndarray of uint8, (rows, cols, 3)
    classes : sequence of int
        Found out if empty.

    Returns
    -------
    mask : ndarray of uint8, (rows, cols)
        0 background, c + 1 class c.
    classes : ndarray of int
    """
    maps = run.on_picture(image)
    classes = np.array(classes, int) if len(classes) else run.classes_of(maps, 0)
    if run.rounds:
        masks_of, threshold = segmentation.method(run.rounds[-1], maps), run.rounds[-1].about['threshold']
    else:
        masks_of, threshold = thresholded(cam_of(run, maps)), UNCHECKED
    return masks_of(0, classes, [threshold])[0], classes
