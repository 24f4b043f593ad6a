"""Training of the superpixel pooling network on image-level labels alone."""
import os

import numpy as np

from ..data.dataset import Dataset
from ..errors import SpnError
from ..files import locked
from ..networks.settings import as_json
from ..networks.superpixel_pooling_network import SuperpixelPoolingNetwork, check_branches
from .batches import Batches
from .fit import fit, write_log


def train(data_path, folder, features, superpixels, about_encoder, settings, training, seed):
    """Train on the images of the split 'train', and measure precision on those of 'val'.

    Parameters
    ----------
    data_path : str
    folder : str
        Where ``checkpoint.h5``, ``model.h5``, ``log.csv`` and ``curves.png`` are written.
    features : list of spn.networks.features.Features
        One for each image size.
    superpixels : list of str
        The names of the superpixel maps, one or more.
    about_encoder : str
        Where the encoder's weights came from.
    settings : spn.networks.settings.NetworkSettings
    training : spn.networks.settings.TrainingSettings
    seed : int

    Returns
    -------
    spn.networks.superpixel_pooling_network.SuperpixelPoolingNetwork
    """
    check_data(data_path, superpixels, settings)
    with locked(folder), Dataset(data_path) as dataset:
        maps = [dataset.superpixel_maps(name) for name in superpixels]
        split_indices = {split: dataset.indices(split) for split in ('train', 'val')}
        n_outputs = settings.gap_branch + settings.superpixel_branch
        finer = ['fine'] if settings.correlation and settings.superpixel_branch else []
        batches = {split: Batches(features, maps, lambda images, superpixels: [dataset.labels[images]] * n_outputs,
                                  indices, training.map_size, training.batch_size, seed,
                                  settings.dropout if split == 'train' else 0, finer)
                   for split, indices in split_indices.items()}
        about = dict(about_training(dataset, superpixels, [each.size for each in features], about_encoder, settings,
                                    training, seed),
                     encoder=features[0].encoder, rms=batches['train'].rms[0])
        trained = SuperpixelPoolingNetwork.resumed(os.path.join(folder, 'model.h5'), about)
        if trained is not None:
            write_log(trained.about['log'], folder)  # a run that was killed may lack its last row
        else:
            trained = SuperpixelPoolingNetwork.resumed(os.path.join(folder, 'checkpoint.h5'), about, to_train=True)
            if trained is None:
                trained = SuperpixelPoolingNetwork.new(about)
            fit(trained, batches['train'], folder, lambda: precisions(trained.model, batches['val']))
            trained.save(os.path.join(folder, 'model.h5'))
    return trained


def about_training(dataset, superpixels, sizes, about_encoder, settings, training, seed):
    """The description of a training in its files; None for values that are known only after encoding."""
    maps = [dataset.superpixel_maps(name) for name in superpixels]
    return {
        'class_names': dataset.class_names, 'settings': as_json(settings), 'training': as_json(training),
        'seed': seed, 'superpixels': [each.made_by for each in maps],
        'superpixel_digests': [each.fingerprint for each in maps],
        'superpixel_names': superpixels, 'encoder': None, 'weights': about_encoder,
        'rms': None, 'sizes': sizes, 'data': dataset.fingerprint}


def check_folder(data_path, folder, superpixels, sizes, about_encoder, settings, training, seed):
    """Raise SpnError if the folder contains another training, before anything is computed."""
    with Dataset(data_path) as dataset:
        about = about_training(dataset, superpixels, sizes, about_encoder, settings, training, seed)
    known = {name: value for name, value in about.items() if value is not None}
    for name in 'model.h5', 'checkpoint.h5':
        path = os.path.join(folder, name)
        if os.path.exists(path):
            SuperpixelPoolingNetwork.check_same_training(path, known, partly=True)
            return


def check_data(data_path, superpixels, settings):
    """Raise SpnError if a data set cannot be trained on, before anything is computed.

    Parameters
    ----------
    data_path : str
    superpixels : list of str
        The names of the superpixel maps.
    settings : spn.networks.settings.NetworkSettings

    Raises
    ------
    SpnError
        If it lacks superpixels, images of 'train' or 'val', or training images of a class, or the network has no
        branch.
    """
    check_branches(settings)
    with Dataset(data_path) as dataset:
        for name in superpixels:
            dataset.superpixel_maps(name)
        train, _ = dataset.indices('train'), dataset.indices('val')
        for name, n in zip(dataset.class_names, dataset.labels[train].sum(axis=0)):
            if n == 0:
                raise SpnError('{}: no image of the split "train" is labelled {!r}, so that it cannot be learned; '
                               'leave the class out (`spn data` with --without {!r}), or add images of it'.format(
                                   dataset.path, name, name))


def precisions(model, val):
    """The mean average precision of each branch on the images of `val`."""
    val.start_epoch(0)
    truth, probability = [], []
    for k in range(len(val)):
        inputs, labels = val[k]
        predicted = model.predict_on_batch(inputs)
        truth.append(labels[0])
        probability.append(predicted if isinstance(predicted, list) else [predicted])
    truth = np.concatenate(truth)
    return {'val_{}_precision'.format(name): mean_average_precision(truth, np.concatenate(probabilities))
            for name, probabilities in zip(model.output_names, zip(*probability))}


def mean_average_precision(truth, score):
    """The mean over classes of the average precision: the mean of the precision at the rank of each image of the class.

    Parameters
    ----------
    truth : ndarray of 0 and 1, (images, classes)
    score : ndarray, (images, classes)

    Returns
    -------
    float
        Classes that no image has do not count.
    """
    precisions = []
    for true, scores in zip(truth.T, score.T):
        ranked = true[np.argsort(-scores, kind='stable')]
        if ranked.any():
            hits = np.flatnonzero(ranked)
            precisions.append(np.mean(np.arange(1, len(hits) + 1) / (hits + 1)))
    return float(np.mean(precisions))
