"""What Python 3.9-3.11, newer NumPy and h5py took away from Theano and Keras 2.2.5, put back where it is missing.

Theano-PyMC 1.0.9, Keras 2.2.5 and nose 1.3.7 are older than the Pythons of today. Four things they ask for are gone:

=============  ===============================================  =======================
taken away by  what fails without it                            put back by
=============  ===============================================  =======================
Python 3.10    ``from collections import Iterable``             `names_of_collections`
NumPy 1.22     ``numpy.distutils.__config__.blas_opt_info``     `blas_of_numpy`
h5py 3         ``f.attrs['keras_version'].decode('utf8')``      `text_of_h5py`
Python 3.11    ``longintrepr.h``, for Theano's compiled scan     `scan_in_python`
=============  ===============================================  =======================

A NumPy that is too new to be bridged is named (`numpy_that_theano_knows`), and Keras takes Theano where nobody chose a backend
and TensorFlow is not there (`backend_of_keras`).

On Python 3.6-3.8, where the pinned NumPy and h5py still have all of it, nothing is changed. Elsewhere `apply` only
leaves a note at Python's import system: each bridge is built in the moment before ``theano``, ``keras`` or ``nose`` is
imported for the first time, so that a program which imports none of them never meets a bridge.

This file needs the standard library alone, and never its own package: an installed theano-spp also loads it by its
path, before any of the three (see ``setup.py``), and the Makefile runs it for the BLAS flags that it prints::

    THEANO_FLAGS="blas.ldflags='$(python theano_spp/legacy_bridge.py)'" python my_script.py
"""
import glob
import importlib.util
import os
import subprocess
import sys

NAMES_OF_COLLECTIONS = (
    'AsyncGenerator', 'AsyncIterable', 'AsyncIterator', 'Awaitable', 'ByteString', 'Callable', 'Collection',
    'Container', 'Coroutine', 'Generator', 'Hashable', 'ItemsView', 'Iterable', 'Iterator', 'KeysView', 'Mapping',
    'MappingView', 'MutableMapping', 'MutableSequence', 'MutableSet', 'Reversible', 'Sequence', 'Set', 'Sized',
    'ValuesView')


def apply():
    """Have each bridge that is missing built right before the package that needs it is imported for the first time.

    For a package that is imported already the bridge is built at once. A second call changes nothing.
    """
    if sys.version_info < (3, 9):
        return
    # By name and not by class: an installed theano-spp and a clone of it each bring a class of their own.
    if not any(type(finder).__name__ == BridgeFinder.__name__ for finder in sys.meta_path):
        sys.meta_path.insert(0, BridgeFinder())
    for package in BRIDGES_BEFORE:
        if package in sys.modules:
            build_bridges_before(package)


class BridgeFinder(object):
    """An entry of ``sys.meta_path`` that finds nothing: it only hears of an import before anybody else does."""

    def find_spec(self, name, path=None, target=None):
        build_bridges_before(name)
        return None


def build_bridges_before(package):
    for build in BRIDGES_BEFORE.get(package, ()):
        build()


def names_of_collections():
    """Put the abstract classes back into ``collections`` that Python 3.10 left in ``collections.abc`` alone."""
    if sys.version_info < (3, 10):
        return
    import collections.abc
    for name in NAMES_OF_COLLECTIONS:
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))


class TooNew(ImportError):
    """A package that is newer than Theano and Keras can live with: the sentence names it, and the version to install."""


def numpy_that_theano_knows():
    """Say which NumPy to install where another package has brought one that is too new.

    Raises
    ------
    TooNew
    """
    try:
        import numpy
    except ImportError:  # said by whoever imports it
        return
    if tuple(int(part) for part in numpy.__version__.split('.')[:2]) >= (1, 24):
        raise TooNew('NumPy is %s, but Theano-PyMC 1.0.9 and Keras 2.2.5 need one below 1.24, which another package may have'
                     " replaced: pip install 'numpy<1.24'" % numpy.__version__)


def backend_of_keras():
    """Have Keras take Theano where nobody chose a backend and TensorFlow, which it would try, is not installed."""
    if importlib.util.find_spec('tensorflow') is None:
        os.environ.setdefault('KERAS_BACKEND', 'theano')


def blas_of_numpy():
    """Tell Theano which BLAS to link with where NumPy >= 1.22 no longer does.

    Theano computes the default of its flag ``blas.ldflags`` from this attribute. To answer there, and not through the
    flag, leaves a user's own value (THEANO_FLAGS, .theanorc) alone, leaves no trace in the environment of child
    processes, and lets Theano try the answer with a small program before it believes it.
    """
    from numpy.distutils import __config__ as config
    if not hasattr(config, 'blas_opt_info'):
        config.blas_opt_info = {'extra_link_args': openblas_ldflags().split()}


def text_of_h5py():
    """Let text attributes that Keras reads by h5py >= 3 answer ``.decode``, which it calls when it loads a model.

    All other programs get the str that h5py gives: it writes no text of a class of ours.
    """
    try:
        import h5py
    except ImportError:  # Keras does without it as well, until it shall save or load.
        return
    read = h5py.AttributeManager.__getitem__
    if int(h5py.__version__.split('.')[0]) < 3 or hasattr(read, 'answers_decode'):
        return

    def __getitem__(self, name):
        value = read(self, name)
        if sys._getframe(1).f_globals.get('__name__', '').partition('.')[0] != 'keras':
            return value
        if isinstance(value, str):
            return Text(value)
        if getattr(value, 'dtype', None) == object:
            value.flat = [Text(item) if isinstance(item, str) else item for item in value.flat]
        return value

    __getitem__.__doc__ = read.__doc__
    __getitem__.answers_decode = True
    h5py.AttributeManager.__getitem__ = __getitem__


def scan_in_python():
    """Have ``theano.scan`` loop in Python, as it does without a compiler, where its C file cannot be compiled.

    Theano carries that file as an old Cython made it, for headers that Python 3.11 moved. What Theano finds when it
    cannot import the compiled loop is its own slower one; compiling would end in an error at the first scan.
    """
    if sys.version_info >= (3, 11):
        sys.modules.setdefault('theano.scan_module.scan_perform_ext', None)


class Text(str):
    """A str that can be decoded, as the bytes could that h5py < 3 handed out."""

    def decode(self, encoding='utf-8', errors='strict'):
        return str(self)

    def __reduce__(self):
        # A plain str: a pickle of this class could only be read where this file is.
        return str, (str(self),)


BRIDGES_BEFORE = {
    'theano': (names_of_collections, numpy_that_theano_knows, blas_of_numpy, scan_in_python),
    'keras': (names_of_collections, numpy_that_theano_knows, backend_of_keras, text_of_h5py),
    'nose': (names_of_collections,),
}


def openblas_ldflags():
    """Linker flags for Theano's ``blas.ldflags``, or '' where no OpenBLAS can be linked with.

    Returns
    -------
    str
        ``-lopenblas`` where the compiler finds that library (Debian: libopenblas-dev). Else flags for the OpenBLAS
        that came inside the wheel of NumPy or SciPy, or '' where there is none or its path cannot be written as a flag.
    """
    try:
        found = subprocess.check_output(['g++', '-print-file-name=libopenblas.so'], universal_newlines=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return ''
    # The compiler answers with the path of a library that it has, and repeats the name of one that it has not.
    if os.path.isabs(found):
        return '-lopenblas'
    for package in ('numpy', 'scipy'):
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        site_packages = os.path.dirname(os.path.dirname(os.path.abspath(spec.origin)))
        # Not libopenblas64_p: its functions take 64-bit integers and have other names (sgemm_64_).
        libraries = os.path.join(glob.escape(site_packages), package + '.libs', 'libopenblasp-*.so')
        for library in sorted(glob.glob(libraries)):
            # Theano splits flags at blanks, -Wl at commas, and the flags may be quoted in THEANO_FLAGS.
            if not any(mark in library for mark in ' \t\n,\'"'):
                return ldflags_of_library(library)
    return ''


def ldflags_of_library(library):
    """Linker flags for one shared library that lies, with the libraries it needs itself, in a folder of its own."""
    folder, name = os.path.split(library)
    # -Wl,-L and not -L: Theano warns of a folder given by -L in which it does not recognise the library's name.
    # Without --disable-new-dtags the folder would not be searched for the libgfortran that OpenBLAS needs.
    return '-Wl,-L{0} -Wl,-rpath,{0} -Wl,--disable-new-dtags -l:{1}'.format(folder, name)


if __name__ == '__main__':
    print(openblas_ldflags())
