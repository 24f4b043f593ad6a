"""What make does first: the .venv of a clone, or one sentence that says what is missing and what to type."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import nose
from tests.processes import REPOSITORY

PACKAGES_HERE = os.path.dirname(os.path.dirname(os.path.abspath(nose.__file__)))
NOT_TO_COPY = shutil.ignore_patterns('.*', 'build', '_build', 'dist', '*.egg-info', '__pycache__')


class MakeVenvTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.clone = os.path.join(self.folder, 'clone')
        shutil.copytree(os.path.join(REPOSITORY, 'environments'), os.path.join(self.clone, 'environments'))
        shutil.copytree(os.path.join(REPOSITORY, 'theano_spp'), os.path.join(self.clone, 'theano_spp'),
                        ignore=NOT_TO_COPY)
        self.bin = os.path.join(self.folder, 'bin')  # tools, g++ not among them
        os.mkdir(self.bin)
        for tool in 'sh dirname cat cksum rm tail'.split():
            os.symlink(shutil.which(tool), os.path.join(self.bin, tool))

    def python(self, answers):
        """A Python that answers as told to code with certain words, and is else this one."""
        path = os.path.join(self.bin, 'python')
        with open(path, 'w') as f:
            f.write('#!/bin/sh\ncase "$2" in {}\n*) exec {} "$@";; esac\n'.format(
                ' '.join('*{}*) {};;'.format(*each) for each in answers.items()), sys.executable))
        os.chmod(path, 0o755)
        return path

    def make_venv(self, *arguments, **environment):
        """The exit status, and what is printed."""
        process = subprocess.Popen(['sh', 'environments/make_venv.sh'] + list(arguments), cwd=self.clone,
                                   env=dict(os.environ, **environment), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        printed = process.communicate()[0]
        return process.returncode, printed

    def test_a_python_that_does_not_fit_is_told_which_do(self):
        status, printed = self.make_venv(self.python({'version_info': 'exit 1'}))
        self.assertEqual(status, 1)
        self.assertIn('bin/python is not a Python from 3.6 to 3.13 that runs here', printed)
        self.assertIn('name one: make test PYTHON=', printed)
        self.assertEqual(len(printed.splitlines()), 2)

    def test_what_is_missing_beside_python_is_listed_with_the_packages_to_install(self):
        python = self.python({'base_prefix': 'echo /no/such/python', 'ensurepip': 'exit 1', 'Python.h': 'exit 1'})
        status, printed = self.make_venv(python, PATH=self.bin)
        self.assertEqual(status, 1, printed)
        for missing in 'venv and ensurepip', "Python's header Python.h", 'the compiler g++':
            self.assertIn(missing, printed)
        self.assertTrue(printed.strip().endswith(
            'sudo apt-get install python3.{0}-venv python3.{0}-dev g++'.format(sys.version_info[1])), printed)

    def test_without_a_network_the_last_line_says_what_failed_and_a_half_made_folder_is_made_anew(self):
        for _ in range(2):
            status, printed = self.make_venv(sys.executable, PIP_NO_INDEX='1')
            self.assertEqual(status, 1)
            self.assertIn('Making .venv from', printed)
            self.assertEqual(printed.splitlines()[-1],
                             'pip could not install requirements-dev.txt; the whole story is in .venv/pip.log. '
                             'Is there a network?')

    def test_in_the_finished_one_keras_may_be_imported_first_from_any_folder(self):
        open(os.path.join(self.clone, 'environments', 'nothing.txt'), 'w').close()
        make = sys.executable, '.venv', 'nothing.txt'
        self.assertEqual(self.make_venv(*make)[0], 0)
        self.assertEqual(self.make_venv(*make), (0, ''))
        os.remove(os.path.join(self.clone, '.venv', 'ready'))
        self.assertIn('Making .venv from', self.make_venv(*make)[1])
        python = os.path.join(self.clone, '.venv', 'bin', 'python')
        for first in 'keras', 'theano', 'nose':
            code = 'import site; site.addsitedir({!r}); import {}, keras, theano_spp as t; print(t.__file__)'.format(
                PACKAGES_HERE, first)
            environment = {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}
            printed = subprocess.check_output([python, '-c', code], cwd=self.folder, env=environment,
                                              universal_newlines=True, stderr=subprocess.STDOUT)
            self.assertEqual(os.path.realpath(printed.splitlines()[-1]),
                             os.path.realpath(os.path.join(self.clone, 'theano_spp', '__init__.py')), printed)


class MakeGpuVenvTest(unittest.TestCase):

    def printed(self, **tools):
        """What make_gpu_venv.sh prints, and its exit status, where these tools do what they are given as shell code."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        os.symlink(shutil.which('dirname'), os.path.join(folder, 'dirname'))
        for name, code in dict({'dpkg': 'exit 1', 'id': 'echo 1000'}, **tools).items():
            with open(os.path.join(folder, name.replace('_', '-')), 'w') as tool:
                tool.write('#!{}\n{}\n'.format(shutil.which('sh'), code))
            os.chmod(tool.name, 0o755)
        process = subprocess.run([shutil.which('sh'), 'environments/make_gpu_venv.sh'], cwd=REPOSITORY,
                                 env={'PATH': folder}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 universal_newlines=True)
        return process.stdout, process.returncode

    def test_a_system_without_pygpu_is_told_which_has_it(self):
        self.assertEqual(self.printed(apt_get='exit 0', apt_cache='test "$*" = "show python3"'), (
            'This system has no package python3-pygpu, which Theano needs for a GPU. Debian 12 has it: see '
            'docs/gpu.md.\n', 2))

    def test_who_may_not_install_is_told_what_to_type(self):
        printed, status = self.printed(apt_get='exit 0', apt_cache='exit 0')
        self.assertEqual(status, 2)
        self.assertTrue(printed.startswith(
            'For the tests on the GPU type:  sudo apt-get install --no-install-recommends python3-pygpu '), printed)
        self.assertEqual(len(printed.splitlines()), 1)

    def test_without_a_network_it_says_so(self):
        printed, status = self.printed(id='echo 0', apt_get='exit 1', apt_cache='exit 0')
        self.assertEqual(status, 2)
        self.assertTrue(printed.splitlines()[-1].endswith('Is there a network?'), printed)
