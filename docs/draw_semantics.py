"""Draws the pictures of ``semantics.md``: run ``python -m docs.draw_semantics``."""
import os

import theano_spp
from theano_spp import label_tools
import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import theano  # noqa: E402
import theano.tensor as T  # noqa: E402

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
GAPPY = np.array([[70, 70, 300, 300],
                  [70, 70, 300, 300],
                  [9, 9, 9, 300],
                  [9, 9, 9, 9]])
MASK = np.array([[0, 1, 1, 1],
                 [1, 1, 1, 1],
                 [1, 1, 1, 0],
                 [1, 1, 0, 0]], bool)
WEIGHTS = np.array([[1, 1, 0, 2, 2],
                    [1, 1, 1, .5, .5],
                    [0, 0, 1, .5, .5],
                    [0, 0, 0, 0, 0]])
CELLS = np.array([[0, 8],
                  [4, 12]], 'float64')
FINE_LABELS = np.array([[0, 0, 0, 0, 1, 1],
                        [0, 0, 0, 1, 1, 1],
                        [0, 0, 0, 1, 1, 1],
                        [0, 0, 2, 2, 1, 1],
                        [2, 2, 2, 2, 2, 1],
                        [2, 2, 2, 2, 2, 2]], 'int32')
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


def draw_table(axes, title, rows, names):
    """One row of numbers for each name, one column for each superpixel, in the superpixels' colours."""
    table = np.array(rows)
    draw_grid(axes, title, table, np.tile(np.arange(table.shape[1]), (len(table), 1)))
    for row, name in enumerate(names):
        axes.text(-.15, row + .5, name, ha='right', va='center', fontsize=11)
    for column in range(table.shape[1]):  # one colour is white
        axes.add_patch(plt.Rectangle((column, 0), .98, len(table), facecolor='none', edgecolor=NONE, linewidth=1))
    axes.set(xlim=(-1.1, table.shape[1]), ylim=(max(len(table), 3), 0))


def mark(axes, winner, shape, colour):
    """A frame around each winning pixel, given by its row-major number."""
    for number in winner[winner >= 0]:
        row, column = np.unravel_index(number, shape)
        axes.add_patch(plt.Rectangle((column + .08, row + .08), .84, .84, facecolor='none', edgecolor=colour,
                                     linewidth=2.5))


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path + '.part', format='png', dpi=110)
    plt.close(figure)
    os.rename(path + '.part', path)


def draw_pooling(path):
    """Mean and sum, and both ways to unpool."""
    feature_map, superpixel_map = FEATURES[None, None], LABELS[None]
    pooled = {mode: theano_spp.superpixel_pool(feature_map, superpixel_map, N_SUPERPIXELS, mode).eval()
              for mode in ('mean', 'sum')}
    sizes = theano_spp.superpixel_sizes(superpixel_map, N_SUPERPIXELS).eval()
    painted = {mode: theano_spp.superpixel_unpool(pooled['mean'], superpixel_map, mode).eval()
               for mode in ('sum', 'mean')}

    figure, axes = plt.subplots(1, 5, figsize=(15, 3.2))
    draw_grid(axes[0], 'feature_map\none channel', FEATURES, LABELS)
    draw_grid(axes[1], 'superpixel_map\n-1 belongs to none, 0 has two islands', LABELS, LABELS, '%d')
    draw_table(axes[2], 'superpixel_pool\nsuperpixel 3 has no pixels',
               [sizes[0], pooled['sum'][0, 0], pooled['mean'][0, 0]], ('sizes', "'sum'", "'mean'"))
    draw_grid(axes[3], "superpixel_unpool, 'sum'\npaints the means back", painted['sum'][0, 0], LABELS)
    draw_grid(axes[4], "superpixel_unpool, 'mean'\npaints means / sizes: a gradient", painted['mean'][0, 0], LABELS,
              '%.2f')
    save(figure, path)


def draw_extremum(path):
    """The winners of maximum and minimum, and where the gradient goes."""
    x, upstream = T.dtensor4(), np.array([[[1., 2, 3, 4]]])
    found, gradient = {}, {}
    for mode in ('max', 'min'):
        pooled, winner = theano_spp.SuperpixelExtremum(mode)(x, LABELS[None], N_SUPERPIXELS)
        of_features = T.grad(None, x, known_grads={pooled: T.constant(upstream)})
        *found[mode], gradient[mode] = theano.function([x], [pooled, winner, of_features])(FEATURES[None, None])

    figure, axes = plt.subplots(1, 5, figsize=(15, 3.2))
    draw_grid(axes[0], 'superpixel_map\n-1 belongs to none', LABELS, LABELS, '%d')
    draw_grid(axes[1], 'feature_map and its winners\nblack: of max, blue: of min', FEATURES,
              LABELS)
    draw_table(axes[2], "superpixel_pool, 'max' and 'min'\nsuperpixel 3 has no pixels",
               [found['max'][0][0, 0], found['min'][0][0, 0]], ("'max'", "'min'"))
    draw_grid(axes[3], "gradient of 'max'\nfor upstream 1, 2, 3, 4", gradient['max'][0, 0], LABELS)
    draw_grid(axes[4], "gradient of 'min'\nfor upstream 1, 2, 3, 4", gradient['min'][0, 0], LABELS)
    for at in (1, 3):
        mark(axes[at], found['max'][1][0, 0], FEATURES.shape, '#222222')
    for at in (1, 4):
        mark(axes[at], found['min'][1][0, 0], FEATURES.shape, '#4477aa')
    save(figure, path)


def draw_weights(path):
    """A mean in which some pixels count twice, some half, some not at all, and one superpixel has no weight."""
    x, m = FEATURES[None, None], LABELS[None]
    pooled = [theano_spp.superpixel_pool(x, m, N_SUPERPIXELS, 'mean', weights).eval()[0, 0]
              for weights in (None, WEIGHTS[None])]
    figure, axes = plt.subplots(1, 4, figsize=(12, 3.2))
    draw_grid(axes[0], 'feature_map\none channel', FEATURES, LABELS)
    draw_grid(axes[1], 'superpixel_map\n-1 belongs to none', LABELS, LABELS, '%d')
    draw_grid(axes[2], 'pixel_weights\n0: does not count; all 0 in superpixel 2', WEIGHTS, LABELS)
    draw_table(axes[3], "superpixel_pool, 'mean'\nwithout and with pixel_weights", pooled, ('without', 'with'))
    save(figure, path)


def draw_resize(path):
    """Four cells and a finer map: what each cell counts for each superpixel, and what both resizings give."""
    kinds = ('nearest', 'bilinear')
    resized = {kind: theano_spp.interpolation.resize(CELLS[None, None], FINE_LABELS.shape, kind)[0, 0]
               for kind in kinds}
    overlap = {kind: theano_spp.superpixel_overlap(FINE_LABELS[None], 3, CELLS.shape, kind).eval()[0] for kind in kinds}
    pooled = {kind: theano_spp.superpixel_pool(CELLS[None, None], FINE_LABELS[None], 3, resize=kind).eval()[0, 0]
              for kind in kinds}
    figure, axes = plt.subplots(2, 4, figsize=(15, 6.6), gridspec_kw={'width_ratios': [.8, 1, 1.9, .9]})
    draw_grid(axes[0, 0], 'feature_map\n4 cells', CELLS, np.full(CELLS.shape, 3))
    for (row, column), _ in np.ndenumerate(CELLS):
        axes[0, 0].add_patch(plt.Rectangle((column, row), 1, 1, facecolor='none', edgecolor=NONE, linewidth=1.5))
    draw_grid(axes[1, 0], 'superpixel_map\n36 pixels', FINE_LABELS, FINE_LABELS, '%d')
    for row, kind in enumerate(kinds):
        draw_grid(axes[row, 1], "resized, %r\nnever made in memory" % kind, resized[kind], FINE_LABELS)
        both = np.concatenate(list(overlap[kind]), axis=1)
        draw_grid(axes[row, 2], 'superpixel_overlap: the share of each cell in each superpixel', both,
                  np.repeat(np.arange(3), 2)[None].repeat(2, 0), '%.2f')
        for column in (2, 4):
            axes[row, 2].axvline(column, color='white', linewidth=9)
        draw_table(axes[row, 3], "superpixel_pool,\nresize=%r" % kind, [pooled[kind]], ("'mean'",))
    save(figure, path)


def draw_label_tools(path):
    """Ids with gaps numbered anew, two sizes in one batch, a mask."""
    relabelled, _ = label_tools.relabel_sequential(GAPPY[None])
    small = relabelled[0, :3, :2]
    batch = label_tools.pad_to_batch([relabelled[0], small])
    masked = label_tools.apply_mask(relabelled[0], MASK)

    figure, axes = plt.subplots(1, 6, figsize=(15, 3.4), gridspec_kw={'width_ratios': [1.1, 1.1, .75, 1.1, 1.1, 1.1]})
    draw_grid(axes[0], 'ids of a whole data set', GAPPY, relabelled[0], '%d')
    draw_grid(axes[1], 'relabel_sequential', relabelled[0], relabelled[0], '%d')
    draw_grid(axes[2], 'another size', small, small, '%d')
    axes[2].set(xlim=(-.5, 2.5), ylim=(4, 0))
    draw_grid(axes[3], 'pad_to_batch\nthe second of its two images', batch[1], batch[1], '%d')
    draw_grid(axes[4], 'a mask', MASK, np.where(MASK, 3, -1), '%d')
    draw_grid(axes[5], 'apply_mask', masked, masked, '%d')
    save(figure, path)


PICTURES = {'semantics.png': draw_pooling, 'extremum.png': draw_extremum, 'weights.png': draw_weights,
            'resize.png': draw_resize, 'label_tools.png': draw_label_tools}


def draw(folder):
    """Write every picture of docs/semantics.md into `folder`, computed by the ops."""
    for name, picture in PICTURES.items():
        picture(os.path.join(folder, name))


if __name__ == '__main__':
    draw(os.path.dirname(os.path.abspath(__file__)))
