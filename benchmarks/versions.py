"""Two versions of this package, in turns: run ``python -m benchmarks.versions OTHER_CHECKOUT``.

Each has a process of its own (`benchmarks.one_version`), and one of them at a time computes: mean and maximum of W1 to
W7 in both layouts, and every operation of `benchmarks.operations` that both versions have.
"""
import datetime
import json
import os
import random
import statistics
import subprocess
import sys

import click
from tqdm import tqdm

from .pooling import environment
from .report import machine, write

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ONE_VERSION = ('import sys; sys.path[0] = sys.argv[1]; import theano_spp; sys.path[0] = sys.argv[2];'
               ' from benchmarks import one_version; one_version.main()')


class Version:
    """The process that computes with one checkout."""

    def __init__(self, checkout, number_of_threads):
        self.name = subprocess.check_output(['git', '-C', checkout, 'describe', '--always', '--dirty'],
                                            universal_newlines=True).strip()
        flags = 'openmp=%s,%s' % (number_of_threads > 1, os.environ.get('THEANO_FLAGS', ''))
        self.process = subprocess.Popen(
            [sys.executable, '-c', ONE_VERSION, checkout, HERE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            universal_newlines=True, env=dict(environment(number_of_threads), THEANO_FLAGS=flags,
                                              OMP_WAIT_POLICY='passive'))

    def ask(self, what, row=None):
        """Send a request, and return the answer."""
        self.process.stdin.write(json.dumps([what, row]) + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit('The process of version %s ended early: its own message stands above.' % self.name)
        return json.loads(answer)


def compare(row, this, other, rounds):
    """Return the cells of a row of the table, None if the other version lacks the operation."""
    if row not in other.ask('rows'):
        return None
    counts = [version.ask('prepare', row) for version in (this, other)]
    if 0 in counts:
        return None
    seconds = {this: [], other: []}
    for _ in range(rounds):
        for version in random.sample([this, other], 2):
            seconds[version].append(version.ask('time'))
    cells = []
    for call in range(counts[0]):
        own, others = (1e3 * statistics.median(times[call] for times in seconds[version]) for version in (this, other))
        cells += ['%.3g' % others, '%.3g' % own, '%.2f' % (own / others)]
    return cells + ['-'] * (6 - len(cells))


@click.command()
@click.argument('checkout', type=click.Path(exists=True, file_okay=False))
@click.option('--threads', default=1, show_default=True)
@click.option('--rounds', default=9, show_default=True)
@click.option('--row', 'wanted', multiple=True, help='Rows that contain this; all if not given.')
def main(checkout, threads, rounds, wanted):
    """Compare this checkout with another one of theano-spp, and write a table."""
    random.seed(0)
    this, other = (Version(folder, threads) for folder in (HERE, os.path.abspath(checkout)))
    lines = []
    for row in tqdm([row for row in this.ask('rows') if not wanted or any(part in row for part in wanted)]):
        cells = compare(row, this, other, rounds)
        if cells is not None:
            lines.append('| %s |' % ' | '.join([row] + cells))
            tqdm.write(lines[-1])
    write(['# Two versions in turns, %s' % datetime.date.today().isoformat(), '', machine(),
           'New: %s, old: %s. float32, int32 labels by SLIC from photographs; threads of both: %d; medians of %d rounds'
           ' in shuffled order.' % (this.name, other.name, threads, rounds), '',
           '| | forward, old: ms | new: ms | new / old | gradient, old: ms | new: ms | new / old |',
           '|---|---|---|---|---|---|---|'] + lines, '-versions-%d-threads' % threads)


if __name__ == '__main__':
    main()
