"""Confusion matrices of the images of a data set, counted in parts, so that an evaluation that was stopped goes on."""
import functools
import json
import os
import shutil

import numpy as np

from ..parts import Kind, fill, packed
from .evaluation import compare, image_confusions, with_masks
from .runs import opened

KIND = Kind('spn confusion matrices 1', 'confusion matrices', '`spn evaluate`', 16)
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
    data_path, folder = os.path.abspath(dataset.path), os.path.abspath(folder)
    names = [name for name in methods_of(data_path, folder, made_from)[1] if names is None or name in names]

    def count(split, thresholds):
        images = with_masks(dataset, split)
        compute = functools.partial(part_of, data_path, folder, made_from, split, thresholds)
        parts = fill(folder_of(folder, split), KIND, dict(made_from, thresholds=thresholds), list(map(str, images)),
                     compute, workers, 'evaluating on ' + split)
        for i in images:
            yield dict(zip(names, parts.array('confusion', str(i))))
        parts.close()
    return compare(names, count)


def folder_of(folder, split):
    return os.path.join(folder, 'evaluation-' + split)


def remove(folder):
    """Remove the parts, of which only the results are needed."""
    for split in SPLITS:
        shutil.rmtree(folder_of(folder, split), ignore_errors=True)


def part_of(data_path, folder, made_from, split, thresholds, places):
    """The confusion matrices of some images of a split, as a part; called in a worker."""
    dataset, methods = methods_of(data_path, folder, made_from)
    chosen, images = {name: methods[name] for name in thresholds}, with_masks(dataset, split)
    confusions = [list(image_confusions(dataset, images[place], chosen, thresholds).values()) for place in places]
    return packed(KIND, [str(images[place]) for place in places], {}, {'confusion': np.array(confusions)},
                  compression='lzf')


def methods_of(data_path, folder, made_from):
    """A data set, and the methods of a run by name."""
    dataset, run, maps = opened(data_path, folder, json.dumps(made_from, sort_keys=True))
    return dataset, run.methods(maps, dataset)
