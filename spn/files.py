"""Files are written beside and moved into place; what takes long is kept in parts until all of them are there."""
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
def written_beside(path):
    """Give a name to write to, and move that file to `path` only when the block ends well.

    A run that is stopped leaves the file that was at `path` before. The name ends like `path`, because some libraries
    choose a format by it. What a run that was killed left behind is removed by the next that writes the same file.

    Raises
    ------
    SpnError
        If the disk is full or the folder cannot be written to.
    """
    folder, name = os.path.split(os.path.abspath(path))
    beside = os.path.join(folder, '.unfinished-{}-{}-{}'.format(os.getpid(), threading.get_ident(), name))
    try:
        os.makedirs(folder, exist_ok=True)
        remove_left_behind(os.path.join(glob.escape(folder), '.unfinished-*-' + glob.escape(name)))
        # The lock tells others that the writer is alive, for as long as the file has this name.
        with open(beside, 'wb') as held:
            with contextlib.suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_EX)
            yield beside
            os.replace(beside, path)
    except OSError as error:
        raise SpnError('{} could not be written: {}. What was there before is untouched: make room or choose another '
                       'folder, then run the same command again'.format(path, error)) from error
    finally:
        if os.path.exists(beside):
            os.remove(beside)


def remove_left_behind(pattern):
    """Remove the files whose writers were killed: nobody holds their lock."""
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
    """Have the block to itself among all processes that write to `path`: those that come later wait, and say so.

    The lock is an empty file beside `path`, removed at the end. One that a killed process left behind stops nobody,
    because the system itself lets go of its lock.

    Parameters
    ----------
    path : str
        A file or a folder; it need not be there.

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
            # While it is held: whoever waits for it sees that it is gone, and takes the next one.
            with contextlib.suppress(OSError):
                os.remove(lock)


def open_locked(lock, path):
    """The file `lock`, open and locked; waits for another process that has it."""
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
            pass  # who had it has removed it
        except OSError:
            return held  # a file system without locks
        held.close()


def say(sentence):
    """Print a line on standard error, without harm to progress bars."""
    tqdm.write(sentence, file=sys.stderr)


def write_text(path, text):
    with written_beside(path) as beside:
        with open(beside, 'w', encoding='utf-8') as stream:
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

    Each part is written beside and moved into place, so a run that is stopped, by whatever, loses one part at most, and
    the same command goes on where it was. Parts that were made otherwise (`made_by`) are thrown away.

    At the end of a ``with`` block the folder is removed, but for a block that was stopped when some part was there to
    go on with. Two processes with the same parts must not meet: see :func:`locked`.

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
        told = json.dumps({'n': n, 'part_size': part_size, 'made_by': made_by}, sort_keys=True)
        note = os.path.join(self.folder, 'made_by.json')
        try:
            with open(note, encoding='utf-8') as stream:
                same = stream.read() == told
        except (OSError, UnicodeDecodeError):
            same = False
        if not same:
            self.remove()
            write_text(note, told)

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
        """How many items need no computing any more."""
        return self.n - sum(len(self.items(part)) for part in self.missing())

    def save(self, part, **arrays):
        # By way of memory: where the disk is full, an open ZipFile complains of it once more, when it is thrown away.
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        with written_beside(self._path(part)) as beside:
            with open(beside, 'wb') as file:
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
    """The cores that this process may use; macOS can only tell how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def on_all_cores(compute, tasks, n_workers=None):
    """Yield ``(task, compute(task))`` as they are done, computed in processes of their own.

    Parameters
    ----------
    compute : callable
        A function of a module, or a functools.partial of one: it is sent to the processes.
    n_workers : int, optional
        How many processes; as many as cores if None. With 1 nothing leaves this process.
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
    """tqdm as all commands show it: on standard error, so that results can be piped."""
    return tqdm(iterable, initial=done, total=total, desc=title, unit=unit and ' ' + unit, file=sys.stderr, ascii=True,
                mininterval=.5, dynamic_ncols=True, leave=True)
