"""Theano's own kernels on a device: those that did not compile through OpenCL, and an error in place of a crash."""
import unittest

import numpy as np
import theano
import theano.tensor as T

from tests.gpuarray.on_device import ON_CPU
from tests.processes import run_python

NO_KERNEL = '''
import theano_spp, theano, theano.tensor as T
from theano.scalar import UnaryScalarOp, same_out

class NotC(UnaryScalarOp):
    def c_code(self, node, name, inputs, outputs, sub):
        return '%s = this is not C;' % outputs[0]

    def c_code_cache_version(self):
        return 1,

x = T.fvector()
try:
    theano.function([x], T.Elemwise(NotC(same_out))(x))
except RuntimeError as error:
    print(error)
'''


class LoopsOverElementsTest(unittest.TestCase):

    def test_a_maximum_and_others_are_on_the_device_what_they_are_on_the_cpu(self):
        x, y = T.fvector('x'), T.fvector('y')
        outputs = [T.maximum(x, y), T.minimum(x, y), x // y, T.switch(x, y, 7), T.cast(x, 'bool')]
        values = [np.array(column, 'float32') for column in zip(*[
            (1, 2), (2, -1), (np.nan, 2), (2, np.nan), (-7, 2), (7, -2), (-6, -4), (0, 3), (-.5, 3), (3, 3)])]
        on_device, on_cpu = [theano.function([x, y], outputs, mode=mode) for mode in (None, ON_CPU)]
        self.assertEqual([type(node.op).__name__ for node in on_device.maker.fgraph.toposort()
                          if 'Elemwise' in type(node.op).__name__], ['GpuElemwise'] * len(outputs))
        for actual, wanted in zip(on_device(*values), on_cpu(*values)):
            self.assertEqual(actual.dtype, wanted.dtype)
            np.testing.assert_array_equal(actual, wanted)

    def test_where_there_is_no_kernel_there_is_an_error_and_never_a_crash(self):
        self.assertIn('Could not initialize elemwise support', run_python(NO_KERNEL))


class LeftOnHostTest(unittest.TestCase):

    def test_what_has_kernels_for_cuda_alone_is_computed_through_opencl_too(self):
        x, classes = T.fmatrix('x'), T.ivector('classes')
        loss = T.nnet.categorical_crossentropy(T.nnet.softmax(x), classes)
        outputs = [loss, T.grad(loss.sum(), x), T.cumsum(x, axis=1)]
        values = np.array([[1, 2, 3], [-1, 0, 2]], 'float32'), np.array([2, 0], 'int32')
        on_device, on_cpu = [theano.function([x, classes], outputs, mode=mode) for mode in (None, ON_CPU)]
        for actual, wanted in zip(on_device(*values), on_cpu(*values)):
            np.testing.assert_allclose(actual, wanted, rtol=1e-5)
