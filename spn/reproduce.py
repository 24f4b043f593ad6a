"""The reproduction, step by step: data, superpixels, features, training with several seeds, ablations, tables.

Every step keeps its results, so that the same command goes on where it was stopped.
"""
import json
import os
import time
from typing import NamedTuple, Optional

from .data import superpixels
from .data.dataset import Dataset
from .data.sources import composites
from .errors import SpnError
from .files import locked, write_json, write_text
from .networks.encoder import Encoder
from .networks.features import make_features
from .networks.settings import NetworkSettings, RoundSettings, SegmentationSettings, TrainingSettings
from .results import report
from .results.runs import Run
from .training import image_labels
from .training.rounds import learn_from_cams

#: Superpixel maps by name: those of the network, and those used only in ablations.
MAPS = {
    'fine': ('felzenszwalb', {'scale': 50., 'min_size': 30}),
    'middle': ('felzenszwalb', {'scale': 150., 'min_size': 60}),
    'coarse': ('felzenszwalb', {'scale': 400., 'min_size': 120}),
    'slic': ('slic', {'n_segments': 200}),
    'watershed': ('watershed', {'n_segments': 200}),
}
NETWORK_MAPS = ('fine', 'middle', 'coarse')


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
    """The size of a reproduction: of its data, its training and its ablations."""

    n_pictures: dict                # in each split
    sizes: list                     # of images, in increasing order
    n_seeds: int
    n_rounds: int
    ablations: list                 # keys of `ABLATIONS`
    training: TrainingSettings = TrainingSettings()
    rounds: RoundSettings = RoundSettings()


FULL = Plan({'train': 600, 'val': 120, 'test': 180}, [224, 288], 3, 2, list(ABLATIONS))
QUICK = Plan({'train': 36, 'val': 9, 'test': 9}, [96, 128], 2, 2, ['middle superpixels'],
             TrainingSettings(epochs=2), RoundSettings(epochs=1))

BEGIN, END = '<!-- results: written by `make reproduce` -->', '<!-- end of results -->'


def reproduce(folder, document, plan=FULL, data_seed=0, weights='auto', say=print):
    """Run all steps.

    Parameters
    ----------
    folder : str
        Where data and runs are kept.
    document : str
        The Markdown file for the results, which replace the text between its marks. The pictures go to a folder of the
        same name next to it.
    plan : Plan
        `FULL` or `QUICK`.
    data_seed : int
        Chooses the objects and backgrounds that are held out.
    weights : str
        Of the encoder.
    say : callable
        Prints a line.
    """
    text_around_results(document)  # raises now, and not after an hour of work
    with locked(folder):
        run_steps(folder, document, plan, data_seed, weights, say)


def run_steps(folder, document, plan, data_seed, weights, say):
    """The steps of :func:`reproduce`, which has locked the folder."""
    clock = Clock(os.path.join(folder, 'times.json'), say)
    data_path = os.path.join(folder, 'composites.h5')
    with clock('data and superpixels'):
        make_data(data_path, plan, data_seed)
    with clock('features of the frozen encoder'):
        encoder = Encoder(weights)
        features = [make_features(data_path, size, encoder) for size in plan.sizes]
    runs = [os.path.join(folder, 'seed-{}'.format(seed)) for seed in range(plan.n_seeds)]
    for seed, run in enumerate(runs):
        with clock('training, seed {}'.format(seed)):
            train(data_path, run, features, Ablation(), plan, weights, seed)
        with clock('segmentation network, seed {}'.format(seed)):
            with Dataset(data_path) as dataset:
                learn_from_cams(dataset, Run(run), plan.n_rounds, SegmentationSettings(), plan.rounds, seed)
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
        unchanged = {'nothing (seed 0)': report.run_results(data_path, runs[0])}
        ablation_table = report.table_of_ablations(dict(unchanged, **{
            name: report.run_results(data_path, run, report.ABLATED) for name, run in ablations.items()}))
    write_results(document, [
        report.describe(data_path, runs), table,
        '![Mean IoU of each method]({0}/bars.png)'.format(os.path.basename(pictures)),
        ablation_table, '![Best, median and worst test images]({0}/examples.png)'.format(os.path.basename(pictures)),
        clock.table()])


def make_data(path, plan, seed):
    """Make the composites and their superpixel maps, unless they exist."""
    if not os.path.exists(path):
        composites.make_dataset(path, plan.n_pictures, seed)
    used = set(NETWORK_MAPS).union(*[ABLATIONS[name].superpixel_maps for name in plan.ablations])
    with Dataset(path) as dataset:
        existing = dataset.superpixel_names()
        if dataset.made_by != json.loads(json.dumps(composites.made_by(plan.n_pictures, seed))):
            raise SpnError('{} was made with other settings ({}): remove its folder, or choose another'.format(
                path, dataset.made_by))
    for name in MAPS:
        if name in used and name not in existing:
            method, parameters = MAPS[name]
            superpixels.make_superpixels(path, name, superpixels.method_settings(method, parameters))


def train(data_path, folder, features, ablation, plan, weights, seed):
    """Train one network, unless it exists."""
    features = features[-(ablation.n_sizes or len(features)):]
    image_labels.train(data_path, folder, features, list(ablation.superpixel_maps), weights, ablation.network,
                       plan.training, seed)


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


class Clock:
    """Measures each step, and adds up its times if it was stopped and resumed."""

    def __init__(self, path, say):
        self.path, self.say, self.seconds = path, say, {}
        if os.path.exists(path):
            with open(path, encoding='utf-8') as stream:
                self.seconds = json.load(stream)

    def __call__(self, step):
        self.step = step
        return self

    def __enter__(self):
        self.say('== ' + self.step)
        self.started = time.time()

    def __exit__(self, *error):
        self.seconds[self.step] = self.seconds.get(self.step, 0) + time.time() - self.started
        write_json(self.path, self.seconds)

    def table(self):
        lines = ['| step | minutes |', '|---|---|']
        for step, seconds in list(self.seconds.items()) + [('**all**', sum(self.seconds.values()))]:
            lines.append('| {} | {:.1f} |'.format(step, seconds / 60))
        return '\n'.join(lines)
