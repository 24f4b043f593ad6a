"""The picture of the example of the V3 block."""
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import FormatStrFormatter, NullFormatter

from .picture import COLOURS, INK, coloured, name_regions, outlined, save, show_panel

SUPERPIXELS, PIXELS = COLOURS[5], COLOURS[2]  # the colours of the two paths through the block, and of the two networks
MAP = '#777777'


def draw(path, losses, predicted, image, superpixel_map, truth, names):
    """Draw the block as a diagram, the loss curves, and the predictions of both networks for one mosaic.

    Parameters
    ----------
    path : str
        The file to write, atomically.
    losses : dict of ndarray, (seeds, points, 3)
        By network, first the one with superpixels: step, training loss, validation loss.
    predicted : dict of ndarray of int, (rows, cols)
        By network, in the same order: the class of each pixel of the mosaic.
    image : ndarray, (rows, cols, 3) in 0..1
    superpixel_map, truth : ndarray of int, (rows, cols)
    names : list of str
        Of the classes.
    """
    figure = Figure(figsize=(13, 10.4), dpi=100, facecolor='white')
    draw_block(figure.add_axes([.01, .695, .98, .275]))
    for left, column, title in [(.05, 1, 'Training loss'),
                                (.545, 2, 'Validation loss, on halves held out from training')]:
        axes = figure.add_axes([left, .35, .44, .285])
        draw_curves(axes, {network: curves[..., [0, column]] for network, curves in losses.items()})
        axes.set_title(title, fontsize=13.5, color=INK, pad=7)

    panels = [('A mosaic held out, its {} superpixels'.format(superpixel_map.max() + 1),
               outlined(image, superpixel_map, 'yellow'))]
    for network, regions in predicted.items():
        panels.append(('{}: {:.0%} right'.format(network.capitalize(), np.mean(regions == truth)),
                       outlined(coloured(regions, image), truth, 'white')))
    panels.append(('True regions', outlined(coloured(truth, image), truth, 'white')))
    cells = figure.add_gridspec(1, 4, left=.01, right=.99, top=.27, bottom=.012, wspace=.03)
    for cell, (title, panel) in zip(cells, panels):
        axes = figure.add_subplot(cell)
        show_panel(axes, panel, title, truth.shape, fontsize=12.5, pad=6)
    name_regions(axes, truth, names, fontsize=10)  # in the last panel
    save(figure, path)


def draw_curves(axes, curves):
    """Draw the mean over the seeds as a thick line, and each seed as a thin one."""
    for colour, (network, seeds) in zip((SUPERPIXELS, PIXELS), curves.items()):
        for steps, loss in seeds.transpose(0, 2, 1):
            axes.plot(steps, loss, color=colour, linewidth=.9, alpha=.45)
        axes.plot(*seeds.mean(axis=0).T, color=colour, linewidth=2.8, label=network)
    axes.set_yscale('log')
    axes.set_yticks([.25, .5, 1, 2])
    axes.yaxis.set_major_formatter(FormatStrFormatter('%g'))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel('steps', fontsize=11.5, color=INK, labelpad=2)
    axes.grid(axis='y', color='#dddddd')
    axes.set_axisbelow(True)
    axes.tick_params(which='both', length=0, labelsize=11, labelcolor=INK)
    for side in 'top', 'right', 'left':
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize=12, labelcolor='linecolor', loc='upper right',
                title='mean of {} seeds, and each'.format(len(seeds)), title_fontsize=11)


def draw_block(axes):
    """Draw the two paths through the V3 block, from left to right, and the shapes on them."""
    axes.set(xlim=(0, 130), ylim=(0, 28.6))
    axes.set_axis_off()
    axes.text(65, 28, 'The V3 block', ha='center', va='top', fontsize=15, weight='bold', color=INK)

    def box(x, y, width, text, colour):
        axes.add_patch(FancyBboxPatch((x - width / 2, y - 2.6), width, 5.2, boxstyle='round,pad=0,rounding_size=1',
                                      facecolor=colour, edgecolor='none', zorder=2))
        axes.text(x, y, text, ha='center', va='center', fontsize=12.5, color='white', weight='bold', zorder=3)

    def arrow(points, colour, text='', style='-'):
        axes.plot(*np.transpose(points), color=colour, linewidth=2, linestyle=style, zorder=1,
                  solid_capstyle='butt')
        axes.annotate('', points[-1], points[-2], zorder=1,
                      arrowprops=dict(arrowstyle='-|>,head_width=.35,head_length=.6', color=colour, linewidth=0,
                                      shrinkA=0, shrinkB=0))
        x, y = np.mean(points[-2:], axis=0)
        axes.text(x, y + .9, text, ha='center', fontsize=11, color=INK)

    upper, lower, bottom = 20.5, 10.5, 2.2
    arrow([(20.5, upper), (53, upper)], PIXELS)
    arrow([(75, upper), (108, upper)], PIXELS, 'rows × cols × filters')
    arrow([(22.5, upper), (22.5, lower), (26, lower)], SUPERPIXELS)
    arrow([(40, lower), (53, lower)], SUPERPIXELS, 'n × channels')
    arrow([(75, lower), (86, lower)], SUPERPIXELS, 'n × filters')
    arrow([(102, lower), (110, lower), (110, upper - 2)], SUPERPIXELS)
    arrow([(20.5, bottom), (33, bottom), (33, lower - 2.6)], MAP, style='--')
    arrow([(33, bottom), (94, bottom), (94, lower - 2.6)], MAP, style='--')
    arrow([(112, upper), (117, upper)], INK)
    arrow([(124, upper), (129, upper)], INK)
    axes.text(19.5, upper, 'features\nrows × cols × channels', ha='right', va='center', fontsize=11.5, color=INK)
    axes.text(19.5, bottom, 'superpixel map\nrows × cols', ha='right', va='center', fontsize=11.5, color=INK)
    axes.text(129, bottom + .6, 'Without superpixels: no pool,\nno unpool, as many weights', ha='right', va='center',
              fontsize=11.5, color=INK)
    box(64, upper, 22, '3×3 convolution', PIXELS)
    box(33, lower, 14, 'pool: mean', SUPERPIXELS)
    box(64, lower, 22, '1×1 convolution', SUPERPIXELS)
    box(94, lower, 16, 'unpool: paint', SUPERPIXELS)
    box(120.5, upper, 7, 'ReLU', INK)
    axes.text(110, upper, '+', ha='center', va='center', fontsize=18, color='white', weight='bold', zorder=3,
              bbox=dict(boxstyle='circle,pad=.12', facecolor=INK, edgecolor='none'))
