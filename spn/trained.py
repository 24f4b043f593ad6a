"""What is trained is kept with all that is needed to use it and to go on with it, in one HDF5 file of Keras."""
import json
import os

from keras_layer import custom_objects
from keras.models import load_model

from .errors import SpnError
from .hdf5 import hdf5_beside, open_hdf5, text
from .layers import OBJECTS


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
    found_later = ('log',)  # of `about`: what training adds
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
    def about_of(cls, path):
        """What is told of a saved model."""
        with open_hdf5(path, cls.layout, cls.what, cls.command) as file:
            try:
                return json.loads(text(file.attrs['about']))
            except (OSError, ValueError, KeyError) as error:
                raise cls.not_whole(path, error) from error

    @classmethod
    def load(cls, path, to_train=False):
        """Read what :meth:`save` wrote; with the optimizer's state only where it is to be trained on, for that takes seconds."""
        about = cls.about_of(path)
        try:
            model = load_model(path, dict(custom_objects, **OBJECTS, **cls.own_objects), compile=to_train)
        except (OSError, ValueError, KeyError) as error:
            raise cls.not_whole(path, error) from error
        return cls(model, about)

    @classmethod
    def not_whole(cls, path, error):
        return SpnError('{} is not whole ({}): remove it and train it anew with {}'.format(path, error, cls.command))

    @classmethod
    def resumed(cls, path, about):
        """What was saved of a training that is told as `about`; None where nothing was.

        Raises
        ------
        SpnError
            If what was saved is of another data set or other settings.
        """
        if not os.path.exists(path):
            return None
        found, about = cls.about_of(path), json.loads(json.dumps(about))
        differ = sorted(key for key in set(found) | set(about)
                        if key not in cls.found_later and found.get(key) != about.get(key))
        if differ:
            raise SpnError('{} is of another training ({}: {!r} there, {!r} asked for): give the same settings '
                           'to go on with it, or another folder to begin anew'.format(
                               path, differ[0], found.get(differ[0]), about.get(differ[0])))
        return cls.load(path, to_train=len(found['log']) < found['training']['epochs'])
