"""One's own labelled pictures: masks of each of them by one command."""
import os
import re
import warnings
from unittest import mock

import numpy as np
from click.testing import CliRunner
from PIL import Image
from skimage import data

from spn import run
from spn.commands import main
from spn.data.dataset import Dataset
from spn.errors import SpnError
from spn.networks.settings import RoundSettings, TrainingSettings
from tests.spn.cases import FolderTestCase
from tests.spn.data.sources.pictures import jpeg, png


class RunTest(FolderTestCase):

    def write_photographs(self, with_masks=True):
        """Seven pictures of each of two classes, parts of photographs; the first of them is larger than 500 pixels."""
        for name, photograph in ('cat', data.chelsea()), ('cup', data.coffee()):
            for k in range(7):
                part = np.ascontiguousarray(photograph[20 + 8 * k:116 + 8 * k, 60 + 20 * k:188 + 20 * k])
                if k == 0:
                    part = part.repeat(6, axis=0).repeat(6, axis=1)
                self.write('photographs/{}/{}.jpg'.format(name, k), jpeg(part))
                if with_masks:
                    mask = np.zeros(part.shape[:2], 'uint8')
                    mask[20:, :70] = 1
                    self.write('photographs/masks/{}/{}.png'.format(name, k), png(mask))

    def run_it(self):
        with warnings.catch_warnings(), mock.patch.object(run, 'LEAST_BATCHES', 2), \
                mock.patch.object(run, 'TrainingSettings', lambda: TrainingSettings(epochs=1)), \
                mock.patch.object(run, 'RoundSettings', lambda: RoundSettings(epochs=1)), \
                mock.patch.object(run, 'N_ROUNDS', 1):
            warnings.simplefilter('ignore')
            result = CliRunner(mix_stderr=False).invoke(main, [
                'run', self.path('photographs'), '--out', self.path('results'), '--size', '32', '--weights', 'random'])
        self.assertEqual(result.exit_code, 0, result.stderr)
        return result.stdout, result.stderr

    def assert_has_masks_of_all(self):
        for name in 'cat', 'cup':
            for k in range(7):
                wanted = (576, 768) if k == 0 else (96, 128)
                for kind in 'masks', 'overlays':
                    with Image.open(self.path('results', kind, name, '{}.png'.format(k))) as image:
                        self.assertEqual(np.array(image).shape[:2], wanted)
                        if kind == 'masks':
                            self.assertTrue(set(np.unique(np.array(image))) <= {0, 1 + (name == 'cup')})

    def test_one_command_makes_masks_of_every_picture_in_its_own_size_and_a_report(self):
        self.write_photographs()
        printed, said = self.run_it()
        self.assertEqual(printed, '{}: masks, overlays and heat maps and a report\n'.format(self.path('results')))
        for step in 'data and superpixels', 'features', 'training', 'segmentation network', 'masks', 'report':
            self.assertIn('== ' + step, said)
        self.assert_has_masks_of_all()
        self.assertTrue({'bars.png', 'classes.csv', 'results.md'} <= set(os.listdir(self.path('results'))))
        made = {name: os.stat(self.path(name)).st_mtime_ns for name in self.files() if name.endswith(('.h5', '0.png'))}
        self.run_it()
        self.assertEqual(made, {name: os.stat(self.path(name)).st_mtime_ns for name in made})

    def test_without_true_masks_there_is_no_report(self):
        self.write_photographs(with_masks=False)
        with mock.patch.object(run.pipeline, 'train'), mock.patch.object(run.pipeline, 'segment'), \
                mock.patch.object(run.pipeline, 'make_all_features'), mock.patch.object(run, 'Encoder'), \
                mock.patch.object(run, 'Run'), mock.patch.object(run, 'write_cams') as write_cams:
            printed, said = self.run_it()
        self.assertEqual(printed, '{}: masks, overlays and heat maps\n'.format(self.path('results')))
        self.assertEqual((write_cams.call_count, write_cams.call_args[0][3]), (1, 'all'))
        self.assertNotIn('== report', said)

    def test_few_pictures_are_trained_on_for_more_epochs(self):
        self.write_photographs()
        with mock.patch.object(run.pipeline, 'make_all_features', side_effect=KeyboardInterrupt):
            CliRunner().invoke(main, ['run', self.path('photographs'), '--out', self.path('results')])
        path = self.path('results', 'work', 'pictures.h5')
        with Dataset(path) as dataset:
            n = len(dataset.indices('train'))
        self.assertEqual(n, 10)
        self.assertEqual([run.long_enough(TrainingSettings(batch_size=size), path).epochs for size in (16, 4)],
                         [100, 34])
        self.assertEqual(run.long_enough(TrainingSettings(epochs=500), path).epochs, 500)

    def error_of_run(self, folder, out):
        """What is said of a run that ends before features are computed, or that it would go on to compute them."""
        with mock.patch.object(run.pipeline, 'make_all_features', side_effect=SpnError('it goes on')):
            result = CliRunner(mix_stderr=False).invoke(main, ['run', folder, '--out', out])
        self.assertEqual(result.exit_code, 1)
        return result.stderr.splitlines()[-1]

    def test_a_folder_without_classes_is_one_sentence(self):
        self.path('photographs', '')
        self.assertIn('has no folder in it: wanted is one for each class',
                      self.error_of_run(self.path('photographs'), self.path('out')))

    def test_results_in_the_folder_of_the_pictures_would_be_classes_or_overwrite_true_masks(self):
        self.write_photographs()
        for out in 'photographs', 'photographs/results':
            self.assertIn('whose folders are classes of pictures: choose another --out',
                          self.error_of_run(self.path('photographs'), self.path(out)))
        self.assertIn('it goes on', self.error_of_run(self.path('photographs'), self.path('photographs-results')))

    def test_pictures_and_masks_that_were_added_or_replaced_are_noticed_and_another_spelling_is_not(self):
        self.write_photographs(with_masks=False)
        folder, out = self.path('photographs'), self.path('out')
        for spelling in folder, folder + '/', os.path.join(folder, os.pardir, 'photographs'):
            self.assertIn('it goes on', self.error_of_run(spelling, out))
        self.write('photographs/masks/cat/0.png', png(np.ones((576, 768), 'uint8')))
        self.assertRegex(self.error_of_run(folder, out), 'replaced since {} was made.*remove its folder'.format(
            re.escape(os.path.join(out, 'work', 'pictures.h5'))))
        os.remove(self.path('photographs', 'masks', 'cat', '0.png'))
        self.assertIn('it goes on', self.error_of_run(folder, out))
        self.write('photographs/cat/0.jpg', jpeg(np.zeros((40, 50, 3), 'uint8')))
        self.assertIn('were added, removed or replaced', self.error_of_run(folder, out))
