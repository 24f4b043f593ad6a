"""Times every competitor on every workload and writes the table to ``benchmarks/results/``.

The competitors take turns in one process, in another order each round, so that they share
whatever the machine does meanwhile. The medians are given, and their ratios to ours on one thread.
"""
import datetime
import random
import sys

from . import threads
threads.use(2)

import theano_spp  # noqa: E402, F401: first, for the bridge to a legacy Theano
from tqdm import tqdm  # noqa: E402

from .competitors import COMPETITORS  # noqa: E402
from .measure import bind, check, medians  # noqa: E402
from .report import machine, write  # noqa: E402
from .workloads import WORKLOADS, make  # noqa: E402

ROUNDS = 9


def measure(workload, progress):
    """Return {name: (forward, gradient) medians in milliseconds, or the reason why there are none}."""
    features, labels, n = make(workload)
    functions, results = {}, {}
    for name, competitor in COMPETITORS:
        try:
            functions[name] = competitor(workload, n)
        except MemoryError as reason:
            results[name] = str(reason)
    both = bind(functions, [features, labels])
    check(both)
    results.update(medians(both, ROUNDS, progress))
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
            rows.append('| %s | %.2f | %.2f | %.2f | %.2f |' % (name, forward, f, gradient, g))
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
