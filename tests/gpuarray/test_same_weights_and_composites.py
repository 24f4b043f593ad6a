"""The tests of the CPU ops, run on the device: weights and composites.

Theano moves the ops there by itself, nothing else differs.
"""
from tests.gpuarray import on_device  # noqa: F401
from tests.theano_spp import test_composites, test_weights


class WeightsValueTest(test_weights.ValueTest):
    pass


class WeightsPrecisionTest(test_weights.PrecisionTest):
    pass


class WeightsNotLookedAtTest(test_weights.NotLookedAtTest):
    pass


class WeightsDerivativeTest(test_weights.DerivativeTest):
    pass


class WeightsErrorTest(test_weights.ErrorTest):
    pass


class CompositesValuesTest(test_composites.ValuesTest):
    # DebugMode's own buffers on a device need pygpu's default context.
    test_fast_compile_and_debug_mode_give_the_same = None
    # Each number of axes compiles all graphs again, and their ops have such tests themselves.
    test_one_and_three_spatial_axes_and_unsigned_labels = None


class CompositesPrecisionTest(test_composites.PrecisionTest):
    pass


class CompositesNotFiniteTest(test_composites.NotFiniteTest):
    pass


class CompositesGradientTest(test_composites.GradientTest):
    # The ops in their graphs are differentiated on the device by their own tests. These took minutes to compile.
    test_gradients_equal_differences = None
    test_second_derivatives_equal_differences_of_the_first = None
    test_r_operators_equal_differences = None
