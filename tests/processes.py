"""Python in a separate process, for what can be set only before Theano is imported."""
import os
import subprocess
import sys

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run_python(code, theano_flags=None, folder=None, **environment):
    """Run `code` and return what it prints.

    Parameters
    ----------
    code : str
    theano_flags : dict, optional
        Flags in addition to those of this process.
    folder : str, optional
        The working folder; the repository if None.
    environment : str
        Environment variables in addition to those of this process.

    Raises
    ------
    AssertionError
        With all that was printed, if the process fails.
    """
    flags = [os.environ.get('THEANO_FLAGS', '')]
    flags += ['%s=%s' % flag for flag in sorted((theano_flags or {}).items())]
    environment = dict(os.environ, PYTHONPATH=REPOSITORY, **environment)
    environment['THEANO_FLAGS'] = ','.join(flag for flag in flags if flag)
    environment.pop('THEANO_GPU_IS_ALREADY_ACTIVE', None)  # it is not, in a process that was not forked
    process = subprocess.Popen([sys.executable, '-c', code], cwd=folder or REPOSITORY, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    printed, errors = process.communicate()
    assert process.returncode == 0, 'exit %s\n%s\n%s' % (process.returncode, printed, errors)
    return printed
