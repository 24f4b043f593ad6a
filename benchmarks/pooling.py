"""Times mean pooling and its gradient on one workload after the other, in this process.

``python -m benchmarks`` runs it with each number of threads, in an environment that treats all libraries alike (see
``environment``), and reads what it writes: lines of JSON, one for each workload and memory layout.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

import click


def environment(number_of_threads):
    """Return the environment for a process in which all libraries have this number of threads.

    OpenBLAS's idle threads must not spin, because that would slow down the others.
    """
    number = str(number_of_threads)
    return dict(
        os.environ, OMP_NUM_THREADS=number, OPENBLAS_NUM_THREADS=number, OPENBLAS_THREAD_TIMEOUT='4',
        MKL_NUM_THREADS=number, NUMBA_NUM_THREADS=number, TF_NUM_INTRAOP_THREADS=number, TF_NUM_INTEROP_THREADS='1',
        TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='')


def run(number_of_threads, options):
    """Run this module in a process with so many threads, and return its results, one dict for each line."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'results')
        subprocess.check_call([sys.executable, '-m', 'benchmarks.pooling', path] + options,
                              env=environment(number_of_threads))
        with open(path) as stream:
            return [json.loads(line) for line in stream]


@click.command()
@click.argument('path', type=click.Path())
@click.option('--layout', 'layouts', multiple=True, default=('first', 'last'), help='Where the channels lie in memory.')
@click.option('--workload', 'names', multiple=True, help='By name; by default W1 to W7.')
@click.option('--competitor', 'only', multiple=True, help='By name, in addition to ours; by default all.')
@click.option('--rounds', default=9)
def main(path, layouts, names, only, rounds):
    """Append the results to PATH."""
    number_of_threads = int(os.environ['OMP_NUM_THREADS'])
    # So that libraries which start more threads do not get more processors.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:number_of_threads])
    random.seed(0)

    import numpy as np
    from tqdm import tqdm
    from . import competitors, floor
    from .measure import bind, check, medians
    from .workloads import GROWTH, WORKLOADS, make

    workloads = WORKLOADS
    if names:
        workloads = [workload for workload in sum(GROWTH.values(), WORKLOADS) if workload.name in names]
    with tqdm(total=rounds * len(workloads) * len(layouts), unit='round', file=sys.stderr) as progress:
        for workload in workloads:
            features, labels, n = make(workload)
            for layout in layouts:
                progress.set_description('%s, channels %s, %d threads' % (workload.name, layout, number_of_threads))
                if layout == 'last':
                    features = np.ascontiguousarray(features.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
                functions, results = {}, {}
                for name, make_pair in competitors.competitors_for(layout):
                    if only and name not in only + (competitors.OURS,):
                        continue
                    try:
                        functions[name] = make_pair(workload, n, number_of_threads)
                    except (MemoryError, ImportError) as reason:
                        results[name] = str(reason)
                calls = bind(functions, [features, labels], layout == 'last')
                check(calls)
                calls['floor'] = floor.calls(features)
                results.update((name, list(both)) for name, both in medians(calls, rounds, progress).items())
                with open(path, 'a') as stream:
                    stream.write(json.dumps({
                        'workload': workload, 'n': n, 'layout': layout, 'threads': number_of_threads,
                        'rounds': rounds, 'milliseconds': results}) + '\n')


if __name__ == '__main__':
    main()
