"""How well masks agree with the true ones: intersection over union, precision and recall."""
import numpy as np

from .dataset import UNKNOWN


def confusion(truth, predicted, n_classes):
    """How many pixels of each true class were given each class.

    Parameters
    ----------
    truth : ndarray of uint8
        Masks; unknown pixels do not count.
    predicted : ndarray of uint8
        Of the same shape.
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
    """Of each class, background first; nan for a class that is neither there nor predicted."""
    hit = np.diag(confusion).astype(float)
    with np.errstate(invalid='ignore'):
        return hit / (confusion.sum(axis=0) + confusion.sum(axis=1) - hit)


def precision(confusion):
    """The share of the pixels given a class that are of it; nan where none was given it."""
    with np.errstate(invalid='ignore'):
        return np.diag(confusion) / confusion.sum(axis=0).astype(float)


def recall(confusion):
    """The share of the pixels of a class that were given it; nan where there are none."""
    with np.errstate(invalid='ignore'):
        return np.diag(confusion) / confusion.sum(axis=1).astype(float)
