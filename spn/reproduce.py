"""The reproduction, step by step: data, superpixels, features, training with several seeds, ablations, tables.

Every step keeps its results, so that the same command goes on where it was stopped.
"""
import os
from typing import NamedTuple, Optional

from . import estimate, pipeline
from .clock import Clock
from .errors import SpnError
from .files import locked, write_text
from .networks.encoder import Encoder
from .networks.settings import NetworkSettings, RoundSettings, TrainingSettings
from .pipeline import NETWORK_MAPS, Composites
from .results import report
from .results.runs import Run

SIX_SIZES = [256, 304, 352, 400, 448, 496]  # the paper's 250, 300 .. 500, as multiples of 16


class Ablation(NamedTuple):
    """The settings of one ablation."""

    network: NetworkSettings = NetworkSettings()
    superpixel_maps: tuple = NETWORK_MAPS
    n_sizes: Optional[int] = None   # use only so many of the image sizes, the largest; all of them if None


ABLATIONS = {
    'without the GAP branch': Ablation(NetworkSettings(gap_branch=False)),
    'without the superpixel layer': Ablation(NetworkSettings(superpixel_branch=False)),
    'without correlation in training': Ablation(NetworkSettings(correlation=False)),
    'superpixels count the same': Ablation(NetworkSettings(size_exponent=0)),
    'one upsampling stage': Ablation(NetworkSettings(upsampling_stages=1)),
    'fine superpixels': Ablation(superpixel_maps=('fine',)),
    'middle superpixels': Ablation(superpixel_maps=('middle',)),
    'coarse superpixels': Ablation(superpixel_maps=('coarse',)),
    'SLIC': Ablation(superpixel_maps=('slic',)),
    'watershed': Ablation(superpixel_maps=('watershed',)),
    'one image size, the larger': Ablation(n_sizes=1),
}


class Plan(NamedTuple):
    """The size of a reproduction: of its training and its ablations."""

    sizes: list                     # of images, in increasing order
    n_seeds: int
    n_rounds: int
    ablations: list                 # keys of `ABLATIONS`
    training: TrainingSettings = TrainingSettings()
    rounds: RoundSettings = RoundSettings()

    def map_names(self):
        """The superpixel maps that are needed."""
        return sorted(set(NETWORK_MAPS).union(*[ABLATIONS[name].superpixel_maps for name in self.ablations]))


FULL = Plan([224, 288], 3, 2, list(ABLATIONS))
QUICK = Plan([96, 128], 2, 2, ['middle superpixels'], TrainingSettings(epochs=2), RoundSettings(epochs=1))
VOC = Plan([224, 288], 1, 2, [])

FULL_COMPOSITES = {'train': 600, 'val': 120, 'test': 180}
QUICK_COMPOSITES = {'train': 36, 'val': 9, 'test': 9}

BEGIN, END = '<!-- results: written by `make reproduce` -->', '<!-- end of results -->'


def reproduce(folder, document, plan=FULL, source=Composites(FULL_COMPOSITES, 0), weights='auto', say=print):
    """Run all steps.

    Parameters
    ----------
    folder : str
        Where data and runs are kept.
    document : str
        The Markdown file for the results, which replace the text between its marks. The pictures go to a folder of the
        same name next to it.
    plan : Plan
        `FULL`, `QUICK` or `VOC`.
    source : spn.pipeline.Composites or Voc
    weights : str
        Of the encoder.
    say : callable
        Prints a line.
    """
    text_around_results(document)  # raises now, and not after an hour of work
    with locked(folder):
        run_steps(folder, document, plan, source, weights, say)


def run_steps(folder, document, plan, source, weights, say):
    """The steps of :func:`reproduce`, which has locked the folder."""
    clock = Clock(os.path.join(folder, 'times.json'), folder, say)
    data_path = os.path.join(folder, source.name() + '.h5')
    estimate.say_estimate(folder, source, plan, weights, say)
    with clock('data and superpixels'):
        pipeline.make_data(data_path, source, plan.map_names(), say)
    with clock('features of the frozen encoder'):
        features = pipeline.make_all_features(data_path, plan.sizes, Encoder(weights))
    runs = [os.path.join(folder, 'seed-{}'.format(seed)) for seed in range(plan.n_seeds)]
    for seed, run in enumerate(runs):
        with clock('training, seed {}'.format(seed)):
            train(data_path, run, features, Ablation(), plan, weights, seed)
        with clock('segmentation network, seed {}'.format(seed)):
            pipeline.segment(data_path, run, plan.n_rounds, plan.rounds, seed)
        with clock('evaluation, seed {}'.format(seed)):
            report.run_results(data_path, run)
    ablations = {name: os.path.join(folder, name.replace(',', '').replace(' ', '-').lower()) for name in plan.ablations}
    for name, run in ablations.items():
        with clock('ablation: ' + name):
            train(data_path, run, features, ABLATIONS[name], plan, weights, 0)
            report.run_results(data_path, run, report.ABLATED)
    with clock('tables and pictures'):
        pictures = os.path.splitext(document)[0]
        table = report.write(data_path, runs, pictures, page=os.path.join(folder, 'results'))
        results = [report.run_results(data_path, run) for run in runs]
        last = Run(runs[0])
        tables = [report.headline(results, last.final, 1 + len(last.class_names)), report.describe(data_path, runs),
                  table]
        tables.append('![Mean IoU of each method]({}/bars.png)'.format(os.path.basename(pictures)))
        if ablations:
            unchanged = {'nothing (seed 0)': results[0]}
            tables.append(report.table_of_ablations(dict(unchanged, **{
                name: report.run_results(data_path, run, report.ABLATED) for name, run in ablations.items()})))
    write_results(document, tables + [
        '![Best, median and worst test images]({}/examples.png)'.format(os.path.basename(pictures)), clock.table()])


def train(data_path, run, features, ablation, plan, weights, seed):
    """Train one network, unless it exists."""
    pipeline.train(data_path, run, features[-(ablation.n_sizes or len(features)):], weights, seed,
                   ablation.superpixel_maps, ablation.network, plan.training)


def text_around_results(document):
    """The text of a document before and after its results; empty if the document does not exist.

    Raises
    ------
    SpnError
        If the document has no marks for the results.
    """
    if not os.path.exists(document):
        return '', '\n'
    with open(document, encoding='utf-8') as stream:
        before, begin, rest = stream.read().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SpnError('{} has no place for results: wanted are the lines {} and {}, or another document'.format(
            document, BEGIN, END))
    return before, after


def write_results(document, parts):
    """Replace the text between the marks of a document."""
    before, after = text_around_results(document)
    write_text(document, before + '\n\n'.join([BEGIN] + [part.strip() for part in parts] + [END]) + after)
