"""The whole way from pictures to masks, in steps: data, superpixels, features, training, segmentation, results.

Every step keeps its results, so that the same work goes on where it was stopped.
"""
import collections
import json
import os
from typing import NamedTuple

from .data import superpixels
from .data.dataset import Dataset
from .data.sources import composites, folder, voc
from .errors import SpnError
from .files import write_text
from .networks.features import make_features
from .networks.settings import NetworkSettings, RoundSettings, SegmentationSettings, TrainingSettings
from .results.runs import Run, described
from .training import image_labels
from .training.rounds import learn_from_cams
from .workers import LocalProcesses

#: Superpixel maps by name: those of the network, and those used only in ablations.
MAPS = {
    'fine': ('felzenszwalb', {'scale': 50., 'min_size': 30}),
    'middle': ('felzenszwalb', {'scale': 150., 'min_size': 60}),
    'coarse': ('felzenszwalb', {'scale': 400., 'min_size': 120}),
    'slic': ('slic', {'n_segments': 200}),
    'watershed': ('watershed', {'n_segments': 200}),
}
NETWORK_MAPS = ('fine', 'middle', 'coarse')

MAX_SIDE = 500  # VOC's, which superpixel settings are meant for


class Composites(NamedTuple):
    """Composites as a source of pictures; see `spn.data.sources.composites`."""

    n_pictures: dict    # in each split
    seed: int           # chooses the objects and backgrounds that are held out

    def make(self, path, n=None):
        """Write a data set of all pictures, or of a sample of `n`, and return what was skipped."""
        n_pictures = self.n_pictures
        if n is not None:
            n_pictures = {'train': min(n, sum(n_pictures.values()))}
        return composites.make_dataset(path, n_pictures, self.seed)

    def made_by(self):
        """What the data set records of how it was made."""
        return composites.made_by(self.n_pictures, self.seed)

    def name(self):
        """The name of the data set."""
        return 'composites'

    def counts(self):
        """The number of pictures of each split, before any is read; a Counter."""
        return collections.Counter(self.n_pictures)

    def pictures(self):
        """The folder of the pictures; None if they were never files."""
        return None

    def listing(self):
        """A digest of all files, to see whether any has changed."""
        return ''


class Voc(NamedTuple):
    """A PASCAL VOC tree as a source of pictures; see `spn.data.sources.voc`."""

    folder: str
    train_list: str
    unsegmented: bool

    @classmethod
    def of(cls, folder):
        """With all pictures to train on that the tree has: those of trainaug, or else of train and Main/trainval."""
        folder = os.path.abspath(folder)
        train_list = voc.train_list_of(folder)
        main = os.path.join(folder, 'ImageSets', 'Main', 'trainval.txt')
        return cls(folder, train_list, train_list == 'train' and os.path.exists(main))

    def make(self, path, n=None):
        return voc.make_dataset(path, self.folder, MAX_SIDE, self.unsegmented, train_list=self.train_list, n=n)

    def made_by(self):
        return voc.made_by(self.folder, MAX_SIDE, self.unsegmented, train_list=self.train_list)

    def name(self):
        return 'voc'

    def counts(self):
        return collections.Counter(voc.planned(self.folder, self.unsegmented, self.train_list).values())

    def pictures(self):
        return os.path.join(self.folder, 'JPEGImages')

    def listing(self):
        return superpixels.folder_digest(self.folder)


class Folder(NamedTuple):
    """A folder with a subfolder for each class as a source of pictures; see `spn.data.sources.folder`."""

    folder: str
    seed: int

    def make(self, path, n=None):
        return folder.make_dataset(path, self.folder, self.seed, MAX_SIDE, n=n)

    def made_by(self):
        return folder.made_by(self.folder, self.seed, MAX_SIDE)

    def name(self):
        return 'pictures'

    def counts(self):
        return collections.Counter(folder.planned(self.folder, self.seed).values())

    def pictures(self):
        return self.folder

    def listing(self):
        return superpixels.folder_digest(self.folder)


def source_of(path, seed):
    """The source of the pictures in a folder that the user gave: a VOC tree, or a subfolder for each class."""
    return Voc.of(path) if os.path.isdir(os.path.join(path, 'JPEGImages')) else Folder(os.path.abspath(path), seed)


def make_data(path, source, map_names, say):
    """Make the data set and its superpixel maps, unless they exist.

    Parameters
    ----------
    path : str
    source : Composites, Voc or Folder
    map_names : iterable of str
        Keys of `MAPS`.
    say : callable
        Is told of each picture that was left out, in a sentence.

    Raises
    ------
    SpnError
        If the data set is of another source, or the source has changed.
    """
    note, listing = os.path.splitext(path)[0] + '.listing', source.listing()
    if not os.path.exists(path):
        for sentence in source.make(path):
            say('skipped: ' + sentence)
        write_text(note, listing)
    with Dataset(path) as dataset:
        made_by = json.loads(json.dumps(source.made_by()))
        if dataset.made_by != made_by:
            raise SpnError('{} was made with other settings, {}; now they are {}: remove its folder, or choose '
                           'another'.format(path, difference(dataset.made_by, made_by),
                                            difference(made_by, dataset.made_by)))
    if os.path.exists(note):
        with open(note, encoding='utf-8') as stream:
            if stream.read() != listing:
                raise SpnError('pictures or masks were added, removed or replaced since {} was made of them: remove '
                               'its folder to begin anew, or choose another'.format(path))
    make_maps(path, map_names)


def difference(settings, other):
    """Those settings that differ from the others, as text."""
    return described({name: value for name, value in settings.items() if other.get(name) != value})


def make_maps(path, map_names):
    """Make superpixel maps of a data set, keys of `MAPS`, unless they exist."""
    for name in map_names:
        method, parameters = MAPS[name]
        superpixels.make_superpixels(path, name, superpixels.method_settings(method, parameters), LocalProcesses())


def number_of_pictures(path):
    with Dataset(path) as dataset:
        return len(dataset)


def make_all_features(path, sizes, encoder):
    """The features of a data set, for each image size."""
    return [make_features(path, size, encoder) for size in sizes]


def train(path, run, features, weights, seed, map_names=NETWORK_MAPS, network=NetworkSettings(),
          training=TrainingSettings()):
    """Train a superpixel pooling network, unless it exists; see `spn.training.image_labels.train`."""
    image_labels.train(path, run, features, list(map_names), weights, network, training, seed)


def segment(path, run, n_rounds, training=RoundSettings(), seed=0):
    """Train the rounds of the segmentation network, unless they exist; see `spn.training.rounds.learn_from_cams`."""
    with Dataset(path) as dataset:
        learn_from_cams(dataset, Run(run), n_rounds, SegmentationSettings(), training, seed)
