"""Several compilers at a time, and headers that are compiled once for many modules."""
import os
import shutil
import stat
import tempfile
import unittest

from tests.processes import run_python
from theano_spp.precompiled_headers import PrecompiledHeaders

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


# A compiler that keeps what it reads: a line with an exclamation mark is a precompiled header.
TELLS_WHAT_IT_READS = '''#!/bin/sh
exec g++ -H "$@" 2>>{folder}/read
'''


class ParallelCompilationTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def run_python(self, code, **flags):
        return run_python(code, dict(flags, base_compiledir=os.path.join(self.folder, 'compiled')))

    def compiler(self, code):
        path = os.path.join(self.folder, 'compiler')
        with open(path, 'w') as script:
            script.write(code.format(folder=self.folder))
        os.chmod(path, stat.S_IRWXU)
        return path

    def test_two_compilers_run_at_a_time_and_results_are_those_of_one(self):
        compiler = self.compiler(NEVER_ALONE)
        os.mkfifo(os.path.join(self.folder, 'meeting'))
        alone = run_python(FUNCTION + 'print(computed())')
        self.run_python('import theano_spp')
        self.assertEqual(self.run_python(FUNCTION + 'compile_in_parallel(2); compile_in_parallel(3); print(computed())',
                                         cxx=compiler), alone)

    def test_modules_take_headers_that_are_compiled_once_and_results_are_those_without(self):
        alone = run_python(FUNCTION + 'print(computed())')
        self.assertEqual(self.run_python(FUNCTION + 'compile_in_parallel(1); print(computed())',
                                         cxx=self.compiler(TELLS_WHAT_IT_READS), **{'gcc.cxxflags': '-g'}), alone)
        with open(os.path.join(self.folder, 'read')) as read:
            taken = [line for line in read if line.startswith('! ')]
        self.assertTrue(taken)
        self.assertEqual(len(set(taken)), 1)
        self.assertTrue(taken[0].endswith('.h.gch\n'))

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

    def test_what_a_killed_process_left_is_removed_by_the_next_and_that_of_one_that_lives_is_not(self):
        said = self.run_python(FUNCTION + """
import os, signal, tempfile, time
tempfile.tempdir = %r
def start(then):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        compile_in_parallel(1)
        os.write(writer, b'.')
        then()
    os.read(reader, 1)
    return pid
killed, alive = start(signal.pause), start(signal.pause)
os.kill(killed, signal.SIGKILL)
os.waitpid(killed, 0)
print(len(os.listdir(tempfile.tempdir)))
third = start(signal.pause)
print(len(os.listdir(tempfile.tempdir)))
for pid in alive, third:
    os.kill(pid, signal.SIGKILL)
""" % tempfile.mkdtemp(dir=self.folder))
        self.assertEqual(said.splitlines()[-2:], ['2', '2'])  # the second alive, and the third in place of the first

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


class PrecompiledHeadersTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.commands = []
        self.status = 0
        self.headers = PrecompiledHeaders(self.folder, self.run_command)

    def run_command(self, command):
        self.commands.append(command)
        return b'', b'', self.status

    def command(self, name, *flags):
        files = ['-Iincluded', '-L/libraries', '-o', name + '.so', name + '.cpp', '-lm']
        return ['g++', '-shared'] + list(flags) + files

    def test_flags_have_a_header_when_they_come_for_the_second_time_and_other_flags_have_another(self):
        first, second, third = [self.headers.add_to(self.command(name, '-O3')) for name in 'abc']
        other = self.headers.add_to(self.command('d', '-O3', '-ffp-contract=off'))
        self.assertEqual((first, other), (self.command('a', '-O3'), self.command('d', '-O3', '-ffp-contract=off')))
        header = os.path.join(self.folder, 'for-flags-0.h')
        self.assertEqual(self.commands, [
            ['g++', '-O3', '-Iincluded', '-x', 'c++-header', header, '-o', header + '.gch']])
        self.assertEqual(second, ['g++', '-include', header] + self.command('b', '-O3')[1:])
        self.assertEqual(third, ['g++', '-include', header] + self.command('c', '-O3')[1:])
        another = self.headers.add_to(self.command('e', '-O3', '-ffp-contract=off'))
        self.assertEqual(another[:3], ['g++', '-include', os.path.join(self.folder, 'for-flags-1.h')])
        with open(header) as text:
            self.assertIn('#include <numpy/arrayobject.h>', text.read())

    def test_a_compiler_that_cannot_compile_headers_is_asked_once_and_goes_without(self):
        self.status = 1
        for name in 'abcd':
            self.assertEqual(self.headers.add_to(self.command(name)), self.command(name))
        self.assertEqual(len(self.commands), 1)

    def test_a_folder_that_was_removed_is_no_error(self):
        self.headers.folder = os.path.join(self.folder, 'removed')
        for name in 'abc':
            self.assertEqual(self.headers.add_to(self.command(name)), self.command(name))
