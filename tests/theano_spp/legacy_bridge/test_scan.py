"""The loop of theano.scan in C. What depends on the first import of the loop runs in a process of its own."""
import os
import shutil
import sys
import threading
import traceback
import unittest

import numpy as np
import theano
import theano.tensor as T

from theano_spp.legacy_bridge import scan
from tests.processes import run_python

# Python 3.6 to 3.10 with NumPy 1 compile Theano's file as it is.
bridged = sys.version_info >= (3, 11) or int(np.__version__.split('.')[0]) >= 2
new = unittest.skipUnless(bridged, 'Theano compiles its loop by itself here')

# Two scans, each of a function of its own, and what they should give.
TWO_SCANS = """
import sys, warnings
import theano_spp, theano, theano.tensor as T, numpy
def sums():
    x = T.fvector()
    return theano.function([x], theano.scan(lambda each, sum: sum + each, x, T.zeros((), 'float32'))[0])
def products():
    x = T.fvector()
    return theano.function([x], theano.scan(lambda each, product: product * each, x, T.ones((), 'float32'))[0])
def two_scans():
    x = numpy.arange(1, 5, dtype='float32')
    return sums()(x).tolist() == [1, 3, 6, 10] and products()(x).tolist() == [1, 2, 6, 24]
def in_c():
    return sys.modules.get('theano.scan_module.scan_perform_ext') is not None
"""

# The file that the bridge loads, as a function that changes it before it is called.
BRIDGE = """
import theano_spp
from theano_spp import legacy_bridge
from theano_spp.legacy_bridge import scan
legacy_bridge.BRIDGES_BEFORE[scan.LOADER] = (scan.scan_in_c,)
"""


class TestValues(unittest.TestCase):
    """In this process, against loops in NumPy."""

    def setUp(self):
        self.rng = np.random.RandomState(1)

    def tearDown(self):
        self.assertIsNotNone(sys.modules.get(scan.LOADER), 'the loop was not in C')

    def test_a_recurrence_and_its_gradients_are_those_of_numpy(self):
        xs, h0, w = self.rng.randn(6, 3), self.rng.randn(3), self.rng.randn(3, 3)
        x, start, weights = T.dmatrix(), T.dvector(), T.dmatrix()
        hs, _ = theano.scan(lambda each, h, weights: T.tanh(T.dot(h, weights) + each), x, start, weights)
        found = theano.function([x, start, weights], [hs] + T.grad(T.sum(hs[-1] ** 2), [x, start, weights]))

        states = [h0]
        for each in xs:
            states.append(np.tanh(states[-1].dot(w) + each))
        d, d_xs, d_w = 2 * states[-1], [], np.zeros_like(w)
        for before, after in zip(states[-2::-1], states[:0:-1]):
            d = d * (1 - after ** 2)
            d_xs.append(d)
            d_w += np.outer(before, d)
            d = d.dot(w.T)
        for one, other in zip(found(xs, h0, w), (states[1:], d_xs[::-1], d, d_w)):
            np.testing.assert_allclose(one, other, rtol=1e-12)

    def test_several_steps_back_and_ahead_an_output_without_memory_and_a_shared_variable(self):
        xs = self.rng.randn(9)
        x, first = T.dvector(), T.dvector()
        count = theano.shared(np.float64(0))

        def step(now, ahead, before_last, last, factor):
            return [last * factor + before_last + ahead, now * ahead], {count: count + now}

        (hs, products), updates = theano.scan(
            step, dict(input=x, taps=[0, 2]), [dict(initial=first, taps=[-2, -1]), None], [T.constant(0.5)])
        found = theano.function([x, first], [hs, products, T.grad(hs.sum(), first)], updates=updates)

        states, by_first = [1., 2.], [np.array([1, 0]), np.array([0, 1])]
        for ahead in xs[2:]:
            states.append(states[-1] * 0.5 + states[-2] + ahead)
            by_first.append(by_first[-1] * 0.5 + by_first[-2])
        for one, other in zip(found(xs, [1, 2]), (states[2:], xs[:-2] * xs[2:], sum(by_first[2:]))):
            np.testing.assert_allclose(one, other, rtol=1e-12)
        np.testing.assert_allclose(count.get_value(), xs[:-2].sum(), rtol=1e-12)

    def test_a_loop_ends_by_its_condition(self):
        limit = T.dscalar()
        powers, _ = theano.scan(lambda last, limit: (last * 2, theano.scan_module.until(last * 2 > limit)),
                                outputs_info=T.constant(1.), non_sequences=limit, n_steps=100)
        function = theano.function([limit], powers)
        self.assertEqual(function(40).tolist(), [2, 4, 8, 16, 32, 64])
        self.assertEqual(function(3).tolist(), [2, 4])

    def test_a_function_is_called_again_with_other_lengths(self):
        x = T.dvector()
        function = theano.function([x], theano.scan(lambda each, sum: sum + each, x, T.zeros((), 'float64'))[0])
        for length in 1, 7, 3, 300:
            self.assertEqual(function(np.ones(length)).tolist(), list(range(1, length + 1)))

    def test_errors_in_the_loop_are_raised_and_the_next_call_is_right(self):
        x, zero = T.dvector(), T.zeros((), 'float64')
        too_long = theano.function([x], theano.scan(lambda each, sum: sum + each, x, zero, n_steps=5)[0])
        with self.assertRaisesRegex(ValueError, 'Sequence is shorter'):
            too_long(np.ones(3))
        self.assertEqual(too_long(np.ones(5)).tolist(), [1, 2, 3, 4, 5])

        limited = theano.function([x], theano.scan(
            lambda each, sum: T.opt.Assert('too much')(sum + each, T.lt(sum, 4)), x, zero)[0])
        with self.assertRaisesRegex(AssertionError, 'too much'):
            limited(np.ones(9))
        self.assertEqual(limited(np.ones(3)).tolist(), [1, 2, 3])


@new
class TestCompiling(unittest.TestCase):

    def test_nothing_is_compiled_before_the_first_scan_and_then_theanos_own_module_has_the_loop_in_c(self):
        printed = run_python(TWO_SCANS + """
print('scan_perform' in sys.modules, scan.LOADER in sys.modules)
print(two_scans(), in_c(), sys.modules[scan.LOADER].perform is sys.modules['scan_perform.scan_perform'].perform)
""".replace('scan.LOADER', repr(scan.LOADER)))
        self.assertEqual(printed.splitlines(), ['False False', 'True True True'])

    def test_a_keras_lstm_trains_and_predicts_bit_for_bit_as_with_the_loop_in_python(self):
        code = """
import sys
import keras_layer, keras, numpy, theano
def make_c_thunk(self, *args):
    raise NotImplementedError('ops in NumPy, so that nothing but the loop is compiled')
theano.gof.Op.make_c_thunk = make_c_thunk
{}
numpy.random.seed(1)
model = keras.Sequential([keras.layers.LSTM(2, input_shape=(7, 3))])
model.compile('sgd', 'mse')
x = numpy.random.rand(8, 7, 3)
losses = [model.train_on_batch(x, x[:, :, :2].mean(1)) for _ in range(5)]
print(losses[-1] < losses[0], sys.modules.get('theano.scan_module.scan_perform_ext') is not None)
print([each.hex() for each in map(float, losses)], model.predict(x).tolist())
"""
        in_c, in_python = (run_python(code.format(first)).splitlines() for first in (
            '', "sys.modules['theano.scan_module.scan_perform_ext'] = None"))
        self.assertEqual(in_c[0], 'True True')
        self.assertEqual(in_python[0], 'True False')
        self.assertEqual(in_c[1:], in_python[1:])

    def test_a_traceback_names_the_line_of_the_cython_source(self):
        row, rows = np.zeros(0, 'int32'), np.zeros((0, 0), 'int32')
        try:
            scan.compiled_loop().perform(
                0, 0, 0, 0, 0, 0, 0, -1, False, row, rows, row, row, row, rows, row, row, row, row, None, None, row,
                [], [], None, None)
        except IndexError as error:  # not by assertRaises, which forgets the traceback
            last = traceback.extract_tb(error.__traceback__)[-1]
        # Where this error is raised, as the comments of scan_perform.c say.
        self.assertEqual((last.filename, last.lineno), ('scan_perform.pyx', 211))

    def test_a_later_process_takes_what_an_earlier_one_compiled(self):
        run_python(TWO_SCANS + 'assert two_scans() and in_c()')
        printed = run_python(TWO_SCANS + """
from theano.gof import cmodule
original = cmodule.GCC_compiler.compile_str
def compile_str(module_name, *args, **kwargs):
    assert module_name != 'scan_perform', 'compiled again'
    return original(module_name, *args, **kwargs)
cmodule.GCC_compiler.compile_str = compile_str
print(two_scans(), in_c())
""")
        self.assertEqual(printed.strip(), 'True True')

    def test_of_two_processes_at_once_one_compiles_and_both_have_the_loop(self):
        mark = 'of process {}'.format(os.getpid())
        code = BRIDGE + """
from theano.gof import cmodule
original, compile_str, compiled = scan.todays_c, cmodule.GCC_compiler.compile_str, []
scan.todays_c = lambda *args: original(*args) + '/* {} */'
cmodule.GCC_compiler.compile_str = lambda *args, **kwargs: compiled.append(1) or compile_str(*args, **kwargs)
loop = scan.compiled_loop()
print(len(compiled), loop.get_version(), loop.__file__)
""".format(mark)
        printed = []
        threads = [threading.Thread(target=lambda: printed.append(run_python(code).split())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.addCleanup(shutil.rmtree, os.path.dirname(printed[0][2]))
        self.assertEqual(sorted(each[0] for each in printed), ['0', '1'])
        self.assertEqual(printed[0][1:], printed[1][1:])
        self.assertEqual(os.listdir(os.path.dirname(printed[0][2])), ['scan_perform.so'])

    def test_each_numpy_has_a_loop_of_its_own_in_a_compile_folder_that_they_share(self):
        code = BRIDGE + """
import numpy
{}
from theano.gof import cmodule
places = []
cmodule.GCC_compiler.compile_str = lambda name, text, location, **kwargs: places.append(location)
try:
    scan.compiled_loop()
except OSError:  # nothing was compiled
    print(places[0])
"""
        folders = [os.path.dirname(run_python(code.format(first)).strip()) for first in (
            "scan.todays_c = lambda *args: 'one'", "scan.todays_c = lambda *args: 'one'",
            "scan.todays_c = lambda *args: 'another'",
            "scan.todays_c = lambda *args: 'one'\nnumpy.__version__ += '.1'")]
        for folder in set(folders):
            os.rmdir(folder)
        self.assertEqual(folders[0], folders[1])
        self.assertEqual(len(set(folders)), 3)


class TestFallback(unittest.TestCase):

    @new
    def test_where_the_compiler_fails_scan_loops_in_python_and_one_sentence_says_so_once(self):
        printed = run_python(BRIDGE + TWO_SCANS + """
original = scan.todays_c
scan.todays_c = lambda *args: '#error too new\\n'
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    print(two_scans(), in_c())
for each in caught:
    if issubclass(each.category, RuntimeWarning):
        print(each.message)
""").splitlines()
        self.assertEqual(printed[0], 'True False')
        self.assertEqual(len(printed), 2, printed)
        self.assertRegex(printed[1], r'^theano\.scan, and with it LSTM and GRU, loops in Python and is slower, because'
                         r' its loop in C cannot be compiled for Python \S+ and NumPy \S+ \(.*#error too new.*\): use'
                         r' Python 3\.6 to 3\.13 with NumPy 1\.19 to 2\.5$')

    @new
    def test_what_failed_leaves_nothing_that_a_later_process_would_take_for_the_loop(self):
        folder = run_python(BRIDGE + """
import os, theano
from theano.gof import cmodule
scan.todays_c = lambda *args: '#error {}'
before = set(os.listdir(theano.config.compiledir))
try:
    scan.compiled_loop()
except Exception:
    print(os.path.join(theano.config.compiledir, *set(os.listdir(theano.config.compiledir)) - before))
""".format(os.getpid())).strip()
        self.addCleanup(os.rmdir, folder)
        self.assertEqual(os.listdir(folder), [])

    def test_without_a_compiler_scan_loops_in_python_without_a_word(self):
        printed = run_python(TWO_SCANS + """
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    print(two_scans(), in_c(), [each for each in caught if issubclass(each.category, RuntimeWarning)])
""", theano_flags={'cxx': ''})
        self.assertEqual(printed.strip(), 'True False []')

    def test_another_text_than_theanos_is_refused(self):
        with open(os.path.join(theano.__path__[0], 'scan_module', 'c_code', 'scan_perform.c'), encoding='utf-8') as f:
            text = f.read()
        self.assertIn('PyCode_NewEmpty', scan.todays_c(text, 2))
        for lost in 'PYPY_VERSION', 'PyCode_New(a, k', '->f_lineno':
            with self.assertRaisesRegex(ValueError, 'not the one of Theano 1.0.4 to Theano-PyMC 1.0.9'):
                scan.todays_c(text.replace(lost, 'something else'), 1)


class TestWhatIsLeftAlone(unittest.TestCase):

    @unittest.skipIf(bridged, 'Theano cannot compile its loop here')
    def test_where_theano_compiles_its_loop_itself_it_still_does(self):
        printed = run_python(TWO_SCANS + """
print(two_scans(), in_c(), sys.modules['scan_perform.scan_perform'].__file__)
""").split()
        self.assertEqual(printed[:2], ['True', 'True'])
        self.assertTrue(printed[2].endswith(os.path.join('scan_perform', 'scan_perform.so')), printed[2])
