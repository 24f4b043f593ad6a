"""The pictures that the commands draw."""
import matplotlib
matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402

from .files import written_beside  # noqa: E402


def save(figure, path):
    with written_beside(path) as beside:
        figure.savefig(beside, dpi=100, bbox_inches='tight')
    plt.close(figure)


def draw_curves(log, path):
    """Loss and precision by epoch, beside each other."""
    figure, (losses, precisions) = plt.subplots(1, 2, figsize=(9, 3.2))
    epochs = [row['epoch'] for row in log]
    for name in log[0]:
        if name != 'epoch':
            axes = precisions if name.startswith('val') else losses
            axes.plot(epochs, [row[name] for row in log], marker='.', label=name.replace('_', ' '))
    losses.set(xlabel='epoch', ylabel='loss in training', ylim=(0, None))
    precisions.set(xlabel='epoch', ylabel='average precision on val', ylim=(0, 1.02))
    for axes in losses, precisions:
        axes.legend(frameon=False)
        axes.grid(alpha=.3)
    save(figure, path)
