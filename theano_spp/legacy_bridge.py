"""Puts back what newer versions of Python, NumPy and h5py removed, and what Theano and Keras 2.2.5 still need.

Theano-PyMC 1.0.9, Keras 2.2.5 and nose 1.3.7 are older than today's versions of Python. Things they use are gone:

=============  ===============================================  =======================
removed by     what fails without it                            put back by
=============  ===============================================  =======================
Python 3.10    ``from collections import Iterable``             `names_of_collections`
NumPy 1.22     ``numpy.distutils.__config__.blas_opt_info``     `blas_of_numpy`
h5py 3         ``f.attrs['keras_version'].decode('utf8')``      `bytes_for_saving`
Python 3.11    ``longintrepr.h``, for Theano's compiled scan    `scan_in_c`
nobody         ``import tensorflow``, Keras's first choice      `theano_without_tensorflow`
=============  ===============================================  =======================

`apply` only registers an import hook: each bridge is built when ``theano``, ``keras`` or ``nose`` is imported for the
first time, and only if something is missing, so that a program which imports none of them is not affected. What only
Keras needs is changed inside Keras alone: h5py stays the same for everybody else.

This file needs only the standard library, and never its own package: an installed theano-spp also loads it by its
path, before any of the three (see ``setup.py``), and the Makefile runs it to print the BLAS flags.
"""
import functools
import glob
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys

NAMES_OF_COLLECTIONS = (
    'AsyncGenerator', 'AsyncIterable', 'AsyncIterator', 'Awaitable', 'ByteString', 'Callable', 'Collection',
    'Container', 'Coroutine', 'Generator', 'Hashable', 'ItemsView', 'Iterable', 'Iterator', 'KeysView', 'Mapping',
    'MappingView', 'MutableMapping', 'MutableSequence', 'MutableSet', 'Reversible', 'Sequence', 'Set', 'Sized',
    'ValuesView')


def apply():
    """Arrange for each bridge to be built when the module that needs it is imported for the first time.

    If a module is already imported, its bridge is built at once. A second call changes nothing.
    """
    # By name and not by class: an installed theano-spp and a clone of it each have a class of their own.
    if any(type(finder).__name__ == BridgeFinder.__name__ for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, BridgeFinder())
    for package in BRIDGES_BEFORE:
        if package in sys.modules:
            build_bridges_before(package)
    for name in BRIDGES_AFTER:
        if name in sys.modules:
            BRIDGES_AFTER[name](sys.modules[name])


class BridgeFinder:
    """An entry of ``sys.meta_path`` that is notified of an import before all others."""

    def find_spec(self, name, path=None, target=None):
        build_bridges_before(name)
        if name not in BRIDGES_AFTER:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                BRIDGES_AFTER[name](module)

            spec.loader.exec_module = exec_module
        return spec


def build_bridges_before(package):
    for build in BRIDGES_BEFORE.get(package, ()):
        build()


def names_of_collections():
    """Put the abstract classes back into ``collections`` that Python 3.10 left only in ``collections.abc``."""
    if sys.version_info < (3, 10):
        return
    import collections.abc
    for name in NAMES_OF_COLLECTIONS:
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))


def blas_of_numpy():
    """Tell Theano which BLAS to link with if NumPy does not: it gives none since 1.22, or one of the build machine.

    Theano computes the default of its flag ``blas.ldflags`` from this attribute. Setting the attribute instead of the
    flag respects a user's own value (THEANO_FLAGS, .theanorc), leaves no trace in the environment of child processes,
    and lets Theano test the value with a small program before using it.
    """
    try:
        from numpy.distutils import __config__ as config
    except ImportError:  # NumPy is too new, which Theano itself will report
        return
    if not is_here(getattr(config, 'blas_opt_info', {})):
        config.blas_opt_info = {'extra_link_args': openblas_ldflags().split()}


def is_here(blas_info):
    """Whether a library that NumPy reports as linked exists in one of the folders that it names."""
    return any(glob.glob(os.path.join(glob.escape(folder), 'lib%s.*' % library))
               for folder in blas_info.get('library_dirs', ()) for library in blas_info.get('libraries', ()))


def theano_without_tensorflow():
    """Choose Keras's Theano backend if Keras would otherwise try to import TensorFlow, which is not installed."""
    home = os.environ.get('KERAS_HOME', os.path.join(os.path.expanduser('~'), '.keras'))
    try:
        with open(os.path.join(home, 'keras.json')) as f:
            chosen = json.load(f).get('backend', 'tensorflow')
    except (OSError, ValueError):
        chosen = 'tensorflow'
    # Even if keras.json says 'tensorflow': Keras writes that itself, whatever backend it runs on.
    missing = sys.modules.get('tensorflow') is None and importlib.util.find_spec('tensorflow') is None
    if chosen == 'tensorflow' and missing:
        os.environ.setdefault('KERAS_BACKEND', 'theano')


def bytes_for_saving(saving):
    """Make the functions of ``keras.engine.saving`` that read weights get bytes from attributes: `groups_of_bytes`."""
    if not hands_out_str(saving.h5py):
        return
    for name in ('load_attributes_from_hdf5_group', 'load_weights_from_hdf5_group',
                 'load_weights_from_hdf5_group_by_name'):
        setattr(saving, name, given_bytes(saving.h5py, getattr(saving, name)))


def bytes_for_h5dict(io_utils):
    """Make ``keras.utils.io_utils.H5Dict``, through which Keras reads whole models, get bytes from attributes.

    And make saving to memory work: a ``h5py.File`` opened without a mode is now read-only.
    """
    if not hands_out_str(io_utils.h5py):
        return
    h5py, H5Dict = io_utils.h5py, io_utils.H5Dict
    read, group_of_bytes = H5Dict.__getitem__, groups_of_bytes(h5py)

    @functools.wraps(read)
    def __getitem__(self, name):
        return read(H5Dict(group_of_bytes(self.data), 'r' if self.read_only else 'a'), name)

    @functools.wraps(io_utils.save_to_binary_h5py)
    def save_to_binary_h5py(save_function, stream):
        with h5py.File('in-memory-h5py', 'w', driver='core', backing_store=False) as file:
            result = save_function(file)
            file.flush()
            stream.write(file.id.get_file_image())
        return result

    H5Dict.__getitem__ = __getitem__
    io_utils.save_to_binary_h5py = save_to_binary_h5py


def hands_out_str(h5py):
    # None if it is not installed: Keras works without it until a model is saved or loaded.
    return h5py is not None and int(h5py.__version__.split('.')[0]) >= 3


def given_bytes(h5py, function):
    """Wrap a function so that the attributes of every group it is given contain bytes."""
    group_of_bytes = groups_of_bytes(h5py)

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*map(group_of_bytes, args), **{name: group_of_bytes(value) for name, value in kwargs.items()})

    return wrapper


def groups_of_bytes(h5py):
    """Return a function that turns a ``h5py.Group`` into a view in whose attributes text is bytes, as before h5py 3.

    Only Keras gets this view: h5py itself, and with it every other program, stays as it is.
    """
    class AttributesOfBytes(h5py.AttributeManager):

        def __getitem__(self, name):
            value = super().__getitem__(name)
            if isinstance(value, str):
                return value.encode('utf-8')
            if getattr(value, 'dtype', None) == 'object':
                value.flat = [item.encode('utf-8') if isinstance(item, str) else item for item in value.flat]
            return value

    class GroupOfBytes(h5py.Group):

        @property
        def attrs(self):
            return AttributesOfBytes(self)

        def __getitem__(self, name):
            return group_of_bytes(super().__getitem__(name))

    def group_of_bytes(value):
        return GroupOfBytes(value.id) if isinstance(value, h5py.Group) else value

    return group_of_bytes


def scan_in_c():
    """Call the function of this name in the file beside this one, by path: this one may be loaded so too."""
    spec = importlib.util.spec_from_file_location('theano_spp_legacy_bridge_scan', os.path.join(
        os.path.dirname(os.path.abspath(__file__)), 'legacy_bridge_scan.py'))
    scan = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scan)
    scan.scan_in_c()


BRIDGES_BEFORE = {
    'theano': (names_of_collections, blas_of_numpy),
    'theano.scan_module.scan_perform_ext': (scan_in_c,),
    'keras': (names_of_collections, theano_without_tensorflow),
    'nose': (names_of_collections,),
}

BRIDGES_AFTER = {
    'keras.engine.saving': bytes_for_saving,
    'keras.utils.io_utils': bytes_for_h5dict,
}


def openblas_ldflags():
    """Linker flags for Theano's ``blas.ldflags``, or '' if there is no OpenBLAS to link with.

    Returns
    -------
    str
        ``-lopenblas`` if the compiler finds that library (Debian: libopenblas-dev). Otherwise flags for the OpenBLAS
        inside the wheel of NumPy or SciPy, or '' if there is none or its path cannot be written as a flag.
    """
    try:
        path = subprocess.check_output(['g++', '-print-file-name=libopenblas.so'], universal_newlines=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return ''
    # The compiler prints the path of a library that it has, and only the name of one that it does not have.
    if os.path.isabs(path):
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
    """Linker flags for a shared library whose folder contains only it and the libraries that it needs."""
    folder, name = os.path.split(library)
    # -Wl,-L and not -L: Theano warns about a folder given by -L if it does not recognise the library's name in it.
    # Without --disable-new-dtags the folder would not be searched for the libgfortran that OpenBLAS needs.

    return '-Wl,-L{0} -Wl,-rpath,{0} -Wl,--disable-new-dtags -l:{1}'.format(folder, name)


if __name__ == '__main__':
    print(openblas_ldflags())
