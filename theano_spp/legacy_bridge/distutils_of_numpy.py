"""``numpy.distutils``, of which Theano imports the name and uses two parts.

NumPy has none on Python 3.12 and later, and ``import theano`` fails. The stand-in has these two parts and no more:
``misc_util.get_numpy_include_dirs`` and an empty ``__config__``, which `blas.blas_of_numpy` fills. Every package of the
process sees it, and whoever wants more of it than Theano gets an ImportError as before.

(Theano needs Python's own ``distutils`` too. Since Python 3.12 setuptools has it, which theano-spp requires there.)
"""
import importlib.util
import sys
import types


def distutils_of_numpy():
    """Make ``import numpy.distutils`` work."""
    try:
        import numpy
    except ImportError:  # which Theano itself will report
        return
    if 'numpy.distutils' in sys.modules or importlib.util.find_spec('numpy.distutils'):
        return
    stand_in = types.ModuleType('numpy.distutils', __doc__)
    stand_in.__config__ = types.SimpleNamespace()
    stand_in.misc_util = types.SimpleNamespace(get_numpy_include_dirs=lambda: [numpy.get_include()])
    sys.modules['numpy.distutils'] = numpy.distutils = stand_in
