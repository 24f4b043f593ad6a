"""CUDA's own compiler, called without a GPU: what libgpuarray does with a kernel on a card from NVIDIA."""
import ctypes
import os
import re
import subprocess

import nvidia.cuda_nvrtc

_FOLDER = os.path.join(list(nvidia.cuda_nvrtc.__path__)[0], 'lib')
_nvrtc = ctypes.CDLL(os.path.join(_FOLDER, 'libnvrtc.so.11.2'))

_uselocale = ctypes.CDLL(None).uselocale
_uselocale.argtypes, _uselocale.restype = [ctypes.c_void_p], ctypes.c_void_p


def cluda_preamble():
    """Return the text that turns cluda into CUDA. libgpuarray keeps it, and puts it before each kernel."""
    with open('/proc/self/maps') as maps:  # pygpu has loaded it
        path = next(line.split()[-1] for line in maps if 'libgpuarray' in line)
    with open(path, 'rb') as library:
        content = library.read()
    for start in re.finditer(b'#ifndef CLUDA_H', content):
        text = content[start.start():content.index(b'\0', start.start())].decode('ascii')
        if '__syncthreads' in text:
            return text
    raise AssertionError('%s has no cluda for CUDA' % path)


def preprocessed(source):
    """Return a kernel with all macros but cluda's replaced: equal for all dtypes that make no difference to it."""
    process = subprocess.Popen(['g++', '-E', '-P', '-x', 'c++', '-'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               universal_newlines=True)
    return process.communicate(source.replace('#include "cluda.h"', ''))[0]


def compile_kernel(source, architecture):
    """Compile a kernel in cluda for one architecture, warnings and all.

    Parameters
    ----------
    source : str
    architecture : str
        ``sm_52`` gives the machine code of a card, ``compute_52`` PTX.

    Returns
    -------
    succeeded : bool
    log : str
        All that the compiler said: errors, warnings, registers and shared memory.
    """
    program = ctypes.c_void_p()
    code = (cluda_preamble() + source.replace('#include "cluda.h"', '')).encode('utf-8')
    assert _nvrtc.nvrtcCreateProgram(ctypes.byref(program), code, b'kernel.cu', 0, None, None) == 0
    options = [b'--gpu-architecture=' + architecture.encode(), b'--ptxas-options=-v']
    before = _uselocale(None)
    error = _nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    _uselocale(before)  # the compiler leaves the thread in the locale "C", where click refuses to run a command
    size = ctypes.c_size_t()
    assert _nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size)) == 0
    log = ctypes.create_string_buffer(size.value)
    assert _nvrtc.nvrtcGetProgramLog(program, log) == 0
    _nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return error == 0, log.value.decode('utf-8')
