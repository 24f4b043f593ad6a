"""What is set before Theano is imported: compiled code and settings of the tests' own.

What is in the user's ~/.theano, ~/.theanorc and ~/.keras can neither help a test nor be harmed by one.
"""
import os
import sys

from tests import precompiled_headers

HERE = os.path.dirname(os.path.abspath(__file__))
OWN_FOLDER = os.path.join(os.path.dirname(HERE), '.theano_test')
HEADERS = os.path.join(OWN_FOLDER, 'headers-{}.{}'.format(*sys.version_info))


def prepare():
    """Set the environment of this process and of those it starts."""
    # The caller's flags come last, because Theano takes the last value of a flag.
    os.environ['THEANO_FLAGS'] = "base_compiledir='{}',device=cpu,gcc.cxxflags='{}',{}".format(
        OWN_FOLDER, precompiled_headers.compiler_flags(HEADERS), os.environ.get('THEANO_FLAGS', ''))
    os.environ['THEANORC'] = os.devnull
    os.environ['KERAS_HOME'] = os.path.join(OWN_FOLDER, 'keras')
    os.environ['KERAS_BACKEND'] = 'theano'
    os.environ['POCL_CACHE_DIR'] = os.path.join(OWN_FOLDER, 'pocl')


def precompile_headers():
    """Compile Theano's headers; Theano must have been imported."""
    precompiled_headers.precompile()
