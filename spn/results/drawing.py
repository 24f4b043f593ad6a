"""Drawing masks, heat maps, curves, bars and sheets of examples."""
import csv
import io
import os
import re
from textwrap import wrap

import matplotlib
matplotlib.use('Agg')
from matplotlib import pyplot as plt
from matplotlib.patches import Patch
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from scipy.ndimage import maximum_filter
from skimage.segmentation import find_boundaries, mark_boundaries

from ..data.dataset import UNKNOWN
from ..data.palette import PALETTE
from ..data.sources import voc
from ..files import atomic_write, write_text

# The first ten classes have colours that are easy to distinguish.
COLOURS = PALETTE.copy()
COLOURS[1:11] = np.round(255 * np.array(matplotlib.colormaps['tab10'].colors))


def colours_of(class_names):
    """The colours of classes in masks, overlays and keys, (256, 3) of uint8, by their number in masks.

    VOC's classes have the colours of VOC's own masks, which other tools recognize.
    """
    return PALETTE if list(class_names) == voc.CLASS_NAMES else COLOURS


def hexadecimal(colour):
    """A colour as pages and tables write it, ``#rrggbb``."""
    return '#{:02x}{:02x}{:02x}'.format(*colour)


def save_figure(figure, path):
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=100, bbox_inches='tight')
    plt.close(figure)


MADE_FROM = 'made from'  # a text in PNGs


def mask_png(mask, colours, made_from):
    """A mask as VOC stores it: a PNG whose values are the classes, with `colours` as its palette.

    Parameters
    ----------
    mask : ndarray of int, (rows, cols)
    colours : ndarray of uint8, (256, 3)
    made_from : str
        A digest of what the mask depends on, which :func:`made_from_of` reads.

    Returns
    -------
    bytes
    """
    image, stream, note = Image.fromarray(mask.astype('uint8'), 'P'), io.BytesIO(), PngInfo()
    image.putpalette(colours.tobytes())
    note.add_text(MADE_FROM, made_from)
    image.save(stream, 'PNG', pnginfo=note)
    return stream.getvalue()


def made_from_of(path):
    """The digest in a mask that was made by :func:`mask_png`; None if a file is none."""
    try:
        with Image.open(path, formats=['PNG']) as image:
            return image.text.get(MADE_FROM)
    except (OSError, SyntaxError, ValueError):
        return None


def image_png(image):
    """An image, (rows, cols, 3) of uint8, as the bytes of a PNG."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, 'PNG')
    return stream.getvalue()


def overlay(image, mask, colours):
    """An image with its mask over it, coloured and outlined; uint8."""
    shown = (mask > 0) & (mask != UNKNOWN)
    # In grey, because the colours of an object would change those of the classes.
    grey = image[shown].mean(axis=-1, keepdims=True)
    mixed = image.copy()
    mixed[shown] = .45 * grey + .55 * colours[mask[shown]]
    # An outline of one pixel would be invisible on a photograph of thousands of pixels.
    mixed[maximum_filter(find_boundaries(mask, mode='inner'), max(1, max(mask.shape) // 500))] = 255
    return mixed


def heat(image, scores):
    """Scores of one class, (rows, cols) in 0 .. 1, over the grey image."""
    grey = image.mean(axis=-1, keepdims=True) / 255
    colours = matplotlib.colormaps['inferno'](scores)[..., :3]
    return (255 * (.35 * grey + .65 * colours)).clip(0, 255).astype('uint8')


def draw_curves(log, path):
    """Loss by epoch and, in a second panel, precision on val if the log has it."""
    epochs = [row['epoch'] for row in log]
    names = [name for name in log[0] if name != 'epoch']
    kinds = [('loss in training', None, [name for name in names if not name.startswith('val')]),
             ('average precision on val', 1.02, [name for name in names if name.startswith('val')])]
    kinds = [kind for kind in kinds if kind[-1]]
    figure, line = plt.subplots(1, len(kinds), figsize=(4.5 * len(kinds), 3.2), squeeze=False)
    for axes, (label, highest, shown) in zip(line[0], kinds):
        for name in shown:
            axes.plot(epochs, [row[name] for row in log], marker='.', label=name.replace('_', ' '))
        axes.set(xlabel='epoch', ylabel=label, ylim=(0, highest))
        axes.legend(frameon=False)
        axes.grid(alpha=.3)
    save_figure(figure, path)


def titled_png(image, classes, class_names):
    """A picture with the names of its classes, in their colours, in a corner, as the bytes of a PNG."""
    rows, cols = image.shape[:2]
    # .01 more, because matplotlib would round 113 / 100 * 100 pixels down to 112.
    figure = plt.figure(figsize=((cols + .01) / 100, (rows + .01) / 100))
    figure.figimage(image)  # imshow would resample
    figure.legend(*_keys(classes, class_names, colours_of(class_names)), framealpha=.8, loc='upper left',
                  fontsize=8 * max(1, max(rows, cols) / 500))
    stream = io.BytesIO()
    figure.savefig(stream, dpi=100, format='png')
    plt.close(figure)
    return stream.getvalue()


def write_key(class_names, folder):
    """Explain the numbers in masks: ``classes.png`` for people, ``classes.csv`` for programs.

    The second has the columns number, name and colour (``#rrggbb``), background first.
    """
    numbered = ['{} {}'.format(c + 1, name) for c, name in enumerate(class_names)]
    figure = plt.figure(figsize=(1, 1))
    figure.legend(*_keys(range(len(class_names)), numbered, colours_of(class_names)), loc='center', frameon=False)
    save_figure(figure, os.path.join(folder, 'classes.png'))
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator='\n')
    writer.writerow(['number', 'name', 'colour'])
    for number, (name, colour) in enumerate(zip(['background'] + list(class_names), colours_of(class_names))):
        writer.writerow([number, name, hexadecimal(colour)])
    write_text(os.path.join(folder, 'classes.csv'), rows.getvalue())


def _keys(classes, names, colours):
    # matplotlib reads text between two $ as a formula, and omits names that start with _.
    shown = [re.sub('^_', ' _', names[c].replace('$', r'\$')) for c in classes]
    return [Patch(color=colours[c + 1] / 255) for c in classes], shown


def draw_bars(results, pictures, path):
    """The mean intersection over union of each method, with the runs as dots.

    Parameters
    ----------
    results : list of dict
        The results of each run, from :func:`spn.results.evaluation.evaluate`.
    pictures : str
        The pictures that the masks are of, in words.
    """
    names = list(results[0])[::-1]
    values = 100 * np.array([[result[name]['mean'] for result in results] for name in names])
    figure, axes = plt.subplots(figsize=(8, .34 * len(names) + .9))
    colours = ['tab:blue' if name.startswith('SP-CAM') else 'tab:green' if name.startswith('segmentation') else
               'lightgrey' if name.startswith('superpixel') else 'tab:grey' for name in names]
    axes.barh(names, values.mean(axis=1), color=colours)
    for y, ious in enumerate(values):
        axes.text(ious.max() + 1, y, '{:.1f}'.format(ious.mean()), va='center', fontsize=8)
        if len(ious) > 1:
            axes.plot(ious, [y] * len(ious), 'k.', markersize=3)
    axes.set(xlabel='mean intersection over union on {}, %'.format(pictures), xlim=(0, 100))
    axes.tick_params(axis='y', labelsize=8)
    axes.spines[['top', 'right']].set_visible(False)
    save_figure(figure, path)


def draw_sheet(rows, names, class_names, path):
    """Examples: image, superpixels, the masks of methods and the true mask.

    Parameters
    ----------
    rows : list of tuple
        Title, image, superpixel map, true mask, and the masks of the methods.
    names : list of str
        The methods.
    """
    titles, colours = ['image', 'superpixels'] + names + ['truth'], colours_of(class_names)
    figure, axes = plt.subplots(len(rows), len(titles), figsize=(1.9 * len(titles), 1.75 * len(rows)), squeeze=False)
    for line, (row_title, image, superpixel_map, truth, masks) in zip(axes, rows):
        shown = [image, mark_boundaries(image, superpixel_map, (1, 1, 0), mode='inner')]
        shown += [overlay(image, mask, colours) for mask in masks + [truth]]
        for cell, picture in zip(line, shown):
            cell.imshow(picture)
            cell.set(xticks=[], yticks=[])
        line[0].set_ylabel(row_title, fontsize=8)
    for cell, title in zip(axes[0], titles):
        cell.set_title('\n'.join(wrap(title, 24)), fontsize=8)
    figure.legend(*_keys(range(len(class_names)), class_names, colours), frameon=False,
                  ncol=min(len(class_names), 10), loc='upper center', bbox_to_anchor=(.5, .1), fontsize=8)
    figure.subplots_adjust(wspace=.04, hspace=.04)
    save_figure(figure, path)
