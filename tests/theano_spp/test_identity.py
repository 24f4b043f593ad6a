"""What an op is equal to, how it is copied, pickled and subclassed."""
import copy
import os
import pickle
import shutil
import tempfile
import unittest

import numpy as np
import theano
import theano.tensor as T

from tests.processes import run_python
from theano_spp import SuperpixelExtremum, SuperpixelPool, SuperpixelUnpool, superpixel_pool
from theano_spp.ops.resized import SuperpixelOverlap, SuperpixelOverlapPool, SuperpixelOverlapUnpool
from theano_spp.ops.max_min import PutPixels, TakePixels
from theano_spp.ops.counts import SuperpixelSizes
from theano_spp.ops.weighted import PixelDot, WeightedPool, WeightedUnpool


def make_ops():
    return [SuperpixelPool('mean'), SuperpixelPool('sum'), SuperpixelUnpool('mean'), SuperpixelUnpool('sum'),
            SuperpixelSizes(), SuperpixelExtremum('max'), SuperpixelExtremum('min'),
            SuperpixelExtremum('max', 'nearest'),
            TakePixels(), TakePixels('bilinear'), PutPixels(), PutPixels('bilinear'),
            SuperpixelOverlap('mean', 'nearest', 'float32'), SuperpixelOverlap('sum', 'nearest', 'float32'),
            SuperpixelOverlap('sum', 'nearest', 'float64'), SuperpixelOverlapPool('mean', 'nearest'),
            SuperpixelOverlapPool('mean', 'bilinear'), SuperpixelOverlapUnpool('mean', 'nearest'),
            WeightedPool(), WeightedUnpool('float32'), WeightedUnpool('float64'), PixelDot()]


OPS = make_ops()


class IdentityTest(unittest.TestCase):

    def test_ops_are_equal_exactly_if_class_and_mode_are(self):
        for i, op in enumerate(OPS):
            for j, other in enumerate(make_ops()):
                self.assertEqual(op == other, i == j)
                self.assertEqual(hash(op) == hash(other), i == j)

    def test_two_equal_poolings_of_one_graph_are_computed_once(self):
        x, m = T.dtensor4(), T.itensor3()
        function = theano.function([x, m], superpixel_pool(x, m, 3) + superpixel_pool(x, m, 3))
        self.assertEqual(sum(isinstance(node.op, SuperpixelPool) for node in function.maker.fgraph.toposort()), 1)

    def test_copies_and_pickles_are_equal_and_compute(self):
        features, labels = np.array([[[[.1, .2], [.3, .4]]]]), np.array([[[0, 0], [1, 2]]], 'int32')
        for op in OPS:
            for other in (copy.copy(op), copy.deepcopy(op), pickle.loads(pickle.dumps(op))):
                self.assertEqual(other, op)
                self.assertEqual(str(other), str(op))
        again = pickle.loads(pickle.dumps(SuperpixelPool('mean', openmp=True)))
        self.assertTrue(again.openmp)
        x, m = T.dtensor4(), T.itensor3()
        function = theano.function([x, m], again(x, m, 3))
        np.testing.assert_allclose(function(features, labels), [[[.15, .3, .4]]])

    def test_the_name_in_a_graph_shows_class_and_mode(self):
        self.assertEqual(str(SuperpixelPool('mean')), "SuperpixelPool{mode='mean'}")
        self.assertEqual(str(SuperpixelUnpool('sum')), "SuperpixelUnpool{mode='sum'}")

    def test_a_pickle_carries_no_c_code(self):
        for op in OPS:
            self.assertNotIn(b'PyArrayObject', pickle.dumps(op))

    def test_a_pickled_function_computes_in_another_process(self):
        x, m = T.dtensor4(), T.itensor3()
        function = theano.function([x, m], superpixel_pool(x, m))
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, 'function.pkl')
        with open(path, 'wb') as stream:
            pickle.dump(function, stream)
        printed = run_python('''
import pickle, theano_spp
with open({!r}, 'rb') as stream:
    print(pickle.load(stream)([[[[.1, .2], [.3, .4]]]], [[[0, 0], [1, 2]]]).round(3).tolist())
'''.format(path))
        self.assertEqual(printed.strip(), '[[[0.15, 0.3, 0.4]]]')

    def test_a_subclass_in_another_folder_finds_the_c_code(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        with open(os.path.join(folder, 'elsewhere.py'), 'w') as stream:
            stream.write('from theano_spp import SuperpixelPool\n\n\nclass MyPool(SuperpixelPool):\n    pass\n')
        printed = run_python('''
import sys
sys.path.insert(0, '.')
import theano_spp, pickle, theano, theano.tensor as T
from elsewhere import MyPool
x, m = T.dtensor4(), T.itensor3()
f = theano.function([x, m], pickle.loads(pickle.dumps(MyPool()))(x, m, 3))
print(f([[[[.1, .2], [.3, .4]]]], [[[0, 0], [1, 2]]]).round(3).tolist())
''', folder=folder)
        self.assertEqual(printed.strip(), '[[[0.15, 0.3, 0.4]]]')
