"""Theano's loops over elements, ``GpuElemwise``, through OpenCL.

Their C code is CUDA's: ``nan("")``, ``floorf`` and floats as conditions do not compile through OpenCL, so that a
maximum, a floored quotient and a ``switch`` on floats have no kernel. And where there is no kernel, for whatever reason
and on CUDA too, Theano frees what was never made: a segmentation fault in place of its error.
"""
from .changed_source import changed_source

#: Before each kernel. OpenCL's functions go by one name for all floats, and its ``nan`` takes a number.
PREAMBLE = """
#ifdef __OPENCL_VERSION__
#undef nan
#define nan(text) NAN
#define floorf floor
#define fmodf fmod
#endif
"""


def kernels_of_opencl(elemwise):
    """Make the kernels of ``theano.gpuarray.elemwise`` compile through OpenCL, and an error of those that do not."""
    kernel = elemwise.GpuElemwise
    texts, version = kernel._generate_op_string, kernel.c_code_cache_version

    def _generate_op_string(self, node):
        support_code, expression = texts(self, node)
        return PREAMBLE + support_code, expression

    def c_cleanup_code_struct(self, node, name):
        return 'if (ge != NULL) GpuElemwise_free(ge);\n'

    def c_code_cache_version(self):
        # Modules of an earlier process without these changes must not be found.
        return version(self) and version(self) + ('kernels_of_opencl',)

    kernel._generate_op_string, kernel.c_cleanup_code_struct = _generate_op_string, c_cleanup_code_struct
    kernel.c_code_cache_version = c_code_cache_version


def conditions_of_opencl(basic):
    """Make ``theano.scalar.basic`` compare a float that is a condition with 0, which OpenCL does not do by itself."""
    basic.Switch.c_code = changed_source(basic, basic.Switch.c_code, '= %(cond)s ?', '= (%(cond)s) != 0 ?')
    basic.Cast.c_code = changed_source(basic, basic.Cast.c_code, '(%s) ? 1 : 0', '(%s) != 0')
