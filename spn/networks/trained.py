"""What is trained is kept with all that is needed to use it and to go on with it, in one HDF5 file.

Weights lie as Keras's ``load_weights`` finds them. A model of Keras can hold code; here the model is built by this
package from the settings in the file, and numbers alone are read, each checked for its shape.
"""
import json
import os

import numpy as np

from ..errors import SpnError
from ..hdf5 import as_text, hdf5_beside, open_hdf5, text, whole

WEIGHTS, OPTIMIZER = 'model_weights', 'optimizer_weights'


class Trained:
    """A Keras model and what was told to make it.

    Attributes
    ----------
    model : keras.models.Model
    about : dict
        JSON; each subclass says what is in it. ``class_names``, ``settings``, ``seed``, ``training`` (settings) and
        ``log``, a list with the losses of each epoch that was trained, always are.
    """

    layout = what = command = None
    added_by_training = ('log',)  # of `about`: what training adds
    may_lack = ()  # of `about`: what a checkpoint, or an older file, has not
    example = {}  # of `about`: see :func:`check_like`

    settings_type = training_type = None  # of `spn.networks.settings`

    def __init__(self, model, about):
        self.model, self.about = model, about

    @property
    def settings(self):
        """How the network is built, `settings_type`."""
        return self.settings_type(**self.about['settings'])

    @property
    def training(self):
        """How it is trained, `training_type`."""
        return self.training_type(**self.about['training'])

    @staticmethod
    def built(about):
        """The Keras model as `about` tells it, with its first weights."""
        raise NotImplementedError

    @staticmethod
    def compile(model, about):
        """Make a model ready to be trained."""
        raise NotImplementedError

    @classmethod
    def new(cls, about):
        """A network that is still to be trained."""
        np.random.seed(about['seed'])  # the first weights are drawn from it
        model = cls.built(about)
        cls.compile(model, about)
        return cls(model, dict(about, log=[]))

    def save(self, path):
        """Write weights, optimizer state and `about`."""
        with hdf5_beside(path) as (file, _):
            weights = file.create_group(WEIGHTS)
            layers = [layer for layer in self.model.layers if layer.weights]
            weights.attrs['layer_names'] = as_text([layer.name for layer in layers])
            for layer in layers:
                write_arrays(weights.create_group(layer.name), [weight.name for weight in layer.weights],
                             layer.get_weights())
            if getattr(self.model, 'optimizer', None) is not None:
                state = self.model.optimizer.get_weights()
                write_arrays(file.create_group(OPTIMIZER), ['param_{}'.format(k) for k in range(len(state))], state)
            file.attrs['layout'] = as_text(self.layout)
            file.attrs['about'] = as_text(json.dumps(self.about))

    @classmethod
    def about_of(cls, path):
        """What is told of a saved model."""
        with open_hdf5(path, cls.layout, cls.what, cls.command) as file, cls.whole(path):
            about = json.loads(text(file.attrs['about']))
            check_like(about, cls.example, 'what it tells of itself', cls.may_lack)
            for row in about['log']:
                check_like(row, dict(dict.fromkeys(row, 0.), epoch=1, loss=0.), 'a row of its log')
        # On val there may be nothing to measure.
        if not all(np.isfinite(value) for row in about['log'] for name, value in row.items()
                   if not name.startswith('val_')):
            raise cls.no_numbers(path)
        return about

    @classmethod
    def load(cls, path, to_train=False):
        """Read what :meth:`save` wrote; the optimizer's state, which takes seconds, only if it is to be trained on."""
        about = cls.about_of(path)
        with open_hdf5(path, cls.layout, cls.what, cls.command) as file, cls.whole(path):
            model = cls.built(about)
            for layer in model.layers:
                if layer.weights:
                    layer.set_weights(arrays_in(file[WEIGHTS][layer.name],
                                                [weight.shape for weight in layer.get_weights()]))
            if to_train:
                cls.compile(model, about)
                model._make_train_function()  # before that the optimizer has no state
                shapes = [weight.shape for weight in model.optimizer.get_weights()]
                model.optimizer.set_weights(arrays_in(file[OPTIMIZER], shapes))
        if not all(np.isfinite(weight).all() for weight in model.get_weights()):
            raise cls.no_numbers(path)
        return cls(model, about)

    @classmethod
    def whole(cls, path):
        return whole(path, cls.command, 'train')

    @classmethod
    def no_numbers(cls, path):
        return SpnError('{} holds weights or losses that are no finite numbers: its training diverged. Train it anew '
                        'with {} into another folder, at a smaller learning rate'.format(path, cls.command))

    @classmethod
    def resumed(cls, path, about, to_train=False):
        """What was saved of a training that is told as `about`; None where nothing was.

        Raises
        ------
        SpnError
            If what was saved is of another data set or other settings.
        """
        if not os.path.exists(path):
            return None
        cls.check_same_training(path, about)
        return cls.load(path, to_train)

    @classmethod
    def check_same_training(cls, path, about, partly=False):
        """Raise SpnError if a saved network is of another data set or other settings than `about`, or a part of it."""
        saved, about = cls.about_of(path), json.loads(json.dumps(about))
        names = set(about) if partly else set(saved).union(about).difference(cls.added_by_training)
        differ = sorted(name for name in names if saved.get(name) != about.get(name))
        if differ:
            raise SpnError('{} is of another training ({}: {!r} there, {!r} asked for): give the same settings '
                           'to go on with it, or another folder to begin anew'.format(
                               path, differ[0], saved.get(differ[0]), about.get(differ[0])))


def write_arrays(group, names, arrays):
    group.attrs['weight_names'] = as_text(names)
    for name, array in zip(names, arrays):
        # HDF5 has no checksum for a single number that has no axis.
        group.create_dataset(name, data=np.atleast_1d(array), chunks=True, fletcher32=True)


def arrays_in(group, shapes):
    """The arrays of a group, in their order; ValueError if they are not of these shapes."""
    names = [text(name) for name in group.attrs['weight_names']]
    arrays = [np.asarray(group[name][()]) for name in names]
    if [array.size for array in arrays] != [int(np.prod(shape)) for shape in shapes]:
        raise ValueError('{} has arrays of {}, wanted are {}'.format(
            group.name, [array.shape for array in arrays], shapes))
    return [array.reshape(shape) for array, shape in zip(arrays, shapes)]


def check_like(value, example, what, may_lack=()):
    """Say where JSON is not of the form of an example.

    Parameters
    ----------
    value : object
    example : object
        Objects have the same keys, an empty one any; each item of a list is like that of the example; texts are texts,
        truth values are such; numbers are not negative, and whole if that of the example is.
    what : str
        What `value` is, for the sentence.
    may_lack : tuple of str
        Keys that may be missing.

    Raises
    ------
    ValueError
    """
    if type(value) is not type(example) and not (type(example) is float and type(value) is int):
        raise ValueError('{} is {!r}, wanted is one such as {!r}'.format(what, value, example))
    if type(value) in (int, float) and value < 0:
        raise ValueError('{} is {!r}, wanted is a number from 0 on'.format(what, value))
    if isinstance(example, dict) and example:
        for key in sorted(set(value) ^ set(example)):
            if key not in may_lack:
                raise ValueError('{} {} {!r}'.format(what, 'lacks' if key in example else 'has the unknown', key))
        for key in value:
            check_like(value[key], example[key], key)
    if isinstance(example, list):
        for item in value:
            check_like(item, example[0], what)
