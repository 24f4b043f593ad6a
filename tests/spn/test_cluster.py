"""A Dask cluster as it is: a scheduler and workers in processes of their own, which talk through TCP and are killed."""
import contextlib
import functools
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import warnings
from unittest import mock

import h5py
from click.testing import CliRunner
from PIL import Image

from spn import cluster, commands
from spn.cluster import Cluster
from spn.data import superpixels
from spn.data.dataset import Dataset
from spn.errors import SpnError
from spn.networks import features
from spn.networks.encoder import Encoder
from spn.parts import fill
from spn.results import counted, prediction
from spn.workers import HERE
from tests.processes import REPOSITORY, run_python
from tests.spn.cases import FolderTestCase, SharedFolderTestCase, records, write_small
from tests.spn.tasks import (KEYS, KIND, bad_at, killed_each_time, lacking, noted_part_of, part_of, part_of_killed,
                             size_of)
from theano_spp import __version__

try:
    import distributed
except ImportError:
    raise unittest.SkipTest('Dask is not installed: environments/requirements-cluster.txt has it, for Python 3.8 to '
                            '3.13')

shared = contextlib.ExitStack()  # what all tests share, until the last one has ended


class KilledClient(Cluster):
    """This process is killed when it has the third result."""

    def run(self, compute, tasks):
        for n, done in enumerate(super().run(compute, tasks)):
            if n == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            yield done


class WatchedClient(Cluster):
    """Lets a test see the connection."""

    def client(self, distributed):
        self.watched = super().client(distributed)
        return self.watched


def started(folder, *words, **environment):
    """A process of Dask's command line that finds spn in this repository, and says what it says in `folder`."""
    words += '--host', '127.0.0.1', '--no-dashboard'
    environment = dict(os.environ, DASK_TEMPORARY_DIRECTORY=folder, **dict({'PYTHONPATH': REPOSITORY}, **environment))
    with open(os.path.join(folder, words[0] + '.log'), 'a') as log:
        return subprocess.Popen((sys.executable, '-m', 'dask') + words, cwd=folder, env=environment, stdout=log,
                                stderr=log)


def setup_module():
    """Two workers, for all tests that do not need others."""
    shared.scheduler = shared.enter_context(running([{}, {}]))
    with open(shared.scheduler) as stream:
        shared.address = json.load(stream)['address']


def teardown_module():
    shared.close()


@contextlib.contextmanager
def running(workers, threads=1):
    """A scheduler and a worker for each of these dicts of environment variables: yields the scheduler's file."""
    folder = tempfile.mkdtemp()
    path, processes = os.path.join(folder, 'scheduler.json'), []
    try:
        # Tests that are killed leave nothing behind: it ends when it was idle for long, and its workers with it. With
        # its own three killed workers for a task, the test of giving up would take longer.
        processes.append(started(folder, 'scheduler', '--port', '0', '--scheduler-file', path,
                                 '--idle-timeout', '600 s', DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES='1'))
        for environment in workers:
            processes.append(started(folder, 'worker', '--scheduler-file', path, '--nthreads', str(threads),
                                     **environment))
        # It waits for the file to be there, and then for the workers.
        with distributed.Client(scheduler_file=path, set_as_default=False) as client:
            client.wait_for_workers(len(workers))
        yield path
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()
        shutil.rmtree(folder)


def contents(folder):
    """Digests of what is in the files below a folder, sorted: parts are numbered as they are done."""
    paths = glob.glob(os.path.join(glob.escape(folder), '**', '*'), recursive=True)
    return sorted(hashlib.sha256(content_of(path)).hexdigest() for path in paths if os.path.isfile(path))


def content_of(path):
    """The bytes of a file; of one of HDF5, which has the time in it, the bytes of all that can be read."""
    if not path.endswith('.h5'):
        with open(path, 'rb') as stream:
            return stream.read()
    content = []
    with h5py.File(path, 'r') as file:
        content.append(repr(sorted(file.attrs.items())).encode())
        file.visititems(lambda name, item: content.extend(
            [name.encode(), repr((item.dtype, item.shape)).encode(), item[:].tobytes()]
            if isinstance(item, h5py.Dataset) else [name.encode()]))
    return b'\n'.join(content)


def spn(*arguments):
    """The standard output of a command that must succeed."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of random weights
        result = CliRunner(mix_stderr=False).invoke(commands.main, [str(each) for each in arguments])
    if result.exception is not None:
        raise AssertionError(result.stderr) from result.exception
    return result.stdout


class CommandsTest(SharedFolderTestCase):
    """Each command on the cluster, beside the same command on this machine alone: the files are the same."""

    @classmethod
    def make_shared(cls):
        pictures = [record._replace(image=record.image[k:], mask=record.mask[k:], split=split, name='{}.png'.format(k))
                    for k, split in enumerate(['train', 'val', 'test']) for record in records()[:2]]
        pictures = [record._replace(name='{}{}'.format(n, record.name)) for n, record in enumerate(pictures)]
        cls.local, cls.remote = [os.path.join(cls.shared, name) for name in ('local', 'remote')]
        with mock.patch.object(superpixels, 'KIND', superpixels.KIND._replace(size=2)), \
                mock.patch.object(features, 'KIND', features.KIND._replace(size=2)), \
                mock.patch.object(counted, 'KIND', counted.KIND._replace(size=1)), \
                mock.patch.object(prediction, 'TASK', 1):
            for n, record in enumerate(pictures[:3]):
                Image.fromarray(record.image).save(os.path.join(cls.shared, '{}.png'.format(n)))
            for folder, options in (cls.local, ()), (cls.remote, ('--scheduler', shared.scheduler)):
                os.mkdir(folder)
                write_small(os.path.join(folder, 'data.h5'), pictures)
                cls.run_all(folder, options)

    @classmethod
    def run_all(cls, folder, options):
        """All five commands in a folder; a network of random weights is in place of a trained one."""
        data, run = os.path.join(folder, 'data.h5'), os.path.join(folder, 'run')
        spn('superpixels', data, '--set', 'scale=900', '--name', 'coarse', *options)
        spn('encode', data, '--size', 32, '--weights', 'random', *options)
        if options:
            os.mkdir(run)
            shutil.copy(os.path.join(cls.local, 'run', 'model.h5'), run)
        else:
            write_network(data, run)
        spn('cam', data, run, '--split', 'all', '--out', os.path.join(folder, 'cam'), *options)
        spn('predict', *[os.path.join(cls.shared, '{}.png'.format(n)) for n in range(3)] +
            ['--run', run, '--out', os.path.join(folder, 'predicted')] + list(options))
        spn('evaluate', data, run, '--out', os.path.join(folder, 'results'), *options)

    def assert_same(self, *names, n):
        """The `n` files of this name, or below this folder, are the same, bit for bit."""
        local, remote = [contents(os.path.join(folder, *names)) for folder in (self.local, self.remote)]
        self.assertEqual(len(local), n)
        self.assertEqual(local, remote)

    def test_superpixels_are_the_local_ones(self):
        self.assert_same('data.superpixels-coarse', n=4)

    def test_features_are_the_local_ones(self):
        self.assert_same('data.features-32', n=4)

    def test_masks_heat_maps_and_overlays_are_the_local_ones(self):
        self.assert_same('cam', n=6 + 6 + 9 + 2)

    def test_masks_of_new_pictures_are_the_local_ones(self):
        self.assert_same('predicted', n=3 + 3 + 2)

    def test_the_evaluation_is_the_local_one_and_leaves_no_parts_but_masks_of_test(self):
        self.assert_same('run', n=2 + 3)
        for name in 'bars.png', 'examples.png', 'results.md':
            with open(os.path.join(self.local, 'results', name), 'rb') as local, \
                    open(os.path.join(self.remote, 'results', name), 'rb') as remote:
                self.assertEqual(local.read(), remote.read(), name)

    def test_workers_refuse_files_that_are_not_those_that_the_client_sees(self):
        with Dataset(os.path.join(self.remote, 'data.h5')) as dataset:
            run = prediction.Run(os.path.join(self.remote, 'run'))
            with mock.patch.object(prediction.Run, 'digests', ['of another file']):
                with self.assertRaisesRegex(SpnError, 'models are not those that this command began with'):
                    prediction.write_cams(dataset, run, self.path('out'), 'test', .5,
                                          workers=Cluster(shared.scheduler))

    def test_workers_refuse_an_encoder_of_other_weights(self):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            encoder = Encoder('random')
        encoder.fingerprint = 'of other weights'
        with self.assertRaisesRegex(SpnError, r"has other encoder weights \('random'\) than the machine that wants"):
            features.make_features(os.path.join(self.remote, 'data.h5'), 48, encoder, Cluster(shared.scheduler))


def write_network(data, folder):
    """A superpixel pooling network with its initial weights, as if it had been trained on a data set."""
    from spn.networks.settings import NetworkSettings, TrainingSettings
    from spn.networks.superpixel_pooling_network import SuperpixelPoolingNetwork
    from spn.training.image_labels import about_training
    with Dataset(data) as dataset, open(os.path.join(os.path.splitext(data)[0] + '.features-32',
                                                     'made_by.json')) as made_by:
        about = about_training(dataset, ['coarse'], [32], 'random', NetworkSettings(channels=8), TrainingSettings(), 0)
        about.update(encoder=json.load(made_by)['encoder'], rms=1.)
    SuperpixelPoolingNetwork.new(about).save(os.path.join(folder, 'model.h5'))


class TasksTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.notes = self.path('notes', '')

    def fill(self, name, compute, workers):
        fill(self.path(name), KIND, {}, KEYS, compute, workers, name).close()
        return contents(self.path(name))

    def noted(self):
        """The first places of the parts that were computed, as often as they were."""
        return sorted(int(name.split('-')[0]) for name in os.listdir(self.notes) if '-' in name)

    def test_parts_are_the_local_ones_each_computed_once_by_workers(self):
        local = self.fill('local', part_of, HERE)
        remote = self.fill('remote', functools.partial(noted_part_of, self.notes), Cluster(shared.address))
        self.assertEqual(remote, local)
        self.assertEqual(len(local), 7)
        self.assertEqual(self.noted(), [0, 2, 4, 6, 8, 10])
        processes = {int(name.split('-')[1]) for name in os.listdir(self.notes)}
        self.assertNotIn(os.getpid(), processes)

    def test_tasks_are_handed_out_only_as_they_are_done_and_results_are_let_go(self):
        handed_out, ahead, watched = [], 2 * cluster.AHEAD, WatchedClient(shared.address)

        def tasks():
            for task in range(12):
                handed_out.append(task)
                yield task
        for n, (task, value) in enumerate(watched.run(functools.partial(bad_at, None), tasks())):
            self.assertEqual(task, value)
            self.assertLessEqual(len(handed_out), n + ahead)
            self.assertLessEqual(len(watched.watched.futures), ahead)
        self.assertEqual((n, len(handed_out)), (11, 12))

    def test_equal_tasks_are_each_computed(self):
        # What they read may have changed meanwhile.
        done = list(Cluster(shared.address).run(functools.partial(noted_part_of, self.notes), [[4, 5], [4, 5]]))
        self.assertEqual([task for task, _ in done], [[4, 5], [4, 5]])
        self.assertEqual(self.noted(), [4, 4])

    def test_a_worker_that_is_killed_costs_its_part_and_no_more(self):
        local = self.fill('local', part_of, HERE)
        remote = self.fill('remote', functools.partial(part_of_killed, self.notes), Cluster(shared.address))
        self.assertTrue(os.path.exists(os.path.join(self.notes, 'killed')))
        self.assertEqual(remote, local)
        self.assertEqual(self.noted(), [0, 2, 4, 6, 8, 10])

    def test_a_task_that_kills_every_worker_is_given_up_with_what_to_do(self):
        with self.assertRaisesRegex(SpnError, 'each worker that computed it was killed, tcp://127.0.0.1:[0-9]+ the '
                                              'last, maybe for want of memory.*run the same command again'):
            list(Cluster(shared.address).run(killed_each_time, [0]))

    def test_a_client_that_is_killed_loses_what_is_under_way_and_no_more(self):
        code = '''
from tests.spn.test_cluster import KIND, KEYS, KilledClient, fill, part_of
fill({!r}, KIND, {{}}, KEYS, part_of, KilledClient({!r}), '')
'''.format(self.path('remote'), shared.address)
        with self.assertRaisesRegex(AssertionError, '^exit -9'):
            run_python(code)
        self.assertEqual(len(contents(self.path('remote'))), 3)  # two parts, and made_by.json
        remote = self.fill('remote', functools.partial(noted_part_of, self.notes), Cluster(shared.address))
        self.assertEqual(len(self.noted()), 4)
        self.assertEqual(remote, self.fill('local', part_of, HERE))

    def test_a_sentence_comes_through_from_a_worker(self):
        with self.assertRaisesRegex(SpnError, '^3 is bad$'):
            list(Cluster(shared.address).run(functools.partial(bad_at, 3), range(1000)))

    def test_a_path_that_a_worker_does_not_see_is_named_with_what_to_do(self):
        path = self.write('data.h5', 'x')
        with mock.patch.object(cluster, 'paths_in', lambda value: [path, '/of/the/client/only.h5']):
            with self.assertRaisesRegex(SpnError, '^The worker tcp://127.0.0.1:[0-9]+ on .* cannot see '
                                                  '/of/the/client/only.h5: mount its folder there, at the same path'):
                list(Cluster(shared.address).run(functools.partial(size_of, path), [0]))

    def test_paths_that_workers_must_see_are_those_in_the_call_that_are_there(self):
        data, picture = [self.write(name, '') for name in ('data.h5', 'cat.png')]
        task = [(picture, ['cat-mask.png', self.path('none')], 'd' * 64)]
        self.assertEqual(cluster.paths_in([functools.partial(size_of, data, settings={'folder': self.folder}), task]),
                         [data, self.folder, picture])

    def test_a_module_that_a_worker_lacks_is_named_with_what_to_do(self):
        with self.assertRaisesRegex(SpnError, "A worker lacks what spn needs .*'missing'.*theano-spp.spn,cluster.=="):
            list(Cluster(shared.address).run(lacking, [0]))

    def test_a_worker_of_another_version_that_joins_later_refuses_its_tasks(self):
        newer = dict(cluster.versions_here(), theano_spp='9.9.9')
        with mock.patch.object(cluster, 'check_workers', lambda client: newer):
            with self.assertRaisesRegex(SpnError, '^The worker tcp://.* has theano-spp {}, but this is 9.9.9'.format(
                    __version__)):
                list(Cluster(shared.address).run(functools.partial(bad_at, None), [0]))


class RefusedTest(FolderTestCase):

    def says(self, words, scheduler):
        self.assert_says(words, lambda: list(Cluster(scheduler).run(functools.partial(bad_at, None), [0])))

    def test_a_scheduler_that_does_not_answer(self):
        with mock.patch.object(cluster, 'ANSWER', .2):
            self.says(['tcp://127.0.0.1:9 does not lead to a Dask scheduler that answers within 0.2 seconds',
                       'start one there with `dask scheduler`'], 'tcp://127.0.0.1:9')
            self.says(['does not lead to a Dask scheduler'], 'carrier-pigeon://loft')
            self.says(['file.json does not lead to a Dask scheduler'], self.write('file.json', '{'))

    def test_a_scheduler_file_that_is_not_there(self):
        self.says(['--scheduler none.json is neither an address, such as tcp://host:8786, nor a file that is there',
                   '`dask scheduler --scheduler-file none.json` writes one'], 'none.json')

    def test_without_dask_the_option_says_how_to_install_it(self):
        with mock.patch.dict(sys.modules, {'distributed': None}):
            self.says(['--scheduler needs Dask', "`pip install 'theano-spp[cluster]'`"], 'tcp://127.0.0.1:9')

    def test_a_worker_of_another_version(self):
        self.write('other/theano_spp/__init__.py', '__version__ = "0.0.1"')
        os.symlink(os.path.join(REPOSITORY, 'spn'), self.path('other', 'spn'))
        with running([{'PYTHONPATH': self.path('other')}]) as scheduler:
            self.says(['The worker tcp://127.0.0.1:', 'has theano-spp 0.0.1, but this is ' + __version__,
                       "`pip install 'theano-spp[spn,cluster]=={}'` in its environment".format(__version__)], scheduler)

    def test_a_worker_without_spn(self):
        self.write('without/spn/__init__.py', 'raise ImportError')
        with running([{'PYTHONPATH': self.path('without')}]) as scheduler:
            self.says(['The worker tcp://127.0.0.1:', 'has no theano-spp that can be imported, but this is ',
                       "`pip install 'theano-spp[spn,cluster]=={}'".format(__version__)], scheduler)

    def test_a_worker_with_several_threads(self):
        with running([{}], threads=3) as scheduler:
            self.says(['The worker tcp://127.0.0.1:', 'has 3 threads, but Theano computes one task at a time',
                       'start it with `dask worker --nthreads 1 --nworkers 3`'], scheduler)

    def test_a_scheduler_that_is_killed_meanwhile(self):
        with running([{}]) as scheduler, mock.patch.object(cluster, 'ANSWER', 5):
            watched = WatchedClient(scheduler)
            results = watched.run(functools.partial(bad_at, None), range(1000))
            next(results)
            os.kill(watched.watched.run_on_scheduler(os.getpid), signal.SIGKILL)
            self.assert_says(['The scheduler at {} is gone'.format(scheduler), 'run the same command again'],
                             lambda: list(results))

    def test_processes_and_a_cluster_at_once_are_too_many(self):
        result = CliRunner(mix_stderr=False).invoke(commands.main, [
            'superpixels', 'data.h5', '--workers', '2', '--scheduler', 'tcp://host:8786'])
        self.assertEqual(result.exit_code, 1)
        self.assertIn('--workers 2 are of this machine, --scheduler tcp://host:8786 has its own: give one of them',
                      result.stderr)
