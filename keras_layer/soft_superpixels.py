"""Keras layers of soft superpixels: pixels belong, with weights, to the superpixels of the grid cells around them."""
import numbers

from keras import backend as K
from keras.engine import Layer
from keras.utils.generic_utils import to_list

from theano_spp import differentiable_slic, hard_superpixel_map, soft_superpixel_pool, soft_superpixel_unpool
from theano_spp.arguments import as_mode
from theano_spp.messages import product
from theano_spp.soft import MODES

from .arguments import is_positive_integer
from .data_format import channels_from_front, channels_to_front, join_shape, split_shape
from .inputs import differ, shapes_of_inputs


class _OnGrid(Layer):
    """Base class of all layers here, which have inputs of these names and `spatial_axes`."""

    names = None
    spatial_axes = None

    def __init__(self, grid, data_format=None, **kwargs):
        super().__init__(**kwargs)  # supports_masking stays False, or clone_model would drop all outputs but the first
        self.grid = self._check_grid(grid)
        self.data_format = K.normalize_data_format(data_format)

    def _check_grid(self, grid):
        cells = [grid] if self.spatial_axes == 1 and is_positive_integer(grid) else grid
        if (not isinstance(cells, (tuple, list)) or len(cells) != self.spatial_axes
                or not all(map(is_positive_integer, cells))):
            wanted = ('a positive integer' if self.spatial_axes == 1 else
                      'a tuple of %d positive integers' % self.spatial_axes)
            raise ValueError('%s: grid is %r, but must be %s, the number of superpixels on each spatial axis (such as'
                             ' %s)' % (type(self).__name__, grid, wanted, ('10', '(10, 10)', '(10, 10, 10)')[
                                 self.spatial_axes - 1]))
        return tuple(map(int, cells))

    @property
    def _n_superpixels(self):
        return product(self.grid)

    @property
    def _n_weights(self):
        return 3 ** self.spatial_axes

    def _inputs_channels_first(self, inputs):
        """The inputs, checked, with their channels first; ValueError if the shapes that are known do not agree."""
        axes = {'feature_map': 2 + self.spatial_axes, 'association': 2 + self.spatial_axes, 'pooled': 3}
        shapes = dict(zip(self.names, shapes_of_inputs(self, inputs, self.names, [axes[name] for name in self.names])))
        if 'association' in shapes:
            self._check_association(shapes['association'], shapes.get('feature_map'))
        if 'pooled' in shapes:
            self._check_pooled(shapes['pooled'])
        return [channels_to_front(x, self.data_format) for x in to_list(inputs)]

    def _check_association(self, shape, feature_shape):
        _, n_weights, spatial = split_shape(shape, self.data_format)
        if differ([n_weights], [self._n_weights]):
            raise ValueError('%s: association has shape %s (%s), but %s is wanted: with %d spatial %s each pixel has %d'
                             ' weights (take the first output of DifferentiableSLIC%dD, in the same data_format)'
                             % (type(self).__name__, shape, self.data_format,
                                self._layout(str(self._n_weights), '*spatial'), self.spatial_axes,
                                'axis' if self.spatial_axes == 1 else 'axes', self._n_weights, self.spatial_axes))
        if feature_shape and differ(split_shape(feature_shape, self.data_format)[2], spatial):
            raise ValueError('%s: feature_map has shape %s, but association has shape %s (%s); their spatial sizes must'
                             ' be equal: resize the features to the association (UpSampling%dD)'
                             % (type(self).__name__, feature_shape, shape, self.data_format, self.spatial_axes))

    def _check_pooled(self, shape):
        if differ(split_shape(shape, self.data_format)[2], [self._n_superpixels]):
            raise ValueError('%s: pooled has shape %s (%s), but %s is wanted, and a grid of %s has %d superpixels (give'
                             ' the grid that the features were pooled with, in the same data_format)'
                             % (type(self).__name__, shape, self.data_format, self._layout('channels', 'n_superpixels'),
                                ' x '.join(map(str, self.grid)), self._n_superpixels))

    def _layout(self, channels, others):
        return '(%s)' % ', '.join(join_shape('batch', channels, [others], self.data_format))

    def compute_mask(self, inputs, mask=None):
        for name, one in zip(self.names, to_list(mask)):
            if one is not None and name != 'pooled':  # a mask of superpixels ends here, as in SuperpixelUnpooling2D
                raise ValueError('%s: %s has a mask, but in soft superpixels it is weights that say how much a pixel'
                                 ' counts (drop the mask with Lambda(lambda x: x), and let the association be 0 at'
                                 ' pixels that shall not count)' % (type(self).__name__, name))
        return None

    def get_config(self):
        return dict(super().get_config(), grid=self.grid, data_format=self.data_format)


class _SoftSuperpixelPooling(_OnGrid):
    """Base class of the pooling layers."""

    names = ['feature_map', 'association']

    def __init__(self, grid, mode='mean', data_format=None, **kwargs):
        super().__init__(grid, data_format, **kwargs)
        self.mode = as_mode(type(self).__name__, mode, MODES)

    def call(self, inputs):
        feature_map, association = self._inputs_channels_first(inputs)
        return channels_from_front(soft_superpixel_pool(feature_map, association, self.grid, self.mode),
                                   self.data_format)

    def compute_output_shape(self, input_shape):
        batch, channels, _ = split_shape(input_shape[0], self.data_format)
        return join_shape(batch, channels, (self._n_superpixels,), self.data_format)

    def get_config(self):
        return dict(super().get_config(), mode=self.mode)


class SoftSuperpixelPooling2D(_SoftSuperpixelPooling):
    """Pools images in soft superpixels: each pixel counts, with a weight, in each of the superpixels around it.

    A grid divides the image into grid cells, one superpixel each. Each pixel has weights in the superpixel of its own
    grid cell and in those of the eight that touch it; see `theano_spp.soft_superpixel_pool`.

    Called on ``[feature_map, association]``. The association contains the nine weights of each pixel, in row-major
    order, such as those that `DifferentiableSLIC2D` makes.

    # Arguments
        grid: A tuple of two positive integers, the number of superpixels on each spatial axis.
        mode: `'mean'`, which is sum(weight * feature) / sum(weight), or `'sum'`.
        data_format: A string, one of `channels_last` or `channels_first`.
            None takes `image_data_format` of your Keras config file.

    # Input shape
        - If `data_format='channels_last'`:
            `[(batch, rows, cols, channels), (batch, rows, cols, 9)]`
        - If `data_format='channels_first'`:
            `[(batch, channels, rows, cols), (batch, 9, rows, cols)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, n_superpixels, channels)`
        - If `data_format='channels_first'`: `(batch, channels, n_superpixels)`
        The superpixels are the grid cells in row-major order. The mean is 0 where the weights of a superpixel
        sum to 0.

    # Raises
        ValueError: if the arguments are invalid, the shapes do not match, or an input has a mask.

    # References
        - [Superpixel Sampling Networks, ECCV 2018]

    # Examples
        >>> from keras import backend as K
        >>> from keras.layers import Input
        >>> colours, learned = Input((64, 96, 3)), Input((64, 96, 32))
        >>> association, _ = DifferentiableSLIC2D((8, 12), data_format='channels_last')(colours)
        >>> K.int_shape(association)
        (None, 64, 96, 9)
        >>> K.int_shape(SoftSuperpixelPooling2D((8, 12), data_format='channels_last')([learned, association]))
        (None, 96, 32)
    """

    spatial_axes = 2


class SoftSuperpixelPooling1D(_SoftSuperpixelPooling):
    """Pools sequences in soft segments. As `SoftSuperpixelPooling2D`, with three weights for each step.

    # Arguments
        As for `SoftSuperpixelPooling2D`; `grid` is the number of segments, an integer or a tuple of one.

    # Input shape
        - If `data_format='channels_last'`: `[(batch, steps, channels), (batch, steps, 3)]`
        - If `data_format='channels_first'`: `[(batch, channels, steps), (batch, 3, steps)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, n_superpixels, channels)`
        - If `data_format='channels_first'`: `(batch, channels, n_superpixels)`
    """

    spatial_axes = 1


class SoftSuperpixelPooling3D(_SoftSuperpixelPooling):
    """Pools volumes in soft supervoxels. As `SoftSuperpixelPooling2D`, with 27 weights for each voxel.

    # Arguments
        As for `SoftSuperpixelPooling2D`; `grid` is a tuple of three positive integers.

    # Input shape
        - If `data_format='channels_last'`:
            `[(batch, dim1, dim2, dim3, channels), (batch, dim1, dim2, dim3, 27)]`
        - If `data_format='channels_first'`:
            `[(batch, channels, dim1, dim2, dim3), (batch, 27, dim1, dim2, dim3)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, n_superpixels, channels)`
        - If `data_format='channels_first'`: `(batch, channels, n_superpixels)`
    """

    spatial_axes = 3


class _SoftSuperpixelUnpooling(_OnGrid):
    """Base class of the unpooling layers."""

    names = ['pooled', 'association']

    def call(self, inputs):
        pooled, association = self._inputs_channels_first(inputs)
        return channels_from_front(soft_superpixel_unpool(pooled, association, self.grid), self.data_format)

    def compute_output_shape(self, input_shape):
        batch, channels, _ = split_shape(input_shape[0], self.data_format)
        _, _, spatial = split_shape(input_shape[1], self.data_format)
        return join_shape(batch, channels, spatial, self.data_format)


class SoftSuperpixelUnpooling2D(_SoftSuperpixelUnpooling):
    """Paints features of soft superpixels: each pixel gets the sum of those around it, times its weights in them.

    Called on ``[pooled, association]``; the weights that `DifferentiableSLIC2D` makes sum to 1 in each pixel, which
    then gets a weighted mean. See `theano_spp.soft_superpixel_unpool`.

    # Arguments
        grid: A tuple of two positive integers, the number of superpixels on each spatial axis.
        data_format: A string, one of `channels_last` or `channels_first`.
            None takes `image_data_format` of your Keras config file.

    # Input shape
        - If `data_format='channels_last'`:
            `[(batch, n_superpixels, channels), (batch, rows, cols, 9)]`
        - If `data_format='channels_first'`:
            `[(batch, channels, n_superpixels), (batch, 9, rows, cols)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, rows, cols, channels)`
        - If `data_format='channels_first'`: `(batch, channels, rows, cols)`

    # Raises
        ValueError: if the arguments are invalid, the shapes do not match, or the association has a mask. A mask of
            `pooled` ends here.

    # Examples
        >>> from keras import backend as K
        >>> from keras.layers import Conv1D, Input
        >>> association, pooled = DifferentiableSLIC2D((8, 12), data_format='channels_last')(Input((64, 96, 3)))
        >>> scores = Conv1D(21, 1)(pooled)
        >>> K.int_shape(SoftSuperpixelUnpooling2D((8, 12), data_format='channels_last')([scores, association]))
        (None, 64, 96, 21)
    """

    spatial_axes = 2


class SoftSuperpixelUnpooling1D(_SoftSuperpixelUnpooling):
    """Paints features of soft segments on the steps of sequences. As `SoftSuperpixelUnpooling2D`.

    # Arguments
        As for `SoftSuperpixelUnpooling2D`; `grid` is the number of segments, an integer or a tuple of one.

    # Input shape
        - If `data_format='channels_last'`: `[(batch, n_superpixels, channels), (batch, steps, 3)]`
        - If `data_format='channels_first'`: `[(batch, channels, n_superpixels), (batch, 3, steps)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, steps, channels)`
        - If `data_format='channels_first'`: `(batch, channels, steps)`
    """

    spatial_axes = 1


class SoftSuperpixelUnpooling3D(_SoftSuperpixelUnpooling):
    """Paints features of soft supervoxels on the voxels of volumes. As `SoftSuperpixelUnpooling2D`.

    # Arguments
        As for `SoftSuperpixelUnpooling2D`; `grid` is a tuple of three positive integers.

    # Input shape
        - If `data_format='channels_last'`:
            `[(batch, n_superpixels, channels), (batch, dim1, dim2, dim3, 27)]`
        - If `data_format='channels_first'`:
            `[(batch, channels, n_superpixels), (batch, 27, dim1, dim2, dim3)]`

    # Output shape
        - If `data_format='channels_last'`: `(batch, dim1, dim2, dim3, channels)`
        - If `data_format='channels_first'`: `(batch, channels, dim1, dim2, dim3)`
    """

    spatial_axes = 3


class _DifferentiableSLIC(_OnGrid):
    """Base class of the layers that make soft superpixels."""

    names = ['feature_map']

    def __init__(self, grid, iterations=5, compactness=0., data_format=None, **kwargs):
        super().__init__(grid, data_format, **kwargs)
        if not is_positive_integer(iterations):
            raise ValueError('%s: iterations is %r, but must be a positive integer (5 to 10 are usual)'
                             % (type(self).__name__, iterations))
        if (not isinstance(compactness, numbers.Real) or isinstance(compactness, bool)
                or not 0 <= compactness < float('inf')):
            raise ValueError('%s: compactness is %r, but must be a number that is not negative (0 takes the features'
                             ' alone, without positions)' % (type(self).__name__, compactness))
        self.iterations = int(iterations)
        self.compactness = float(compactness)

    def call(self, inputs):
        feature_map, = self._inputs_channels_first(inputs)
        return [channels_from_front(result, self.data_format)
                for result in differentiable_slic(feature_map, self.grid, self.iterations, self.compactness)]

    def compute_output_shape(self, input_shape):
        batch, channels, spatial = split_shape(input_shape, self.data_format)
        return [join_shape(batch, self._n_weights, spatial, self.data_format),
                join_shape(batch, channels, (self._n_superpixels,), self.data_format)]

    def get_config(self):
        return dict(super().get_config(), iterations=self.iterations, compactness=self.compactness)


class DifferentiableSLIC2D(_DifferentiableSLIC):
    """Soft superpixels of images, made of their features: SLIC's iterations, through which gradients flow.

    The superpixels begin as the grid cells. In each iteration every pixel gets weights in the nine superpixels
    around it, from the distances of its features to theirs, and the features of the superpixels become the weighted
    means. See `theano_spp.differentiable_slic`.

    Called on a feature map: colours, or what the layers before it learned. The scale of the features decides how soft
    the weights are: multiply them by 10 and almost every pixel belongs to one superpixel.

    # Arguments
        grid: A tuple of two positive integers, the number of superpixels on each spatial axis.
        iterations: A positive integer; more of them take memory in training.
        compactness: A number that is not negative, the weight of positions: a distance of one grid cell counts as much
            as a distance of `compactness` in features. 0 takes the features alone.
        data_format: A string, one of `channels_last` or `channels_first`.
            None takes `image_data_format` of your Keras config file.

    # Input shape
        - If `data_format='channels_last'`: `(batch, rows, cols, channels)`
        - If `data_format='channels_first'`: `(batch, channels, rows, cols)`

    # Output shape
        A list of the association and of the features of the superpixels:
        - If `data_format='channels_last'`:
            `[(batch, rows, cols, 9), (batch, n_superpixels, channels)]`
        - If `data_format='channels_first'`:
            `[(batch, 9, rows, cols), (batch, channels, n_superpixels)]`
        The weights of a pixel sum to 1; they are 0 where the grid ends.

    # Raises
        ValueError: if the arguments are invalid, or the input has not the axes of a feature map or has a mask.

    # References
        - [Superpixel Sampling Networks, ECCV 2018]

    # Examples
        >>> from keras import backend as K
        >>> from keras.layers import Input
        >>> layer = DifferentiableSLIC2D((8, 12), compactness=.5, data_format='channels_last')
        >>> association, pooled = layer(Input((64, 96, 3)))
        >>> K.int_shape(association), K.int_shape(pooled)
        ((None, 64, 96, 9), (None, 96, 3))
    """

    spatial_axes = 2


class DifferentiableSLIC1D(_DifferentiableSLIC):
    """Soft segments of sequences, made of their features. As `DifferentiableSLIC2D`, with three weights for each step.

    # Arguments
        As for `DifferentiableSLIC2D`; `grid` is the number of segments, an integer or a tuple of one.

    # Input shape
        - If `data_format='channels_last'`: `(batch, steps, channels)`
        - If `data_format='channels_first'`: `(batch, channels, steps)`

    # Output shape
        - If `data_format='channels_last'`:
            `[(batch, steps, 3), (batch, n_superpixels, channels)]`
        - If `data_format='channels_first'`:
            `[(batch, 3, steps), (batch, channels, n_superpixels)]`
    """

    spatial_axes = 1


class DifferentiableSLIC3D(_DifferentiableSLIC):
    """Soft supervoxels of volumes, made of their features. As `DifferentiableSLIC2D`, with 27 weights for each voxel.

    # Arguments
        As for `DifferentiableSLIC2D`; `grid` is a tuple of three positive integers.

    # Input shape
        - If `data_format='channels_last'`: `(batch, dim1, dim2, dim3, channels)`
        - If `data_format='channels_first'`: `(batch, channels, dim1, dim2, dim3)`

    # Output shape
        - If `data_format='channels_last'`:
            `[(batch, dim1, dim2, dim3, 27), (batch, n_superpixels, channels)]`
        - If `data_format='channels_first'`:
            `[(batch, 27, dim1, dim2, dim3), (batch, channels, n_superpixels)]`
    """

    spatial_axes = 3


class _HardSuperpixelMap(_OnGrid):
    """Base class of the layers that make label maps."""

    names = ['association']

    def call(self, inputs):
        association, = self._inputs_channels_first(inputs)
        return hard_superpixel_map(association, self.grid)

    def compute_output_shape(self, input_shape):
        batch, _, spatial = split_shape(input_shape, self.data_format)
        return (batch,) + spatial


class HardSuperpixelMap2D(_HardSuperpixelMap):
    """The superpixel map of soft superpixels: each pixel in the superpixel in which its weight is largest.

    Called on an association, such as the first output of `DifferentiableSLIC2D`. The map is what `SuperpixelPooling2D`
    and the other layers take; no gradient flows through it. See `theano_spp.hard_superpixel_map`.

    # Arguments
        grid: A tuple of two positive integers, the number of superpixels on each spatial axis.
        data_format: A string, one of `channels_last` or `channels_first`.
            None takes `image_data_format` of your Keras config file.

    # Input shape
        - If `data_format='channels_last'`: `(batch, rows, cols, 9)`
        - If `data_format='channels_first'`: `(batch, 9, rows, cols)`

    # Output shape
        `(batch, rows, cols)`, int32: labels from 0 to n_superpixels - 1, the cells of the grid in row-major order. Some
        may have no pixels, and some several islands: `theano_spp.label_tools.enforce_connectivity`.

    # Raises
        ValueError: if the arguments are invalid, the shape is not that of an association, or it has a mask.

    # Examples
        >>> from keras import backend as K
        >>> from keras.layers import Input
        >>> superpixel_map = HardSuperpixelMap2D((8, 12), data_format='channels_last')(Input((64, 96, 9)))
        >>> K.int_shape(superpixel_map), K.dtype(superpixel_map)
        ((None, 64, 96), 'int32')
    """

    spatial_axes = 2


class HardSuperpixelMap1D(_HardSuperpixelMap):
    """The label map of soft segments. As `HardSuperpixelMap2D`.

    # Arguments
        As for `HardSuperpixelMap2D`; `grid` is the number of segments, an integer or a tuple of one.

    # Input shape
        - If `data_format='channels_last'`: `(batch, steps, 3)`
        - If `data_format='channels_first'`: `(batch, 3, steps)`

    # Output shape
        `(batch, steps)`, int32
    """

    spatial_axes = 1


class HardSuperpixelMap3D(_HardSuperpixelMap):
    """The label map of soft supervoxels. As `HardSuperpixelMap2D`.

    # Arguments
        As for `HardSuperpixelMap2D`; `grid` is a tuple of three positive integers.

    # Input shape
        - If `data_format='channels_last'`: `(batch, dim1, dim2, dim3, 27)`
        - If `data_format='channels_first'`: `(batch, 27, dim1, dim2, dim3)`

    # Output shape
        `(batch, dim1, dim2, dim3)`, int32
    """

    spatial_axes = 3
