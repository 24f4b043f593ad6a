"""The ops, a file for each family of adjoints: the gradient of each op is another one of its file.

`external_c` and `multilinear` are the base classes, `parameters` what ops tell their C code, and `half_precision` an
optimization for float16. Public functions choose among the ops; no op calls a public function.
"""
