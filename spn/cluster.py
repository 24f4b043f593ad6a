"""Who computes what was split into tasks: the workers of a Dask cluster, on any number of machines.

The client, which is this process, hands out the tasks and alone writes what comes back. Workers only read: each has to
see the files at the same paths as the client, and to have the same versions of what results depend on, so that these
are the same whoever computes them. A worker is checked before it computes, also one that joins later.
"""
import concurrent.futures
import contextlib
import functools
import importlib
import itertools
import logging
import os
import pickle
import socket
import sys

from .errors import SpnError
from .files import say
from .workers import run_task

#: What results depend on, and what client and workers need to understand each other: the names of imports, and those
#: that pip knows.
PACKAGES = {'theano_spp': 'theano-spp', 'distributed': 'distributed', 'numpy': 'numpy', 'scipy': 'scipy',
            'theano': 'Theano-PyMC', 'h5py': 'h5py', 'skimage': 'scikit-image', 'PIL': 'pillow'}
OF_SCHEDULER = 'distributed',   # it computes nothing, but has to find the function that is called

ANSWER = 20     # seconds in which a scheduler has to answer
AHEAD = 2       # tasks for each thread of the workers, so that the next one is there when one is done


class Cluster:
    """The workers of a Dask cluster; with the interface of :class:`spn.workers.LocalProcesses`.

    Parameters
    ----------
    scheduler : str
        The address of the scheduler, such as ``tcp://host:8786``, or the file that it wrote.
    """

    def __init__(self, scheduler):
        self.scheduler = scheduler

    def run(self, compute, tasks):
        """Yield ``(task, compute(task))`` as each is done.

        Of the tasks, only as many as keep the workers busy are on their way at a time, and no result stays on a worker
        once it is here.

        Parameters
        ----------
        compute : callable
            A module's function, or a functools.partial of one, because it is pickled. What it reads lies at absolute
            paths in its arguments and in the tasks.
        tasks : iterable

        Raises
        ------
        SpnError
            If the scheduler does not answer, or a worker cannot compute what this process would; and what `compute`
            raises.
        """
        distributed = imported()
        with self.client(distributed) as client:
            wanted = check_workers(client)
            tasks, waiting, done = iter(tasks), {}, distributed.as_completed(loop=client.loop)
            try:
                while True:
                    # Anew each time, because workers come and go.
                    most = AHEAD * max(1, sum(client.nthreads().values()))
                    for task in itertools.islice(tasks, max(0, most - len(waiting))):
                        future = client.submit(computed, wanted, paths_in([compute, task]),
                                               pickle.dumps((compute, task)), pure=False)
                        waiting[future.key] = task, future
                        done.add(future)
                    if not waiting:
                        return
                    future = next(done)
                    result = result_of(future, client, distributed)
                    future.release()
                    yield waiting.pop(future.key)[0], result
            except (concurrent.futures.CancelledError, OSError) as error:
                # Of a task, unless the connection broke, which the client may not have noticed yet.
                of_task = isinstance(error, OSError) and not isinstance(error, distributed.comm.CommClosedError)
                if of_task and client.status == 'running':
                    raise
                raise SpnError('The scheduler at {} is gone. When it is there again, run the same command again: it '
                               'goes on where it was'.format(self.scheduler)) from error
            finally:
                # After Ctrl-C, or an error: nothing more is begun.
                if client.status == 'running':
                    with contextlib.suppress(OSError):  # as above
                        client.cancel([future for _, future in waiting.values()])

    def client(self, distributed):
        """A connection to the scheduler."""
        if os.path.exists(self.scheduler):
            where = {'scheduler_file': self.scheduler}
        elif '://' in self.scheduler:
            where = {'address': self.scheduler}
        else:
            raise SpnError('--scheduler {0} is neither an address, such as tcp://host:8786, nor a file that is there: '
                           '`dask scheduler --scheduler-file {0}` writes one'.format(self.scheduler))
        logging.getLogger('distributed.client').setLevel(logging.CRITICAL)  # what fails is said below, in a sentence
        try:
            return distributed.Client(timeout=ANSWER, set_as_default=False, name='spn', **where)
        # What is in a file that is not a scheduler's, or answers in place of one, can lead to any error.
        except Exception as error:
            raise SpnError('{} does not lead to a Dask scheduler that answers within {} seconds ({}): start one there '
                           'with `dask scheduler`, or see whether this machine may connect to it'.format(
                               self.scheduler, ANSWER, error)) from error


def result_of(future, client, distributed):
    """The result of a future that is done, or an SpnError that says why there is none."""
    try:
        return future.result()
    except distributed.scheduler.KilledWorker as error:
        raise SpnError('A task was given up, because each worker that computed it was killed, {} the last, maybe '
                       'for want of memory: give the workers more, or start fewer on a machine, then run the same '
                       'command again: it goes on where it was'.format(error.last_worker.address)) from error
    except ImportError as error:
        check_workers(client)  # one of another version that joined meanwhile may not even know what to call
        raise SpnError("A worker lacks what spn needs ({}): `pip install 'theano-spp[spn,cluster]=={}'` in the "
                       'environment of each, and start it again'.format(error, versions_here()['theano_spp'])
                       ) from error


def imported():
    """The package distributed.

    Raises
    ------
    SpnError
        If it is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        raise SpnError("--scheduler needs Dask, which cannot be imported ({}): `pip install 'theano-spp[cluster]'` "
                       'brings it'.format(error)) from error
    return distributed


def versions_here(names=tuple(PACKAGES)):
    """The versions of this process, by the names of packages and ``python``; None for what cannot be imported."""
    # Of Python, only what its packages are built for.
    versions = {'python': '{}.{}'.format(*sys.version_info)}
    for name in names:
        try:
            versions[name] = importlib.import_module(name).__version__
        except ImportError:
            versions[name] = None
    return versions


def check_workers(client):
    """Raise SpnError if the scheduler or a worker is none that can compute what this process would.

    Waits for a worker if there is none yet.

    Parameters
    ----------
    client : distributed.Client

    Returns
    -------
    dict of str to str
        The versions that workers need.
    """
    if not client.nthreads():
        say('The scheduler {} has no worker yet: waiting for one'.format(client.scheduler.address))
        client.wait_for_workers(1)
    wanted = versions_here()
    without_spn = dict(wanted, theano_spp=None)  # as who cannot even find the function that is to be called
    try:
        found = client.run_on_scheduler(versions_here, OF_SCHEDULER)
    except ImportError:
        found = without_spn
    check_versions('The scheduler', wanted, found)
    threads = client.nthreads()
    for address, found in client.run(versions_here, on_error='return').items():
        if address in threads and not isinstance(found, OSError):  # else it has just gone
            check_versions('The worker ' + address, wanted, without_spn if isinstance(found, Exception) else found)
            check_threads(address, threads[address])
    return wanted


def check_versions(who, wanted, found):
    """Raise SpnError if one of the versions that were found is not the wanted one: results would not be the same."""
    for name, version in found.items():
        if version != wanted[name]:
            package = PACKAGES.get(name, 'Python')
            cure = ('start it with that Python' if name == 'python' else
                    "`pip install '{}=={}'` in its environment, and start it again".format(
                        'theano-spp[spn,cluster]' if name == 'theano_spp' else package, wanted[name]))
            raise SpnError('{} has {}, but this is {}, and both must be the same: {}'.format(
                who, '{} {}'.format(package, version) if version else 'no {} that can be imported'.format(package),
                wanted[name], cure))


def check_threads(address, n):
    """Raise SpnError if a worker computes several tasks at a time in one process, in which Theano cannot."""
    if n != 1:
        raise SpnError('The worker {} has {} threads, but Theano computes one task at a time in a process: start it '
                       'with `dask worker --nthreads 1 --nworkers {}`'.format(address, n, n))


def paths_in(value):
    """The absolute paths in the arguments of a call that lead to something on this machine, list of str."""
    if isinstance(value, functools.partial):
        return paths_in([value.args, value.keywords])
    if isinstance(value, dict):
        return paths_in(list(value.values()))
    if isinstance(value, (list, tuple)):
        return [path for each in value for path in paths_in(each)]
    return [value] if isinstance(value, str) and os.path.isabs(value) and os.path.exists(value) else []


def computed(wanted, paths, pickled):
    """Compute a task; called in a worker.

    Parameters
    ----------
    wanted : dict of str to str
        The versions that it must have.
    paths : list of str
        What it must see.
    pickled : bytes
        Of the pair of the function and its task. Pickled by us, so that nothing is opened before the checks, nor by the
        scheduler.
    """
    worker = imported().get_worker()
    prepare(worker.address, worker.state.nthreads, tuple(wanted.items()))
    for path in paths:
        if not os.path.exists(path):
            raise SpnError('The worker {} on {} cannot see {}: mount its folder there, at the same path as on this '
                           'machine'.format(worker.address, socket.gethostname(), path))
    return run_task(*pickle.loads(pickled))


@functools.lru_cache(maxsize=None)
def prepare(address, n_threads, wanted):
    """Check this worker, and prepare Theano as the command line does; once in each process."""
    check_versions('The worker ' + address, dict(wanted), versions_here())
    check_threads(address, n_threads)
    from theano_spp import compile_in_parallel, keep_memory
    compile_in_parallel()
    keep_memory()
