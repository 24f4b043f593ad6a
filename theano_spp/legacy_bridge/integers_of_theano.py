"""The dtypes of Python's integers in Theano's graphs: the smallest signed one that holds the number.

Theano tries one after the other. NumPy 2 refuses ``asarray(128, 'int8')``: "OverflowError: Python integer 128 out of
bounds", where older ones gave another number. Theano then takes uint64, and what is computed with that and int64 is
float64: the shape of the states of an LSTM with 128 units, for example, which is an error.
"""
from .version_of_numpy import major


def integers_that_fit(basic):
    """Make ``theano.scalar.basic`` try the dtypes that hold the number."""
    np, cast = basic.np, basic.autocast_int
    if major() < 2:
        return

    def autocast_int(x):
        fitting = [dtype for dtype in cast.dtypes if np.iinfo(dtype).min <= x <= np.iinfo(dtype).max]
        # With none of them Theano itself raises the OverflowError that its caller expects.
        return type(cast)(fitting or cast.dtypes)(x)

    basic.autocast_int = autocast_int
