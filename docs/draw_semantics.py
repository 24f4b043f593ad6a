"""Draws ``semantics.png``: run ``python -m docs.draw_semantics``."""
import os

import theano_spp
import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

# Means that are whole numbers are easy to check by eye.
FEATURES = np.array([[1, 2, 3, 8, 9],
                     [1, 3, 6, 8, 7],
                     [4, 5, 6, 9, 7],
                     [6, 5, 5, 2, 2]], 'float64')
LABELS = np.array([[0, 0, 0, 1, 1],
                   [0, 0, -1, 1, 1],
                   [2, 2, -1, 1, 1],
                   [2, 2, 2, 0, 0]], 'int32')
N_SUPERPIXELS = 4
COLOURS = ['#8dd3c7', '#fdb462', '#bebada', '#ffffff']
NONE = '#d9d9d9'


def draw_grid(axes, title, values, labels, text='%.3g'):
    """Numbers in cells that have the colours of their superpixels."""
    for (row, column), value in np.ndenumerate(values):
        colour = NONE if labels[row, column] < 0 else COLOURS[labels[row, column]]
        axes.add_patch(plt.Rectangle((column, row), 1, 1, facecolor=colour, edgecolor='white', linewidth=2))
        axes.text(column + .5, row + .5, text % value, ha='center', va='center', fontsize=11)
    axes.set(xlim=(0, values.shape[1]), ylim=(values.shape[0], 0), aspect='equal')
    axes.set_title(title, fontsize=10.5)
    axes.axis('off')


def draw(path):
    """Write the picture to `path`: the toy example of docs/semantics.md, computed by the ops."""
    feature_map, superpixel_map = FEATURES[None, None], LABELS[None]
    pooled = {mode: theano_spp.superpixel_pool(feature_map, superpixel_map, N_SUPERPIXELS, mode).eval()
              for mode in ('mean', 'sum')}
    sizes = theano_spp.superpixel_sizes(superpixel_map, N_SUPERPIXELS).eval()
    painted = {mode: theano_spp.superpixel_unpool(pooled['mean'], superpixel_map, mode).eval()
               for mode in ('sum', 'mean')}

    figure, axes = plt.subplots(1, 5, figsize=(15, 3.2))
    draw_grid(axes[0], 'feature_map\none channel', FEATURES, LABELS)
    draw_grid(axes[1], 'superpixel_map\n-1 belongs to none, 0 has two islands', LABELS, LABELS, '%d')
    table = np.concatenate([sizes, pooled['sum'][0], pooled['mean'][0]])
    draw_grid(axes[2], 'superpixel_pool\nsuperpixel 3 has no pixels', table,
              np.tile(np.arange(N_SUPERPIXELS), (3, 1)))
    for row, name in enumerate(('sizes', "'sum'", "'mean'")):
        axes[2].text(-.15, row + .5, name, ha='right', va='center', fontsize=11)
    axes[2].add_patch(plt.Rectangle((3, 0), .98, 3, facecolor='none', edgecolor=NONE, linewidth=1.5))
    axes[2].set(xlim=(-1, 4), ylim=(4, 0))
    draw_grid(axes[3], "superpixel_unpool, 'sum'\npaints the means back", painted['sum'][0, 0], LABELS)
    draw_grid(axes[4], "superpixel_unpool, 'mean'\npaints means / sizes: a gradient", painted['mean'][0, 0], LABELS,
              '%.2f')
    figure.tight_layout()
    figure.savefig(path + '.part', format='png', dpi=110)
    plt.close(figure)
    os.rename(path + '.part', path)


if __name__ == '__main__':
    draw(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'semantics.png'))
