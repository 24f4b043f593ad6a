"""The page of a report: tables, bars, and every picture with its masks. It computes nothing itself."""
import math
import os
import re
import shutil
from collections import namedtuple

from ..data.sources.images import scaled_size
from ..files import digest_of_json, locked, progress, write_bytes
from .drawing import colours_of
from .outputs import stems_of
from .rendering import borders, legend, photograph, printable, stacked_masks, url_of, write_page

SIDE = 320                     # the longer side of the pictures on the page, in pixels
ENDINGS = '.jpg', '.superpixels.png', '.masks.png'
FORMAT = 1                     # of the files of pictures; another one makes them again
GENERATION = re.compile('[0-9a-f]{12}$')

Picture = namedtuple('Picture', 'name shape classes ious')
Picture.__doc__ = """What is known of a picture before its masks are made.

name : str
shape : (int, int)
    Rows and columns.
classes : sequence of int
    The classes that it is labelled with.
ious : sequence of float
    The intersection over union of each method; nan if there is none.
"""

Content = namedtuple('Content', 'image superpixel_map masks truth')
Content.__doc__ = """What is shown of a picture.

image : ndarray of uint8, (rows, cols, 3)
superpixel_map : ndarray of int, (rows, cols)
masks : list of ndarray of uint8, (rows, cols) each
    Of each method.
truth : ndarray of uint8, (rows, cols)
"""

About = namedtuple('About', 'title facts class_names methods chosen header rows bars')
About.__doc__ = """What the page says above its pictures.

title : str
facts : list of (str, str)
    Pairs of a term and its description.
class_names : list of str
methods : list of str
chosen : str
    The method that is shown first.
header : list of str
rows : list of list of str
    The table; the name of a row comes first.
bars : str
    The name of the picture with bars, in the folder of the page.
"""


def write_report_page(folder, about, pictures, content_of, made_from):
    """Write ``index.html``, and the images that it shows to ``pictures/``.

    The page is written last, and only then are the images of an earlier page removed: a run that is stopped leaves the
    earlier page as it was, and the same command goes on where it was.

    Parameters
    ----------
    folder : str
    about : About
    pictures : list of Picture
    content_of : callable
        Gives the :class:`Content` of the picture of a number; called only for pictures that are not on disk yet.
    made_from : dict
        What the images depend on, apart from the names of pictures, methods and classes; JSON.

    Returns
    -------
    str
        The path of the page.

    Raises
    ------
    SpnError
        If two pictures would have the same file, or the disk is full.
    """
    with locked(os.path.join(folder, 'index.html')):
        return write_files(folder, about, pictures, content_of, made_from)


def write_files(folder, about, pictures, content_of, made_from):
    """The work of :func:`write_report_page`, which has locked the page."""
    stems = stems_of([picture.name for picture in pictures])
    # A folder for each content, so that the images of two pages are never mixed.
    generation = os.path.join('pictures', digest_of_json([
        FORMAT, SIDE, made_from, about.methods, about.class_names, stems])[:12])
    colours = colours_of(about.class_names)
    for k, stem in enumerate(progress(stems, title='pictures of the page', unit='pictures')):
        paths = [os.path.join(folder, generation, stem + ending) for ending in ENDINGS]
        if not all(map(os.path.exists, paths)):
            image, superpixel_map, masks, truth = content_of(k)
            for path, content in zip(paths, [photograph(image, SIDE), borders(superpixel_map, SIDE),
                                             stacked_masks(masks + [truth], SIDE, colours)]):
                write_bytes(path, content)
    path = os.path.join(folder, 'index.html')
    write_page(path, 'report.html', about=about, legend=legend(about.class_names, colours), data={
        'methods': about.methods, 'chosen': about.methods.index(about.chosen),
        'classes': list(map(printable, about.class_names)),
        'pictures': [row(picture, url_of(generation + '/' + stem)) for picture, stem in zip(pictures, stems)]})
    remove_earlier(os.path.join(folder, 'pictures'), os.path.basename(generation))
    return path


def row(picture, url):
    """A picture as ``report.js`` reads it."""
    rows, cols = picture.shape
    return [printable(picture.name), url, *scaled_size((int(cols), int(rows)), SIDE), list(map(int, picture.classes)),
            [None if math.isnan(iou) else round(float(iou), 4) for iou in picture.ious]]


def remove_earlier(folder, kept):
    """Remove the images of earlier pages; nothing that a user may have put there."""
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if GENERATION.match(name) and name != kept:
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
