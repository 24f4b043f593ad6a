"""What the paper's protocol costs as the number of pictures grows: ``python -m benchmarks.reproduction [60 240 960]``.

For each number, a tree that is shaped like PASCAL VOC is made of composites, and each step is a command of its own:
seconds, the disk that it keeps, the most disk and the most memory at any time. Then what VOC's 12,031 pictures would
take, by the growth from the smallest to the largest number. The first command of each kind compiles.
"""
import datetime
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from spn.clock import bytes_in

from tests.spn.data.sources import voc_tree

from .report import machine, write

N_VOC = 10582 + 1449
MAPS = {'fine': (50, 30), 'middle': (150, 60), 'coarse': (400, 120)}  # scale and min_size


def commands(tree, folder):
    """The steps, as pairs of a name and a command."""
    data, run = os.path.join(folder, 'voc.h5'), os.path.join(folder, 'run')
    spn = [sys.executable, '-m', 'spn']
    steps = [('data', spn + ['data', 'voc', tree, data, '--train-list', 'trainaug'])]
    for name, (scale, min_size) in MAPS.items():
        steps.append(('superpixels, ' + name, spn + [
            'superpixels', data, '--name', name, '--set', 'scale={}'.format(scale), '--set',
            'min_size={}'.format(min_size)]))
    steps += [('features, {} px'.format(size), spn + ['encode', data, '--size', str(size)]) for size in (224, 288)]
    names = [word for name in MAPS for word in ('--superpixels', name)]
    return steps + [
        ('training', spn + ['train', data, '--out', run] + names),
        ('segmentation network', spn + ['segment', data, run]),
        ('evaluation', spn + ['evaluate', data, run, '--out', os.path.join(folder, 'results')]),
        ('masks of all', spn + ['cam', data, run, '--split', 'all', '--out', os.path.join(folder, 'masks')])]


class Watched:
    """The most bytes in a folder while a block runs."""

    def __init__(self, folder):
        self.folder, self.most, self._ended = folder, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self._ended.wait(.5):
            self.most = max(self.most, bytes_in(self.folder))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._ended.set()
        self._thread.join()
        self.most = max(self.most, bytes_in(self.folder))


def measure(command, folder):
    """Seconds, the bytes that are kept, the most bytes on disk, and the most bytes of memory of a command."""
    before, started = bytes_in(folder), time.time()
    with Watched(folder) as watched, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = status
        if status:
            said.seek(0)
            raise SystemExit(said.read().decode(errors='replace')[-3000:])
    return time.time() - started, bytes_in(folder) - before, watched.most, used.ru_maxrss * 1024


def steps_of(n):
    """The measurements of each step for `n` pictures."""
    folder = tempfile.mkdtemp()
    try:
        tree, work = os.path.join(folder, 'VOC2012'), os.path.join(folder, 'work')
        os.makedirs(work)
        voc_tree.write_tree(tree, n)
        steps = {}
        for name, command in commands(tree, work):
            steps[name] = measure(command, work)
            print('{} pictures, {}: {:.0f} s, {:.3f} GB kept, {:.2f} GB of memory'.format(
                n, name, steps[name][0], steps[name][1] / 1e9, steps[name][3] / 1e9), file=sys.stderr, flush=True)
        return steps
    finally:
        shutil.rmtree(folder)


def table(measured):
    """Markdown: a row for each step. `measured` has the measurements of each step by number of pictures."""
    numbers = sorted(measured)
    first, last = measured[numbers[0]], measured[numbers[-1]]

    def for_voc(name, k):
        slope = (last[name][k] - first[name][k]) / (numbers[-1] - numbers[0])
        return max(last[name][k], last[name][k] + (N_VOC - numbers[-1]) * slope)

    def row(title, seconds, kept, memory, voc):
        return '| {} | {} | {:.3f} | {} | {:.2f} | {:.2f} |'.format(
            title, ' | '.join('{:.0f}'.format(value) for value in seconds), kept / 1e9,
            ' | '.join('{:.2f}'.format(value / 1e9) for value in memory), voc[0] / 3600, voc[1] / 1e9)
    lines = ['| step | {} | GB kept of {} | {} | VOC: h | VOC: GB |'.format(
        ' | '.join('s for {}'.format(n) for n in numbers), numbers[-1],
        ' | '.join('GB of memory, {}'.format(n) for n in numbers)), '|---' * (2 * len(numbers) + 4) + '|']
    for name in last:
        lines.append(row(name, [measured[n][name][0] for n in numbers], last[name][1],
                         [measured[n][name][3] for n in numbers], [for_voc(name, 0), for_voc(name, 1)]))
    kept = sum(step[1] for step in last.values())
    lines.append(row('**all**', [sum(step[0] for step in measured[n].values()) for n in numbers], kept,
                     [max(step[3] for step in measured[n].values()) for n in numbers],
                     [sum(for_voc(name, k) for name in last) for k in (0, 1)]))
    return '\n'.join(lines) + '\n\nThe most disk at any time was {:.2f} times what is kept of {} pictures.\n'.format(
        max(step[2] for step in last.values()) / kept, numbers[-1])


def main(numbers):
    text = table({n: steps_of(n) for n in numbers})
    write(["# The paper's protocol on {} pictures shaped like PASCAL VOC, {}".format(
        ', '.join(map(str, numbers)), datetime.date.today().isoformat()), '', machine(), '', text], '-reproduction')


if __name__ == '__main__':
    main([int(argument) for argument in sys.argv[1:] if argument.isdigit()] or [60, 240, 960])
