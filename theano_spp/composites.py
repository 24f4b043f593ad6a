"""Operations that are graphs of other ops: variance, standard deviation, logsumexp, softmax, normalization.

There is no C code and no op here, so every device, layout and derivative comes from the underlying ops. A formula
made of means, sums or maxima over superpixels belongs here; a new kind of reduction does not.

All of them follow two rules. A shift that is subtracted only for the sake of precision, a maximum or a first estimate
of the mean, does not change the result, so no gradient flows through it, and gradients of every order are still right.
And a pixel that belongs to no superpixel is set to 0 before anything is squared or exponentiated: otherwise a NaN there
would come back in the gradient, as 0 times NaN.
"""
import numpy as np
import theano.tensor as T
from theano.compile.ops import ViewOp
from theano.gradient import disconnected_grad

from .arguments import as_feature_map, as_n_superpixels, check_float64_is_allowed
from .label_map import as_label_map
from .ops.counts import SuperpixelSizes
from .ops.max_min import SuperpixelExtremum
from .ops.mean_sum import SuperpixelPool, SuperpixelUnpool
from .ops.sharing import for_each_image
from .ops.weighted import WeightedPool
from .sizes import superpixel_count

#: The modes of `superpixel_pool` that are graphs of other ops.
MODES = ('var', 'std', 'logsumexp')


def weighted_pool(feature_map, superpixel_map, n_superpixels, mode, pixel_weights):
    """Return sum(w x) for each superpixel, or sum(w x) / sum(w); 0 where the weights sum to 0."""
    check_float64_is_allowed('WeightedPool', 'features and pixel_weights are multiplied and added up')
    feature_map = T.as_tensor_variable(feature_map)
    pooled, total = WeightedPool()(feature_map, superpixel_map, n_superpixels, pixel_weights)
    if mode == 'mean':
        pooled = mean_of_sums(pooled, total)
    return T.cast(pooled, feature_map.dtype)


def mean_of_sums(sums, totals, without_weights=np.float64(0)):
    """Return weighted sums divided by the sums of the weights, and `without_weights` where these are 0."""
    totals = totals[:, None, :]
    nothing = T.eq(totals, 0)
    # Divided by 1 without weight. A switch to 1 would not do: Theano's optimizations remove it, which leaves 0 / 0.
    return T.switch(nothing, without_weights, sums) / (totals + nothing)


def composite_pool(feature_map, superpixel_map, n_superpixels, mode, pixel_weights=None):
    """:func:`superpixel_pool` in the modes of `MODES`: parameters, result and errors are described there."""
    feature_map, features, superpixels = _prepared('SuperpixelPool', feature_map, superpixel_map, n_superpixels,
                                                   pixel_weights)
    pooled = {'var': _variance, 'std': _standard_deviation, 'logsumexp': _logsumexp}[mode](features, superpixels)
    return T.cast(pooled, feature_map.dtype)


def superpixel_softmax(feature_map, superpixel_map, n_superpixels=None):
    """Softmax over the pixels of each superpixel, in each channel separately.

    Parameters
    ----------
    feature_map : tensor_like of float16, float32 or float64, shape (batch, channels, *spatial)
        1 to 3 spatial axes, any memory layout. Any magnitude: nothing overflows.
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial) or (1, *spatial)
        Labels as for :func:`superpixel_pool`. One map serves all images.
    n_superpixels : int or integer Theano scalar, optional
        None takes the largest label of the batch + 1. The result does not depend on it.

    Returns
    -------
    TensorVariable, shape and dtype of `feature_map`
        exp(x) / sum of exp(x) over the pixels of the superpixel, so that each superpixel that has pixels sums to 1 in
        each channel; 0 on pixels that belong to no superpixel.

    Raises
    ------
    TypeError
        If the labels are not integers, the features not floats, `n_superpixels` not an integer.
    ValueError
        If `n_superpixels` is negative, or the shapes do not agree.
    IndexError
        When the compiled function runs, if a label is not below `n_superpixels`.

    Notes
    -----
    Gradients of every order exist for `feature_map`; `superpixel_map` and `n_superpixels` are disconnected. If the
    maximum of a superpixel is NaN or infinite in a channel, all its pixels are NaN in this channel, as in
    ``scipy.special.softmax``. float16 is computed in float32.

    Examples
    --------
    >>> import numpy as np
    >>> feature_map = np.log([[[[1., 3.], [5., 9.]]]])
    >>> superpixel_softmax(feature_map, np.array([[[0, 0], [1, -1]]])).eval().round(3)
    array([[[[0.25, 0.75],
             [1.  , 0.  ]]]])
    """
    feature_map, features, superpixels = _prepared('superpixel_softmax', feature_map, superpixel_map, n_superpixels)
    powers = _powers(features, superpixels, superpixels.max(features))
    total = superpixels.sum(powers)
    # Without pixels the total is 0, and 1 avoids a division by it; the result is painted on no pixel. Pixels that
    # belong to no superpixel are painted 0, which is their result.
    return T.cast(powers * superpixels.paint(1 / (total + T.eq(total, 0))), feature_map.dtype)


def superpixel_normalize(feature_map, superpixel_map, n_superpixels=None, epsilon=1e-5):
    """Normalize the features of each superpixel to mean 0 and variance 1, in each channel separately.

    Parameters
    ----------
    feature_map : tensor_like of float16, float32 or float64, shape (batch, channels, *spatial)
        1 to 3 spatial axes, any memory layout.
    superpixel_map : tensor_like of any integer dtype, shape (batch, *spatial) or (1, *spatial)
        Labels as for :func:`superpixel_pool`. One map serves all images.
    n_superpixels : int or integer Theano scalar, optional
        None takes the largest label of the batch + 1. The result does not depend on it.
    epsilon : float
        Added to the variance, as in batch normalization; positive.

    Returns
    -------
    TensorVariable, shape and dtype of `feature_map`
        (x - mean) / sqrt(variance + epsilon), with the population variance; 0 on pixels that belong to no superpixel,
        and exactly 0 in a superpixel of equal features.

    Raises
    ------
    TypeError
        If the labels are not integers, the features not floats, `n_superpixels` not an integer or `epsilon` not a
        number.
    ValueError
        If `n_superpixels` is negative, `epsilon` not positive, or the shapes do not agree.
    IndexError
        When the compiled function runs, if a label is not below `n_superpixels`.

    Notes
    -----
    Gradients of every order exist for `feature_map`; `superpixel_map` and `n_superpixels` are disconnected. A NaN or an
    infinity gives NaN in its own superpixel and channel. float16 is computed in float32, where the square of a
    deviation must not be above 3.4e38.

    Examples
    --------
    >>> import numpy as np
    >>> feature_map = np.array([[[[1., 3.], [7., 9.]]]])
    >>> superpixel_normalize(feature_map, np.array([[[0, 0], [1, -1]]])).eval().round(3)
    array([[[[-1.,  1.],
             [ 0.,  0.]]]])
    """
    feature_map, features, superpixels = _prepared('superpixel_normalize', feature_map, superpixel_map, n_superpixels)
    deviations = _deviations(features, superpixels)
    variance = superpixels.mean(T.sqr(deviations))
    scale = 1 / T.sqrt(variance + as_epsilon('superpixel_normalize', epsilon, features.dtype))
    return T.cast(deviations * superpixels.paint(scale), feature_map.dtype)


class _Superpixels:
    """The superpixels of a batch of images, with the operations that the formulas below are built from.

    Parameters
    ----------
    batch : TensorVariable of int64, scalar
        The number of images.
    superpixel_map : TensorVariable of integers, shape (batch, *spatial) or (1, *spatial)
    n_superpixels : TensorVariable of int64, scalar
    pixel_weights : tensor_like, shape (batch, *spatial) or (1, *spatial), optional
        How much each pixel counts in :meth:`mean`.
    """

    def __init__(self, batch, superpixel_map, n_superpixels, pixel_weights=None):
        self._labels = superpixel_map, n_superpixels
        self._pixel_weights = pixel_weights
        # Not superpixel_map >= 0 with a channel axis: Theano adds that axis to the map first, and its DimShuffle
        # mistakes the zero strides of np.broadcast_to for axes that it added, and reads out of bounds.
        sizes = for_each_image(SuperpixelSizes()(superpixel_map, n_superpixels), batch)
        self._belongs = T.gt(self.paint(T.cast(sizes, 'float32').dimshuffle(0, 'x', 1)), 0)

    def mean(self, features):
        if self._pixel_weights is not None:
            return weighted_pool(features, *self._labels, mode='mean', pixel_weights=self._pixel_weights)
        return self._pool('mean', features)

    def sum(self, features):
        return self._pool('sum', features)

    def max(self, features):
        return SuperpixelExtremum('max')(features, *self._labels)[0]

    def paint(self, pooled):
        return SuperpixelUnpool('sum')(pooled, self._labels[0])

    def zero_outside(self, features):
        """Set the pixels that belong to no superpixel to 0."""
        return T.switch(self._belongs, features, np.zeros((), features.dtype))

    def _pool(self, mode, features):
        return SuperpixelPool(mode)(features, *self._labels)


def _deviations(features, superpixels):
    """x - mean, exactly 0 in a superpixel of equal features.

    The mean of equal numbers is not always that number: rounding may shift it by a few units in the last place. But
    this difference is the same on all pixels, and such small integer multiples of the unit are summed and divided
    without rounding, so that subtracting a second mean, that of the differences, removes it.
    """
    centred = features - superpixels.paint(disconnected_grad(superpixels.mean(features)))
    return superpixels.zero_outside(centred - superpixels.paint(superpixels.mean(centred)))


def _variance(features, superpixels):
    return superpixels.mean(T.sqr(_deviations(features, superpixels)))


def _standard_deviation(features, superpixels):
    """The square root of the variance, with gradient 0 where it is 0.

    The slope of the root is infinite there, and its product with the gradient of the variance, 0, would be NaN. 0 is
    correct: the standard deviation is convex and has its minimum there, so that 0 is a subgradient.
    """
    variance = _variance(features, superpixels)
    nothing = T.eq(variance, 0)
    # The root of 1 where the variance is 0: a switch alone would not keep NaN out of the gradient.
    return T.switch(nothing, np.zeros((), variance.dtype), T.sqrt(variance + nothing))


def _logsumexp(features, superpixels):
    largest = disconnected_grad(superpixels.max(features))
    # inf - inf would be NaN; with the shift 0 the sum itself is infinite.
    shift = T.switch(T.isinf(largest), np.zeros((), largest.dtype), largest)
    total = superpixels.sum(_powers(features, superpixels, shift))
    # Without pixels, or if all are -inf, the result is the maximum, 0 or -inf.
    nothing = T.eq(total, 0)
    return T.switch(nothing, largest, shift + T.log(total + nothing))


def _powers(features, superpixels, shift):
    """exp(x - shift), and 1 on pixels that belong to no superpixel; `shift` has a value per channel and superpixel."""
    return T.exp(superpixels.zero_outside(features - superpixels.paint(disconnected_grad(shift))))


def _prepared(op_name, feature_map, superpixel_map, n_superpixels, pixel_weights=None):
    """Check the arguments of a public function.

    Returns
    -------
    feature_map : TensorVariable
    features : TensorVariable
        The same, cast to float32 if they are float16, which ends at 65504, too small for squares.
    superpixels : _Superpixels
    """
    feature_map = as_feature_map(op_name, feature_map)
    superpixel_map = as_label_map(op_name, superpixel_map, feature_map.ndim - 2)
    n_superpixels = (superpixel_count(superpixel_map) if n_superpixels is None
                     else as_n_superpixels(op_name, n_superpixels))
    features = feature_map
    if feature_map.dtype == 'float16':
        features = T.cast(_GradientOfOwnDtype()(feature_map), 'float32')
    superpixels = _Superpixels(feature_map.shape[0], superpixel_map, n_superpixels, pixel_weights)
    return feature_map, features, superpixels


def as_epsilon(op_name, epsilon, dtype):
    """Return `epsilon` as a zero-dimensional array."""
    if isinstance(epsilon, (bool, np.bool_)) or not isinstance(epsilon, (int, float, np.integer, np.floating)):
        raise TypeError('%s: epsilon is %r, but a number is wanted (1e-5, for example)' % (op_name, epsilon))
    value = np.asarray(epsilon, dtype)
    if not 0 < value < np.inf:
        raise ValueError('%s: epsilon is %r, but must be positive and finite in %s, because a superpixel of equal'
                         ' features would be divided by 0 (use 1e-5, for example)' % (op_name, epsilon, dtype))
    return value


class _GradientOfOwnDtype(ViewOp):
    """The identity, with a gradient of the dtype of its input: that of Theano's own cast to float32 is float32."""


    def grad(self, inputs, output_gradients):
        return [T.cast(output_gradients[0], inputs[0].dtype)]

    def R_op(self, inputs, eval_points):
        return list(eval_points)
