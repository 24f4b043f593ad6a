"""Runs tests under nose in one process, whose environment has been prepared before this is imported."""
import os

# Imports theano, and first of all applies the legacy bridge, which nose needs on Python 3.10 and later.
import theano_spp  # noqa: F401
import nose
import theano
from nose.plugins import Plugin
from nose.plugins.skip import SkipTest
from theano.gof.vm import VM_Linker

from tests import environment, precompiled_headers, shared_modules
from tests.theano_in_python import TheanoInPython
from tests.theano_unoptimized import compile_theano_unoptimized

#: Their networks are so large, or their graphs so few, that C pays.
IN_C = 'examples', 'spn'


class Tally(Plugin):
    """Counts outcomes. nose's own result counts an import error as one test run, and a failed set-up as no test."""

    enabled = True
    # Before nose's own plugins, which end the round of calls once they have dealt with a skipped test.
    score = 10000

    def __init__(self):
        super().__init__()
        self.passed = self.failed = self.skipped = 0

    def options(self, parser, env):
        pass

    def configure(self, options, conf):
        pass

    def addSuccess(self, test):
        self.passed += 1

    def addFailure(self, test, err):
        self.failed += 1

    def addError(self, test, err):
        if isinstance(err[0], type) and issubclass(err[0], SkipTest):
            self.skipped += 1
        else:
            self.failed += 1


def compile_as_theano_does():
    """From now on ``compile_in_parallel()``, which commands of spn call, does nothing in this process.

    Its compilers would compile what NumPy computes in tests. Its own tests have processes of their own.
    """
    make_all = VM_Linker.make_all

    def make_all_of_theano(*arguments, **named):
        return make_all(*arguments, **named)

    make_all_of_theano.compilers = None
    VM_Linker.make_all = make_all_of_theano


class Runner:
    """Runs tests, after what is done once in a process."""

    def __init__(self):
        precompiled_headers.precompile()
        compile_as_theano_does()
        shared_modules.share(os.path.join(os.environ['THEANO_SPP_TESTS_FOLDER'], 'modules'))
        compile_theano_unoptimized()
        self.theano_in_python = TheanoInPython()

    def run(self, arguments):
        """Run what nose finds under these names, with these options.

        Returns
        -------
        passed, failed, skipped : int
        """
        tally = Tally()
        self.theano_in_python.wanted = not any(_is_in(folder, name) for name in arguments for folder in IN_C)
        good = nose.run(argv=['tests'] + arguments, defaultTest=environment.HERE, addplugins=[tally])
        # nose alone knows of some failures, such as that of a name.
        return tally.passed, tally.failed or int(not good), tally.skipped


def needs_a_gpu(name):
    """Whether these are tests on a GPU, and Theano runs on none."""
    return theano.config.device == 'cpu' and _is_in('gpuarray', name)


def _is_in(folder, name):
    path, folder = os.path.abspath(name), os.path.join(environment.HERE, folder)
    return path == folder or path.startswith(folder + os.sep)
