"""Several compilers at a time."""
import os
import shutil
import stat
import tempfile
import unittest

from tests.processes import run_python

FUNCTION = '''
from theano_spp import compile_in_parallel
import theano, theano.tensor as T, numpy as np
x = T.dmatrix()
def computed():
    return theano.function([x], [T.exp(x), x.sum(axis=1), x.max(axis=0)])(np.arange(6).reshape(2, 3))
'''

# A compiler of which the first waits for a second one: one after the other would end in the error.
NEVER_ALONE = '''#!/bin/sh
cd {folder}
case "$*" in *theano-modules-*)
    if mkdir first 2>/dev/null; then
        timeout 60 cat meeting || {{ echo 'error: nobody came' >&2; exit 1; }}
    elif mkdir second 2>/dev/null; then
        timeout 60 sh -c "echo >meeting"
    fi;;
esac
exec g++ "$@"
'''


class ParallelCompilationTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def run_python(self, code, **flags):
        return run_python(code, dict(flags, base_compiledir=os.path.join(self.folder, 'compiled')))

    def test_two_compilers_run_at_a_time_and_results_are_those_of_one(self):
        compiler = os.path.join(self.folder, 'compiler')
        with open(compiler, 'w') as script:
            script.write(NEVER_ALONE.format(folder=self.folder))
        os.chmod(compiler, stat.S_IRWXU)
        os.mkfifo(os.path.join(self.folder, 'meeting'))
        alone = run_python(FUNCTION + 'print(computed())')
        self.run_python('import theano_spp')
        self.assertEqual(self.run_python(FUNCTION + 'compile_in_parallel(2); compile_in_parallel(3); print(computed())',
                                         cxx=compiler), alone)

    def test_each_module_is_compiled_once_and_a_later_process_takes_what_was_compiled(self):
        code = FUNCTION + '''
from theano.gof import cmodule
commands, run_command = [], cmodule.output_subprocess_Popen
def count(command, **named):
    commands.extend(word for word in command if word.endswith('.so') and '/m' in word)
    return run_command(command, **named)
cmodule.output_subprocess_Popen = count
compile_in_parallel()
import glob
before = glob.glob(theano.config.compiledir + '/*/m*.so')
computed(), computed()
print(len(commands), len(glob.glob(theano.config.compiledir + '/*/m*.so')) - len(before))
'''
        n_commands, n_modules = map(int, self.run_python(code).split())
        self.assertEqual(n_commands, n_modules)
        self.assertGreater(n_modules, 2)
        self.assertEqual(self.run_python(code), '0 0\n')

    def test_code_that_does_not_compile_is_theanos_own_error(self):
        said = self.run_python(FUNCTION + '''
class Broken(theano.gof.Op):
    __props__ = ()
    def make_node(self, x):
        return theano.gof.Apply(self, [x], [x.type()])
    def c_code(self, node, name, inputs, outputs, sub):
        return 'undeclared_name;'
    def c_code_cache_version(self):
        return 1,
compile_in_parallel()
for _ in range(2):
    try:
        theano.function([x], Broken()(x))
    except Exception as error:
        print(type(error).__name__, 'undeclared_name' in str(error))
''')
        self.assertEqual([line for line in said.splitlines() if line.startswith('Exception')], ['Exception True'] * 2)
