"""float16 features for the ops that resize: computed in float32, because the C code does not support float16.

Without this Theano would run the reference instead, which creates the resized features. It is an optimization of
the compiled graph, not a cast in the functions that build it, so that every gradient is float16 too.
"""
import theano.tensor as T
from theano.gof import local_optimizer
from theano.tensor.opt import register_canonicalize

from ..reference.interpolation import NONE
from .max_min import PutPixels, SuperpixelExtremum, TakePixels
from .resized import SuperpixelOverlapPool, SuperpixelOverlapUnpool


@register_canonicalize
@local_optimizer([SuperpixelExtremum, SuperpixelOverlapPool, SuperpixelOverlapUnpool, PutPixels, TakePixels])
def local_resize_float16_in_float32(node):
    """op(features) -> cast(op(cast(features, 'float32')), 'float16') if the op resizes."""
    if node.inputs[0].dtype != 'float16' or node.op.resize == NONE:
        return False
    results = node.op(T.cast(node.inputs[0], 'float32'), *node.inputs[1:], return_list=True)
    return [T.cast(result, output.dtype) for result, output in zip(results, node.outputs)]
