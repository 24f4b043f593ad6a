"""What the C code of the GPU ops says when something is wrong: the sentences of the ops on the CPU.

Each function raises. The C code calls them with what it found; labels and shapes are looked at again on the host, with the
functions of the reference, so that every sentence has one home.
"""
import numpy as np

from .. import reference
from ..label_map import check_labels


def shapes_do_not_agree(op_name, argument, array, superpixel_map, agreement):
    """Raise ValueError with both shapes. `agreement`: the name of a sentence of ``reference``."""
    reference.check_shapes(op_name, argument, array, superpixel_map, getattr(reference, agreement))


def negative_n_superpixels(op_name, n_superpixels):
    """Raise ValueError."""
    reference.check_n_superpixels(op_name, n_superpixels)


def bad_label(op_name, superpixel_map, n_superpixels, limit_name):
    """Raise IndexError for the first label that is not below `n_superpixels`."""
    check_labels(op_name, np.asarray(superpixel_map), n_superpixels, limit_name)


def too_large(op_name, pixels, n_superpixels):
    """Raise ValueError: the kernels count pixels and superpixels of an image in 32 bits."""
    raise ValueError('%s: an image has %d pixels and there are %d superpixels, but on the GPU both can be at most 2**31 - 2'
                     ' (cut the image, number labels that have gaps anew from 0 with'
                     ' theano_spp.label_tools.relabel_sequential, or use the CPU: device=cpu)'
                     % (op_name, pixels, n_superpixels))


def too_much(op_name, groups):
    """Raise ValueError: a kernel is started in at most so many groups of threads."""
    raise ValueError('%s: these sizes ask for %d groups of threads, but a GPU starts at most 2**31 - 1 at once (give a'
                     ' smaller batch)' % (op_name, groups))


def no_memory(op_name):
    """Raise MemoryError."""
    raise MemoryError("%s: the GPU has no memory for the result or for what is kept on the way (give a smaller batch, or"
                      " number labels that have gaps anew from 0 with theano_spp.label_tools.relabel_sequential)" % op_name)


def of_reference(function, resize, inputs):
    """Raise what a function of ``reference`` raises for these inputs of an op."""
    getattr(reference, function)(*[np.asarray(i) for i in inputs], **({'resize': resize} if resize else {}))
