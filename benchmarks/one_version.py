"""The process of one version in `benchmarks.versions`: it prepares rows of the table and times them, as it is asked.

It computes with the theano_spp of its checkout, and prepares inputs with the benchmarks of the checkout that compares.
"""
import functools
import itertools
import json
import os
import sys
import time

# Before theano, which it may have to repair.
from theano_spp import superpixel_pool

import numpy as np
import theano.tensor as T

from . import operations
from .measure import bind, compiled
from .workloads import WORKLOADS, make, superpixels

#: A short call is repeated until this much time has passed.
SECONDS = .02


def rows():
    """Return {name: function that returns the calls to time}."""
    prepare = {}
    for workload, layout, mode in itertools.product(WORKLOADS, ('first', 'last'), ('mean', 'max')):
        prepare['%s, channels %s, %s' % (workload.name, layout, mode)] = functools.partial(
            _prepare_workload, workload, layout, mode)
    for operation in operations.operations():
        if operation.inputs is not None:  # else it is in NumPy
            prepare[operation.name] = functools.partial(_prepare_operation, operation)
    return prepare


def _prepare_workload(workload, layout, mode):
    features, labels, n = make(workload)
    if layout == 'last':
        features = np.ascontiguousarray(features.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    x, m = T.ftensor4(), T.itensor3()
    return bind({'': compiled([x, m], superpixel_pool(x, m, n, mode))}, [features, labels], layout == 'last')['']


def _prepare_operation(operation):
    labels = superpixels(1, operation.pixels, operation.pixels, operations.SUPERPIXELS)
    n = int(labels.max()) + 1
    values = [operations.make(name, n) for name in operation.inputs] + [labels]
    return bind({'': operations.functions(operation.ours, values, n)}, values)['']


def _seconds(call):
    call()
    start, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - start < SECONDS:
        call()
        count += 1
    return (time.perf_counter() - start) / count


def main():
    """Answer requests, a line of JSON each: the number of calls of a row, or the seconds that each of them takes."""
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # what libraries print is no answer
    prepare, calls = rows(), []
    for line in sys.stdin:
        what, name = json.loads(line)
        if what == 'prepare':
            try:
                calls = prepare[name]()
                answer = len(calls)
            except (TypeError, ValueError, AttributeError):  # another version may lack the operation
                answer = 0
        else:
            answer = list(map(_seconds, calls)) if what == 'time' else list(prepare)
        print(json.dumps(answer), file=answers, flush=True)
