"""Modules that Theano compiled in an earlier process, and should find again.

Two kinds it never finds, so that each start of a Keras model compiles a dozen modules anew and leaves them behind:

- Those of operations whose C code is in a file (DimShuffle, Reshape): their version is the ``hash`` of the code, which
  Python 3.3 and later begin anew in each process.
- Those of operations without properties (Alloc, Dot22, softmax): Theano takes the empty tuple of their properties for a
  missing version, with which nothing is kept.
"""
import hashlib

from .changed_source import changed_source


def version_of_code(op):
    """Make ``theano.gof.op.COp`` take a hash that is the same in every process."""
    def c_code_cache_version(self):
        digest = hashlib.sha256('\0'.join(self.func_codes).encode()).digest()
        version = int.from_bytes(digest[:8], 'little'),
        if hasattr(self, 'params_type'):
            version += self.params_type.c_code_cache_version(),
        return version

    op.COp.c_code_cache_version = c_code_cache_version


def version_without_properties(cc):
    """Make ``theano.gof.cc`` tell operations without properties from those without a version."""
    cc.CLinker.cmodule_key_ = changed_source(cc, cc.CLinker.cmodule_key_, 'version.append(node.op.__props__)',
                                             'version.append(node.op.__props__ or ("no properties",))')
