"""Reports: tables, bars and sheets of examples that compare the masks of runs with the true ones."""
import glob
import json
import os

import numpy as np

from ..data.dataset import SPLITS, Dataset
from ..errors import SpnError
from ..files import locked, write_json, write_text
from ..workers import HERE
from . import counted
from .drawing import draw_bars, draw_sheet
from .evaluation import with_masks
from .report_page import About, Content, Picture, write_report_page
from .runs import ORACLE, UNLABELLED, Run

ABLATED = ('CAM, smooth', 'CAM averaged in superpixels, all sizes', 'SP-CAM, all sizes',
           'CAM averaged in superpixels, correlated', 'SP-CAM, correlated', ORACLE)  # to compare ablations by
SHOWN = ('CAM, smooth', 'SP-CAM, correlated')  # on the sheet of examples, next to the final method


def write(data_path, folders, out, page=None, workers=HERE):
    """Evaluate runs and write ``results.json``, ``results.md``, ``bars.png`` and ``examples.png``.

    Parameters
    ----------
    data_path : str
    folders : sequence of str
        Runs that differ only in their seed; means and spreads are over them.
    out : str
        The folder to write to.
    page : str, optional
        The folder for a page with every picture of 'test', ``index.html``, which needs three small files for each;
        there is no page if it is None.
    workers : spn.workers.LocalProcesses or spn.cluster.Cluster

    Returns
    -------
    str
        The table.

    Raises
    ------
    SpnError
        If runs differ in more than their seed, or `out` is the folder of one.
    """
    runs = list(map(Run, folders))
    check_runs(runs, out)
    results = [run_results(data_path, folder, workers=workers) for folder in folders]
    with Dataset(data_path) as dataset:
        table = as_table(results, ['background'] + dataset.class_names)
        write_json(os.path.join(out, 'results.json'), dict(zip(folders, results)))
        write_text(os.path.join(out, 'results.md'), table)
        for folder in dict.fromkeys([out, page or out]):
            draw_bars(results, test_pictures(dataset), os.path.join(folder, 'bars.png'))
        run = runs[0]
        maps = run.superpixels_of(dataset)[0]
        masks_of = counted.masks(dataset, run.folder, results[0], results_made_from(run, dataset), workers)
        draw_examples(dataset, run, maps, results[0], masks_of, os.path.join(out, 'examples.png'))
        if page is not None:
            write_page(dataset, run, maps, folders, results, masks_of, page)
    return table


def check_runs(runs, out):
    """Raise SpnError if runs cannot be compared, or the report would overwrite what is kept in one."""
    methods = {}
    for run in runs:
        methods.setdefault((run.network.settings, run.final), run.folder)
        if os.path.realpath(out) == os.path.realpath(run.folder):
            raise SpnError('{} is a run, which keeps its own results there: choose another --out, such as {}'.format(
                out, os.path.join(out, 'report')))
    if len(methods) > 1:
        raise SpnError('{} and {} have other networks, or rounds of `spn segment`, so that one has methods that the '
                       'other does not have: give only runs that differ in their seed, and evaluate the others by '
                       'themselves'.format(*list(methods.values())[:2]))


def test_pictures(dataset):
    """A description of the pictures of 'test'."""
    held_out = dataset.made_by.get('source') == 'composites'
    return 'held-out objects and backgrounds' if held_out else "the pictures of 'test'"


def run_results(data_path, folder, names=None, workers=HERE):
    """Results of a run, kept in its folder as ``results.json`` until data or models change.

    Parameters
    ----------
    data_path, folder : str
    names : sequence of str, optional
        The methods to compare, as far as the run has them; if None, all of them, and the final one without image
        labels.
    workers : spn.workers.LocalProcesses or spn.cluster.Cluster

    Returns
    -------
    dict of str to dict
        As from :func:`spn.results.evaluation.compare`.
    """
    run, path = Run(folder), os.path.join(folder, 'results.json')
    # Another evaluation of the same run waits, and then finds its results.
    with Dataset(data_path) as dataset, locked(path):
        made_from = results_made_from(run, dataset, names)
        try:
            with open(path, encoding='utf-8') as stream:
                kept = json.load(stream)
        except (OSError, ValueError):
            kept = {}
        if kept.get('of') != made_from:
            run.on_dataset(dataset, workers)  # computes features, which no other process should
            kept = {'of': made_from, 'methods': counted.results(dataset, folder, names, made_from, workers)}
            write_json(path, kept)
        # The page shows the masks of all methods on 'test'.
        counted.remove(folder, counted.SPLITS if names else ['val'])
    return kept['methods']


def results_made_from(run, dataset, names=None):
    """What the results of these methods depend on."""
    return dict(run.made_from(dataset), methods=names and list(names))


def mean_and_spread(values):
    """The mean in percent and, if there are several values, their standard deviation."""
    values = 100 * np.array(values)
    return '{:.1f}'.format(values.mean()) + (' ± {:.1f}'.format(values.std(ddof=1)) if len(values) > 1 else '')


def as_table(results, class_names):
    """Markdown: a row for each method."""
    header, rows = table_cells(results, class_names)
    lines = ['| {} |'.format(' | '.join(header)), '|---|' + '---|' * (len(header) - 1)]
    lines += ['| {} |'.format(' | '.join([row[0], '**{}**'.format(row[1])] + row[2:])) for row in rows]
    return '\n'.join(lines) + '\n'


def table_cells(results, class_names):
    """The header of the table of methods, and its rows: lists of str."""
    header = ['masks from', 'mean IoU', 'on val', 'precision', 'recall', 'threshold'] + class_names
    rows = []
    for name in results[0]:
        run_rows = [result[name] for result in results]
        class_ious = 100 * np.mean([row['classes'] for row in run_rows], axis=0)
        thresholds = sorted({row['threshold'] for row in run_rows})
        rows.append([name] + [mean_and_spread([row[key] for row in run_rows])
                              for key in ('mean', 'val', 'precision', 'recall')]
                    + ['-' if name == ORACLE else ', '.join('{:.2f}'.format(threshold) for threshold in thresholds)]
                    + ['{:.0f}'.format(value) for value in class_ious])
    return header, rows


def headline(results, final, n_classes):
    """A sentence on the final method, without image labels and with them.

    Parameters
    ----------
    results : list of dict
        The results of each run.
    final : str
        The name of the method.
    n_classes : int
        With background.
    """
    without, with_labels = [mean_and_spread([result[name]['mean'] for result in results])
                            for name in (final + UNLABELLED, final)]
    return ('Mean intersection over union of {} classes on {} pictures: **{} without image labels**, as the paper '
            'reports it, and {} with them.'.format(n_classes, len(results[0][final]['images']), without, with_labels))


def table_of_ablations(results):
    """Markdown: the methods `ABLATED` of runs that differ in more than their seed.

    Parameters
    ----------
    results : dict of str to dict
        The results of each run, by the name of its row.
    """
    lines = ['| changed | ' + ' | '.join(ABLATED) + ' |', '|---|' + '---|' * len(ABLATED)]
    for changed, result in results.items():
        lines.append('| {} | {} |'.format(changed, ' | '.join(
            '{:.1f} ({:.1f})'.format(100 * result[name]['mean'], 100 * result[name]['val']) if name in result else '-'
            for name in ABLATED)))
    return '\n'.join(lines) + '\n'


def describe(data_path, folders):
    """A paragraph on the data and the training of runs."""
    about = Run(folders[0]).about
    with Dataset(data_path) as dataset:
        counts = {split: int((dataset.splits == split).sum()) for split in ('train', 'val', 'test')}
        maps = ['{}: {:.0f}'.format(name, dataset.superpixel_maps(name).counts.mean())
                for name in dataset.superpixel_names()]
    return ('{} training images, {} to choose thresholds on, {} to report on; image sizes {}; superpixels an image: '
            '{}; {} seed{}; {} epochs. Average precision of the image labels on val: {}.'.format(
                counts['train'], counts['val'], counts['test'], ', '.join(map(str, about['sizes'])), ', '.join(maps),
                len(folders), 's' * (len(folders) > 1), about['training']['epochs'], ', '.join(
                    '{} {:.2f}'.format(name[4:-10], value) for name, value in about['log'][-1].items()
                    if name.endswith('_precision'))))


def contents(data_path, with_names=False):
    """A summary of a data set, several lines of text.

    Parameters
    ----------
    data_path : str
    with_names : bool
        Whether to add a line for each picture: split, name and classes, separated by tabs.

    Returns
    -------
    str
    """
    with Dataset(data_path) as dataset:
        def described(settings):
            return ', '.join('{} {}'.format(*item) for item in sorted(settings.items())
                             if not isinstance(item[1], list))
        rows, cols = dataset.sizes.max(axis=0)
        lines = ['{}: {} pictures, the largest of {} rows and {} columns; {}'.format(
            data_path, len(dataset), rows, cols, described(dataset.made_by))]
        counts = zip(dataset.class_names, dataset.labels.sum(axis=0))
        lines.append('classes: ' + ', '.join('{} ({})'.format(*count) for count in counts))
        for split in SPLITS:
            in_split = dataset.splits == split
            lines.append('{}: {} pictures, {} with masks'.format(
                split, in_split.sum(), dataset.has_mask[in_split].sum()))
        for name in dataset.superpixel_names():
            maps = dataset.superpixel_maps_so_far(name)
            counts, n_missing = maps.counts[maps.counts >= 0], np.sum(maps.counts < 0)
            so_far = '{} to {} an image, {:.0f} on average; '.format(
                counts.min(), counts.max(), counts.mean()) if len(counts) else ''
            lines.append('superpixels {!r}: {}{}{}'.format(
                name, so_far, described(maps.made_by),
                '; still to be made for {} pictures'.format(n_missing) if n_missing else ''))
        feature_folders = glob.escape(os.path.splitext(data_path)[0]) + '.features-*'
        lines += ['features: ' + path for path in sorted(glob.glob(feature_folders))]
        if with_names:
            lines += ['{}\t{}\t{}'.format(split, name, ', '.join(np.array(dataset.class_names)[labels > 0]))
                      for split in SPLITS for name, labels in zip(dataset.names[dataset.splits == split],
                                                                  dataset.labels[dataset.splits == split])]
    return '\n'.join(lines) + '\n'


def draw_examples(dataset, run, maps, result, masks_of, path):
    """Draw the three best, the three median and the three worst test images of the run's final method."""
    final = run.final
    indices = with_masks(dataset, 'test')
    order = np.argsort(-np.array(result[final]['images']), kind='stable')
    middle = max(0, len(order) // 2 - 1)
    title_of = {}  # a dict, so that no image is shown twice if there are few
    for title, places in [('best', order[:3]), ('worst', order[-3:]), ('median', order[middle:middle + 3])]:
        for place in places:
            title_of.setdefault(place, title)
    chosen = [(title_of[place], place) for place in order if place in title_of]
    names = [name for name in SHOWN if name in result and name != final] + [final]
    rows = []
    for title, place in chosen:
        i = indices[place]
        masks = dict(zip(result, masks_of(i)))
        rows.append(('{}, {:.0f} %'.format(title, 100 * result[final]['images'][place]), dataset.image(i),
                     maps[i], dataset.mask(i), [masks[name] for name in names]))
    draw_sheet(rows, names, dataset.class_names, path)


def write_page(dataset, run, maps, folders, results, masks_of, folder):
    """Write the page with every picture of 'test' that has a mask.

    Parameters
    ----------
    dataset : spn.data.dataset.Dataset
    run : spn.results.runs.Run
        The first run: the masks are its own.
    maps : spn.data.superpixel_maps.SuperpixelMaps
        Those that are shown.
    folders : sequence of str
        All runs.
    results : list of dict
        The results of each run.
    masks_of : callable
        ``(i)`` -> list of ndarray: the masks of image i, one for each method.
    folder : str
        The folder to write to; it has ``bars.png`` already.
    """
    indices, result = with_masks(dataset, 'test'), results[0]
    header, rows = table_cells(results, ['background'] + dataset.class_names)
    about = About('Masks of {} in {}'.format(', '.join(folders), os.path.basename(dataset.path)),
                  facts(dataset, run, folders, len(indices)), dataset.class_names, list(result), run.final,
                  header, rows, 'bars.png')
    pictures = [Picture(dataset.names[i], dataset.sizes[i], np.flatnonzero(dataset.labels[i]),
                        [result[name]['images'][k] for name in result]) for k, i in enumerate(indices)]
    made_from = dict(run.made_from(dataset), thresholds=[row['threshold'] for row in result.values()])
    write_report_page(folder, about, pictures, lambda k: Content(
        dataset.image(indices[k]), maps[indices[k]], masks_of(indices[k]), dataset.mask(indices[k])), made_from)


def facts(dataset, run, folders, n_shown):
    """What the page says about data and runs: pairs of a term and its description."""
    counts = ['{} {}'.format((dataset.splits == split).sum(), split) for split in SPLITS]
    superpixels = ['{} ({:.0f} an image)'.format(name, dataset.superpixel_maps(name).counts.mean())
                   for name in run.about['superpixel_names']]
    n_test = np.sum(dataset.splits == 'test')
    of_one = '; the table and the bars are the mean of all of them, the pictures show masks of {}'.format(run.folder)
    return [
        ('Data', '{}: {}; thresholds are chosen on val'.format(dataset.path, ', '.join(counts))),
        ('Runs', ', '.join(folders) + (of_one if len(folders) > 1 else '')),
        ('Training', 'image sizes {}; superpixels {}; {} epochs'.format(
            ', '.join(map(str, run.about['sizes'])), ', '.join(superpixels), run.about['training']['epochs'])),
        ('Pictures', '{}; the superpixels shown are {}'.format(
            '{} of test'.format(n_test) if n_shown == n_test else
            '{} of the {} of test, those with a true mask'.format(n_shown, n_test), run.about['superpixel_names'][0]))]
