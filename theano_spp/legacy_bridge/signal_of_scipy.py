"""Convolution in SciPy, for Theano's convolutions without a compiler, in FAST_COMPILE and in DebugMode.

Theano imports it from private modules that SciPy 1.8 renamed, does without it, and then says that it needs "the python
package for scipy.signal to be installed", though it is.
"""


def signal_of_scipy(conv):
    """Put into a module of Theano what it tries to import from SciPy."""
    if conv.imported_scipy_signal:
        return
    try:
        from scipy.signal import convolve
        from scipy.signal._signaltools import _bvalfromboundary, _valfrommode
        from scipy.signal._sigtools import _convolve2d
    except ImportError:  # there is no SciPy, or one that has renamed them again: Theano's sentence is right
        return
    vars(conv).update(convolve=convolve, _bvalfromboundary=_bvalfromboundary, _valfrommode=_valfrommode,
                      _convolve2d=_convolve2d, imported_scipy_signal=True)
