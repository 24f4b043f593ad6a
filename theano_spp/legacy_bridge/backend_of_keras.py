"""A backend for Keras where its first choice, TensorFlow, is not installed.

Nobody took anything away here: Keras 2.2.5 asks for TensorFlow unless told otherwise, and ``import keras`` fails.
"""
import importlib.util
import json
import os
import sys


def theano_without_tensorflow():
    """Choose Keras's Theano backend if Keras would otherwise try to import TensorFlow, which is not installed."""
    home = os.environ.get('KERAS_HOME', os.path.join(os.path.expanduser('~'), '.keras'))
    try:
        with open(os.path.join(home, 'keras.json')) as f:
            chosen = json.load(f).get('backend', 'tensorflow')
    except (OSError, ValueError):
        chosen = 'tensorflow'
    # Even if keras.json says 'tensorflow': Keras writes that itself, whatever backend it runs on.
    missing = sys.modules.get('tensorflow') is None and importlib.util.find_spec('tensorflow') is None
    if chosen == 'tensorflow' and missing:
        os.environ.setdefault('KERAS_BACKEND', 'theano')
