"""What Theano compiles and what it finds in its cache, by counting calls of the compiler."""
import os
import shutil
import tempfile
import unittest

from tests.processes import run_python

COUNT = '''
from theano_spp import *
import theano, theano.tensor as T
from theano.gof.cmodule import GCC_compiler
compile_str = GCC_compiler.compile_str
calls = []
def count(*arguments, **named):
    calls.extend(['superpixel'] * ('superpixel' in str((arguments, named))))
    return compile_str(*arguments, **named)
GCC_compiler.compile_str = staticmethod(count)
x, m, p, w = T.dtensor4(), T.itensor3(), T.dtensor3(), T.dtensor3()
'''
POOL = 'theano.function([x, m], superpixel_pool(x, m, 3))\n'
TELL = 'print(len(calls))'


class CacheTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def compiled(self, code, before=''):
        return int(run_python(before + COUNT + code + TELL,
                              {'base_compiledir': os.path.join(self.folder, 'compiled')}))

    def test_a_second_process_compiles_nothing(self):
        code = POOL + ('theano.function([x, m], superpixel_pool(x, m))\n'
                       'theano.function([p, m], superpixel_unpool(p, m))\n'
                       'theano.function([m], superpixel_sizes(m))\n')
        self.assertEqual(self.compiled(code), 4)
        self.assertEqual(self.compiled(code), 0)

    def test_a_second_process_compiles_nothing_for_weights(self):
        code = ('theano.function([x, m, w], superpixel_pool(x, m, 3, "mean", w))\n'
                'theano.function([x, m, w], T.grad(T.sum(superpixel_pool(x, m, 3, "sum", w)), [x, w]))\n')
        self.assertEqual(self.compiled(code), 3)
        self.assertEqual(self.compiled(code), 0)

    def test_eight_parameter_values_share_one_compiled_module(self):
        code = ('for mode in "mean", "sum":\n'
                '    for n in 2, 3, 5, 700:\n'
                '        theano.function([x, m], superpixel_pool(x, m, n, mode))\n')
        self.assertEqual(self.compiled(code), 1)
        code = ('for resize in "nearest", "bilinear":\n'
                '    for mode in "max", "min", "mean", "sum":\n'
                '        theano.function([x, m], superpixel_pool(x, m, 3, mode, resize=resize))\n')
        self.assertEqual(self.compiled(code), 2)
        self.assertEqual(self.compiled(code), 0)

    def test_an_edited_c_file_is_compiled_anew(self):
        self.assertEqual(self.compiled(POOL), 1)
        edit = '''
import os, shutil, theano_spp.ops.external_c as external_c
copy = {!r}
if not os.path.exists(copy):
    shutil.copytree(external_c.C_CODE_FOLDER, copy)
external_c.C_CODE_FOLDER = copy
'''.format(os.path.join(self.folder, 'c_code'))
        self.assertEqual(self.compiled(POOL, before=edit), 0)  # the same text in another folder
        with open(os.path.join(self.folder, 'c_code', 'labels/label_map.h'), 'a') as c_file:
            c_file.write('/* edited */\n')
        self.assertEqual(self.compiled(POOL, before=edit), 1)

    def test_threads_are_part_of_what_is_compiled(self):
        self.assertEqual(self.compiled(POOL), 1)
        self.assertEqual(self.compiled('theano.function([x, m], SuperpixelPool(openmp=True)(x, m, 3))\n'), 1)
