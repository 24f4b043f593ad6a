"""Gradients, second derivatives and the R operator, with random upstream gradients."""
import unittest

import numpy as np
import theano
import theano.tensor as T

from tests.label_maps import hard_maps
from theano_spp import superpixel_pool, superpixel_sizes, superpixel_unpool

MODES = ('mean', 'sum')


class GradientTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def verify(self, function, *points):
        # projects on random weights, so no upstream gradient is all ones
        T.verify_grad(function, list(points), n_tests=1, rng=self.rng)

    def test_the_gradient_of_pooling_equals_differences(self):
        for labels in (hard_maps()['random with none'], hard_maps()['islands with one label']):
            for mode in MODES:
                self.verify(lambda x: superpixel_pool(x, labels, 6, mode), self.rng.randn(2, 3, 5, 7))

    def test_the_gradient_of_unpooling_equals_differences(self):
        for labels in (hard_maps()['random with none'], hard_maps()['islands with one label']):
            for mode in MODES:
                self.verify(lambda y: superpixel_unpool(y, labels, mode), self.rng.randn(2, 3, 6))

    def test_the_gradient_holds_in_one_and_three_dimensions(self):
        labels = self.rng.randint(-1, 4, (2, 2, 3, 5))
        self.verify(lambda x: superpixel_pool(x, labels, 5), self.rng.randn(2, 3, 2, 3, 5))
        self.verify(lambda x: superpixel_pool(x, labels[:, 0, 0], 5), self.rng.randn(2, 3, 5))

    def test_the_second_derivative_equals_differences_of_the_first(self):
        labels = hard_maps()['random with none']

        def first_derivative(x):
            x = x * 1.
            return T.grad(T.sum(T.exp(superpixel_pool(x, labels, 6)) * T.arange(6)), x)

        def first_derivative_of_unpooling(y):
            y = y * 1.
            return T.grad(T.sum(T.exp(superpixel_unpool(y, labels, 'mean')) * T.arange(7)), y)

        self.verify(first_derivative, self.rng.randn(2, 3, 5, 7))
        self.verify(first_derivative_of_unpooling, self.rng.randn(2, 3, 6))

    def test_an_empty_superpixel_has_gradient_zero_even_for_a_nan_upstream(self):
        labels = np.array([[[0, 0], [2, -1]]])
        upstream = np.array([[[1., np.nan, 3.]]])
        x = T.constant(np.ones((1, 1, 2, 2)))
        for mode, expected in (('mean', [[.5, .5], [3, 0]]), ('sum', [[1, 1], [3, 0]])):
            gradient = T.grad(None, x, known_grads={superpixel_pool(x, labels, 3, mode): T.constant(upstream)})
            np.testing.assert_array_equal(gradient.eval(), [[expected]])

    def test_a_net_whose_labels_come_from_its_own_features_has_a_gradient(self):
        x = T.tensor4(dtype='float64')
        labels = T.cast(T.gt(x[:, 0], 0), 'int32')
        value = self.rng.randn(2, 3, 5, 7)
        gradient = T.grad(T.sum(superpixel_pool(x, labels, 2) ** 2), x).eval({x: value})
        fixed = (value[:, 0] > 0).astype('int32')
        self.verify(lambda x: T.sum(superpixel_pool(x, fixed, 2) ** 2), value)
        expected = T.grad(T.sum(superpixel_pool(x, fixed, 2) ** 2), x).eval({x: value})
        np.testing.assert_array_equal(gradient, expected)

    def test_labels_and_the_number_of_superpixels_are_disconnected(self):
        x, labels, n = T.tensor4(), T.itensor3(), T.lscalar()
        cost = T.sum(superpixel_pool(x, labels, n)) + T.sum(superpixel_unpool(superpixel_pool(x, labels), labels))
        for variable in (labels, n):
            with self.assertRaises(theano.gradient.DisconnectedInputError):
                T.grad(cost, variable)
        with self.assertRaises(theano.gradient.DisconnectedInputError):
            T.grad(T.sum(superpixel_sizes(labels, n)), labels)

    def test_the_gradient_keeps_the_type_of_a_broadcastable_input(self):
        labels = np.array([[[0, 1, 1]]])
        for pattern in ((True, True, True, False), (False, True, False, False), (True, False, False, False)):
            x = T.TensorType('float64', pattern)()
            gradient = T.grad(T.sum(superpixel_pool(x, labels, 2) ** 2), x)
            self.assertEqual(gradient.type, x.type)
            np.testing.assert_allclose(gradient.eval({x: np.array([[[[1., 2., 4.]]]])}), [[[[2, 3, 3]]]])

    def test_the_gradient_keeps_the_type_of_broadcastable_pooled_features(self):
        labels = T.itensor3()
        for pattern in ((True, True, True), (False, False, True), (True, False, False)):
            pooled = T.TensorType('float64', pattern)()
            gradient = T.grad(T.sum(superpixel_unpool(pooled, labels) ** 2), pooled)
            self.assertEqual(gradient.type, pooled.type)
            values = gradient.eval({pooled: [[[3.]]], labels: [[[0, 0, -1]]]})
            np.testing.assert_array_equal(values, [[[12]]])

    def test_one_superpixel_and_one_image_are_broadcastable_in_the_type(self):
        for one_image, labels in ((True, T.itensor3()), (False, T.TensorType('int32', (True, False, False))())):
            pooled = superpixel_pool(T.TensorType('float64', (one_image, False, False, False))(), labels, 1)
            self.assertEqual(pooled.broadcastable, (one_image, False, True))
            painted = superpixel_unpool(T.TensorType('float64', (one_image, False, False))(), labels)
            self.assertEqual(painted.broadcastable, (one_image, False, False, False))

    def test_a_jacobian_is_that_of_the_matrix(self):
        x, labels = T.dtensor4(), np.array([[[0, 0], [1, -1]]])
        jacobian = theano.gradient.jacobian(superpixel_pool(x, labels, 3).flatten(), x).eval({x: np.ones((1, 1, 2, 2))})
        np.testing.assert_array_equal(jacobian.reshape(3, 4), [[.5, .5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])

    def test_no_loop_is_in_the_graph_of_the_gradient(self):
        x, labels = T.tensor4(), T.itensor3()
        function = theano.function([x, labels], T.grad(T.sum(superpixel_pool(x, labels) ** 2), x))
        names = [type(node.op).__name__ for node in function.maker.fgraph.toposort()]
        self.assertEqual(names.count('SuperpixelPool'), 1)
        self.assertEqual(names.count('SuperpixelUnpool'), 1)
        self.assertNotIn('Scan', names)
        self.assertLess(len(names), 12)


class ROperatorTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.RandomState(0)

    def test_the_r_operator_equals_differences(self):
        labels = hard_maps()['random with none']
        for build, shape in ((lambda x, mode: superpixel_pool(x, labels, 6, mode), (2, 3, 5, 7)),
                             (lambda x, mode: superpixel_unpool(x, labels, mode), (2, 3, 6))):
            for mode in MODES:
                x, v = T.TensorType('float64', (False,) * len(shape))(), self.rng.randn(*shape)
                f = T.exp(build(x, mode))
                point, step = self.rng.randn(*shape), 1e-6
                value = theano.function([x], f)
                differences = (value(point + step * v) - value(point - step * v)) / (2 * step)
                np.testing.assert_allclose(T.Rop(f, x, T.constant(v)).eval({x: point}), differences,
                                           rtol=1e-6, atol=1e-7)

    def test_the_r_operator_of_an_input_without_a_point_is_none(self):
        x, labels = T.dtensor4(), T.itensor3()
        node = superpixel_pool(x, labels, 3).owner
        self.assertEqual(node.op.R_op(node.inputs, [None] * 3), [None])
        node = superpixel_unpool(T.dtensor3(), labels).owner
        self.assertEqual(node.op.R_op(node.inputs, [None] * 2), [None])
        node = superpixel_sizes(labels, 3).owner
        self.assertEqual(node.op.R_op(node.inputs, [None] * 2), [None])


class ShapeInferenceTest(unittest.TestCase):

    def test_shapes_are_known_without_computing_the_values(self):
        x, labels, pooled, n = T.dtensor4(), T.itensor3(), T.dtensor3(), T.lscalar()
        shape = (2, 3, 5, 7)
        for variable, inputs, values, expected in (
                (superpixel_pool(x, labels, n), [x, labels, n], [shape, 9], (2, 3, 9)),
                (superpixel_unpool(pooled, labels), [pooled, labels], [(2, 3, 6)], shape),
                (superpixel_sizes(labels, n), [labels, n], [9], (2, 9))):
            arguments = []
            for value in values:
                arguments.append(np.zeros(value) if isinstance(value, tuple) else value)
            arguments.insert(0 if inputs[0] is labels else 1, np.zeros((2, 5, 7), 'int32'))
            function = theano.function(inputs, variable.shape, on_unused_input='ignore')
            np.testing.assert_array_equal(function(*arguments), expected)
            self.assertNotIn('Superpixel', str(function.maker.fgraph))
