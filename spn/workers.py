"""Who computes what was split into tasks: processes on this machine."""
import concurrent.futures
import functools
import os

from .errors import SpnError


class LocalProcesses:
    """Processes on this machine.

    Parameters
    ----------
    n : int, optional
        How many; one for each core if None. With 1, everything runs in this process.
    """

    def __init__(self, n=None):
        self.n = n

    def run(self, compute, tasks):
        """Yield ``(task, compute(task))`` as each is done.

        Parameters
        ----------
        compute : callable
            A module's function, or a functools.partial of one, because it is pickled.
        tasks : iterable
        """
        tasks = list(tasks)
        n = min(self.n or n_cores(), len(tasks))
        if n <= 1:
            for task in tasks:
                yield task, run_task(compute, task)
            return
        with concurrent.futures.ProcessPoolExecutor(n) as pool:
            futures = {pool.submit(run_task, compute, task): task for task in tasks}
            try:
                for future in concurrent.futures.as_completed(futures):
                    # Not kept, because results may be large.
                    yield futures.pop(future), future.result()
            except concurrent.futures.process.BrokenProcessPool as error:
                raise SpnError('A process was killed while it computed, maybe for want of memory: run the same command '
                               'again, it goes on where it was; if this repeats, with one process: `spn superpixels '
                               'DATA --workers 1`') from error
            finally:
                for future in futures:
                    future.cancel()


#: In this process, where arrays and networks that cannot be sent to another are at hand.
HERE = LocalProcesses(1)


_kept = []  # functions that keep what they have opened


def kept_open(function):
    """Decorate a function that opens files: it keeps what it has opened last, for tasks with the same arguments.

    When a task fails, it is let go: the files may have been made anew, or be repaired before the next task.
    """
    keeping = functools.lru_cache(maxsize=1)(function)
    _kept.append(keeping)
    return keeping


def run_task(compute, task):
    """``compute(task)``; called where it is computed."""
    try:
        return compute(task)
    except BaseException:
        for keeping in _kept:
            keeping.cache_clear()
        raise


def n_cores():
    """The number of cores that this process may use; on macOS, of all cores."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
