"""What the C code of the GPU ops calls when something is wrong: what the ops on the CPU say, in `messages`.

Most of that is called with the facts. Where the facts are many, the inputs are looked at again on the host.
"""
import numpy as np

from .. import reference


def of_reference(function, resize, inputs):
    """Raise what a function of ``reference`` raises for these inputs of an op."""
    getattr(reference, function)(*[np.asarray(i) for i in inputs], **({'resize': resize} if resize else {}))
