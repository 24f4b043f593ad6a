"""The headers that each module of Theano begins with, compiled once: a third of the time g++ takes for a module.

g++ reads the header itself where the precompiled one was made with flags that define other macros. It does not look at
flags like ``-ffp-contract=off``, but goes on with those of the header: our own modules would be compiled otherwise than
for users, and some results differ in the last bit. So all modules of the tests have this flag, and the header too. They
have no debugging information, which takes g++ a quarter of the time that is left.
"""
import hashlib
import os
import subprocess

# Read as a file: importing theano_spp imports Theano, which is too early for its flags.
with open(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'theano_spp',
                       'precompiled_headers.h')) as stream:
    HEADERS = stream.read()
with open(__file__) as stream:
    #: Part of the name of the header, so that headers of earlier versions of this file are not used.
    VERSION = hashlib.sha256((stream.read() + HEADERS).encode('utf-8')).hexdigest()[:8]
EVERYWHERE = '-ffp-contract=off -g0'
#: Flags of Theano's modules that define macros, so that each set of them needs a precompiled header of its own.
FLAGS = (['-O3', '-fno-math-errno'], ['-O3', '-fno-math-errno', '-fopenmp'], ['-fno-math-errno'],
         ['-fno-math-errno', '-fopenmp'])


def compiler_flags(folder):
    """Write the header to `folder`, and return the flags that make every module include it."""
    if any(character in folder for character in ' ,\'"'):  # Theano splits its flags there
        return EVERYWHERE
    os.makedirs(folder, exist_ok=True)
    header = os.path.join(folder, 'theano-{}.h'.format(VERSION))
    _write(header, lambda path: open(path, 'w').write(HEADERS))
    return '{} -include {}'.format(EVERYWHERE, header)


def precompile():
    """Compile the header that Theano's flags include, for each set of flags.

    Theano has to be imported before: it knows the processor's flags.
    """
    import numpy
    import theano
    from theano.gof.cmodule import GCC_compiler, std_include_dirs
    arguments = GCC_compiler.compile_args() if theano.config.cxx else []
    if '-include' not in arguments:
        return
    place = arguments.index('-include')
    header = arguments[place + 1]
    arguments = arguments[:place] + arguments[place + 2:]
    arguments += ['-I' + folder for folder in std_include_dirs() + [numpy.get_include()]]
    os.makedirs(header + '.gch', exist_ok=True)
    for flags in FLAGS:
        _write(os.path.join(header + '.gch', 'theano' + ''.join(flags)), lambda path: subprocess.call(
            [theano.config.cxx, '-g'] + flags + arguments + ['-x', 'c++-header', header, '-o', path]))


def _write(path, write):
    """Write a file atomically, unless it exists: several test runs may start at the same time."""
    if not os.path.isfile(path):
        unfinished = '{}.{}'.format(path, os.getpid())
        write(unfinished)
        if os.path.isfile(unfinished):
            os.replace(unfinished, path)
