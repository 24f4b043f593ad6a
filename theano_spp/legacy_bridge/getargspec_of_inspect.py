"""``inspect.getargspec``, which Python 3.11 removed.

nose 1.3.7 asks it what a ``setup_module`` or ``setup`` function takes, so that tests with such functions fail. nose
alone gets it. On Python 3.12 and later nose is pynose, which has no need of it.
"""
import inspect
import sys
import types


def getargspec_of_inspect(module):
    """Give a module of nose an ``inspect`` of its own, with the function that is missing."""
    if hasattr(inspect, 'getargspec') or sys.version_info >= (3, 12):
        return
    module.inspect = types.ModuleType('inspect')
    vars(module.inspect).update(vars(inspect), getargspec=lambda function: inspect.getfullargspec(function)[:4])
