"""Times every competitor on every workload and writes the table to ``benchmarks/results/``.

The competitors take turns in one process, in another order each round, so that they share
whatever the machine does meanwhile. The medians are given, and their ratios to ours on one thread.
"""
import datetime
import os
import random
import sys

os.environ.setdefault('OMP_NUM_THREADS', '2')  # before NumPy, whose BLAS reads it too

import theano_spp  # noqa: E402, F401: first, for the bridge to a legacy Theano
import numpy as np  # noqa: E402
from tqdm import tqdm  # noqa: E402

from .competitors import COMPETITORS  # noqa: E402
from .report import machine, seconds, write  # noqa: E402
from .workloads import WORKLOADS, make  # noqa: E402

ROUNDS = 9


def measure(workload, progress):
    """Return {name: (forward, gradient) medians in seconds, or the reason why there are none}."""
    features, labels, n = make(workload)
    functions, results = {}, {}
    for name, competitor in COMPETITORS:
        try:
            functions[name] = competitor(workload, n)
        except MemoryError as reason:
            results[name] = str(reason)
    ours = functions[COMPETITORS[0][0]]
    expected = ours[0](features, labels)
    upstream = np.random.RandomState(1).standard_normal(expected.shape).astype('float32')
    for name, (forward, gradient) in functions.items():  # right before fast; and warm
        np.testing.assert_allclose(forward(features, labels), expected, rtol=1e-3, atol=1e-4, err_msg=name)
        np.testing.assert_allclose(gradient(upstream, features, labels), ours[1](upstream, features, labels),
                                   rtol=1e-3, atol=1e-5, err_msg=name)
    times = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name in random.sample(sorted(functions), len(functions)):
            forward, gradient = functions[name]
            times[name].append((seconds(forward, features, labels), seconds(gradient, upstream, features, labels)))
        progress.update()
    results.update((name, np.median(rounds, axis=0)) for name, rounds in times.items())
    return n, results


def table(workload, n, results):
    rows = ['', '**%s**: %d x %d x %d x %d, %d superpixels' % (workload[:5] + (n,)), '',
            '| | forward ms | of ours | gradient ms | of ours |', '|---|---|---|---|---|']
    ours = results[COMPETITORS[0][0]]
    for name, _ in COMPETITORS:
        if isinstance(results[name], str):
            rows.append('| %s | %s | | | |' % (name, results[name]))
        else:
            (forward, gradient), (f, g) = results[name], results[name] / ours
            rows.append('| %s | %.2f | %.2f | %.2f | %.2f |' % (name, forward * 1e3, f, gradient * 1e3, g))
    return rows


def main():
    random.seed(0)
    today = datetime.date.today().isoformat()
    report = ['# Mean pooling and its gradient, %s' % today, '',
              machine(),
              'float32, int32 labels by SLIC from photographs of scikit-image, channels first; medians of %d'
              ' rounds in shuffled order.' % ROUNDS]
    with tqdm(total=ROUNDS * len(WORKLOADS), unit='round', file=sys.stderr) as progress:
        for workload in WORKLOADS:
            progress.set_description(workload.name)
            report += table(workload, *measure(workload, progress))
    write(report, '')


if __name__ == '__main__':
    main()
