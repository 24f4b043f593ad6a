"""The ops on the GPU. Users call nothing here: Theano's flag ``device`` moves the ops there.

Importing this package registers the ops with Theano's optimizations. If that is impossible and the flags ask for a GPU,
a warning explains why and what to do, because Theano itself falls back to the CPU.
"""
import warnings

import theano
from theano.compile import optdb

PYGPU = '0.7.6'
CURE = ('On Debian 12: apt-get install python3-pygpu libgpuarray-dev, and a virtual environment with'
        ' --system-site-packages; for other systems see docs/gpu.md')


#: pygpu and the GPU side of Theano look up packages with pkg_resources.
OTHER_SETUPTOOLS = "setuptools 82 dropped it: pip install 'setuptools<82'"
OTHER_THEANO = 'That of Theano-PyMC 1.0.5 to 1.0.9 works: pip install Theano-PyMC==1.0.9'


def _is_gpu(device):
    return device.startswith(('cuda', 'opencl'))


def _asks_for_gpu(config=theano.config):
    context_devices = [context.split('->')[-1] for context in config.contexts.split(';')]
    return any(_is_gpu(device) for device in [config.device, config.init_gpu_device] + context_devices)


def _brings_ops_to_gpu():
    """Whether Theano's GPU optimizations run by default, which Theano arranges once it has started the device."""
    return all(optimizer in optdb.__db__['fast_run'] for optimizer in optdb.__db__['gpuarray_opt'])


def _cure(reason, usual):
    return OTHER_SETUPTOOLS if getattr(reason, 'name', None) == 'pkg_resources' else usual


def _register():
    """Register the ops with Theano; return the reason why it is impossible, or None."""
    try:
        import pygpu
    except ImportError as reason:
        return 'pygpu cannot be imported (%s). %s' % (reason, _cure(reason, CURE))
    if pygpu.__version__ != PYGPU:
        return 'pygpu is %s, but %s is the version that goes with this Theano. %s' % (pygpu.__version__, PYGPU, CURE)
    try:
        from . import left_on_host, lifters
    except Exception as reason:  # an incompatible Theano may raise anything

        return ('the GPU side of Theano %s cannot be imported (%s: %s). %s'
                % (theano.__version__, type(reason).__name__, reason, _cure(reason, OTHER_THEANO)))
    if _asks_for_gpu() and not theano.gpuarray.pygpu_activated:
        return ('Theano could not start it: its own error stands above. Name a device that there is (python3 -c "import'
                ' pygpu; pygpu.test()" with DEVICE=cuda or opencl0:0 tries one)')
    if _is_gpu(theano.config.device) and not _brings_ops_to_gpu():
        return ('the GPU side of Theano %s did not come up: its own error stands above. %s'
                % (theano.__version__, OTHER_THEANO))
    if theano.config.device.startswith('opencl'):
        left_on_host.leave_on_host()
    return None


_obstacle = _register()
if _obstacle is not None and _asks_for_gpu():
    warnings.warn("theano_spp: Theano's flags ask for a GPU (device=%s), but everything runs on the CPU: %s"
                  % (theano.config.device, _obstacle), RuntimeWarning, stacklevel=2)


def device():
    """The GPU that Theano computes on by default, such as 'cuda: NVIDIA H100 80GB HBM3'; None if it is the CPU."""
    if _obstacle is not None or not _is_gpu(theano.config.device):
        return None
    return '%s: %s' % (theano.config.device, theano.gpuarray.type.get_context(None).devname.strip())
