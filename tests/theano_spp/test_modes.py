"""The ops in every mode of Theano, with and without a C compiler, with any number of threads."""
import unittest

import numpy as np
import theano
import theano.tensor as T
from theano.compile.debugmode import DebugMode

from tests.label_maps import random_map
from tests.numeric import exact_extremum, exact_pool, exact_resize, exact_unpool
from tests.processes import run_python
from tests.threads import digests_of_results
from theano_spp import (SuperpixelExtremum, SuperpixelPool, SuperpixelUnpool, superpixel_overlap, superpixel_pool,
                        superpixel_sizes, superpixel_unpool)
from theano_spp.ops.resized import SuperpixelOverlapPool


class ModeTest(unittest.TestCase):

    def check(self, mode):
        rng = np.random.RandomState(0)
        features, labels = rng.randn(2, 3, 5, 7), random_map(rng, (2, 5, 7), 6)
        x, m = T.dtensor4(), T.itensor3()
        for pooling, unpooling in (('mean', 'sum'), ('sum', 'mean')):
            pooled = superpixel_pool(x, m, mode=pooling)
            function = theano.function([x, m], [pooled, superpixel_unpool(pooled, m, unpooling), superpixel_sizes(m)],
                                       mode=mode)
            values, painted, sizes = function(features, labels)
            expected = exact_pool(features, labels, 6, pooling)
            np.testing.assert_allclose(values, expected, rtol=1e-12)
            np.testing.assert_allclose(painted, exact_unpool(expected, labels, unpooling), rtol=1e-12)
            np.testing.assert_array_equal(sizes, exact_pool(np.ones((2, 1, 5, 7)), labels, 6, 'sum')[:, 0])
        self.check_extremum_and_resize(mode)

    def check_extremum_and_resize(self, mode):
        rng = np.random.RandomState(0)
        features, cells, labels = rng.randn(2, 3, 5, 7), rng.randn(2, 3, 2, 3), random_map(rng, (2, 5, 7), 6)
        x, y, m = T.dtensor4(), T.dtensor4(), T.itensor3()
        largest, resized = superpixel_pool(x, m, mode='max'), superpixel_pool(y, m, resize='bilinear')
        function = theano.function([x, y, m], [
            largest, T.grad(T.sum(largest), x), resized, T.grad(T.sum(resized ** 2), y),
            T.cast(superpixel_overlap(m, 6, (2, 3), 'bilinear'), 'float64')], mode=mode)
        values = function(features, cells, labels)
        pooled, argmax = exact_extremum(features, labels, 6, 'max')
        np.testing.assert_array_equal(values[0], pooled)
        np.testing.assert_array_equal(np.sort(np.flatnonzero(values[1].reshape(6, 35)[0])), np.unique(argmax[0, 0]))
        means = exact_pool(exact_resize(cells, (5, 7), 'bilinear'), labels, 6, 'mean')
        np.testing.assert_allclose(values[2], means, rtol=1e-12)
        np.testing.assert_allclose(np.einsum('bnyx,bcn->bcyx', values[4], 2 * means), values[3], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.einsum('bnyx,bcyx->bcn', values[4], cells), means, rtol=1e-5, atol=1e-6)

    def test_fast_run_gives_the_right_values(self):
        self.check('FAST_RUN')

    def test_fast_compile_gives_the_right_values(self):
        self.check('FAST_COMPILE')

    def test_debug_mode_finds_nothing(self):
        self.check(DebugMode(stability_patience=2))

    def test_the_c_linker_puts_all_ops_into_one_file(self):
        self.check(theano.Mode(linker='c', optimizer='fast_run'))

    def test_the_python_linker_gives_the_right_values(self):
        self.check(theano.Mode(linker='py', optimizer='fast_run'))

    def test_without_a_compiler_the_values_are_the_same(self):
        printed = run_python('''
from theano_spp import superpixel_pool, superpixel_unpool, superpixel_sizes
import theano, theano.tensor as T
assert not theano.config.cxx
x, m = T.dtensor4(), T.itensor3()
pooled = superpixel_pool(x, m)
f = theano.function([x, m], [pooled, superpixel_unpool(pooled, m), superpixel_sizes(m)])
for values in f([[[[.1, .2], [.3, .4]]]], [[[0, 0], [1, 2]]]):
    print(values.round(3).tolist())
''', {'cxx': ''})
        self.assertEqual(printed.split('\n')[:3], [
            '[[[0.15, 0.3, 0.4]]]', '[[[[0.15, 0.15], [0.3, 0.4]]]]', '[[2, 1, 1]]'])


class ThreadTest(unittest.TestCase):

    def functions(self, dtype, openmp):
        x, m = T.TensorType(dtype, (False,) * 4)(), T.itensor3()
        pooled = SuperpixelPool(openmp=openmp)(x, m, 40)
        largest = SuperpixelExtremum('max', openmp=openmp)(x, m, 40)[0]
        whole = theano.function([x, m], [pooled, SuperpixelUnpool('mean', openmp=openmp)(pooled, m), largest,
                                         T.grad(T.sum(largest ** 2), x)])
        resized = SuperpixelOverlapPool('mean', 'bilinear', openmp)(x, m, 700)
        mixed = SuperpixelExtremum('min', 'bilinear', openmp=openmp)(x, m, 700)[0]
        return whole, theano.function([x, m], [resized, mixed, T.Rop(mixed, x, x ** 2)]
                                      + [T.grad(T.sum(y ** 2), x) for y in (resized, mixed)])

    def test_one_to_four_threads_and_none_at_all_give_the_same_bits(self):
        # Every parallel loop must run: features, maps and work are large enough for several threads.
        for dtype in 'float32', 'float64':
            (whole, resized), (whole_without, resized_without) = [self.functions(dtype, openmp)
                                                                  for openmp in (True, False)]
            rng = np.random.RandomState(0)
            for batch, channels, height, last in ((1, 5, 61, False), (1, 67, 61, True), (3, 21, 61, False),
                                                  (2, 64, 61, True), (1, 2, 8009, False), (2, 2, 8009, True)):
                features = rng.randn(batch, channels, height, 67).astype(dtype)  # the last two in several chunks
                if last:
                    features = np.ascontiguousarray(features.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
                labels = np.repeat(rng.randint(-1, 40, (batch, height, 12)), 6, axis=2)[:, :, :67].astype('int32')
                self.assertEqual(len(digests_of_results(whole, whole_without, features, labels)), 1)
            labels = rng.randint(-1, 700, (3, 29, 60)).repeat(10, axis=1).repeat(6, axis=2).astype('int32')
            features = rng.randn(3, 67, 45, 47).astype(dtype)
            self.assertEqual(len(digests_of_results(resized, resized_without, features, labels)), 1)

    def test_with_threads_the_first_bad_label_of_the_batch_is_named(self):
        x, m = T.ftensor4(), T.itensor3()
        function = theano.function([x, m], SuperpixelPool(openmp=True)(x, m, 3))
        labels = np.zeros((8, 200, 200), 'int32')
        labels[3:, 150, 7:] = 9
        for _ in range(20):
            with self.assertRaises(IndexError) as caught:
                function(np.ones((8, 1, 200, 200), 'float32'), labels)
            self.assertIn('superpixel_map[3, 150, 7] is 9', str(caught.exception))

    def test_threads_are_really_used_when_asked_for(self):
        printed = run_python('''
from theano_spp import SuperpixelPool
import os, numpy as np, theano, theano.tensor as T
x, m = T.ftensor4(), T.itensor3()
f = theano.function([x, m], SuperpixelPool(openmp=True)(x, m, 3))
before = len(os.listdir('/proc/self/task'))
f(np.ones((2, 16, 100, 100), 'float32'), np.zeros((2, 100, 100), 'int32'))
print(len(os.listdir('/proc/self/task')) - before)
''', OMP_NUM_THREADS='3')
        self.assertEqual(printed.strip(), '2')

    def test_threads_are_off_unless_asked_for_and_the_flag_asks_for_all(self):
        self.assertFalse(SuperpixelPool().openmp)
        self.assertTrue(SuperpixelPool(openmp=True).openmp)
        printed = run_python('from theano_spp import *; print(SuperpixelPool().openmp, SuperpixelUnpool().openmp,'
                             ' SuperpixelPool(openmp=False).openmp)', {'openmp': 'True'})
        self.assertEqual(printed.strip(), 'True True False')

    def test_the_gradient_uses_threads_as_the_op_does(self):
        x, m = T.dtensor4(), T.itensor3()
        for openmp in (True, False):
            gradient = T.grad(T.sum(SuperpixelPool(openmp=openmp)(x, m, 3)), x)
            self.assertEqual([v.owner.op.openmp for v in theano.gof.graph.ancestors([gradient])
                              if v.owner and isinstance(v.owner.op, SuperpixelUnpool)], [openmp])
        pooled = T.dtensor3()
        gradient = T.grad(T.sum(SuperpixelUnpool(openmp=True)(pooled, m)), pooled)
        self.assertTrue(any(v.owner and isinstance(v.owner.op, SuperpixelPool) and v.owner.op.openmp
                            for v in theano.gof.graph.ancestors([gradient])))
