"""Generated inputs for every op; ``make fuzz`` goes on with others."""
import unittest

from tests import fuzz


class FuzzTest(unittest.TestCase):

    def test_every_op_equals_an_independent_truth_in_generated_cases(self):
        for dtype in 'float32', 'float64':
            ops = fuzz.Ops(dtype)
            for number, shared in [(number, False) for number in range(150)] + [(number, True) for number in range(50)]:
                case = fuzz.Case(number, dtype, shared=shared)
                try:
                    fuzz.check(case, ops(case))
                except AssertionError as error:
                    self.fail('{}. Again: python -m tests.fuzz --case {} --dtype {}{}'.format(
                        error, number, dtype, ' --shared' if shared else ''))
