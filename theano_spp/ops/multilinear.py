"""The base class of the ops that are linear in some of their inputs, in each separately."""
import functools
import operator

import theano.tensor as T
from theano.gradient import DisconnectedType

from .external_c import ExternalC


class MultilinearOp(ExternalC):
    """An op with one result, linear in each of its factors; its other inputs, labels and sizes, have no gradient.

    Subclasses define their adjoints. Connection pattern, gradient and R operator follow from them.

    Attributes
    ----------
    factors : tuple of int
        The inputs in which the op is linear.
    """

    factors = (0,)

    def adjoints(self, inputs, gradient):
        """Return the gradient of a cost for each factor, given the gradient for the result."""
        raise NotImplementedError

    def connection_pattern(self, node):
        return [[position in self.factors] for position, _ in enumerate(node.inputs)]

    def L_op(self, inputs, outputs, output_gradients):
        gradients = [DisconnectedType()() for _ in inputs]
        for position, gradient in zip(self.factors, self.adjoints(inputs, output_gradients[0])):
            gradients[position] = like(gradient, inputs[position])
        return gradients

    def R_op(self, inputs, eval_points):
        # The product rule: each factor in turn is replaced by its direction.
        terms = [self(*(inputs[:position] + [eval_points[position]] + inputs[position + 1:]))
                 for position in self.factors if eval_points[position] is not None]
        return [add_up(terms)]


def add_up(terms):
    """Return the sum of Theano variables, None if there are none."""
    return functools.reduce(operator.add, terms) if terms else None


def like(gradient, factor):
    """Return a gradient with the dtype and the broadcastable axes of the factor it belongs to."""
    return T.patternbroadcast(T.cast(gradient, factor.dtype), factor.broadcastable)
