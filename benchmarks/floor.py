"""The lower bound set by memory: a plain C loop that reads the features once, and one that writes them once."""
import ctypes
import functools
import os
import subprocess
import tempfile

import numpy as np


@functools.lru_cache(maxsize=None)
def _library():
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'floor.c')
    path = os.path.join(tempfile.mkdtemp(), 'floor.so')
    subprocess.check_call(['gcc', '-O3', '-march=native', '-ffast-math', '-fopenmp', '-shared', '-fPIC', source,
                           '-o', path])
    library = ctypes.CDLL(path)
    library.read_features.restype = ctypes.c_float
    return library


def _address(array):
    return ctypes.c_void_p(array.ctypes.data)


def calls(features):
    """Return two callables: one reads all features, one fills a new array of their size, allocated as an op does."""
    library, count = _library(), ctypes.c_ssize_t(features.size)

    def fill():
        array = np.empty(features.shape, features.dtype)
        library.write_features(_address(array), count, ctypes.c_float(1))
        return array
    return [lambda: library.read_features(_address(features), count), fill]
