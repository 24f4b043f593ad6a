"""Each command through its command line: one run on a few composites, and errors in what users give."""
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from unittest import mock

import click
from click.testing import CliRunner
import h5py
import numpy as np
from PIL import Image
from skimage import data

from spn import commands
from spn.data import superpixel_maps
from spn.data.dataset import Dataset
from spn.results import prediction, runs, segmentation_maps
from spn.results.masks import relative
from spn.results.drawing import COLOURS
from spn.results.runs import Run
from tests.processes import REPOSITORY
from tests.spn.cases import FolderTestCase, SharedFolderTestCase, write_small

N = {'train': 9, 'val': 2, 'test': 3}


def spn(*arguments):
    """The standard output, standard error and exit status of `spn`."""
    result = CliRunner(mix_stderr=False).invoke(commands.main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout, result.stderr, result.exit_code


def good(*arguments):
    """The standard output and standard error of a command that must succeed."""
    printed, said, status = spn(*arguments)
    assert status == 0, said
    return printed, said


def bad(*arguments):
    """The last line on standard error of a command that must fail."""
    _, said, status = spn(*arguments)
    assert status == 1, said
    return said.splitlines()[-1]


def all_commands(command=commands.main, names=()):
    """Pairs of names and command, of all commands that are not groups."""
    if isinstance(command, click.Group):
        return [pair for name in command.commands for pair in all_commands(command.commands[name], names + (name,))]
    return [(names, command)]


class WholeWayTest(SharedFolderTestCase):

    @classmethod
    def make_shared(cls):
        cls.data, cls.run_folder = [os.path.join(cls.shared, name) for name in ('data.h5', 'run')]
        size, random = ('--size', 32, '--size', 48), ('--weights', 'random')
        cls.said = {'data': good('data', 'composites', cls.data,
                                 *sum([['--' + split, n] for split, n in N.items()], []))}
        cls.said['superpixels'] = good('superpixels', cls.data, '--set', 'scale=900', '--set', 'min_size=400',
                                       '--name', 'coarse', '--workers', 1)
        with warnings.catch_warnings():
            warnings.simplefilter('always')
            cls.said['encode'] = good('encode', cls.data, *size + random)
            cls.said['train'] = good('train', cls.data, '--out', cls.run_folder, '--superpixels', 'coarse', '--epochs',
                                     2, '--batch-size', 3, '--upsampling-stages', 0, '--seed', 3, *size + random)
            cls.said['segment'] = good('segment', cls.data, cls.run_folder, '--rounds', 1, '--epochs', 1)
        cls.trained = Run(cls.run_folder)

    def setUp(self):
        super().setUp()
        warnings.simplefilter('ignore')
        self.addCleanup(warnings.resetwarnings)
        self.opened = Dataset(self.data)
        self.addCleanup(self.opened.close)

    def png(self, *names):
        with Image.open(os.path.join(*names)) as image:
            return np.array(image), image.mode, np.array(image.getpalette() or []).reshape(-1, 3).tolist()

    def test_data_has_the_pictures_asked_for(self):
        self.assertEqual({split: int(np.sum(self.opened.splits == split)) for split in N}, N)
        self.assertIn('{}: 9 train, 2 val, 3 test; classes: bird, '.format(self.data), self.said['data'][0])

    def test_superpixels_sums_up_how_many_the_pictures_got(self):
        printed, said = self.said['superpixels']
        maps = self.opened.superpixel_maps('coarse')
        counts = [len(np.unique(maps[i])) for i in range(14)]
        self.assertEqual(printed, "{}: superpixels 'coarse', {} to {} an image, {:.0f} on average\n".format(
            self.data, min(counts), max(counts), np.mean(counts)))
        self.assertNotIn('\t', said)
        self.assertEqual(maps.made_by, {'method': 'felzenszwalb', 'scale': 900., 'sigma': .6, 'min_size': 400})

    def test_encode_writes_features_of_each_size_and_warns_of_random_weights(self):
        printed, said = self.said['encode']
        self.assertEqual(printed.splitlines(), ['{}/data.features-{}: 14 images'.format(self.shared, size)
                                                for size in (32, 48)])
        self.assertIn('RANDOM weights', said)
        for size in 32, 48:
            with h5py.File(os.path.join(self.shared, 'data.features-{}/000000.h5'.format(size)), 'r') as file:
                self.assertEqual(file['arrays/block5_conv3'].shape, (14, 512, size // 16, size // 16))
                self.assertGreater(file['arrays/block5_conv3'][:].max(), 0)

    def test_train_writes_model_log_and_curves_and_says_that_theano_compiles(self):
        printed, said = self.said['train']
        self.assertTrue({'checkpoint.h5', 'curves.png', 'log.csv', 'model.h5'} <= set(os.listdir(self.run_folder)))
        self.assertEqual(len(printed.splitlines()), 1)
        self.assertRegex(printed, '^{}/model.h5: epoch 2, loss '.format(self.run_folder))
        self.assertIn('training, when Theano has compiled', said)
        with open(os.path.join(self.run_folder, 'log.csv'), newline='') as stream:
            self.assertEqual([row['epoch'] for row in csv.DictReader(stream)], ['1', '2'])
        about = self.trained.about
        self.assertEqual((about['seed'], about['sizes'], about['superpixel_names']), (3, [32, 48], ['coarse']))
        self.assertEqual((about['training']['batch_size'], about['settings']['upsampling_stages']), (3, 0))

    def test_segment_writes_a_folder_for_each_round(self):
        self.assertEqual(sorted(os.listdir(os.path.join(self.run_folder, 'round-1'))),
                         ['checkpoint.h5', 'curves.png', 'log.csv', 'model.h5'])
        self.assertEqual(self.said['segment'][0], '{}: 1 rounds\n'.format(self.run_folder))

    def test_cam_writes_a_mask_an_overlay_and_heat_maps_of_each_image_of_the_split(self):
        out = self.path('out')
        printed, _ = good('cam', self.data, self.run_folder, '--out', out, '--threshold', .5, '--sp-cam')
        self.assertEqual(printed, out + ': masks, overlays and heat maps of 3 images, by SP-CAM, correlated\n')
        maps = self.trained.on_dataset(self.opened)
        names = {folder: set(os.listdir(os.path.join(out, folder))) for folder in ('masks', 'overlays', 'heat')}
        stems = ['test-{:04d}'.format(k) for k in range(3)]
        self.assertEqual(names['masks'], {stem + '.png' for stem in stems})
        self.assertEqual(names['overlays'], names['masks'])
        n_heat = 0
        for i, stem in zip(self.opened.indices('test'), stems):
            mask, mode, palette = self.png(out, 'masks', stem + '.png')
            self.assertEqual((mode, palette[:11]), ('P', COLOURS[:11].tolist()))
            classes = np.flatnonzero(self.opened.labels[i])
            values = relative(maps.correlated_sp_cam(i, classes))
            np.testing.assert_array_equal(mask,
                                          np.where(values.max(axis=0) >= .5, classes[values.argmax(axis=0)] + 1, 0))
            overlay, mode, _ = self.png(out, 'overlays', stem + '.png')
            image = self.opened.image(i)
            self.assertEqual((overlay.shape, mode), (image.shape, 'RGB'))
            inside = (mask == 0) & ~edges(mask)
            np.testing.assert_array_equal(overlay[inside], image[inside])
            for c in classes:
                self.assertEqual(self.png(out, 'heat', self.opened.class_names[c], stem + '.png')[0].shape, image.shape)
                n_heat += 1
        self.assertEqual(sum(len(os.listdir(os.path.join(out, 'heat', name))) for name in names['heat']), n_heat)
        self.assertIn('classes.png', os.listdir(out))
        with open(os.path.join(out, 'classes.csv'), newline='', encoding='utf-8') as stream:
            rows = list(csv.reader(stream))
        self.assertEqual(rows[:2], [['number', 'name', 'colour'], ['0', 'background', '#000000']])
        self.assertEqual([row[:2] for row in rows[2:]],
                         [[str(c + 1), name] for c, name in enumerate(self.opened.class_names)])
        self.assertEqual([tuple(bytes.fromhex(row[2][1:])) for row in rows[1:]],
                         list(map(tuple, COLOURS[:11].tolist()))[:len(rows) - 1])

    def test_cam_of_all_splits_has_the_masks_of_the_segmentation_network(self):
        out = self.path('out')
        printed, _ = good('cam', self.data, self.run_folder, '--out', out, '--split', 'all')
        self.assertEqual(printed, out +
                         ': masks, overlays and heat maps of 14 images, by segmentation network, round 1\n')
        self.assertEqual(len(os.listdir(os.path.join(out, 'masks'))), 14)
        maps, network = self.trained.on_dataset(self.opened), self.trained.rounds[0]
        masks_of = segmentation_maps.method(network, maps)
        for i in range(14):
            wanted, = masks_of(i, np.flatnonzero(self.opened.labels[i]), [network.about['threshold']])
            np.testing.assert_array_equal(self.png(out, 'masks', self.opened.names[i] + '.png')[0], wanted)
        self.assert_sentence(['SP-CAM', 'give --sp-cam too'], 'cam', self.data, self.run_folder, '--out', out,
                             '--one-size')

    def test_superpixels_that_were_replaced_after_training_are_not_taken_for_those_of_before(self):
        changed = self.path('changed.h5')
        shutil.copy(self.data, changed)
        good('superpixels', changed, '--method', 'grid', '--name', 'coarse')
        for command in 'cam', 'evaluate':
            self.assert_sentence([changed, "the superpixels 'coarse' are not those that", 'method=grid', 'scale=900.0',
                                  'Make those again'],
                                 command, changed, self.run_folder, '--out', self.path('out'))

    def test_info_shows_what_a_data_set_holds(self):
        printed, _ = good('info', self.data, '--names')
        lines = printed.splitlines()
        self.assertIn('train: 9 pictures, 9 with masks', lines)
        self.assertTrue(any(line.startswith("superpixels 'coarse': ") and 'scale 900.0' in line for line in lines))
        self.assertIn('features: {}/data.features-32'.format(self.shared), lines)
        i = self.opened.indices('val')[0]
        self.assertIn('val\t{}\t{}'.format(self.opened.names[i], ', '.join(
            np.array(self.opened.class_names)[self.opened.labels[i] > 0])), lines)

    def test_info_says_of_superpixels_that_were_stopped_before_the_first_that_they_are_to_be_made(self):
        copy = self.path('data.h5')
        shutil.copyfile(self.data, copy)
        self.write('data.superpixels-later/made_by.json', json.dumps(
            {'settings': {'method': 'grid'}, 'layout': superpixel_maps.KIND.layout}))
        self.assertIn("superpixels 'later': method grid; still to be made for 14 pictures",
                      good('info', copy)[0].splitlines())

    def test_cam_passes_all_its_options_on(self):
        with mock.patch.object(prediction, 'write_cams',
                               return_value=(9, 'it')) as write_cams, mock.patch.object(runs, 'Run'):
            good('cam', self.data, self.run_folder, '--out', 'out', '--split', 'train', '--absolute')
            good('cam', self.data, self.run_folder, '--out', 'out', '--threshold', .25, '--one-size', '--sp-cam',
                 '--pictures', 'in')
        self.assertEqual([call[0][2:] for call in write_cams.call_args_list],
                         [('out', 'train', None, False, True, False, None),
                          ('out', 'test', .25, True, False, True, 'in')])

    def test_predict_segments_new_pictures_and_names_those_that_it_cannot_read(self):
        whole = io.BytesIO()
        Image.fromarray(data.chelsea()).save(whole, 'JPEG')
        pictures = [self.write('cat.jpg', whole.getvalue()), self.write('cut.jpg', whole.getvalue()[:20000]),
                    self.write('letter.png', 'a letter')]
        out = self.path('out')
        printed, said = good('predict', *pictures, '--run', self.run_folder, '--out', out, '--max-side', 96, '--class',
                             'bird')
        self.assertEqual(
            printed, out + ': masks and overlays of 1 pictures; classes.csv explains the numbers in masks\n')
        self.assertEqual(sorted(os.listdir(out)), ['cat-mask.png', 'cat-overlay.png', 'classes.csv', 'classes.png'])
        mask, mode, palette = self.png(out, 'cat-mask.png')
        self.assertEqual((mask.shape, mode, palette[1]), ((300, 451), 'P', COLOURS[1].tolist()))
        self.assertTrue(set(np.unique(mask)) <= {0, 1})
        for path in pictures[1:]:
            self.assertIn('skipped: {} cannot be read as a picture'.format(path), said)
        self.assertIn('2 pictures were skipped', said)

    def test_predict_gives_each_picture_its_own_result_and_takes_folders(self):
        picture = io.BytesIO()
        Image.fromarray(data.chelsea()[::6, ::6]).save(picture, 'PNG')
        for name in 'monday/1.png', 'tuesday/1.png', 'tuesday/late/2.png':
            self.write(name, picture.getvalue())
        given, out = ('--run', self.run_folder, '--class', 'bird', '--max-side', 64), self.path('out')
        good('predict', self.path('monday', '1.png'), self.path('tuesday'), *given, '--out', out, '--small')
        self.assertEqual({os.path.relpath(os.path.join(folder, name), out) for folder, _, names in os.walk(out)
                          for name in names},
                         {'classes.csv', 'classes.png'} | {stem + ending
                                                           for stem in ('monday/1', 'tuesday/1', 'tuesday/late/2')
                                                           for ending in ('-mask.png', '-overlay.png')})
        self.assertEqual(self.png(out, 'monday', '1-mask.png')[0].shape,
                         (42, 64))  # 50 x 76, of which the longer side is 64

    def test_what_was_stopped_goes_on_with_the_pictures_that_are_missing_and_with_those_that_would_be_others(self):
        for k in range(3):
            picture = io.BytesIO()
            Image.fromarray(data.chelsea()[k::6, ::6]).save(picture, 'PNG')
            self.write('in/{}.png'.format(k), picture.getvalue())
        predict = ('predict', self.path('in'), '--run', self.run_folder, '--max-side', 64, '--out', self.path('out'))
        cam = ('cam', self.data, self.run_folder, '--out', self.path('cams'))
        for command, masks in (predict, ['out/{}-mask.png'.format(k) for k in range(3)]), (
                cam, ['cams/masks/test-{:04d}.png'.format(k) for k in range(3)]):
            good(*command)
            wanted = [self.png(self.folder, mask)[0] for mask in masks]
            os.remove(os.path.join(self.folder, masks[1]))
            made = [os.stat(os.path.join(self.folder, mask)).st_mtime_ns for mask in masks[::2]]
            printed, said = good(*command)
            self.assertIn(' 3 ', printed)
            self.assertIn('2/3', said)
            self.assertEqual(made, [os.stat(os.path.join(self.folder, mask)).st_mtime_ns for mask in masks[::2]])
            for mask, image in zip(masks, wanted):
                np.testing.assert_array_equal(self.png(self.folder, mask)[0], image)
        # Of other settings, and of a picture that has changed.
        self.assertIn('0/3', good(*cam + ('--threshold', .9))[1])
        shutil.copy(self.path('in', '0.png'), self.path('in', '1.png'))
        self.assertIn('2/3', good(*predict)[1])
        first, second = [self.png(self.folder, 'out/{}-mask.png'.format(k))[0] for k in (0, 1)]
        np.testing.assert_array_equal(first, second)
        self.assertIn('0/3', good(*predict + ('--class', 'bird'))[1])

    def test_masks_for_the_server_of_VOC_are_refused_for_other_classes(self):
        self.assert_sentence(['knows the classes bird, ', "PASCAL VOC's server wants those of VOC"], 'predict',
                             self.write('x.jpg', ''), '--run', self.run_folder, '--out', self.path('out'),
                             '--voc-results')

    def test_masks_for_the_server_of_VOC_have_its_folders_names_and_sizes(self):
        for k in range(3):
            picture = io.BytesIO()
            Image.fromarray(data.chelsea()[k::2, ::2]).save(picture, 'JPEG')
            self.write('JPEGImages/2012_00{}.jpg'.format(k), picture.getvalue())
        names = prediction.CLASS_NAMES
        with mock.patch.object(prediction, 'CLASS_NAMES', self.trained.class_names):
            printed, _ = good('predict', self.path('JPEGImages'), '--run', self.run_folder, '--out', self.path('out'),
                              '--voc-results', '--list', self.write('test.txt', '2012_000\n2012_002\n'))
        self.assertEqual(len(names), 20)
        self.assertEqual(printed, "{}: masks of 2 pictures for PASCAL VOC's server\n".format(self.path('out')))
        self.assertEqual([name for name in self.files() if name.startswith('out/')], [
            'out/results/VOC2012/Segmentation/comp6_test_cls/2012_00{}.png'.format(k) for k in (0, 2)])
        mask, mode, _ = self.png(self.folder, 'out/results/VOC2012/Segmentation/comp6_test_cls/2012_002.png')
        self.assertEqual((mask.shape, mode), ((149, 226), 'P'))

    def test_predict_of_nothing_that_can_be_read_fails(self):
        letter = self.write('letter.png', 'a letter')
        self.assert_sentence(['none of 1 pictures could be read', letter], 'predict', letter, '--run', self.run_folder,
                             '--out', self.path('out'))
        self.assertFalse(os.path.exists(self.path('out')))

    def test_the_readme_shows_how_to_predict_from_python(self):
        with open(os.path.join(REPOSITORY, 'README.md'), encoding='utf-8') as stream:
            code, = re.findall('```python\n(from spn.prediction.*?)```', stream.read(), re.DOTALL)
        picture, names = self.path('photograph.png'), {}
        Image.fromarray(data.chelsea()[::3, ::3]).save(picture)
        exec(code.replace("'run'", repr(self.run_folder)).replace("'photograph.jpg'", repr(picture)), names)
        self.assertEqual(names['mask'].shape, (100, 151))
        self.assertEqual([self.trained.class_names[c] for c in names['classes']], ['bird'])
        self.assertTrue(set(np.unique(names['mask'])) <= {0, 1})

    def test_predict_finds_the_classes_if_none_is_named(self):
        image = data.chelsea()[::4, ::4]
        mask, classes = prediction.predict(self.trained, image)
        maps = self.trained.on_picture(image)
        self.assertEqual(mask.shape, image.shape[:2])
        sure = segmentation_maps.image_probabilities(self.trained.rounds[-1], maps, 0)
        self.assertEqual(classes.tolist(), [c for c in range(len(sure)) if sure[c] >= .5 or sure[c] == sure.max()])
        self.assertTrue(set(np.unique(mask)) <= {0} | {c + 1 for c in classes})

    def test_evaluate_writes_a_table_numbers_bars_and_examples(self):
        out = self.path('out')
        printed, _ = good('evaluate', self.data, self.run_folder, '--out', out)
        self.assertEqual(sorted(os.listdir(out)),
                         ['bars.png', 'examples.png', 'index.html', 'pictures', 'results.json', 'results.md'])
        with open(os.path.join(out, 'results.md'), encoding='utf-8') as stream:
            self.assertEqual(stream.read().strip(), printed.strip())
        with open(os.path.join(out, 'results.json'), encoding='utf-8') as stream:
            (folder, results), = json.load(stream).items()
        self.assertEqual(folder, self.run_folder)
        rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in printed.strip().splitlines()]
        self.assertEqual([row[0] for row in rows[2:]], list(results))
        self.assertEqual(list(results), [
            'CAM', 'CAM, smooth', 'CAM, all sizes', 'CAM averaged in superpixels',
            'CAM averaged in superpixels, all sizes',
            'CAM averaged in superpixels, correlated', 'SP-CAM', 'SP-CAM, all sizes', 'SP-CAM, correlated',
            'segmentation network, round 1', 'segmentation network, round 1, classes found out', 'superpixel oracle'])
        self.assertEqual(rows[0][6:], ['background'] + self.opened.class_names)
        for row in rows[2:]:
            result = results[row[0]]
            self.assertEqual(row[1], '**{:.1f}**'.format(100 * result['mean']))
            self.assertAlmostEqual(result['mean'], np.nanmean(np.array(result['classes'], float)))
        self.assertAlmostEqual(results['superpixel oracle']['mean'], self.oracle())
        self.assertEqual(max(results, key=lambda name: results[name]['mean']), 'superpixel oracle')

    def test_evaluate_refuses_the_folder_of_a_run_and_runs_that_differ_in_more_than_their_seed(self):
        self.assertIn('choose another --out, such as ' + os.path.join(self.run_folder, 'report'),
                      bad('evaluate', self.data, self.run_folder, '--out', self.run_folder))
        other = self.path('without-rounds')
        shutil.copytree(self.run_folder, other, ignore=shutil.ignore_patterns('round-*'))
        self.assertIn('give only runs that differ in their seed',
                      bad('evaluate', self.data, self.run_folder, other, '--out', self.path('out')))

    def test_cam_overwrites_its_own_masks_and_no_other_file(self):
        out, name = self.path('out'), os.path.join('masks', 'test-0001.png')
        theirs = self.write('out/' + name.replace(os.sep, '/'), b'drawn by hand')
        arguments = 'cam', self.data, self.run_folder, '--out', out, '--sp-cam', '--threshold'
        self.assertIn(theirs + ' would be overwritten, and spn has not made it', bad(*arguments, .5))
        with open(theirs, 'rb') as stream:
            self.assertEqual(stream.read(), b'drawn by hand')
        os.remove(theirs)
        good(*arguments, .5)
        first = self.png(out, name)[0]
        good(*arguments, 1)
        self.assertTrue((self.png(out, name)[0] != first).any())

    def test_evaluate_writes_a_page_with_the_masks_that_its_numbers_are_of(self):
        out = self.path('out')
        _, said = good('evaluate', self.data, self.run_folder, '--out', out)
        self.assertIn(os.path.join(out, 'index.html') + ': every picture with its masks', said)
        with open(os.path.join(out, 'results.json'), encoding='utf-8') as stream:
            results = json.load(stream)[self.run_folder]
        with open(os.path.join(out, 'index.html'), encoding='utf-8') as stream:
            page = json.loads(re.search('id="data">(.*?)</script>', stream.read()).group(1))
        self.assertEqual((page['methods'], page['classes']), (list(results), self.opened.class_names))
        self.assertEqual(page['methods'][page['chosen']], 'segmentation network, round 1')
        indices = self.opened.indices('test')
        self.assertEqual([row[0] for row in page['pictures']], self.opened.names[indices].tolist())
        for k, (i, (_, url, width, height, classes, ious)) in enumerate(zip(indices, page['pictures'])):
            image, truth = self.opened.image(i), self.opened.mask(i)
            self.assertEqual((height, width), truth.shape)  # composites are too small to be scaled down
            self.assertEqual(classes, np.flatnonzero(self.opened.labels[i]).tolist())
            stacked, _, palette = self.png(out, url + '.masks.png')
            self.assertEqual(palette[:11], COLOURS[:11].tolist())
            *masks, last = np.split(stacked, len(results) + 1)
            np.testing.assert_array_equal(last, truth)
            for method, mask, iou in zip(results, masks, ious):
                self.assertAlmostEqual(iou, self.iou(truth, mask), delta=1e-4, msg=method)
                self.assertAlmostEqual(iou, results[method]['images'][k], delta=1e-4)
            lines, _, _ = self.png(out, url + '.superpixels.png')
            labels, wanted = self.opened.superpixel_maps('coarse')[i], np.zeros(truth.shape, bool)
            wanted[1:] |= labels[1:] != labels[:-1]
            wanted[:, 1:] |= labels[:, 1:] != labels[:, :-1]
            np.testing.assert_array_equal(lines > 0, wanted)
            photograph, _, _ = self.png(out, url + '.jpg')
            self.assertLess(np.abs(photograph.astype(int) - image).mean(), 8)

    @staticmethod
    def iou(truth, mask):
        """The mean IoU of one mask over the classes that it or the truth shows."""
        known = truth != 255
        ious = [np.sum((truth == c) & (mask == c)) / np.sum(((truth == c) | (mask == c)) & known)
                for c in np.union1d(truth[known], mask[known])]
        return np.mean(ious)

    def oracle(self):
        """The oracle's mean intersection over union on test, slow and plain."""
        hits, either = np.zeros(10), np.zeros(10)
        maps = self.opened.superpixel_maps('coarse')
        for i in self.opened.indices('test'):
            truth, superpixel_map = self.opened.mask(i), maps[i]
            best = np.zeros_like(truth)
            for n in np.unique(superpixel_map):
                best[superpixel_map == n] = np.bincount(truth[superpixel_map == n]).argmax()
            for c in range(10):
                hits[c] += np.sum((truth == c) & (best == c))
                either[c] += np.sum((truth == c) | (best == c))
        return np.mean(hits[either > 0] / either[either > 0])

    def assert_sentence(self, words, *arguments):
        printed, said, status = spn(*arguments)
        self.assertEqual((status, printed), (1, ''))
        sentence = re.split(r'[\r\n]+', said.strip())[-1]  # after the bars
        self.assertTrue(sentence.startswith('Error: '), said)
        self.assertNotIn('Traceback', said)
        for word in words:
            self.assertIn(word, sentence)

    def test_what_is_wrong_with_runs_and_data_is_one_sentence(self):
        other = self.path('other.h5')
        write_small(other)
        cut = self.path('cut', 'model.h5')
        shutil.copy(os.path.join(self.run_folder, 'model.h5'), cut)
        with open(cut, 'r+b') as stream:
            stream.truncate(100000)
        out, size = ('--out', self.path('out')), ('--size', 32, '--weights', 'random')
        for words, arguments in [
                ((other, 'has the classes living, thing', 'was trained on bird'),
                 ('cam', other, self.run_folder) + out),
                ((cut, 'is cut short or not an HDF5 file', '`spn train`'), ('cam', self.data, self.path('cut')) + out),
                (('none/model.h5 is not there', '`spn train`'), ('segment', self.data, self.path('none'))),
                (('none/model.h5 is not there',), ('evaluate', self.data, self.path('none')) + out),
                (("does not know the class 'unicorn'", 'it knows bird'),
                 ('predict', 'x.jpg', '--run', self.run_folder, '--class', 'unicorn') + out),
                (("no superpixels 'slic'", 'it has coarse'),
                 ('train', self.data, '--superpixels', 'slic', '--out', self.path('new')) + size),
                (('model.h5 is of another training', "give the same settings"),
                 ('train', self.data, '--superpixels', 'coarse', '--out', self.run_folder, '--epochs', 9) + size),
                (('the size 40 is not a multiple of 16',), ('encode', self.data, '--size', 40)),
                (('has nothing to learn from',), ('train', self.data, '--superpixels', 'coarse', '--no-gap-branch',
                                                  '--no-superpixel-branch', '--out', self.path('new')) + size)]:
            self.assert_sentence(words, *arguments)
        self.assertFalse(os.path.exists(self.path('out')))


def edges(mask):
    """The pixels that have a neighbour of another value above, below, to the left or right."""
    at_edge = np.zeros(mask.shape, bool)
    for axis in 0, 1:
        differ = np.diff(mask.astype(int), axis=axis) != 0
        for before in (0, 1):
            at_edge |= np.pad(differ, [(before, 1 - before) if a == axis else (0, 0) for a in (0, 1)], 'constant')
    return at_edge


class FrontTest(FolderTestCase):

    def test_every_command_has_help_with_an_example_of_itself_and_a_seed(self):
        pairs = all_commands()
        self.assertEqual({' '.join(names) for names, _ in pairs} - {'reproduce'}, {
            'run', 'data composites', 'data voc', 'data folder', 'info', 'superpixels', 'show', 'encode', 'train',
            'cam', 'segment', 'predict', 'evaluate'})
        for names, command in pairs:
            text, _ = good(*names + ('--help',))
            self.assertRegex(text, r'Example:\s+spn ' + ' '.join(names))
            self.assertIn('seed', {parameter.name for parameter in command.params}, names)
            self.assertTrue(command.help and command.help.strip().splitlines()[0].endswith('.'))

    def test_examples_can_be_parsed(self):
        for names, command in all_commands():
            words = command.epilog.split('Example:')[1].split()
            command.make_context(' '.join(names), words[1 + len(names):])

    def test_python_runs_it_too(self):
        process = subprocess.run([sys.executable, '-m', 'spn', '--help'], cwd=REPOSITORY, stdout=subprocess.PIPE,
                               timeout=100)
        self.assertEqual(process.returncode, 0)
        self.assertTrue(process.stdout.startswith(b'Usage: spn '))

    def test_data_folder_makes_a_data_set_names_what_it_skips_and_counts_it(self):
        for name in 'cat', 'dog':
            for k in range(2):
                picture = io.BytesIO()
                Image.fromarray(data.chelsea()[100 + k:130 + k, 100:140]).save(picture, 'PNG')
                self.write('pictures/{}/{}.png'.format(name, k), picture.getvalue())
        self.write('pictures/cat/cut.png', picture.getvalue()[:900])
        printed, said = good('data', 'folder', self.path('pictures'), self.path('data.h5'), '--max-side', 20)
        self.assertEqual(printed, '{}: 4 train, 0 val, 0 test; classes: cat, dog\n'.format(self.path('data.h5')))
        self.assertIn('skipped: {} cannot be read'.format(self.path('pictures', 'cat', 'cut.png')), said)
        self.assertIn('1 pictures were skipped', said)
        with Dataset(self.path('data.h5')) as dataset:
            self.assertEqual(dataset.sizes.tolist(), [[15, 20]] * 4)

    def test_a_data_set_whose_name_is_not_UTF_8_is_made_and_named(self):
        picture = io.BytesIO()
        Image.fromarray(data.chelsea()[:30, :40]).save(picture, 'PNG')
        self.write('pictures/cat/0.png', picture.getvalue())
        printed, _ = good('data', 'folder', self.path('pictures'), os.path.join(self.folder, os.fsdecode(b'\xe9.h5')))
        self.assertEqual(printed, '{}/\\udce9.h5: 1 train, 0 val, 0 test; classes: cat\n'.format(self.folder))

    def test_what_is_wrong_with_data_is_one_sentence(self):
        write_small(self.path('data.h5'))
        self.write('cut.h5', b'\x89HDF\r\n\x1a\n')
        for words, arguments in [
                (('none.h5 is not there', '`spn data`'), ('superpixels', self.path('none.h5'))),
                (('cut.h5 is cut short',), ('encode', self.path('cut.h5'), '--size', 32, '--weights', 'random')),
                (('--set scale is not of the form SETTING=NUMBER',),
                 ('superpixels', self.path('data.h5'), '--set', 'scale')),
                (("no setting 'size'",), ('superpixels', self.path('data.h5'), '--set', 'size=3')),
                (('none cannot be read as a folder',), ('data', 'folder', self.path('none'), self.path('new.h5'))),
                (('has no folder JPEGImages',), ('data', 'voc', self.folder, self.path('new.h5')))]:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                printed, said, status = spn(*arguments)
            self.assertEqual((status, printed), (1, ''), said)
            self.assertNotIn('Traceback', said)
            for word in words:
                self.assertIn(word, said.strip().splitlines()[-1])
        self.assertEqual(self.files(), ['cut.h5', 'data.h5'])

    def test_what_cannot_be_learned_is_reported_before_anything_is_encoded(self):
        write_small(self.path('data.h5'))
        good('superpixels', self.path('data.h5'), '--method', 'grid', '--name', 'grid')
        arguments = ('train', self.path('data.h5'), '--out', self.path('run'), '--size', 32, '--weights', 'random')
        for words, more in [(('labelled \'thing\'', 'leave the class out'), ('--superpixels', 'grid')),
                            (("no superpixels 'none'",), ('--superpixels', 'none')),
                            (('has nothing to learn from',),
                             ('--superpixels', 'grid', '--no-gap-branch', '--no-superpixel-branch'))]:
            printed, said, status = spn(*arguments + more)
            self.assertEqual((status, printed), (1, ''), said)
            for word in words:
                self.assertIn(word, said.strip().splitlines()[-1])
        self.assertEqual([name for name in self.files() if 'superpixels' not in name], ['data.h5'])

    def test_numbers_that_are_not_finite_are_refused(self):
        for arguments, option in [(('train', 'data.h5', '--out', 'out'), '--learning-rate'),
                                  (('segment', 'data.h5', 'run'), '--kept'),
                                  (('cam', 'data.h5', 'run', '--out', 'out'), '--threshold')]:
            _, said, status = spn(*arguments + (option, 'nan'))
            self.assertEqual(status, 2)
            self.assertIn("Invalid value for '{}': nan is not a finite number".format(option), said)

    def test_no_command_imports_theano_before_it_is_needed(self):
        code = 'import sys, spn.commands; assert not {"theano", "keras", "matplotlib"} & set(sys.modules)'
        self.assertEqual(subprocess.run([sys.executable, '-c', code], cwd=REPOSITORY).returncode, 0)
