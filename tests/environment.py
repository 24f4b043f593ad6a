"""What is set before Theano is imported: compiled code and settings of the tests' own.

What is in the user's ~/.theano, ~/.theanorc and ~/.keras can neither help a test nor be harmed by one.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def prepare(process=1):
    """Set the environment of this process and of those it starts.

    Parameters
    ----------
    process : int
        Processes that run tests at the same time have numbers: each compiles into a folder of its own, because Theano
        lets only one process at a time compile into a folder.
    """
    # Threads of one process that wait without sleeping, or a second thread for small arrays, would take the time of
    # the other processes.
    os.environ.setdefault('OMP_WAIT_POLICY', 'passive')
    os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
    import numpy  # now that its threads are chosen
    from tests import precompiled_headers

    folder = os.environ.setdefault('THEANO_SPP_TESTS_FOLDER', os.path.join(os.path.dirname(HERE), '.theano_test'))
    own_folder = os.path.join(folder, 'process-{}'.format(process))
    headers = os.path.join(folder, 'headers-{}.{}-numpy-{}'.format(*sys.version_info[:2] + (numpy.__version__,)))
    # The caller's flags come last, because Theano takes the last value of a flag.
    os.environ['THEANO_FLAGS'] = "base_compiledir='{}',device=cpu,gcc.cxxflags='{} {}',{}".format(
        own_folder, precompiled_headers.compiler_flags(headers), os.environ.get('THEANO_SPP_TESTS_CXXFLAGS', ''),
        os.environ.get('THEANO_FLAGS', ''))
    os.environ['THEANORC'] = os.devnull
    os.environ['KERAS_HOME'] = os.path.join(own_folder, 'keras')
    os.environ['KERAS_BACKEND'] = 'theano'
    os.environ['POCL_CACHE_DIR'] = os.path.join(folder, 'pocl')
