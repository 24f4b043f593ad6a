"""One's own labelled pictures, the whole way by one command: from a folder to the masks of every picture in it."""
import os

from . import pipeline
from .clock import Clock
from .data.dataset import Dataset
from .data.sources.walk import inside
from .errors import SpnError
from .files import locked
from .networks.encoder import Encoder
from .networks.settings import RoundSettings, TrainingSettings
from .results import report
from .results.prediction import write_cams
from .results.runs import Run

#: Of training, because epochs of a few pictures teach little: with 48 photographs of four classes the mean IoU of the
#: segmentation network is 82 after so many, and 44 after eight epochs.
LEAST_BATCHES = 100
N_ROUNDS = 2


def run(source, out, sizes, weights, workers, say):
    """Make the masks of all pictures of a source, and a report if some have true masks.

    Parameters
    ----------
    source : spn.pipeline.Folder or Voc
    out : str
        Gets masks, overlays and heat maps, as from :func:`spn.results.prediction.write_cams`, the report, and the
        folder ``work`` with everything that they were made from, so that the same call goes on where it was stopped.
    sizes : list of int
        Of images.
    weights : str
        Of the encoder.
    workers : spn.workers.LocalProcesses
    say : callable
        Prints a line.

    Returns
    -------
    str or None
        The table of results; None if there are no true masks to compare with.

    Raises
    ------
    SpnError
        If `out` is in the folder of the pictures, where results would be taken for pictures.
    """
    if inside(source.folder, out):
        raise SpnError('{} is in {}, whose folders are classes of pictures: choose another --out, next to it'.format(
            out, source.folder))
    work = os.path.join(out, 'work')
    data_path, folder = os.path.join(work, source.name() + '.h5'), os.path.join(work, 'run')
    say('Theano compiles each network when it first runs: the bar stands still meanwhile, for a minute or so. The next '
        'run finds most of it compiled.')
    with locked(out):
        clock = Clock(os.path.join(work, 'times.json'), out, say)
        with clock('data and superpixels'):
            pipeline.make_data(data_path, source, pipeline.NETWORK_MAPS, say)
        with clock('features of the frozen encoder'):
            features = pipeline.make_all_features(data_path, sizes, Encoder(weights))
        training, rounds = [long_enough(settings, data_path) for settings in (TrainingSettings(), RoundSettings())]
        with clock('training'):
            pipeline.train(data_path, folder, features, weights, 0, training=training)
        with clock('segmentation network'):
            pipeline.segment(data_path, folder, N_ROUNDS, rounds)
        with Dataset(data_path) as dataset:
            with clock('masks'):
                write_cams(dataset, Run(folder), out, 'all', workers=workers, pictures=source.pictures())
            known = [bool(dataset.has_mask[dataset.splits == split].any()) for split in ('val', 'test')]
        if not all(known):
            return None
        with clock('report'):
            return report.write(data_path, [folder], out, page=out)


def long_enough(settings, data_path):
    """Settings of a training, with more epochs if there are few pictures."""
    with Dataset(data_path) as dataset:
        batches = -(-len(dataset.indices('train')) // settings.batch_size)
    return settings._replace(epochs=max(settings.epochs, -(-LEAST_BATCHES // batches)))
