"""The code in the documents does what they say, and their links exist."""
import os
import re
import shutil
import tempfile
import unittest

import matplotlib.image
import numpy as np

from docs.draw_semantics import PICTURES, draw
from docs.draw_tutorial import code_of_tutorial
from tests.processes import REPOSITORY, run_python


#: Compiles as the tests of this process do, and takes what they have compiled.
COMPILE_AS_TESTS_DO = 'from tests.run import Runner\nRunner()\n'


def read(name):
    with open(os.path.join(REPOSITORY, name), encoding='utf-8') as stream:
        return stream.read()


class DocumentationTest(unittest.TestCase):

    def test_the_code_of_the_readme_prints_what_the_readme_shows(self):
        examples = re.findall('```python\n(.*?)```\n```\n(.*?)```', read('README.md'), re.DOTALL)
        self.assertEqual(len(examples), 2)
        for code, expected in examples:
            self.assertEqual(len(code.splitlines()), 8)
            self.assertEqual(run_python(COMPILE_AS_TESTS_DO + code), expected)

    def test_the_code_of_the_tutorial_prints_what_it_shows_and_draws_the_pictures_that_it_shows(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        code, expected = code_of_tutorial()
        self.assertGreater(len(code.splitlines()), 50)
        self.assertEqual(run_python(COMPILE_AS_TESTS_DO + code, folder=folder), expected)
        shown = re.findall(r'\]\(tutorial/(.*?)\)', read('docs/tutorial.md'))
        self.assertEqual(sorted(os.listdir(folder)), sorted(shown))
        self.assertEqual(sorted(os.listdir(os.path.join(REPOSITORY, 'docs', 'tutorial'))), sorted(shown))
        for name in shown:
            drawn, kept = [matplotlib.image.imread(os.path.join(where, name)).astype(float)
                           for where in (folder, os.path.join(REPOSITORY, 'docs', 'tutorial'))]
            self.assertEqual(drawn.shape, kept.shape, name)
            # Not each pixel: convolutions round differently on another machine, and training makes more of it.
            self.assertLess(np.mean(abs(drawn - kept)), .1 * kept.max(), name)

    def test_the_examples_in_docstrings_hold(self):
        printed = run_python(COMPILE_AS_TESTS_DO + '''
import doctest, numpy, theano_spp
from theano_spp import composites, label_tools, overlap, pool, region_graph, sizes, slic, soft, unpool
for module in composites, label_tools, overlap, pool, region_graph, sizes, slic, soft, unpool:
    print(doctest.testmod(module))
''', {'floatX': 'float64'})
        self.assertEqual(printed.count('failed=0'), 9, printed)
        self.assertEqual(printed.count('attempted=0'), 0, printed)

    def test_every_link_and_picture_of_the_documents_exists(self):
        for name in ('README.md', 'CONTRIBUTING.md', 'docs/semantics.md', 'docs/gpu.md', 'docs/performance.md',
                     'docs/old_models.md', 'docs/tutorial.md', 'docs/glossary.md', 'docs/gallery.md', 'docs/index.md',
                     'docs/install.md', 'docs/measurements.md', 'docs/reproduction.md', 'docs/report.md',
                     'docs/cluster.md'):
            for target in re.findall(r'\]\(([^)#:]+)\)', read(name)):
                path = os.path.join(REPOSITORY, os.path.dirname(name), target)
                self.assertTrue(os.path.exists(path), '%s -> %s' % (name, target))

    def test_every_make_target_of_the_documents_exists(self):
        targets = set(re.findall(r'^(\w+):', read('Makefile'), re.MULTILINE))
        for name in ('README.md', 'CONTRIBUTING.md', 'CHANGES.md'):
            for target in re.findall(r'make (\w+)', re.sub('make git|git make', '', read(name))):
                if re.search(r'^    make %s|`make %s' % (target, target), read(name), re.MULTILINE):
                    self.assertIn(target, targets, name)

    def test_the_pictures_of_semantics_are_drawn_by_their_script_and_shown(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        draw(folder)
        self.assertEqual(sorted(os.listdir(folder)), sorted(PICTURES))
        for name in PICTURES:
            picture = matplotlib.image.imread(os.path.join(folder, name))
            self.assertGreater(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0).shape[0], 20)
            self.assertIn('](%s)' % name, read('docs/semantics.md'))
