"""Evaluation of masks: intersection over union, precision and recall.

A method is a function ``(i, classes, thresholds) -> masks``: one mask for each threshold, for an image and the classes
that it is labelled with. The threshold is chosen on the split 'val', and results are reported on 'test'.
"""

import numpy as np

from ..data.dataset import UNKNOWN
from ..errors import SpnError
from ..files import progress

THRESHOLDS = np.arange(.1, .91, .05).round(2)


def confusion(truth, predicted, n_classes):
    """The confusion matrix: how many pixels of each true class were predicted as each class.

    Parameters
    ----------
    truth, predicted : ndarray of uint8
        Masks; pixels whose true class is unknown do not count.
    n_classes : int
        Without background.

    Returns
    -------
    ndarray of int64, (n_classes + 1, n_classes + 1)
        By true class and predicted class, background first.
    """
    known = truth != UNKNOWN
    n = n_classes + 1
    return np.bincount(truth[known].astype('int64') * n + predicted[known], minlength=n * n).reshape(n, n)


def intersection_over_union(confusion):
    """Intersection over union of each class, background first; nan if a class is neither present nor predicted."""
    hit = np.diagonal(confusion, axis1=-2, axis2=-1).astype(float)
    with np.errstate(invalid='ignore'):
        return hit / (confusion.sum(axis=-2) + confusion.sum(axis=-1) - hit)


def precision(confusion):
    """The share of the pixels predicted as a class that belong to it; nan if there are none."""
    with np.errstate(invalid='ignore'):
        return np.diag(confusion) / confusion.sum(axis=0).astype(float)


def recall(confusion):
    """The share of the pixels of a class that are predicted as this class; nan if there are none."""
    with np.errstate(invalid='ignore'):
        return np.diag(confusion) / confusion.sum(axis=1).astype(float)


def evaluate(dataset, methods, classes_of=None, thresholds=THRESHOLDS, splits=('val', 'test')):
    """Compare the masks of methods with the true masks.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    methods : dict of str to callable
    classes_of : callable, optional
        Gives the classes to look for in image i, ndarray of int; if None, those that it is labelled with.
    thresholds : sequence of float

    Returns
    -------
    dict of str to dict
        For each method ``threshold``, the mean intersection over union on 'val', ``val``, and on 'test', ``mean``, and,
        on 'test', ``classes`` (the same of each class, background first), ``precision`` and ``recall`` (means over
        classes) and ``images`` (the mean over the classes of each image).

    Raises
    ------
    SpnError
        If no image of a split has a mask.
    """
    counts = {split: confusions(dataset, split, methods, classes_of, thresholds) for split in splits}
    results = {}
    for name in methods:
        val = np.nanmean(intersection_over_union(counts['val'][name].sum(axis=0)), axis=-1)
        best = int(np.argmax(val))
        results[name] = {'threshold': float(thresholds[best]), 'val': float(val[best])}
        if 'test' in splits:
            results[name].update(summary(counts['test'][name][:, best]))
    return results


def best_threshold(dataset, masks_of, otherwise):
    """The best threshold of a method on 'val', or `otherwise` if no image of 'val' has a mask."""
    if not dataset.has_mask[dataset.splits == 'val'].any():
        return otherwise
    return evaluate(dataset, {'': masks_of}, splits=('val',))['']['threshold']


def confusions(dataset, split, methods, classes_of, thresholds):
    """Confusion matrices of a split, for each method (images, thresholds, classes + 1, classes + 1)."""
    indices = [i for i in dataset.indices(split) if dataset.has_mask[i]]
    if not indices:
        raise SpnError('{}: no image of the split {!r} has a mask to compare with'.format(dataset.path, split))
    n = len(dataset.class_names)
    counts = {name: np.zeros((len(indices), len(thresholds), n + 1, n + 1), 'int32') for name in methods}
    for k, i in enumerate(progress(indices, title='evaluating on ' + split, unit='images')):
        truth = dataset.mask(i)
        classes = np.flatnonzero(dataset.labels[i]) if classes_of is None else classes_of(i)
        for name, method in methods.items():
            counts[name][k] = [confusion(truth, mask, n) for mask in method(i, classes, thresholds)]
    return counts


def summary(image_confusions):
    """The reported numbers, from the confusion matrices of images, (images, classes + 1, classes + 1)."""
    total = image_confusions.sum(axis=0)
    class_ious = intersection_over_union(total)
    return {'mean': float(np.nanmean(class_ious)), 'classes': class_ious.tolist(),
            'precision': float(np.nanmean(precision(total))), 'recall': float(np.nanmean(recall(total))),
            'images': np.nanmean(intersection_over_union(image_confusions), axis=-1).tolist()}


def oracle(dataset, maps):
    """The best masks that superpixels allow: each superpixel gets the true class of most of its pixels.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    maps : spn.data.dataset.SuperpixelMaps

    Returns
    -------
    callable
        A method.
    """
    def method(i, classes, thresholds):
        truth, superpixel_map = dataset.mask(i), maps[i]
        n = superpixel_map.max() + 1
        known = (truth != UNKNOWN) & (superpixel_map >= 0)
        votes = np.bincount(superpixel_map[known].astype('int64') * 256 + truth[known],
                            minlength=n * 256).reshape(n, 256)
        mask = np.where(superpixel_map >= 0, votes.argmax(axis=1)[superpixel_map], 0).astype('uint8')
        return [mask] * len(thresholds)
    return method
