"""What the tests on the GPU share: functions compiled for the device, and the same for the CPU."""
from theano.compile import mode

from theano_spp.gpuarray.gpu_version import GpuVersion

FAST_RUN = mode.predefined_modes['FAST_RUN']
#: Theano's mode without the optimizations that bring ops to the device.
ON_CPU = FAST_RUN.excluding('gpuarray')

# Theano's own ops on a device cannot run without a compiler: that mode compares with the reference on the host.
mode.predefined_modes['FAST_COMPILE'] = mode.predefined_modes['FAST_COMPILE'].excluding('gpuarray')


def leave_loops_over_elements_to_the_cpu():
    """From now on Theano's own are not on the device, where OpenCL compiles each of them again for each function."""
    mode.instantiated_default_mode = mode.get_default_mode().excluding('local_gpua_elemwise')
    mode.predefined_modes['FAST_RUN'] = FAST_RUN.excluding('local_gpua_elemwise')


def bring_loops_over_elements_to_the_device():
    """From now on they are on the device again."""
    mode.instantiated_default_mode = None
    mode.predefined_modes['FAST_RUN'] = FAST_RUN


def gpu_ops(function):
    """Return our ops on the device in a compiled function, in the order in which they run."""
    return [node.op for node in function.maker.fgraph.toposort() if isinstance(node.op, GpuVersion)]


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
