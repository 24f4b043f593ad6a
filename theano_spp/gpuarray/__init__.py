"""The ops on the GPU: nothing here is called by users, Theano's flag ``device`` brings them there.

Importing this registers them with Theano's optimizations. Where that cannot be, and the flags ask for a GPU, it says why
and what to do: Theano itself goes on with the CPU.
"""
import warnings

import theano

PYGPU = '0.7.6'
CURE = ('On Debian 12: apt-get install python3-pygpu libgpuarray-dev, and a virtual environment with'
        ' --system-site-packages; for other systems see docs/gpu.md')


def _asks_for_gpu(config=theano.config):
    devices = [config.device, config.init_gpu_device] + config.contexts.split(';')
    return any(device.split('->')[-1].startswith(('cuda', 'opencl')) for device in devices)


def _register():
    """Register the ops with Theano; return what is in the way, or None."""
    try:
        import pygpu
    except ImportError as reason:
        return 'pygpu cannot be imported (%s). %s' % (reason, CURE)
    if pygpu.__version__ != PYGPU:
        return 'pygpu is %s, but %s is the version that goes with this Theano. %s' % (pygpu.__version__, PYGPU, CURE)
    try:
        from . import lifters  # noqa: F401
    except Exception as reason:  # whatever a Theano that does not go with it raises
        return ('the GPU side of Theano %s cannot be imported (%s: %s). That of Theano-PyMC 1.0.9 can: pip install'
                ' Theano-PyMC==1.0.9' % (theano.__version__, type(reason).__name__, reason))
    if _asks_for_gpu() and not theano.gpuarray.pygpu_activated:
        return ('Theano could not start it: its own error stands above. Name a device that there is (python3 -c "import'
                ' pygpu; pygpu.test()" with DEVICE=cuda or opencl0:0 tries one)')
    return None


_obstacle = _register()
if _obstacle is not None and _asks_for_gpu():
    warnings.warn("theano_spp: Theano's flags ask for a GPU (device=%s), but everything runs on the CPU: %s"
                  % (theano.config.device, _obstacle), RuntimeWarning, stacklevel=2)
