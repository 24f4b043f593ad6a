"""Puts back what newer versions of Python, NumPy and others removed, and what Theano and Keras 2.2.5 still need.

Theano-PyMC 1.0.9, Keras 2.2.5 and nose 1.3.7 are older than today's versions of Python. Things they use are gone:

===============  ===============================================  =======================  =====================
removed by       what fails without it                            put back by              who sees it
===============  ===============================================  =======================  =====================
Python 3.3       ``hash`` of a text, the same in every process    `modules_kept`           Theano
Python 3.10      ``from collections import Iterable``             `names_of_collections`   everybody
Python 3.11      ``inspect.getargspec``, for set-up functions     `getargspec_of_inspect`  nose
Python 3.11, or  ``longintrepr.h`` and others, for Theano's       `scan_in_c`              Theano
NumPy 2          compiled scan
Python 3.12      ``numpy.distutils``, for all of Theano           `distutils_of_numpy`     everybody
Python 3.12      ``SafeConfigParser``, to install Theano-PyMC     `safe_config_parser`     a setup.py
NumPy 1.22       ``numpy.distutils.__config__.blas_opt_info``     `blas`                   everybody
NumPy 1.24, 2    ``numpy.cast`` and a dozen other names           `names_of_numpy`         Theano, Keras
NumPy 2          names in C headers, for all that is compiled     `c_api_of_numpy`         Theano
NumPy 2          ``int8_array[...] = 666``, in DebugMode          `debug_mode`             Theano
NumPy 2          ``array.itemset(number)``, in DebugMode          `debug_mode`             Theano
NumPy 2          ``int32(1) & 0xFFFFFFFF``, for random numbers    `mask_of_mrg`            Theano
NumPy 2          ``asarray(128, 'int8')``, for constants          `integers_of_theano`     Theano
NumPy 2          float64 of ``float32(1) / x``, in DebugMode      `precision_of_inv`       Theano
SciPy 1.8        private names, for convolutions without C        `signal_of_scipy`        Theano
h5py 3           ``f.attrs['keras_version'].decode('utf8')``      `bytes_of_h5py`          Keras
setuptools 81    ``pkg_resources``, for scan and GPUs             `imports_of_gpu_side`    Theano
NumPy 2.5        ``numpy.linalg.linalg``, for scan and GPUs       `imports_of_gpu_side`    Theano
nobody           operations without properties, as versions       `modules_kept`           Theano
nobody           ``nan("")`` in a kernel, which OpenCL has not    `kernels_of_opencl`      Theano
nobody           ``import tensorflow``, Keras's first choice      `backend_of_keras`       Keras, child processes
===============  ===============================================  =======================  =====================

`apply` only registers an import hook: each bridge is built when a module that needs it is imported for the first time,
and only if something is missing, so that a program which imports none of them is not affected. Three changes are seen
by every package of the process, after the import of Theano, Keras or nose: the old names are in ``collections`` again,
``import numpy.distutils`` works on Python 3.12 and later, and its ``__config__`` names a BLAS.

This package needs only the standard library, and never its own parent: an installed theano-spp also loads it by its
path, before any of the others (`first_import`), and the Makefile runs `blas` to print the BLAS flags.
"""
import importlib.machinery
import sys

from .backend_of_keras import theano_without_tensorflow
from .blas import blas_of_numpy, openblas_ldflags
from .bytes_of_h5py import bytes_for_h5dict, bytes_for_saving
from .c_api_of_numpy import OVER_ALL_AXES, axis_for_all, complex_with_fields, flags_for_compiler, no_increments_in_c
from .debug_mode import no_itemset, number_in_an_array
from .distutils_of_numpy import distutils_of_numpy
from .getargspec_of_inspect import getargspec_of_inspect
from .imports_of_gpu_side import imports_of_gpu_side, imports_of_gpu_side_no_more
from .integers_of_theano import integers_that_fit
from .kernels_of_opencl import conditions_of_opencl, kernels_of_opencl
from .mask_of_mrg import mask_that_fits
from .modules_kept import version_of_code, version_without_properties
from .names_of_collections import names_of_collections
from .names_of_numpy import USERS, bool_of_numpy, bool_of_numpy_no_more, names_of_numpy
from .precision_of_inv import precision_of_inv
from .safe_config_parser import safe_config_parser
from .scan import LOADER, scan_in_c
from .signal_of_scipy import signal_of_scipy

#: What is built before a module is imported.
BRIDGES_BEFORE = {
    'theano': (names_of_collections, distutils_of_numpy, blas_of_numpy),
    'theano.scalar.basic': (bool_of_numpy,),
    LOADER: (scan_in_c,),
    'theano.gpuarray.linalg': (imports_of_gpu_side,),
    'keras': (names_of_collections, theano_without_tensorflow),
    'nose': (names_of_collections,),
    'versioneer': (safe_config_parser,),
}

#: What is changed in a module after it has been imported, but for those of `USERS` and `OVER_ALL_AXES`, added below.
BRIDGES_AFTER = {
    'theano.gof.op': (version_of_code,),
    'theano.gof.cc': (version_without_properties,),
    'theano.gof.cmodule': (flags_for_compiler,),
    'theano.scalar.basic': (bool_of_numpy_no_more, complex_with_fields, integers_that_fit, precision_of_inv,
                            conditions_of_opencl),
    'theano.compile.debugmode': (number_in_an_array, no_itemset),
    'theano.sandbox.rng_mrg': (mask_that_fits,),
    'theano.tensor.subtensor': (no_increments_in_c,),
    'theano.tensor.nnet.conv': (signal_of_scipy,),
    'theano.tensor.nnet.abstract_conv': (signal_of_scipy,),
    'theano.gpuarray.linalg': (imports_of_gpu_side_no_more,),
    'theano.gpuarray.elemwise': (kernels_of_opencl,),
    'nose.util': (getargspec_of_inspect,),
    'nose.plugins.manager': (getargspec_of_inspect,),
    'keras.engine.saving': (bytes_for_saving,),
    'keras.utils.io_utils': (bytes_for_h5dict,),
}
for _bridge, _modules in (names_of_numpy, USERS), (axis_for_all, OVER_ALL_AXES):
    for _module in _modules:
        BRIDGES_AFTER[_module] = BRIDGES_AFTER.get(_module, ()) + (_bridge,)


def apply():
    """Arrange for each bridge to be built when the module that needs it is imported for the first time.

    If a module is already imported, its bridge is built at once. A second call changes nothing.
    """
    # By name and not by class: an installed theano-spp and a clone of it each have a class of their own.
    if any(type(finder).__name__ == BridgeFinder.__name__ for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, BridgeFinder())
    for name in BRIDGES_BEFORE:
        if name in sys.modules:
            build_bridges_before(name)
    for name in BRIDGES_AFTER:
        if name in sys.modules:
            build_bridges_after(sys.modules[name])


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
                build_bridges_after(module)

            spec.loader.exec_module = exec_module
        return spec


def build_bridges_before(name):
    for build in BRIDGES_BEFORE.get(name, ()):
        build()


def build_bridges_after(module):
    for change in BRIDGES_AFTER[module.__name__]:
        change(module)
