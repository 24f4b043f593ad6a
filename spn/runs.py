"""`Run`, under the first name of its module; see `spn.prediction`."""
from .results.runs import Run

__all__ = ['Run']
