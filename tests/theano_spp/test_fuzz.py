"""Generated inputs for every op; ``make fuzz`` goes on with others."""
import unittest

from tests import fuzz


class FuzzTest(unittest.TestCase):

    def test_every_op_equals_an_independent_truth_in_generated_cases(self):
        for dtype in 'float32', 'float64':
            ops = fuzz.Ops(dtype)
            for number in range(150):
                case = fuzz.Case(number, dtype)
                try:
                    fuzz.check(case, ops(case))
                except AssertionError as error:
                    self.fail('{}. Again: python -m tests.fuzz --case {} --dtype {}'.format(error, number, dtype))
