"""Writing masks, heat maps and overlays: of the images of a data set, for their labels, and of new pictures.

The masks of a picture are written last, with a digest of what they depend on. So a run that was stopped goes on with
the pictures whose masks are missing, and writes again what depends on something else by now.
"""
import functools
import itertools
import json
import os

import numpy as np
from PIL import Image

from ..data.sources.images import read_picture, scaled
from ..data.sources.voc import CLASS_NAMES
from ..errors import SpnError, UnreadablePicture
from ..files import digest_of_file, digest_of_json, progress, write_bytes
from ..workers import HERE, kept_open
from .drawing import colours_of, heat, image_png, made_from_of, mask_png, overlay, titled_png, write_key
from .evaluation import best_threshold
from .masks import masks, thresholded
from .outputs import named_in, pictures_in, safe_part, stems_of
from .runs import UNCHECKED, Run, best_of, cam_of, check_is, opened

MAX_SIDE = 500  # larger pictures are scaled down to it: superpixel settings are meant for about this size
TASK = 8        # pictures that a worker is given at once


def write_cams(dataset, run, folder, split, threshold=None, sp_cam=False, absolute=False, one_size=False,
               pictures=None, workers=HERE):
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
    pictures : str, optional
        The folder of the pictures that the data set was made of. If given, masks and overlays have their sizes, and not
        those of the images in the data set.
    workers : spn.workers.LocalProcesses or spn.cluster.Cluster

    Returns
    -------
    count : int
        The number of images.
    method : str
        The method that made the masks.

    Raises
    ------
    SpnError
        If `absolute` or `one_size` is asked of a segmentation network, or a mask would overwrite a file that spn has
        not made.
    """
    if run.rounds and not sp_cam and (absolute or one_size):
        raise SpnError('absolute thresholds and one size are of SP-CAM, but {} has a segmentation network: give '
                       '--sp-cam too'.format(run.folder))
    indices = np.arange(len(dataset)) if split == 'all' else dataset.indices(split)
    stems = stems_of([dataset.names[i] for i in indices])
    how = {'sp_cam': sp_cam, 'absolute': absolute, 'one_size': one_size}
    maps = run.on_dataset(dataset, workers)  # computes features, which no worker should that makes masks
    made_from = dict(run.made_from(dataset), **how)
    if threshold is None:
        values, threshold = chosen_values(run, maps, **how)
        if threshold is None:
            threshold = best_threshold(dataset, thresholded(values), UNCHECKED)
    write_key(dataset.class_names, folder)
    tasks = []
    for i, stem in zip(indices.tolist(), stems):
        digest = digest_of_json([made_from, threshold, pictures, dataset.digests[i], dataset.labels[i].tolist()])
        path = os.path.join(folder, 'masks', stem + '.png')
        found = made_from_of(path)
        if found is None and os.path.exists(path):
            raise SpnError('{} would be overwritten, and spn has not made it: choose another --out'.format(path))
        if found != digest:
            tasks.append((i, stem, digest))
    compute = functools.partial(cams_of, os.path.abspath(dataset.path), os.path.abspath(run.folder),
                                json.dumps(made_from), how, threshold, pictures and os.path.abspath(pictures))
    write_all(compute, tasks, workers, folder, len(indices), 'writing')
    return len(indices), run.final_cam if sp_cam else run.final


def chosen_values(run, maps, sp_cam, absolute, one_size):
    """The values that masks are made from, and their threshold, as from :func:`best_of`."""
    return (cam_of(run, maps, one_size, absolute), None) if sp_cam else best_of(run, maps)


def write_all(compute, tasks, workers, folder, n, title):
    """Write what workers compute of pictures.

    Parameters
    ----------
    compute : callable
        Gives, for a list of tasks, a list of relative paths and bytes, and a list of what is to be reported.
    tasks : list
        One for each picture that is left.
    workers : spn.workers.LocalProcesses or spn.cluster.Cluster
    folder : str
    n : int
        The number of pictures, with those that are finished.
    title : str
        Of the progress bar.

    Returns
    -------
    list
        What is to be reported.
    """
    groups, reported = [tasks[k:k + TASK] for k in range(0, len(tasks), TASK)], []
    with progress(total=n, title=title, unit='pictures', done=n - len(tasks)) as bar:
        for group, (files, more) in workers.run(compute, groups):
            for path, content in files:
                write_bytes(os.path.join(folder, path), content)
            reported += more
            bar.update(len(group))
    return reported


def cams_of(data_path, run_folder, made_from, how, threshold, pictures, tasks):
    """The files of some images, as for :func:`write_all`; called in a worker."""
    dataset, run, maps = opened(data_path, run_folder, made_from)
    values, _ = chosen_values(run, maps, **how)
    colours, files = colours_of(dataset.class_names), []
    for i, stem, digest in tasks:
        name, image, classes = stem + '.png', dataset.image(i), np.flatnonzero(dataset.labels[i])
        class_values = values(i, classes)
        mask = masks(class_values, classes, [threshold])[0]
        for c, value in zip(classes, class_values):
            folder = os.path.join('heat', safe_part(dataset.class_names[c]))
            files.append((os.path.join(folder, name), image_png(heat(image, value))))
        if pictures is not None:
            image = read_picture(path_of(pictures, dataset.names[i]))
            mask = enlarged(mask, image)
        files.append((os.path.join('overlays', name), image_png(overlay(image, mask, colours))))
        files.append((os.path.join('masks', name), mask_png(mask, colours, digest)))
    return files, []


def path_of(pictures, name):
    """The path of a picture; a list of PASCAL VOC may name some that are next to the folder of the others."""
    path = os.path.join(pictures, name)
    return path if os.path.exists(path) else os.path.join(os.path.dirname(pictures), name)


def write_predictions(run, pictures, folder, named=(), max_side=MAX_SIDE, small=False, voc_results=False,
                      listed=None, workers=HERE):
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
    voc_results : bool
        Write only masks, in the folders and under the names that PASCAL VOC's server expects.
    listed : str, optional
        A file that lists the names of the pictures to segment; the others are left out.
    workers : spn.workers.LocalProcesses or spn.cluster.Cluster

    Returns
    -------
    count : int
        The number of pictures that were segmented.
    skipped : list of str
        A sentence for each picture that could not be read.

    Raises
    ------
    SpnError
        If the run does not know a class that is named, if no picture can be read, if two results, or a result and a
        picture, would be the same file, or if VOC's server is to have masks of other classes or of changed sizes.
    """
    run.classes_named(named)
    if voc_results:
        check_is_for_voc(run, small)
    paths, names = pictures_in(pictures, folder)
    if listed is not None:
        is_named = named_in(listed, paths)
        paths, names = [list(itertools.compress(each, is_named)) for each in (paths, names)]
    result_paths = [[os.path.join(folder, place) for place in places_of(stem, voc_results)] for stem in stems_of(names)]
    path_by_target = {os.path.realpath(path): path for path in paths}
    for path, results in zip(paths, result_paths):
        for result in results:
            if os.path.realpath(result) in path_by_target:
                raise SpnError('{} would be overwritten by a result of {}: choose another --out'.format(
                    path_by_target[os.path.realpath(result)], path))
    how = {'named': list(named), 'max_side': max_side, 'small': small}
    made_from = dict(how, models=run.digests)
    tasks, unreadable = [], []
    for path, results in zip(paths, result_paths):
        try:
            digest = digest_of_json([made_from, digest_of_file(path)])
        except OSError as error:
            unreadable.append('{} cannot be read as a picture: {}'.format(path, error))
            continue
        if made_from_of(results[0]) != digest:
            tasks.append((os.path.abspath(path), [os.path.relpath(result, folder) for result in results], digest))
    compute = functools.partial(predictions_of, os.path.abspath(run.folder), json.dumps(made_from), how)
    skipped = unreadable + write_all(compute, tasks, workers, folder, len(paths) - len(unreadable), 'predicting')
    if len(skipped) == len(paths):
        raise SpnError('none of {} pictures could be read. The first: {}'.format(len(paths), skipped[0]))
    if not voc_results:
        write_key(run.class_names, folder)
    return len(paths) - len(skipped), skipped


#: Where PASCAL VOC's server expects masks: of the competition in which other training data is allowed, as ImageNet is.
VOC_RESULTS = os.path.join('results', 'VOC2012', 'Segmentation', 'comp6_test_cls')


def places_of(stem, voc_results):
    """The relative paths of the results of a picture; the mask is the first."""
    return [os.path.join(VOC_RESULTS, stem + '.png')] if voc_results else [stem + '-mask.png', stem + '-overlay.png']


def check_is_for_voc(run, small):
    """Raise SpnError if masks of this run cannot be given to PASCAL VOC's server."""
    if run.class_names != CLASS_NAMES:
        raise SpnError("{} knows the classes {}, but PASCAL VOC's server wants those of VOC: train on `spn data voc` "
                       'without --without'.format(run.folder, ', '.join(run.class_names)))
    if small:
        raise SpnError("PASCAL VOC's server wants masks of the size of the pictures: leave out --small")


@kept_open
def opened_run(folder, made_from):
    """A run, which stays open in each process; parameters and errors are those of :func:`opened`."""
    run = Run(folder)
    check_is(made_from, {'models': run.digests}, folder)
    return run


def predictions_of(run_folder, made_from, how, tasks):
    """The files of some pictures, as for :func:`write_all`; called in a worker."""
    run, files, skipped = opened_run(run_folder, made_from), [], []
    colours = colours_of(run.class_names)
    for path, (mask_path, *overlay_path), digest in tasks:
        try:
            image = read_picture(path, how['max_side'] if how['small'] else None)
        except UnreadablePicture as error:
            skipped.append(str(error))
            continue
        mask, classes = predict(run, image, how['named'], how['max_side'])
        files += [(each, titled_png(overlay(image, mask, colours), classes, run.class_names)) for each in overlay_path]
        files.append((mask_path, mask_png(mask, colours, digest)))
    return files, skipped


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
    return enlarged(mask, image), classes


def enlarged(mask, image):
    """A mask in the size of an image that was scaled down for it."""
    return np.array(Image.fromarray(mask).resize(image.shape[1::-1], Image.NEAREST))
