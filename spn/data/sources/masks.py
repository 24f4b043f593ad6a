"""Mask files as users have them. The numbers of a mask are its classes, but image editors renumber them when they save.

So if a mask has a palette of colours, the colours decide what its numbers mean. A palette of greys, or of a single
colour, decides nothing: such a mask holds numbers, as a grey one does.
"""
import numpy as np
from PIL import Image

from ...errors import SpnError
from ..dataset import UNKNOWN
from ..palette import PALETTE
from .images import opened, scaled

N_CLASSES = 20  # of VOC, without background
CODES = PALETTE.astype('int64').dot([1 << 16, 1 << 8, 1])
#: The classes that the colours of VOC's masks stand for; a colour is 65536 red + 256 green + blue.
VOC = {int(CODES[c]): c for c in list(range(N_CLASSES + 1)) + [UNKNOWN]}
BLACK = 0


def read_classes(path, max_side=None):
    """Read a mask of VOC's classes.

    Parameters
    ----------
    path : str
        A grey PNG of 8 bits or 1, whose values are the classes; or one in VOC's colours, whatever their numbers are.
    max_side : int, optional
        As for the picture it belongs to; the mask is resized by nearest neighbour.

    Returns
    -------
    ndarray of uint8, (rows, cols)
        0 background, 1 .. 20 the classes, 255 void.

    Raises
    ------
    UnreadablePicture
        As from :func:`spn.data.sources.images.read_picture`.
    SpnError
        If it has other colours than VOC's, whose meaning is unknown.
    """
    return read_mask(path, max_side, lambda colours: None)


def read_object(path, max_side=None):
    """Read a mask of one object.

    Parameters
    ----------
    path : str
        A grey PNG of 8 bits or 1, where 0 is background and everything else the object; or one with a palette, where
        black is background too, whatever its number is.
    max_side : int, optional
        As for the picture it belongs to; the mask is resized by nearest neighbour.

    Returns
    -------
    ndarray of bool, (rows, cols)

    Raises
    ------
    UnreadablePicture, SpnError
        As from :func:`read_classes`, except that any palette is accepted.
    """
    def black_is_background(colours):
        if BLACK not in colours.values() or colours.get(0) == BLACK:
            return {}
        return {n: int(colour != BLACK) for n, colour in colours.items()}
    return read_mask(path, max_side, black_is_background) > 0


def read_mask(path, max_side, meaning_of_other_colours):
    with opened(path) as picture:
        if picture.mode not in ('1', 'L', 'P', 'RGB', 'RGBA'):
            raise in_colours(path, picture.mode)
        picture.load()  # NumPy 1.19 swallows errors that are raised when it reads the pixels
        pixels = np.array(scaled(picture, max_side, Image.NEAREST))
        mode, palette = picture.mode, picture.getpalette() if picture.mode == 'P' else None
    if mode in ('RGB', 'RGBA'):
        return classes_of_colours(path, pixels, mode)
    values = pixels.astype('uint8')
    colours = colours_of(values, palette or ())
    if means_numbers(colours, palette):
        return values
    meaning = {n: VOC.get(colour) for n, colour in colours.items()}
    if None in meaning.values() or len(set(meaning.values())) < len(meaning):
        meaning = meaning_of_other_colours(colours)
    if meaning is None:
        raise unknown_colours(path, colours)
    table = np.arange(256).astype('uint8')
    table[list(meaning)] = list(meaning.values())
    return table[values]


def colours_of(values, palette):
    """The colour of each number in a mask, as a dict; numbers beyond the end of the palette are black."""
    codes = np.zeros(256, 'int64')
    palette_codes = np.array(palette, 'int64').reshape(-1, 3).dot([1 << 16, 1 << 8, 1])
    codes[:len(palette_codes)] = palette_codes
    return {int(n): int(codes[n]) for n in np.flatnonzero(np.bincount(values.ravel(), minlength=256))}


def means_numbers(colours, palette):
    """Whether the numbers of a mask are its classes: if they have VOC's colours, or no colours that mean anything."""
    if not any(palette or ()):
        return True
    other = {n: colour for n, colour in colours.items() if colour != CODES[n]}
    # Many programs fill the palette up with black after the colours of the classes; 255 is void nevertheless.
    if set(other) <= {UNKNOWN} and (other.get(UNKNOWN) not in VOC or other[UNKNOWN] == BLACK and not any(palette[:3])):
        return True
    if BLACK in other.values() or not all(is_grey(colour) for colour in colours.values()):
        return False
    # VOC has one grey besides black, that of buses; in a palette of many greys it is an ordinary grey.
    entries = np.reshape(palette, (-1, 3))
    return not set(colours.values()) <= set(VOC) or np.all(np.ptp(entries, axis=1) == 0) and len(np.unique(entries)) > 2


def is_grey(colour):
    return colour % 0x010101 == 0


def classes_of_colours(path, pixels, mode):
    """The classes of an RGB mask, if all its colours are VOC's."""
    if pixels.shape[2] == 4 and np.any(pixels[..., 3] < 255):
        raise in_colours(path, mode)
    codes, places = np.unique(pixels[..., :3].astype('int64').dot([1 << 16, 1 << 8, 1]), return_inverse=True)
    if not set(codes.tolist()) <= set(VOC):
        raise in_colours(path, mode)
    return np.array([VOC[code] for code in codes.tolist()], 'uint8')[places].reshape(pixels.shape[:2])


def in_colours(path, mode):
    return SpnError("{} has the mode {}, but a mask must be a palette or grey PNG of 8 bits, whose values are numbers, "
                    "or have no colours but PASCAL VOC's; save it as one".format(path, mode))


def unknown_colours(path, colours):
    n = next((n for n, colour in colours.items() if colour not in VOC), None)
    if n is None:
        wrong = 'gives several of its numbers one colour'
    else:
        wrong = "shows its number {} in the colour ({}, {}, {}), which is none of PASCAL VOC's".format(
            n, *(colours[n] >> shift & 255 for shift in (16, 8, 0)))
    return SpnError("the palette of {} {}, so nobody can tell what its numbers mean: save it with VOC's colours, or as "
                    'a grey PNG of 8 bits whose values are the classes'.format(path, wrong))
