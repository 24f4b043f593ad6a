"""The same values in every layout that memory can have."""
import numpy as np


def layouts(array):
    """name -> the same values in another memory layout."""
    axes = range(array.ndim)
    yield 'C order', np.ascontiguousarray(array)
    yield 'Fortran order', np.asfortranarray(array)
    for axis in axes:
        yield 'axis %d reversed' % axis, np.flip(np.flip(array, axis).copy(), axis)
    for axis in axes:
        spaced = np.repeat(array, 3, axis)
        yield 'every third of axis %d' % axis, spaced[tuple(
            slice(None, None, 3) if a == axis else slice(None) for a in axes)]
    order = [0] + list(axes[2:]) + [1]
    yield 'channels last', np.transpose(np.ascontiguousarray(np.transpose(array, order)), np.argsort(order))
    window = np.zeros([size + 4 for size in array.shape], array.dtype)
    window = window[tuple(slice(2, -2) for _ in axes)]
    window[...] = array
    yield 'a window of a larger array', window
