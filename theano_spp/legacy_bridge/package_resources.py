"""``pkg_resources``, of which Theano's GPU side catches one exception.

setuptools has it no more since version 81, and a virtual environment of Python 3.12 has no setuptools at all:
``import theano.gpuarray`` fails. The stand-in is there only while the module that asks for it is imported.
"""
import importlib.util
import sys
import types


def package_resources():
    """Make ``import pkg_resources`` work."""
    if 'pkg_resources' not in sys.modules and importlib.util.find_spec('pkg_resources') is None:
        from importlib.metadata import PackageNotFoundError
        sys.modules['pkg_resources'] = types.ModuleType(STAND_IN)
        sys.modules['pkg_resources'].DistributionNotFound = PackageNotFoundError


def package_resources_no_more(linalg):
    """Take the stand-in away again, if it is one."""
    if getattr(sys.modules.get('pkg_resources'), '__name__', None) == STAND_IN:
        del sys.modules['pkg_resources']


#: The stand-in's own name, by which it is told from the real one.
STAND_IN = 'pkg_resources_for_theano'
