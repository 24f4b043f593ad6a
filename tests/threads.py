"""The same function called with other numbers of threads."""
import ctypes
import hashlib


def digests_of_results(with_threads, without, *inputs):
    """The digests of what a function gives with one to four threads, and of what another one gives."""
    openmp = ctypes.CDLL('libgomp.so.1')  # the one that g++ links
    digests = {_digest(without(*inputs))}
    before = openmp.omp_get_max_threads()
    try:
        for n_threads in 1, 2, 3, 4:
            openmp.omp_set_num_threads(n_threads)
            digests.add(_digest(with_threads(*inputs)))
    finally:
        openmp.omp_set_num_threads(before)
    return digests


def _digest(results):
    digest = hashlib.sha256()
    for values in results:
        digest.update(values.tobytes())
    return digest.hexdigest()
