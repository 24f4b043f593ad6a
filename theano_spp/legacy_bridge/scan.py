"""``theano.scan``, and with it LSTM and GRU, loop in C where Theano's own C file no longer compiles.

All releases of Theano from 1.0.4 to Theano-PyMC 1.0.9 contain the same ``scan_perform.c``, which Cython 0.28 generated
in 2018. None of them contains the Cython source, so that today's Cython cannot help; but with the few changes of
`todays_c` the C text compiles for Python 3.11 to 3.13 and for NumPy 2. Theano's own ``scan_perform_ext.py`` then
imports what is compiled here, as if it had compiled it itself.

This file needs only the standard library until Theano imports its loop, and never its own package.
"""
import contextlib
import hashlib
import importlib.util
import io
import os
import re
import sys
import tempfile
import textwrap
import types
import warnings

from .version_of_numpy import major

#: Theano's module that compiles and imports the loop when a function with a scan is compiled for the first time.
LOADER = 'theano.scan_module.scan_perform_ext'
#: What that module imports: a package with the version, and the compiled loop in it.
PACKAGE, LOOP = 'scan_perform', 'scan_perform.scan_perform'


def scan_in_c():
    """Compile the loop, or load what an earlier process compiled; to be called before `LOADER` is imported.

    Raises
    ------
    ImportError
        If it cannot be compiled or loaded, after a warning. Theano then loops in Python, as it does without a
        compiler, and this process does not try again.
    """
    import numpy
    if LOADER in sys.modules or (sys.version_info < (3, 11) and major() < 2):
        return  # it is too late, or Theano compiles the loop by itself
    try:
        loop = compiled_loop()
    except Exception as reason:
        sys.modules[LOADER] = None
        sentence = ('theano.scan, and with it LSTM and GRU, loops in Python and is slower, because its loop in C cannot'
                    ' be compiled for Python {} and NumPy {} ({}): use Python 3.6 to 3.13 with NumPy 1.19 to 2.5'
                    .format(sys.version.split()[0], numpy.__version__,
                            textwrap.shorten(str(reason), 300, placeholder=' ...')))
        warnings.warn(sentence, RuntimeWarning)
        raise ImportError(sentence) from reason
    sys.modules[PACKAGE] = types.ModuleType(PACKAGE)
    sys.modules[PACKAGE]._version = loop.get_version()
    sys.modules[LOOP] = loop


def compiled_loop():
    """Return the extension module, from Theano's compile folder if a process with the same versions left it there."""
    import numpy
    import theano
    from theano.gof import cmodule
    with open(os.path.join(theano.__path__[0], 'scan_module', 'c_code', 'scan_perform.c'), encoding='utf-8') as f:
        text = todays_c(f.read(), major())
    # As Theano compiles it. Its compile folder is for one Python and processor, but for every NumPy.
    arguments = ['-fwrapv', '-O2', '-fno-strict-aliasing'] + cmodule.GCC_compiler.compile_args()
    key = hashlib.sha256(repr((text, arguments, numpy.__version__, sys.version)).encode('utf-8')).hexdigest()[:16]
    library = os.path.join(theano.config.compiledir, 'scan_perform-' + key, 'scan_perform.so')
    if not os.path.exists(library):
        compile_to(library, text, arguments)
    spec = importlib.util.spec_from_file_location(LOOP, library)
    with warnings.catch_warnings():
        # That structs of NumPy have grown, of which the loop knows the first fields only; that it sets no __package__.
        warnings.simplefilter('ignore')
        loop = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loop)
    return loop


def compile_to(library, text, arguments):
    """Compile the text to this file, unless another process has done so before it released Theano's lock."""
    from theano.gof import cmodule, compilelock
    folder, name = os.path.split(library)
    compilelock.get_lock()
    try:
        if os.path.exists(library):
            return
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as unfinished:
            with contextlib.redirect_stdout(io.StringIO()):  # if it fails: our sentence instead of Theano's page
                cmodule.GCC_compiler.compile_str('scan_perform', text, location=unfinished, preargs=arguments,
                                                 py_module=False, hide_symbols=False)
            os.rename(os.path.join(unfinished, name), library)
    finally:
        compilelock.release_lock()


def todays_c(text, numpy_major):
    """Return the text of ``scan_perform.c`` with the changes that newer versions of Python and NumPy need.

    Raises
    ------
    ValueError
        If it is not the text that Theano has contained up to now.
    """
    def replaced(old, new):
        if text.count(old) != 1:
            raise ValueError('this scan_perform.c is not the one of Theano 1.0.4 to Theano-PyMC 1.0.9')
        return text.replace(old, new)

    # CPython's objects changed inside. On PyPy, Cython's C code does not look inside them.
    text = replaced('#ifdef PYPY_VERSION\n', '#if 1\n')
    # Code objects are made otherwise, and the line of a frame cannot be set. Both are for tracebacks alone, which have
    # code objects of their own: their first line is the one that failed.
    text = replaced('          PyCode_New(a, k, l, s, f, code, c, n, v, fv, cell, fn, name, fline, lnos)\n',
                    '          PyCode_NewEmpty(PyUnicode_AsUTF8(fn), PyUnicode_AsUTF8(name), fline)\n')
    text = replaced('(frame)->f_lineno = (lineno)', '((void) (lineno))')
    # NumPy 2 dropped the old names of two flags, and moved fields of dtypes to a struct of another name. Python 3 never
    # calls the functions that use them.
    text = re.sub(r'\bNPY_([CF])_CONTIGUOUS\b', r'NPY_ARRAY_\1_CONTIGUOUS', text)
    if numpy_major >= 2:
        text = re.sub(r'(__pyx_v_\w+)->(subarray|names|fields|elsize)\b', r'((_PyArray_LegacyDescr *) \1)->\2', text)
    return text
