"""How long a Keras model compiles before its first training step: ``python -m benchmarks.compiling``.

The model of `benchmarks.training`: VGG16, superpixel pooling with ``resize='bilinear'``, a dense layer. Each time in a
process of its own, with an empty folder for what is compiled, and then in another one that finds it there.
"""
import datetime
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from tqdm import tqdm

from .report import machine, write

ROUNDS, THREADS = 2, 2
#: name -> whether `compile_in_parallel()` is called, Theano's flags
WAYS = {'nothing set': (False, ''), '`gcc.cxxflags=-g0`': (False, 'gcc.cxxflags=-g0'),
        '`compile_in_parallel()`': (True, '')}


def measured(parallel):
    """Return the `training.Steps` of five blocks."""
    from . import training
    from theano_spp import compile_in_parallel, keep_memory
    keep_memory()
    if parallel:
        compile_in_parallel()
    return training.steps('bilinear', 5)


def in_a_process(parallel, flags, folder):
    flags = '{},base_compiledir={},{}'.format(os.environ.get('THEANO_FLAGS', ''), folder, flags)
    environment = dict({'OMP_NUM_THREADS': str(THREADS)}, **os.environ)
    printed = subprocess.check_output([sys.executable, '-m', 'benchmarks.compiling', str(int(parallel))],
                                      env=dict(environment, THEANO_FLAGS=flags), stderr=subprocess.DEVNULL)
    return json.loads(printed.splitlines()[-1])


def main():
    found = {way: [] for way in WAYS}
    for _ in tqdm(range(ROUNDS), unit='round'):
        for way, settings in WAYS.items():
            with tempfile.TemporaryDirectory() as folder:
                found[way].append([in_a_process(*settings, folder=folder) for _ in range(2)])
    rows = ['| | first step, nothing compiled yet s | first step of the next process s | a later step s |'
            ' ours of it ms |', '|---|' + '---|' * 4]
    for way, results in found.items():
        rows.append('| %s | %.1f | %.1f | %.2f | %.2f |' % ((way,) + tuple(np.median(
            [[new[0], again[0], again[1], 1e3 * sum(again[2].values())] for new, again in results], axis=0))))
    write(['# Until a Keras model makes its first training step, %s' % datetime.date.today().isoformat(), '', machine(),
           'VGG16 on one image of 224 x 224, superpixel pooling with resize=\'bilinear\', a dense layer; %d threads;'
           ' medians of %d rounds in turns. The first step includes building the model.' % (THREADS, ROUNDS),
           ''] + rows, '-compiling')


if __name__ == '__main__':
    if len(sys.argv) > 1:
        print(json.dumps(measured(bool(int(sys.argv[1])))))
    else:
        main()
