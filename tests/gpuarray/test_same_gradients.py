"""The tests of the CPU ops, run on the device: gradients, features of another size, maps for all images.

Theano moves the ops there by itself. Its own loops over elements stay on the CPU; nothing else differs.
"""
from tests.gpuarray import on_device
from tests.theano_spp import test_extremum, test_gradients, test_resize, test_shared_map, test_values

setup_module = on_device.leave_loops_over_elements_to_the_cpu
teardown_module = on_device.bring_loops_over_elements_to_the_device


class AdjointTest(test_values.AdjointTest):
    pass


class GradientTest(test_gradients.GradientTest):
    # A loop of scan's, and the name of an op on the CPU.
    test_a_jacobian_is_that_of_the_matrix = None
    test_no_loop_is_in_the_graph_of_the_gradient = None


class ROperatorTest(test_gradients.ROperatorTest):
    pass


class ShapeInferenceTest(test_gradients.ShapeInferenceTest):
    pass


# Derivatives and layers are graphs of the same ops, whose bits test_one_map.py compares with those of repeated maps.
class SharedMapValuesTest(test_shared_map.ValuesTest):
    # The reference alone.
    test_the_reference_of_composites_follows_the_rule = None


class SharedMapShapeTest(test_shared_map.ShapeTest):
    pass


class SharedMapErrorTest(test_shared_map.ErrorTest):
    pass


class ExtremumGradientTest(test_extremum.GradientTest):
    pass


class ResizeValuesTest(test_resize.ValuesTest):
    pass


class ResizeGradientTest(test_resize.GradientTest):
    pass


class ResizeErrorTest(test_resize.ErrorTest):
    # Arrays too large for a device raise other errors, or errors of Theano, which copies them there.
    test_cells_beyond_memory_are_an_error_and_never_a_crash = None
    test_more_cells_than_memory_are_an_error_that_names_the_shape = None
    test_more_superpixels_than_memory_is_an_error_and_never_a_crash = None
    test_pixels_of_a_map_beyond_memory_are_an_error_and_never_a_crash = None
