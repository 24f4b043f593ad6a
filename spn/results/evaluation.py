"""Evaluation of masks: intersection over union, precision and recall.

A method is a function ``(i, classes, thresholds) -> masks``: one mask for each threshold, for an image and the classes
that it is labelled with. The threshold is chosen on the split 'val', and results are reported on 'test'.

Images are counted one after the other, so that memory does not grow with their number.
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


def evaluate(dataset, methods, thresholds=THRESHOLDS, splits=('val', 'test')):
    """Compare the masks of methods with the true masks.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    methods : dict of str to callable
    thresholds : sequence of float
    splits : sequence of str

    Returns
    -------
    dict of str to dict
        As from :func:`compare`.
    """
    def count(split, thresholds):
        for i in progress(with_masks(dataset, split), title='evaluating on ' + split, unit='images'):
            yield {name: confusions(dataset, i, masks)
                   for name, masks in image_masks(dataset, i, methods, thresholds)}
    return compare(list(methods), count, thresholds, splits)


def compare(names, count, thresholds=THRESHOLDS, splits=('val', 'test')):
    """The results of methods, from confusion matrices of their masks.

    Parameters
    ----------
    names : sequence of str
        Of the methods.
    count : callable
        ``count(split, thresholds)``, with the thresholds of each method in a dict, yields for each image with a mask
        a dict with the :func:`confusions` of each method.
    thresholds : sequence of float
    splits : sequence of str

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
    totals = dict.fromkeys(names, 0)
    for counts in count('val', dict.fromkeys(names, list(thresholds))):
        totals = {name: totals[name] + counts[name].astype('int64') for name in names}
    results = {}
    for name in names:
        val = np.nanmean(intersection_over_union(totals[name]), axis=-1)
        best = int(np.argmax(val))
        results[name] = {'threshold': float(thresholds[best]), 'val': float(val[best])}
    if 'test' in splits:
        totals, images = dict.fromkeys(names, 0), {name: [] for name in names}
        for counts in count('test', {name: [results[name]['threshold']] for name in names}):
            for name in names:
                totals[name] = totals[name] + counts[name][0].astype('int64')
                images[name].append(float(np.nanmean(intersection_over_union(counts[name][0]))))
        for name in names:
            results[name].update(summary(totals[name]), images=images[name])
    return results


def best_threshold(dataset, masks_of, otherwise):
    """The best threshold of a method on 'val', or `otherwise` if no image of 'val' has a mask."""
    if not dataset.has_mask[dataset.splits == 'val'].any():
        return otherwise
    return evaluate(dataset, {'': masks_of}, splits=['val'])['']['threshold']


def with_masks(dataset, split):
    """The images of a split that have a mask.

    Raises
    ------
    SpnError
        If there are none.
    """
    indices = [i for i in dataset.indices(split) if dataset.has_mask[i]]
    if not indices:
        raise SpnError('{}: no image of the split {!r} has a mask to compare with'.format(dataset.path, split))
    return indices


def image_masks(dataset, i, methods, thresholds):
    """Yield the name of each method and its masks of image `i`, a list of (rows, cols) of uint8 each.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    i : int
    methods : dict of str to callable
    thresholds : dict of str to list of float
    """
    classes = np.flatnonzero(dataset.labels[i])
    for name, method in methods.items():
        yield name, method(i, classes, thresholds[name])


def confusions(dataset, i, masks):
    """The confusion matrices of masks of image `i`, (masks, classes + 1, classes + 1) of int32."""
    truth, n = dataset.mask(i), len(dataset.class_names)
    return np.array([confusion(truth, mask, n) for mask in masks], 'int32')


def summary(confusion):
    """The reported numbers of a confusion matrix."""
    class_ious = intersection_over_union(confusion)
    return {'mean': float(np.nanmean(class_ious)), 'classes': class_ious.tolist(),
            'precision': float(np.nanmean(precision(confusion))), 'recall': float(np.nanmean(recall(confusion)))}


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
