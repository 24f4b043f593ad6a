"""The base class of the ops with kernels, as ExternalC is for the ops in C."""
import inspect
import os
import re
import sys

import numpy as np
import pygpu.gpuarray
from theano.gpuarray.basic_ops import CGpuKernelBase, Kernel, get_dtype, gpuarray_helper_inc_dir
from theano.gpuarray.type import GpuArrayType

from ..c_files import digest, read_with_needs, sections, state_without_c_code

OWN_CODE = inspect.getsource(sys.modules[__name__])
#: The declaration of a kernel: its name and its parameters.
KERNEL = re.compile(r'^KERNEL (?:SPP_BOUNDED )?void (\w+)\((.*?)\)\s*\{', re.MULTILINE | re.DOTALL)
#: A macro that stands for parameters of kernels that travel together: its name and the parameters.
PARAMETERS = re.compile(r'^#define (\w+)\([^)]*\) ((?:GLOBAL_MEM|ga_\w+) (?:.*\\\n)*.*)', re.MULTILINE)

C_CODE_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'c_code')


class ExternalKernels(CGpuKernelBase):
    """An op whose C code and kernels are in files of ``gpuarray/c_code/``.

    Host code is in the section ``support_code_struct``, kernels in ``kernels``, device functions that kernels share in
    ``device_code``, constants for both host and kernels in ``constants``, and in ``settings`` what an op chooses for
    kernels that it shares with others. Kernels are written in cluda, one source for CUDA and OpenCL, and refer to the C
    types of their inputs by name.

    Attributes
    ----------
    c_file : str
        A file of ``gpuarray/c_code/``, which includes the others that it needs.
    c_function : str
        The C function that does the work.
    host_inputs : tuple of int
        Inputs that stay on the host: numbers and sizes.
    c_types : dict
        The name of a C type in the kernels, such as FEATURE or LABEL -> the input that has this type.
    """

    c_file = None
    c_function = None
    host_inputs = ()
    c_types = {}

    def __init__(self):
        CGpuKernelBase.__init__(self, [self.c_file], 'APPLY_SPECIFIC(%s)' % self.c_function)

    def get_params(self, node):
        context = next(i.type.context for i in node.inputs if isinstance(i.type, GpuArrayType))
        return self.params_type.get_params(self.parameters(), context=context)

    def parameters(self):
        """Return the object that has the parameters of the C code as attributes."""
        return self

    def perform(self, node, inputs, output_storage, params=None):
        # In the modes without a compiler, the reference runs on the host.
        results = [[None] for _ in output_storage]
        self.perform_on_host(node, [np.asarray(i) for i in inputs], results)
        for output, storage, (result,) in zip(node.outputs, output_storage, results):
            if isinstance(output.type, GpuArrayType):
                result = pygpu.gpuarray.array(result, dtype=output.dtype, context=output.type.context)
            storage[0] = result

    def load_c_code(self, func_files):
        self.func_codes = read_with_needs(C_CODE_FOLDER, self.c_file)
        self.code_sections = sections(self.func_codes)

    def own_settings(self):
        """Return macros that decide, by a property of this op, what its kernels are compiled to."""
        return ''

    def node_settings(self, node):
        """Return macros that decide, by the types of a node, what its kernels are compiled to."""
        return ''

    def c_headers(self):
        return ['gpuarray_api.h', 'gpuarray_helper.h', 'numpy_compat.h'] + CGpuKernelBase.c_headers(self)

    def c_header_dirs(self):
        return [gpuarray_helper_inc_dir(), pygpu.get_include()] + CGpuKernelBase.c_header_dirs(self)

    def c_code_cache_version(self):
        # This file too, because it assembles the kernels.
        return digest(self.func_codes + (OWN_CODE, self.own_settings(), repr(sorted(self.c_types.items())))), \
            self.params_type.c_code_cache_version()

    def c_code_cache_version_apply(self, node):
        return self.c_code_cache_version() + (self.node_settings(node),)

    def c_support_code(self):
        return self.code_sections['constants'] + CGpuKernelBase.c_support_code(self)

    def gpu_kernels(self, node, name):
        # Generated anew for each node: Theano's own version caches them in the op, but dtypes differ between nodes.

        types = '\n'.join('#define %s %s' % (name, pygpu.gpuarray.dtype_to_ctype(node.inputs[position].dtype))
                          for name, position in sorted(self.c_types.items()))
        device_code = self.code_sections['device_code']
        before = ['#include "cluda.h"', types, self.node_settings(node), self.own_settings(),
                  self.code_sections.get('settings', ''), self.code_sections['constants'], device_code]
        return [Kernel('\n'.join(before + [code]), parameters, name, flags={'have_double': True, 'have_small': True})
                for name, parameters, code in declared_kernels(self.code_sections['kernels'], device_code)]

    def _generate_kernel_code(self, kernel):
        kernel.code = kernel.code.replace('\\', '\\\\')  # Theano's own version does not escape them
        return CGpuKernelBase._generate_kernel_code(self, kernel) + 'static GpuKernel first_%s;\n' % kernel.objvar

    def _generate_kernel_init(self, kernel, fail, context):
        # Theano's own version compiles the kernels again for each node.
        return """{
  int types[] = {%s};
  if (spp_gpu_compile(&%s, &first_%s, %s->ctx, &%s, "%s", %d, types, %s) != 0) {
    %s
  }
}""" % (kernel._get_c_types(), kernel.objvar, kernel.objvar, context, kernel.codevar, kernel.name, len(kernel.params),
        kernel._get_c_flags(), fail)

    def __getstate__(self):
        return state_without_c_code(self)

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.func_files = [self.c_file]
        self.load_c_code(self.func_files)


def declared_kernels(code, device_code=''):
    """Find the kernels in a source text.

    Parameters
    ----------
    code : str
    device_code : str, optional
        Where the macros that stand for several parameters are defined.

    Returns
    -------
    list of (name, parameters, code)
        `parameters` as Theano expects them: pygpu's ``GpuArray`` for a pointer, a dtype for a number.
    """
    declared = list(KERNEL.finditer(code))
    ends = [kernel.start() for kernel in declared[1:]] + [len(code)]
    return [(kernel.group(1), _parameters(kernel.group(2), device_code), code[kernel.start():end])
            for kernel, end in zip(declared, ends)]


def _parameters(declarations, device_code):
    for name, expansion in PARAMETERS.findall(device_code):
        declarations = re.sub(r'\b%s\(.*?\)' % name, lambda _: expansion.replace('\\\n', ''), declarations)
    return [get_dtype(_parameter(declaration)) for declaration in declarations.split(',')]


def _parameter(declaration):
    """'GLOBAL_MEM const ga_uint *order' -> '*', 'ga_ssize step' -> 'ssize', 'ga_int mean' -> 'int32'"""
    if '*' in declaration:
        return '*'
    return {'ga_size': 'size', 'ga_ssize': 'ssize', 'ga_int': 'int32', 'ga_uint': 'uint32'}[declaration.split()[0]]

