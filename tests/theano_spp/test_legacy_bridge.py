"""The legacy bridge, each case in a separate process, because a first import happens only once in each."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from theano_spp import legacy_bridge
from tests.processes import run_python

# As an installed theano-spp does it: by path, so that theano_spp/__init__.py, which imports Theano, is not run.
LOAD = """
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location('bridge_by_path', {!r})
bridge = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bridge)
""".format(os.path.abspath(legacy_bridge.__file__))

# This process may have flags for a BLAS, which a user's process does not have.
UNTOLD = """
import os
flags = os.environ['THEANO_FLAGS'].split(',')
os.environ['THEANO_FLAGS'] = ','.join(flag for flag in flags if flag.startswith('base_compiledir'))
"""

old = unittest.skipUnless(sys.version_info < (3, 9), 'this Python needs bridges')
new = unittest.skipUnless(sys.version_info >= (3, 9), 'this Python needs no bridge')
newer = unittest.skipUnless(sys.version_info >= (3, 10), 'this Python has the names in collections')


class TestWhatIsLeftAlone(unittest.TestCase):

    def test_loading_and_applying_it_imports_none_of_the_packages_it_mends(self):
        printed = run_python(LOAD + """
bridge.apply()
print(sorted({'numpy', 'theano', 'keras', 'nose', 'h5py', 'theano_spp'} & set(sys.modules)))
""")
        self.assertEqual(printed.strip(), '[]')

    def test_a_program_that_imports_none_of_the_packages_meets_no_bridge(self):
        printed = run_python(LOAD + """
import collections
before = set(bridge.NAMES_OF_COLLECTIONS) & set(vars(collections))
bridge.apply()
import json, numpy, h5py
print(set(bridge.NAMES_OF_COLLECTIONS) & set(vars(collections)) == before)
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
        printed = run_python(LOAD + """
import collections, collections.abc
bridge.apply()
print(hasattr(collections, 'Callable'))
import nose
print(all(getattr(collections, name) is getattr(collections.abc, name) for name in bridge.NAMES_OF_COLLECTIONS))
""")
        self.assertEqual(printed.split(), ['False', 'True'])

    def test_every_abstract_class_that_collections_had_is_among_them(self):
        import collections.abc
        # Buffer came with Python 3.12 and was never in collections.
        self.assertEqual(set(collections.abc.__all__) - {'Buffer'}, set(legacy_bridge.NAMES_OF_COLLECTIONS))


class TestBytesForKeras(unittest.TestCase):
    """Keras 2.2.5 needs text attributes as bytes; for all other programs h5py must not change."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def test_to_other_programs_h5py_is_what_it_was_before(self):
        printed = run_python("""
import h5py, numpy
classes = h5py.AttributeManager, h5py.Group, h5py.File, h5py.Dataset
before = [dict(vars(c)) for c in classes]
import keras_layer
print(before == [dict(vars(c)) for c in classes])
with h5py.File('f.h5', 'w') as f:
    f.attrs['t'] = 'S\u00fcper'
    f.attrs['many'] = numpy.array([['a', 'b'], ['c', 'd']], dtype=h5py.special_dtype(vlen=str))
    a, b = f.create_group('a'), f.create_group('b')
    a.attrs['t'] = f.attrs['t']
    b.attrs.update(f.attrs)
    f.create_dataset('d', data=f.attrs['t'])
    print(type(f.attrs['t']) is str, a.attrs['t'] == b.attrs['t'] == 'S\u00fcper', b.attrs['many'].tolist())
""", folder=self.folder)
        self.assertEqual(printed.splitlines(), ['True', "True True [['a', 'b'], ['c', 'd']]"])

    def test_keras_models_and_weights_come_back_from_every_kind_of_file(self):
        printed = run_python("""
import theano_spp, h5py, io, keras, numpy
from keras.models import load_model
left, right = keras.Input((3,)), keras.Input((3,))
model = keras.Model([left, right], keras.layers.Dense(2)(keras.layers.Lambda(lambda xs: xs[0] * xs[1])([left, right])))
model.compile('adam', 'mse')
x = [numpy.ones((4, 3)), numpy.full((4, 3), 2.)]
model.train_on_batch(x, numpy.ones((4, 2)))
wanted = model.get_weights()
state = model.optimizer.get_weights()
def same(model):
    return all(map(numpy.array_equal, model.get_weights(), wanted))
def blank():
    model.set_weights([0 * w for w in wanted])
    return model
def tell(what, loaded):
    print(what, same(loaded), all(map(numpy.array_equal, loaded.optimizer.get_weights(), state)))
model.save('m.h5')
model.save_weights('w.h5')
memory = io.BytesIO()
model.save(memory)
memory.seek(0)
with h5py.File('groups.h5', 'w') as f:
    model.save(f.create_group('inside/one'))
    f.attrs['mine'] = 'text'
    print(type(f.attrs['mine']) is str)
tell('path', load_model('m.h5'))
tell('memory', load_model(memory))
with h5py.File('m.h5', 'r') as f:
    tell('file', load_model(f))
    for attributes in f.attrs, f['model_weights'].attrs:
        print(sorted(name for name in attributes if type(attributes[name]) is bytes))
with h5py.File('groups.h5', 'r') as f:
    tell('group', load_model(f['inside/one']))
for path in 'm.h5', 'w.h5':
    blank().load_weights(path)
    print(path, same(model))
    blank().load_weights(path, by_name=True)
    print(path, same(model))
with h5py.File('w.h5', 'r') as f:
    keras.engine.saving.load_weights_from_hdf5_group(f=f, layers=blank().layers)
    print('f', same(model))
""", folder=self.folder).splitlines()
        nothing_is_bytes = ['[]', '[]'] if sys.version_info >= (3, 9) else [
            "['backend', 'keras_version', 'model_config', 'training_config']", "['backend', 'keras_version']"]
        self.assertEqual(printed, [
            'True', 'path True True', 'memory True True', 'file True True'] + nothing_is_bytes + [
            'group True True', 'm.h5 True', 'm.h5 True', 'w.h5 True', 'w.h5 True', 'f True'])


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
        self.assertEqual(printed, [legacy_bridge.openblas_ldflags(), 'True'])

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
        from numpy.distutils import __config__ as config
        open(os.path.join(self.folder, 'libmkl_rt.so'), 'w').close()
        there = {'libraries': ['mkl_rt'], 'library_dirs': ['/nowhere', self.folder]}
        gone = {'libraries': ['openblas'], 'library_dirs': [self.folder]}
        ours = {'extra_link_args': legacy_bridge.openblas_ldflags().split()}
        for said, wanted in (there, there), (gone, ours), ({}, ours):
            with mock.patch.object(config, 'blas_opt_info', said, create=True):
                legacy_bridge.blas_of_numpy()
                self.assertEqual(config.blas_opt_info, wanted)


class TestTheanoWithoutTensorflow(unittest.TestCase):

    def backend(self, keras_json, tensorflow, **environment):
        """The value of KERAS_BACKEND afterwards."""
        home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, home)
        if keras_json is not None:
            with open(os.path.join(home, 'keras.json'), 'w') as f:
                f.write(keras_json)
        with mock.patch.dict(os.environ, KERAS_HOME=home), \
                mock.patch('importlib.util.find_spec', {'tensorflow': tensorflow}.get):
            os.environ.pop('KERAS_BACKEND', None)
            os.environ.update(environment)
            legacy_bridge.theano_without_tensorflow()
            return os.environ.get('KERAS_BACKEND')

    def test_theano_is_chosen_where_nothing_is_or_what_keras_wrote_itself(self):
        for keras_json in None, '{"backend": "tensorflow"}', '{"floatx": "float32"}', 'no json':
            self.assertEqual(self.backend(keras_json, None), 'theano', keras_json)

    def test_a_choice_is_left_alone_and_so_is_who_has_tensorflow(self):
        self.assertIsNone(self.backend('{"backend": "cntk"}', None))
        self.assertIsNone(self.backend(None, 'installed'))
        self.assertEqual(self.backend(None, None, KERAS_BACKEND='cntk'), 'cntk')


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
        return subprocess.check_output([sys.executable, '-S', legacy_bridge.__file__], universal_newlines=True,
                                       env={'PATH': self.folder, 'PYTHONPATH': site_packages}).strip()

    def test_a_program_linked_with_them_multiplies_matrices(self):
        flags = legacy_bridge.openblas_ldflags()
        if not flags:
            self.skipTest('no OpenBLAS here')
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

    def test_they_are_empty_where_there_is_no_library_no_compiler_or_a_path_that_flags_cannot_carry(self):
        self.assertEqual(self.flags_with('echo libopenblas.so'), '')
        self.assertEqual(self.flags_with('exit 1', 'numpy.libs/libopenblasp-r0-1.so'), '')
        self.assertEqual(self.flags_with('echo libopenblas.so', 'scipy.libs/libopenblasp-r0-2.so', below='a b'), '')
        os.remove(os.path.join(self.folder, 'g++'))
        self.assertEqual(self.flags_with(None, 'numpy.libs/libopenblasp-r0-1.so'), '')


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
bridge.names_of_collections(), bridge.blas_of_numpy()
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
