"""Segment pictures in Python with the networks that ``spn train`` and ``spn segment`` wrote::

    from spn.prediction import Run, predict, read_picture
    mask, classes = predict(Run('run'), read_picture('photograph.jpg'))

The three names are defined in `spn.results.runs`, `spn.results.prediction` and `spn.data.sources.images`.
"""
from .data.sources.images import read_picture
from .results.prediction import predict
from .results.runs import Run

__all__ = ['Run', 'predict', 'read_picture']
