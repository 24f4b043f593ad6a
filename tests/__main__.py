"""Runs the tests under nose: `python -m tests`, or `python -m tests tests/theano_spp/test_values.py -x` for a part of them.

Arguments are nose's own. The exit status is 0 only if nothing failed.
"""
import os
import sys

from tests import precompiled_headers

HERE = os.path.dirname(os.path.abspath(__file__))
# Compiled code and settings of its own: what is in the user's ~/.theano, ~/.theanorc and ~/.keras can neither help a
# test nor be harmed by one.
OWN_FOLDER = os.path.join(os.path.dirname(HERE), '.theano_test')

# All this before theano is imported. What the caller set comes last, because Theano takes the last value of a flag.
HEADERS = os.path.join(OWN_FOLDER, 'headers-{}.{}'.format(*sys.version_info))
os.environ['THEANO_FLAGS'] = "base_compiledir='{}',device=cpu,{}{}".format(
    OWN_FOLDER, precompiled_headers.theano_flags(HEADERS), os.environ.get('THEANO_FLAGS', ''))
os.environ['THEANORC'] = os.devnull
os.environ['KERAS_HOME'] = os.path.join(OWN_FOLDER, 'keras')
os.environ['KERAS_BACKEND'] = 'theano'
os.environ['POCL_CACHE_DIR'] = os.path.join(OWN_FOLDER, 'pocl')

# Imports theano, and first of all applies the legacy bridge, which nose needs on Python 3.10 and 3.11.
import theano_spp  # noqa: F401, E402
import nose  # noqa: E402
import theano  # noqa: E402
from nose.plugins import Plugin  # noqa: E402
from nose.plugins.skip import SkipTest  # noqa: E402


class Tally(Plugin):
    """Counts outcomes. nose's own result counts an import error as a test run, and a failed set-up as none."""

    enabled = True
    # Before nose's own plugins, which end the round of calls once they have dealt with a skipped test.
    score = 10000

    def __init__(self):
        super(Tally, self).__init__()
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
    precompiled_headers.precompile(HEADERS)
    tally = Tally()
    good = nose.run(argv=['tests'] + arguments, defaultTest=HERE, addplugins=[tally])
    print(tally)
    if tally.passed + tally.failed + tally.skipped == 0:
        print('No test was found: are the names right? Folders and files are looked for from where you are.')
        return 1
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
