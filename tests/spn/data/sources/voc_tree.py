"""A tree that is shaped like PASCAL VOC 2012 with SBD's annotations, made of composites: for tests and measurements.

    python -m tests.spn.data.sources.voc_tree VOC2012 240

Pictures have VOC's own sizes, upright and across; masks have void borders; some objects are "difficult", which is void
in masks; a quarter of the additional pictures have no mask, the others one without void in SegmentationClassAug.
"""
import os
import sys

import imgviz
import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter

from spn.data.sources import composites
from spn.data.sources.voc import CLASS_NAMES
from tests.spn.data.sources.pictures import jpeg, png

#: The classes of VOC that objects of composites stand for, dealt out in turns, so that each has some. They need not
#: look alike: what matters is that there are twenty.
STAND_FOR = {'bird': ['bird', 'person'], 'hoofed animal': ['cow', 'horse', 'sheep'], 'furry animal': ['cat', 'dog'],
             'sea animal': ['boat'], 'fruit': ['bottle', 'diningtable'], 'vegetable': ['sofa'],
             'flower': ['pottedplant'], 'tool': ['chair', 'tvmonitor'],
             'vehicle': ['aeroplane', 'bicycle', 'bus', 'car', 'motorbike', 'train']}
SIZES = [(375, 500), (500, 375), (333, 500), (500, 333), (375, 500), (334, 500)]  # rows and columns
SHARES = {'val': .12, 'train': .12}  # of all pictures, as in VOC; the others are in trainaug.txt alone
UNKNOWN = 255


def write_tree(folder, n, shares=SHARES, seed=0):
    """Write a tree of `n` pictures; returns their names by list."""
    objects, backgrounds = composites.find_materials()
    materials = composites.hold_out(as_voc(objects), backgrounds, seed)
    lists = {'train': [], 'val': [], 'aug': []}
    for i in range(n):
        part = 'val' if i < round(shares['val'] * n) else 'train' if i < round(
            (shares['val'] + shares['train']) * n) else 'aug'
        name = '2008_{:06d}'.format(i + 1)
        # Counted anew, so that already the first twenty to train on show all classes.
        k = i if part == 'val' else i - len(lists['val'])
        write_picture(folder, name, materials, part, k, np.random.RandomState([seed, i]))
        lists[part].append(name)
    for name, names in [('Segmentation/train', lists['train']), ('Segmentation/val', lists['val']),
                        ('Segmentation/trainaug', lists['aug'] + lists['train']),
                        ('Main/trainval', sorted(sum(lists.values(), [])))]:
        write(os.path.join(folder, 'ImageSets', name + '.txt'), ''.join(each + '\n' for each in names).encode())
    return lists


def as_voc(objects):
    """The paths of objects of each class of VOC, from those of each class of composites."""
    paths = {name: own_paths[STAND_FOR[own].index(name)::len(STAND_FOR[own])]
             for own, own_paths in zip(composites.class_names(), objects) for name in STAND_FOR[own]}
    return [paths[name] for name in CLASS_NAMES]


def write_picture(folder, name, materials, part, k, rng):
    """Write picture number `k` of those to train on or of val, with its annotation and mask."""
    rows, cols = SIZES[rng.randint(len(SIZES))]
    record = composites.composite(materials, 'test' if part == 'val' else 'train', 1, k, (500, 500))
    # The corner that shows more of the objects.
    corner = max([np.s_[:rows, :cols], np.s_[500 - rows:, 500 - cols:]], key=lambda part: (record.mask[part] > 0).sum())
    image, mask = record.image[corner], record.mask[corner].copy()
    shown = [c for c in np.unique(mask) if c]
    difficult = [c for c in shown if c != k % len(CLASS_NAMES) + 1 and rng.rand() < .15]
    objects = ''.join(
        '<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>'
        '<ymax>{}</ymax></bndbox></object>'.format(CLASS_NAMES[c - 1], int(c in difficult), *box_of(mask == c))
        for c in shown)
    write(os.path.join(folder, 'Annotations', name + '.xml'),
          '<annotation><folder>VOC2012</folder><filename>{}.jpg</filename>{}</annotation>'.format(
              name, objects).encode())
    write(os.path.join(folder, 'JPEGImages', name + '.jpg'), jpeg(image))
    if part == 'aug':
        if rng.rand() < .75:
            write(os.path.join(folder, 'SegmentationClassAug', name + '.png'), png(mask))
    else:
        mask[np.isin(mask, difficult)] = UNKNOWN
        mask[maximum_filter(mask, 5) != minimum_filter(mask, 5)] = UNKNOWN
        write(os.path.join(folder, 'SegmentationClass', name + '.png'), png(mask, 'P', imgviz.label_colormap(256)))


def box_of(shown):
    """The box of an object in VOC's numbers, which begin with 1: left, top, right, bottom."""
    rows, cols = np.nonzero(shown)
    return cols.min() + 1, rows.min() + 1, cols.max() + 1, rows.max() + 1


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as stream:
        stream.write(content)


if __name__ == '__main__':
    print({name: len(names) for name, names in write_tree(sys.argv[1], int(sys.argv[2])).items()})
