"""The base class of the ops that take the place of an op on the CPU."""
import inspect

from theano.gof import Apply, ParamsType, Variable
from theano.gpuarray.basic_ops import as_gpuarray_variable, infer_context_name
from theano.gpuarray.type import GpuArrayType, gpu_context_type

from .external_kernels import ExternalKernels


class GpuVersion(ExternalKernels):
    """The GPU version of an op of this package.

    Its inputs are those of the op on the CPU, and after them what its C code wants to know of the labels
    (:mod:`labels`), which it adds by itself.

    Parameters
    ----------
    on_cpu : theano.gof.Op
        The CPU op that this one replaces: it checks the inputs and infers the shapes.

    Attributes
    ----------
    cpu_op : type
        The class of `on_cpu`.
    """

    __props__ = ('on_cpu',)

    cpu_op = None

    def __init__(self, on_cpu):
        self.on_cpu = on_cpu
        super().__init__()

    def __str__(self):
        return '%s{%s}' % (type(self).__name__, ', '.join(
            '%s=%r' % (name, getattr(self.on_cpu, name)) for name in self.on_cpu.__props__))

    @property
    def n_cpu_inputs(self):
        return len(inspect.signature(self.on_cpu.make_node).parameters)

    def make_node(self, *inputs):
        inputs, label_tables = inputs[:self.n_cpu_inputs], list(inputs[self.n_cpu_inputs:])
        context_name = infer_context_name(*[i for i in inputs if isinstance(i, Variable)])
        node = self.on_cpu.make_node(*inputs)  # only to check the inputs and get the types of the outputs
        inputs = [checked if i in self.host_inputs
                  # inputs that are already on the device need not be transferred again
                  else as_gpuarray_variable(given if given.dtype == checked.dtype else checked, context_name)
                  for i, (given, checked) in enumerate(zip(inputs, node.inputs))]
        return Apply(self, inputs + (label_tables or self.label_tables(*inputs)),
                     [self._output(output, context_name) for output in node.outputs])

    def label_tables(self, *inputs):
        """Return the outputs of ops of :mod:`labels` that the C code wants."""
        return []

    def _output(self, on_cpu, context_name):
        return GpuArrayType(on_cpu.dtype, on_cpu.broadcastable, context_name)()

    def infer_shape(self, node, input_shapes):
        return self.on_cpu.infer_shape(node, input_shapes)

    def parameters(self):
        return self.on_cpu

    def perform_on_host(self, node, inputs, output_storage):
        self.on_cpu.perform(node, inputs[:self.n_cpu_inputs], output_storage)


def params_of(cpu_op, *names):
    """Return the ParamsType with these parameters of a CPU op and the GPU context."""
    types = dict(zip(cpu_op.params_type.fields, cpu_op.params_type.types)) if names else {}
    return ParamsType(context=gpu_context_type, **{name: types[name] for name in names})
