"""What it costs that the memory of large arrays goes back to the system: ``python -m benchmarks.kept_memory``.

A training step of Keras and the gradient of mean pooling alone, as a user has them without any setting, after
``theano_spp.keep_memory()``, and with Theano's flag ``allow_gc=False``; each in a process of its own, in turns.
"""
import datetime
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np
from tqdm import tqdm

from .report import machine, write
from .workloads import WORKLOADS, make

ROUNDS, CALLS = 2, 9
#: name -> whether memory is kept, Theano's flags
WAYS = {'nothing set': (False, ''), '`keep_memory()`': (True, ''), '`allow_gc=False`': (False, 'allow_gc=False'),
        'both': (True, 'allow_gc=False')}


def measured(kept):
    """The milliseconds of a training step, of our ops in it and of gradients alone, and the MB that it took at most."""
    from . import training  # one thread, and Keras on Theano
    import theano
    import theano.tensor as T
    from theano_spp import keep_memory, superpixel_unpool
    if kept:
        keep_memory()
    steps = training.steps(None, 3, batch=4)
    found = {'step': 1e3 * steps.later, 'ours': 1e3 * sum(steps.ours.values()),
             'MB': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}
    upstream, superpixel_map = T.ftensor3(), T.itensor3()
    gradient = theano.function([upstream, superpixel_map],
                               theano.Out(superpixel_unpool(upstream, superpixel_map, 'mean'), borrow=True))
    for workload in WORKLOADS:
        _, labels, n = make(workload)
        values = np.ones((workload.batch, workload.channels, n), 'float32')
        times = []
        for _ in range(CALLS):
            start = time.perf_counter()
            gradient(values, labels)
            times.append(time.perf_counter() - start)
        found[workload.name] = 1e3 * np.median(times)
    return found


def in_a_process(kept, flags):
    environment = dict(os.environ, THEANO_FLAGS='{},{}'.format(os.environ.get('THEANO_FLAGS', ''), flags))
    printed = subprocess.check_output([sys.executable, '-m', 'benchmarks.kept_memory', str(int(kept))],
                                      env=environment, stderr=subprocess.DEVNULL)
    return json.loads(printed.splitlines()[-1])


def main():
    found = {way: [] for way in WAYS}
    for _ in tqdm(range(ROUNDS), unit='round'):
        for way, settings in WAYS.items():
            found[way].append(in_a_process(*settings))
    columns = ['step', 'ours', 'MB'] + [workload.name for workload in WORKLOADS]
    rows = ['| | training step ms | ours of it ms | memory of the step at most MB | %s |' % ' | '.join(
        'gradient %s ms' % workload.name for workload in WORKLOADS), '|---|' + '---|' * len(columns)]
    for way, results in found.items():
        rows.append('| %s | %s |' % (way, ' | '.join(
            '%.4g' % np.median([result[column] for result in results]) for column in columns)))
    write(['# Memory that is kept for the next arrays, %s' % datetime.date.today().isoformat(), '', machine(),
           'One thread. The training step is that of three blocks of VGG16 on 4 images of 224 x 224, whose features are'
           ' pooled by about 200 superpixels. Medians of %d processes for each row, in turns; gradients: medians of %d'
           ' calls in each.' % (ROUNDS, CALLS), ''] + rows, '-kept-memory')


if __name__ == '__main__':
    if len(sys.argv) > 1 and sys.argv[1] in '01':
        print(json.dumps(measured(bool(int(sys.argv[1])))))
    else:
        main()
