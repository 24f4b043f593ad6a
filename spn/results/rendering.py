"""HTML pages from the templates in ``templates/``: they open from disk, need no network, and escape what users named.

Images of a page are a photograph and transparent layers over it: the borders of superpixels, and masks.
"""
import io
import os
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
import numpy as np
from PIL import Image

from ..data.dataset import UNKNOWN
from ..data.sources.images import scaled
from ..files import write_text
from .drawing import hexadecimal

BORDERS = (255, 230, 0)  # a colour that few photographs have
QUALITY = 82             # of JPEGs

environment = Environment(loader=FileSystemLoader(os.path.join(os.path.dirname(__file__), 'templates')),
                          autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
environment.policies['json.dumps_kwargs'] = {'separators': (',', ':')}


def write_page(path, template, **values):
    """Write a page.

    Parameters
    ----------
    path : str
    template : str
        The name of a file in ``templates/``.
    values
        What the template asks for. Text is escaped.
    """
    write_text(path, printable(environment.get_template(template).render(**values)))


def printable(text):
    r"""Text that can be written as UTF-8: a byte of a file name that is not, such as E9, becomes ``\udce9``."""
    return text.encode('utf-8', 'backslashreplace').decode('utf-8')


def url_of(path):
    """The address of a file, relative to the page, from its relative path."""
    return quote(path.encode('utf-8', 'surrogateescape'))


def legend(class_names, colours):
    """Names and colours of the classes of masks, for the templates; unknown pixels last."""
    entries = list(zip(class_names, colours[1:])) + [('unknown', colours[UNKNOWN])]
    return [{'name': name, 'colour': hexadecimal(colour)} for name, colour in entries]


def photograph(image, side):
    """A JPEG of an image (rows, cols, 3), its longer side at most `side`; bytes."""
    stream = io.BytesIO()
    scaled(Image.fromarray(image), side, Image.LANCZOS).save(stream, 'JPEG', quality=QUALITY, optimize=True)
    return stream.getvalue()


def borders(superpixel_map, side):
    """The borders of superpixels, in the size of :func:`photograph`: a PNG that is transparent elsewhere; bytes."""
    labels = np.array(scaled(Image.fromarray(superpixel_map.astype('int32')), side, Image.NEAREST))
    at_border = np.zeros(labels.shape, 'uint8')
    at_border[:, 1:] = labels[:, 1:] != labels[:, :-1]
    at_border[1:] |= labels[1:] != labels[:-1]
    return palette_png(at_border, [(0, 0, 0), BORDERS])


def stacked_masks(masks, side, colours):
    """Masks of one image below each other, each in the size of :func:`photograph`, as one PNG; bytes.

    Background is transparent. One file instead of one for each mask: there may be a dozen masks of thousands of images.
    """
    small = [np.array(scaled(Image.fromarray(mask.astype('uint8')), side, Image.NEAREST)) for mask in masks]
    return palette_png(np.concatenate(small), colours)


def palette_png(values, colours):
    """A PNG whose values are indices of `colours`; 0 is transparent; bytes."""
    picture, stream = Image.fromarray(values, 'P'), io.BytesIO()
    picture.putpalette(np.asarray(colours, 'uint8').tobytes())
    picture.save(stream, 'PNG', transparency=0, optimize=True, bits=1 if len(colours) == 2 else 8)
    return stream.getvalue()
