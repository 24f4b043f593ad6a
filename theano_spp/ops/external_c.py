"""The base class of the ops written in C."""
import os

from theano import gof

from ..c_files import digest, read_with_needs, sections, state_without_c_code

C_CODE_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'c_code')


class ExternalC(gof.COp, gof.OpenMPOp):
    """An op whose C code is in files of ``c_code/``.

    It adds what ``theano.gof.COp`` leaves to its users: the compiled code is cached between
    processes and discarded when a C file changes, the OpenMP flags reach the compiler, a pickle
    contains no C code, and a subclass may be defined in any folder.

    Subclasses set the class attributes, at least one entry of ``__props__`` (Theano does not cache
    the compiled code of an op without any), and ``perform`` for the modes that run without a compiler.

    Parameters
    ----------
    openmp : bool, optional
        Whether to use threads. None takes Theano's flag ``openmp``, which is False by default.
        The results do not depend on it.

    Attributes
    ----------
    c_file : str
        A file of ``c_code/``, which includes the others that it needs.
    c_function : str
        The C function that does the work.
    label_input, feature_input : int
        The inputs whose C types are ``LABEL`` and ``FEATURE`` in the C code.
    """

    c_file = None
    c_function = None
    label_input = None
    feature_input = None

    def __init__(self, openmp=None):
        gof.COp.__init__(self, [self.c_file], 'APPLY_SPECIFIC(%s)' % self.c_function)
        gof.OpenMPOp.__init__(self, openmp=openmp)

    def load_c_code(self, func_files):
        self.func_codes = read_with_needs(C_CODE_FOLDER, self.c_file)
        self.code_sections = sections(self.func_codes)

    def c_compile_args(self):
        # A fused multiply-add would round differently from NumPy, and differently from machine to machine.
        return super().c_compile_args() + ['-ffp-contract=off']

    def c_code_cache_version(self):
        # COp's own version is a hash that Python salts in every process: the cache would never hit.

        version = (digest(self.func_codes), bool(self.openmp))
        if hasattr(self, 'params_type'):
            version += (self.params_type.c_code_cache_version(),)
        return version

    def get_c_macros(self, node, name, check_input=None):
        define, undef = super().get_c_macros(node, name, check_input)
        for macro, position in (('LABEL', self.label_input), ('FEATURE', self.feature_input)):
            if position is not None:
                define += '\n#define %s npy_%s' % (macro, node.inputs[position].dtype)
                undef += '\n#undef %s' % macro
        return define, undef

    def __getstate__(self):
        return state_without_c_code(self)

    def __setstate__(self, state):
        gof.OpenMPOp.__setstate__(self, state)
        self.func_files = [self.c_file]
        self.load_c_code(self.func_files)
