"""The error when Theano cannot be imported, and that the cure it names would help."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from theano_spp import installation
from tests.processes import REPOSITORY

NUMPY, SCIPY = [pins for oldest, pins in (((3, 6), ('1.19.5', '1.5.4')), ((3, 9), ('1.23.5', '1.9.3')),
                                         ((3, 12), ('1.26.4', '1.13.1')), ((3, 13), ('2.2.6', '1.18.1')))
                if sys.version_info >= oldest][-1]

with_metadata = unittest.skipUnless(sys.version_info >= (3, 8), 'no NumPy that is too new exists for this Python')


class WhyTheanoIsMissingTest(unittest.TestCase):

    def sentence(self, reason, **installed):
        with mock.patch('importlib.metadata.version', lambda name: installed[name]), \
                mock.patch.dict(sys.modules, theano=None):
            return installation.why_theano_is_missing(reason)

    @with_metadata
    def test_packages_that_another_project_made_newer_are_named_with_the_versions_to_install(self):
        said = self.sentence(ImportError("cannot import name '__config__'"),
                             numpy='3.0.1', scipy='1.99.0', h5py='2.10.0')
        self.assertIn("cannot be imported with numpy 3.0.1, scipy 1.99.0 (cannot import name '__config__')", said)
        self.assertTrue(said.endswith(': pip install numpy=={} scipy=={}'.format(NUMPY, SCIPY)), said)
        said = self.sentence(Exception('Compilation failed' + ' PyInt_AsLong' * 999),
                             numpy='3.0.1', scipy=SCIPY, h5py='2.9')
        self.assertTrue(said.endswith(' ...): pip install numpy==' + NUMPY), said)
        self.assertLess(len(said), 400)
        said = self.sentence(AttributeError("module 'numpy' has no attribute 'bool'"),
                             numpy='2.99.0', scipy=SCIPY, h5py='2.9')
        self.assertTrue(said.endswith(': pip install numpy==' + NUMPY), said)

    @with_metadata
    def test_packages_that_are_newer_than_ours_but_were_tried_are_not_blamed(self):
        said = self.sentence(ModuleNotFoundError("No module named 'distutils'", name='distutils'),
                             numpy='2.4.6', scipy='1.18.1', h5py='3.16.0')
        setuptools = 'setuptools==84.2.1' if sys.version_info >= (3, 12) else 'Theano-PyMC==1.0.9'
        self.assertTrue(said.endswith("(No module named 'distutils'): pip install " + setuptools), said)

    @with_metadata
    def test_packages_that_are_not_newer_are_not_blamed(self):
        said = self.sentence(ImportError('no'), numpy='1.19.5', scipy='1.5.4', h5py='2.9.0')
        self.assertTrue(said.endswith('Theano cannot be imported (no): pip install Theano-PyMC==1.0.9'), said)
        self.assertIsNone(self.sentence(Exception('Compilation failed'), numpy='1.19.5', scipy='1.5.4', h5py='2.9.0'))

    @with_metadata
    def test_a_package_that_is_missing_is_the_one_to_install(self):
        said = self.sentence(ModuleNotFoundError("No module named 'numpy'", name='numpy'),
                             numpy='1.9', scipy='1.5', h5py='2.9')
        self.assertTrue(said.endswith("(No module named 'numpy'): pip install numpy==" + NUMPY), said)
        said = self.sentence(ModuleNotFoundError("No module named 'theano'", name='theano'),
                             numpy='3.0', scipy='1.5', h5py='2.9')
        self.assertTrue(said.endswith("(No module named 'theano'): pip install Theano-PyMC==1.0.9"), said)

    def test_the_pins_are_those_of_requirements_txt_for_this_python(self):
        pins = installation.pins()
        self.assertEqual((pins['numpy'], pins['scipy'], pins['keras'], pins['Theano-PyMC']),
                         (NUMPY, SCIPY, '2.2.5', '1.0.9'))
        self.assertEqual(len(pins), 10 if sys.version_info >= (3, 12) else 9)


class NoHeaderTest(unittest.TestCase):

    def test_a_compiler_without_python_h_is_one_sentence_that_names_the_packages(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        compiler = os.path.join(folder, 'g++')
        with open(compiler, 'w') as f:
            f.write('#!/bin/sh\necho "mod.cpp:1:10: fatal error: Python.h: No such file or directory" >&2\nexit 1\n')
        os.chmod(compiler, 0o755)
        flags = "cxx='{}',base_compiledir='{}',device=cpu,blas.ldflags=,gcc.cxxflags=-march=x86-64".format(
            compiler, folder)
        process = subprocess.Popen([sys.executable, '-c', 'import theano_spp'], cwd=folder,
                                   env=dict(os.environ, PYTHONPATH=REPOSITORY, THEANO_FLAGS=flags),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, universal_newlines=True)
        said = process.communicate()[1].splitlines()
        self.assertEqual(process.returncode, 1)
        self.assertTrue(said[-1].startswith("ImportError: theano_spp needs Theano, and Theano needs Python's header"
                                            " Python.h"))
        self.assertIn('apt-get install python3-dev, or python3.{}-dev'.format(sys.version_info[1]), said[-1])
        self.assertEqual([line for line in said if 'lazylinker' in line], [])
