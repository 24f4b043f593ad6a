"""Draws the pictures of ``semantics.md``: run ``python -m docs.draw_semantics``."""
import os

import theano_spp
from theano_spp import label_tools
from theano_spp.reference import interpolation
import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy as np
import skimage.data
import theano
import theano.tensor as T
from skimage import color, segmentation, transform

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
POOLED = np.array([12, 22, 39], 'float64')  # whole numbers, divided by the sizes too
COLOURS = ['#8dd3c7', '#fdb462', '#bebada', '#ffffff']
NONE = '#d9d9d9'
INK = '#222222'
MAP, TABLE = (5, 4), (5.1, 3)  # columns, rows
CELL, GAP, TITLE = .54, .42, .56  # inches


def panels(*rows):
    """A figure with axes for each (columns, rows) in cells: cells have one size, and tops stand in one line."""
    width = max(sum(GAP + CELL * columns for columns, _ in row) for row in rows)
    heights = [TITLE + CELL * max(tall for _, tall in row) + GAP / 2 for row in rows]
    top = height = sum(heights)
    figure, axes = plt.figure(figsize=(width, height)), []
    for row, row_height in zip(rows, heights):
        left = GAP / 2
        for columns, tall in row:
            bottom = top - TITLE - CELL * tall
            axes.append(figure.add_axes([left / width, bottom / height, CELL * columns / width, CELL * tall / height]))
            left += CELL * columns + GAP
        top -= row_height
    return figure, axes


def draw_cells(axes, values, labels, text='%.3g', at=(0, 0), size=1, fontsize=11):
    """Numbers in cells that have the colours of their superpixels; the first cell at (column, row)."""
    for (row, column), value in np.ndenumerate(values):
        colour = NONE if labels[row, column] < 0 else COLOURS[labels[row, column]]
        left, top = at[0] + size * column, at[1] + size * row
        axes.add_patch(plt.Rectangle((left + .03, top + .03), size - .06, size - .06, facecolor=colour, edgecolor=NONE,
                                     linewidth=1 if colour == COLOURS[3] else 0))  # that is white
        axes.text(left + size / 2, top + size / 2, text % value, ha='center', va='center', fontsize=fontsize)


def finish(axes, title, columns, rows):
    axes.set(xlim=(0, columns), ylim=(rows, 0), aspect='equal', anchor='N')
    axes.set_title(title, fontsize=10.5)
    axes.axis('off')


def draw_grid(axes, title, values, labels, text='%.3g'):
    """A map: a number for each pixel."""
    draw_cells(axes, values, labels, text)
    finish(axes, title, values.shape[1], values.shape[0])


def draw_table(axes, title, rows, names, margin=1.1):
    """One row of numbers for each name, one column for each superpixel; the names need `margin` cells."""
    table = np.array(rows)
    draw_cells(axes, table, np.tile(np.arange(table.shape[1]), (len(table), 1)))
    finish(axes, title, table.shape[1], max(len(table), 3))
    for row, name in enumerate(names):
        axes.text(-.15, row + .5, name, ha='right', va='center', fontsize=11)
    axes.set_xlim(-margin, table.shape[1])


def draw_pale(axes, labels):
    """A map in the background."""
    for (row, column), label in np.ndenumerate(labels):
        axes.add_patch(plt.Rectangle((column, row), 1, 1, facecolor=COLOURS[label], alpha=.45, linewidth=0))


def mark(axes, argmax, shape, colour):
    """A frame around each winning pixel, given by its row-major number."""
    for number in argmax[argmax >= 0]:
        row, column = np.unravel_index(number, shape)
        axes.add_patch(plt.Rectangle((column + .08, row + .08), .84, .84, facecolor='none', edgecolor=colour,
                                     linewidth=2.5))


def save(figure, path):
    figure.savefig(path + '.part', format='png', dpi=110, bbox_inches='tight', pad_inches=.12)
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

    figure, axes = panels([MAP, MAP, TABLE, MAP, MAP])
    draw_grid(axes[0], 'feature_map\none channel', FEATURES, LABELS)
    draw_grid(axes[1], 'superpixel_map\n-1 belongs to none, 0 has two islands', LABELS, LABELS, '%d')
    draw_table(axes[2], 'superpixel_pool\nsuperpixel 3 has no pixels',
               [sizes[0], pooled['sum'][0, 0], pooled['mean'][0, 0]], ('sizes', "'sum'", "'mean'"))
    draw_grid(axes[3], "superpixel_unpool, 'sum'\npaints the means back", painted['sum'][0, 0], LABELS)
    draw_grid(axes[4], "superpixel_unpool, 'mean'\npaints means / sizes: a gradient", painted['mean'][0, 0], LABELS,
              '%.2f')
    save(figure, path)


def draw_extremum(path):
    """The argmax pixels of maximum and minimum, and where the gradient goes."""
    x, upstream = T.dtensor4(), np.array([[[1., 2, 3, 4]]])
    found, gradient = {}, {}
    for mode in ('max', 'min'):
        pooled, argmax = theano_spp.SuperpixelExtremum(mode)(x, LABELS[None], N_SUPERPIXELS)
        of_features = T.grad(None, x, known_grads={pooled: T.constant(upstream)})
        *found[mode], gradient[mode] = theano.function([x], [pooled, argmax, of_features])(FEATURES[None, None])

    figure, axes = panels([MAP, MAP, TABLE, MAP, MAP])
    draw_grid(axes[0], 'superpixel_map\n-1 belongs to none', LABELS, LABELS, '%d')
    draw_grid(axes[1], 'feature_map and its argmax pixels\nblack: of max, blue: of min', FEATURES,
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


def draw_composites(path):
    """Deviation and logsumexp of each superpixel; softmax and normalization of its pixels."""
    x, m = FEATURES[None, None], LABELS[None]
    pooled = [theano_spp.superpixel_pool(x, m, N_SUPERPIXELS, mode).eval()[0, 0]
              for mode in ('var', 'std', 'logsumexp')]
    softmax = theano_spp.superpixel_softmax(x, m).eval()[0, 0]
    normalized = theano_spp.superpixel_normalize(x, m).eval()[0, 0]
    figure, axes = panels([MAP, MAP, TABLE, MAP, MAP])
    draw_grid(axes[0], 'feature_map\none channel', FEATURES, LABELS)
    draw_grid(axes[1], 'superpixel_map\n-1 belongs to none', LABELS, LABELS, '%d')
    draw_table(axes[2], 'superpixel_pool\nsuperpixel 3 has no pixels', pooled, ("'var'", "'std'", "'logsumexp'"),
               margin=1.6)
    draw_grid(axes[3], 'superpixel_softmax\neach superpixel sums to 1', softmax, LABELS, '%.2f')
    draw_grid(axes[4], 'superpixel_normalize\nmean 0, variance 1 in each', normalized, LABELS, '%.2f')
    save(figure, path)


def draw_weights(path):
    """A mean in which some pixels count twice, some half, some not at all, and one superpixel has no weight."""
    x, m = FEATURES[None, None], LABELS[None]
    pooled = [theano_spp.superpixel_pool(x, m, N_SUPERPIXELS, 'mean', weights).eval()[0, 0]
              for weights in (None, WEIGHTS[None])]
    figure, axes = panels([MAP, MAP, MAP, TABLE])
    draw_grid(axes[0], 'feature_map\none channel', FEATURES, LABELS)
    draw_grid(axes[1], 'superpixel_map\n-1 belongs to none', LABELS, LABELS, '%d')
    draw_grid(axes[2], 'pixel_weights\n0: does not count; all 0 in superpixel 2', WEIGHTS, LABELS)
    draw_table(axes[3], "superpixel_pool, 'mean'\nwithout and with pixel_weights", pooled, ('without', 'with'))
    save(figure, path)


def draw_resize(path):
    """Four cells and a finer map: what each cell counts for each superpixel, and what both resizings give."""
    figure, axes = panels(*[[(6, 6), (6, 6), (9.6, 6)]] * 2)
    draw_cells(axes[0], CELLS, np.full(CELLS.shape, 3), size=3, fontsize=16)
    finish(axes[0], 'feature_map\n4 cells', 6, 6)
    draw_grid(axes[3], 'superpixel_map\n36 pixels', FINE_LABELS, FINE_LABELS, '%d')
    for kind, (resized_axes, overlap_axes) in zip(('nearest', 'bilinear'), (axes[1:3], axes[4:6])):
        resized = interpolation.resize(CELLS[None, None], FINE_LABELS.shape, kind)[0, 0]
        draw_grid(resized_axes, 'feature_map resized, %r\nnever made in memory' % kind, resized, FINE_LABELS)
        overlap = theano_spp.superpixel_overlap(FINE_LABELS[None], 3, CELLS.shape, kind).eval()[0]
        pooled = theano_spp.superpixel_pool(CELLS[None, None], FINE_LABELS[None], 3, resize=kind).eval()[0, 0]
        for label in range(3):
            own, left = np.full(CELLS.shape, label), 3.3 * label
            draw_cells(overlap_axes, overlap[label], own, '%.2f', (left, 0), 1.5)
            draw_cells(overlap_axes, pooled[None, label:label + 1], own, at=(left + .75, 4.5), size=1.5, fontsize=13)
        overlap_axes.text(4.8, 3.8, 'superpixel_pool, resize=%r\nthe cells in these shares, summed' % kind, ha='center',
                          va='center', fontsize=10.5)
        finish(overlap_axes, 'superpixel_overlap, resize=%r\nthe share of each cell in each superpixel' % kind, 9.6, 6)
    save(figure, path)


def draw_unpool_resize(path):
    """Values of superpixels brought to four cells: painted on a finer map, and summed over what each cell sees."""
    sizes = theano_spp.superpixel_sizes(FINE_LABELS[None], 3).eval()[0]
    figure, axes = panels(*[[(6, 6)] * 4] * 2)
    draw_grid(axes[0], 'superpixel_map\n36 pixels', FINE_LABELS, FINE_LABELS, '%d')
    draw_table(axes[4], "pooled\nand what 'mean' paints", [POOLED, sizes, POOLED / sizes],
               ('pooled', 'sizes', 'pooled / sizes'), margin=3)
    for mode, row in zip(('sum', 'mean'), (axes[:4], axes[4:])):
        painted = theano_spp.superpixel_unpool(POOLED[None, None], FINE_LABELS[None], mode).eval()[0, 0]
        draw_grid(row[1], "superpixel_unpool, %r\nnever made in memory" % mode, painted, FINE_LABELS)
        for kind, cell_axes in zip(('nearest', 'bilinear'), row[2:]):
            cells = theano_spp.superpixel_unpool(POOLED[None, None], FINE_LABELS[None], mode, kind, CELLS.shape).eval()
            draw_pale(cell_axes, FINE_LABELS)
            for (i, j), value in np.ndenumerate(cells[0, 0]):
                cell_axes.add_patch(plt.Rectangle((3 * j, 3 * i), 3, 3, facecolor='none', edgecolor=INK, linewidth=1.5,
                                                  clip_on=False))
                cell_axes.text(3 * j + 1.5, 3 * i + 1.5, '%.4g' % value, ha='center', va='center', fontsize=16)
            finish(cell_axes, "superpixel_unpool, %r\nresize=%r: 4 cells" % (mode, kind), 6, 6)
    save(figure, path)


def draw_graph(path):
    """Sizes, centroids, and which superpixels touch."""
    labels = FINE_LABELS[None]
    sizes, centroids = theano_spp.superpixel_sizes(labels).eval()[0], theano_spp.superpixel_centroids(labels).eval()[0]
    edges, lengths = theano_spp.superpixel_adjacency(FINE_LABELS)
    figure, axes = panels([(6, 6), (6, 6), (6, 6)])
    draw_grid(axes[0], 'superpixel_map\n3 superpixels', FINE_LABELS, FINE_LABELS, '%d')
    draw_table(axes[1], 'superpixel_sizes, superpixel_centroids\nin pixels, whose centres are whole numbers',
               [sizes] + list(centroids.T), ('size', 'centroid: row', 'column'), margin=3)
    draw_pale(axes[2], FINE_LABELS)
    nodes = centroids[:, ::-1] + .5  # drawn (column, row), and pixel 0 from 0 to 1
    for (_, a, b), length in zip(edges, lengths):
        axes[2].plot(*nodes[[a, b]].T, color=INK, linewidth=length)
        axes[2].text(*nodes[[a, b]].mean(axis=0), s='%d' % length, ha='center', va='center', fontsize=11,
                     bbox=dict(boxstyle='round', facecolor='white', edgecolor=INK))
    for label, (column, row) in enumerate(nodes):
        axes[2].plot(column, row, 'o', markersize=24, markerfacecolor=COLOURS[label], markeredgecolor=INK, zorder=3)
        axes[2].text(column, row, '%d' % label, ha='center', va='center', fontsize=11, zorder=4)
    finish(axes[2], 'superpixel_adjacency\nand how many pixel faces two share', 6, 6)
    save(figure, path)


def draw_label_tools(path):
    """Ids with gaps numbered anew, two sizes in one batch, a mask."""
    relabelled, _ = label_tools.relabel_sequential(GAPPY)
    small = relabelled[:3, :2]
    batch = label_tools.pad_to_batch([relabelled, small])
    masked = label_tools.apply_mask(relabelled, MASK)

    figure, axes = panels([(4, 4), (4, 4), (2, 3), (4, 4), (4, 4), (4, 4)])
    draw_grid(axes[0], 'ids of a whole\ndata set', GAPPY, relabelled, '%d')
    draw_grid(axes[1], 'relabel_sequential\nnumbers them anew', relabelled, relabelled, '%d')
    draw_grid(axes[2], 'another\nsize', small, small, '%d')
    draw_grid(axes[3], 'pad_to_batch\nmakes it as large', batch[1], batch[1], '%d')
    draw_grid(axes[4], 'a mask\n0: shall not count', MASK, np.where(MASK, 3, -1), '%d')
    draw_grid(axes[5], 'apply_mask\nlabels it -1', masked, masked, '%d')
    save(figure, path)


def draw_soft(path):
    """Superpixels that follow a photograph: grid, label map, the weights of one superpixel, colours painted back."""
    photo = transform.resize(skimage.data.astronaut()[:300, 100:400], (150, 150), anti_aliasing=True)
    grid, chosen = (10, 10), 34
    features = color.rgb2lab(photo).transpose(2, 0, 1)[None] / 6
    association, pooled = theano_spp.differentiable_slic(features, grid, 10, compactness=1.5)
    of_chosen = np.arange(grid[0] * grid[1])[None, None] == chosen
    association, pooled, labels, weights, painted = theano.function([], [
        association, pooled, theano_spp.hard_superpixel_map(association, grid),
        theano_spp.soft_superpixel_unpool(of_chosen.astype('float64'), association, grid),
        theano_spp.soft_superpixel_unpool(pooled, association, grid)])()
    labels = label_tools.enforce_connectivity(labels[0])
    cells = np.arange(grid[0] * grid[1]).reshape(grid).repeat(15, axis=0).repeat(15, axis=1)
    figure, axes = panels([(7, 7)] * 4)
    for each, title, picture in zip(axes, (
            'a grid of 10 x 10 grid cells', 'differentiable_slic, hard_superpixel_map', 'the weights of one superpixel',
            'soft_superpixel_unpool of its pooled colours'), (
            segmentation.mark_boundaries(photo, cells), segmentation.mark_boundaries(photo, labels),
            weights[0, 0], np.clip(color.lab2rgb(6 * painted[0].transpose(1, 2, 0)), 0, 1))):
        each.imshow(picture, cmap='magma', extent=(0, 7, 7, 0))
        finish(each, title, 7, 7)
    save(figure, path)


PICTURES = {'semantics.png': draw_pooling, 'extremum.png': draw_extremum, 'composites.png': draw_composites,
            'weights.png': draw_weights, 'soft.png': draw_soft, 'resize.png': draw_resize,
            'unpool_resize.png': draw_unpool_resize, 'label_tools.png': draw_label_tools, 'graph.png': draw_graph}


def draw(folder):
    """Write every picture of docs/semantics.md into `folder`, computed by the ops."""
    for name, picture in PICTURES.items():
        picture(os.path.join(folder, name))


if __name__ == '__main__':
    draw(os.path.dirname(os.path.abspath(__file__)))
