"""What an op tells its C code: the mode, and how features are resized. One compiled module serves all of them."""
from theano.gof import EnumList

from ..reference.interpolation import NONE

MEAN_SUM = EnumList(('SPP_POOL_MEAN', 'mean'), ('SPP_POOL_SUM', 'sum'))
MAX_MIN = EnumList(('SPP_POOL_MAX', 'max'), ('SPP_POOL_MIN', 'min'))
RESIZE = EnumList(('SPP_RESIZE_NONE', NONE), ('SPP_NEAREST', 'nearest'), ('SPP_BILINEAR', 'bilinear'))


def resize_of(op):
    """Return what an op was given as `resize`, to give it to its companion."""
    return None if op.resize == NONE else op.resize
