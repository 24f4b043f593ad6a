"""Mean pooling and its gradient, compared with the alternatives: run ``python -m benchmarks``.

All take turns in one process, in another order each round, so that other load on the machine affects all alike. One
process measures one thread, another one two. Every result is first checked against ours. Libraries that are not
installed are left out, and the report says so.
"""
import datetime

import click

from . import pooling
from .competitors import OURS
from .report import machine, pooled_row, versions, write


def summary(results):
    """A row for each workload: ours, compared with the limit of memory and with the best of the others."""
    rows = ['| workload (batch, channels, h, w), superpixels | channels | threads | forward ms | of the floor | best'
            ' peer | its time, of ours | gradient ms | of the floor | best peer | its time, of ours |',
            '|---|' + '---|' * 10]
    for result in results:
        times, (name, *shape, _) = result['milliseconds'], result['workload']
        row = ['%s (%s), %d' % (name, ', '.join(map(str, shape)), result['n']), result['layout'],
               str(result['threads'])]
        rows.append('| ' + ' | '.join(row + pooled_row(times, OURS)) + ' |')
    return rows


def details(result):
    times = result['milliseconds']
    rows = ['', '**%s**, channels %s, threads: %d' % (result['workload'][0], result['layout'], result['threads']), '',
            '| | forward ms | of ours | gradient ms | of ours |', '|---|---|---|---|---|']
    for name, both in times.items():
        if isinstance(both, str):
            rows.append('| %s | %s | | | |' % (name, both))
        else:
            rows.append('| %s | %.3g | %.2f | %.3g | %.2f |' % (
                name, both[0], both[0] / times[OURS][0], both[1], both[1] / times[OURS][1]))
    return rows


@click.command()
@click.option('--quick', is_flag=True, help='Three rounds, three workloads, one thread: under two minutes.')
def main(quick):
    """Time mean pooling and write tables to benchmarks/results/."""
    options = ['--rounds', '3'] + sum((['--workload', name] for name in ('W1', 'W3', 'W7')), []) if quick else []
    results = [result for threads in ((1,) if quick else (1, 2)) for result in pooling.run(threads, options)]
    results.sort(key=lambda result: (result['layout'], result['threads'], result['workload'][0]))
    report = ['# Mean pooling and its gradient, %s' % datetime.date.today().isoformat(), '', machine(), versions(),
              'float32, int32 labels by SLIC from photographs of scikit-image (W6: random, W7: one superpixel); labels'
              ' checked and sizes counted in every call; medians of %d rounds in shuffled order. All have as'
              ' many threads, and processors, as the table says. The floor is a C loop that only reads the features, or'
              ' fills a new array of their size. The C library keeps freed memory (`theano_spp.keep_memory()`).'
              % results[0]['rounds'], ''] + summary(results)
    for result in results:
        report += details(result)
    write(report, '-quick' if quick else '')


if __name__ == '__main__':
    main()
