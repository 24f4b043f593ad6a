"""The tests of the CPU ops, run on the device: weights and composites.

Theano moves the ops there by itself. Its own loops over elements stay on the CPU; nothing else differs.
"""
from tests.gpuarray import on_device
from tests.theano_spp import test_composites, test_weights

setup_module = on_device.leave_loops_over_elements_to_the_cpu
teardown_module = on_device.bring_loops_over_elements_to_the_device


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


class CompositesPrecisionTest(test_composites.PrecisionTest):
    pass


class CompositesNotFiniteTest(test_composites.NotFiniteTest):
    pass


class CompositesGradientTest(test_composites.GradientTest):
    pass
