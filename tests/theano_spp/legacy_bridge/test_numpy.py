"""What Theano and Keras need of NumPy and SciPy, each shown to be missing without its bridge."""
import json
import shutil
import sys
import tempfile
import unittest

import numpy
import scipy

from theano_spp.legacy_bridge.names_of_numpy import OLD, USERS
from tests.theano_spp.legacy_bridge import raised_without, run_bridged

IMPORTS = 'import numpy as np, theano, theano.tensor as T\n'
HERE = [int(number) for number in numpy.__version__.split('.')[:2]]


def since(package, oldest):
    here = [int(number) for number in package.__version__.split('.')[:2]]
    return unittest.skipUnless(here >= oldest, 'this {} still has it'.format(package.__name__))


class NamesOfNumpyTest(unittest.TestCase):

    def test_a_module_gets_what_it_uses_and_numpy_stays_as_it_is(self):
        printed = run_bridged(IMPORTS + """
before = dict(vars(np))
import theano_spp, keras, keras.backend.numpy_backend
import warnings
warnings.simplefilter('ignore')
users = {}
for name, used in bridge.USERS.items():
    module = __import__(name, fromlist=['x'])
    users[name] = all(hasattr(module.np, each) for each in used.split())
print(users)
print({name for name in vars(np) if name not in before} - {'distutils'})
""").splitlines()
        self.assertEqual(printed, [str(dict.fromkeys(USERS, True)), 'set()'])

    def test_the_names_mean_what_they_meant(self):
        old = {name: OLD[name](numpy) for name in (
            'bool', 'int', 'complex', 'Inf', 'product', 'sctype2char', 'string_', 'unicode_', 'cast')}
        self.assertEqual((old['bool'], old['int'], old['complex'], old['Inf']), (bool, int, complex, float('inf')))
        self.assertEqual(old['product']([2, 3, 4]), 24)
        self.assertEqual([old['sctype2char'](each) for each in ('float32', 'int64', numpy.bool_)], ['f', 'l', '?'])
        self.assertEqual((old['string_'], old['unicode_']), (type(numpy.array([b'a'])[0]), type(numpy.array(['a'])[0])))
        cast = old['cast']['float32'](2)
        self.assertEqual((cast.dtype, cast.shape, float(cast)), ('float32', (), 2))

    @unittest.skipUnless([1, 24] <= HERE < [2, 0], 'this NumPy has bool')
    def test_without_bool_theano_cannot_be_imported_and_nobody_else_sees_it(self):
        self.assertEqual(run_bridged(IMPORTS + "print('bool' in vars(np))"), 'False\n')
        self.assertIn("module 'numpy' has no attribute 'bool'",
                      raised_without('bool_of_numpy bool_of_numpy_no_more', 'import theano', whole=True))

    @since(numpy, [2, 0])
    def test_without_them_gradients_and_callbacks_fail(self):
        for code, missing in ((IMPORTS + 'x = T.vector(); T.grad(T.arcsin(x).sum(), x)', 'cast'),
                              ('import keras; keras.callbacks.EarlyStopping().on_train_begin()', 'Inf')):
            run_bridged(code)
            self.assertIn('AttributeError: `np.{}` was removed'.format(missing), raised_without('names_of_numpy', code))

    @since(numpy, [1, 24])
    def test_without_them_a_number_cannot_become_complex(self):
        code = IMPORTS + "theano.config.cxx = ''; print(T.complex(T.constant(3.), T.constant(4.)).eval())"
        self.assertEqual(run_bridged(code), '(3+4j)\n')
        self.assertIn("has no attribute 'complex'", raised_without('names_of_numpy', code, whole=True))


class IntegersOfTheanoTest(unittest.TestCase):
    code = IMPORTS + """
print([T.as_tensor_variable(number).dtype for number in (
    0, -128, 127, 128, -129, 32768, 2 ** 31, -2 ** 63, 2 ** 63 - 1, 2 ** 63)])
print(T.stack([T.lscalar(), 128]).dtype)
"""

    def test_an_integer_has_the_smallest_signed_dtype_that_holds_it(self):
        self.assertEqual(run_bridged(self.code).splitlines(), [
            str(['int8', 'int8', 'int8', 'int16', 'int16', 'int32', 'int64', 'int64', 'int64', 'uint64']), 'int64'])

    @since(numpy, [2, 0])
    def test_without_it_128_is_uint64_and_shapes_become_float64(self):
        code = IMPORTS + """
dtypes = T.as_tensor_variable(128).dtype, T.stack([T.lscalar(), 128]).dtype
assert not dtypes, dtypes
"""
        self.assertEqual(raised_without('integers_that_fit', code), "AssertionError: ('uint64', 'float64')")


class DistutilsOfNumpyTest(unittest.TestCase):

    @unittest.skipUnless(sys.version_info >= (3, 12), 'this Python still has it')
    def test_without_it_theano_cannot_be_imported(self):
        run_bridged('import theano, numpy.distutils')
        self.assertIn("No module named 'numpy.distutils'", raised_without('distutils_of_numpy', 'import theano'))

    @unittest.skipUnless(sys.version_info >= (3, 12), 'this Python still has it')
    def test_who_wants_more_of_it_than_theano_gets_an_import_error(self):
        self.assertEqual(run_bridged("""
import theano
try:
    import numpy.distutils.core
except ImportError:
    print('ImportError')
"""), 'ImportError\n')


@since(numpy, [2, 0])
class CApiOfNumpyTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    @since(numpy, [2, 1])
    def test_without_the_flags_nothing_compiles(self):
        said = raised_without('flags_for_compiler', 'import theano', theano_flags={'base_compiledir': self.folder})
        self.assertIn('PyInt_', said)

    def test_without_the_other_names_what_uses_them_fails_and_with_them_values_are_right(self):
        code = IMPORTS + """
x, i = T.dmatrix(), np.array([0, 0, 1], 'uint64')
value = np.array([[1., 5, 2], [4, 3, 0]])
def computed(expression):
    return theano.function([x], expression)(value).tolist()
def failed(expression):
    try:
        return computed(expression) and None
    except Exception as error:
        return type(error).__name__
cases = {'argmax': T.argmax(x), 'both': T.max_and_argmax(x)[0] + T.max_and_argmax(x)[1], 'cumsum': T.cumsum(x),
         'take': x[i], 'increment': T.inc_subtensor(x[i], 1), 'complex': T.real(T.sqr(T.complex(x, 2 * x)))}
"""
        self.assertEqual(run_bridged(code + "print({name: computed(x) for name, x in cases.items()})"), str({
            'argmax': 1, 'both': 6., 'cumsum': [1., 6., 8., 12., 15., 15.],
            'take': [[1., 5., 2.], [1., 5., 2.], [4., 3., 0.]], 'increment': [[3., 7., 4.], [5., 4., 1.]],
            'complex': [[-3., -75., -12.], [-48., -27., 0.]]}) + '\n')
        said = raised_without('axis_for_all no_increments_in_c complex_with_fields', code + """
raise RuntimeError(sorted(name for name in cases if failed(cases[name])))
""", theano_flags={'base_compiledir': self.folder})
        self.assertEqual(said, "RuntimeError: ['both', 'complex', 'cumsum', 'increment', 'take']")


class DebugModeTest(unittest.TestCase):

    @since(numpy, [2, 0])
    def test_without_it_int8_cannot_be_checked(self):
        code = IMPORTS + """
x = T.bmatrix()
mode = theano.compile.DebugMode(check_preallocated_output=['ALL'], check_c_code=False, require_matching_strides=0)
print(theano.function([x], -x, mode=mode)(np.ones((2, 2), 'int8')).tolist())
"""
        self.assertEqual(run_bridged(code).splitlines()[-1], '[[-1, -1], [-1, -1]]')
        self.assertIn('OverflowError', raised_without('number_in_an_array', code))

    @since(numpy, [2, 0])
    def test_without_it_numbers_cannot_be_overwritten(self):
        code = IMPORTS + """
x = T.dscalar()
f = theano.function([theano.In(x, mutable=True)], x + 1, mode=theano.compile.DebugMode(require_matching_strides=0))
print([bool(node.op.destroy_map) for node in f.maker.fgraph.toposort()], float(f(np.array(2.))))
"""
        self.assertEqual(run_bridged(code).splitlines()[-1], '[True] 3.0')
        self.assertIn('itemset', raised_without('no_itemset', code, whole=True))


class MaskOfMrgTest(unittest.TestCase):

    @since(numpy, [2, 0])
    def test_without_it_there_are_no_random_numbers_without_a_compiler(self):
        code = """
import theano
from theano.sandbox.rng_mrg import MRG_RandomStreams
numbers = {dtype: MRG_RandomStreams(seed=3).uniform((50,), dtype=dtype) for dtype in ('float32', 'float64')}
print([[float(number) for number in theano.function([], numbers[dtype], mode=MODE)()] for dtype in numbers])
"""
        in_python = code.replace('MODE', "theano.Mode(linker='py')")
        # C multiplies in float32, Python in float64.
        numpy.testing.assert_allclose(*[json.loads(run_bridged(each)) for each in (
            in_python, code.replace('MODE', 'None'))], rtol=2e-7)
        self.assertIn('OverflowError', raised_without('mask_that_fits', in_python, whole=True))


class PrecisionOfInvTest(unittest.TestCase):

    @since(numpy, [2, 0])
    def test_without_it_the_inverse_of_a_number_has_half_its_digits(self):
        code = """
import numpy as np, theano.scalar
inverse = theano.scalar.inv.impl
assert float(inverse(3.)) == 1 / 3., repr(inverse(3.))
print(inverse(np.float32(3)).dtype, inverse(np.int8(3)).dtype, inverse(3j))
"""
        self.assertEqual(run_bridged(code), '{0} {0} {1}\n'.format('float32', 1 / 3j))
        self.assertIn('AssertionError: np.float32(', raised_without('precision_of_inv', code))


class SignalOfScipyTest(unittest.TestCase):

    @since(scipy, [1, 8])
    def test_without_it_there_is_no_convolution_without_a_compiler(self):
        code = IMPORTS + """
theano.config.cxx = ''
image, kernel = T.tensor4(), T.tensor4()
f = theano.function([image, kernel], T.nnet.conv2d(image, kernel), mode='FAST_COMPILE')
numbers = np.arange(9, dtype=image.dtype).reshape(1, 1, 3, 3)
print(f(numbers, numbers[..., :2, :2]).tolist())
"""
        code = "import os; os.environ['THEANO_FLAGS'] += ',cxx='\n" + code
        # Convolution turns the kernel [[0, 1], [3, 4]] round: 0 * 4 + 1 * 3 + 3 * 1 + 4 * 0 is the first number.
        self.assertEqual(run_bridged(code).splitlines()[-1], '[[[[6.0, 14.0], [30.0, 38.0]]]]')
        self.assertIn('the python package for scipy.signal to be installed',
                      raised_without('signal_of_scipy', code, whole=True))
