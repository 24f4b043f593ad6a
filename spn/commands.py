"""The command line. Each command checks its arguments, calls one function of the package and prints the outcome.

Theano and Keras take seconds to import, so each command imports what it needs when it runs.
"""
import math
import os
import sys

import click

from .errors import SpnError

SIZES = (224, 288)  # of images, in training and for CAMs


class Command(click.Command):
    """A command whose help ends with an example. Of an `SpnError` it prints only the message, without a traceback.

    With `networks` Theano is prepared for networks: it compiles with all processors and keeps memory.
    """

    def __init__(self, *args, example, networks=False, **kwargs):
        super().__init__(*args, epilog='Example:  ' + example, **kwargs)
        self.networks = networks

    def invoke(self, context):
        if hasattr(sys.stdout, 'reconfigure'):
            sys.stdout.reconfigure(errors='backslashreplace')  # file names may hold bytes that are not text
        try:
            if self.networks:
                from theano_spp import compile_in_parallel, keep_memory
                from .networks.device import say_device
                compile_in_parallel()
                keep_memory()
                say_device()
            return super().invoke(context)
        except SpnError as error:
            raise click.ClickException(str(error))


class Number(click.FloatRange):
    """A finite number in a range. click alone would let nan through."""

    def convert(self, value, parameter, context):
        number = super().convert(value, parameter, context)
        if not math.isfinite(number):
            self.fail('{} is not a finite number'.format(value), parameter, context)
        return number


def command(group, name, example, networks=False):
    return group.command(name, cls=Command, example=example, networks=networks)


seed_option = click.option('--seed', type=click.IntRange(0), default=0, show_default=True,
                           help='Seed of everything random.')
# Every command takes --seed, so that scripts can give it to all of them.
ignored_seed_option = click.option('--seed', type=int, hidden=True, help='Nothing is random here.')
each_once = {'multiple': True, 'callback': lambda context, parameter, values: tuple(dict.fromkeys(values))}
data_argument = click.argument('data', type=click.Path())
scheduler_option = click.option('--scheduler', metavar='ADDRESS', help='Compute on a Dask cluster: the address of its '
                                'scheduler, such as tcp://host:8786, or the file that it wrote.')


def workers_of(scheduler, n=1):
    """Who computes: the cluster of a scheduler if one is given, else `n` processes, one for each core if None."""
    from .cluster import Cluster
    from .workers import LocalProcesses
    return LocalProcesses(n) if scheduler is None else Cluster(scheduler)


size_option = click.option('--size', 'sizes', type=click.IntRange(32), **each_once, default=SIZES, show_default=True,
                           help='Rows and columns that images are resized to; may be given several times.')
weights_option = click.option('--weights', type=click.Choice(['auto', 'package', 'keras', 'random']), default='auto',
                              show_default=True,
                              help="Weights of VGG16; auto takes Keras's file if it exists, else a package.")


def say_version(context, parameter, asked):
    if asked:
        from theano_spp import __version__
        click.echo('spn of theano-spp ' + __version__)
        context.exit()


@click.group(context_settings={'help_option_names': ['-h', '--help'], 'max_content_width': 120})
@click.option('--version', is_flag=True, is_eager=True, expose_value=False, callback=say_version,
              help='Show the version and exit.')
def main():
    """Superpixel pooling networks: from image-level labels to segmentations.

    `spn run` does everything, with defaults. Or run the commands in this order: data, superpixels, encode, train,
    segment, cam, predict, evaluate; info shows what a data set holds, show what superpixels of its pictures look like.
    Files are first written under another name and then moved into place. If a command was stopped, run it again and it
    goes on where it was.
    """


@command(main, 'run', 'spn run photographs --out results', networks=True)
@click.argument('folder', type=click.Path(file_okay=False))
@click.option('--out', type=click.Path(file_okay=False), required=True, help='The folder to write to.')
@size_option
@weights_option
@seed_option
def run(folder, out, sizes, weights, seed):
    """From a folder of labelled pictures to their masks, by all the steps below with their defaults.

    FOLDER has a subfolder of pictures for each class, and in FOLDER/masks/CLASS/NAME.png the true masks that are known;
    or it is a PASCAL VOC tree. Writes the masks, overlays and heat maps of every picture to OUT, in the sizes of the
    pictures; and, if some of val and test have true masks, how well those agree. OUT/work has everything that this was
    made from: data set, features, networks. A run that was stopped goes on where it was.
    """
    from . import pipeline, run as whole_way
    from .workers import HERE
    table = whole_way.run(pipeline.source_of(folder, seed), out, sorted(sizes), weights, HERE,
                          lambda line: click.echo(line, err=True))
    click.echo('{}: masks, overlays and heat maps{}'.format(out, '' if table is None else ' and a report'))


@main.group()
def data():
    """Make the HDF5 file with images, labels and masks."""


def say_skipped(skipped):
    for sentence in skipped:
        click.echo('skipped: ' + sentence, err=True)
    if skipped:
        click.echo('{} pictures were skipped'.format(len(skipped)), err=True)


def say_data(path):
    from .data.dataset import SPLITS, Dataset
    with Dataset(path) as dataset:
        click.echo('{}: {}; classes: {}'.format(path, ', '.join(
            '{} {}'.format((dataset.splits == split).sum(), split) for split in SPLITS),
            ', '.join(dataset.class_names)))


@command(data, 'composites', 'spn data composites composites.h5 --train 600 --val 120 --test 180')
@click.argument('out', type=click.Path())
@click.option('--train', type=click.IntRange(1), default=600, show_default=True, help='Pictures to train on.')
@click.option('--val', type=click.IntRange(1), default=120, show_default=True, help='Pictures to choose settings by.')
@click.option('--test', type=click.IntRange(1), default=180, show_default=True, help='Pictures to report on.')
@seed_option
def data_composites(out, train, val, test, seed):
    """Photographed objects on photographed backgrounds, with exact masks, from Debian packages.

    Objects and backgrounds of val and test are held out from training. The packages (270 MB) are fetched without root
    into SPN_HOME, or ~/.cache/spn.
    """
    from .data.sources import composites
    say_skipped(composites.make_dataset(out, {'train': train, 'val': val, 'test': test}, seed))
    say_data(out)


@command(main, 'info', 'spn info photographs.h5 --names')
@data_argument
@click.option('--names', is_flag=True, help='List the pictures too: split, name and classes, separated by tabs.')
@ignored_seed_option
def info(data, names, seed):
    """Show what a data set holds: pictures, classes, splits, superpixels, and its features on disk."""
    from .results import report
    click.echo(report.contents(data, names), nl=False)


max_side_option = click.option('--max-side', type=click.IntRange(1), default=500, show_default=True,
                               help='Larger pictures are scaled down to it; all are stored in the size of the largest.')


without_option = click.option('--without', 'without', metavar='CLASS', **each_once, help='A class to leave out.')


@command(data, 'voc', 'spn data voc VOCdevkit/VOC2012 voc.h5')
@click.argument('folder', type=click.Path(file_okay=False))
@click.argument('out', type=click.Path())
@max_side_option
@click.option('--train-list', default='train', metavar='NAME', show_default=True,
              help='The list in ImageSets/Segmentation of the pictures to train on, such as trainaug.')
@click.option('--unsegmented', is_flag=True,
              help='Train also on the pictures of ImageSets/Main/trainval.txt, most of which have no mask: nearly '
              'trainaug, if you do not have that list.')
@click.option('--val-from', type=click.Choice(['train', 'val']), default='train', show_default=True,
              help='The list to take val from: every fifth picture of train.txt, or every second one of val.txt.')
@without_option
@ignored_seed_option
def data_voc(folder, out, max_side, train_list, unsegmented, val_from, without, seed):
    """A PASCAL VOC 2012 tree, or one of your own classes in its form.

    The pictures of ImageSets/Segmentation/val.txt become test, as in the paper, and those of train.txt become train,
    except every fifth one, which becomes val, by whose masks thresholds are chosen. Each line of a list is a name, or
    two paths in FOLDER, /JPEGImages/NAME.jpg /SegmentationClassAug/NAME.png. Pictures to train on need no mask if
    their annotation names what they show. Other classes than VOC's are named by FOLDER/class_names.txt or labels.txt.
    """
    from .data.sources import voc
    say_skipped(voc.make_dataset(out, folder, max_side, unsegmented, without, train_list, val_from))
    say_data(out)


@command(data, 'folder', 'spn data folder photographs photographs.h5 --max-side 320')
@click.argument('folder', type=click.Path(file_okay=False))
@click.argument('out', type=click.Path())
@max_side_option
@without_option
@seed_option
def data_folder(folder, out, max_side, without, seed):
    """Any folder with one subfolder of pictures for each class.

    FOLDER/masks/CLASS/NAME.png, if it exists, is the mask of FOLDER/CLASS/NAME.jpg. In each class 70 % of the pictures
    are train, 15 % val and 15 % test. Links to folders, or out of FOLDER, are not followed.
    """
    from .data.sources import folder as source
    say_skipped(source.make_dataset(out, folder, seed, max_side, without))
    say_data(out)


SUPERPIXEL_METHODS = click.Choice(['felzenszwalb', 'slic', 'watershed', 'grid'])
workers_option = click.option('--workers', type=click.IntRange(1),
                              help='Number of processes; by default one for each core.')


@command(main, 'superpixels', 'spn superpixels composites.h5 --method slic --set n_segments=300 --name slic-300')
@data_argument
@click.option('--method', type=SUPERPIXEL_METHODS, default='felzenszwalb', show_default=True)
@click.option('--set', 'given', metavar='SETTING=NUMBER', **each_once,
              help='A setting of the method, such as scale=300.')
@click.option('--folder', type=click.Path(file_okay=False),
              help='Your own maps, NAME.npy or NAME.png for each picture.')
@click.option('--name', help="Name of these maps in the file; by default that of the method.")
@workers_option
@scheduler_option
@ignored_seed_option
def superpixels(data, method, given, folder, name, workers, scheduler, seed):
    """Add superpixel maps to a data set."""
    from .data import superpixels
    if workers and scheduler:
        raise SpnError('--workers {} are of this machine, --scheduler {} has its own: give one of them'.format(
            workers, scheduler))
    if folder:
        settings = {'folder': os.path.abspath(folder)}
    else:
        settings = superpixels.method_settings(method, each_set_once(given, setting))
    name = name or (os.path.basename(settings['folder']) if folder else method)
    counts = superpixels.make_superpixels(data, name, settings, workers_of(scheduler, workers))
    click.echo('{}: superpixels {!r}, {} to {} an image, {:.0f} on average'.format(
        data, name, counts.min(), counts.max(), counts.mean()))


def setting(text):
    name, _, value = text.partition('=')
    try:
        return name, float(value)
    except ValueError:
        raise SpnError('--set {} is not of the form SETTING=NUMBER, such as scale=300'.format(text))


def numbers(text):
    """As :func:`setting`, with several numbers."""
    name, equals, values = text.partition('=')
    return name, [setting(name + equals + value)[1] for value in values.split(',')]


def each_set_once(given, parse):
    """The settings of all ``--set``, as a dict."""
    settings = dict(map(parse, given))
    if len(settings) < len(given):
        raise SpnError('--set {} sets one setting twice: give each once'.format(' --set '.join(given)))
    return settings


@command(main, 'show', 'spn show photographs.h5 --method felzenszwalb --set scale=50,150,400')
@data_argument
@click.option('--out', type=click.Path(dir_okay=False), help='The page; by default DATA.superpixels.html.')
@click.option('--method', 'methods', type=SUPERPIXEL_METHODS, **each_once,
              help='May be given several times; by default felzenszwalb, and slic and watershed for comparison.')
@click.option('--set', 'given', metavar='SETTING=NUMBER,...', **each_once,
              help='Values of a setting to try, such as scale=50,150,400; of several settings, all combinations.')
@click.option('--pictures', type=click.IntRange(1), default=8, show_default=True, help='How many pictures to show.')
@click.option('--split', type=click.Choice(['train', 'val', 'test']), default='train', show_default=True,
              help='Where the pictures are from: at random, those with masks first.')
@workers_option
@seed_option
def show(data, out, methods, given, pictures, split, workers, seed):
    """Show superpixels of a few pictures, to choose their scale by looking.

    Writes one page, to open in a browser: pictures with the borders that each setting makes, and those of the maps that
    the data set has; how many superpixels an image gets, the mean intersection over union that masks can reach at best,
    and the command that adds the maps to the data set.
    """
    from .results import superpixel_page
    from .workers import LocalProcesses
    out = out or superpixel_page.page_path(data)
    n_ways, n_pictures = superpixel_page.write_superpixel_page(
        data, out, methods, each_set_once(given, numbers), pictures, split, seed, LocalProcesses(workers))
    click.echo('{}: superpixels of {} pictures, made in {} ways'.format(out, n_pictures, n_ways))


@command(main, 'encode', 'spn encode composites.h5 --size 224 --size 288', networks=True)
@data_argument
@size_option
@weights_option
@scheduler_option
@ignored_seed_option
def encode(data, sizes, weights, scheduler, seed):
    """Run the frozen VGG16 over all images, once for each size, and keep its features on disk next to the data set.

    At 224 pixels an image takes half a second on two cores, and half a megabyte. `spn train` does this itself where it
    is needed.
    """
    for features in encoded(data, sizes, weights, workers_of(scheduler)):
        click.echo('{}: {} images'.format(features.path, len(features)))


def encoded(data, sizes, weights, workers):
    from .data.dataset import Dataset
    from .networks import features
    from .networks.encoder import Encoder
    for size in sizes:
        features.check_size(size)
    with Dataset(data):  # an error in the data set is reported before weights are downloaded
        encoder = Encoder(weights)
    return [features.make_features(data, size, encoder, workers) for size in sizes]


@command(main, 'train', 'spn train composites.h5 --out run --superpixels felzenszwalb --epochs 8', networks=True)
@data_argument
@click.option('--out', type=click.Path(file_okay=False), required=True, help='The folder to write to.')
@click.option('--superpixels', 'names', **each_once, default=['felzenszwalb'], show_default=True,
              help='Superpixel maps of the data set; if given several times, each batch takes one at random.')
@size_option
@weights_option
@click.option('--epochs', type=click.IntRange(1), help='Passes over the images.')
@click.option('--batch-size', type=click.IntRange(1))
@click.option('--learning-rate', type=Number(0, min_open=True))
@click.option('--upsampling-stages', type=click.IntRange(0, 3))
@click.option('--gap-branch/--no-gap-branch', default=True, show_default=True)
@click.option('--superpixel-branch/--no-superpixel-branch', default=True, show_default=True)
@click.option('--correlation/--no-correlation', default=True, show_default=True,
              help='Whether superpixels that look alike share their scores, in training and in SP-CAM.')
@seed_option
def train(data, out, names, sizes, weights, seed, **given):
    """Train the superpixel pooling network on image-level labels alone.

    Writes model.h5, log.csv and curves.png, and after each epoch checkpoint.h5, from which the same command resumes.
    """
    from .networks.settings import NetworkSettings, TrainingSettings
    from .training import image_labels
    settings, training = [with_options(defaults, given) for defaults in (NetworkSettings(), TrainingSettings())]
    # Before encoding, which takes hours.
    image_labels.check_data(data, names, settings)
    image_labels.check_folder(data, out, list(names), list(sizes), weights, settings, training, seed)
    features = encoded(data, sizes, weights, workers_of(None))
    trained = image_labels.train(data, out, features, list(names), weights, settings, training, seed)
    click.echo('{}: {}'.format(os.path.join(out, 'model.h5'), ', '.join(
        '{} {:.3g}'.format(name.replace('_', ' '), value) for name, value in trained.about['log'][-1].items())))


def with_options(settings, given):
    """The settings, changed to the values of those options that were given and have the name of a field."""
    return settings._replace(**{name: value for name, value in given.items()
                                if name in settings._fields and value is not None})


run_argument = click.argument('run', type=click.Path(file_okay=False))


@command(main, 'cam', 'spn cam photographs.h5 run --split all --out masks', networks=True)
@data_argument
@run_argument
@click.option('--out', type=click.Path(file_okay=False), required=True, help='The folder to write to.')
@click.option('--split', type=click.Choice(['train', 'val', 'test', 'all']), default='test', show_default=True)
@click.option('--threshold', type=Number(0, 1), help='As a share of the maximum of each class. By default chosen by '
              'the masks of val; .5 if val has none.')
@click.option('--sp-cam', is_flag=True, help='Use SP-CAM even if there is a segmentation network.')
@click.option('--absolute', is_flag=True,
              help='SP-CAM: apply the threshold to the probability of each superpixel instead.')
@click.option('--one-size', is_flag=True, help='SP-CAM: use only the middle image size, not all.')
@click.option('--pictures', type=click.Path(file_okay=False),
              help='The folder that DATA was made of: masks and overlays get the sizes of the pictures there.')
@scheduler_option
@ignored_seed_option
def cam(data, run, out, split, threshold, sp_cam, absolute, one_size, pictures, scheduler, seed):
    """Make the best possible masks of labelled pictures, for the classes that each is labelled with.

    They come from the last round of the segmentation network, or from SP-CAM if `spn segment` was not run. Writes masks
    as palette PNGs, overlays, and heat maps of each class, in the folders and under the names of the pictures, and
    classes.csv and classes.png, which explain the numbers and colours. Masks have the size of the images in DATA, which
    is that of the pictures unless they are larger than --max-side of `spn data`; --pictures gives them that of the
    pictures in any case. With few pictures to learn from, the
    masks of SP-CAM may be better: `spn evaluate` compares them.
    """
    from .data.dataset import Dataset
    from .results.prediction import write_cams
    from .results.runs import Run
    with Dataset(data) as dataset:
        count, method = write_cams(dataset, Run(run), out, split, threshold, sp_cam, absolute, one_size, pictures,
                                   workers=workers_of(scheduler))
    click.echo('{}: masks, overlays and heat maps of {} images, by {}'.format(out, count, method))


@command(main, 'segment', 'spn segment composites.h5 run --rounds 2', networks=True)
@data_argument
@run_argument
@click.option('--rounds', type=click.IntRange(1), default=2, show_default=True,
              help='Each learns from the masks of the previous one; the first from SP-CAM.')
@click.option('--kept', type=Number(0, 1, min_open=True), default=.7, show_default=True,
              help='The share of masks of each class to learn from: the least scattered.')
@click.option('--epochs', type=click.IntRange(1), help='Passes over the masks.')
@click.option('--learning-rate', type=Number(0, min_open=True))
@seed_option
def segment(data, run, rounds, seed, **given):
    """Train the segmentation network on SP-CAM's masks of the training images.

    Writes RUN/round-1, RUN/round-2 .. with model.h5, log.csv and curves.png. A round that was stopped is resumed.
    """
    from .data.dataset import Dataset
    from .networks.settings import RoundSettings, SegmentationSettings
    from .results.runs import Run
    from .training.rounds import learn_from_cams
    training = with_options(RoundSettings(), given)
    with Dataset(data) as dataset:
        networks = learn_from_cams(dataset, Run(run), rounds, SegmentationSettings(), training, seed)
    click.echo('{}: {} rounds'.format(run, len(networks)))


@command(main, 'predict', 'spn predict cats photograph.jpg --class cat --run run --out predicted', networks=True)
@click.argument('pictures', nargs=-1, required=True, type=click.Path())
@click.option('--run', type=click.Path(file_okay=False), required=True, help='The folder of the trained networks.')
@click.option('--out', type=click.Path(file_okay=False), required=True, help='The folder to write to.')
@click.option('--class', 'named', **each_once,
              help='A class that all the pictures show. If not given, it is predicted, and masks are much worse.')
@click.option('--max-side', type=click.IntRange(32), default=500, show_default=True,
              help='Larger pictures are scaled down before they are segmented.')
@click.option('--small', is_flag=True, help='Leave the masks and overlays of larger pictures scaled down.')
@click.option('--list', 'listed', type=click.Path(dir_okay=False),
              help="Segment only the pictures that this file names, such as VOC's ImageSets/Segmentation/test.txt.")
@click.option('--voc-results', is_flag=True,
              help="Write only masks, as PASCAL VOC's server wants them: OUT/results/VOC2012/Segmentation/...")
@scheduler_option
@ignored_seed_option
def predict(pictures, run, out, named, max_side, small, listed, voc_results, scheduler, seed):
    """Segment new pictures, or folders of them: by the last round of the segmentation network, else by SP-CAM.

    Writes NAME-mask.png, a palette PNG of the size of the picture, and NAME-overlay.png, in subfolders if the pictures
    come from several folders; classes.csv and classes.png explain the numbers and colours. Pictures whose results are
    there, of the same networks and options, are not segmented again.
    """
    from .results.prediction import write_predictions
    from .results.runs import Run
    count, skipped = write_predictions(Run(run), pictures, out, named, max_side, small, voc_results, listed,
                                       workers=workers_of(scheduler))
    say_skipped(skipped)
    click.echo('{}: {}'.format(out, "masks of {} pictures for PASCAL VOC's server" if voc_results else
                               'masks and overlays of {} pictures; classes.csv explains the numbers in masks').format(
                                   count))


@command(main, 'evaluate', 'spn evaluate composites.h5 run-0 run-1 run-2 --out results', networks=True)
@data_argument
@click.argument('runs', nargs=-1, required=True, type=click.Path(file_okay=False))
@click.option('--out', type=click.Path(file_okay=False), required=True, help='The folder to write to.')
@scheduler_option
@ignored_seed_option
def evaluate(data, runs, out, scheduler, seed):
    """Compare the masks of one run or several with the true ones.

    Thresholds are chosen on val, results are reported on test. Writes results.md, results.json, bars.png and
    examples.png; for several runs their mean and spread. The results of a run are kept in RUN/results.json until data
    or models change.

    Open OUT/index.html in a browser to see every picture of test with its masks, the worst first; it needs no server.
    """
    from .results import report
    runs = list(dict.fromkeys(map(os.path.normpath, runs)))
    click.echo(report.write(data, runs, out, page=out, workers=workers_of(scheduler)))
    say_page(out)


def say_page(folder):
    click.echo('{}: every picture with its masks, to look at in a browser'.format(os.path.join(folder, 'index.html')),
               err=True)


@command(main, 'reproduce', 'spn reproduce --voc VOCdevkit/VOC2012 --folder voc', networks=True)
@click.option('--folder', type=click.Path(file_okay=False), default='reproduction', show_default=True,
              help='Where data and runs are kept; a run that was stopped is resumed.')
@click.option('--document', type=click.Path(dir_okay=False),
              help='The file for the results; by default FOLDER/reproduction.md.')
@click.option('--voc', type=click.Path(file_okay=False), metavar='VOC2012',
              help="Reproduce it on PASCAL VOC 2012 in this folder, by the paper's protocol.")
@click.option('--six-sizes', is_flag=True, help='Six image sizes from 256 to 496 pixels, as in the paper, not two.')
@click.option('--seeds', type=click.IntRange(1), help='Trainings, of which results are the mean; 3, or 1 on VOC.')
@click.option('--ablations/--no-ablations', default=None, help='Whether to train the ablations; not on VOC by default.')
@click.option('--quick', is_flag=True,
              help='Every step on a few small pictures: to see that it works, not how well.')
@weights_option
@seed_option
def reproduce(folder, document, voc, six_sizes, seeds, ablations, quick, weights, seed):
    """Reproduce the paper, with several seeds and ablations: tables, bars, examples.

    Without --voc the pictures are composites of photographs from Debian packages; --seed chooses which objects and
    backgrounds are held out. The seeds of training are 0, 1, 2.

    With --voc the training pictures are those of ImageSets/Segmentation/trainaug.txt, or of train.txt and
    ImageSets/Main/trainval.txt, by their image-level labels alone; every fifth one of train.txt is held out, and by its
    mask thresholds are chosen; results are the mean intersection over union of 21 classes on val.txt, without image
    labels ("classes found out", as in the paper) and with them. It is first said how long this will take here, and how
    much disk.
    """
    from . import pipeline, reproduce
    plan = reproduce.VOC if voc else reproduce.QUICK if quick else reproduce.FULL
    if voc and quick:
        plan = plan._replace(sizes=reproduce.QUICK.sizes, training=reproduce.QUICK.training,
                             rounds=reproduce.QUICK.rounds)
    if six_sizes:
        plan = plan._replace(sizes=reproduce.SIX_SIZES)
    if seeds is not None:
        plan = plan._replace(n_seeds=seeds)
    if ablations is not None:
        plan = plan._replace(ablations=list(reproduce.ABLATIONS) if ablations else [])
    source = pipeline.Voc.of(voc) if voc else pipeline.Composites(
        reproduce.QUICK_COMPOSITES if quick else reproduce.FULL_COMPOSITES, seed)
    document = document or os.path.join(folder, 'reproduction.md')
    reproduce.reproduce(folder, document, plan, source, weights, lambda line: click.echo(line, err=True))
    click.echo(document)
    say_page(os.path.join(folder, 'results'))
