"""The legacy bridge, each case in a separate process, because a first import happens only once in each."""
import os

from theano_spp import legacy_bridge
from tests.processes import run_python

# As an installed theano-spp does it: by path, so that theano_spp/__init__.py, which imports Theano, is not run; and
# without the .pth file of this process's environment, which would do it too.
LOAD = """
import importlib.util, os, sys
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != 'FirstImport']
spec = importlib.util.spec_from_file_location('bridge_by_path', {!r})
bridge = sys.modules['bridge_by_path'] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bridge)
""".format(os.path.abspath(legacy_bridge.__file__))

WITHOUT = """
for bridges in bridge.BRIDGES_BEFORE, bridge.BRIDGES_AFTER:
    for name in bridges:
        bridges[name] = [build for build in bridges[name] if build.__name__ not in {!r}]
bridge.apply()
"""

# A module that is not installed here, whatever this environment has. Its name is to be put in.
HIDE = """
class Hidden:
    def find_spec(name, path=None, target=None):
        if name == {0!r}:
            raise ModuleNotFoundError('hidden')
sys.meta_path.insert(0, Hidden)
find, importlib.util.find_spec = importlib.util.find_spec, lambda name, package=None: (
    None if name == {0!r} else find(name, package))
"""


def run_bridged(code, **how):
    """What `code` prints, with all bridges."""
    return run_python(LOAD + 'bridge.apply()\n' + code, **how)


def raised_without(bridges, code, whole=False, **how):
    """The last line, or the whole, of what Python says when `code` is run without the bridges of these names.

    None if it works.
    """
    try:
        run_python(LOAD + WITHOUT.format(bridges.split()) + code, **how)
    except AssertionError as error:
        return str(error) if whole else str(error).strip().splitlines()[-1]
