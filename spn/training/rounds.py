"""Rounds of self-training: the first segmentation network learns from SP-CAM, each later one from the previous one."""
import contextlib
import os
import shutil

import numpy as np

from ..files import digest_of_file, locked
from ..networks.segmentation_network import SegmentationNetwork
from ..networks.settings import RoundSettings, as_json
from ..results.evaluation import best_threshold
from ..results.masks import thresholded
from ..results.runs import UNCHECKED, cam_of
from ..results.segmentation_maps import method
from .batches import Batches
from .fit import fit
from .pseudo_labels import PseudoLabels, masks_to_learn, targets


def learn_from_cams(dataset, run, n_rounds, settings, training, seed):
    """Train a segmentation network in each round, on the masks of the previous one.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    run : spn.results.runs.Run
        Its folder gets the subfolders ``round-1``, ``round-2``, .., each with ``checkpoint.h5``, ``model.h5``,
        ``log.csv`` and ``curves.png``. A round that was stopped is resumed.
    n_rounds : int
    settings : spn.networks.settings.SegmentationSettings
    training : spn.networks.settings.RoundSettings
    seed : int

    Returns
    -------
    list of spn.networks.segmentation_network.SegmentationNetwork
        One for each round.
    """
    with locked(run.folder):
        return learn_rounds(dataset, run, n_rounds, settings, training, seed)


def learn_rounds(dataset, run, n_rounds, settings, training, seed):
    """The rounds of :func:`learn_from_cams`, which has locked the folder."""
    dataset.indices('train')  # raises if there are none, before features are computed
    maps = run.on_dataset(dataset)
    masks_of, threshold = thresholded(cam_of(run, maps)), None
    teacher, networks = run.paths[0], []
    for number in range(1, n_rounds + 1):
        folder = os.path.join(run.folder, 'round-{}'.format(number))
        about = {'settings': as_json(settings), 'training': as_json(training), 'seed': seed + number, 'round': number,
                 'data': dataset.fingerprint_with_masks, 'class_names': dataset.class_names,
                 'teacher': digest_of_file(teacher)}
        network = SegmentationNetwork.resumed(os.path.join(folder, 'model.h5'), about)
        if network is None:
            if threshold is None:
                threshold = best_threshold(dataset, masks_of, UNCHECKED)
            thresholds = [threshold, threshold * training.possible]
            masks_folder = os.path.join(folder, 'masks-to-learn')
            parts = masks_to_learn(masks_folder, dataset, lambda i, classes: masks_of(i, classes, thresholds),
                                   {'teacher': about['teacher'], 'thresholds': thresholds, 'data': about['data']},
                                   training.map_size)
            with contextlib.closing(PseudoLabels(parts, dataset, training.kept)) as masks:
                network = learn(dataset, maps, masks, folder, about)
            shutil.rmtree(masks_folder)
        teacher = os.path.join(folder, 'model.h5')
        masks_of, threshold = method(network, maps), network.about['threshold']
        networks.append(network)
    return networks


def learn(dataset, maps, masks, folder, about):
    """Train the network of one round.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    maps : spn.results.activation_maps.ActivationMaps
    masks : spn.training.pseudo_labels.PseudoLabels
    folder : str
    about : dict
        As in `SegmentationNetwork`, without what training adds.

    Returns
    -------
    spn.networks.segmentation_network.SegmentationNetwork
    """
    training, n_classes = RoundSettings(**about['training']), len(dataset.class_names)

    def truth(images, superpixels):
        n_superpixels = superpixels.max() + 1
        return [np.array([targets(*masks[i], superpixel_map, n_superpixels, n_classes)
                          for i, superpixel_map in zip(images, superpixels)])]

    batches = Batches(maps.features, maps.superpixels, truth, masks.images, training.map_size,
                      training.batch_size, about['seed'], training.dropout, finer=('fine', 'finest'))
    network = SegmentationNetwork.resumed(os.path.join(folder, 'checkpoint.h5'), about, to_train=True)
    if network is None:
        network = SegmentationNetwork.new(dict(about, rms=batches.rms))
    fit(network, batches, folder, dict)
    network.about['threshold'] = best_threshold(dataset, method(network, maps), UNCHECKED)
    network.save(os.path.join(folder, 'model.h5'))
    return network
