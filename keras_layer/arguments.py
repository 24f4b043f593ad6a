"""Checks of the arguments that layers are made with."""
import numpy as np


def is_positive_integer(value):
    """Whether it is a number such as 3, of Python or NumPy; True is none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value > 0
