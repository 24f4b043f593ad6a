"""The page of a report: its files, and what it does in a browser."""
import io
import json
import os
import re
from unittest import mock
from urllib.parse import unquote

import numpy as np
from PIL import Image

from spn.errors import SpnError
from spn.results import report_page
from spn.results.drawing import COLOURS
from spn.results.rendering import BORDERS, borders, photograph, printable, stacked_masks, url_of
from spn.results.report_page import About, Content, Picture, write_report_page
from tests.spn.browser import Browser, PageTestCase
from tests.spn.cases import FolderTestCase, photographs

METHODS = ['plain', 'two; "quoted", </script>']
CLASSES = ['cat', 'dog & <b>', 'owl']
ODD_NAMES = ['a "b" \'c\'.png', '</script><img src=x onerror=alert(1)>', '# 100%25 & ?.jpg', 'f\udce9/\u00e9.jpg']


def about(**changed):
    return About('Masks of run', [('Data', 'a.h5 <i>')], CLASSES, METHODS, METHODS[0], ['masks from', 'mean IoU'],
                 [['plain', '9.5 \u00b1 1.0'], ['none', '-'], ['two', '81.0'], ['three', '20.0']],
                 'bars.png')._replace(**changed)


def content(k):
    image = photographs()[k % 3]
    masks = [np.zeros(image.shape[:2], 'uint8') for _ in range(3)]
    masks[0][:10], masks[1][:, :10], masks[2][20:30, 20:30] = 1, 2, 255
    return Content(image, np.arange(image.shape[1]) // 20 + np.zeros((image.shape[0], 1), int), masks[:2], masks[2])


def picture(k, name=None, classes=(0,), ious=(.5, .5)):
    return Picture(name or 'picture-{}.jpg'.format(k), photographs()[k % 3].shape[:2], classes, ious)


def opened(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.array(image), np.array(image.convert('RGBA'))


class ImagesTest(FolderTestCase):

    def test_borders_are_drawn_where_two_superpixels_meet_and_transparent_elsewhere(self):
        superpixel_map = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 2, -1]])
        _, pixels = opened(borders(superpixel_map, 320))
        wanted = np.array([[0, 0, 1, 0], [0, 0, 1, 0], [1, 1, 1, 1]], bool)
        np.testing.assert_array_equal(pixels[..., 3] == 255, wanted)
        np.testing.assert_array_equal(pixels[..., 3] == 0, ~wanted)
        self.assertEqual({tuple(pixel) for pixel in pixels[wanted][:, :3]}, {BORDERS})

    def test_masks_are_stacked_with_their_classes_as_values_and_a_transparent_background(self):
        masks = [np.array([[0, 1], [2, 0]], 'uint8'), np.array([[3, 3], [255, 254]], 'uint8')]
        values, pixels = opened(stacked_masks(masks, 320, COLOURS))
        np.testing.assert_array_equal(values, [[0, 1], [2, 0], [3, 3], [255, 254]])
        np.testing.assert_array_equal(pixels[..., 3], [[0, 255], [255, 0], [255, 255], [255, 255]])
        np.testing.assert_array_equal(pixels[2, 0, :3], COLOURS[3])
        np.testing.assert_array_equal(pixels[3, 0, :3], COLOURS[255])

    def test_all_images_of_a_picture_are_scaled_to_one_size_and_masks_hold_no_class_between(self):
        image, superpixel_map, mask = [np.zeros((90, 201) + more, 'uint8') for more in ((3,), (), ())]
        mask[45:] = 7
        self.assertEqual(opened(photograph(image, 50))[0].shape, (22, 50, 3))
        self.assertEqual(opened(borders(superpixel_map, 50))[0].shape, (22, 50))
        values, _ = opened(stacked_masks([mask, mask, mask], 50, COLOURS))
        self.assertEqual(values.shape, (66, 50))
        self.assertEqual(np.unique(values).tolist(), [0, 7])
        self.assertEqual(opened(photograph(image, 500))[0].shape, (90, 201, 3))  # small ones are not enlarged

    def test_addresses_of_files_lead_to_them_whatever_their_names(self):
        for name in ODD_NAMES:
            self.assertRegex(url_of(name), r'^[\w%/.~-]+$')
            self.assertEqual(unquote(url_of(name), errors='surrogateescape'), name)

    def test_bytes_that_are_no_text_are_printed_as_an_escape(self):
        self.assertEqual(printable('caf\u00e9 f\udce9.h5'), 'caf\u00e9 f\\udce9.h5')


class FilesTest(FolderTestCase):

    def write(self, pictures=None, content_of=content, made_from=None, **changed):
        pictures = [picture(k) for k in range(3)] if pictures is None else pictures
        return write_report_page(self.path('out'), about(**changed), pictures, content_of, made_from or {})

    def data(self):
        with open(self.path('out', 'index.html'), encoding='utf-8') as stream:
            text, = re.findall('<script type="application/json" id="data">(.*?)</script>', stream.read(), re.DOTALL)
        return json.loads(text)

    def images(self):
        return [name for name in self.files() if 'pictures' in name]

    def test_each_picture_has_three_files_that_the_page_leads_to(self):
        self.write([picture(k, name) for k, name in enumerate(ODD_NAMES)])
        rows = self.data()['pictures']
        self.assertEqual([row[0] for row in rows], [printable(name) for name in ODD_NAMES])
        for k, (_, url, width, height, _, _) in enumerate(rows):
            wanted = content(k)
            paths = [self.path('out', unquote(url) + ending) for ending in ('.jpg', '.superpixels.png', '.masks.png')]
            image, lines, masks = [opened(open_bytes(path))[0] for path in paths]
            self.assertEqual(image.shape, (height, width, 3))
            self.assertLess(np.abs(image.astype(int) - wanted.image).mean(), 8)  # as JPEG stores it
            self.assertEqual(np.flatnonzero(lines[0]).tolist(), list(range(20, width, 20)))
            np.testing.assert_array_equal(masks, np.concatenate(wanted.masks + [wanted.truth]))
        self.assertEqual(len(self.images()), 12)

    def test_numbers_are_those_given_and_an_iou_that_is_not_known_is_null(self):
        self.write([picture(0, classes=np.array([2, 0]), ious=[np.float64(.123456), float('nan')])])
        self.assertEqual(self.data(), {'methods': METHODS, 'chosen': 0, 'classes': CLASSES, 'pictures': [
            ['picture-0.jpg', self.data()['pictures'][0][1], 80, 64, [2, 0], [.1235, None]]]})

    def test_what_users_named_is_text_in_the_page_and_never_html(self):
        self.write([picture(k, name) for k, name in enumerate(ODD_NAMES)], title='<script>alert(2)</script>\udce9')
        with open(self.path('out', 'index.html'), encoding='utf-8') as stream:
            page = stream.read()
        self.assertNotIn('alert(2)</script>', page)
        self.assertNotIn('<img src=x', page)
        self.assertNotIn('dog & <b>', page)
        self.assertIn('<title>&lt;script&gt;alert(2)&lt;/script&gt;\\udce9</title>', page)
        self.assertEqual(page.count('</script>'), 2)

    def test_a_page_made_again_from_the_same_computes_nothing_and_from_something_else_leaves_no_old_file(self):
        self.write()
        before = self.images()
        self.assertEqual(len(self.files()), 10)  # with index.html, and without a lock
        self.write(content_of=None)
        self.assertEqual(self.images(), before)
        self.write([picture(k) for k in range(2)], made_from={'models': ['other']})
        self.assertEqual(len(self.images()), 6)
        self.assertFalse(set(before) & set(self.images()))
        for row in self.data()['pictures']:
            self.assertTrue(os.path.exists(self.path('out', row[1] + '.masks.png')))

    def test_what_a_user_keeps_in_the_folder_of_pictures_stays(self):
        os.makedirs(self.path('out', 'pictures', 'holidays'))
        self.write()
        self.write(made_from={'models': ['other']})
        self.assertTrue(os.path.isdir(self.path('out', 'pictures', 'holidays')))

    def test_work_that_was_stopped_leaves_the_earlier_page_whole_and_goes_on_where_it_was(self):
        self.write()
        before, done = self.data(), []

        def stopped(k):
            if k == 2:
                raise KeyboardInterrupt
            return content(k)

        def counted(k):
            done.append(k)
            return content(k)
        with self.assertRaises(KeyboardInterrupt):
            self.write(content_of=stopped, made_from={'models': ['other']})
        self.assertEqual(self.data(), before)
        for row in before['pictures']:
            self.assertTrue(os.path.exists(self.path('out', row[1] + '.jpg')))
        self.write(content_of=counted, made_from={'models': ['other']})
        self.assertEqual(done, [2])
        self.assertEqual(len(self.images()), 9)

    def test_a_full_disk_is_a_sentence_and_leaves_the_earlier_page(self):
        self.write()
        before = self.data()
        with mock.patch.object(os, 'replace', side_effect=OSError(28, 'No space left on device')):
            with self.assertRaisesRegex(SpnError, 'No space left on device.*run the same command again'):
                self.write(made_from={'models': ['other']})
        self.assertEqual(self.data(), before)


def open_bytes(path):
    with open(path, 'rb') as stream:
        return stream.read()


class BrowserTest(PageTestCase):
    """Twelve pictures with names and IoUs to sort by hand."""

    NAMES = ODD_NAMES + ['picture-{}.jpg'.format(k) for k in (10, 2, 1, 3, 4, 5, 6, 7)]
    IOUS = [[.9, .1], [.8, .2], [.3, float('nan')], [.2, .4], [.7, .95], [.6, .6], [.1, .7], [.5, .8], [.4, .3],
            [.55, .5], [.45, .45], [.35, .35]]

    @classmethod
    def make_page(cls):
        pictures = [picture(k, name, [k % 3], ious) for k, (name, ious) in enumerate(zip(cls.NAMES, cls.IOUS))]
        Image.new('RGB', (30, 20)).save(os.path.join(cls.shared, 'bars.png'))
        return write_report_page(cls.shared, about(), pictures, content, {})

    def cards(self):
        return self.browser.texts('.card h3')

    def names(self, order):
        return [printable(self.NAMES[k]) for k in order]

    def by_iou(self, method, sign=1):
        """The order of the pictures by hand: nan last."""
        return sorted(range(12), key=lambda k: (np.isnan(self.IOUS[k][method]), sign * self.IOUS[k][method]))

    def address(self):
        return self.browser.run('return Object.fromEntries(new URLSearchParams(location.hash.slice(1)))')

    def enlarged(self):
        return self.browser.run('return document.querySelector("dialog").open && '
                                'document.querySelector("#enlarged-name").firstChild.textContent.trim()')

    def test_pictures_are_sorted_by_the_iou_of_the_chosen_method_and_by_name(self):
        self.assertEqual(self.cards(), self.names(self.by_iou(0)))
        self.browser.choose('#sort', 'IoU, best first')
        self.assertEqual(self.cards(), self.names(self.by_iou(0, -1)))
        self.browser.choose('#method', METHODS[1])
        self.assertEqual(self.cards(), self.names(self.by_iou(1, -1)))
        self.assertEqual(self.cards()[-1], ODD_NAMES[2])  # it has no IoU
        self.assertEqual(self.browser.texts('.card:first-child figcaption b'), ['95.0 %'])
        self.browser.choose('#sort', 'IoU, worst first')
        self.assertEqual(self.cards(), self.names(self.by_iou(1)))
        self.browser.choose('#sort', 'name')
        self.assertEqual(self.cards()[-8:], ['picture-{}.jpg'.format(k) for k in (1, 2, 3, 4, 5, 6, 7, 10)])
        self.assertEqual(self.address(), {'method': METHODS[1], 'sort': 'name'})

    def test_pictures_are_filtered_by_class_and_by_text_in_their_names(self):
        self.browser.choose('#class', CLASSES[1])
        self.assertEqual(self.cards(), self.names(k for k in self.by_iou(0) if k % 3 == 1))
        self.browser.element('#text').send_keys('PICTURE-')
        self.assertEqual(self.cards(), self.names(k for k in self.by_iou(0) if k % 3 == 1 and k >= 4))
        ious = [self.IOUS[k][0] for k in range(4, 12) if k % 3 == 1]
        self.assertEqual(self.browser.texts('#count'), [
            '3 of 12 pictures; the mean of their IoUs by plain is {:.1f} %'.format(100 * np.mean(ious))])
        self.browser.element('#text').send_keys('\t')
        self.assertEqual(self.address(), {'class': CLASSES[1], 'text': 'PICTURE-'})

    def test_an_address_brings_back_filters_order_and_what_is_shown(self):
        self.browser.choose('#class', CLASSES[2])
        self.browser.choose('#method', METHODS[1])
        self.browser.choose('#sort', 'IoU, best first')
        for value in 'image', 'superpixels', '0':
            self.browser.element('#shown input[value="{}"]'.format(value)).click()
        self.browser.element('form [name=masks]').click()
        before = self.cards(), self.browser.texts('figcaption')
        self.assertEqual(before[0], self.names(k for k in self.by_iou(1, -1) if k % 3 == 2))
        self.assertEqual(before[1][:4], ['superpixels', 'plain 60.0 %', METHODS[1] + ' 60.0 %', 'truth'])
        address = self.browser.run('return location.hash')
        self.browser.open(self.page, address)
        self.assertEqual((self.cards(), self.browser.texts('figcaption')), before)
        self.assertEqual(self.browser.run('return getComputedStyle(document.querySelector(".mask")).visibility'),
                         'hidden')
        self.assertEqual(self.browser.run('return location.hash'), address)

    def test_each_picture_is_found_by_its_name_in_the_address(self):
        for k, name in enumerate(map(printable, self.NAMES[:5])):
            address = self.browser.run('return "#" + new URLSearchParams({picture: arguments[0]})', name)
            self.browser.open(self.page, address)
            self.assertEqual(self.enlarged(), name)
            self.assertEqual(self.browser.texts('dialog figcaption b'),
                             ['no IoU' if np.isnan(iou) else '{:.1f} %'.format(100 * iou) for iou in self.IOUS[k]])
            self.browser.wait('return [...document.querySelectorAll("dialog img")].every((each) => each.naturalWidth)')
        self.browser.open(self.page, '#picture=nobody')
        self.assertFalse(self.enlarged())
        self.assertIn('There is no picture nobody here.', self.browser.texts('#count')[0])

    def test_a_click_enlarges_a_picture_arrows_step_on_and_going_back_closes_it(self):
        order = self.names(self.by_iou(0))
        self.browser.element('.card h3 a').click()
        self.assertEqual((self.enlarged(), self.address()), (order[0], {'picture': order[0]}))
        self.browser.element('#close').send_keys('\ue014')  # the right arrow
        self.assertEqual((self.enlarged(), self.address()), (order[1], {'picture': order[1]}))
        self.browser.driver.back()
        self.browser.wait('return !document.querySelector("dialog").open')
        self.assertEqual(self.address(), {})
        self.browser.driver.forward()
        self.browser.wait('return document.querySelector("dialog").open')
        self.assertEqual(self.enlarged(), order[1])
        self.browser.element('#close').send_keys('\ue00c')  # Escape
        self.browser.wait('return !document.querySelector("dialog").open && !location.hash')
        self.assertEqual(self.browser.run('return document.activeElement.textContent'), order[1])

    def test_each_view_shows_the_mask_of_its_method_in_the_colour_of_its_class(self):
        self.browser.open(self.page, '#picture=picture-10.jpg&opacity=100')  # content(4): the cat
        self.browser.wait('return [...document.querySelectorAll("dialog img")].every((each) => each.naturalWidth)')
        wanted = {'plain': (0, 1), METHODS[1]: (1, 2), 'truth': (2, 255)}
        shown = Image.open(io.BytesIO(self.browser.driver.get_screenshot_as_png())).convert('RGB')
        for figure in self.browser.driver.find_elements('css selector', 'dialog figure'):
            caption = figure.find_element('css selector', 'figcaption').text
            name = next((name for name in wanted if caption.startswith(name)), None)
            if name is None:
                continue
            box = self.browser.run('const r = arguments[0].querySelector(".frame").getBoundingClientRect();'
                                   'return [r.left, r.top, r.right, r.bottom]', figure)
            pixels = np.array(shown.crop(list(map(round, box))).resize((64, 72), Image.NEAREST))
            place, value = wanted.pop(name)
            mask = (content(4).masks + [content(4).truth])[place]
            coloured = np.abs(pixels.astype(int) - COLOURS[value]).max(axis=2) <= 3
            self.assertGreater(np.mean(coloured == (mask > 0)), .97, name)
        self.assertEqual(wanted, {})

    def test_opacity_and_overlays_are_controls_in_both_places(self):
        self.browser.run('const range = document.querySelector("form [name=opacity]"); range.value = 25;'
                         'range.dispatchEvent(new Event("input")); range.dispatchEvent(new Event("change"))')
        self.assertEqual(self.browser.run('return [...document.querySelectorAll("[name=opacity]")].map((each) => '
                                          'each.value)'), ['25', '25'])
        self.assertEqual(self.browser.run('return getComputedStyle(document.querySelector(".mask")).opacity'), '0.25')
        self.assertEqual(self.address(), {'opacity': '25'})

    def test_a_click_on_a_heading_sorts_the_table_and_says_so(self):
        heading = self.browser.element('#results th:nth-child(2) button')
        rows = '#results tbody th'
        heading.click()
        self.assertEqual(self.browser.texts(rows), ['two', 'three', 'plain', 'none'])
        heading.click()
        self.assertEqual(self.browser.texts(rows), ['plain', 'three', 'two', 'none'])
        self.assertEqual(self.browser.run('return document.querySelectorAll("#results th")[1].ariaSort'), 'ascending')
        self.browser.element('#results th:first-child button').click()
        self.assertEqual(self.browser.texts(rows), ['two', 'three', 'plain', 'none'])

    def test_all_images_have_a_text_and_all_controls_a_label(self):
        self.browser.element('.card h3 a').click()
        self.assertGreater(self.browser.run('return document.images.length'), 40)
        self.assertEqual(self.browser.images_without_alt(), [])
        self.assertEqual(self.browser.controls_without_label(), [])

    def test_nothing_is_wider_than_a_telephone(self):
        self.browser.resize(400, 800)
        for address in '', '#picture=picture-1.jpg', '#show=image&show=superpixels&show=truth&show=plain':
            self.browser.open(self.page, address)
            self.assertEqual(self.browser.overflow(), 0)
            self.assertLessEqual(self.browser.run(
                'return Math.max(...[...document.querySelectorAll("body *")].filter((each) => '
                '!each.closest(".table")).map((each) => each.getBoundingClientRect().right))'), 400)


class ThousandsTest(FolderTestCase):

    def test_of_three_thousand_pictures_only_those_that_are_seen_are_loaded(self):
        browser = Browser()
        self.addCleanup(browser.close)
        tiny = Content(np.zeros((6, 8, 3), 'uint8'), np.zeros((6, 8), int), [np.ones((6, 8), 'uint8')] * 2,
                       np.ones((6, 8), 'uint8'))
        pictures = [Picture('p{}.jpg'.format(k), (240, 320), [k % 3], [k / 3000, 1 - k / 3000]) for k in range(3000)]

        def write_plainly(path, content):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as stream:
                stream.write(content)
        with mock.patch.object(report_page, 'write_bytes', write_plainly):
            page = write_report_page(self.path('page'), about(), pictures, lambda k: tiny, {})
        Image.new('RGB', (30, 20)).save(self.path('page', 'bars.png'))
        for address in '', '#picture=p2999.jpg', '#sort=best&text=p29':
            browser.open(page, address)
            browser.wait("""return [...document.images].filter((each) => {
                const box = each.getBoundingClientRect();
                return box.height && box.bottom > 0 && box.top < innerHeight;
            }).every((each) => each.naturalWidth)""")
            self.assertEqual(browser.texts('.card h3')[0], 'p2999.jpg' if 'best' in address else 'p0.jpg')
            loaded = browser.run("return [...document.images].filter((each) => each.naturalWidth).length")
            self.assertTrue(0 < loaded <= 130, loaded)
        self.assertEqual(browser.complaints(), [])
