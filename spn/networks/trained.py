"""Trained networks in HDF5 files: one file has everything that is needed to use a network or to resume its training.

Weights are stored so that Keras's ``load_weights`` can read them. Keras's own model files can contain code; here the
model is built from the settings in the file, and only arrays of the right shapes are read.
"""
import json
import os

import numpy as np

from ..errors import SpnError
from ..hdf5 import as_text, atomic_hdf5, explaining_damage, open_hdf5, text

WEIGHTS, OPTIMIZER = 'model_weights', 'optimizer_weights'


class Trained:
    """A Keras model and the settings that it was made with.

    Attributes
    ----------
    model : keras.models.Model
    about : dict
        JSON. Always in it are ``class_names``, ``settings``, ``seed``, ``training`` (settings) and ``log``, a list with
        the losses of each epoch; each subclass documents what it adds.
    """

    layout = what = command = None
    added_by_training = ('log',)  # keys of `about` that training adds
    may_lack = ()  # keys of `about` that may be missing in a checkpoint or an older file
    example = {}  # an example of `about`: see :func:`check_like`

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
        """The Keras model that `about` describes, with its initial weights."""
        raise NotImplementedError

    @staticmethod
    def compile(model, about):
        """Compile a model for training."""
        raise NotImplementedError

    @classmethod
    def new(cls, about):
        """A network with initial weights."""
        np.random.seed(about['seed'])  # the initial weights are drawn from it
        model = cls.built(about)
        cls.compile(model, about)
        return cls(model, dict(about, log=[]))

    def save(self, path):
        """Write weights, optimizer state and `about`."""
        with atomic_hdf5(path) as (file, _):
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
    def read_about(cls, path):
        """The `about` of a saved model."""
        with open_hdf5(path, cls.layout, cls.what, cls.command) as file, cls.explaining_damage(path):
            about = json.loads(text(file.attrs['about']))
            check_like(about, cls.example, 'its description', cls.may_lack)
            for row in about['log']:
                check_like(row, dict(dict.fromkeys(row, 0.), epoch=1, loss=0.), 'a row of its log')
        # nan is allowed on val, which may have nothing to measure.
        if not all(np.isfinite(value) for row in about['log'] for name, value in row.items()
                   if not name.startswith('val_')):
            raise cls.not_finite(path)
        return about

    @classmethod
    def load(cls, path, to_train=False):
        """Read what :meth:`save` wrote. The optimizer's state, which takes seconds, is read only if `to_train`."""
        about = cls.read_about(path)
        with open_hdf5(path, cls.layout, cls.what, cls.command) as file, cls.explaining_damage(path):
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
            raise cls.not_finite(path)
        return cls(model, about)

    @classmethod
    def explaining_damage(cls, path):
        return explaining_damage(path, cls.command, 'train')

    @classmethod
    def not_finite(cls, path):
        return SpnError('{} holds weights or losses that are not finite: its training diverged. Train it again '
                        'with {} into another folder, at a smaller learning rate'.format(path, cls.command))

    @classmethod
    def resumed(cls, path, about, to_train=False):
        """The saved network of a training that `about` describes; None if there is no file.

        Raises
        ------
        SpnError
            If the file is of another data set or other settings.
        """
        if not os.path.exists(path):
            return None
        cls.check_same_training(path, about)
        return cls.load(path, to_train)

    @classmethod
    def check_same_training(cls, path, about, partly=False):
        """Raise SpnError if a saved network is of another data set or other settings than `about`.

        With `partly`, only the keys of `about` are compared.
        """
        saved, about = cls.read_about(path), json.loads(json.dumps(about))
        names = set(about) if partly else set(saved).union(about).difference(cls.added_by_training)
        differ = sorted(name for name in names if saved.get(name) != about.get(name))
        if differ:
            raise SpnError('{} is of another training ({}: {!r} there, {!r} asked for): give the same settings '
                           'to go on with it, or another folder to start from scratch'.format(
                               path, differ[0], saved.get(differ[0]), about.get(differ[0])))


def write_arrays(group, names, arrays):
    group.attrs['weight_names'] = as_text(names)
    for name, array in zip(names, arrays):
        # HDF5 has no checksums for scalars.
        group.create_dataset(name, data=np.atleast_1d(array), chunks=True, fletcher32=True)


def arrays_in(group, shapes):
    """The arrays of a group, in order; raises ValueError if they do not have these shapes."""
    names = [text(name) for name in group.attrs['weight_names']]
    arrays = [np.asarray(group[name][()]) for name in names]
    if [array.size for array in arrays] != [int(np.prod(shape)) for shape in shapes]:
        raise ValueError('{} has arrays of {}, wanted are {}'.format(
            group.name, [array.shape for array in arrays], shapes))
    return [array.reshape(shape) for array, shape in zip(arrays, shapes)]


def check_like(value, example, what, may_lack=()):
    """Raise ValueError where JSON does not have the form of an example.

    Parameters
    ----------
    value : object
    example : object
        Types must agree, except that an integer may stand for a float. Objects must have the same keys, or any if the
        example is empty; each item of a list must be like that of the example; numbers must not be negative.
    what : str
        What `value` is, for the message.
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
