"""Picture files as users have them: of any mode, rotated, too large, broken."""
import io
from unittest import mock

import numpy as np
from PIL import Image
from skimage import data

from spn.data.sources import images
from spn.errors import UnreadablePicture
from tests.spn.cases import FolderTestCase
from tests.spn.data.sources.pictures import PALETTE, decoded, jpeg, png


class ImagesTest(FolderTestCase):

    def test_postscript_is_never_run_whatever_its_name_is(self):
        path = self.path('photograph.jpg')
        Image.fromarray(np.zeros((8, 8, 3), 'uint8')).save(path, 'EPS')
        with mock.patch('PIL.EpsImagePlugin.Ghostscript', side_effect=AssertionError('it was run')):
            with self.assertRaisesRegex(AssertionError, 'it was run'):
                Image.open(path).load()
            self.assert_says([path, 'cannot be read as a picture', 'cannot identify'], images.read_picture, path)
        self.assertEqual(images.shapes_of([path]), {})

    def setUp(self):
        super().setUp()
        self.photograph = data.astronaut()[40:104, 180:260]

    def read(self, content, max_side=None):
        path = self.write('picture', content)
        picture = images.read_picture(path, max_side)
        self.assertEqual(images.shapes_of([path], max_side), {path: picture.shape[:2]})
        self.assertEqual((picture.dtype, picture.ndim), ('uint8', 3))
        return picture

    def test_a_photograph_is_read_as_it_is(self):
        np.testing.assert_array_equal(self.read(png(self.photograph)), self.photograph)
        picture = self.read(jpeg(self.photograph))
        self.assertLess(np.abs(picture - self.photograph.astype(float)).mean(), 4)

    def test_pictures_of_any_mode_become_RGB(self):
        grey = self.photograph[..., 1]
        as_rgb = np.dstack([grey] * 3)
        self.assertLess(np.abs(self.read(jpeg(grey)) - as_rgb.astype(float)).mean(), 4)
        np.testing.assert_array_equal(self.read(png(grey)), as_rgb)
        np.testing.assert_array_equal(self.read(png(np.dstack([grey, grey]), 'LA')), as_rgb)
        np.testing.assert_array_equal(self.read(png(grey, 'P')), PALETTE[grey])
        transparent = np.dstack([self.photograph, grey])
        np.testing.assert_array_equal(self.read(png(transparent)), self.photograph)
        np.testing.assert_array_equal(self.read(png(grey > 99)), 255 * (as_rgb > 99))
        stream = io.BytesIO()
        Image.fromarray(self.photograph).convert('CMYK').save(stream, 'JPEG', quality=95)
        self.assertLess(np.abs(self.read(stream.getvalue()) - self.photograph.astype(float)).mean(), 4)

    def test_pictures_that_a_camera_turned_are_upright(self):
        # The transposition that makes a picture of each EXIF orientation upright.
        upright = {1: lambda x: x, 2: np.fliplr, 3: lambda x: np.rot90(x, 2), 4: np.flipud,
                   5: lambda x: x.swapaxes(0, 1),
                   6: lambda x: np.rot90(x, -1), 7: lambda x: np.rot90(x, 2).swapaxes(0, 1), 8: np.rot90}
        for orientation, turn in upright.items():
            exif = Image.Exif()
            exif[0x0112] = orientation
            np.testing.assert_array_equal(self.read(png(self.photograph, exif=exif)), turn(self.photograph))
            content = jpeg(self.photograph, exif=exif)
            np.testing.assert_array_equal(self.read(content), turn(decoded(content)))

    def test_a_longer_side_is_scaled_down_and_never_up(self):
        picture = self.read(png(self.photograph), 40)
        self.assertEqual(picture.shape, (32, 40, 3))
        means = self.photograph.reshape(32, 2, 40, 2, 3).mean(axis=(1, 3))
        self.assertLess(np.abs(picture - means).mean(), 5)
        np.testing.assert_array_equal(self.read(png(self.photograph), 80), self.photograph)
        self.assertEqual(self.read(png(self.photograph[:1]), 20).shape, (1, 20, 3))
        self.assertEqual(self.read(png(self.photograph.swapaxes(0, 1)), 33).shape, (33, 26, 3))

    def test_files_that_are_not_pictures_are_unreadable_and_named(self):
        whole = jpeg(data.chelsea())
        noise = png(np.random.RandomState(0).randint(256, size=(64, 80, 3)).astype('uint8'))
        bomb = b'P6 10000 10000 255 '
        for content in (b'', b'a letter', whole[:len(whole) // 2], whole[:200], noise[:5000], noise[:60], bomb,
                        noise[:3000] + b'0' * 20 + noise[3020:], b'P6 9 \xbd 255 ',
                        png(np.arange(60, dtype='uint16').reshape(6, 10) * 999)):
            path = self.write('broken', content)
            with self.assertRaisesRegex(UnreadablePicture, '^' + path):
                images.read_picture(path)
        with self.assertRaisesRegex(UnreadablePicture, self.path('missing')):
            images.read_picture(self.path('missing'))
        # Sizes come from headers: files without one, or with a monstrous one, have no size.
        for content in b'', b'a letter', bomb:
            self.assertEqual(images.shapes_of([self.write('broken', content)]), {})
