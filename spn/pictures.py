"""The pictures that the commands draw."""
import matplotlib
matplotlib.use('Agg')
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from skimage.segmentation import find_boundaries  # noqa: E402

from .dataset import UNKNOWN  # noqa: E402
from .files import written_beside  # noqa: E402


def palette():
    """The colours of PASCAL VOC's masks, (256, 3) of uint8: bits of the class, spread over the bits of the colours."""
    classes = np.arange(256)
    colours = np.zeros((256, 3), 'uint8')
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((classes >> (3 * bit + channel) & 1) << (7 - bit)).astype('uint8')
    return colours


PALETTE = palette()


def save_figure(figure, path):
    with written_beside(path) as beside:
        figure.savefig(beside, dpi=100, bbox_inches='tight')
    plt.close(figure)


def save_mask(mask, path):
    """A mask as VOC stores it: a PNG whose values are classes and whose palette shows them."""
    image = Image.fromarray(mask.astype('uint8'), 'P')
    image.putpalette(PALETTE.tobytes())
    with written_beside(path) as beside:
        image.save(beside, 'PNG')


def save_image(image, path):
    with written_beside(path) as beside:
        Image.fromarray(image).save(beside, 'PNG')


def overlay(image, mask):
    """An image with its mask in colours over it, outlined; uint8."""
    shown = (mask > 0) & (mask != UNKNOWN)
    mixed = np.where(shown[..., np.newaxis], .45 * image + .55 * PALETTE[mask], image)
    mixed[find_boundaries(mask, mode='inner')] = 255
    return mixed.astype('uint8')


def heat(image, scores):
    """Scores of one class, (rows, cols) in 0 .. 1, over the grey image."""
    grey = image.mean(axis=-1, keepdims=True) / 255
    colours = matplotlib.colormaps['inferno'](scores)[..., :3]
    return (255 * (.35 * grey + .65 * colours)).clip(0, 255).astype('uint8')


def legend(axes, class_names, **where):
    axes.legend([Patch(color=PALETTE[c + 1] / 255) for c in range(len(class_names))], class_names, frameon=False, **where)


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
    save_figure(figure, path)
