"""The parameters that an op passes to its C code: mode and kind of resizing. One compiled module serves all values."""
from theano.gof import EnumList

from ..reference.interpolation import NONE

MEAN_SUM = EnumList(('SPP_POOL_MEAN', 'mean'), ('SPP_POOL_SUM', 'sum'))
MAX_MIN = EnumList(('SPP_POOL_MAX', 'max'), ('SPP_POOL_MIN', 'min'))
RESIZE = EnumList(('SPP_RESIZE_NONE', NONE), ('SPP_NEAREST', 'nearest'), ('SPP_BILINEAR', 'bilinear'))


def resize_of(op):
    """Return the argument `resize` that an op was created with, to pass it on to its adjoint."""
    return None if op.resize == NONE else op.resize
