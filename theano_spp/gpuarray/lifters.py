"""Graph optimizations that replace the ops by their GPU versions, registered with both of Theano's GPU optimizers."""
import copy

import theano.scalar
from theano.gpuarray.basic_ops import as_gpuarray_variable
from theano.gpuarray.elemwise import GpuElemwise
from theano.gpuarray.opt import op_lifter, register_opt, register_opt2

from . import counts, max_min, mean_sum, resized, shared_labels, soft, weighted  # noqa: F401 - they define the ops
from .gpu_version import GpuVersion


def _cast(variable, dtype, context_name):
    """Cast on the device: the kernels do not support float16, which is computed in float32."""
    if variable.dtype == dtype:
        return variable
    convert = getattr(theano.scalar, 'convert_to_' + dtype)
    return GpuElemwise(convert)(as_gpuarray_variable(variable, context_name))


def _register(gpu_op):
    name = 'local_%s_on_gpu' % gpu_op.cpu_op.__name__

    @register_opt('fast_compile', name=name)
    @op_lifter([gpu_op.cpu_op])
    @register_opt2([gpu_op.cpu_op], 'fast_compile', name=name)
    def lift(op, context_name, inputs, outputs):
        if all(v.dtype != 'float16' for v in list(inputs) + list(outputs)):
            return gpu_op(op)
        if 'dtype' in op.__props__ and op.dtype == 'float16':
            op = copy.copy(op)
            op.dtype = 'float32'
        results = gpu_op(op)(*[_cast(i, 'float32', context_name) if i.dtype == 'float16' else i for i in inputs],
                             return_list=True)
        return [_cast(result, output.dtype, context_name) for result, output in zip(results, outputs)]


for gpu_op in GpuVersion.__subclasses__():
    _register(gpu_op)
