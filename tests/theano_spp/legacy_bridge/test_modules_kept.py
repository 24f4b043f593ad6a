"""A second process compiles nothing again."""
import shutil
import tempfile
import unittest

from tests.theano_spp.legacy_bridge import LOAD, WITHOUT
from tests.processes import run_python

# DimShuffle has its code in a file, Alloc and Dot22 have no properties.
CODE = """
import theano, theano.tensor as T
from theano.gof import cmodule
run_command, compiled = cmodule.output_subprocess_Popen, []
def count(command, **named):
    compiled.extend(word for word in command if word.endswith('.so'))
    return run_command(command, **named)
cmodule.output_subprocess_Popen = count
x, n = T.matrix(), T.iscalar()
f = theano.function([x, n], [T.dot(x, x.T), T.alloc(x, n, 2, 3)])
numbers = [[1, 2, 3], [4, 5, 6]]
assert [value.tolist() for value in f(numbers, 2)] == [[[14, 32], [32, 77]], [numbers, numbers]]
print(len(compiled))
"""


class ModulesKeptTest(unittest.TestCase):

    def compiled_by_the_second_of_two_processes(self, without):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        for _ in range(2):
            printed = run_python(LOAD + WITHOUT.format(without.split()) + CODE, {'base_compiledir': folder})
        return int(printed)

    def test_the_second_of_two_processes_compiles_nothing(self):
        self.assertEqual(self.compiled_by_the_second_of_two_processes(without=''), 0)

    def test_without_one_of_them_it_compiles_again(self):
        for bridge in 'version_of_code', 'version_without_properties':
            self.assertGreater(self.compiled_by_the_second_of_two_processes(without=bridge), 0, bridge)
