"""The tests of the CPU ops, run on the device: values, errors and layers.

Theano moves the ops there by itself. Its own loops over elements stay on the CPU; nothing else differs.
"""
import unittest

import theano
import theano.tensor as T

from tests.gpuarray import on_device
from tests.keras_layer import test_values as keras_values
from tests.theano_spp import test_errors, test_extremum, test_memory, test_values
from theano_spp import superpixel_pool

setup_module = on_device.leave_loops_over_elements_to_the_cpu
teardown_module = on_device.bring_loops_over_elements_to_the_device


class HereTest(unittest.TestCase):

    def test_ops_move_to_the_device_by_themselves(self):
        function = theano.function([], superpixel_pool(theano.shared(T.zeros((2, 3, 5, 7)).eval()),
                                                       theano.shared(T.zeros((2, 5, 7), 'int32').eval()), 4))
        self.assertEqual([type(op).__name__ for op in on_device.gpu_ops(function)], ['GpuSuperpixelPool'])


class ValuesByHandTest(test_values.ValuesByHandTest):
    pass


class ValuesTest(test_values.ValuesTest):
    pass


class NotFiniteTest(test_values.NotFiniteTest):
    pass


class PrecisionTest(test_values.PrecisionTest):
    pass


class LayoutTest(test_memory.LayoutTest):
    pass


class ReuseTest(test_memory.ReuseTest):
    # DebugMode's own buffers on a device need pygpu's default context; scan's own GpuIncSubtensor is only for CUDA.
    test_debug_mode_with_every_kind_of_preallocated_output_finds_nothing = None
    test_pooling_works_inside_scan = None


class RunTimeErrorTest(test_errors.RunTimeErrorTest):
    # There are fewer superpixels on a GPU: test_errors.py of this folder.
    test_more_superpixels_than_memory_is_an_error_and_never_a_crash = None


class LayerValuesTest(keras_values.LayerValuesTest):
    pass


class MaskTest(keras_values.MaskTest):
    # Recurrent layers are scan.
    test_recurrent_layers_run_over_the_superpixels_that_have_pixels = None


class ExtremumValuesTest(test_extremum.ValuesTest):
    pass
