"""How the benchmarks measure: compiling graphs, comparing results, time, memory."""
import ctypes
import functools
import random
import time

import numpy as np
import theano
import theano.tensor as T

from theano_spp import keep_memory

from . import threads

theano.config.floatX = 'float32'  # of all benchmarks
keep_memory()  # in all benchmarks that import this module, for all libraries alike


def compiled(inputs, output):
    """Compile a graph and its gradient, without Theano's copies of the outputs.

    Parameters
    ----------
    inputs : list of TensorVariable
    output : TensorVariable

    Returns
    -------
    list of callable
        ``forward(*inputs)``; and if there are inputs of floats, ``gradient(upstream, *inputs)``, a list with the
        gradient for each of these. It recomputes what it needs of the forward graph.
    """
    functions = [theano.function(inputs, theano.Out(output, borrow=True))]
    floats = [variable for variable in inputs if variable.dtype in T.float_dtypes]
    if floats:
        upstream = output.type()
        gradients = T.grad(None, floats, known_grads={output: upstream})
        functions.append(theano.function(
            [upstream] + inputs, [theano.Out(gradient, borrow=True) for gradient in gradients],
            on_unused_input='ignore'))  # some need the features for their shape
    return functions


def bind(functions, values, channels_last=False):
    """Bind functions to their arguments: {name: [forward, gradient]} becomes the same with callables without arguments.

    With `channels_last` the upstream gradient has channels last in memory, as from channels-last layers.
    """
    forward, *gradient = next(iter(functions.values()))
    upstream = []
    if gradient:
        upstream.append(np.random.RandomState(1).standard_normal(forward(*values).shape).astype('float32'))
    if channels_last:
        upstream = [np.ascontiguousarray(one.swapaxes(1, 2)).swapaxes(1, 2) for one in upstream]
    return {name: [functools.partial(forward, *values)] + [functools.partial(g, *upstream, *values) for g in gradient]
            for name, (forward, *gradient) in functions.items()}


def check(calls, gradients=True):
    """Raise AssertionError if results differ from those of the first: correct before fast."""
    results = {name: [_arrays(call()) for call in both] for name, both in calls.items()}
    expected = next(iter(results.values()))
    for name, both in results.items():
        for result, wanted in list(zip(both, expected))[:2 if gradients else 1]:
            for array, right in zip(result, wanted):
                np.testing.assert_allclose(array, right, rtol=1e-3, atol=1e-5 * np.abs(right).max(), err_msg=name)


def _arrays(result):
    return result if isinstance(result, (list, tuple)) else [result]


def medians(calls, rounds, progress):
    """Return {name: [milliseconds of each call]}.

    They take turns, in another order each round, so that other load on the machine affects all alike.
    """
    times = {name: [] for name in calls}
    for _ in range(rounds):
        for name in random.sample(sorted(calls), len(calls)):
            threads.settle()
            times[name].append([_seconds(call) for call in calls[name]])
        progress.update()
    return {name: 1e3 * np.median(seconds, axis=0) for name, seconds in times.items()}


def _seconds(call):
    call()  # wakes its threads, and brings its data into the caches
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def peak_memory(calls):
    """Return {name: the peak of megabytes that its calls, one after the other, need beyond their inputs}. On Linux."""
    return {name: _peak(both) for name, both in calls.items()}


def _peak(calls):
    ctypes.CDLL(None).malloc_trim(0)  # memory that is free already would be used without raising the peak
    with open('/proc/self/clear_refs', 'w') as stream:
        stream.write('5')  # resets the peak to what is used now
    before = _status('VmRSS')
    for call in calls:
        call()
    return max(0, _status('VmHWM') - before)


def _status(field):
    with open('/proc/self/status') as stream:
        return [int(line.split()[1]) for line in stream if line.startswith(field)][0] / 1024.
