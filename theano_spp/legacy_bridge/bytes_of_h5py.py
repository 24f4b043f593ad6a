"""Text attributes of HDF5 files as bytes.

h5py 3 reads them as str. Keras 2.2.5 fails at ``f.attrs['keras_version'].decode('utf8')``, when it loads a model or
weights. What only Keras needs is changed inside Keras alone: h5py stays as it is for everybody else.
"""
import functools


def bytes_for_saving(saving):
    """Make the functions of ``keras.engine.saving`` that read weights get bytes from attributes: `groups_of_bytes`."""
    if not hands_out_str(saving.h5py):
        return
    for name in ('load_attributes_from_hdf5_group', 'load_weights_from_hdf5_group',
                 'load_weights_from_hdf5_group_by_name'):
        setattr(saving, name, given_bytes(saving.h5py, getattr(saving, name)))


def bytes_for_h5dict(io_utils):
    """Make ``keras.utils.io_utils.H5Dict``, through which Keras reads whole models, get bytes from attributes.

    And make saving to memory work: a ``h5py.File`` opened without a mode is now read-only.
    """
    if not hands_out_str(io_utils.h5py):
        return
    h5py, H5Dict = io_utils.h5py, io_utils.H5Dict
    read, group_of_bytes = H5Dict.__getitem__, groups_of_bytes(h5py)

    @functools.wraps(read)
    def __getitem__(self, name):
        return read(H5Dict(group_of_bytes(self.data), 'r' if self.read_only else 'a'), name)

    @functools.wraps(io_utils.save_to_binary_h5py)
    def save_to_binary_h5py(save_function, stream):
        with h5py.File('in-memory-h5py', 'w', driver='core', backing_store=False) as file:
            result = save_function(file)
            file.flush()
            stream.write(file.id.get_file_image())
        return result

    H5Dict.__getitem__ = __getitem__
    io_utils.save_to_binary_h5py = save_to_binary_h5py


def hands_out_str(h5py):
    # None if it is not installed: Keras works without it until a model is saved or loaded.
    return h5py is not None and int(h5py.__version__.split('.')[0]) >= 3


def given_bytes(h5py, function):
    """Wrap a function so that the attributes of every group it is given contain bytes."""
    group_of_bytes = groups_of_bytes(h5py)

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*map(group_of_bytes, args), **{name: group_of_bytes(value) for name, value in kwargs.items()})

    return wrapper


def groups_of_bytes(h5py):
    """Return a function that turns a ``h5py.Group`` into a view in whose attributes text is bytes, as before h5py 3.

    Only Keras gets this view: h5py itself, and with it every other program, stays as it is.
    """
    class AttributesOfBytes(h5py.AttributeManager):

        def __getitem__(self, name):
            value = super().__getitem__(name)
            if isinstance(value, str):
                return value.encode('utf-8')
            if getattr(value, 'dtype', None) == 'object':
                value.flat = [item.encode('utf-8') if isinstance(item, str) else item for item in value.flat]
            return value

    class GroupOfBytes(h5py.Group):

        @property
        def attrs(self):
            return AttributesOfBytes(self)

        def __getitem__(self, name):
            return group_of_bytes(super().__getitem__(name))

    def group_of_bytes(value):
        return GroupOfBytes(value.id) if isinstance(value, h5py.Group) else value

    return group_of_bytes
