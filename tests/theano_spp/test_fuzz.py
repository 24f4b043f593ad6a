"""Generated inputs for every op; ``make fuzz`` goes on with others."""
import unittest

import numpy as np

from tests import fuzz
from tests.label_maps import hard_maps
from tests.numeric import exact_extremum, exact_pool, exact_resize, exact_unpool


class TruthTest(unittest.TestCase):

    def test_the_truth_for_large_images_equals_the_walks_over_pixels(self):
        rng = np.random.RandomState(0)
        features, pooled = rng.standard_normal((2, 3, 5, 7)), rng.standard_normal((2, 3, 6))
        features.flat[::9] = np.nan
        cells, whole = rng.standard_normal((2, 3, 2, 3)), np.nan_to_num(features)
        for name, labels in hard_maps().items():
            truth = fuzz.Truth(labels, 6)
            for mode in 'mean', 'sum':
                for actual, expected in [(truth.pool(fuzz.flat(whole), mode), exact_pool(whole, labels, 6, mode)),
                                         (truth.unpool(pooled, mode), fuzz.flat(exact_unpool(pooled, labels, mode)))]:
                    np.testing.assert_allclose(actual.astype(float), expected, rtol=1e-14, atol=1e-15, err_msg=name)
            for mode in 'max', 'min':
                for actual, expected in zip(truth.extremum(fuzz.flat(features), mode),
                                            exact_extremum(features, labels, 6, mode)):
                    np.testing.assert_array_equal(actual, expected, name)
        for kind in 'nearest', 'bilinear':
            resized = truth.resize(cells, kind)
            np.testing.assert_allclose(resized.astype(float), fuzz.flat(exact_resize(cells, (5, 7), kind)), rtol=1e-13)
            # The adjoint, by its definition.
            adjoint = truth.resize_adjoint(fuzz.flat(whole), (2, 3), kind)
            np.testing.assert_allclose(float((adjoint * fuzz.flat(cells)).sum()),
                                       float((resized * fuzz.flat(whole)).sum()), rtol=1e-13)


class FuzzTest(unittest.TestCase):

    def test_every_op_equals_an_independent_truth_in_generated_cases(self):
        for dtype in 'float32', 'float64':
            ops = fuzz.Ops(dtype)
            for number, shared in [(number, False) for number in range(75)] + [(number, True) for number in range(25)]:
                case = fuzz.Case(number, dtype, shared=shared)
                try:
                    fuzz.check(case, ops(case))
                except AssertionError as error:
                    self.fail('{}. Again: python -m tests.fuzz --case {} --dtype {}{}'.format(
                        error, number, dtype, ' --shared' if shared else ''))
