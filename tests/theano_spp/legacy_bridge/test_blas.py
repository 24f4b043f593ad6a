"""The BLAS that Theano is told of."""
import os
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

import numpy

from theano_spp.legacy_bridge import blas
from theano_spp.legacy_bridge.distutils_of_numpy import distutils_of_numpy
from tests.processes import run_python
from tests.theano_spp.legacy_bridge import LOAD, raised_without

# This process may have flags for a BLAS, which a user's process does not have.
UNTOLD = """
import os
flags = os.environ['THEANO_FLAGS'].split(',')
os.environ['THEANO_FLAGS'] = ','.join(flag for flag in flags if flag.startswith('base_compiledir'))
"""


class TestBlasOfNumpy(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def test_theano_gets_the_flags_as_its_default_and_multiplies_with_them(self):
        printed = run_python(UNTOLD + """
import theano_spp, theano, theano.tensor as T, numpy
print(theano.config.blas.ldflags)
a, b = T.fmatrices('ab')
x = numpy.random.rand(40, 30).astype('float32')
print(numpy.allclose(theano.function([a, b], T.dot(a, b))(x, x.T), x.dot(x.T)))
""").splitlines()
        self.assertEqual(printed, [blas.openblas_ldflags(), 'True'])

    @unittest.skipUnless([1, 22] <= [int(number) for number in numpy.__version__.split('.')[:2]] < [1, 26]
                         or sys.version_info >= (3, 12), 'Theano asks this NumPy in another way')
    def test_without_it_theano_cannot_be_imported(self):
        self.assertIn('blas_opt_info', raised_without('blas_of_numpy', UNTOLD + 'import theano') or 'it can')

    def test_the_environment_of_child_processes_gets_no_trace(self):
        printed = run_python(LOAD + UNTOLD + """
before = dict(os.environ)
bridge.apply()
import theano
print({name for name in os.environ if os.environ[name] != before.get(name)} - {'KMP_DUPLICATE_LIB_OK'})
""")
        self.assertEqual(printed.strip(), 'set()')

    def test_a_users_own_value_in_theano_flags_is_left_alone(self):
        for own in ('', '-lm'):
            printed = run_python('import theano_spp, theano; print(repr(theano.config.blas.ldflags))',
                                 theano_flags={'blas.ldflags': own})
            self.assertEqual(printed.strip(), repr(own))

    def test_a_users_own_value_in_theanorc_is_left_alone(self):
        theanorc = os.path.join(self.folder, 'theanorc')
        with open(theanorc, 'w') as f:
            f.write('[blas]\nldflags = -lm\n')
        printed = run_python(UNTOLD + 'import theano_spp, theano; print(theano.config.blas.ldflags)', THEANORC=theanorc)
        self.assertEqual(printed.strip(), '-lm')


    def test_what_numpy_says_counts_only_where_the_library_is(self):
        distutils_of_numpy()
        import numpy.distutils
        with mock.patch.object(numpy.distutils, '__config__', types.SimpleNamespace(), create=True):
            self.check_what_numpy_says(numpy.distutils.__config__)

    def check_what_numpy_says(self, config):
        open(os.path.join(self.folder, 'libmkl_rt.so'), 'w').close()
        there = {'libraries': ['mkl_rt'], 'library_dirs': ['/nowhere', self.folder]}
        gone = {'libraries': ['openblas'], 'library_dirs': [self.folder]}
        ours = {'extra_link_args': blas.openblas_ldflags().split()}
        for said, wanted in (there, there), (gone, ours), ({}, ours):
            with mock.patch.object(config, 'blas_opt_info', said, create=True):
                blas.blas_of_numpy()
                self.assertEqual(config.blas_opt_info, wanted)


class TestOpenblasLdflags(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def flags_with(self, compiler, *libraries, **where):
        """The flags if the compiler prints this answer and site-packages has these files."""
        site_packages = os.path.join(self.folder, where.get('below', 'site'))
        for library in libraries:
            package, folder = os.path.dirname(library).split('.')
            for name in (os.path.join(package, '__init__.py'), library):
                path = os.path.join(site_packages, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, 'w').close()
        if compiler is not None:
            path = os.path.join(self.folder, 'g++')
            with open(path, 'w') as f:
                f.write('#!/bin/sh\n' + compiler)
            os.chmod(path, 0o755)
        return subprocess.check_output([sys.executable, '-S', blas.__file__], universal_newlines=True,
                                       env={'PATH': self.folder, 'PYTHONPATH': site_packages}).strip()

    def test_a_program_linked_with_them_multiplies_matrices(self):
        ours = blas.openblas_ldflags()
        with mock.patch('subprocess.check_output', lambda *command, **how: 'libopenblas.so'):  # as without Debian's
            in_a_wheel = blas.openblas_ldflags()
        for flags in ours, in_a_wheel:
            if not flags:
                self.skipTest('no OpenBLAS here')
            self.multiply(flags)

    def multiply(self, flags):
        source, program = os.path.join(self.folder, 'dot.cpp'), os.path.join(self.folder, 'dot')
        with open(source, 'w') as f:
            f.write('''
extern "C" float sdot_(int *, float *, int *, float *, int *);
extern "C" void sgemm_(const char *, const char *, int *, int *, int *, float *, float *, int *, float *, int *,
                       float *, float *, int *);
int main() {
    int one = 1; float unit = 1, zero = 0, six = 6, seven = 7, product = 0;
    sgemm_("N", "N", &one, &one, &one, &unit, &six, &one, &seven, &one, &zero, &product, &one);
    return product == 42 ? 0 : 1;
}''')
        subprocess.check_call(['g++', source, '-o', program] + flags.split())
        self.assertEqual(subprocess.call([program], env={}), 0)

    def test_the_systems_own_openblas_is_preferred_where_the_compiler_finds_it(self):
        self.assertEqual(self.flags_with('echo /somewhere/libopenblas.so', 'numpy.libs/libopenblasp-r0-1.so'),
                         '-lopenblas')

    def test_the_wheel_of_numpy_comes_before_that_of_scipy(self):
        flags = self.flags_with('echo libopenblas.so', 'numpy.libs/libopenblasp-r0-1.so',
                                'scipy.libs/libopenblasp-r0-2.so')
        self.assertIn('numpy.libs', flags)
        self.assertTrue(flags.endswith(' -l:libopenblasp-r0-1.so'), flags)

    def test_a_library_with_64_bit_integers_is_passed_over(self):
        flags = self.flags_with('echo libopenblas.so', 'numpy.libs/libopenblas64_p-r0-1.so',
                                'scipy.libs/libopenblasp-r0-2.so')
        self.assertTrue(flags.endswith(' -l:libopenblasp-r0-2.so'), flags)

    def test_functions_with_a_prefix_are_called_by_it(self):
        flags = self.flags_with('echo libopenblas.so', 'numpy.libs/libscipy_openblas64_-1.so',
                                'scipy.libs/libscipy_openblas-2.so').split()
        self.assertIn('-l:libscipy_openblas-2.so', flags)
        self.assertTrue({'-Dsgemm_=scipy_sgemm_', '-Dddot_=scipy_ddot_'} <= set(flags), flags)

    def test_they_are_empty_where_there_is_no_library_no_compiler_or_a_path_that_flags_cannot_carry(self):
        self.assertEqual(self.flags_with('echo libopenblas.so'), '')
        self.assertEqual(self.flags_with('exit 1', 'numpy.libs/libopenblasp-r0-1.so'), '')
        self.assertEqual(self.flags_with('echo libopenblas.so', 'scipy.libs/libopenblasp-r0-2.so', below='a b'), '')
        os.remove(os.path.join(self.folder, 'g++'))
        self.assertEqual(self.flags_with(None, 'numpy.libs/libopenblasp-r0-1.so'), '')
