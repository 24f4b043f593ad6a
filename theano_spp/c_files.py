"""Joins a C file with the files that its ``#include "..."`` lines name.

A file begins by including the files that it needs, relative to its ``c_code`` folder, followed by the ``#section``s of
``theano.gof.COp``:

    #include "labels/plan.h"

    #section support_code_apply
"""
import functools
import hashlib
import os
import re

INCLUDE = re.compile(r'^#include "(.+)"\n', re.MULTILINE)
SECTION = re.compile(r'^#section (\w+)$', re.MULTILINE)


# A graph has many ops, and each of them asks.
@functools.lru_cache(maxsize=None)
def read_with_needs(folder, name):
    """Read a C file and all files that it includes, directly or indirectly; once in a process.

    Parameters
    ----------
    folder : str
        The ``c_code`` folder.
    name : str
        A file, relative to the folder.

    Returns
    -------
    codes : tuple of str
        Each file once, without its ``#include "..."`` lines, after those that it includes.

    Raises
    ------
    ValueError
        If files include each other in a circle.
    """
    codes, done, open_files = [], set(), []

    def read(name):
        if name in open_files:
            raise ValueError('C files need each other in a circle: ' + ' -> '.join(open_files + [name]))
        if name in done:
            return
        open_files.append(name)
        with open(os.path.join(folder, name), encoding='utf-8') as stream:
            code = stream.read()
        for needed in INCLUDE.findall(code):
            read(needed)
        codes.append(INCLUDE.sub('', code))
        done.add(open_files.pop())

    read(name)
    return tuple(codes)


@functools.lru_cache(maxsize=None)
def sections(codes):
    """Join the sections of a tuple of C sources: a dict, name of the section -> code; once in a process."""
    code_of = {}
    for code in codes:
        parts = SECTION.split(code)
        for name, text in zip(parts[1::2], parts[2::2]):
            code_of[name] = code_of.get(name, '') + text
    return code_of


@functools.lru_cache(maxsize=None)
def digest(codes):
    """Return a digest that changes when one of a tuple of C sources does."""
    return hashlib.sha256('\0'.join(codes).encode('utf-8')).hexdigest()


def state_without_c_code(op):
    """Return the state of a COp to pickle, without its C code: after an upgrade an old pickle must run the new code."""
    state = op.__dict__.copy()
    for name in ('func_files', 'func_codes', 'code_sections'):
        state.pop(name, None)
    return state
