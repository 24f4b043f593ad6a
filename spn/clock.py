"""The seconds, memory and disk that each step of a long work takes, kept in a file that outlives it."""
import json
import os
import resource
import time

from .files import write_json


class Clock:
    """Measures steps. If the work is stopped and resumed, the times of a step are added up.

    ::

        with clock('training'):
            ...

    Parameters
    ----------
    path : str
        The JSON file.
    folder : str
        The folder whose growth is measured.
    say : callable
        Prints a line.

    Attributes
    ----------
    steps : dict of str to dict
        For each step ``seconds``, ``bytes`` that the folder has grown by, and ``memory``, the most bytes that this
        process or one that it started has had. Memory is measured on Linux only.
    """

    def __init__(self, path, folder, say):
        self.path, self.folder, self.say, self.steps = path, folder, say, {}
        if os.path.exists(path):
            with open(path, encoding='utf-8') as stream:
                self.steps = json.load(stream)

    def __call__(self, step):
        self._step = step
        return self

    def __enter__(self):
        self.say('== ' + self._step)
        forget_peak()
        self._children = peak_of_children()
        self._started, self._before = time.time(), bytes_in(self.folder)

    def __exit__(self, *error):
        step = self.steps.setdefault(self._step, {'seconds': 0, 'bytes': 0, 'memory': 0})
        step['seconds'] += time.time() - self._started
        step['bytes'] += bytes_in(self.folder) - self._before
        step['memory'] = max(step['memory'], peak(self._children))
        write_json(self.path, self.steps)

    def table(self):
        """Markdown: a row for each step."""
        lines = ['| step | minutes | GB kept | GB of memory |', '|---|---|---|---|']
        total = {'seconds': sum(step['seconds'] for step in self.steps.values()),
                 'bytes': sum(step['bytes'] for step in self.steps.values()),
                 'memory': max([step['memory'] for step in self.steps.values()] or [0])}
        for name, step in list(self.steps.items()) + [('**all**', total)]:
            lines.append('| {} | {:.1f} | {:.2f} | {:.2f} |'.format(
                name, step['seconds'] / 60, step['bytes'] / 1e9, step['memory'] / 1e9))
        return '\n'.join(lines)


def bytes_in(folder):
    """The bytes of all files in a folder and its subfolders."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                pass  # it was removed meanwhile
    return total


def forget_peak():
    """Let :func:`peak` of this process start from here, where the system can."""
    try:
        with open('/proc/self/clear_refs', 'w') as stream:
            stream.write('5')
    except OSError:
        pass


def peak(of_children_before):
    """The most bytes of memory that this process has had since :func:`forget_peak`, or one that it has started and that
    has ended; 0 if that is not known.

    Parameters
    ----------
    of_children_before : int
        From :func:`peak_of_children`, then. The system only knows the most of all of them, so a process counts if it
        has had more than all before.
    """
    try:
        with open('/proc/self/status') as stream:
            own = 1024 * next((int(line.split()[1]) for line in stream if line.startswith('VmHWM:')), 0)
    except OSError:
        return 0
    of_children = peak_of_children()
    return max(own, of_children if of_children > of_children_before else 0)


def peak_of_children():
    """The most bytes of memory that any process had that this one has started, and that has ended."""
    return 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
