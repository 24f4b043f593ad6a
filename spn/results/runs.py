"""A run: the folder that `spn train` and `spn segment` write to, and what its networks can do."""
import functools
import glob
import json
import os
import socket

import numpy as np
from PIL import Image

from ..data.dataset import Dataset
from ..data.superpixels import superpixel_map
from ..errors import SpnError
from ..files import digest_of_file
from ..networks.encoder import Encoder
from ..networks.features import ImageFeatures, make_features, square_image
from ..networks.segmentation_network import SegmentationNetwork
from ..networks.superpixel_pooling_network import SuperpixelPoolingNetwork
from ..workers import HERE, kept_open
from . import segmentation_maps
from .activation_maps import ActivationMaps
from .evaluation import oracle
from .masks import relative, thresholded

ORACLE = 'superpixel oracle'
UNLABELLED = ', classes found out'

UNCHECKED = .5  # the paper's threshold, used if there is no mask to choose one by


class Run:
    """The trained networks in a folder; each is loaded when it is first used.

    Parameters
    ----------
    folder : str

    Attributes
    ----------
    paths : list of str
        The files of the superpixel pooling network and of the rounds.
    network : SuperpixelPoolingNetwork
    rounds : list of SegmentationNetwork
        One for each round; empty before `spn segment`.
    """

    def __init__(self, folder):
        self.folder = folder
        round_paths = glob.glob(os.path.join(glob.escape(folder), 'round-*', 'model.h5'))
        self.paths = [os.path.join(folder, 'model.h5')] + sorted(round_paths)
        if not os.path.exists(self.paths[0]):
            raise SpnError('{} is not there: `spn train` makes it'.format(self.paths[0]))
        self._network = self._rounds = self._encoder = None

    def made_from(self, dataset):
        """What the masks of a data set depend on, as JSON."""
        maps = self.superpixels_of(dataset)
        return {'data': dataset.fingerprint_with_masks, 'models': self.digests,
                'superpixels': [each.fingerprint for each in maps]}

    @property
    def digests(self):
        """A digest of the file of each network, list of str."""
        return [digest_of_file(path) for path in self.paths]

    @property
    def network(self):
        if self._network is None:
            self._network = SuperpixelPoolingNetwork.load(self.paths[0])
        return self._network

    @property
    def rounds(self):
        if self._rounds is None:
            self._rounds = sorted(map(SegmentationNetwork.load, self.paths[1:]), key=lambda each: each.about['round'])
        return self._rounds

    @property
    def about(self):
        return self.network.about

    @property
    def class_names(self):
        """The names of the classes, list of str; in masks the first of them is 1."""
        return self.about['class_names']

    def classes_named(self, names):
        """The indices of the named classes, as a list of int; each once.

        Raises
        ------
        SpnError
            If the run does not know a class.
        """
        for name in names:
            if name not in self.class_names:
                raise SpnError('{} does not know the class {!r}; it knows {}'.format(
                    self.folder, name, ', '.join(self.class_names)))
        return [self.class_names.index(name) for name in dict.fromkeys(names)]

    @property
    def middle(self):
        """The index of the image size for methods that use only one: the middle one of those in training."""
        sizes = self.about['sizes']
        return sizes.index(sorted(sizes)[len(sizes) // 2])

    def encoder(self):
        """The encoder that the network was trained on.

        Raises
        ------
        SpnError
            If the available weights are not those of training.
        """
        if self._encoder is None:
            encoder = Encoder(self.about['weights'])
            if encoder.fingerprint != self.about['encoder']:
                raise SpnError('{}/model.h5 was trained on other encoder weights than these ({!r}): bring those back, '
                               'or train it again'.format(self.folder, self.about['weights']))
            self._encoder = encoder
        return self._encoder

    def on_dataset(self, dataset, workers=HERE):
        """Activation maps of a data set that has superpixels of the same names as in training.

        Parameters
        ----------
        dataset : spn.data.dataset.Dataset
        workers : spn.workers.LocalProcesses or spn.cluster.Cluster
            Who computes features that are missing; None if nobody should: what is missing is then an error.

        Returns
        -------
        ActivationMaps

        Raises
        ------
        SpnError
            If the data set has other classes, lacks the superpixels, or has other superpixels of the same name.
        """
        maps = self.superpixels_of(dataset)
        features = [make_features(dataset.path, size, self.encoder(), workers) for size in self.about['sizes']]
        return ActivationMaps(self.network, features, maps, dataset.sizes)

    def superpixels_of(self, dataset):
        """The superpixel maps of a data set, as those of training, a list of `spn.data.superpixel_maps.SuperpixelMaps`.

        Raises
        ------
        SpnError
            If the data set has other classes, lacks the superpixels, or has other superpixels of the same name.
        """
        if dataset.class_names != self.about['class_names']:
            raise SpnError('{} has the classes {}, but {} was trained on {}'.format(
                dataset.path, ', '.join(dataset.class_names), self.folder, ', '.join(self.about['class_names'])))
        maps = [dataset.superpixel_maps(name) for name in self.about['superpixel_names']]
        # Models of earlier versions do not have digests.
        digests = self.about.get('superpixel_digests', [each.fingerprint for each in maps])
        for name, each, trained_on, digest in zip(
                self.about['superpixel_names'], maps, self.about['superpixels'], digests):
            if 'folder' in each.made_by and 'folder' in trained_on:
                # The user brings them, maybe from another folder for each data set. Only for the data set of training
                # must they be the same.
                same = each.fingerprint == digest or dataset.fingerprint != self.about['data']
            else:
                same = each.made_by == trained_on
            if not same:
                raise SpnError('{}: the superpixels {!r} are not those that {} was trained on: they were made with {}, '
                               'those with {}. Make those again by `spn superpixels {} --name {}`, or train '
                               'again'.format(dataset.path, name, self.folder, described(each.made_by),
                                             described(trained_on), dataset.path, name))
        return maps

    def on_picture(self, image):
        """Activation maps of one picture, as image 0; its superpixels are made like those of training.

        Parameters
        ----------
        image : ndarray of uint8, (rows, cols, 3)
        """
        for settings in self.about['superpixels']:
            if 'folder' in settings:
                raise SpnError('{} was trained on superpixel maps from {}: those of a new picture cannot be made; use '
                               '`spn cam` on a data set that has them'.format(self.folder, settings['folder']))
        maps = [[superpixel_map(image, settings)] for settings in self.about['superpixels']]
        features = [PictureFeatures(*self.encoder()(square_image(image, size)[np.newaxis]))
                    for size in self.about['sizes']]
        return ActivationMaps(self.network, features, maps, np.array([image.shape[:2]]))

    def methods(self, maps, dataset):
        """The methods that make masks, functions ``(i, classes, thresholds) -> masks``, by name.

        Parameters
        ----------
        maps : ActivationMaps
        dataset : spn.data.dataset.Dataset
        """
        one = [self.middle]
        scores = {}
        if self.network.settings.gap_branch:
            scores.update({
                'CAM': lambda i, classes: maps.cam(i, classes, one, Image.NEAREST),
                'CAM, smooth': lambda i, classes: maps.cam(i, classes, one),
                'CAM, all sizes': maps.cam,
                'CAM averaged in superpixels': lambda i, classes: maps.cam_in_superpixels(i, classes, one),
                'CAM averaged in superpixels, all sizes': maps.cam_in_superpixels,
                'CAM averaged in superpixels, correlated': maps.correlated_cam})
        if self.network.settings.superpixel_branch:
            scores.update({
                'SP-CAM': lambda i, classes: maps.sp_cam(i, classes, one),
                'SP-CAM, all sizes': maps.sp_cam,
                'SP-CAM, correlated': maps.correlated_sp_cam})
        methods = {name: thresholded(relatively(values)) for name, values in scores.items()}
        for network in self.rounds:
            methods[round_name(network)] = segmentation_maps.method(network, maps)
        methods[self.final + UNLABELLED] = self.without_labels(methods[self.final], maps)
        methods[ORACLE] = oracle(dataset, maps.superpixels[0])
        return methods

    def without_labels(self, method, maps):
        """A method that has to predict the classes of an image."""
        return lambda i, classes, thresholds: method(i, self.classes_of(maps, i), thresholds)

    @property
    def final(self):
        """The name of the best method of this run, by which it makes masks."""
        return round_name(self.rounds[-1]) if self.rounds else self.final_cam

    @property
    def final_cam(self):
        """The name of the method by which the superpixel pooling network makes masks."""
        if not self.network.settings.superpixel_branch:
            return 'CAM, all sizes'
        return 'SP-CAM, correlated' if self.network.settings.correlation else 'SP-CAM, all sizes'

    def classes_of(self, maps, i, least=.5):
        """The predicted classes of image `i`: those that are probable enough, and the most probable one in any case.

        They are predicted by the last round of the segmentation network, or by the superpixel pooling network if there
        is none.

        Parameters
        ----------
        maps : ActivationMaps
        i : int
        least : float
            The least probability.

        Returns
        -------
        ndarray of int
        """
        probabilities = (segmentation_maps.image_probabilities(self.rounds[-1], maps, i) if self.rounds
                         else maps.probabilities(i))
        return np.flatnonzero(probabilities >= min(least, probabilities.max()))


@kept_open
def opened(data_path, folder, made_from):
    """A data set, a run and its activation maps. They take seconds to open, so the last ones stay open in each process.

    Parameters
    ----------
    data_path, folder : str
    made_from : str
        What is wanted, as JSON; tells apart what was at these paths before.

    Raises
    ------
    SpnError
        If something else is at these paths, or features are missing.
    """
    run, dataset = Run(folder), Dataset(data_path)
    check_is(made_from, run.made_from(dataset), folder)
    return dataset, run, run.on_dataset(dataset, None)


def check_is(made_from, here, folder):
    """Raise SpnError if what a worker sees is not what it was asked to compute from: a copy, maybe, of another day."""
    wanted = json.loads(made_from)
    for name, value in here.items():
        if wanted[name] != value:
            raise SpnError('{}: on {}, {} are not those that this command began with: let all machines see the same '
                           'files, or, if they were written anew meanwhile, run the same command again'.format(
                               folder, socket.gethostname(), {'data': 'images, labels or masks'}.get(name, name)))


def described(made_by):
    return ', '.join('{}={}'.format(*setting) for setting in sorted(made_by.items()))


def best_of(run, maps):
    """The values that the best masks of a run are made from: of the last segmentation network, or else SP-CAM.

    Parameters
    ----------
    run : spn.results.runs.Run
    maps : spn.results.activation_maps.ActivationMaps

    Returns
    -------
    values : callable
        ``(i, classes)`` -> (classes, rows, cols) in 0 .. 1.
    threshold : float or None
        The best threshold on 'val' when the segmentation network was trained; None for SP-CAM.
    """
    if not run.rounds:
        return cam_of(run, maps), None
    last = run.rounds[-1]
    return functools.partial(segmentation_maps.class_maps, last, maps), last.about['threshold']


def cam_of(run, maps, one_size=False, absolute=False):
    """The values in 0 .. 1 that SP-CAM makes masks from, correlated if the network is; CAM if it has no superpixel
    branch.

    Parameters
    ----------
    run : spn.results.runs.Run
    maps : spn.results.activation_maps.ActivationMaps
    one_size : bool
        Use only the middle image size instead of all.
    absolute : bool
        Return probabilities instead of shares of the maximum of each class.

    Returns
    -------
    callable
        ``(i, classes)`` -> (classes, rows, cols).
    """
    settings = run.network.settings
    if not settings.superpixel_branch:
        branch, bias = maps.cam, 'cell_scores'
    elif not settings.correlation:
        branch, bias = maps.sp_cam, 'superpixel_scores'
    else:
        branch, bias = functools.partial(maps.correlated_sp_cam, signed=absolute), 'superpixel_scores'
    sizes = [run.middle] if one_size else None

    def values(i, classes):
        scores = branch(i, classes, sizes)
        if not absolute:
            return relative(scores)
        probability = 1 / (1 + np.exp(-scores - run.network.bias(bias)[classes][:, np.newaxis, np.newaxis]))
        return probability * (maps.in_superpixels(i) if settings.superpixel_branch else 1)
    return values


def round_name(network):
    return 'segmentation network, round {}'.format(network.about['round'])


def relatively(scores):
    return lambda i, classes: relative(scores(i, classes))


class PictureFeatures(ImageFeatures):
    """Features of one picture, with the interface of `spn.networks.features.Features`."""

    def __init__(self, features, fine, finest):
        self._features, self.fine, self.finest = features, fine, finest
