"""Names of NumPy that are gone, for the modules of Theano and Keras that use them.

NumPy 1.24 removed ``bool``, ``int`` and ``complex``, NumPy 2 the others. The functions that use them fail with
``AttributeError: module 'numpy' has no attribute 'complex'``. Each module of `USERS` gets, in place of numpy, a copy of
its names with these added. numpy itself stays as it is for everybody else, but for a moment: ``theano.scalar.basic``
asks for ``bool`` while it is being imported.
"""
import types
import warnings

#: The modules, and what each of them uses.
USERS = {
    'theano.scalar.basic': 'bool complex cast product',
    'theano.scalar.sharedvar': 'bool',
    'theano.tensor.basic': 'complex AxisError',
    'theano.tensor.elemwise': 'sctype2char',
    'theano.tensor.extra_ops': 'MAXDIMS',
    'theano.tensor.slinalg': 'ComplexWarning',
    'theano.tensor.nnet.bn': 'cast',
    'theano.tensor.nnet.conv': 'ComplexWarning',
    'theano.tensor.nnet.abstract_conv': 'ComplexWarning',
    'keras.backend.numpy_backend': 'bool int',
    'keras.callbacks': 'Inf',
    'keras.utils.io_utils': 'string_',
    'keras_preprocessing.sequence': 'unicode_',
}


def names_of_numpy(module):
    """Give a module a numpy that has the names which it uses."""
    numpy = module.np
    missing = [name for name in USERS[module.__name__].split() if not has(numpy, name)]
    if missing:
        module.np = types.ModuleType('numpy', numpy.__doc__)
        vars(module.np).update(vars(numpy))
        for name in missing:
            setattr(module.np, name, OLD[name](numpy))


def bool_of_numpy():
    """Put ``bool`` into numpy itself."""
    import numpy
    if lacks_bool(numpy):
        numpy.bool = bool


def bool_of_numpy_no_more(basic):
    """Take it away again."""
    import numpy
    if lacks_bool(numpy):
        del numpy.bool


def lacks_bool(numpy):
    return (1, 24) <= tuple(map(int, numpy.__version__.split('.')[:2])) < (2, 0)


def has(numpy, name):
    with warnings.catch_warnings():  # the last versions that have a name warn of it
        warnings.simplefilter('ignore')
        return hasattr(numpy, name)


class Cast:
    """``numpy.cast['float32']``: a function that turns a value into an array of that dtype."""

    def __init__(self, numpy):
        self.numpy = numpy

    def __getitem__(self, dtype):
        return lambda value: self.numpy.asarray(value).astype(getattr(dtype, 'dtype', dtype))


#: What each name meant, as a function of numpy.
OLD = {
    'bool': lambda numpy: bool,
    'int': lambda numpy: int,
    'complex': lambda numpy: complex,
    'cast': Cast,
    'product': lambda numpy: numpy.prod,
    'sctype2char': lambda numpy: lambda dtype: numpy.dtype(dtype).char,
    'Inf': lambda numpy: numpy.inf,
    'string_': lambda numpy: numpy.bytes_,
    'unicode_': lambda numpy: numpy.str_,
    'AxisError': lambda numpy: numpy.exceptions.AxisError,
    'ComplexWarning': lambda numpy: numpy.exceptions.ComplexWarning,
    # Theano takes it as the axis that means all of them, for which NumPy 2 has another number: NPY_RAVEL_AXIS.
    'MAXDIMS': lambda numpy: -2 ** 31,
}
