"""How many threads OpenMP and the BLAS have, and how they keep out of each other's way."""
import os
import time


def use(number):
    """Give both `number` threads; before NumPy is imported. OMP_NUM_THREADS and OMP_WAIT_POLICY of the caller win.

    OpenMP's threads shall sleep while they wait for each other. By default they spin, and where another process wants
    a processor too, the one that spins keeps the one it waits for from running: tens of milliseconds for a call of two.
    """
    number = os.environ.setdefault('OMP_NUM_THREADS', str(number))
    for blas in ('OPENBLAS', 'MKL'):
        os.environ[blas + '_NUM_THREADS'] = number
    os.environ.setdefault('OMP_WAIT_POLICY', 'passive')


def settle():
    """Sleep until the BLAS's threads do: OpenBLAS's spin for 100 ms after their work, on the processor of another."""
    if os.environ['OMP_NUM_THREADS'] != '1':
        time.sleep(.15)
