"""The tests of the CPU ops, run on the device: Theano moves the ops there by itself, nothing else differs."""
import unittest

import theano
import theano.tensor as T
from theano.compile.mode import predefined_modes

from tests.gpuarray.on_device import gpu_ops
from tests.keras_layer import test_values as keras_values
from tests.theano_spp import (test_composites, test_errors, test_extremum, test_gradients, test_memory, test_resize,
                              test_shared_map, test_values, test_weights)
from theano_spp import superpixel_pool

# Theano's own ops on a device cannot run without a compiler: that mode compares with the reference on the host.
predefined_modes['FAST_COMPILE'] = predefined_modes['FAST_COMPILE'].excluding('gpuarray')


class HereTest(unittest.TestCase):

    def test_ops_move_to_the_device_by_themselves(self):
        function = theano.function([], superpixel_pool(theano.shared(T.zeros((2, 3, 5, 7)).eval()),
                                                       theano.shared(T.zeros((2, 5, 7), 'int32').eval()), 4))
        self.assertEqual([type(op).__name__ for op in gpu_ops(function)], ['GpuSuperpixelPool'])


class ValuesByHandTest(test_values.ValuesByHandTest):
    pass


class ValuesTest(test_values.ValuesTest):
    pass


class NotFiniteTest(test_values.NotFiniteTest):
    pass


class PrecisionTest(test_values.PrecisionTest):
    pass


class AdjointTest(test_values.AdjointTest):
    pass


class LayoutTest(test_memory.LayoutTest):
    pass


class ReuseTest(test_memory.ReuseTest):
    # DebugMode's own buffers on a device need pygpu's default context; scan's own GpuIncSubtensor is only for CUDA.
    test_debug_mode_with_every_kind_of_preallocated_output_finds_nothing = None
    test_pooling_works_inside_scan = None


class GradientTest(test_gradients.GradientTest):
    # A loop of scan's, and the name of an op on the CPU.
    test_a_jacobian_is_that_of_the_matrix = None
    test_no_loop_is_in_the_graph_of_the_gradient = None


class ROperatorTest(test_gradients.ROperatorTest):
    pass


class ShapeInferenceTest(test_gradients.ShapeInferenceTest):
    pass


class RunTimeErrorTest(test_errors.RunTimeErrorTest):
    # There are fewer superpixels on a GPU: test_errors.py of this folder.
    test_more_superpixels_than_memory_is_an_error_and_never_a_crash = None


class LayerValuesTest(keras_values.LayerValuesTest):
    pass


class MaskTest(keras_values.MaskTest):
    # Recurrent layers are scan.
    test_recurrent_layers_run_over_the_superpixels_that_have_pixels = None


# Derivatives and layers are graphs of the same ops, whose bits test_one_map.py compares with those of repeated maps.
class SharedMapValuesTest(test_shared_map.ValuesTest):
    # The reference alone.
    test_the_reference_of_composites_follows_the_rule = None


class SharedMapShapeTest(test_shared_map.ShapeTest):
    pass


class SharedMapErrorTest(test_shared_map.ErrorTest):
    pass


class ExtremumValuesTest(test_extremum.ValuesTest):
    pass


class ExtremumGradientTest(test_extremum.GradientTest):
    pass


class ResizeValuesTest(test_resize.ValuesTest):
    pass


class ResizeGradientTest(test_resize.GradientTest):
    pass


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


class ResizeErrorTest(test_resize.ErrorTest):
    # Arrays too large for a device raise other errors, or errors of Theano, which copies them there.
    test_cells_beyond_memory_are_an_error_and_never_a_crash = None
    test_more_cells_than_memory_are_an_error_that_names_the_shape = None
    test_more_superpixels_than_memory_is_an_error_and_never_a_crash = None
    test_pixels_of_a_map_beyond_memory_are_an_error_and_never_a_crash = None
