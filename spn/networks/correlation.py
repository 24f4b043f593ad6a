"""What superpixels that look alike say of each other.

Scores of a superpixel become the mean over all superpixels of the image, weighted by how much they look alike: the
pixel correlation module of Wang et al., *Self-supervised Equivariant Attention Mechanism for Weakly Supervised Semantic
Segmentation*, CVPR 2020, between superpixels in place of pixels. A picture has a few hundred of them, not tens of
thousands, so that every one is compared with every other.
"""
import keras_layer  # noqa: F401  (before keras: it chooses Keras's Theano backend)
import theano.tensor as T
from keras.engine import Layer
from theano.gradient import disconnected_grad
from theano_spp import superpixel_sizes


class SuperpixelSizes2D(Layer):
    """The pixels of each superpixel of a map, as many as the largest label of the batch + 1.

    # Input shape
        `(batch, rows, cols)`, integers

    # Output shape
        `(batch, n_superpixels)`
    """

    def call(self, inputs):
        return T.cast(superpixel_sizes(inputs), self.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape[0], None


class SuperpixelCorrelation(Layer):
    """Scores of superpixels, averaged over those that look alike.

    With x the features of superpixels less their mean over the image, s their sizes and y their scores::

        a_ij = max(0, cos(x_i, x_j)),  a_ii = 1
        out_i = sum_j a_ij s_j y_j / sum_j a_ij s_j

    # Input shape
        A list of three: scores, `(batch, n_superpixels, classes)`, features, `(batch, channels, n_superpixels)`, and
        sizes in pixels, `(batch, n_superpixels)`. A superpixel of size 0 is none.

    # Output shape
        `(batch, n_superpixels, classes)`. There is a gradient for scores alone.
    """

    def call(self, inputs):
        scores, features, sizes = inputs
        sizes = sizes.dimshuffle(0, 'x', 1)
        mean = (features * sizes).sum(axis=2, keepdims=True) / T.maximum(sizes.sum(axis=2, keepdims=True), 1)
        centred = features - mean
        unit = centred / T.sqrt(T.maximum((centred ** 2).sum(axis=1, keepdims=True), 1e-12))
        cosine = T.batched_dot(unit.dimshuffle(0, 2, 1), unit)
        weights = sizes * T.maximum(cosine, T.eye(cosine.shape[1]).dimshuffle('x', 0, 1))
        weights = disconnected_grad(weights / T.maximum(weights.sum(axis=2, keepdims=True), 1e-6))
        return T.batched_dot(weights, scores)

    def compute_output_shape(self, input_shape):
        return input_shape[0]


class MeanOverSuperpixels(Layer):
    """The mean of scores over the superpixels of an image, weighted by a power of their size.

    # Arguments
        exponent: 0 counts every superpixel the same, 1 by its pixels.

    # Input shape
        A list of two: scores, `(batch, n_superpixels, classes)`, and sizes in pixels, `(batch, n_superpixels)`; one of
        size 0 is none.

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


#: What Keras needs to know to load a model that has them.
OBJECTS = {kind.__name__: kind for kind in (SuperpixelSizes2D, SuperpixelCorrelation, MeanOverSuperpixels)}
