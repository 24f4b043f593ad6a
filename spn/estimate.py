"""How long a work will take on this machine, and how much disk: measured on a few of its pictures before it starts."""
import os
import shutil
import time

import numpy as np

from . import pipeline
from .clock import bytes_in
from .networks.encoder import Encoder
from .workers import n_cores

SAMPLE = 16  # pictures

#: What the other steps cost, in the seconds that the encoder takes for one picture at all image sizes: a training
#: picture in an epoch of the superpixel pooling network; the masks of a training picture for a round of the
#: segmentation network, and the picture in an epoch of it; a picture of 'val' or 'test' in the evaluation of all
#: methods. Measured on two processors with 960 pictures: docs/reproduction.md.
EPOCH, MASKS, SEGMENTATION_EPOCH, EVALUATION = .047, .25, .037, .9
COMPILING = 60  # seconds in each run


def estimate(folder, source, plan, weights):
    """Measure a sample, and extrapolate.

    Parameters
    ----------
    folder : str
        For the sample, which is removed again.
    source : spn.pipeline.Composites, Voc or Folder
    plan : spn.reproduce.Plan
    weights : str
        Of the encoder.

    Returns
    -------
    dict of str to (float, float)
        For each step the seconds and the bytes that it will take.
    """
    sample = os.path.join(folder, '.sample')
    shutil.rmtree(sample, ignore_errors=True)
    os.makedirs(sample)
    try:
        return extrapolated(measured(os.path.join(sample, 'sample.h5'), source, plan, weights), source, plan)
    finally:
        shutil.rmtree(sample, ignore_errors=True)


def measured(data_path, source, plan, weights):
    """The seconds and bytes for one picture of each step that is measured."""
    folder, per_picture = os.path.dirname(data_path), {}

    def measure(step, work, n_processes=1):
        started, before = time.time(), bytes_in(folder)
        work()
        per_picture[step] = [(time.time() - started) / n_processes, bytes_in(folder) - before]
    measure('data', lambda: source.make(data_path, SAMPLE))
    n = pipeline.number_of_pictures(data_path)
    # The few pictures are one part, which one process computes.
    measure('superpixels', lambda: pipeline.make_maps(data_path, plan.map_names()), n_cores())
    encoder = Encoder(weights)
    encoder(np.zeros((1, 32, 32, 3)))  # compiles
    measure('features', lambda: pipeline.make_all_features(data_path, plan.sizes, encoder))
    return {step: [value / n for value in values] for step, values in per_picture.items()}


def extrapolated(per_picture, source, plan):
    counts = source.counts()
    n, n_train, n_val, n_test = sum(counts.values()), counts['train'], counts['val'], counts['test']
    steps = {step: (seconds * n, size * n) for step, (seconds, size) in per_picture.items()}
    unit = per_picture['features'][0]
    n_runs = plan.n_seeds + len(plan.ablations)
    steps['training'] = n_runs * (COMPILING + unit * n_train * EPOCH * plan.training.epochs), 0
    steps['segmentation network'] = plan.n_seeds * (COMPILING + plan.n_rounds * unit * (
        n_train * (MASKS + SEGMENTATION_EPOCH * plan.rounds.epochs) + n_val * MASKS)), 0
    steps['evaluation'] = n_runs * unit * (n_val + n_test) * EVALUATION, 0
    return steps


def say_estimate(folder, source, plan, weights, say):
    """Say how long everything will take and how much disk it will fill, unless the work has already been begun."""
    if os.path.exists(os.path.join(folder, source.name() + '.h5')):
        return
    say('Measuring {} pictures, to say how long it will take ..'.format(SAMPLE))
    steps = estimate(folder, source, plan, weights)
    seconds, size = [sum(values) for values in zip(*steps.values())]
    say('{} pictures. It will take about {} and {} of disk in {}: {}.'.format(
        sum(source.counts().values()), duration(seconds), amount(size), folder, ', '.join(
            '{} {}{}'.format(step, duration(own_seconds), ' ({})'.format(amount(own_size)) if own_size else '')
            for step, (own_seconds, own_size) in steps.items())))
    free = shutil.disk_usage(folder).free
    if free < 1.2 * size:
        say('The disk of {} has only {} left: choose another folder, or make room.'.format(folder, amount(free)))
    say('It may be stopped at any time; the same command goes on where it was.')


def duration(seconds):
    return '{:.1f} h'.format(seconds / 3600) if seconds >= 5400 else '{:.0f} min'.format(max(1, seconds / 60))


def amount(size):
    return '{:.1f} GB'.format(size / 1e9) if size >= 1e8 else '{:.0f} MB'.format(max(1, size / 1e6))
