"""The abstract classes that ``collections`` had until Python 3.9.

Python 3.10 left them only in ``collections.abc``. Keras and Theano 1.0.4 fail at their first
``from collections import Iterable``, nose 1.3.7 at the first test. They are put back into ``collections`` itself, for
every package of the process.
"""
import collections
import collections.abc
import sys

NAMES = (
    'AsyncGenerator', 'AsyncIterable', 'AsyncIterator', 'Awaitable', 'ByteString', 'Callable', 'Collection',
    'Container', 'Coroutine', 'Generator', 'Hashable', 'ItemsView', 'Iterable', 'Iterator', 'KeysView', 'Mapping',
    'MappingView', 'MutableMapping', 'MutableSequence', 'MutableSet', 'Reversible', 'Sequence', 'Set', 'Sized',
    'ValuesView')


def names_of_collections():
    """Put the classes back that are missing; ``ByteString`` has left ``collections.abc`` too."""
    if sys.version_info < (3, 10):  # they are there, but asking for them warns
        return
    for name in NAMES:
        if not hasattr(collections, name) and hasattr(collections.abc, name):
            setattr(collections, name, getattr(collections.abc, name))
