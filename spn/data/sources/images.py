"""Pictures and masks as they lie in folders: of any mode, turned by their cameras, broken, or no pictures at all."""
import contextlib
import warnings

import numpy as np
from PIL import Image, ImageOps

from ...errors import SpnError, UnreadablePicture
from ...files import progress

#: Pillow goes by the content of a file, not its ending: it would start Ghostscript on PostScript named x.jpg.
FORMATS = ('BMP', 'GIF', 'JPEG', 'JPEG2000', 'PNG', 'PPM', 'TGA', 'TIFF', 'WEBP')
ORIENTATION = 0x0112    # EXIF
LYING = (5, 6, 7, 8)    # rows and columns change places


@contextlib.contextmanager
def opened(path):
    """A picture, open; what is wrong with it, there or in the block, becomes an `UnreadablePicture` that names it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            warnings.simplefilter('error', Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                yield picture
    except SpnError:
        raise
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error, ...
        raise UnreadablePicture('{} cannot be read as a picture: {}'.format(path, error)) from error


def read_picture(path, max_side=None):
    """Read a picture as it is meant to be seen.

    Parameters
    ----------
    path : str
        A file of one of `FORMATS`, with up to 8 bits for each channel. Transparency is dropped.
    max_side : int, optional
        A picture with a longer side is scaled down to it.

    Returns
    -------
    ndarray of uint8, (rows, cols, 3)

    Raises
    ------
    UnreadablePicture
        If it is cut short, broken, no picture, or so large that it may be made to exhaust the memory.
    """
    with opened(path) as picture:
        if picture.mode[0] in 'IF':
            raise UnreadablePicture('{} has the mode {}, wanted are 8 bits for each channel'.format(path, picture.mode))
        upright = ImageOps.exif_transpose(picture).convert('RGB')
        return np.array(scaled(upright, max_side, Image.LANCZOS))


def shapes_of(paths, max_side=None):
    """How large pictures will be, from their headers.

    Returns
    -------
    dict of str to (int, int)
        Rows and columns; no entry for a file that is no picture.
    """
    shapes = {}
    for path in progress(paths, title='sizes', unit='pictures'):
        try:
            with opened(path) as picture:
                cols, rows = scaled_size(picture.size, max_side)
                shapes[path] = (cols, rows) if picture.getexif().get(ORIENTATION) in LYING else (rows, cols)
        except UnreadablePicture:
            pass  # named when it is read
    return shapes


def largest(shapes):
    """Rows and columns that all of some shapes fit in."""
    return tuple(int(side) for side in np.max(list(shapes) or [(1, 1)], axis=0))


def scaled(picture, max_side, resample):
    size = scaled_size(picture.size, max_side)
    return picture if size == picture.size else picture.resize(size, resample)


def scaled_size(size, max_side):
    if max_side is None or max(size) <= max_side:
        return size
    return tuple(max(1, int(round(side * max_side / max(size)))) for side in size)
