"""Regions as a graph, in some seconds: ``python -m examples.region_graph [picture.png]``.

The colours of a photograph are pooled in its superpixels. Then the colour of every region is averaged with those of its
neighbours, several times, and painted back. This is a graph network without parameters: put a matrix of weights and a
nonlinearity between two rounds, and it can learn.
"""
import argparse
import os
import time

# Before theano, which it may have to repair.
from theano_spp import superpixel_adjacency, superpixel_centroids, superpixel_pool, superpixel_unpool

import theano
import theano.tensor as T
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from skimage.segmentation import slic

from .photographs import load_photographs
from .picture import INK, outlined, save

PICTURE = 'region_graph.png'
GOLD = '#FFC83D'
ROUNDS = 3  # with more, the picture would fade into one colour


def average_with_neighbours(features, edges, lengths):
    """Average the features of each region with those of its neighbours: one round, in Theano.

    Neighbours are weighted by the length of the common border, the region itself as much as all its neighbours.

    Parameters
    ----------
    features : TensorVariable of floats, shape (batch, superpixels, channels)
    edges : TensorVariable of int64, shape (m, 3)
    lengths : TensorVariable of int64, shape (m,)
        Of :func:`theano_spp.superpixel_adjacency`.

    Returns
    -------
    TensorVariable, shape (batch, superpixels, channels)
        A region without neighbours keeps its features.
    """
    both_ways = T.concatenate([edges, edges[:, [0, 2, 1]]])
    image, a, b = both_ways[:, 0], both_ways[:, 1], both_ways[:, 2]
    weights = T.cast(T.concatenate([lengths, lengths]), features.dtype)
    border = T.inc_subtensor(T.zeros_like(features[:, :, 0])[image, a], weights)
    neighbours = T.inc_subtensor(T.zeros_like(features)[image, a], weights[:, None] * features[image, b])
    own = T.maximum(border, 1)[:, :, None]
    return (own * features + neighbours) / (own + border[:, :, None])


def compile_smoothing(rounds=ROUNDS):
    """Compile the whole computation: pixels -> regions -> their neighbours -> pixels.

    Returns
    -------
    callable
        (image (batch, channels, rows, cols), superpixel map (batch, rows, cols), edges, lengths) ->
        centroids (batch, superpixels, 2), pooled colours (batch, superpixels, channels), and pooled and smoothed
        colours painted (batch, channels, rows, cols). Maps and edges may differ from call to call.
    """
    image, superpixel_map = T.tensor4('image'), T.ltensor3('superpixel_map')
    edges, lengths = T.lmatrix('edges'), T.lvector('lengths')
    pooled = superpixel_pool(image, superpixel_map).dimshuffle(0, 2, 1)
    smoothed = pooled
    for _ in range(rounds):
        smoothed = average_with_neighbours(smoothed, edges, lengths)
    painted = [superpixel_unpool(colours.dimshuffle(0, 2, 1), superpixel_map) for colours in (pooled, smoothed)]
    return theano.function([image, superpixel_map, edges, lengths],
                           [superpixel_centroids(superpixel_map), pooled] + painted)


def run(photograph, path, n_superpixels=150):
    """Smooth the colours of a photograph's regions over their graph, and draw it.

    Parameters
    ----------
    photograph : ndarray, (rows, cols, 3) in 0..1
    path : str
        The file to write.
    n_superpixels : int
        The approximate number of superpixels.

    Returns
    -------
    superpixel_map : ndarray of int64, (rows, cols)
    edges, lengths : ndarray of int64, (m, 3) and (m,)
    smoothed : ndarray, (rows, cols, 3)
    """
    superpixel_map = slic(photograph, n_superpixels, compactness=20, sigma=1, start_label=0)
    edges, lengths = superpixel_adjacency(superpixel_map)
    image = photograph.transpose(2, 0, 1)[None].astype(theano.config.floatX)
    centroids, colours, painted, smoothed = compile_smoothing()(image, superpixel_map[None], edges, lengths)
    painted, smoothed = [image[0].transpose(1, 2, 0) for image in (painted, smoothed)]
    draw(path, photograph, superpixel_map, edges[:, 1:], lengths, centroids[0], colours[0], painted, smoothed)
    return superpixel_map, edges, lengths, smoothed


def draw(path, photograph, superpixel_map, edges, lengths, centroids, colours, painted, smoothed):
    """Draw the photograph with the graph over it, and to the right of it the colours pooled and smoothed.

    Parameters
    ----------
    path : str
        The file to write, atomically.
    photograph, painted, smoothed : ndarray, (rows, cols, 3) in 0..1
    superpixel_map : ndarray of int, (rows, cols)
    edges, lengths : ndarray of int, (m, 2) and (m,)
    centroids : ndarray, (superpixels, 2)
        Rows, then columns.
    colours : ndarray, (superpixels, 3) in 0..1
    """
    rows, cols = superpixel_map.shape
    figure = Figure(figsize=(13, 6.07), dpi=100, facecolor='white')
    cells = figure.add_gridspec(2, 3, left=.008, right=.992, top=.943, bottom=.01, wspace=.03, hspace=.13)
    panels = [
        (cells[:, :2], 'N', '{} superpixels and their {} borders, the edges of a graph: the longer, the wider'.format(
            len(centroids), len(edges)), outlined(.65 * photograph, superpixel_map, '#b8b8b8')),
        (cells[0, 2], 'N', 'Colours pooled, and painted back', painted),
        (cells[1, 2], 'S', 'Averaged with their neighbours, {} times'.format(ROUNDS), smoothed),
    ]
    for cell, anchor, title, panel in panels:
        axes = figure.add_subplot(cell, anchor=anchor)
        # Pixel centres at whole numbers, as centroids have them.
        axes.imshow(panel, interpolation='antialiased', extent=(-.5, cols - .5, rows - .5, -.5))
        axes.set_title(title, fontsize=13.5, color=INK, pad=7)
        axes.set_axis_off()
    axes, nodes = figure.axes[0], centroids[:, ::-1]
    axes.add_collection(LineCollection(nodes[edges], linewidths=1.9 * lengths / lengths.mean(), colors=GOLD,
                                       capstyle='round'))
    axes.scatter(*nodes.T, s=62, c=colours, edgecolors='white', linewidths=1.4, zorder=3)
    save(figure, path)


def main():
    parser = argparse.ArgumentParser(prog='python -m examples.region_graph', description=__doc__.split('\n\n')[0])
    parser.add_argument('picture', nargs='?', default=PICTURE, help='the file to write (default: %(default)s)')
    path = parser.parse_args().picture
    start = time.time()
    superpixel_map, edges, lengths, _ = run(load_photographs()['coffee'], path)
    print('{} superpixels, {} edges, {} pixel faces between them'.format(
        superpixel_map.max() + 1, len(edges), lengths.sum()))
    print('The picture is {} ({:.0f} seconds in all)'.format(os.path.abspath(path), time.time() - start))


if __name__ == '__main__':
    main()
