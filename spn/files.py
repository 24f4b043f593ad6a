"""Atomic writes, and long computations whose results are kept in parts until all of them are finished."""
import concurrent.futures
import contextlib
import fcntl
import glob
import hashlib
import io
import json
import os
import shutil
import sys
import threading
import zipfile

import numpy as np
from tqdm import tqdm

from .errors import SpnError


@contextlib.contextmanager
def atomic_write(path):
    """Yield a temporary path to write to, and move that file to `path` only if the block succeeds.

    A run that is stopped leaves the previous file at `path` untouched. The temporary path ends like `path`, because
    some libraries choose a format by the ending. Temporary files of a process that was killed are removed the next time
    that the same file is written.

    Raises
    ------
    SpnError
        If the disk is full or the folder cannot be written to.
    """
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, '.unfinished-{}-{}-{}'.format(os.getpid(), threading.get_ident(), name))
    try:
        os.makedirs(folder, exist_ok=True)
        remove_left_behind(os.path.join(glob.escape(folder), '.unfinished-*-' + glob.escape(name)))
        # As long as the file has this name, the lock shows others that its writer is alive.
        with open(temporary, 'wb') as held:
            with contextlib.suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_EX)
            yield temporary
            os.replace(temporary, path)
    except OSError as error:
        raise SpnError('{} could not be written: {}. What was there before is untouched: make room or choose another '
                       'folder, then run the same command again'.format(path, error)) from error
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def remove_left_behind(pattern):
    """Remove temporary files whose writers were killed: those that no process has locked."""
    for path in glob.glob(pattern):
        with contextlib.suppress(OSError), open(path, 'rb') as held:
            if lock_if_free(held):
                os.remove(path)


def lock_if_free(file):
    """Lock an open file; False if another process has locked it.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def locked(path):
    """Let only one process at a time run such a block for `path`; the others wait, and say so.

    The lock is an empty file next to `path`, removed at the end. One that a killed process left behind stops nobody,
    because the system releases its lock.

    Parameters
    ----------
    path : str
        A file or a folder, which need not exist.

    Raises
    ------
    SpnError
        If the folder cannot be written to.
    """
    folder, name = os.path.split(os.path.abspath(path))
    lock = os.path.join(folder, '.lock-' + name)
    try:
        os.makedirs(folder, exist_ok=True)
        held = open_locked(lock, path)
    except OSError as error:
        raise SpnError('{} could not be written: {}. Choose another folder, then run the same command again'.format(
            path, error)) from error
    with held:
        try:
            yield
        finally:
            # While it is still locked: whoever waits for it sees that the file is gone, and makes a new one.
            with contextlib.suppress(OSError):
                os.remove(lock)


def open_locked(lock, path):
    """The file `lock`, open and locked; waits while another process has it."""
    said = False
    while True:
        held = open(lock, 'a')
        try:
            if not lock_if_free(held):
                if not said:
                    say('{} is being written by another process: waiting for it to end'.format(path))
                    said = True
                fcntl.flock(held, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(held.fileno()), os.stat(lock)):
                return held
        except FileNotFoundError:
            pass  # the process that had it has removed it
        except OSError:
            return held  # a file system without locks
        held.close()


def say(sentence):
    """Print a line on standard error without breaking progress bars."""
    tqdm.write(sentence, file=sys.stderr)


def write_text(path, text):
    with atomic_write(path) as temporary:
        with open(temporary, 'w', encoding='utf-8') as stream:
            stream.write(text)


def write_json(path, value):
    write_text(path, json.dumps(value, indent=1) + '\n')


def digest_of_file(path):
    """The sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, 'rb') as stream:
        for block in iter(lambda: stream.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


class Parts:
    """Results for the items 0 .. n - 1, in files of `part_size` items each in the folder ``path + '.parts'``.

    Each part is written atomically, so that a run that is stopped for any reason loses at most one part, and the same
    command goes on from there. Parts that were made in another way (`made_by`) are thrown away.

    At the end of a ``with`` block the folder is removed, unless the block was stopped and some part is finished. Two
    processes must not use the same parts at once: see :func:`locked`.

    Parameters
    ----------
    path : str
        The file that the results are for.
    n : int
        The number of items.
    made_by : dict
        What the results depend on; JSON.
    part_size : int
        Items in each part.
    """

    def __init__(self, path, n, made_by, part_size):
        self.folder, self.n, self.part_size = path + '.parts', n, part_size
        description = json.dumps({'n': n, 'part_size': part_size, 'made_by': made_by}, sort_keys=True)
        note = os.path.join(self.folder, 'made_by.json')
        try:
            with open(note, encoding='utf-8') as stream:
                same = stream.read() == description
        except (OSError, UnicodeDecodeError):
            same = False
        if not same:
            self.remove()
            write_text(note, description)

    def __len__(self):
        return -(-self.n // self.part_size)

    def items(self, part):
        """The items of a part."""
        return range(part * self.part_size, min((part + 1) * self.part_size, self.n))

    def _path(self, part):
        return os.path.join(self.folder, '{:06d}.npz'.format(part))

    def missing(self):
        """The parts that are still to be computed."""
        return [part for part in range(len(self)) if not os.path.exists(self._path(part))]

    def n_done(self):
        """How many items are finished."""
        return self.n - sum(len(self.items(part)) for part in self.missing())

    def save(self, part, **arrays):
        # Zipped in memory, because on a full disk a ZipFile would raise once more when it is garbage-collected.
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        with atomic_write(self._path(part)) as temporary:
            with open(temporary, 'wb') as file:
                file.write(stream.getbuffer())

    def load(self, part):
        try:
            with np.load(self._path(part)) as arrays:
                return dict(arrays)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise SpnError('{} cannot be read ({}): remove it and run the same command again'.format(
                self._path(part), error)) from error

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *error):
        if kind is None or self.n_done() == 0:
            self.remove()


def n_cores():
    """The number of cores that this process may use; on macOS, of all cores."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def on_all_cores(compute, tasks, n_workers=None):
    """Yield ``(task, compute(task))`` as each is done, computed in worker processes.

    Parameters
    ----------
    compute : callable
        A module's function, or a functools.partial of one, because it is pickled.
    n_workers : int, optional
        How many processes; one for each core if None. With 1, everything runs in this process.
    """
    tasks = list(tasks)
    n_workers = min(n_workers or n_cores(), len(tasks))
    if n_workers <= 1:
        for task in tasks:
            yield task, compute(task)
        return
    with concurrent.futures.ProcessPoolExecutor(n_workers) as pool:
        futures = {pool.submit(compute, task): task for task in tasks}
        try:
            for future in concurrent.futures.as_completed(futures):
                yield futures[future], future.result()
        except concurrent.futures.process.BrokenProcessPool as error:
            raise SpnError('A process was killed while it computed, maybe for want of memory: run the same command '
                           'again, it goes on where it was, with --workers 1 if this repeats') from error
        finally:
            for future in futures:
                future.cancel()


def progress(iterable=None, total=None, title='', unit='', done=0):
    """The progress bar of all commands: tqdm on standard error, so that results can be piped."""
    return tqdm(iterable, initial=done, total=total, desc=title, unit=unit and ' ' + unit, file=sys.stderr, ascii=True,
                mininterval=.5, dynamic_ncols=True, leave=True)
