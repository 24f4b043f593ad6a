"""What the tests on the GPU share: functions compiled for the device, and the same for the CPU."""
import theano
from theano.compile.mode import predefined_modes

from theano_spp.gpuarray.external_kernels import ExternalKernels

#: Theano's mode without the optimizations that bring ops to the device.
ON_CPU = theano.compile.mode.get_mode('FAST_RUN').excluding('gpuarray')

# Theano's own ops on a device cannot run without a compiler: that mode compares with the reference on the host.
predefined_modes['FAST_COMPILE'] = predefined_modes['FAST_COMPILE'].excluding('gpuarray')


def gpu_ops(function):
    """Return our ops on the device in a compiled function, in the order in which they run."""
    return [node.op for node in function.maker.fgraph.toposort() if isinstance(node.op, ExternalKernels)]


def transfers(function):
    """Return how often a compiled function copies arrays to the device, and from it."""
    names = [type(node.op).__name__ for node in function.maker.fgraph.toposort()]
    return names.count('GpuFromHost'), names.count('HostFromGpu')


def first_line(callable_, *arguments):
    """Return the type and the first line of the error that a call raises: the rest is Theano's."""
    try:
        callable_(*arguments)
    except Exception as error:
        return type(error), str(error).splitlines()[0]
    raise AssertionError('nothing was raised')
