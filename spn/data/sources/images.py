"""Picture files as users have them: of any mode, rotated by their EXIF orientation, broken, or not pictures at all."""
import contextlib
import warnings

import numpy as np
from PIL import Image, ImageOps

from ...errors import SpnError, UnreadablePicture
from ...files import progress

#: Pillow goes by the content of a file, not by its ending: it would run Ghostscript on PostScript named x.jpg.
FORMATS = ('BMP', 'GIF', 'JPEG', 'JPEG2000', 'PNG', 'PPM', 'TGA', 'TIFF', 'WEBP')
ORIENTATION = 0x0112        # the EXIF tag
TRANSPOSED = (5, 6, 7, 8)   # orientations that exchange rows and columns


@contextlib.contextmanager
def opened(path):
    """Yield a picture, opened; any error, now or in the block, becomes an `UnreadablePicture` that names the file."""
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
    """Read a picture upright and in RGB.

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
        If it is cut short, broken, not a picture, or so large that it may be an attack on the memory.
    """
    with opened(path) as picture:
        if picture.mode[0] in 'IF':
            raise UnreadablePicture('{} has the mode {}, wanted are 8 bits for each channel'.format(path, picture.mode))
        upright = ImageOps.exif_transpose(picture).convert('RGB')
        return np.array(scaled(upright, max_side, Image.LANCZOS))


def shapes_of(paths, max_side=None):
    """The sizes that pictures will have, from their headers.

    Returns
    -------
    dict of str to (int, int)
        Rows and columns; without an entry for files that are not pictures.
    """
    shapes = {}
    for path in progress(paths, title='sizes', unit='pictures'):
        try:
            with opened(path) as picture:
                cols, rows = scaled_size(picture.size, max_side)
                shapes[path] = (cols, rows) if picture.getexif().get(ORIENTATION) in TRANSPOSED else (rows, cols)
        except UnreadablePicture:
            pass  # reported when it is read
    return shapes


def largest(shapes):
    """The rows and columns that all shapes fit into."""
    return tuple(int(side) for side in np.max(list(shapes) or [(1, 1)], axis=0))


def scaled(picture, max_side, resample):
    size = scaled_size(picture.size, max_side)
    return picture if size == picture.size else picture.resize(size, resample)


def scaled_size(size, max_side):
    if max_side is None or max(size) <= max_side:
        return size
    return tuple(max(1, int(round(side * max_side / max(size)))) for side in size)
