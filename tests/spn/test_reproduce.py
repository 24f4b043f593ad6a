"""All steps, from packages to a document with results, on a few small pictures."""
import json
import os
from unittest import mock

from click.testing import CliRunner

from spn import reproduce
from spn.commands import main

from .cases import FolderTestCase


class ReproduceTest(FolderTestCase):

    @mock.patch.object(reproduce, 'QUICK', reproduce.QUICK._replace(
        n_pictures={'train': 18, 'val': 9, 'test': 9}, sizes=[64, 96]))
    def test_one_command_runs_all_steps_and_a_second_one_finds_them_done(self):
        document = self.write('results/reproduction.md',
                              'Before.\n' + reproduce.BEGIN + 'Of yesterday.' + reproduce.END + '\nAfter.\n')
        arguments = ['reproduce', '--quick', '--folder', self.path('work'), '--document', document]
        for again in False, True:
            made = {name: os.stat(self.path('work', name, 'model.h5')).st_mtime_ns for name in ('seed-0', 'seed-1')
                    } if again else None
            result = CliRunner().invoke(main, arguments, catch_exceptions=False)
            self.assertEqual(result.exit_code, 0, result.output)
        self.assertEqual(made, {name: os.stat(self.path('work', name, 'model.h5')).st_mtime_ns for name in made})
        with open(document) as stream:
            text = stream.read()
        self.assertTrue(text.startswith('Before.\n') and text.endswith('\nAfter.\n'), text)
        self.assertNotIn('yesterday', text)
        self.assertIn('18 training images, 9 to choose thresholds on, 9 to report on', text)
        for row in ('CAM', 'SP-CAM, all sizes', 'segmentation network, round 2', 'superpixel oracle',
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

    def test_a_document_without_a_place_for_results_is_left_as_it_is(self):
        document = self.write('notes.md', 'My notes.\n')
        self.assert_says(['notes.md', 'no place for results', reproduce.BEGIN], reproduce.write_results, document,
                         ['table'])
        with open(document) as stream:
            self.assertEqual(stream.read(), 'My notes.\n')
