"""Theano's own operations whose kernels are for CUDA alone: through OpenCL they stay on the host.

Theano brings them to every GPU, and fails where the kernel is made: the cross-entropy of a softmax and class numbers
(Keras calls it sparse), and cumulative sums.
"""
from theano.gpuarray.opt import gpu_optimizer, gpu_optimizer2

LIFTERS = ('local_gpua_crossentropysoftmaxargmax1hotwithbias', 'local_gpua_crossentropysoftmax1hotwithbiasdx',
           'local_gpua_cumop')


def leave_on_host():
    """From now on do not bring them to a device."""
    for optimizer in gpu_optimizer, gpu_optimizer2:
        for name in LIFTERS:
            optimizer.remove_tags(name, 'fast_run', 'fast_compile', 'gpuarray')
