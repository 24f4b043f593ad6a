"""What Keras needs of h5py and of itself."""
import os
import shutil
import sys
import tempfile
import unittest
from unittest import mock

from theano_spp import legacy_bridge
from tests.processes import run_python
from tests.theano_spp.legacy_bridge import HIDE, raised_without, run_bridged


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

    @unittest.skipUnless(sys.version_info >= (3, 9), 'this h5py reads bytes')
    def test_without_it_no_model_and_no_weights_are_read(self):
        code = """
import keras
model = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
model.{}
{}
"""
        for bridge, save, load in (('bytes_for_h5dict', "save('m.h5')", "keras.models.load_model('m.h5')"),
                                   ('bytes_for_saving', "save_weights('w.h5')", "model.load_weights('w.h5')")):
            self.assertIn("'decode'", raised_without(bridge, code.format(save, load), folder=self.folder) or 'it works')


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

    def test_without_it_keras_cannot_be_imported(self):
        code = HIDE.format('tensorflow') + """
os.environ.pop('KERAS_BACKEND', None)
import keras
print(keras.backend.backend())
"""
        home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, home)
        self.assertEqual(run_bridged(code, KERAS_HOME=home), 'theano\n')
        self.assertEqual(raised_without('theano_without_tensorflow', code, KERAS_HOME=home),
                         'ModuleNotFoundError: hidden')

    def test_theano_is_chosen_where_nothing_is_or_what_keras_wrote_itself(self):
        for keras_json in None, '{"backend": "tensorflow"}', '{"floatx": "float32"}', 'no json':
            self.assertEqual(self.backend(keras_json, None), 'theano', keras_json)

    def test_a_choice_is_left_alone_and_so_is_who_has_tensorflow(self):
        self.assertIsNone(self.backend('{"backend": "cntk"}', None))
        self.assertIsNone(self.backend(None, 'installed'))
        self.assertEqual(self.backend(None, None, KERAS_BACKEND='cntk'), 'cntk')
