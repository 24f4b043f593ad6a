"""Two modules that ``theano.gpuarray`` imports, for one exception each. ``theano.scan`` imports ``theano.gpuarray``.

setuptools has no ``pkg_resources`` since version 81, and a virtual environment of Python 3.12 has no setuptools at all.
NumPy 2.5 has no ``numpy.linalg.linalg``. The stand-ins are there only while the module that asks for them is imported.
"""
import importlib.util
import sys
import types


def imports_of_gpu_side():
    """Make the imports of ``theano.gpuarray.linalg`` work."""
    for name, exception, find in NEEDED:
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            sys.modules[name] = types.ModuleType(STAND_IN)
            setattr(sys.modules[name], exception, find())


def imports_of_gpu_side_no_more(linalg):
    """Take the stand-ins away again."""
    for name, _, _ in NEEDED:
        if getattr(sys.modules.get(name), '__name__', None) == STAND_IN:
            del sys.modules[name]


def distribution_not_found():
    from importlib.metadata import PackageNotFoundError
    return PackageNotFoundError


def lin_alg_error():
    from numpy.linalg import LinAlgError
    return LinAlgError


#: Module, exception, and where to find that today.
NEEDED = (('pkg_resources', 'DistributionNotFound', distribution_not_found),
          ('numpy.linalg.linalg', 'LinAlgError', lin_alg_error))
#: By this name a stand-in is told from a real module.
STAND_IN = 'theano_spp_stand_in'
