"""Who sees a bridge, and in which order things may be imported."""
import shutil
import sys
import tempfile
import unittest

import numpy

from theano_spp.legacy_bridge.names_of_collections import NAMES
from tests.processes import run_python
from tests.theano_spp.legacy_bridge import LOAD, raised_without

old = unittest.skipUnless(sys.version_info < (3, 9), 'this Python needs bridges')
new = unittest.skipUnless(sys.version_info >= (3, 9), 'this Python needs no bridge')
newer = unittest.skipUnless(sys.version_info >= (3, 10), 'this Python has the names in collections')
WITH_NAMES = 'NAMES = {!r}\n'.format(NAMES)


class TestWhatIsLeftAlone(unittest.TestCase):

    def test_loading_and_applying_it_imports_none_of_the_packages_it_mends(self):
        printed = run_python(LOAD + """
bridge.apply()
print(sorted({'numpy', 'theano', 'keras', 'nose', 'h5py', 'theano_spp'} & set(sys.modules)))
""")
        self.assertEqual(printed.strip(), '[]')

    def test_a_program_that_imports_none_of_the_packages_meets_no_bridge(self):
        printed = run_python(LOAD + WITH_NAMES + """
import collections
before = set(NAMES) & set(vars(collections))
bridge.apply()
import json, numpy, h5py
print(set(NAMES) & set(vars(collections)) == before)
print(hasattr(numpy, 'distutils'))
""")
        self.assertEqual(printed.split(), ['True', 'False'])

    @old
    def test_on_an_old_python_collections_and_h5py_stay_as_they_are_under_theano_and_keras(self):
        printed = run_python(LOAD + """
import collections, h5py
read = h5py.AttributeManager.__getitem__
bridge.apply()
import theano_spp, keras_layer, nose
import keras
print(h5py.AttributeManager.__getitem__ is read, hasattr(keras.utils.H5Dict.__getitem__, '__wrapped__'))
""")
        self.assertEqual(printed.split(), ['True', 'False'])

    def test_applying_it_again_or_from_another_copy_changes_nothing(self):
        printed = run_python(LOAD + """
bridge.apply()
import keras
read = keras.utils.H5Dict.__getitem__
bridge.apply()
import theano_spp
theano_spp.legacy_bridge.apply()
print(sum('BridgeFinder' in type(finder).__name__ for finder in sys.meta_path) <= 1)
print(keras.utils.H5Dict.__getitem__ is read)
""")
        self.assertEqual(printed.split(), ['True', 'True'])


class TestNamesOfCollections(unittest.TestCase):

    @newer
    def test_the_names_are_back_when_nose_is_imported_and_not_before(self):
        printed = run_python(LOAD + WITH_NAMES + """
import collections, collections.abc
bridge.apply()
print(hasattr(collections, 'Callable'))
import nose
print(all(getattr(collections, name) is getattr(collections.abc, name) for name in NAMES))
""")
        self.assertEqual(printed.split(), ['False', 'True'])

    @newer
    def test_without_them_keras_cannot_be_imported(self):
        self.assertEqual(raised_without('names_of_collections', 'import keras').split(' (')[0],
                         "ImportError: cannot import name 'Iterable' from 'collections'")

    @unittest.skipUnless((3, 10) <= sys.version_info < (3, 12), 'nose has no need of them: pynose')
    def test_without_them_nose_cannot_run_a_test(self):
        self.assertIn("module 'collections' has no attribute 'Callable'",
                      raised_without('names_of_collections', 'import nose.suite; nose.suite.ContextSuite([])'))

    @unittest.skipUnless(sys.version_info[:2] == (3, 11), 'nose or pynose has no need of it')
    def test_without_getargspec_a_set_up_function_cannot_be_run(self):
        code = """
import types
from nose.util import try_run
tests = types.ModuleType('tests')
tests.setup = lambda module: print(module is tests)
try_run(tests, ['setup'])
"""
        self.assertEqual(run_python(LOAD + 'bridge.apply()' + code), 'True\n')
        self.assertIn("module 'inspect' has no attribute 'getargspec'", raised_without('getargspec_of_inspect', code))

    def test_every_abstract_class_that_collections_had_is_among_them(self):
        import collections.abc
        # Buffer came with Python 3.12 and was never in collections.
        self.assertEqual(set(collections.abc.__all__) - {'Buffer'}, set(NAMES))


class TestOrderOfImports(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def test_from_a_clone_any_order_works_that_starts_with_theano_spp_or_keras_layer(self):
        for order in ('theano_spp, theano, keras, keras_layer, nose', 'theano_spp, nose, keras_layer, keras, theano',
                      'keras_layer, nose, keras, theano, theano_spp'):
            printed = run_python('import ' + order + '; print(keras.backend.backend(), theano.config.blas.ldflags)')
            self.assertTrue(printed.startswith('theano'), printed)

    @new
    def test_what_was_imported_too_early_is_mended_afterwards(self):
        printed = run_python(LOAD + """
bridge.names_of_collections(), bridge.distutils_of_numpy(), bridge.blas_of_numpy(), bridge.bool_of_numpy()
import h5py, keras
with keras.utils.H5Dict('f.h5') as h5dict:
    h5dict['word'] = b'text'
    print(type(h5dict['word']).__name__)
    bridge.apply()
    print(type(h5dict['word']).__name__)
    h5dict.data.attrs['words'] = ['a', 'b']
    print(keras.engine.saving.load_attributes_from_hdf5_group(h5dict.data, 'words'))
""", folder=self.folder, KERAS_BACKEND='theano')
        self.assertEqual(printed.splitlines(), ['str', 'bytes', "['a', 'b']"])


class TestScan(unittest.TestCase):

    @unittest.skipUnless(sys.version_info >= (3, 11) or int(numpy.__version__.split('.')[0]) >= 2,
                         'this Python compiles it')
    def test_without_it_a_scan_cannot_be_compiled(self):
        code = """
import numpy, theano, theano.tensor as T
x = T.vector()
total = theano.scan(lambda one, sum: sum + one, sequences=x, outputs_info=T.zeros_like(x[0]))[0][-1]
print(theano.function([x], total)(numpy.arange(4, dtype=x.dtype)))
"""
        self.assertEqual(run_python(LOAD + 'bridge.apply()' + code), '6.0\n')
        self.assertIsNotNone(raised_without('scan_in_c', code))
