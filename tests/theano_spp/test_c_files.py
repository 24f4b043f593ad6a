"""C files state what they need, and need nothing else."""
import glob
import os
import platform
import shutil
import subprocess
import tempfile
import unittest

import numpy as np
import theano
from theano.gof.cmodule import GCC_compiler, std_include_dirs

from theano_spp import c_files
from theano_spp.ops.external_c import C_CODE_FOLDER

#: What Theano and the op define for each C file: float32 features, int32 labels, double weights, two axes.
DEFINED = '''#include <Python.h>
#include <math.h>
#include <numpy/arrayobject.h>
#define APPLY_SPECIFIC(name) name##_of_test
#define FEATURE npy_float32
#define LABEL npy_int32
#define DTYPE_INPUT_0 npy_float32
#define DTYPE_INPUT_2 npy_float64
#define DTYPE_INPUT_3 npy_float64
#define DTYPE_OUTPUT_0 npy_float32
#define ITEMSIZE_INPUT_0 4
#define TYPENUM_INPUT_0 NPY_FLOAT32
#define TYPENUM_OUTPUT_0 NPY_FLOAT32
#define TYPENUM_INPUT_1 NPY_FLOAT32
#define SPP_NEIGHBOURS 9
#define PARAMS_TYPE struct Params
struct Params { int mode, resize, kind; };
enum { SPP_POOL_MEAN, SPP_POOL_SUM, SPP_POOL_MAX, SPP_POOL_MIN, SPP_UNPOOL_SUM, SPP_UNPOOL_MEAN };
enum { SPP_RESIZE_NONE, SPP_NEAREST, SPP_BILINEAR };
enum { SPP_SOFT_DOT, SPP_SOFT_ASSOCIATION };
'''
#: Files of ops whose first input is not the features: values of superpixels, always double.
DOUBLES_FIRST = ('ops/soft_unpool.cc',)
ITEMSIZE_8 = '#undef ITEMSIZE_INPUT_0\n#define ITEMSIZE_INPUT_0 8\n'


def all_files():
    return sorted(os.path.relpath(path, C_CODE_FOLDER) for path in glob.glob(os.path.join(C_CODE_FOLDER, '*', '*')))


class CFilesTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w') as stream:
            stream.write(text)
        return path

    def compiler_says(self, name, flags=()):
        """The errors of the compiler in a file together with the files that it includes, and no others."""
        code = c_files.sections(c_files.read_with_needs(C_CODE_FOLDER, name))
        path = self.write('alone.cc', '\n'.join([
            DEFINED, ITEMSIZE_8 if name in DOUBLES_FIRST else '', code.get('support_code', ''),
            code.get('support_code_apply', '')]))
        folders = ['-I' + folder for folder in std_include_dirs() + [np.get_include()]]
        which_numpy = [flag for flag in GCC_compiler.compile_args() if flag.startswith('-DNPY_')]
        self.assertIn('-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION', which_numpy)
        process = subprocess.Popen([theano.config.cxx, '-fsyntax-only', '-w', path] + list(flags) + which_numpy
                                   + folders,
                                   stderr=subprocess.PIPE, universal_newlines=True)
        return process.communicate()[1]

    def test_every_file_compiles_with_nothing_but_what_it_states(self):
        self.assertGreater(len(all_files()), 30)
        for name in all_files():
            said = self.compiler_says(name)
            self.assertFalse(said, name + ':\n' + said)

    @unittest.skipUnless(platform.machine() == 'x86_64', 'vectors of other processors')
    def test_every_op_compiles_for_processors_with_other_vectors_than_this_one(self):
        for name in all_files():
            if name.startswith('ops'):
                said = self.compiler_says(name, ['-mavx512f'])
                self.assertFalse(said, name + ':\n' + said)

    def test_each_file_comes_once_and_after_all_that_it_needs(self):
        self.write('a.h', '#section support_code\na\n')
        self.write('b.h', '#include "a.h"\n\n#section support_code\nb\n')
        self.write('c.cc', '#include "a.h"\n#include "b.h"\n\n#section support_code\nc\n'
                           '#section support_code_apply\nd\n')
        codes = c_files.read_with_needs(self.folder, 'c.cc')
        self.assertEqual(c_files.sections(codes), {'support_code': '\na\n\nb\n\nc\n', 'support_code_apply': '\nd\n'})

    def test_files_that_need_each_other_in_a_circle_are_named(self):
        self.write('a.h', '#include "b.h"\n')
        self.write('b.h', '#include "a.h"\n')
        with self.assertRaises(ValueError) as caught:
            c_files.read_with_needs(self.folder, 'a.h')
        self.assertIn('a.h -> b.h -> a.h', str(caught.exception))
