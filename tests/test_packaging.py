"""What an installed theano-spp is: the content of its wheel, and what works in an environment that has nothing else of
us.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

import nose
import setuptools
import theano
from theano_spp import __version__
from theano_spp.legacy_bridge import openblas_ldflags

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SITE_PACKAGES_HERE = os.path.dirname(os.path.dirname(os.path.abspath(nose.__file__)))
NOT_TO_COPY = shutil.ignore_patterns('.*', 'build', '_build', 'dist', '*.egg-info', '__pycache__')


def call(*command, **how):
    """What a command prints, both streams together. It inherits nothing of this process but the compile folder."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('PYTHONPATH', 'PYTHONHOME', 'KERAS_BACKEND')}
    environment['THEANO_FLAGS'] = "base_compiledir='{}'".format(theano.config.base_compiledir)
    process = subprocess.Popen(command, cwd=how['folder'], env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    printed = process.communicate()[0]
    assert process.returncode == 0, '{} ended with {}:\n{}'.format(' '.join(command), process.returncode, printed)
    return printed


class TestPackaging(unittest.TestCase):
    """A copy of this folder becomes an sdist, the sdist a wheel, the wheel an installation. Nothing needs a network."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        clone = os.path.join(cls.folder, 'clone')
        shutil.copytree(REPOSITORY, clone, ignore=NOT_TO_COPY)
        call(sys.executable, 'setup.py', '-q', 'sdist', folder=clone)
        sdist, = glob.glob(os.path.join(clone, 'dist', '*.tar.gz'))
        with tarfile.open(sdist) as archive:
            cls.in_sdist = archive.getnames()
            archive.extractall(cls.folder)
        shutil.rmtree(clone)
        unpacked = os.path.join(cls.folder, os.path.basename(sdist)[:-len('.tar.gz')])
        call(sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--no-index', '--no-build-isolation', '-w', '..', '.',
             folder=unpacked)
        shutil.rmtree(unpacked)
        cls.wheel, = glob.glob(os.path.join(cls.folder, '*.whl'))
        with zipfile.ZipFile(cls.wheel) as archive:
            cls.in_wheel = archive.namelist()
            metadata, = [name for name in cls.in_wheel if name.endswith('.dist-info/METADATA')]
            cls.metadata = archive.read(metadata).decode('utf8').splitlines()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_a_wheel_carries_the_c_files(self):
        self.assertIn('theano_spp/precompiled_headers.h', self.in_wheel)
        for folder in 'theano_spp/c_code/', 'theano_spp/gpuarray/c_code/':
            ours = {os.path.relpath(path, REPOSITORY) for path in glob.glob(os.path.join(REPOSITORY, folder, '*', '*'))}
            self.assertTrue(ours)
            self.assertEqual({path for path in self.in_wheel if path.startswith(folder)}, ours)

    def test_a_wheel_carries_the_templates_of_pages(self):
        folder = 'spn/results/templates/'
        ours = {folder + name for name in os.listdir(os.path.join(REPOSITORY, folder))}
        self.assertIn(folder + 'page.html', ours)
        self.assertEqual({path for path in self.in_wheel if path.startswith(folder)}, ours)

    def test_a_wheel_installs_three_packages_and_the_pth_and_no_tests(self):
        top = {name.split('/')[0] for name in self.in_wheel}
        self.assertEqual({name for name in top if not name.endswith('.dist-info')},
                         {'theano_spp', 'keras_layer', 'spn', 'theano_spp_legacy_bridge.pth'})

    def test_a_wheel_is_for_any_machine_and_for_python_3_6_to_3_13(self):
        self.assertEqual(os.path.basename(self.wheel), 'theano_spp-{}-py3-none-any.whl'.format(__version__))
        self.assertTrue({'Requires-Python: >=3.6,<3.14', 'Requires-Python: <3.14,>=3.6'} & set(self.metadata))

    def test_a_wheel_requires_for_each_python_ranges_that_hold_the_pins_of_requirements_txt(self):
        from packaging.requirements import Requirement
        required = [Requirement(line[len('Requires-Dist: '):]) for line in self.metadata
                    if line.startswith('Requires-Dist: ')]
        for python, pins in (('3.6', 'numpy==1.19.5 scipy==1.5.4 h5py==2.10.0 Theano-PyMC==1.0.9'),
                             ('3.8', 'numpy==1.19.5 scipy==1.5.4 h5py==2.10.0 Theano-PyMC==1.0.9'),
                             ('3.11', 'numpy==1.23.5 scipy==1.9.3 h5py==3.10.0 Theano-PyMC==1.0.9'),
                             ('3.12', 'numpy==1.26.4 scipy==1.13.1 h5py==3.16.0 setuptools==84.2.1'),
                             ('3.13', 'numpy==2.2.6 scipy==1.18.1 h5py==3.16.0 setuptools==84.2.1')):
            here = {each.name: each.specifier for each in required
                    if each.marker is None or each.marker.evaluate({'python_version': python, 'extra': ''})}
            pins = dict(pin.split('==') for pin in pins.split() + ['keras==2.2.5'])
            self.assertEqual(set(here), set(pins), python)
            for name, version in pins.items():
                self.assertIn(version, here[name], python)

    def test_what_the_extras_require_holds_the_pins_of_their_requirements_too(self):
        from packaging.requirements import Requirement
        required = [Requirement(line[len('Requires-Dist: '):]) for line in self.metadata if 'extra ==' in line]
        pins = []
        for name in 'requirements-spn.txt', 'requirements-cluster.txt':
            with open(os.path.join(REPOSITORY, 'environments', name)) as lines:
                pins += re.findall(r'^(.*)==([^;\n]*)', lines.read(), re.M)
        for each in required:
            versions = [version for name, version in pins if name == each.name]
            self.assertTrue(versions)
            self.assertTrue(all(version in each.specifier for version in versions), each)

    def test_an_sdist_carries_what_the_wheel_is_made_of_and_no_tests(self):
        here = {name.split('/', 1)[1] for name in self.in_sdist if '/' in name}
        for name in ('setup.py', 'environments/requirements.txt', 'LICENSE', 'README.md',
                     'theano_spp/c_code/ops/superpixel_pool.cc'):
            self.assertIn(name, here)
        self.assertFalse([name for name in here if name.startswith(('tests', 'examples', 'benchmarks'))])


class TestInstalled(unittest.TestCase):
    """In a new environment, whose other packages are those of this process."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        clone = os.path.join(cls.folder, 'clone')
        shutil.copytree(REPOSITORY, clone, ignore=NOT_TO_COPY)
        environment = os.path.join(cls.folder, 'environment')
        call(sys.executable, '-m', 'venv', '--without-pip', environment, folder=cls.folder)
        cls.python = os.path.join(environment, 'bin', 'python')
        cls.site_packages, = glob.glob(os.path.join(environment, 'lib', 'python3*', 'site-packages'))
        with open(os.path.join(cls.site_packages, 'packages_of_this_process.pth'), 'w') as f:
            f.write(SITE_PACKAGES_HERE + '\n')
            # The .pth file of setuptools, by which Python 3.12 gets distutils, is not read from there.
            for pth in glob.glob(os.path.join(SITE_PACKAGES_HERE, 'distutils-precedence.pth')):
                with open(pth) as line:
                    f.write(line.read())
        call(cls.python, '-m', 'pip', 'install', '--no-deps', '--no-index', '--no-build-isolation', clone,
             folder=cls.folder)
        shutil.rmtree(clone)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def run_installed(self, code):
        return call(self.python, '-c', code, folder=self.folder)

    def test_from_another_folder_it_compiles_its_own_c_code_and_gives_the_right_numbers(self):
        printed = self.run_installed("""
import os
os.environ['THEANO_FLAGS'] += ",base_compiledir='compiled'"
import numpy as np, theano, theano.tensor as T, theano_spp
from theano_spp import superpixel_pool
x, m = T.ftensor4(), T.itensor3()
f = theano.function([x, m], superpixel_pool(x, m, 3))
assert [type(node.op).__name__ for node in f.maker.fgraph.apply_nodes].count('SuperpixelPool') == 1
assert all(hasattr(thunk, 'cthunk') for thunk in f.fn.thunks), f.fn.thunks
print(np.round(f(np.array([[[[.1, .2], [.3, .4]]]], 'float32'), np.array([[[0, 0], [1, 2]]], 'int32')), 6).tolist())
print(theano_spp.__file__)
""").splitlines()
        self.assertEqual(printed[-2], '[[[0.15000000596046448, 0.30000001192092896, 0.4000000059604645]]]')
        self.assertTrue(os.path.realpath(printed[-1]).startswith(os.path.realpath(self.site_packages)), printed)

    def test_keras_theano_or_nose_may_be_imported_first(self):
        for order in ('keras, keras_layer', 'theano, keras, theano_spp', 'nose, keras, theano', 'keras_layer, nose',
                      'h5py, keras'):
            printed = self.run_installed("""
import {}
import h5py, keras
model = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
with h5py.File('memory', 'w', driver='core', backing_store=False) as f:
    model.save(f)
    print(keras.models.load_model(f, compile=False).count_params())
""".format(order))
            self.assertEqual(printed.splitlines()[-1], '2', order)

    def test_the_blas_flags_are_printed_as_the_readme_says_and_nothing_else_is(self):
        with open(os.path.join(REPOSITORY, 'README.md'), encoding='utf-8') as f:
            code, = re.findall('`python -c "(from theano_spp.legacy_bridge .*?)"`', f.read())
        self.assertEqual(self.run_installed(code), openblas_ldflags() + '\n')

    def test_without_the_pth_keras_first_fails_so_the_test_above_sees_it(self):
        pth = os.path.join(self.site_packages, 'theano_spp_legacy_bridge.pth')
        os.rename(pth, pth + '.away')
        try:
            printed = self.run_installed("""
try:
    import keras
except Exception as error:
    print(type(error).__name__)
""")
        finally:
            os.rename(pth + '.away', pth)
        self.assertIn(printed.splitlines()[-1], ('ImportError', 'AttributeError', 'ModuleNotFoundError'))

    def test_an_editable_installation_brings_the_pth_too_and_keras_may_be_imported_first(self):
        environment = os.path.dirname(os.path.dirname(self.python))
        aside, clone = os.path.join(self.folder, 'editable'), os.path.join(self.folder, 'clone')
        shutil.copytree(environment, aside, symlinks=True)
        shutil.copytree(REPOSITORY, clone, ignore=NOT_TO_COPY)
        python = os.path.join(aside, 'bin', 'python')
        # setuptools 64 is the first that makes wheels of it; pip takes them always since 25.3.
        ways = [[], ['--use-pep517']] if int(setuptools.__version__.split('.')[0]) >= 64 else [[]]
        for way in ways:
            call(python, '-m', 'pip', 'uninstall', '-y', 'theano-spp', folder=self.folder)
            call(python, '-m', 'pip', 'install', '--no-deps', '--no-index', '--no-build-isolation',
                 *(way + ['-e', clone]), folder=self.folder)
            printed = call(python, '-c',
                           'import keras, theano_spp; print(keras.backend.backend(), theano_spp.__file__)',
                           folder=self.folder)
            self.assertEqual(printed.splitlines()[-1].split(),
                             ['theano', os.path.join(os.path.realpath(clone), 'theano_spp', '__init__.py')])

    def test_python_starts_in_silence_and_imports_nothing_for_it(self):
        heavy = self.run_installed("""
import sys
heavy = {'numpy', 'theano', 'keras', 'nose', 'h5py', 'theano_spp', 'subprocess', 'importlib.util'}
print(sorted(heavy & set(sys.modules)))
""")
        self.assertEqual(heavy, '[]\n')

    def test_python_starts_in_silence_if_the_bridge_is_broken_or_gone(self):
        bridge = os.path.join(self.site_packages, 'theano_spp', 'legacy_bridge', '__init__.py')
        os.rename(bridge, bridge + '.away')
        try:
            self.assertEqual(self.run_installed('print(1)'), '1\n')
            self.assertEqual(self.run_installed('import six; print(1)'), '1\n')
            with open(bridge, 'w') as f:
                f.write('no python')
            self.assertEqual(self.run_installed('print(1)'), '1\n')
        finally:
            os.rename(bridge + '.away', bridge)

    def test_pip_can_build_theano_pymc_once_it_is_installed_although_pip_hides_site_packages_from_what_it_builds(self):
        project = os.path.join(self.folder, 'project')
        os.mkdir(project)
        with open(os.path.join(project, 'versioneer.py'), 'w') as f:
            f.write('import configparser, io\n'
                    'parser = configparser.SafeConfigParser()\n'
                    'parser.readfp(io.StringIO("[versioneer]\\nstyle = pep440"))\n')
        code = ('import sys; sys.path[:] = [path for path in sys.path if "packages" not in path]; '
                'import versioneer; print("built")')
        self.assertEqual(call(self.python, '-W', 'ignore', '-c', code, folder=project), 'built\n')

    def test_uninstalling_leaves_nothing_behind(self):
        aside = os.path.join(self.folder, 'aside')
        shutil.copytree(os.path.dirname(os.path.dirname(self.python)), aside, symlinks=True)
        python = os.path.join(aside, 'bin', 'python')
        call(python, '-m', 'pip', 'uninstall', '-y', 'theano-spp', folder=self.folder)
        left = os.listdir(self.site_packages.replace(os.path.dirname(os.path.dirname(self.python)), aside))
        self.assertFalse([name for name in left if 'theano' in name or name == 'keras_layer'], left)
        self.assertEqual(call(python, '-c', 'print(1)', folder=self.folder), '1\n')
