"""The C interface of NumPy, for the C code of Theano.

NumPy 2 removed from its headers what Theano's C code uses, so that nothing compiles:

- ``PyInt_Check`` and other names of Python 2 in ``npy_3kcompat.h``, which NumPy 2.0 still had: macros put them back;
- ``PyArray_DESCR(x)->elsize``, which is still there for code that is compiled for NumPy 2 alone. Theano's may be: it
  never runs with another NumPy than the one whose headers it was compiled with;
- the fields ``real`` and ``imag`` of complex numbers;
- ``NPY_MAXDIMS`` as the axis that means all of them, now ``NPY_RAVEL_AXIS``;
- indexing by several arrays (``PyArrayMapIterObject``), which has no other name now: Theano then leaves it to NumPy,
  ``numpy.add.at``.

All of it is changed inside Theano alone.
"""
import functools
import os
import re

from .version_of_numpy import major

FOR_VERSION_2 = ['-DNPY_TARGET_VERSION=NPY_2_0_API_VERSION']
NAMES_OF_PYTHON_2 = ['-DNPY_PY3K', '-DPyInt_Check=PyLong_Check', '-DPyInt_AsLong=PyLong_AsLong',
                     '-DPyInt_FromLong=PyLong_FromLong']


def flags_for_compiler(cmodule):
    """Make ``theano.gof.cmodule.GCC_compiler`` add the flags above to its own."""
    if major() < 2:
        return
    import numpy
    with open(os.path.join(numpy.get_include(), 'numpy', 'npy_3kcompat.h'), encoding='utf-8') as header:
        flags = FOR_VERSION_2 + ([] if 'PyInt_Check' in header.read() else NAMES_OF_PYTHON_2)
    compile_args = cmodule.GCC_compiler.compile_args

    @functools.wraps(compile_args)
    def compile_args_and_flags(*args, **kwargs):
        return compile_args(*args, **kwargs) + flags

    cmodule.GCC_compiler.compile_args = staticmethod(compile_args_and_flags)


#: Classes whose C code names the axis that means all of them.
OVER_ALL_AXES = {
    'theano.tensor.basic': ['MaxAndArgmax'],
    'theano.tensor.extra_ops': ['CumOp'],
    'theano.tensor.subtensor': ['AdvancedSubtensor1'],
}


def axis_for_all(module):
    """Make the C code of the module's classes in `OVER_ALL_AXES` name the axis as NumPy 2 does."""
    if major() >= 2:
        for name in OVER_ALL_AXES[module.__name__]:
            op = getattr(module, name)
            op.c_code = with_ravel_axis(op.c_code)


def with_ravel_axis(c_code):
    @functools.wraps(c_code)
    def renamed(*args, **kwargs):
        return c_code(*args, **kwargs).replace('NPY_MAXDIMS', 'NPY_RAVEL_AXIS')
    return renamed


def no_increments_in_c(subtensor):
    """Leave ``AdvancedIncSubtensor1``, the gradient of an embedding for example, to its ``perform``."""
    if major() >= 2:
        def c_code(self, *args, **kwargs):
            raise NotImplementedError("NumPy 2 has no C interface for what Theano's code does")
        subtensor.AdvancedIncSubtensor1.c_code = c_code


def complex_with_fields(scalar):
    """Declare ``real`` and ``imag`` in the complex numbers of Theano's C code, which inherited them from NumPy's."""
    if major() < 2:
        return
    c_support_code = scalar.Scalar.c_support_code

    @functools.wraps(c_support_code)
    def with_fields(self):
        return re.sub(r'(struct theano_complex\d+) : public npy_complex\d+\s*\{\s*(typedef .*\s*typedef .*)',
                      r'\1 {\n\2\nscalar_type real, imag;', c_support_code(self))

    scalar.Scalar.c_support_code = with_fields
