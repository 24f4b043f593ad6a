"""Files that are written whole or not at all, by one process at a time; and what long work says meanwhile."""
import contextlib
import fcntl
import glob
import hashlib
import json
import os
import sys
import threading

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


def write_bytes(path, content):
    with atomic_write(path) as temporary:
        with open(temporary, 'wb') as stream:
            stream.write(content)


def write_json(path, value):
    write_text(path, json.dumps(value, indent=1) + '\n')


def digest_of_json(value):
    """The sha256 of a value as JSON, in hexadecimal; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def digest_of_file(path):
    """The sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, 'rb') as stream:
        for block in iter(lambda: stream.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def progress(iterable=None, total=None, title='', unit='', done=0):
    """The progress bar of all commands: tqdm on standard error, so that results can be piped."""
    return tqdm(iterable, initial=done, total=total, desc=title, unit=unit and ' ' + unit, file=sys.stderr, ascii=True,
                mininterval=.5, dynamic_ncols=True, leave=True)
