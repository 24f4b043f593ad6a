"""Runs the tests under nose: `python -m tests`, or `python -m tests tests/theano_spp/test_values.py -x` for a part of
them.

Arguments are nose's own. The exit status is 0 only if nothing failed.
"""
import os
import sys

from tests import environment

environment.prepare()

# Imports theano, and first of all applies the legacy bridge, which nose needs on Python 3.10 and later.
import theano_spp  # noqa: F401
import nose
import theano
from nose.plugins import Plugin
from nose.plugins.skip import SkipTest


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

    def wantDirectory(self, folder):
        # The tests on the GPU cannot be run without one.
        return False if os.path.basename(folder) == 'gpuarray' and theano.config.device == 'cpu' else None

    def addSuccess(self, test):
        self.passed += 1

    def addFailure(self, test, err):
        self.failed += 1

    def addError(self, test, err):
        if isinstance(err[0], type) and issubclass(err[0], SkipTest):
            self.skipped += 1
        else:
            self.failed += 1

    def __str__(self):
        return '{} passed, {} failed, {} skipped'.format(self.passed, self.failed, self.skipped)


def main(arguments):
    environment.precompile_headers()
    tally = Tally()
    good = nose.run(argv=['tests'] + arguments, defaultTest=environment.HERE, addplugins=[tally])
    print(tally)
    if tally.passed + tally.failed + tally.skipped == 0:
        print('No test was found: are the names right? Folders and files are looked for from where you are.')
        return 1
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
