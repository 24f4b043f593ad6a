"""Masks, as editors and other programs write them: of numbers, and of colours that stand for numbers."""
import io

import imgviz
import numpy as np
from PIL import Image

from spn.data.sources.masks import read_classes, read_object
from spn.errors import UnreadablePicture
from tests.spn.cases import FolderTestCase
from tests.spn.data.sources.pictures import png

VOC = imgviz.label_colormap(256)
GREYS = np.arange(256).repeat(3).reshape(256, 3)
#: Of colours by hand: background, cat, dog, void.
COLOURS = {0: (0, 0, 0), 8: (64, 0, 0), 12: (64, 0, 128), 255: (224, 224, 192)}
MASK = np.array([[0, 0, 255, 8], [0, 255, 8, 8], [12, 12, 255, 0]], 'uint8')
RGB = np.array([[COLOURS[c] for c in row] for row in MASK], 'uint8')


def quantized(rgb):
    """A picture in colours as a palette PNG, as an editor saves it: its colours in any order."""
    stream = io.BytesIO()
    Image.fromarray(rgb).quantize().save(stream, 'PNG')
    return stream.getvalue()


class MasksTest(FolderTestCase):

    def classes(self, content, max_side=None):
        classes = read_classes(self.write('mask.png', content), max_side)
        self.assertEqual(classes.dtype, 'uint8')
        return classes.tolist()

    def object(self, content, max_side=None):
        return read_object(self.write('mask.png', content), max_side).astype(int).tolist()

    def assert_refused(self, words, content):
        path = self.write('mask.png', content)
        self.assert_says((path,) + words, read_classes, path)

    def test_a_mask_holds_numbers_and_keeps_them_when_it_is_scaled(self):
        values = np.random.RandomState(0).choice([0, 3, 255], size=(64, 80)).astype('uint8')
        for content, wanted in [(png(values), values), (png(values, 'P', VOC), values),
                                (png(values == 3), values == 3)]:
            self.assertEqual(self.classes(content), wanted.tolist())
            # The pixel that contains the centre of the larger pixel.
            self.assertEqual(self.classes(content, 20), wanted[2::4, 2::4].tolist())
            self.assertEqual(self.object(content, 20), (wanted[2::4, 2::4] > 0).tolist())

    def test_a_mask_that_an_editor_saved_with_its_colours_under_other_numbers_shows_the_same_classes(self):
        content = quantized(RGB)
        with Image.open(io.BytesIO(content)) as picture:
            self.assertEqual(set(np.unique(picture)), {0, 1, 2, 3})
        self.assertEqual(self.classes(content), MASK.tolist())
        self.assertEqual(self.object(content), (MASK > 0).tolist())
        order = np.array([9, 3, 200, 0])  # the new numbers of the colours
        palette, numbers = np.full((256, 3), 77), np.zeros(256, 'uint8')
        palette[order], numbers[list(COLOURS)] = list(COLOURS.values()), order
        self.assertEqual(self.classes(png(numbers[MASK], 'P', palette)), MASK.tolist())
        large = np.kron(numbers[MASK], np.ones((5, 5), 'uint8'))
        self.assertEqual(self.classes(png(large, 'P', palette), 4), MASK.tolist())

    def test_a_mask_in_no_colours_but_those_of_VOC_shows_its_classes(self):
        opaque = np.dstack([RGB, np.full(MASK.shape, 255, 'uint8')])
        for image in RGB, opaque:
            self.assertEqual(self.classes(png(image)), MASK.tolist())
            self.assertEqual(self.object(png(image)), (MASK > 0).tolist())

    def test_a_mask_in_other_colours_is_refused(self):
        nearly = RGB.copy()
        nearly[0, 0, 1] = 1
        self.assert_refused(('has the mode RGB', 'save it as one'), png(nearly))
        self.assert_refused(('has the mode RGBA', 'save it as one'), png(np.dstack([RGB, MASK])))
        self.assert_refused(('has the mode LA', 'save it as one'), png(np.dstack([MASK, MASK]), 'LA'))

    def test_the_palette_of_another_program_is_refused_whatever_its_numbers(self):
        colours = np.random.RandomState(0).randint(256, size=(256, 3))
        colours[0] = 0
        self.assert_refused(('number 8', str(tuple(colours[8].tolist())), "none of PASCAL VOC's", 'as a grey PNG'),
                            png(MASK, 'P', colours))
        # One foreign colour among VOC's is enough, and so are colours of VOC's palette beyond its classes.
        palette = VOC.copy()
        palette[12] = 12, 200, 12
        self.assert_refused(('number 12', '(12, 200, 12)'), png(MASK, 'P', palette))
        palette[12] = VOC[30]
        self.assert_refused(('number 12',), png(MASK, 'P', palette))

    def test_colours_that_two_numbers_share_are_refused(self):
        palette = VOC.copy()
        palette[12] = 0
        self.assert_refused(('gives several of its numbers one colour', 'as a grey PNG'), png(MASK, 'P', palette))

    def test_greys_and_no_palette_mean_numbers(self):
        for palette in GREYS, GREYS * 12 % 256, np.zeros((256, 3)):
            self.assertEqual(self.classes(png(MASK, 'P', palette.astype(int))), MASK.tolist())
            self.assertEqual(self.object(png(MASK, 'P', palette.astype(int))), (MASK > 0).tolist())
        # All of it background, or all of it of one class.
        for number, palette in [(0, GREYS), (0, VOC), (8, GREYS), (8, VOC), (8, np.zeros((256, 3), int))]:
            self.assertEqual(self.classes(png(np.full((2, 3), number, 'uint8'), 'P', palette)), [[number] * 3] * 2)

    def test_the_grey_of_buses_is_a_grey_among_greys_and_a_bus_among_colours(self):
        numbers = np.array([[0, 1]], 'uint8')
        self.assertEqual(self.classes(png(numbers, 'P', [0, 0, 0, 128, 128, 128, 255, 255, 255])), [[0, 1]])
        self.assertEqual(self.classes(png(numbers, 'P', [0, 0, 0, 128, 128, 128] + [0] * 762)), [[0, 7]])
        self.assertEqual(self.classes(quantized(VOC[np.array([[7, 7, 0]])])), [[7, 7, 0]])

    def test_greys_whose_black_is_not_0_are_refused_for_classes(self):
        self.assert_refused(('number 0', '(255, 255, 255)'),
                            quantized(np.where(MASK > 0, 255, 0)[..., np.newaxis].repeat(
            3, axis=2).astype('uint8')))

    def test_void_is_255_where_the_palette_ends_with_the_classes(self):
        for filling in (0, 0, 0), (255, 255, 255):
            palette = VOC.copy()
            palette[21:] = filling
            self.assertEqual(self.classes(png(MASK, 'P', palette)), MASK.tolist())

    def test_background_moved_to_another_number_alone_is_background(self):
        palette = VOC[[15, 1, 2, 0, 4]]
        self.assertEqual(self.classes(png(np.full((1, 2), 3, 'uint8'), 'P', palette)), [[0, 0]])
        self.assertEqual(self.object(png(np.array([[3, 0, 3]], 'uint8'), 'P', palette)), [[0, 1, 0]])

    def test_in_the_palette_of_an_object_black_is_background(self):
        palette = [[200, 9, 9], [9, 200, 9], [9, 9, 200], [0, 0, 0]]
        self.assertEqual(self.object(png(np.array([[3, 0, 1, 3]], 'uint8'), 'P', palette)), [[0, 1, 1, 0]])
        self.assertEqual(self.object(quantized(np.where(MASK > 0, 255, 0)[..., np.newaxis].repeat(3, axis=2).astype(
            'uint8'))), (MASK > 0).tolist())
        # 0 is background too, as always, if no colour is black or if 0 is.
        self.assertEqual(self.object(png(np.array([[0, 1, 2]], 'uint8'), 'P', palette)), [[0, 1, 1]])
        palette[0] = [0, 0, 0]
        self.assertEqual(self.object(png(np.array([[0, 1, 3]], 'uint8'), 'P', palette)), [[0, 1, 1]])

    def test_a_broken_mask_is_unreadable(self):
        path = self.write('mask.png', png(np.random.RandomState(0).randint(9, size=(64, 80)).astype('uint8'))[:900])
        for read in read_classes, read_object:
            with self.assertRaisesRegex(UnreadablePicture, '^' + path):
                read(path)
