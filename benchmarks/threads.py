"""The number of threads of OpenMP and the BLAS, and how to keep them from disturbing each other."""
import os
import time


def use(number):
    """Give both `number` threads, before NumPy is imported. The caller's OMP_NUM_THREADS and OMP_WAIT_POLICY win.

    OpenMP's threads must sleep while they wait for each other. By default they spin, and if another process needs a
    processor too, a spinning thread keeps the one it waits for from running: a call of two milliseconds takes tens.
    """
    number = os.environ.setdefault('OMP_NUM_THREADS', str(number))
    for blas in ('OPENBLAS', 'MKL'):
        os.environ[blas + '_NUM_THREADS'] = number
    os.environ.setdefault('OMP_WAIT_POLICY', 'passive')


def settle():
    """Wait until the BLAS is idle: OpenBLAS's threads spin for 100 ms after their work, on processors others need."""
    if os.environ['OMP_NUM_THREADS'] != '1':
        time.sleep(.15)
