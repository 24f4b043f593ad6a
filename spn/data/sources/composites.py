"""Composites: photographed objects on photographed backgrounds, with exact masks, from Debian packages.

The objects are the stamps of Tux Paint, photographs cut out by hand: the folder gives the class, the alpha channel the
mask. One to three objects of different classes are pasted on a background. Objects and backgrounds are held out: no
training picture contains an object or a background of a validation or test picture. Scores on composites are not
comparable with scores on VOC.
"""
import functools
import glob
import io
import os
from collections import namedtuple

import numpy as np
from PIL import Image

from ...errors import SpnError
from ..dataset import Record, write_dataset
from .packages import DebianPackage

# Debian 12. Public domain to GPL-2 (stamps, Tux Paint's backgrounds), CC-BY-SA and CC0 (wallpapers).
STAMPS = DebianPackage('tuxpaint-stamps-default', '2022.06.04-1',
                       '6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34',
                       'photographs of objects, cut out', 161)
STAMPS_FOLDER = 'usr/share/tuxpaint/stamps'
BACKGROUNDS = [
    (DebianPackage('tuxpaint-data', '1:0.9.28-sdl2-1',
                   'f5d0de8f9a70d2efc1241d19f26168cb8bf279f1b77abd3631e7a1a55c40e5e5',
                   'photographs of backgrounds', 8), 'usr/share/tuxpaint/templates', [
        'burnt_bark.jpg', 'cliff.jpg', 'corn_maze.jpg', 'lighthouse.jpg', 'mossy_bark.jpg', 'mossy_log.jpg',
        'mudstone.jpg', 'ocean_splash.jpg', 'ocean_waves.jpg', 'redwoods_above.jpg', 'rocks.jpg', 'spiders_web.jpg',
        'sun_behind_clouds.jpg', 'sun_behind_leaves.jpg', 'trees_above.jpg', 'trees_at_dusk.jpg',
        'wool_mill_machine.jpg']),
    (DebianPackage('mate-backgrounds', '1.26.0-1',
                   '7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04',
                   'photographs of backgrounds', 47), 'usr/share/backgrounds/mate/nature', [
        'Aqua.jpg', 'Blinds.jpg', 'Dune.jpg', 'GreenMeadow.jpg', 'RainDrops.jpg', 'Storm.jpg', 'Wood.jpg']),
    (DebianPackage('lomiri-wallpapers-16.04', '20.04.0-2',
                   'a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab',
                   'photographs of backgrounds', 16), 'usr/share/backgrounds', [
        'Bridge_by_Sander_Klootwijk.jpg', 'aitzgorri_by_Aitzol_Berasategi.jpg', 'life_by_Aitzol_Berasategi.jpg',
        'picosdeeuropa_by_Aitzol_Berasategi.jpg', 'seeding_by_Clements_Engelhardt.jpg',
        'sunset_by_Aitzol_Berasategi.jpg']),
    (DebianPackage('lxqt-themes', '1.2.0-1',
                   'd518df36b515b09d36cb00b12645dd8ce170bb82bb0966297741905ce3edc8e1',
                   'photographs of backgrounds', 26), 'usr/share/lxqt/wallpapers', [
        'Valendas.png', 'after-the-rain.jpg', 'beam.png', 'cloud.png', 'drop.png', 'fog.jpg',
        'this-is-not-windows.jpg']),
]

# By folder or by name. Left out: insects, trees, clothes, instruments and balls, of which there are fewer than fifteen
# photographs, and signs, of which there is none.
CLASSES = {
    'bird': ['animals/birds/*.png'],
    'hoofed animal': ['animals/mammals/{}/*.png'.format(folder)
                      for folder in ('bovines', 'camel', 'deer', 'equines')] + [
        'animals/mammals/{}.png'.format(name) for name in (
            'giraffe', 'hippopotamus', 'pig', 'pig_golden', 'pig_golden2', 'rhino_black', 'wildboar')],
    'furry animal': ['animals/mammals/{}/*.png'.format(folder)
                     for folder in ('apes', 'bears', 'cats', 'dogs', 'rodents')] + [
        'animals/mammals/{}.png'.format(name) for name in ('badger', 'ferret', 'rabbit_little', 'aquatic/otter')] + [
        'animals/marsupials/*.png'],
    'sea animal': ['animals/fish/*.png', 'animals/shellfish/*.png'] + [
        'animals/mammals/aquatic/{}.png'.format(name) for name in ('dolphin', 'orca', 'sea_lion', 'whale')],
    'fruit': ['food/fruit/*.png', 'food/nuts/*.png'],
    'vegetable': ['food/vegetables/*.png', 'food/spices/ginger.png'],
    'flower': ['plants/flowers/*.png'],
    'tool': ['household/tools/*.png', 'household/arttools/*.png', 'household/dishes/utensils/nutcracker.png',
             'clothes/clothespin_*.png'],
    'vehicle': ['vehicles/{}*.png'.format(folder) for folder in (
        'garbagetruck', 'auto/', 'construction/', 'cycle/', 'emergency/', 'flight/', 'flight/planes/', 'masstransit/',
        'race/', 'ship/')] + ['military/vehicles/*.png'],
}
# Drawings, objects that are hardly visible, and one that is not a tool.
LEFT_OUT = ('bee.png', 'shrimp.png', 'sedan_police.png', 'appooppanthady.png', 'cementmixer.png')

# As shares of the objects of each class, and of the backgrounds.
HELD_OUT = {'test': .25, 'val': .15}
SIDES = (224, 320)          # rows and cols of a picture, in pixels
OBJECT_SIZE = (.3, .65)     # an object's longer side, as a share of the picture's shorter side
LARGEST_ENLARGEMENT = 2.5   # some stamps are only 50 pixels wide
TURN = 15                   # degrees, at most
LEAST_VISIBLE = .6          # share of an object's pixels that are in the picture and not behind another object

Materials = namedtuple('Materials', 'objects backgrounds')
Materials.__doc__ = """The objects and backgrounds that pictures are made of, by split.

objects : dict of str to list of list of str
    For each split and class, the paths of its objects.
backgrounds : dict of str to list of str
"""


def class_names():
    return list(CLASSES)


def make_dataset(path, n_pictures, seed):
    """Write a data set of composites.

    Parameters
    ----------
    path : str
        The HDF5 file.
    n_pictures : dict of str to int
        The number of pictures of each split.
    seed : int
        Chooses the objects that are held out, and everything else that is random.

    Returns
    -------
    skipped : list of str
        A sentence for each picture that was left out.
    """
    materials = hold_out(*find_materials(), seed=seed)
    records = [functools.partial(composite, materials, split, seed, i)
               for split in ('train', 'val', 'test') for i in range(n_pictures.get(split, 0))]
    return write_dataset(path, class_names(), records, len(records), (SIDES[1], SIDES[1]), made_by(n_pictures, seed))


def made_by(n_pictures, seed):
    """What the data set records of how it was made."""
    return {'source': 'composites', 'seed': seed, 'n_pictures': n_pictures, 'packages':
            [str(package) for package in [STAMPS] + [package for package, _, _ in BACKGROUNDS]]}


def find_materials():
    """Fetch the packages.

    Returns
    -------
    objects : list of list of str
        The paths of the objects of each class.
    backgrounds : list of str
    """
    stamps = os.path.join(STAMPS.fetch(), STAMPS_FOLDER)
    objects = []
    for name, patterns in CLASSES.items():
        paths = sorted({path for pattern in patterns for path in glob.glob(os.path.join(glob.escape(stamps), pattern))
                        if os.path.basename(path) not in LEFT_OUT and not path.endswith('_mirror.png')})
        if len(paths) < 15:
            raise SpnError('the package {} has only {} objects of the class {!r}: its folder {} is not as it was '
                           'unpacked, remove it'.format(STAMPS, len(paths), name, STAMPS.folder()))
        objects.append(paths)
    backgrounds = [os.path.join(package.fetch(), folder, name) for package, folder, names in BACKGROUNDS
                   for name in names]
    for path in backgrounds:
        if not os.path.exists(path):
            raise SpnError('{} is missing: remove the folder of its package, and it is downloaded again'.format(path))
    return objects, backgrounds


def hold_out(objects, backgrounds, seed):
    """Distribute objects and backgrounds over the splits, which share none."""
    rng = np.random.RandomState(seed)
    dealt = [deal(paths, rng) for paths in objects]
    return Materials({split: [class_paths[split] for class_paths in dealt] for split in ('train', 'val', 'test')},
                     deal(backgrounds, rng))


def deal(paths, rng):
    shuffled = [paths[i] for i in rng.permutation(len(paths))]
    dealt = {}
    for split, share in HELD_OUT.items():
        n = max(1, int(round(share * len(paths))))
        dealt[split], shuffled = shuffled[:n], shuffled[n:]
    dealt['train'] = shuffled
    return dealt


def composite(materials, split, seed, i, sides=SIDES):
    """Make the picture `i` of a split.

    Parameters
    ----------
    materials : Materials
    split : str
    seed, i : int
    sides : (int, int)
        The least and the most rows and columns.

    Returns
    -------
    Record
    """
    rng = np.random.RandomState([seed, ('train', 'val', 'test').index(split), i])
    shape = rng.randint(sides[0], sides[1] + 1, size=2)
    picture = crop_of_background(choose(materials.backgrounds[split], rng), shape, rng)
    n_classes = len(materials.objects[split])
    # Each class comes first in equally many pictures, so that no class is rare.
    first = i % n_classes
    others = [c for c in rng.permutation(n_classes) if c != first]
    classes = np.array([first] + others[:rng.randint(3)])
    mask = np.zeros(shape, 'uint8')
    areas = {}
    for c in classes:
        cut_out = turned_object(choose(materials.objects[split][c], rng), shape, rng)
        areas[c] = paste(cut_out, c, areas, picture, mask, rng)
    shown = [c for c in classes if areas[c]]
    labels = np.zeros(n_classes, 'uint8')
    labels[shown] = 1
    return Record('{}-{:04d}'.format(split, i), as_photographed(picture), labels, mask, split)


def choose(paths, rng):
    return paths[rng.randint(len(paths))]


@functools.lru_cache(maxsize=64)
def background(path):
    """A background, scaled to 640 pixels along its shorter side."""
    with Image.open(path) as opened:
        image = opened.convert('RGB')
    factor = 640 / min(image.size)
    return image.resize([max(640, int(round(side * factor))) for side in image.size], Image.LANCZOS)


def crop_of_background(path, shape, rng):
    """A random crop of a background, resized to `shape`: (rows, cols, 3) of float32."""
    image = background(path)
    factor = rng.uniform(.5, 1) * min(image.width / shape[1], image.height / shape[0])
    width, height = int(shape[1] * factor), int(shape[0] * factor)
    left, top = rng.randint(image.width - width + 1), rng.randint(image.height - height + 1)
    crop = image.crop((left, top, left + width, top + height)).resize((shape[1], shape[0]), Image.LANCZOS)
    if rng.randint(2):
        crop = crop.transpose(Image.FLIP_LEFT_RIGHT)
    return np.array(crop, 'float32') * rng.uniform(.8, 1.1)


@functools.lru_cache(maxsize=512)
def stamp(path):
    """An object in its bounding box, with premultiplied alpha, so that resizing mixes in no colour from outside."""
    with Image.open(path) as opened:
        image = opened.convert('RGBA')
    return image.crop(image.getchannel('A').point(lambda alpha: 255 * (alpha > 127)).getbbox()).convert('RGBa')


def turned_object(path, shape, rng):
    """An object as it will be pasted: (rows, cols, 4) of float32, premultiplied colours, and alpha in 0..1."""
    image = stamp(path)
    factor = min(rng.uniform(*OBJECT_SIZE) * min(shape) / max(image.size), LARGEST_ENLARGEMENT)
    image = image.resize([max(1, int(round(side * factor))) for side in image.size], Image.LANCZOS)
    if rng.randint(2):
        image = image.transpose(Image.FLIP_LEFT_RIGHT)
    # Channel by channel, because Pillow does not rotate premultiplied images as a whole.
    angle = rng.uniform(-TURN, TURN)
    turned = [channel.rotate(angle, Image.BICUBIC, expand=True) for channel in image.split()]
    cut_out = np.stack([np.array(channel, 'float32') for channel in turned], axis=-1)
    cut_out[..., :3] *= rng.uniform(.8, 1.1)
    cut_out[..., 3] /= 255
    return cut_out


def paste(cut_out, c, areas, picture, mask, rng):
    """Paste an object of class `c` where it and the earlier ones remain visible; changes `picture` and `mask`.

    Returns
    -------
    int
        The number of the object's pixels; 0 if there was no place for it.
    """
    rows, cols = cut_out.shape[:2]
    opaque = cut_out[..., 3] > .5
    for _ in range(20):
        # At most an eighth of its height and width lies outside the picture.
        top = rng.randint(-(rows // 8), max(1, mask.shape[0] - rows + rows // 8 + 1))
        left = rng.randint(-(cols // 8), max(1, mask.shape[1] - cols + cols // 8 + 1))
        inside = np.s_[max(0, top):min(mask.shape[0], top + rows), max(0, left):min(mask.shape[1], left + cols)]
        part = np.s_[inside[0].start - top:inside[0].stop - top, inside[1].start - left:inside[1].stop - left]
        after = mask.copy()
        after[inside][opaque[part]] = c + 1
        visible = all((after == other + 1).sum() >= LEAST_VISIBLE * area for other, area in areas.items() if area)
        if visible and (after == c + 1).sum() >= LEAST_VISIBLE * opaque.sum():
            alpha = cut_out[part][..., 3:]
            picture[inside] = picture[inside] * (1 - alpha) + cut_out[part][..., :3]
            mask[:] = after
            return int(opaque.sum())
    return 0


def as_photographed(picture):
    """Round to uint8 and pass through JPEG, so that objects and backgrounds have the same compression artefacts."""
    stream = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype('uint8')).save(stream, 'JPEG', quality=90)
    return np.array(Image.open(stream))
