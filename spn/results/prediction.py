"""Writing masks, heat maps and overlays: of the images of a data set, for their labels, and of new pictures."""
import os

import numpy as np
from PIL import Image

from ..data.sources.images import read_picture, scaled
from ..errors import SpnError, UnreadablePicture
from ..files import progress
from .masks import masks, thresholded
from .drawing import colours_of, heat, overlay, save_image, save_mask, titled, write_key
from .evaluation import best_threshold
from .outputs import pictures_in, safe_part, stems_of
from .runs import UNCHECKED, best_of, cam_of

MAX_SIDE = 500  # larger pictures are scaled down to it: superpixel settings are meant for about this size


def write_cams(dataset, run, folder, split, threshold=None, sp_cam=False, absolute=False, one_size=False):
    """Write masks, heat maps and overlays of a split, for the classes that each image is labelled with.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    run : spn.results.runs.Run
    folder : str
        Gets the subfolders ``masks``, ``heat`` and ``overlays``, with the same folders in them as the pictures, and
        ``classes.png`` and ``classes.csv``, which explain the numbers and colours.
    split : str
        'train', 'val', 'test' or 'all'.
    threshold : float, optional
        The best one on 'val' if None.
    sp_cam : bool
        Use the superpixel pooling network even if there is a segmentation network, whose masks are better.
    absolute, one_size : bool
        As for :func:`cam_of`.

    Returns
    -------
    count : int
        The number of images.
    method : str
        The method that made the masks.

    Raises
    ------
    SpnError
        If `absolute` or `one_size` is asked of a segmentation network.
    """
    if run.rounds and not sp_cam and (absolute or one_size):
        raise SpnError('absolute thresholds and one size are of SP-CAM, but {} has a segmentation network: give '
                       '--sp-cam too'.format(run.folder))
    indices = np.arange(len(dataset)) if split == 'all' else dataset.indices(split)
    stems = stems_of([dataset.names[i] for i in indices])
    class_folders = [safe_part(name) for name in dataset.class_names]
    maps = run.on_dataset(dataset)
    values, best = (cam_of(run, maps, one_size, absolute), None) if sp_cam else best_of(run, maps)
    if threshold is None:
        threshold = best_threshold(dataset, thresholded(values), UNCHECKED) if best is None else best
    write_key(dataset.class_names, folder)
    colours = colours_of(dataset.class_names)
    for i, stem in zip(progress(indices, title='writing', unit='images'), stems):
        name, image, classes = stem + '.png', dataset.image(i), np.flatnonzero(dataset.labels[i])
        class_values = values(i, classes)
        mask = masks(class_values, classes, [threshold])[0]
        save_mask(mask, os.path.join(folder, 'masks', name), colours)
        save_image(overlay(image, mask, colours), os.path.join(folder, 'overlays', name))
        for c, value in zip(classes, class_values):
            save_image(heat(image, value), os.path.join(folder, 'heat', class_folders[c], name))
    return len(indices), run.final_cam if sp_cam else run.final


def write_predictions(run, pictures, folder, named=(), max_side=MAX_SIDE, small=False):
    """Segment new pictures.

    Parameters
    ----------
    run : spn.results.runs.Run
    pictures : sequence of str
        Files, and folders of them.
    folder : str
        For a picture NAME.jpg it gets NAME-mask.png and NAME-overlay.png, in subfolders if the pictures come from
        several folders, and ``classes.png`` and ``classes.csv``, which explain the numbers and colours.
    named : sequence of str
        The classes that the pictures show; predicted if it is empty.
    max_side : int
        As for :func:`predict`.
    small : bool
        Leave the masks and overlays of larger pictures scaled down.

    Returns
    -------
    count : int
        The number of pictures that were segmented.
    skipped : list of str
        A sentence for each picture that could not be read.

    Raises
    ------
    SpnError
        If the run does not know a class that is named, if no picture can be read, or if two results, or a result and a
        picture, would be the same file.
    """
    run.classes_named(named)
    paths, names = pictures_in(pictures, folder)
    result_paths = [[os.path.join(folder, stem + ending) for ending in ('-mask.png', '-overlay.png')]
                    for stem in stems_of(names)]
    path_by_target = {os.path.realpath(path): path for path in paths}
    for path, results in zip(paths, result_paths):
        for result in results:
            if os.path.realpath(result) in path_by_target:
                raise SpnError('{} would be overwritten by a result of {}: choose another --out'.format(
                    path_by_target[os.path.realpath(result)], path))
    skipped, colours = [], colours_of(run.class_names)
    for path, (mask_path, overlay_path) in zip(progress(paths, title='predicting', unit='pictures'), result_paths):
        try:
            image = read_picture(path, max_side if small else None)
        except UnreadablePicture as error:
            skipped.append(str(error))
            continue
        mask, classes = predict(run, image, named, max_side)
        save_mask(mask, mask_path, colours)
        titled(overlay(image, mask, colours), classes, run.class_names, overlay_path)
    if len(skipped) == len(paths):
        raise SpnError('none of {} pictures could be read. The first: {}'.format(len(paths), skipped[0]))
    write_key(run.class_names, folder)
    return len(paths) - len(skipped), skipped


def predict(run, image, named=(), max_side=MAX_SIDE):
    """The mask of one picture.

    Parameters
    ----------
    run : spn.results.runs.Run
    image : ndarray of uint8, (rows, cols, 3)
    named : sequence of str
        The classes that it shows, which makes a much better mask; predicted if it is empty.
    max_side : int
        A larger picture is scaled down to it, and its mask is enlarged by nearest neighbour.

    Returns
    -------
    mask : ndarray of uint8, (rows, cols)
        0 background, c + 1 class c.
    classes : ndarray of int
        The classes looked for, as indices into ``run.class_names``.
    """
    maps = run.on_picture(np.array(scaled(Image.fromarray(image), max_side, Image.LANCZOS)))
    classes = np.array(run.classes_named(named), int) if len(named) else run.classes_of(maps, 0)
    values, threshold = best_of(run, maps)
    mask = masks(values(0, classes), classes, [UNCHECKED if threshold is None else threshold])[0]
    return np.array(Image.fromarray(mask).resize(image.shape[1::-1], Image.NEAREST)), classes
