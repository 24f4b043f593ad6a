"""The BLAS that NumPy was built with, by which Theano chooses its own.

NumPy up to 1.21 told it in ``numpy.distutils.__config__.blas_opt_info``. NumPy 1.22 says nothing there, so that
``import theano`` fails, or names a library of the machine it was built on.

Run as a program, this file prints the flags for ``blas.ldflags``: ``python theano_spp/legacy_bridge/blas.py``.
"""
import glob
import importlib.util
import os
import subprocess
import types

# NumPy 2 and SciPy 1.14 bring an OpenBLAS whose functions have a prefix. These are the ones that Theano's C code calls.
CALLED = ['sgemm', 'dgemm', 'sgemv', 'dgemv', 'sger', 'dger', 'sdot', 'ddot', 'saxpy', 'daxpy']


def blas_of_numpy():
    """Tell Theano which BLAS to link with if NumPy does not: it gives none since 1.22, or one of the build machine.

    Theano computes the default of its flag ``blas.ldflags`` from this attribute. Setting the attribute instead of the
    flag respects a user's own value (THEANO_FLAGS, .theanorc), leaves no trace in the environment of child processes,
    and lets Theano test the value with a small program before using it.
    """
    try:
        import numpy.distutils
    except ImportError:  # no NumPy, which Theano itself will report
        return
    if not hasattr(numpy.distutils, '__config__'):
        numpy.distutils.__config__ = types.SimpleNamespace()
    config = numpy.distutils.__config__
    if not is_here(getattr(config, 'blas_opt_info', {})):
        config.blas_opt_info = {'extra_link_args': openblas_ldflags().split()}


def is_here(blas_info):
    """Whether a library that NumPy reports as linked exists in one of the folders that it names."""
    return any(glob.glob(os.path.join(glob.escape(folder), 'lib%s.*' % library))
               for folder in blas_info.get('library_dirs', ()) for library in blas_info.get('libraries', ()))


def openblas_ldflags():
    """Linker flags for Theano's ``blas.ldflags``, or '' if there is no OpenBLAS to link with.

    Returns
    -------
    str
        ``-lopenblas`` if the compiler finds that library (Debian: libopenblas-dev). Otherwise flags for the OpenBLAS
        inside the wheel of NumPy or SciPy, or '' if there is none or its path cannot be written as a flag.
    """
    try:
        path = subprocess.check_output(['g++', '-print-file-name=libopenblas.so'], universal_newlines=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return ''
    # The compiler prints the path of a library that it has, and only the name of one that it does not have.
    if os.path.isabs(path):
        return '-lopenblas'
    for package in ('numpy', 'scipy'):
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        site_packages = os.path.dirname(os.path.dirname(os.path.abspath(spec.origin)))
        # Neither libopenblas64_p nor libscipy_openblas64_: their functions take 64-bit integers (sgemm_64_).
        libraries = os.path.join(glob.escape(site_packages), package + '.libs')
        for name, prefix in ('libopenblasp-*.so', ''), ('libscipy_openblas-*.so', 'scipy_'):
            for library in sorted(glob.glob(os.path.join(libraries, name))):
                # Theano splits flags at blanks, -Wl at commas, and the flags may be quoted in THEANO_FLAGS.
                if not any(mark in library for mark in ' \t\n,\'"'):
                    return ' '.join([ldflags_of_library(library)] + [
                        '-D{0}_={1}{0}_'.format(function, prefix) for function in CALLED if prefix])
    return ''


def ldflags_of_library(library):
    """Linker flags for a shared library whose folder contains only it and the libraries that it needs."""
    folder, name = os.path.split(library)
    # -Wl,-L and not -L: Theano warns about a folder given by -L if it does not recognise the library's name in it.
    # Without --disable-new-dtags the folder would not be searched for the libgfortran that OpenBLAS needs.
    return '-Wl,-L{0} -Wl,-rpath,{0} -Wl,--disable-new-dtags -l:{1}'.format(folder, name)


if __name__ == '__main__':
    print(openblas_ldflags())
