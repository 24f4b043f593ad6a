"""What every benchmark reports about its machine, and where its tables go."""
import datetime
import os
import platform
import time

try:
    from importlib import metadata
except ImportError:  # before Python 3.8
    import importlib_metadata as metadata

import theano_spp  # before theano, which it may have to repair

import numpy as np
import theano

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'results')


def processor():
    try:
        with open('/proc/cpuinfo') as stream:
            return [line.split(':')[1].strip() for line in stream if line.startswith('model name')][0]
    except (IOError, IndexError):
        return platform.processor()


def blas():
    flags = theano.config.blas.ldflags
    return 'OpenBLAS' if 'openblas' in flags else flags or "NumPy's, through its C API"


def machine():
    """Versions, processor and threads, in one sentence."""
    return ('theano_spp %s, Python %s, NumPy %s, Theano %s, BLAS: %s; %s, %d processors; OMP_NUM_THREADS=%s,'
            ' OMP_WAIT_POLICY=%s.' % (
                theano_spp.__version__, platform.python_version(), np.__version__, theano.__version__.strip(), blas(),
                processor(), os.cpu_count(),
                os.environ.get('OMP_NUM_THREADS', 'not set'), os.environ.get('OMP_WAIT_POLICY', 'not set')))


def _processor_seconds():
    """Processor time of all processes since the machine started, and of this one and its compilers."""
    with open('/proc/stat') as stream:
        user, nice, system, _, _, irq, softirq = map(int, stream.readline().split()[1:8])
    return np.array([(user + nice + system + irq + softirq) / float(os.sysconf('SC_CLK_TCK')), sum(os.times()[:4])])


def others():
    """How busy other processes were since the benchmark began: they delay whoever waits for a thread."""
    total, own = _processor_seconds() - USED_BEFORE
    return 'Meanwhile other processes used %.0f %% of the processors.' % (
        100 * max(0, total - own) / (os.cpu_count() * (time.time() - START)))


START, USED_BEFORE = time.time(), _processor_seconds()


def versions():
    """The versions of the other libraries that some benchmarks measure, as far as they are installed."""
    installed = []
    for name in ('numba', 'scipy', 'torch', 'tensorflow-cpu', 'jax'):
        try:
            installed.append('%s %s' % (name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            pass
    return 'Other libraries: %s.' % ', '.join(installed)


def pooled_row(times, ours):
    """Cells of a table for `times`, {name: [forward, gradient]} in milliseconds, where `ours` is the name of our own.

    For forward and gradient: our time, the same as a multiple of the floor, the best of the others, and its time as a
    multiple of ours.
    """
    cells = []
    for part in (0, 1):
        others = {name: both[part] for name, both in times.items()
                  if not isinstance(both, str) and name not in (ours, 'floor')}
        peer = min(others, key=others.get)
        own = times[ours][part]
        cells += ['%.3g' % own, '%.2f' % (own / times['floor'][part]), peer, '%.2f' % (others[peer] / own)]
    return cells


def write(lines, name):
    """Print the report, and write it to a file in ``benchmarks/results/`` with the date of today."""
    text = '\n'.join(lines + ['', others()]) + '\n'
    print(text)
    path = os.path.join(RESULTS, '%s-python%s%s.md' % (
        datetime.date.today().isoformat(), '.'.join(platform.python_version_tuple()[:2]), name))
    os.makedirs(RESULTS, exist_ok=True)
    with open(path + '.part', 'w') as stream:
        stream.write(text)
    os.rename(path + '.part', path)
    print('Written to %s' % os.path.relpath(path))
