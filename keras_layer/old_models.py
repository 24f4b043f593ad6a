"""Loads models that ``keras.models.load_model`` cannot read: of Keras 1, or with the Lambdas of another Python."""
import json
import re
import warnings

import numpy as np
from keras import backend as K
from keras.models import load_model

# Keras 2 has a layer for each mode of Keras 1's Merge. Not for 'cos', whose result had one axis more than Dot's.
LAYER_OF_MODE = {'sum': 'Add', 'mul': 'Multiply', 'ave': 'Average', 'max': 'Maximum', 'concat': 'Concatenate',
                 'dot': 'Dot'}

REGULARIZERS = ('WeightRegularizer', 'ActivityRegularizer', 'L1L2Regularizer')

CONSTRAINTS = ('MaxNorm', 'NonNeg', 'UnitNorm')

# Keras 1 did not write the data format of these.
WITHOUT_DATA_FORMAT = ('ZeroPadding2D', 'ZeroPadding3D', 'UpSampling2D', 'UpSampling3D', 'Cropping2D', 'Cropping3D')


def load_old_model(path, custom_objects=None, layers=None, compile=True):
    """Load a model that an older Keras or an older Python saved, where `keras.models.load_model` cannot.

    What older versions wrote differently is translated: `Merge`, regularizers, constraints, the dtype of `Embedding`.
    Functions of `Lambda` layers are never read from the file, where they are bytecode of one version of Python: give
    these layers again.

    Parameters
    ----------
    path : str
        The file that ``model.save`` wrote.
    custom_objects : dict, optional
        As for `load_model`.
    layers : dict, optional
        Layers by name, to take in place of those in the file: ``{'halve': Lambda(lambda x: x / 2)}``.
    compile : bool
        As for `load_model`.

    Returns
    -------
    keras.models.Model
        Compiled if the file says how, and with the state of its optimizer. Before Keras 2.0.6 that state was saved in
        another order, and is left out: training goes on with a fresh optimizer, and a warning says so.

    Raises
    ------
    ValueError
        For files of weights alone, `Lambda` layers that are not given, and modes of `Merge` that no layer has today.
    """
    import h5py  # not above: the layers do without it, as Keras does

    with h5py.File(path, 'r') as old, h5py.File('old model', 'w', driver='core', backing_store=False) as new:
        if 'model_config' not in old.attrs:
            raise ValueError('load_old_model: %s holds no model, but weights at most (build the model in code, then'
                             ' model.load_weights(path))' % path)
        for name in old:
            old.copy(name, new)
        for name, value in old.attrs.items():
            new.attrs[name] = value
        translation = Translation(old, layers or {})
        new.attrs['model_config'] = json.dumps(translation.of(json_of(old, 'model_config'))).encode('utf-8')
        translation.check()
        if 'optimizer_weights' in new:
            translate_optimizer(new)
        return load_model(new, dict(custom_objects or {}, **translation.custom_objects), compile)


class Translation:
    """What the Keras of today is told of the layers in an old file.

    Attributes
    ----------
    keras_1 : bool
        Whether the file is of Keras 1.
    custom_objects : dict
        What `load_model` must know to read the translated layers.
    """

    def __init__(self, file, layers):
        self.layers = layers
        self.custom_objects = {}
        self.keras_1 = version_of(file) < (2,)
        self.dim_orderings = set(values_of('dim_ordering', json_of(file, 'model_config')))
        self.names, self.lambdas, self.merges = set(), [], []

    def of(self, config):
        """Return a translated copy of what `json` read."""
        if isinstance(config, list):
            return [self.of(item) for item in config]
        if not isinstance(config, dict):
            return config
        config = {key: self.of(value) for key, value in config.items()}
        if isinstance(config.get('config'), dict) and 'class_name' in config:
            return self.of_layer(config)
        if self.keras_1 and config.get('name') in REGULARIZERS:
            return {'class_name': 'L1L2', 'config': {'l1': config['l1'], 'l2': config['l2']}}
        if self.keras_1 and config.get('name') in CONSTRAINTS:
            return {'class_name': config.pop('name'),
                    'config': {'max_value' if key == 'm' else key: value for key, value in config.items()}}
        return config

    def of_layer(self, layer):
        kind, config = layer['class_name'], layer['config']
        name = config.get('name')
        self.names.add(name)
        if name in self.layers:
            return dict(layer, class_name=self.given(name))
        if kind == 'Lambda' and 'lambda' in (config.get('function_type'), config.get('output_shape_type')):
            self.lambdas.append(name)
        if kind == 'Embedding':
            # That of the words; to Keras 2.2.5 it would be that of the weights.
            config.pop('input_dtype' if self.keras_1 else 'dtype', None)
        if kind == 'BatchNormalization' and config['epsilon'] == 1e-5:
            # Theano wants at least 1e-5, and float32(1e-5) is less.
            config['epsilon'] = float(np.nextafter(np.float32(1e-5), np.float32(1)))
        if kind == 'ConvLSTM2D':
            config.pop('implementation', None)  # Keras 2.0 wrote it and did not use it
        if not self.keras_1:
            return layer
        if kind == 'Merge':
            return self.of_merge(layer)
        if kind in WITHOUT_DATA_FORMAT and 'dim_ordering' not in config and len(self.dim_orderings) == 1:
            config['dim_ordering'], = self.dim_orderings
        if config.get('dim_ordering') == 'th' and config.get('W_constraint'):
            config['W_constraint'] = None
            warnings.warn('load_old_model: the W_constraint of %s is left out, because Keras 2 has the axes of this'
                          ' kernel in another order' % name)
        return layer

    def of_merge(self, layer):
        config = layer['config']
        if config['mode_type'] != 'raw' or config['mode'] not in LAYER_OF_MODE or 'layers' in config:
            self.merges.append(config['name'])
            return layer
        arguments = {'name': config['name']}
        if config['mode'] == 'concat':
            arguments['axis'] = config['concat_axis']
        if config['mode'] == 'dot':
            arguments['axes'] = config['dot_axes']
        return dict(layer, class_name=LAYER_OF_MODE[config['mode']], config=arguments)

    def given(self, name):
        """Return a class name under which Keras finds the layer that the user gave."""
        layer = self.layers[name]

        def take(trainable=True, batch_input_shape=None, **config):
            layer.name, layer.trainable = name, trainable
            if batch_input_shape is not None:
                layer.batch_input_shape = tuple(batch_input_shape)
            return layer

        self.custom_objects['given ' + name] = take
        return 'given ' + name

    def check(self):
        """Raise an error about what cannot be translated, or is given and not there."""
        unknown = sorted(set(self.layers) - self.names)
        if unknown:
            raise ValueError('load_old_model: layers has %s, but this model has %s'
                             % (', '.join(unknown), ', '.join(sorted(filter(None, self.names)))))
        if self.lambdas:
            raise ValueError('load_old_model: the functions of %s are saved as bytecode, which only the Python that'
                             ' wrote it can read (give these layers again: layers={%s})' % (
                                 ', '.join(self.lambdas),
                                 ', '.join('%r: Lambda(...)' % name for name in self.lambdas)))
        if self.merges:
            raise ValueError('load_old_model: Keras 2 has no layer for %s: a Merge by a function, by the cosine or of'
                             ' whole branches of a Sequential (build the model in code, with Add, Concatenate, Dot, ...'
                             ' and layers in the order of the file, then model.load_weights(path))'
                             % ', '.join(self.merges))


def translate_optimizer(file):
    """Make the state of the optimizer in `file` one that Keras 2.2.5 takes, or leave it out."""
    group = file['optimizer_weights']
    names = list(map(as_text, group.attrs['weight_names']))
    if version_of(file) < (2, 0, 6):  # in the order of the names of the weights, not of the layers
        del file['optimizer_weights']
        warnings.warn('load_old_model: the state of the optimizer is left out, because this Keras saved it in another'
                      ' order; training goes on with a fresh one')
        return
    optimizer = json_of(file, 'training_config')['optimizer_config']
    if optimizer['class_name'] == 'Adam' and 'amsgrad' not in optimizer['config']:
        # Since Keras 2.1.3 Adam has a third array for each weight, which only AMSGrad uses.
        added = ['amsgrad_%d' % i for i in range(len(names) // 2)]
        for name in added:
            group[name] = np.zeros(1, K.floatx())
        group.attrs['weight_names'] = [name.encode('utf-8') for name in names + added]


def version_of(file):
    return tuple(map(int, re.findall(r'\d+', as_text(file.attrs.get('keras_version', '1')))[:3]))


def json_of(file, attribute):
    return json.loads(as_text(file.attrs[attribute]))


def as_text(value):
    """h5py 2 reads text as bytes, h5py 3 as str."""
    return value.decode('utf-8') if isinstance(value, bytes) else value


def values_of(key, config):
    """Yield each value of `key` in nested dicts and lists."""
    for value in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        yield from values_of(key, value)
    if isinstance(config, dict) and key in config:
        yield config[key]
