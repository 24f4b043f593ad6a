"""What the workers of tests compute. They import this file, so it imports little."""
import os
import signal
import uuid

import numpy as np

from spn.errors import SpnError
from spn.parts import Kind, packed

KIND = Kind('cubes 1', 'cubes', '`spn cube`', 2)
KEYS = [str(i) for i in range(12)]


def part_of(places):
    """The cubes of some numbers, as a part."""
    return packed(KIND, [KEYS[place] for place in places], {}, {'cube': np.array(places).reshape(-1, 1) ** 3})


def noted_part_of(folder, places):
    """A part; a file in `folder` tells that it was computed, and by which process."""
    with open(os.path.join(folder, '{}-{}-{}'.format(places[0], os.getpid(), uuid.uuid4().hex)), 'w'):
        return part_of(places)


def part_of_killed(folder, places):
    """Like :func:`noted_part_of`, but the process is killed that comes to the first part first."""
    if places[0] == 0 and first_to_make(os.path.join(folder, 'killed')):
        os.kill(os.getpid(), signal.SIGKILL)
    return noted_part_of(folder, places)


def first_to_make(path):
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def killed_each_time(task):
    os.kill(os.getpid(), signal.SIGKILL)


def bad_at(bad, task):
    if task == bad:
        raise SpnError('{} is bad'.format(task))
    return task


def size_of(path, task):
    return os.path.getsize(path)


def lacking(task):
    import missing
    return missing
