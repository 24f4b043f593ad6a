"""The page by which to choose superpixels before training: a few pictures, cut up by many settings."""
import base64
import functools
import itertools
import json
import os
import shlex
from collections import namedtuple

import numpy as np

from ..data.dataset import Dataset
from ..data.sources.images import scaled_size
from ..data.superpixels import METHODS, method_settings, superpixel_map
from ..errors import SpnError
from ..files import progress
from ..workers import LocalProcesses
from .drawing import colours_of
from .evaluation import confusion, intersection_over_union, oracle
from .rendering import borders, legend, photograph, printable, stacked_masks, write_page

SIDE = 640  # the longer side of the pictures on the page, in pixels

#: What is tried of a method if the user asks for nothing in particular.
ALTERNATIVES = dict({method: {'n_segments': (100, 200, 400)} for method in METHODS},
                    felzenszwalb={'scale': (50, 150, 400)})
#: The same if no method is asked for either.
BY_DEFAULT = [('felzenszwalb', ALTERNATIVES['felzenszwalb']), ('slic', {'n_segments': (200,)}),
              ('watershed', {'n_segments': (200,)})]

Candidate = namedtuple('Candidate', 'title details settings name')
Candidate.__doc__ = """Superpixels to choose or not.

title : str
details : str
    The method and all its settings.
settings : dict
    As for :func:`spn.data.superpixels.superpixel_map`; None for maps that the data set has.
name : str
    The name of the maps in the data set: what it is, or what it would be.
"""

Cut = namedtuple('Cut', 'photograph truth borders counts confusions')
Cut.__doc__ = """A picture, cut up by each candidate.

photograph, truth : bytes
    Of files; `truth` is None if the mask is not known.
borders : list of bytes
counts : list of int
    Superpixels.
confusions : list of ndarray
    The confusion matrices of the oracle; empty if the mask is not known.
"""


def write_superpixel_page(data_path, out, methods=(), values=None, n_pictures=8, split='train', seed=0,
                          workers=LocalProcesses()):
    """Write a page, a single file, that shows superpixels of some pictures.

    Maps that the data set has already are shown too.

    Parameters
    ----------
    data_path, out : str
    methods : sequence of str
        Those of `spn.data.superpixels.METHODS` to try; all of ``BY_DEFAULT`` if there is neither a method nor a value,
        'felzenszwalb' if there are only values.
    values : dict of str to sequence of float, optional
        The values of settings to try; every combination is. If None, ``ALTERNATIVES``.
    n_pictures : int
    split : str
        The split that the pictures are from: at random, but those with masks come first.
    seed : int
    workers : spn.workers.LocalProcesses

    Returns
    -------
    n_candidates, n_pictures : int

    Raises
    ------
    SpnError
        If the split is empty, there is no such method or setting, or the page would replace the data set.
    """
    if os.path.realpath(out) == os.path.realpath(data_path):
        raise SpnError('{} is the data set, which the page would replace: choose another --out, such as {}'.format(
            out, page_path(data_path)))
    tried = [(method, values) for method in methods or ['felzenszwalb']] if values else [
        (method, ALTERNATIVES[method]) for method in methods] or BY_DEFAULT
    with Dataset(data_path) as dataset:
        indices = pictures_to_show(dataset, n_pictures, split, seed)
        candidates = candidates_of(dataset, tried, indices)
        compute = functools.partial(cut_up, data_path, candidates)
        cuts = dict(progress(workers.run(compute, indices), len(indices), 'superpixels', 'pictures'))
        cuts = [cuts[i] for i in indices]
        masked = [cut for cut in cuts if cut.confusions]
        write_page(
            out, 'superpixels.html', data_path=data_path, split=split, n_masks=len(masked), n_pictures=len(cuts),
            rows=[row(data_path, candidate, k, cuts, masked) for k, candidate in enumerate(candidates)],
            legend=legend(dataset.class_names, colours_of(dataset.class_names)) if masked else [],
            data={'candidates': [printable(candidate.title) for candidate in candidates],
                  'pictures': [as_json(dataset, i, cut) for i, cut in zip(indices, cuts)]})
    return len(candidates), len(cuts)


def pictures_to_show(dataset, n, split, seed):
    """The indices of `n` pictures, in their order; those with masks first, because only these can be rated."""
    shuffled = np.random.RandomState(seed).permutation(dataset.indices(split))
    return sorted(int(i) for i in sorted(shuffled, key=lambda i: not dataset.has_mask[i])[:n])


def candidates_of(dataset, tried, indices):
    """Candidates for each combination of values, and those in the data set that have maps of all pictures.

    What is in the data set is not computed again.
    """
    existing = {name: maps for name in dataset.superpixel_names() for maps in [dataset.superpixel_maps_so_far(name)]
                if np.all(maps.counts[indices] >= 0)}
    taken, made_by, candidates = dataset.superpixel_names(), [maps.made_by for maps in existing.values()], []
    for method, values in tried:
        for combination in itertools.product(*[dict.fromkeys(each) for each in values.values()]):
            given = dict(zip(values, combination))
            settings = method_settings(method, given)
            if json.loads(json.dumps(settings)) not in made_by:
                name = free_name('-'.join([method] + ['{}-{}'.format(*pair) for pair in written(given)]), taken)
                candidates.append(Candidate(in_words(method, given), origin(settings), settings, name))
    return candidates + [Candidate('{} (in the data set)'.format(name), origin(maps.made_by), None, name)
                         for name, maps in existing.items()]


def free_name(name, taken):
    """A name that would replace none of those taken: maps under them were made in another way."""
    return next(each for each in itertools.chain([name], map((name + '-{}').format, itertools.count(2)))
                if each not in taken)


def written(settings):
    """Pairs of name and value as text, as ``--set`` takes them."""
    return [(name, str(int(value)) if value == int(value) else repr(value)) for name, value in settings.items()]


def in_words(method, settings):
    return ', '.join([method] + ['{} {}'.format(*pair) for pair in written(settings)])


def origin(made_by):
    """What maps in the data set were made by."""
    settings = dict(made_by)
    return 'your own, from {}'.format(made_by['folder']) if 'folder' in made_by else in_words(
        settings.pop('method'), settings)


def command_of(data_path, candidate):
    """The command that adds these maps to the data set, as a shell takes it; None if it has them."""
    if candidate.settings is None:
        return None
    settings = dict(candidate.settings)
    method = settings.pop('method')
    changed = {name: value for name, value in settings.items() if value != METHODS[method][name]}
    words = ['spn', 'superpixels', data_path, '--method', method]
    for pair in written(changed):
        words += ['--set', '{}={}'.format(*pair)]
    return ' '.join(map(shlex.quote, words + ['--name', candidate.name]))


def cut_up(data_path, candidates, i):
    """The :class:`Cut` of image i; called in a worker process."""
    with Dataset(data_path) as dataset:
        image, truth = dataset.image(i), dataset.mask(i)
        maps = [dataset.superpixel_maps_so_far(each.name)[i] if each.settings is None else
                superpixel_map(image, each.settings) for each in candidates]
        best = [oracle(dataset, {i: each})(i, None, [None])[0] for each in maps] if truth is not None else []
        n_classes, colours = len(dataset.class_names), colours_of(dataset.class_names)
    return Cut(photograph(image, SIDE), None if truth is None else stacked_masks([truth], SIDE, colours),
               [borders(each, SIDE) for each in maps], [len(np.unique(each[each >= 0])) for each in maps],
               [confusion(truth, mask, n_classes) for mask in best])


def mean_iou(confusions):
    """The mean intersection over union in percent, as text."""
    return '{:.1f} %'.format(100 * np.nanmean(intersection_over_union(np.sum(confusions, axis=0))))


def row(data_path, candidate, k, cuts, masked):
    """What the table says of candidate number `k`."""
    return {'title': candidate.title, 'details': candidate.details, 'name': candidate.name,
            'command': command_of(data_path, candidate),
            'count': '{:.0f}'.format(np.mean([cut.counts[k] for cut in cuts])),
            'iou': mean_iou([cut.confusions[k] for cut in masked]) if masked else '-'}


def as_json(dataset, i, cut):
    """A picture as ``superpixels.js`` reads it."""
    rows, cols = map(int, dataset.sizes[i])
    width, height = scaled_size((cols, rows), SIDE)
    return {'name': printable(dataset.names[i]), 'width': width, 'height': height,
            'photograph': data_uri(cut.photograph, 'jpeg'), 'truth': cut.truth and data_uri(cut.truth, 'png'),
            'cuts': [{'borders': data_uri(lines, 'png'), 'count': count,
                      'iou': mean_iou([cut.confusions[k]]) if cut.confusions else None}
                     for k, (lines, count) in enumerate(zip(cut.borders, cut.counts))]}


def data_uri(content, kind):
    return 'data:image/{};base64,{}'.format(kind, base64.b64encode(content).decode())


def page_path(data_path):
    """Where the page goes unless the user says otherwise: next to the data set."""
    return os.path.splitext(data_path)[0] + '.superpixels.html'
