"""The device that Theano computes on: the CPU, or the GPU that its flag `device` names."""
from theano_spp import gpuarray

from ..errors import SpnError
from ..files import say


def say_device():
    """Say on which GPU networks run; of the CPU nothing is said.

    Raises
    ------
    SpnError
        If it is a GPU and Keras's numbers are not float32, which networks are computed in there.
    """
    device = gpuarray.device()
    if device is None:
        return
    import keras_layer  # noqa: F401  (before keras: it chooses Keras's Theano backend)
    from keras.backend import floatx
    if floatx() != 'float32':
        raise SpnError('Keras is set to {}, but on a GPU ({}) networks are computed in float32: write "floatx": '
                       '"float32" in keras.json, which is in ~/.keras or KERAS_HOME, or set '
                       'THEANO_FLAGS=device=cpu'.format(floatx(), device))
    say('Theano runs on {}'.format(device))
