"""How the cost of mean pooling grows with superpixels, pixels and channels: ``python -m benchmarks.growth``.

Ours is compared with those that were the best of the others in some row of ``python -m benchmarks``; one thread,
measured as there.
"""
import datetime
import os

import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt

from . import pooling
from .competitors import OURS
from .report import RESULTS, machine, pooled_row, versions, write
from .workloads import GROWTH

CONTENDERS = ('inc_subtensor', 'numba loop', 'PyTorch index_add_', 'np.add.reduceat, np.take',
              'TensorFlow unsorted_segment_mean')


def measure():
    """Return {(workload's name, layout): result of ``benchmarks.pooling``}."""
    arguments = ['--rounds', '5']
    for contender in CONTENDERS:
        arguments += ['--competitor', contender]
    for workload in sum(GROWTH.values(), []):
        arguments += ['--workload', workload.name]
    return {(result['workload'][0], result['layout']): result for result in pooling.run(1, arguments)}


def draw(results, path):
    """Nanoseconds for each feature: a row of panels for each pass, a column for each thing that grows."""
    styles = {name: dict(color='C%d' % (1 + i), lw=1, marker='.') for i, name in enumerate(CONTENDERS)}
    styles.update({OURS: dict(color='C0', lw=2.5, marker='o'), 'floor': dict(color='0.6', lw=1, ls='--')})
    figure, axes = plt.subplots(4, len(GROWTH), figsize=(15, 13), sharey='row', constrained_layout=True)
    for row, (layout, part) in enumerate((layout, part) for layout in ('first', 'last') for part in (0, 1)):
        for ax, (what, workloads) in zip(axes[row], GROWTH.items()):
            for name in (OURS,) + CONTENDERS + ('floor',):
                points = []
                for w in workloads:
                    result = results[w.name, layout]
                    times = result['milliseconds'].get(name)
                    if times is not None and not isinstance(times, str):
                        size = {'superpixels': result['n'], 'pixels': w.height * w.width, 'channels': w.channels}[what]
                        points.append((size, 1e6 * times[part] / (w.channels * w.height * w.width)))
                if points:
                    ax.plot(*zip(*points), label=name, **styles[name])
            ax.set(xscale='log', yscale='log', xlabel=what)
        axes[row, 0].set_ylabel('%s, channels %s\nns for each feature' % (('pooling', 'its gradient')[part], layout))
    axes[0, 0].set_title('320 x 320 pixels, 64 channels')
    axes[0, 1].set_title('about 200 superpixels, 16 channels')
    axes[0, 2].set_title('320 x 320 pixels, about 400 superpixels')
    for ax in axes[::2, -1]:  # outside the axes, where there are no lines
        ax.legend(fontsize=8, loc='upper left', bbox_to_anchor=(1.02, 1))
    figure.savefig(path + '.part', format='png', dpi=90)
    plt.close(figure)
    os.rename(path + '.part', path)


def main():
    results = measure()
    report = ['# How the cost of mean pooling grows, %s' % datetime.date.today().isoformat(), '', machine(), versions(),
              'One thread, float32, one image, superpixels by SLIC from a photograph of scikit-image; medians of 5'
              ' rounds in shuffled order; the floor reads all features, or fills an array of their size. Best peer: of'
              ' %s, as far as they are installed.' % ', '.join(CONTENDERS)]
    for what, workloads in GROWTH.items():
        report += ['', '## %s' % what.capitalize(), '',
                   '| | superpixels | channels | forward ms | of the floor | best peer | its time, of ours'
                   ' | gradient ms | of the floor | best peer | its time, of ours |', '|---|' + '---|' * 10]
        for workload in workloads:
            for layout in ('first', 'last'):
                result = results[workload.name, layout]
                report.append('| %s | %d | %s | %s |' % (
                    workload.name, result['n'], layout, ' | '.join(pooled_row(result['milliseconds'], OURS))))
    path = os.path.join(RESULTS, '%s-growth.png' % datetime.date.today().isoformat())
    draw(results, path)
    report += ['', '![time for each feature](%s)' % os.path.basename(path)]
    write(report, '-growth')


if __name__ == '__main__':
    main()
