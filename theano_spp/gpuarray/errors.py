"""Errors of the GPU ops: the same sentences as on the CPU, from `messages`.

The C code calls most functions of `messages` directly. For errors that need many facts it calls the function below,
which examines the inputs again on the host.
"""
import numpy as np

from .. import reference


def of_reference(function, resize, inputs):
    """Raise the error that a function of ``reference`` raises for these inputs of an op."""
    getattr(reference, function)(*[np.asarray(i) for i in inputs], **({'resize': resize} if resize else {}))
