"""The picture that the demo writes."""
import os

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy.ndimage import center_of_mass
from skimage.segmentation import find_boundaries

# One for each photograph: Paul Tol's 'muted' scheme, which colour-blind readers can distinguish too.
COLOURS = ['#882255', '#DDCC77', '#332288', '#AA4499', '#88CCEE', '#CC6677', '#999933', '#117733', '#44AA99']
INK = '#222222'
ZOOM = 3  # outlines are drawn at this multiple of the resolution


def draw(path, photographs, image, superpixel_map, mean_colours, truth, by_superpixels, by_pixels):
    """Draw six panels in two rows, and below them the photographs with their names and colours.

    Parameters
    ----------
    path : str
        The file to write, atomically.
    photographs : dict of ndarray
        By class name.
    image, mean_colours : ndarray, (rows, cols, 3) in 0..1
    superpixel_map, truth, by_superpixels, by_pixels : ndarray of int, (rows, cols)
    """
    panels = [
        ('Mosaic of parts held out from training', image),
        ('Its {} superpixels'.format(superpixel_map.max() + 1), outlined(image, superpixel_map, 'yellow')),
        ('Colours pooled, and painted back', mean_colours),
        ('Predicted by superpixel: {:.0%} right'.format(np.mean(by_superpixels == truth)),
         outlined(coloured(by_superpixels, image), truth, 'white')),
        ('Predicted by pixel: {:.0%} right'.format(np.mean(by_pixels == truth)),
         outlined(coloured(by_pixels, image), truth, 'white')),
        ('True regions', outlined(coloured(truth, image), truth, 'white')),
    ]
    figure = Figure(figsize=(13, 9), dpi=100, facecolor='white')
    rows = figure.add_gridspec(3, 1, height_ratios=[1, 1, .36], left=.01, right=.99, top=.955, bottom=.035,
                               hspace=.13)
    for row in 0, 1:
        cells = rows[row].subgridspec(1, 3, wspace=.03)
        for cell, (title, panel) in zip(cells, panels[3 * row:]):
            axes = figure.add_subplot(cell)
            show_panel(axes, panel, title, truth.shape)
    name_regions(axes, truth, photographs, fontsize=12.5)  # in the last panel

    cells = rows[2].subgridspec(1, len(photographs), wspace=.1)
    for cell, colour, (name, photograph) in zip(cells, COLOURS, photographs.items()):
        axes = figure.add_subplot(cell)
        axes.imshow(middle(photograph), extent=(-4, 4, -3, 3))
        axes.axvline(0, color='white', linewidth=1.5, linestyle=(0, (3, 2)))
        axes.set(xticks=[], yticks=[])
        axes.set_title(name, fontsize=12.5, weight='bold', color=colour, pad=5)
        for spine in axes.spines.values():
            spine.set(color=colour, linewidth=4)
    figure.text(.5, .012, 'The network learns from crops of the left halves, with one label for each crop.'
                ' The mosaic is made of right halves.', ha='center', fontsize=12, color=INK)
    save(figure, path)


def show_panel(axes, panel, title, shape, fontsize=13.5, pad=7):
    """Show an image under its title, in the coordinates of a picture of `shape`, which may have fewer pixels."""
    axes.imshow(panel, interpolation='antialiased', extent=(0, shape[1], shape[0], 0))
    axes.set_title(title, fontsize=fontsize, color=INK, pad=pad)
    axes.set_axis_off()


def save(figure, path):
    """Write the figure under another name and then move it to `path`, so that nobody sees half of it."""
    figure.savefig(path + '.part', format='png')
    os.replace(path + '.part', path)


def name_regions(axes, regions, names, fontsize):
    """Write the name of each region into its middle."""
    for label, name in enumerate(names):
        y, x = center_of_mass(regions == label)
        axes.text(x, y, name, ha='center', va='center', fontsize=fontsize, weight='bold', color='white')


def coloured(regions, image):
    """Give each region its colour, and let the image shine through in grey."""
    colours = np.array([to_rgb(colour) for colour in COLOURS])
    return .75 * colours[regions] + .25 * image.mean(axis=2, keepdims=True)


def outlined(image, labels, colour):
    """Draw the borders between labels on the image, in a finer grid of pixels."""
    image, labels = [array.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1) for array in (image, labels)]
    image[find_boundaries(labels)] = to_rgb(colour)
    return image


def middle(photograph):
    """Cut the largest piece of 4:3 from the middle: its left and right half are those of the photograph."""
    rows, cols = photograph.shape[:2]
    height, width = min(rows, cols * 3 // 4), min(cols, rows * 4 // 3)
    top, left = (rows - height) // 2, (cols - width) // 2
    return photograph[top:top + height, left:left + width]
