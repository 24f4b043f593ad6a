"""How long Theano compiles the demo's network, one compiler after the other or several at a time:
``python -m benchmarks.compiling``.

Each time in a process of its own, with an empty folder for what is compiled.
"""
import datetime
import os
import subprocess
import sys
import tempfile

import numpy as np
from tqdm import tqdm

from .report import machine, write

ROUNDS = 3
#: With debugging information, as Theano asks for, or without; by one compiler at a time, or by several.
WAYS = [(debugging, parallel) for debugging in (True, False) for parallel in (False, True)]
CODE = '''
from examples.demo import Models
from theano_spp import compile_in_parallel
from keras.optimizers import Adam
import time
if {parallel}:
    compile_in_parallel()
model = Models(9, n_superpixels=80).train_by_superpixels
model.compile(Adam(), 'sparse_categorical_crossentropy', metrics=['accuracy'])
start = time.time()
model._make_train_function()
print(time.time() - start)
'''


def seconds(debugging, parallel):
    """The time that passes until the training function of the network is there."""
    with tempfile.TemporaryDirectory() as folder:
        flags = '{},base_compiledir={},gcc.cxxflags={}'.format(
            os.environ.get('THEANO_FLAGS', ''), folder, '' if debugging else '-g0')
        printed = subprocess.check_output([sys.executable, '-c', CODE.format(parallel=parallel)],
                                          env=dict(os.environ, THEANO_FLAGS=flags), stderr=subprocess.DEVNULL)
        return float(printed.split()[-1])


def main():
    times = {way: [] for way in WAYS}
    for _ in tqdm(range(ROUNDS), unit='round'):
        for way in WAYS:
            times[way].append(seconds(*way))
    rows = ['| compilers at a time | with debugging information, s | without (`gcc.cxxflags=-g0`), s |',
            '|---|---|---|']
    for parallel, name in (False, 'one, as Theano does'), (True, '{}, `compile_in_parallel()`'.format(os.cpu_count())):
        rows.append('| %s | %s |' % (name, ' | '.join(
            '%.0f' % np.median(times[debugging, parallel]) for debugging in (True, False))))
    write(["# Compiling the training function of the demo's network, %s" % datetime.date.today().isoformat(), '',
           machine(), 'Medians of %d rounds, in turns, each with an empty compile folder; float32.' % ROUNDS,
           ''] + rows, '-compiling')


if __name__ == '__main__':
    main()
