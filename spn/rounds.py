"""Rounds of (make masks, learn from them): SP-CAM teaches the first decoder, each decoder the next."""
import hashlib
import os

import numpy as np

from . import segmentation
from .errors import SpnError
from .evaluation import best_threshold
from .files import progress
from .runs import UNCHECKED, cam_of, thresholded
from .segmentation import Decoder, Pairs, least_scattered, method, scatter, target
from .training import fit

LIKELY = .5  # the probability that makes an object where there is no mask to choose it by


def learn_from_cams(dataset, run, n_rounds, settings, training, seed):
    """Train a decoder in each round, on the masks of the one before.

    Parameters
    ----------
    dataset : spn.dataset.Dataset
    run : spn.runs.Run
        In its folder ``round-1``, ``round-2``, .. are made, each with ``checkpoint.h5``, ``model.h5``, ``log.csv`` and
        ``curves.png``. A round that was stopped goes on.
    n_rounds : int
    settings, training : dict
        As `segmentation.DEFAULTS` and `segmentation.TRAINING`.
    seed : int

    Returns
    -------
    list of spn.segmentation.Decoder
        One for each round.
    """
    maps = run.on_dataset(dataset)
    reader = run.reader(maps, dataset.image)
    masks_of = thresholded(cam_of(run, maps))
    threshold, decoders = best_threshold(dataset, masks_of, UNCHECKED), []
    for number in range(1, n_rounds + 1):
        thresholds = [threshold * training['possible'], threshold]
        pairs, targets = masks_to_learn(dataset, lambda i, classes: masks_of(i, classes, thresholds), reader.side,
                                        training['kept'])
        about = {'settings': settings, 'training': training, 'seed': seed, 'round': number, 'data': dataset.fingerprint,
                 'targets': hashlib.sha256(targets.tobytes()).hexdigest()}
        folder = os.path.join(run.folder, 'round-{}'.format(number))
        decoder = Decoder.resumed(os.path.join(folder, 'model.h5'), about)
        if decoder is None:
            decoder = Decoder.resumed(os.path.join(folder, 'checkpoint.h5'), about) or segmentation.new(about)
            fit(decoder, Pairs(reader, pairs, targets, training['batch_size'], seed, training['dropout']), folder, dict)
            decoder.about['threshold'] = best_threshold(dataset, method(decoder, reader, maps.superpixels), LIKELY)
            decoder.save(os.path.join(folder, 'model.h5'))
        masks_of, threshold = method(decoder, reader, maps.superpixels), decoder.about['threshold']
        decoders.append(decoder)
    return decoders


def masks_to_learn(dataset, teacher, side, kept):
    """The least scattered masks of the training images.

    Parameters
    ----------
    dataset : spn.dataset.Dataset
    teacher : callable
        ``teacher(i, classes)`` gives two masks of an image: what may be the classes, and what surely is.
    side : int
        Rows and columns of the targets.
    kept : float
        The share of the masks of each class to keep.

    Returns
    -------
    pairs : list of (int, int)
        Image and class.
    targets : ndarray of float32, (pairs, side, side)
        As from :func:`spn.segmentation.target`.

    Raises
    ------
    SpnError
        If all masks are empty.
    """
    pairs, targets, scatters = [], [], []
    for i in progress(dataset.indices('train'), title='masks to learn', unit='images'):
        classes = np.flatnonzero(dataset.labels[i])
        possible, certain = teacher(i, classes)
        for c in classes:
            pairs.append((i, c))
            scatters.append(scatter(certain == c + 1))
            targets.append(target(certain == c + 1, possible == c + 1, side))
    taken = np.flatnonzero(least_scattered(np.array(scatters), np.array([c for _, c in pairs]), kept))
    if not len(taken):
        raise SpnError('{}: the masks to learn from are all empty, of all training images: train what makes them for more '
                       'epochs'.format(dataset.path))
    return [pairs[k] for k in taken], np.array(targets)[taken]
