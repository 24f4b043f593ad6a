"""All steps, from packages to a document with results, on a few small pictures."""
import json
import os
from unittest import mock

from click.testing import CliRunner

from spn import estimate, pipeline, reproduce
from spn.commands import main
from spn.data.dataset import Dataset
from spn.networks.settings import RoundSettings, TrainingSettings

from .cases import FolderTestCase
from .data.sources import voc_tree


class ReproduceTest(FolderTestCase):

    @mock.patch.object(reproduce, 'QUICK', reproduce.QUICK._replace(sizes=[64], n_seeds=1, n_rounds=1))
    @mock.patch.object(estimate, 'SAMPLE', 3)
    @mock.patch.dict(pipeline.MAPS, middle=('grid', {'n_segments': 60}), coarse=('grid', {'n_segments': 20}))
    @mock.patch.object(reproduce, 'QUICK_COMPOSITES', {'train': 18, 'val': 9, 'test': 9})
    def test_one_command_runs_all_steps_and_a_second_one_finds_them_done(self):
        document = self.write('results/reproduction.md',
                              'Before.\n' + reproduce.BEGIN + 'Of yesterday.' + reproduce.END + '\nAfter.\n')
        arguments = ['reproduce', '--quick', '--folder', self.path('work'), '--document', document]
        for again in False, True:
            made = {name: os.stat(self.path('work', name, 'model.h5')).st_mtime_ns
                    for name in ('seed-0', 'middle-superpixels')} if again else None
            result = CliRunner().invoke(main, arguments, catch_exceptions=False)
            self.assertEqual(result.exit_code, 0, result.output)
        self.assertEqual(made, {name: os.stat(self.path('work', name, 'model.h5')).st_mtime_ns for name in made})
        with open(document) as stream:
            text = stream.read()
        self.assertTrue(text.startswith('Before.\n') and text.endswith('\nAfter.\n'), text)
        self.assertNotIn('yesterday', text)
        self.assertIn('18 training images, 9 to choose thresholds on, 9 to report on', text)
        for row in ('CAM', 'SP-CAM, all sizes', 'segmentation network, round 1', 'superpixel oracle',
                    'middle superpixels'):
            self.assertIn('| {} |'.format(row), text)
        for picture in 'bars.png', 'examples.png':
            self.assertIn('(reproduction/{})'.format(picture), text)
            self.assertTrue(os.path.exists(self.path('results', 'reproduction', picture)))
        self.assertEqual(sorted(os.listdir(self.path('results', 'reproduction'))),
                         ['bars.png', 'examples.png', 'results.json', 'results.md'])
        # The page has thousands of files, which the folder of a document would have to keep.
        self.assertEqual(sorted(os.listdir(self.path('work', 'results'))), ['bars.png', 'index.html', 'pictures'])
        with open(self.path('results', 'reproduction', 'results.json')) as stream:
            results = json.load(stream).values()
        # The oracle knows the true masks, so nothing else can be near it after two epochs on 36 pictures.
        self.assertTrue(all(result['superpixel oracle']['mean'] > .8 > result['SP-CAM']['mean'] for result in results))

    @mock.patch.object(reproduce, 'VOC', reproduce.Plan([64], 1, 1, [], TrainingSettings(epochs=1),
                                                        RoundSettings(epochs=1)))
    @mock.patch.object(estimate, 'SAMPLE', 3)
    @mock.patch.dict(pipeline.MAPS, {name: ('grid', {'n_segments': n}) for name, n in [
        ('fine', 60), ('middle', 30), ('coarse', 12)]})
    def test_one_command_reproduces_it_on_a_tree_like_VOC_and_reports_on_all_of_val(self):
        voc_tree.write_tree(self.path('VOC2012'), 26, {'val': .2, 'train': .25})
        result = CliRunner(mix_stderr=False).invoke(
            main, ['reproduce', '--voc', self.path('VOC2012'), '--folder', self.path('work'), '--weights', 'random'],
            catch_exceptions=False)
        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertRegex(result.stderr, r'26 pictures. It will take about [0-9]+ min and [0-9]+ MB of disk in ')
        with open(self.path('work', 'reproduction.md')) as stream:
            text = stream.read()
        # Of the six of train.txt the fifth chooses the threshold.
        self.assertRegex(text, r'Mean intersection over union of 21 classes on 5 pictures: \*\*[0-9.]+ without image '
                               r'labels\*\*, as the paper reports it, and [0-9.]+ with them')
        self.assertIn('20 training images, 1 to choose thresholds on, 5 to report on; image sizes 64', text)
        self.assertIn('| aeroplane | bicycle | bird |', text)
        with Dataset(self.path('work', 'voc.h5')) as dataset:
            self.assertEqual(sorted(dataset.names[dataset.splits == 'test']),
                             ['2008_00000{}.jpg'.format(k) for k in range(1, 6)])
            self.assertTrue(0 < (~dataset.has_mask).sum() < 13)
        self.assertFalse([name for name in self.files() if '.sample' in name or '.new-' in name])

    def test_the_estimate_is_the_sum_of_what_the_pictures_of_each_split_cost(self):
        source = pipeline.Composites({'train': 100, 'val': 10, 'test': 20}, 0)
        plan = reproduce.FULL._replace(n_seeds=2, n_rounds=3, ablations=['SLIC'])
        steps = estimate.extrapolated({'data': [.5, 1000], 'superpixels': [1, 200], 'features': [2, 30]}, source, plan)
        self.assertEqual([steps[name] for name in ('data', 'superpixels', 'features')],
                         [(65, 130000), (130, 26000), (260, 3900)])
        compiling, epochs = estimate.COMPILING, reproduce.FULL.training.epochs
        self.assertAlmostEqual(steps['training'][0], 3 * (compiling + 200 * estimate.EPOCH * epochs))
        self.assertAlmostEqual(steps['segmentation network'][0], 2 * (compiling + 3 * (
            200 * (estimate.MASKS + estimate.SEGMENTATION_EPOCH * epochs) + 20 * estimate.MASKS)))
        self.assertAlmostEqual(steps['evaluation'][0], 3 * 60 * estimate.EVALUATION)

    def test_durations_and_amounts_are_said_as_people_would(self):
        self.assertEqual([estimate.duration(seconds) for seconds in (3, 90, 5000, 30000)],
                         ['1 min', '2 min', '83 min', '8.3 h'])
        self.assertEqual([estimate.amount(size) for size in (10, 5e6, 1.39e10)], ['1 MB', '5 MB', '13.9 GB'])

    def test_a_document_without_a_place_for_results_is_left_as_it_is(self):
        document = self.write('notes.md', 'My notes.\n')
        self.assert_says(['notes.md', 'no place for results', reproduce.BEGIN], reproduce.write_results, document,
                         ['table'])
        with open(document) as stream:
            self.assertEqual(stream.read(), 'My notes.\n')
