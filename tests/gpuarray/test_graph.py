"""Compiled functions run on the device, without transfers and without ops on the CPU."""
import copy
import pickle
import shutil
import tempfile
import unittest

import numpy as np
import pygpu
import theano
import theano.tensor as T
from theano.gpuarray.type import GpuArrayType, gpuarray_shared_constructor

from tests.gpuarray.on_device import ON_CPU, gpu_ops, transfers
from tests.label_maps import regions_map
from tests.processes import run_python
from tests.theano_spp.test_cache import COUNT, TELL
from theano_spp import (SuperpixelPool, SuperpixelUnpool, superpixel_normalize, superpixel_overlap, superpixel_pool,
                        superpixel_sizes, superpixel_softmax, superpixel_unpool)
from theano_spp.ops.external_c import ExternalC
from theano_spp.gpuarray.gpu_version import GpuVersion
from theano_spp.gpuarray.mean_sum import GpuSuperpixelPool
from theano_spp.gpuarray.mean_sum import GpuSuperpixelUnpool


def graph_mode(optimizer='fast_run'):
    """For a graph that is looked at and not run: nothing is compiled."""
    return theano.Mode('py', optimizer)


def on_device(array):
    return gpuarray_shared_constructor(array, target=None, borrow=False)


def to_device(array):
    return pygpu.array(array, context=theano.gpuarray.get_context(None))


def device_layouts(array):
    """name -> the same values on the device, with other strides and offsets."""
    values = np.asarray(array)
    for axis in range(values.ndim):
        backwards = [slice(None, None, -1 if a == axis else None) for a in range(values.ndim)]
        yield 'axis %d reversed' % axis, to_device(np.flip(values, axis).copy())[tuple(backwards)]
        third = [slice(None, None, 3 if a == axis else None) for a in range(values.ndim)]
        yield 'every third of axis %d' % axis, to_device(np.repeat(values, 3, axis))[tuple(third)]
        last = [a for a in range(values.ndim) if a != axis] + [axis]
        yield 'axis %d last' % axis, to_device(np.ascontiguousarray(values.transpose(last))).transpose(
            tuple(int(a) for a in np.argsort(last)))
    window = np.pad(values, 2, mode='constant')
    yield 'a window of a larger array', to_device(window)[(slice(2, -2),) * values.ndim]


class LiftingTest(unittest.TestCase):

    def setUp(self):
        rng = np.random.RandomState(0)
        self.labels = on_device(regions_map(rng, (2, 11, 13), 7))
        self.features = on_device(rng.randn(2, 5, 11, 13).astype('float32'))
        self.filters = on_device(rng.randn(4, 5, 3, 3).astype('float32'))

    def test_each_operation_has_its_op_on_the_device_and_nothing_comes_back_on_the_way(self):
        n = T.lscalar()
        fine = on_device(regions_map(np.random.RandomState(1), (2, 22, 26), 7))
        weights = on_device(np.random.RandomState(2).rand(2, 11, 13).astype('float32'))
        pooled = superpixel_pool(self.features, self.labels, n)
        largest = superpixel_pool(self.features, self.labels, n, 'max')
        resized = superpixel_pool(self.features, fine, n, resize='bilinear')
        weighted = superpixel_pool(self.features, self.labels, n, pixel_weights=weights)
        cases = [
            ({'GpuSuperpixelPool'}, pooled),
            ({'GpuSuperpixelUnpool'}, superpixel_unpool(on_device(np.ones((2, 5, 7), 'float32')), self.labels)),
            ({'GpuSuperpixelSizes'}, superpixel_sizes(self.labels, n)),
            ({'GpuSuperpixelExtremum', 'GpuPutPixels'}, T.grad(T.sqr(largest).sum(), self.features)),
            ({'GpuSuperpixelExtremum', 'GpuTakePixels'}, T.Rop(largest, self.features, self.features)),
            ({'GpuSuperpixelOverlapPool', 'GpuSuperpixelOverlapUnpool'}, T.grad(T.sqr(resized).sum(), self.features)),
            ({'GpuSuperpixelOverlap'}, superpixel_overlap(fine, n, (11, 13))),
            ({'GpuWeightedPool', 'GpuWeightedUnpool'}, T.grad(T.sqr(weighted).sum(), self.features)),
            ({'GpuWeightedPool', 'GpuPixelDot', 'GpuSuperpixelUnpool'}, T.grad(T.sqr(weighted).sum(), weights)),
            ({'GpuSuperpixelPool', 'GpuSuperpixelUnpool', 'GpuSuperpixelSizes'},
             T.grad(superpixel_pool(self.features, self.labels, n, 'std').sum(), self.features)),
            ({'GpuSuperpixelExtremum', 'GpuSuperpixelPool'},
             superpixel_pool(self.features, self.labels, n, 'logsumexp')),
            ({'GpuSuperpixelExtremum', 'GpuSuperpixelUnpool'}, superpixel_softmax(self.features, self.labels, n)),
            ({'GpuSuperpixelPool', 'GpuSuperpixelUnpool'}, superpixel_normalize(self.features, self.labels, n))]
        for optimizer in ('fast_run', 'fast_compile'):
            for names, result in cases:
                function = theano.function([n], result.transfer(None), mode=graph_mode(optimizer),
                                           on_unused_input='ignore')
                self.assertLessEqual(names, {type(op).__name__ for op in gpu_ops(function)})
                self.assertEqual(transfers(function), (0, 0), names)

    def test_every_op_on_the_cpu_has_one_on_the_device(self):
        def without_subclasses(op):
            return {op} if not op.__subclasses__() else set().union(*map(without_subclasses, op.__subclasses__()))

        self.assertEqual({gpu_op.cpu_op for gpu_op in GpuVersion.__subclasses__()}, without_subclasses(ExternalC))

    def test_the_old_and_the_new_pass_both_bring_them_there(self):
        for other in ('gpuarray_graph_optimization', 'gpuarray_local_optimiziations'):
            mode = theano.compile.mode.get_mode('FAST_RUN').excluding(other)
            function = theano.function([], superpixel_pool(self.features, self.labels, 7), mode=mode)
            self.assertEqual([type(op).__name__ for op in gpu_ops(function)], ['GpuSuperpixelPool'])

    def test_between_convolution_pooling_loss_and_gradient_nothing_leaves_the_device(self):
        pooled = superpixel_pool(T.nnet.conv2d(self.features, self.filters, border_mode='half'), self.labels, 7)
        painted = superpixel_unpool(T.tanh(pooled), self.labels, 'mean')
        loss = T.sqr(painted).sum()
        gradient = T.grad(loss, self.filters)
        function = theano.function([], [loss.transfer(None), gradient.transfer(None)],
                                   updates=[(self.filters, self.filters - np.float32(.1) * gradient)],
                                   mode=graph_mode())
        self.assertEqual(transfers(function), (0, 0))
        names = [type(op).__name__ for op in gpu_ops(function)]
        self.assertEqual(sorted(names), ['GpuSuperpixelPool'] * 2 + ['GpuSuperpixelUnpool'] * 2)

    def test_no_op_is_left_on_the_cpu(self):
        with theano.change_flags(assert_no_cpu_op='raise'):
            gradient = T.grad(T.sqr(superpixel_pool(self.features, self.labels, 7)).sum(), self.features)
            theano.function([], gradient.transfer(None))()

    def test_the_number_of_superpixels_stays_on_the_host_and_is_an_input_of_one_function(self):
        n = T.iscalar()
        function = theano.function([n], superpixel_pool(self.features, self.labels, n).transfer(None))
        self.assertEqual(transfers(function), (0, 0))
        for number in (7, 9, 300):
            self.assertEqual(function(number).shape, (2, 5, number))

    def test_the_gradient_equals_that_on_the_cpu(self):
        rng = np.random.RandomState(1)
        upstream = rng.randn(2, 5, 7).astype('float32')
        for mode in ('mean', 'sum'):
            cost = (superpixel_pool(self.features, self.labels, 7, mode) * upstream).sum()
            gradient = T.grad(cost, self.features)
            actual, expected = [np.asarray(theano.function([], gradient, mode=how)()) for how in (None, ON_CPU)]
            np.testing.assert_array_equal(actual, expected)


class OpTest(unittest.TestCase):

    def test_equal_ops_are_equal_and_others_are_not(self):
        mean, again, total = [GpuSuperpixelPool(SuperpixelPool(mode)) for mode in ('mean', 'mean', 'sum')]
        self.assertEqual(mean, again)
        self.assertEqual(hash(mean), hash(again))
        self.assertNotEqual(mean, total)
        self.assertNotEqual(mean, GpuSuperpixelUnpool(SuperpixelUnpool('mean')))
        self.assertEqual(str(mean), "GpuSuperpixelPool{mode='mean'}")

    def test_a_pickle_a_copy_and_a_deep_copy_compute_the_same(self):
        features, labels = T.ftensor4(), T.itensor3()
        op = GpuSuperpixelPool(SuperpixelPool('sum'))
        values = np.arange(24, dtype='float32').reshape(1, 2, 3, 4), np.array([[[0, 0, 1, 1]] * 3], 'int32')
        for other in (pickle.loads(pickle.dumps(op)), copy.copy(op), copy.deepcopy(op)):
            self.assertEqual(op, other)
            function = theano.function([features, labels], other(features, labels, 2))
            np.testing.assert_array_equal(function(*values), [[[27, 39], [99, 111]]])
        self.assertNotIn(b'#kernel', pickle.dumps(op))

    def test_a_compiled_function_can_be_pickled(self):
        features, labels = T.ftensor4(), T.itensor3()
        function = theano.function([features, labels], superpixel_pool(features, labels, 2))
        loaded = pickle.loads(pickle.dumps(function))
        self.assertEqual(len(gpu_ops(loaded)), 1)
        np.testing.assert_array_equal(loaded(np.ones((1, 1, 2, 2), 'float32'), np.array([[[0, 1], [1, 1]]], 'int32')),
                                      [[[1, 1]]])

    def test_one_op_serves_two_dtypes(self):
        op = GpuSuperpixelPool(SuperpixelPool('mean'))
        for dtype in ('float32', 'float64', 'float32'):
            for label_dtype in ('int32', 'uint8'):
                features, labels = T.TensorType(dtype, (False,) * 4)(), T.TensorType(label_dtype, (False,) * 3)()
                pooled = theano.function([features, labels], op(features, labels, 2))(
                    np.array([[[[.1, .2, .4]]]], dtype), np.array([[[0, 0, 1]]], label_dtype))
                self.assertEqual(pooled.dtype, dtype)
                np.testing.assert_allclose(pooled, [[[.15, .4]]], rtol=1e-15 if dtype == 'float64' else 1e-7)

    def test_strides_and_offsets_of_arrays_on_the_device_are_honoured(self):
        rng = np.random.RandomState(0)
        for spatial in ((5, 7), (3, 2, 5)):
            labels, features = regions_map(rng, (2,) + spatial, 6), rng.randn(2, 3, *spatial)
            x, m, y = [GpuArrayType(dtype, (False,) * ndim)() for dtype, ndim in (
                ('float64', 2 + len(spatial)), ('int32', 1 + len(spatial)), ('float64', 3))]
            pool = theano.function([x, m], superpixel_pool(x, m, 6).transfer(None))
            unpool = theano.function([y, m], superpixel_unpool(y, m, 'mean').transfer(None))
            features, labels = to_device(features), to_device(labels)
            expected = pool(features, labels)
            painted = unpool(expected, labels)
            for name, given in device_layouts(features):
                np.testing.assert_array_equal(pool(given, labels), expected, name)
            for name, given in device_layouts(labels):
                np.testing.assert_array_equal(pool(features, given), expected, name)
                np.testing.assert_array_equal(unpool(expected, given), painted, name)
            for name, given in device_layouts(expected):
                np.testing.assert_array_equal(unpool(given, labels), painted, name)

    def test_the_bits_are_the_same_in_every_run(self):
        rng = np.random.RandomState(0)
        features, labels = on_device(rng.randn(2, 9, 97, 101).astype('float32')), on_device(
            rng.randint(-1, 30, (2, 97, 101)).astype('int32'))
        function = theano.function([], superpixel_pool(features, labels, 30))
        first = np.asarray(function())
        for _ in range(5):
            np.testing.assert_array_equal(function(), first)

    def test_each_of_two_devices_has_kernels_of_its_own(self):
        printed = run_python("""
import numpy as np, pygpu, theano
from theano.gpuarray.type import reg_context
from theano_spp import superpixel_pool
for device in 'first', 'second':
    reg_context(device, pygpu.init(theano.config.device))
for device in 'first', 'second', 'first':
    features = theano.shared(np.arange(24, dtype='float32').reshape(1, 2, 3, 4), target=device)
    labels = theano.shared(np.zeros((1, 3, 4), 'int32'), target=device)
    function = theano.function([], superpixel_pool(features, labels, 1))
    print(type(function.maker.fgraph.outputs[0].owner.inputs[0].owner.op).__name__, np.asarray(function()).ravel())
""")
        self.assertEqual(printed.splitlines()[-3:], ['GpuSuperpixelPool [ 5.5 17.5]'] * 3)


class CacheTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def compiled(self, code):
        return int(run_python(COUNT + code + TELL, {'base_compiledir': self.folder}).splitlines()[-1])

    def test_a_second_process_compiles_nothing_and_the_modes_share_what_is_compiled(self):
        code = ('for mode in "mean", "sum":\n'
                '    theano.function([x, m], superpixel_pool(x, m, 3, mode))\n'
                '    theano.function([p, m], superpixel_unpool(p, m, mode))\n')
        self.assertEqual(self.compiled(code), 4)  # two ops, and what each of them wants to know of labels
        self.assertEqual(self.compiled(code), 0)
