"""The tests of the CPU ops, run on the device: soft superpixels.

Theano moves the ops there by itself. Its own loops over elements stay on the CPU; nothing else differs.
"""
import unittest

import numpy as np
import theano
import theano.tensor as T

from tests.gpuarray import on_device
from tests.theano_spp import test_slic, test_soft

setup_module = on_device.leave_loops_over_elements_to_the_cpu
teardown_module = on_device.bring_loops_over_elements_to_the_device


class SoftValueTest(test_soft.ValueTest):
    pass


class SoftDerivativeTest(test_soft.DerivativeTest):
    pass


class SoftMemoryTest(test_soft.MemoryTest):
    # What comes out is in C order there, DebugMode's own buffers need pygpu's default context, and threads are others.
    test_painted_features_have_their_channels_last_in_memory_where_the_values_have = None
    test_debug_mode_with_every_kind_of_preallocated_output_finds_nothing = None
    test_one_to_four_threads_and_none_at_all_give_the_same_bits = None


class SoftErrorTest(test_soft.ErrorTest):
    # The limit is another one there, see the test below.
    test_more_superpixels_than_memory_is_an_error_and_never_a_crash = None


class SlicValueTest(test_slic.ValueTest):
    pass


class DeviceTest(unittest.TestCase):

    def test_each_op_runs_on_the_device(self):
        self.assertEqual(sorted(type(op).__name__ for op in on_device.gpu_ops(test_soft.compiled())),
                         ['GpuSoftAssociation', 'GpuSoftDot', 'GpuSoftPool', 'GpuSoftUnpool'])

    def test_more_superpixels_than_a_gpu_can_count_are_an_error(self):
        x, a = T.ftensor4(), T.ftensor4()
        function = theano.function([x, a], test_soft.SoftPool()(x, a, (2 ** 30, 2 ** 30)))
        with self.assertRaises(ValueError) as caught:
            function(np.ones((2, 3, 5, 7), 'float32'), np.ones((2, 9, 5, 7), 'float32'))
        self.assertIn('SoftPool: an image has 35 pixels and there are %d superpixels, but on the GPU' % 2 ** 60,
                      str(caught.exception))
