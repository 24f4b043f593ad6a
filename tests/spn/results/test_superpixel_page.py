"""The page by which superpixels are chosen: what it computes, the commands it offers, and the page in a browser."""
import base64
import html
import io
import json
import os
import re
import shlex

from click.testing import CliRunner
import numpy as np
from PIL import Image

from spn import commands
from spn.data.dataset import Dataset
from spn.results.superpixel_page import pictures_to_show
from tests.spn.browser import PageTestCase
from tests.spn.cases import FolderTestCase, photographs, records, write_small


def spn(*arguments):
    """The standard output and standard error of a command, and its exit status."""
    result = CliRunner(mix_stderr=False).invoke(commands.main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout, result.stderr, result.exit_code


def in_train(n=3):
    return [record._replace(split='train') for record in records()[:n]]


class Page:
    """What is written in a page."""

    def __init__(self, path):
        with open(path, encoding='utf-8') as stream:
            self.text = stream.read()
        self.data = json.loads(re.search('id="data">(.*?)</script>', self.text, re.DOTALL).group(1))
        body, = re.findall('<tbody>(.*?)</tbody>', self.text, re.DOTALL)
        self.rows = [Row(each) for each in re.findall('<tr>(.*?)</tr>', body, re.DOTALL)]

    def borders(self, picture, candidate):
        """Where the page draws a border: (rows, cols) of bool."""
        uri = self.data['pictures'][picture]['cuts'][candidate]['borders']
        with Image.open(io.BytesIO(base64.b64decode(uri.split('base64,')[1]))) as image:
            return np.array(image.convert('RGBA'))[..., 3] > 0


class Row:
    """One candidate."""

    def __init__(self, text):
        plain = [html.unescape(re.sub('<[^>]*>', '', cell)).strip()
                 for cell in re.findall('<t[hd].*?>(.*?)</t[hd]>', text, re.DOTALL)]
        self.title, self.details = plain[0].split('\n')
        self.count, self.iou, self.command = float(plain[1]), plain[2], plain[3]


def best_iou(truths, maps):
    """The mean IoU if each superpixel gets the true class of most of its pixels, slow and plain."""
    hits, either = np.zeros(3), np.zeros(3)
    for truth, superpixel_map in zip(truths, maps):
        best = np.zeros_like(truth)
        for n in np.unique(superpixel_map):
            inside = (superpixel_map == n) & (truth != 255)
            best[superpixel_map == n] = np.bincount(truth[inside]).argmax() if inside.any() else 0
        for c in range(3):
            hits[c] += np.sum((truth == c) & (best == c))
            either[c] += np.sum(((truth == c) | (best == c)) & (truth != 255))
    return '{:.1f} %'.format(100 * np.mean(hits[either > 0] / either[either > 0]))


def quarters(shape):
    rows, cols = shape
    return (np.arange(rows)[:, np.newaxis] >= rows / 2) * 2 + (np.arange(cols) >= cols / 2)


class ShowTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.data = self.path('data.h5')
        write_small(self.data, in_train())

    def show(self, *arguments):
        printed, said, status = spn('show', self.data, '--workers', 1, *arguments)
        self.assertEqual(status, 0, said)
        return Page(printed.split(': superpixels of ')[0])

    def test_counts_and_the_best_iou_are_those_of_the_superpixels(self):
        row, = self.show('--method', 'grid', '--set', 'n_segments=4').rows
        masks = [record.mask for record in in_train(2)]
        self.assertEqual((row.title, row.details, row.count), ('grid, n_segments 4', 'grid, n_segments 4', 4))
        self.assertEqual(row.iou, best_iou(masks, [quarters(mask.shape) for mask in masks]))

    def test_borders_are_where_the_superpixels_of_a_picture_meet(self):
        page = self.show('--method', 'grid', '--set', 'n_segments=4')
        for picture, photograph in enumerate(photographs()):
            rows, cols = photograph.shape[:2]
            wanted = np.zeros((rows, cols), bool)
            wanted[-(-rows // 2)] = wanted[:, -(-cols // 2)] = True
            np.testing.assert_array_equal(page.borders(picture, 0), wanted)

    def test_all_combinations_of_the_values_given_are_tried_with_each_method(self):
        page = self.show('--set', 'scale=50,400', '--set', 'min_size=20,40,40')
        self.assertEqual([row.title for row in page.rows],
                         ['felzenszwalb, scale {}, min_size {}'.format(*pair) for pair in
                          [(50, 20), (50, 40), (400, 20), (400, 40)]])
        self.assertGreater(page.rows[0].count, page.rows[3].count)
        page = self.show('--method', 'slic', '--method', 'grid', '--set', 'n_segments=9,16')
        self.assertEqual([row.title for row in page.rows],
                         ['{}, n_segments {}'.format(*pair) for pair in
                          [('slic', 9), ('slic', 16), ('grid', 9), ('grid', 16)]])

    def test_without_options_the_usual_methods_are_tried_and_the_maps_of_the_data_set_are_shown(self):
        spn('superpixels', self.data, '--method', 'grid', '--set', 'n_segments=6', '--name', 'mine')
        spn('superpixels', self.data, '--set', 'scale=50', '--name', 'fine')
        printed, _, _ = spn('show', self.data)
        self.assertEqual(printed, self.path('data.superpixels.html') + ': superpixels of 3 pictures, made in 6 ways\n')
        rows = Page(self.path('data.superpixels.html')).rows
        # Felzenszwalb at a scale of 50 is there already.
        self.assertEqual([row.title for row in rows], [
            'felzenszwalb, scale 150', 'felzenszwalb, scale 400', 'slic, n_segments 200', 'watershed, n_segments 200',
            'fine (in the data set)', 'mine (in the data set)'])
        self.assertEqual([row.details for row in rows[4:]],
                         ['felzenszwalb, min_size 60, scale 50, sigma 0.6', 'grid, n_segments 6'])
        self.assertEqual(rows[5].count, 6)
        with Dataset(self.data) as dataset:
            self.assertEqual(rows[4].count, round(dataset.superpixel_maps('fine').counts.mean()))

    def test_a_command_of_the_page_makes_the_superpixels_that_it_shows(self):
        before = self.show('--set', 'scale=30', '--set', 'sigma=0.25', '--set', 'min_size=12')
        words = shlex.split(before.rows[0].command)
        self.assertEqual(words[:2], ['spn', 'superpixels'])
        self.assertEqual(spn(*words[1:])[2], 0)
        after = self.show('--method', 'grid', '--set', 'n_segments=4').rows[1]
        self.assertEqual((after.count, after.iou), (before.rows[0].count, before.rows[0].iou))
        self.assertIn('already there', after.command)
        with Dataset(self.data) as dataset:
            name, = dataset.superpixel_names()
            maps = dataset.superpixel_maps(name)
            self.assertEqual(maps.made_by, {'method': 'felzenszwalb', 'scale': 30, 'sigma': .25, 'min_size': 12})
            for picture in range(3):
                labels, wanted = maps[picture], np.zeros(maps[picture].shape, bool)
                wanted[1:] |= labels[1:] != labels[:-1]
                wanted[:, 1:] |= labels[:, 1:] != labels[:, :-1]
                np.testing.assert_array_equal(before.borders(picture, 0), wanted)

    def test_a_command_replaces_no_maps_that_the_data_set_has_under_its_name(self):
        spn('superpixels', self.data, '--method', 'grid', '--set', 'n_segments=6', '--name', 'grid-n_segments-4')
        command = self.show('--method', 'grid', '--set', 'n_segments=4').rows[0].command
        self.assertTrue(command.endswith('--name grid-n_segments-4-2'), command)

    def test_names_that_a_shell_or_html_would_read_otherwise_are_quoted(self):
        self.data = self.path("it's a \"file\" & </code> $HOME.h5")
        write_small(self.data, [record._replace(name='</script><b>&#' + record.name) for record in in_train()])
        page = self.show('--method', 'grid', '--set', 'n_segments=4')
        self.assertEqual(shlex.split(page.rows[0].command)[2], self.data)
        self.assertEqual(page.data['pictures'][0]['name'], '</script><b>&#face.png')
        self.assertEqual(page.text.count('</script>'), 2)

    def test_pictures_are_drawn_by_lot_and_those_with_masks_come_first(self):
        records_of_both = [record._replace(name=record.name + str(k)) for k in range(5) for record in in_train()]
        write_small(self.data, records_of_both)
        with Dataset(self.data) as dataset:
            drawn = [pictures_to_show(dataset, 4, 'train', seed) for seed in range(20)]
            self.assertTrue(all(dataset.has_mask[each].all() and len(set(each)) == 4 for each in drawn))
            self.assertGreater(len(set(map(tuple, drawn))), 10)
            self.assertEqual(drawn[3], pictures_to_show(dataset, 4, 'train', 3))
            twelve = pictures_to_show(dataset, 12, 'train', 0)
            self.assertEqual((dataset.has_mask[twelve].sum(), len(set(twelve))), (10, 12))
            self.assertEqual(pictures_to_show(dataset, 99, 'train', 0), list(range(15)))

    def test_without_masks_no_iou_is_claimed(self):
        write_small(self.data, [record._replace(mask=None) for record in in_train()])
        page = self.show('--method', 'grid', '--set', 'n_segments=4')
        self.assertEqual(page.rows[0].iou, '-')
        self.assertIn('None of the pictures has a mask', page.text)
        self.assertEqual({(each['truth'], each['cuts'][0]['iou']) for each in page.data['pictures']}, {(None, None)})

    def test_maps_that_lack_one_of_the_pictures_are_left_out(self):
        spn('superpixels', self.data, '--method', 'grid', '--name', 'mine')
        face, cat, cup = in_train()
        write_small(self.data, [face, cat._replace(image=cat.image[::-1]), cup])
        self.assertEqual([row.title for row in self.show('--method', 'grid', '--set', 'n_segments=4').rows],
                         ['grid, n_segments 4'])

    def test_what_is_wrong_is_one_sentence_and_leaves_no_page(self):
        for words, arguments in [
                (("no setting 'size'", 'it has scale'), ('--set', 'size=3')),
                (('--set scale=x is not of the form',), ('--set', 'scale=1,x')),
                (('--set scale is not of the form',), ('--set', 'scale')),
                (('sets one setting twice',), ('--set', 'scale=1', '--set', 'scale=2')),
                (('scale=-1.0', 'must be above 0'), ('--set', 'scale=50,-1')),
                (('which the page would replace', 'data.superpixels.html'), ('--out', self.data)),
                (("no image in the split 'test'", "3 in 'train'"), ('--split', 'test'))]:
            printed, said, status = spn('show', self.data, *arguments)
            self.assertEqual((status, printed), (1, ''), said)
            for word in words:
                self.assertIn(word, said.strip().splitlines()[-1])
        self.assertEqual(self.files(), ['data.h5'])


LONG = 'superpixels under a name that is longer than others are'


class BrowserTest(PageTestCase):

    @classmethod
    def make_page(cls):
        data = os.path.join(cls.shared, 'data.h5')
        write_small(data, [record._replace(name='"<i>' + record.name) for record in in_train()])
        spn('superpixels', data, '--method', 'grid', '--set', 'n_segments=6', '--name', LONG)
        printed, said, _ = spn('show', data, '--method', 'grid', '--set', 'n_segments=4,9', '--workers', 1)
        return printed.split(': superpixels of ')[0]

    def test_each_picture_is_shown_by_itself_with_its_truth_and_with_each_setting(self):
        self.assertEqual(self.browser.texts('#pictures h2'), ['"<i>face.png', '"<i>cat.png', '"<i>cup.png'])
        each_way = ['grid, n_segments 4', 'grid, n_segments 9', LONG + ' (in the data set)']
        self.assertEqual(self.browser.texts('section figcaption b'),
                         2 * (['image', 'truth'] + each_way) + ['image'] + each_way)
        self.assertTrue(self.browser.texts('section:last-child figcaption')[2].endswith(' 9 superpixels'))
        self.assertTrue(self.browser.run('return [...document.images].every((each) => each.naturalWidth)'))
        self.browser.element('#settings input').click()
        self.assertEqual(self.browser.texts('section:last-child figcaption b'), ['image'] + each_way[1:])

    def test_a_click_enlarges_a_picture_and_arrows_step_through_its_settings(self):
        heading = 'return document.querySelector("#enlarged-name").firstChild.textContent.trim()'
        self.browser.element('section:nth-child(2) figure:nth-child(3) button').click()
        self.assertEqual(self.browser.run(heading), '"<i>cat.png: grid, n_segments 4')
        width = 'return document.querySelector("dialog .frame").getBoundingClientRect().width'
        self.assertGreater(self.browser.run(width), 500)
        self.browser.element('#close').send_keys('\ue014')  # the right arrow
        self.assertEqual(self.browser.run(heading), '"<i>cat.png: grid, n_segments 9')
        self.assertTrue(self.browser.element('#next').is_enabled())
        self.browser.element('#close').send_keys('\ue014')
        self.assertFalse(self.browser.element('#next').is_enabled())
        self.browser.element('dialog [name=borders]').click()
        self.assertEqual(self.browser.run('return getComputedStyle(document.querySelector(".borders")).visibility'),
                         'hidden')

    def test_all_images_have_a_text_and_all_controls_a_label(self):
        self.assertEqual(self.browser.run('return document.images.length'), 3 + 2 * 2 + 3 * 3 * 2)
        self.assertEqual(self.browser.images_without_alt(), [])
        self.assertEqual(self.browser.controls_without_label(), [])
        self.assertEqual(self.browser.run('return document.querySelectorAll(".enlarge:not([aria-label])").length'), 0)

    def test_nothing_is_wider_than_a_telephone(self):
        self.browser.resize(400, 800)
        self.assertEqual(self.browser.overflow(), 0)
        self.browser.element('section figure:nth-child(3) button').click()
        self.assertEqual(self.browser.overflow(), 0)
        self.assertLessEqual(self.browser.run('return document.querySelector("dialog .frame")'
                                              '.getBoundingClientRect().right'), 400)
