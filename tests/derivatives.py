"""First derivatives as a function, so that the second ones can be compared with differences of the first."""
import theano.tensor as T


def first_derivatives(value_of, *factors):
    """Return the gradients of a cost of ``value_of(*factors)`` for all factors, as one vector.

    The cost is neither linear nor the same in any two elements of the value.
    """
    factors = [factor * 1. for factor in factors]
    value = value_of(*factors)
    upstream = T.arange(1, 1 + value.size).reshape(value.shape) % 7
    gradients = T.grad(T.sum(T.exp(.1 * value) * upstream), factors)
    return T.concatenate([gradient.flatten() for gradient in gradients])
