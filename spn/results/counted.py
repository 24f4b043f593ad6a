"""Confusion matrices and masks of the images of a data set, in parts, so that an evaluation that was stopped goes on.

A part has the array ``confusion``, (images, methods, thresholds, classes + 1, classes + 1). Those of 'test', which have
one threshold for each method, also have ``masks``, (images, methods, rows, cols), padded with 0.
"""
import functools
import json
import os
import shutil

import numpy as np

from ..parts import Kind, fill, packed, unfinished
from .evaluation import compare, confusions, image_masks, with_masks
from .runs import opened

KIND = Kind('spn confusion matrices 2', 'confusion matrices and masks', '`spn evaluate`', 16)
SPLITS = ('val', 'test')


def results(dataset, folder, names, made_from, workers):
    """The results of the methods of a run.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    folder : str
        Of the run.
    names : sequence of str, optional
        Of the methods, as far as the run has them; all of them if None.
    made_from : dict
        What results depend on; JSON.
    workers : spn.workers.LocalProcesses or spn.cluster.Cluster

    Returns
    -------
    dict of str to dict
        As from :func:`spn.results.evaluation.compare`.
    """
    names = [name for name in methods_of(*task_of(dataset, folder, made_from))[1] if names is None or name in names]

    def count(split, thresholds):
        parts = filled(dataset, folder, made_from, split, thresholds, workers)
        for i in with_masks(dataset, split):
            yield dict(zip(names, parts.array('confusion', str(i))))
        parts.close()
    return compare(names, count)


def masks(dataset, folder, results, made_from, workers):
    """The masks that results are of, on 'test': as :func:`results` has left them, or else computed again.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    folder : str
    results : dict of str to dict
    made_from : dict
        As given to :func:`results`.
    workers : spn.workers.LocalProcesses or spn.cluster.Cluster

    Returns
    -------
    callable
        ``(i)`` -> list of ndarray of uint8, (rows, cols) each: of each method the mask of image i.
    """
    thresholds = {name: [result['threshold']] for name, result in results.items()}
    parts = filled(dataset, folder, made_from, 'test', thresholds, workers)

    def masks_of(i):
        rows, cols = dataset.sizes[i]
        return list(parts.array('masks', str(i))[:, :rows, :cols])
    return masks_of


def filled(dataset, folder, made_from, split, thresholds, workers):
    """The parts of a split, with thresholds of each method."""
    compute = functools.partial(part_of, *task_of(dataset, folder, made_from), split, thresholds)
    keys = list(map(str, with_masks(dataset, split)))
    return fill(folder_of(folder, split), KIND, dict(made_from, thresholds=thresholds), keys, compute, workers,
                'evaluating on ' + split)


def task_of(dataset, folder, made_from):
    """What a worker is told of a run."""
    return os.path.abspath(dataset.path), os.path.abspath(folder), made_from


def folder_of(folder, split):
    return os.path.join(folder, 'evaluation-' + split)


def remove(folder, splits=SPLITS):
    """Remove the parts of these splits."""
    for split in splits:
        for path in folder_of(folder, split), unfinished(folder_of(folder, split)):
            shutil.rmtree(path, ignore_errors=True)


def part_of(data_path, folder, made_from, split, thresholds, places):
    """The confusion matrices and masks of some images of a split, as a part; called in a worker."""
    dataset, methods = methods_of(data_path, folder, made_from)
    chosen, images = {name: methods[name] for name in thresholds}, np.array(with_masks(dataset, split))[places]
    arrays = {'confusion': []}
    if split == 'test':
        arrays['masks'] = np.zeros((len(images), len(chosen), *dataset.sizes[images].max(axis=0)), 'uint8')
    for place, i in enumerate(images):
        rows, cols = dataset.sizes[i]
        arrays['confusion'].append([])
        for method, (_, masks_of_method) in enumerate(image_masks(dataset, i, chosen, thresholds)):
            arrays['confusion'][place].append(confusions(dataset, i, masks_of_method))
            if split == 'test':
                arrays['masks'][place, method, :rows, :cols] = masks_of_method[0]
    arrays['confusion'] = np.array(arrays['confusion'])
    return packed(KIND, list(map(str, images)), {}, arrays, compression='lzf')


def methods_of(data_path, folder, made_from):
    """A data set, and the methods of a run by name."""
    dataset, run, maps = opened(data_path, folder, json.dumps(made_from, sort_keys=True))
    return dataset, run.methods(maps, dataset)
