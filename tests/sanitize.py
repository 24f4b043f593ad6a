"""Runs the tests of values, errors and layouts with AddressSanitizer and UBSan in the C code.

Theano itself builds the C code, with the sanitizers' flags added, and their runtime is loaded into
Python first. That this really sees our code is proven before anything else: a subclass whose C file
writes one value past the pooled features, and one that adds up labels until they overflow, must both
be reported. Run it as ``python -m tests.sanitize``, with names of tests for a part of them.
"""
import os
import subprocess
import sys

from tests.processes import REPOSITORY

#: The tests that make the C code read and write in ways of their own. Derivatives, shapes and graphs do not, and all
#: dtypes of labels are read in the tests of errors.
TESTS = ['tests/theano_spp/' + name for name in (
    'test_values.py:ValuesByHandTest', 'test_values.py:ValuesTest', 'test_values.py:NotFiniteTest',
    'test_values.py:LimitsOfFloatsTest', 'test_values.py:PrecisionTest', 'test_values.py:AdjointTest',
    'test_errors.py:RunTimeErrorTest', 'test_memory.py',
    'test_extremum.py:ValuesTest', 'test_extremum.py:LayoutTest', 'test_extremum.py:ErrorTest',
    'test_extremum.py:GradientTest.test_taking_and_putting_are_adjoint_and_linear',
    'test_resize.py:ValuesTest', 'test_resize.py:MemoryTest.test_the_results_are_the_same_bits_for_every_layout',
    'test_resize.py:ErrorTest.test_bad_labels_batches_and_sizes_are_named_in_c_and_in_the_reference',
    'test_resize.py:ErrorTest.test_more_superpixels_than_memory_is_an_error_and_never_a_crash',
    'test_resize.py:ErrorTest.test_pixels_of_a_map_beyond_memory_are_an_error_and_never_a_crash',
    'test_resize.py:ErrorTest.test_cells_beyond_memory_are_an_error_and_never_a_crash', 'test_large_maps.py',
    'test_soft.py:ValueTest', 'test_soft.py:ErrorTest',
    'test_soft.py:MemoryTest.test_every_op_gives_the_same_bits_for_every_layout_of_its_inputs',
    'test_soft.py:MemoryTest.test_one_to_four_threads_and_none_at_all_give_the_same_bits',
    'test_weights.py:LayoutTest', 'test_weights.py:ErrorTest', 'test_weights.py:ValueTest',
    'test_weights.py:ModeTest.test_one_to_four_threads_and_none_at_all_give_the_same_bits',
    'test_modes.py:ThreadTest.test_one_to_four_threads_and_none_at_all_give_the_same_bits')]
FOLDER = os.path.join(REPOSITORY, '.theano_test', 'sanitized')

PLANT = '''
from tests import environment
environment.prepare()
from theano_spp import SuperpixelPool
from theano_spp.ops import external_c
import os, shutil, numpy as np, theano, theano.tensor as T
planted = os.path.join({folder!r}, 'planted')
shutil.rmtree(planted, ignore_errors=True)
shutil.copytree(external_c.C_CODE_FOLDER, planted)
path = os.path.join(planted, 'ops/superpixel_pool.cc')
with open(path) as stream:
    code = stream.read()
place = '    failed = 0;\\ndone:\\n'
assert place in code
with open(path, 'w') as stream:
    stream.write(code.replace(place, {defect!r} + place))
external_c.C_CODE_FOLDER = planted
x, m = T.ftensor4(), T.itensor3()
theano.function([x, m], SuperpixelPool()(x, m, 3))(np.ones((2, 64, 5, 7), 'float32'), np.zeros((2, 5, 7), 'int32'))
'''
DEFECTS = {
    'heap-buffer-overflow': '((FEATURE *)PyArray_DATA(*pooled))[PyArray_SIZE(*pooled)] = 1;\n',
    'signed integer overflow': '{ volatile int label = 2147483647; label = label + (int)PyArray_NDIM(*pooled);'
                               ' plans.sizes[0] = label; }\n',
}


def sanitized_environment():
    """The environment in which Theano's compiler adds the sanitizers and Python carries their runtime."""
    compiler = os.environ.get('CXX', 'g++')
    runtime = [subprocess.check_output([compiler, '-print-file-name=' + name]).decode().strip()
               for name in ('libasan.so', 'libubsan.so')]
    for path in runtime:
        if not os.path.isabs(path):
            sys.exit('%s is not there: the sanitizers come with g++ (Debian: apt-get install g++)' % path)
    return dict(
        os.environ,
        LD_PRELOAD=' '.join(runtime),
        # Python itself leaks memory; its small blocks must come from malloc to be watched.
        ASAN_OPTIONS='detect_leaks=0:allocator_may_return_null=1', UBSAN_OPTIONS='print_stacktrace=1',
        PYTHONMALLOC='malloc', THEANO_SPP_TESTS_FOLDER=FOLDER,
        # -g1: the lines of code in a report.
        THEANO_SPP_TESTS_CXXFLAGS='-fsanitize=address,undefined -fno-sanitize-recover=undefined'
                                  ' -fno-omit-frame-pointer -g1 -O1 -Wall -Wextra')


def must_find(defect, code, environment):
    """Exit unless the planted defect is reported by name and the process fails."""
    process = subprocess.Popen([sys.executable, '-c', PLANT.format(folder=FOLDER, defect=code)], cwd=REPOSITORY,
                               env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               universal_newlines=True)
    printed = process.communicate()[0]
    if process.returncode == 0 or defect not in printed:
        sys.exit('The planted %s was not detected (exit %d):\n%s' % (defect, process.returncode, printed))
    print('A planted %s is detected.' % defect)


def main(arguments):
    if not os.path.isdir(FOLDER):
        os.makedirs(FOLDER)
    environment = sanitized_environment()
    for defect, code in sorted(DEFECTS.items()):
        must_find(defect, code, environment)
    return subprocess.call([sys.executable, '-m', 'tests'] + (arguments or TESTS), cwd=REPOSITORY, env=environment)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
