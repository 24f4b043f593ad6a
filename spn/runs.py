"""`Run`, importable from where it used to be; see `spn.prediction`."""
from .results.runs import Run

__all__ = ['Run']
