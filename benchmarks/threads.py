"""How many threads OpenMP and the BLAS have, and how they keep out of each other's way."""
import os
import time


def use(number):
    """Give both `number` threads, or what OMP_NUM_THREADS says; before NumPy is imported, whose BLAS reads it then."""
    number = os.environ.setdefault('OMP_NUM_THREADS', str(number))
    for blas in ('OPENBLAS', 'MKL'):
        os.environ[blas + '_NUM_THREADS'] = number


def settle():
    """Sleep until no thread spins.

    After their work OpenBLAS's threads keep their processors busy for about 100 ms, OpenMP's for about 10 ms, and
    whoever comes next has the fewer.
    """
    if os.environ['OMP_NUM_THREADS'] != '1':
        time.sleep(.15)
