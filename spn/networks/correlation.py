"""Superpixels that look alike share their scores.

The scores of a superpixel become the mean over all superpixels of the image, weighted by how much they look alike: the
pixel correlation module of Wang et al., *Self-supervised Equivariant Attention Mechanism for Weakly Supervised Semantic
Segmentation*, CVPR 2020, between superpixels instead of pixels. Each superpixel can be compared with every other,
because an image has a few hundred superpixels, and not tens of thousands as it has pixels.
"""
import keras_layer  # noqa: F401  (before keras: it chooses Keras's Theano backend)
import theano.tensor as T
from keras.engine import Layer
from theano.gradient import disconnected_grad
from theano_spp import superpixel_sizes


class SuperpixelSizes2D(Layer):
    """The number of pixels of each superpixel; there are as many superpixels as the largest label of the batch + 1.

    # Input shape
        `(batch, rows, cols)`, integers

    # Output shape
        `(batch, n_superpixels)`
    """

    def call(self, inputs):
        return T.cast(superpixel_sizes(inputs), self.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape[0], None


def correlation(features, sizes):
    """How much each superpixel takes over from each other one, (batch, n_superpixels, n_superpixels): rows sum up to 1.

    With x the features of superpixels minus their mean over the image, and s their sizes::

        a_ij = max(0, cos(x_i, x_j)),  a_ii = 1
        out_ij = a_ij s_j / sum_k a_ik s_k

    Parameters
    ----------
    features : Theano variable, (batch, channels, n_superpixels)
    sizes : Theano variable, (batch, n_superpixels)
        In pixels. Nothing is taken over from a superpixel of size 0.
    """
    sizes = sizes.dimshuffle(0, 'x', 1)
    mean = (features * sizes).sum(axis=2, keepdims=True) / T.maximum(sizes.sum(axis=2, keepdims=True), 1)
    centred = features - mean
    unit = centred / T.sqrt(T.maximum((centred ** 2).sum(axis=1, keepdims=True), 1e-12))
    cosine = T.batched_dot(unit.dimshuffle(0, 2, 1), unit)
    weights = sizes * T.maximum(cosine, T.eye(cosine.shape[1]).dimshuffle('x', 0, 1))
    return weights / T.maximum(weights.sum(axis=2, keepdims=True), 1e-6)


class CorrelationMatrix(Layer):
    """How much each superpixel takes over from each other one; see :func:`correlation`.

    # Input shape
        A list of two: features, `(batch, channels, n_superpixels)`, and sizes in pixels, `(batch, n_superpixels)`.

    # Output shape
        `(batch, n_superpixels, n_superpixels)`
    """

    def call(self, inputs):
        return correlation(*inputs)

    def compute_output_shape(self, input_shape):
        (batch, _, n_superpixels), _ = input_shape
        return batch, n_superpixels, n_superpixels


class SuperpixelCorrelation(Layer):
    """Scores of superpixels, averaged over those that look alike; see :func:`correlation`.

    # Input shape
        A list of three: scores, `(batch, n_superpixels, classes)`, features, `(batch, channels, n_superpixels)`, and
        sizes in pixels, `(batch, n_superpixels)`. A superpixel of size 0 does not count.

    # Output shape
        `(batch, n_superpixels, classes)`. Gradients flow only to the scores.
    """

    def call(self, inputs):
        scores, features, sizes = inputs
        return T.batched_dot(disconnected_grad(correlation(features, sizes)), scores)

    def compute_output_shape(self, input_shape):
        return input_shape[0]


class MeanOverSuperpixels(Layer):
    """The mean of scores over the superpixels of an image, weighted by a power of their size.

    # Arguments
        exponent: 0 weights all superpixels equally, 1 by their number of pixels.

    # Input shape
        A list of two: scores, `(batch, n_superpixels, classes)`, and sizes in pixels, `(batch, n_superpixels)`. A
        superpixel of size 0 does not count.

    # Output shape
        `(batch, classes)`
    """

    def __init__(self, exponent=0, **kwargs):
        super().__init__(**kwargs)
        self.exponent = exponent

    def call(self, inputs):
        scores, sizes = inputs
        weights = T.switch(T.gt(sizes, 0), sizes ** self.exponent, 0).dimshuffle(0, 1, 'x')
        return (weights * scores).sum(axis=1) / T.maximum(weights.sum(axis=1), 1e-6)

    def compute_output_shape(self, input_shape):
        return input_shape[0][0], input_shape[0][2]

    def get_config(self):
        return dict(super().get_config(), exponent=self.exponent)


#: As `custom_objects` for loading a model.
OBJECTS = {kind.__name__: kind for kind in (SuperpixelSizes2D, SuperpixelCorrelation, MeanOverSuperpixels)}
