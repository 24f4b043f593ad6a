"""The ops, one file for each family of adjoints: the gradient of each op is another op of its file.

`external_c` and `multilinear` are the base classes, `parameters` defines what ops pass to their C code, and
`half_precision` is an optimization for float16. Public functions choose among the ops; no op calls a public function.
"""

