"""A training step of Keras's LSTM, with Theano's loop in C and in Python: ``python -m benchmarks.recurrent``.

Theano takes the loop in Python where the one in C cannot be compiled: theano_spp/legacy_bridge/scan.py.
"""
import datetime
import functools
import random
import sys
import time

from . import threads  # before NumPy

threads.use(1)

# Before keras: it chooses Keras's Theano backend.
import keras_layer  # noqa: F401

import keras
import numpy as np
from keras import layers
from tqdm import tqdm

from . import measure  # noqa: F401  imported because it keeps memory
from .report import machine, write

LOADER = 'theano.scan_module.scan_perform_ext'
STEPS, INPUTS, ROUNDS = 100, 8, 31
SIZES = [(16, 16), (128, 32)]  # units, batch


def calls(units, batch):
    """Return [a training step, a prediction] of a model, both with the loop that Theano takes at the moment."""
    model = keras.Sequential([layers.LSTM(units, input_shape=(STEPS, INPUTS)), layers.Dense(1)])
    model.compile('sgd', 'mse')
    x = np.random.RandomState(0).rand(batch, STEPS, INPUTS).astype('float32')
    both = [functools.partial(model.train_on_batch, x, x[:, :, 0].mean(1)),
            functools.partial(model.predict_on_batch, x)]
    for call in both:
        call()  # compiles
    return both


def milliseconds(call):
    """Processor time, which on one thread is the time that passes on a machine without other work."""
    start = time.process_time()
    call()
    return 1e3 * (time.process_time() - start)


def main():
    sys.modules[LOADER] = None  # whoever imports it gets an ImportError
    in_python = [calls(*size) for size in SIZES]
    del sys.modules[LOADER]
    in_c = [calls(*size) for size in SIZES]
    if sys.modules.get(LOADER) is None:
        sys.exit('There is nothing to compare: the loop in C could not be compiled.')
    rows = ['| LSTM | training step: loop in Python, ms | in C, ms | prediction: in Python, ms | in C, ms |',
            '|---|---|---|---|---|']
    for (units, batch), *both in zip(tqdm(SIZES, unit='size'), in_python, in_c):
        times = {(loop, call): [] for loop in (0, 1) for call in (0, 1)}
        for _ in range(ROUNDS):
            for loop, call in random.sample(sorted(times), len(times)):
                times[loop, call].append(milliseconds(both[loop][call]))
        rows.append('| %d units, %d sequences of %d steps | %s |' % (units, batch, STEPS, ' | '.join(
            '%.3g' % np.median(times[loop, call]) for call in (0, 1) for loop in (0, 1))))
    write(['# The loop of theano.scan in Python and in C, %s' % datetime.date.today().isoformat(), '', machine(),
           'Keras %s, float32, one thread; processor time, medians of %d rounds, in turns.' % (
               keras.__version__, ROUNDS), ''] + rows, '-recurrent')


if __name__ == '__main__':
    main()
