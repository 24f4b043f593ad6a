"""Checks Keras's version and backend, only here: the layers need Keras 2.2.5 on Theano."""
import os
import sys

if 'keras' not in sys.modules:
    # Otherwise Keras would try TensorFlow, on which these layers cannot run anyway.

    os.environ.setdefault('KERAS_BACKEND', 'theano')

CURE = 'keras_layer needs Keras 2.2.5 on its Theano backend, but %s: %s'

try:
    import keras
except ImportError as reason:
    raise ImportError(CURE % ('Keras cannot be imported (%s)' % reason,
                              'pip install keras==2.2.5 and set KERAS_BACKEND=theano'))
if keras.__version__ != '2.2.5':
    raise ImportError(CURE % ('Keras is %s' % keras.__version__, 'pip install keras==2.2.5'))
if keras.backend.backend() != 'theano':
    raise ImportError(CURE % ('the backend is %s' % keras.backend.backend(),
                              'set KERAS_BACKEND=theano before Keras is imported'))
