"""What is trained is kept with all that is needed to use it and to go on with it, in one HDF5 file of Keras."""
import json
import os

from keras_layer import custom_objects
from keras.models import load_model

from .errors import SpnError
from .hdf5 import hdf5_beside, open_hdf5, text
from .initial import OBJECTS


class Trained(object):
    """A Keras model and what was told to make it.

    Attributes
    ----------
    model : keras.models.Model
    about : dict
        JSON; each subclass says what is in it. ``seed``, ``training`` (settings) and ``log``, a list with the losses of each
        epoch that was trained, always are.
    """

    layout = what = command = None
    own_objects = {}  # what Keras needs to know to load the model, beside our layers

    def __init__(self, model, about):
        self.model, self.about = model, about

    def save(self, path):
        """Write weights, optimizer state and `about`."""
        with hdf5_beside(path) as (file, _):
            self.model.save(file)
            file.attrs['layout'] = self.layout
            file.attrs['about'] = json.dumps(self.about, sort_keys=True)

    @classmethod
    def load(cls, path, to_train=False):
        """Read what :meth:`save` wrote; with the optimizer's state only where it is to be trained on, for that takes seconds."""
        try:
            with open_hdf5(path, cls.layout, cls.what, cls.command) as file:
                about = json.loads(text(file.attrs['about']))
            model = load_model(path, dict(custom_objects, **OBJECTS, **cls.own_objects), compile=to_train)
        except (OSError, ValueError, KeyError) as error:
            raise SpnError('{} is not whole ({}): train it anew with {}'.format(path, error, cls.command)) from error
        return cls(model, about)

    @classmethod
    def resumed(cls, path, about):
        """What a checkpoint holds; None where there is none.

        Raises
        ------
        SpnError
            If the checkpoint is of another data set or other settings.
        """
        if not os.path.exists(path):
            return None
        trained = cls.load(path, to_train=True)
        found = {key: value for key, value in trained.about.items() if key != 'log'}
        about = json.loads(json.dumps(about))
        differ = sorted(key for key in set(found) | set(about) if found.get(key) != about.get(key))
        if differ:
            raise SpnError('{} is the checkpoint of another model ({}: {!r} there, {!r} asked for): give the same settings '
                           'to go on with it, or another folder to begin anew'.format(
                               path, differ[0], found.get(differ[0]), about.get(differ[0])))
        return trained
