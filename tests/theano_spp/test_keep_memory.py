"""Memory of large arrays is kept for the next ones, where the C library can."""
import platform
import unittest
from unittest import mock

from tests.processes import run_python
from theano_spp import keep_memory

# The pages that the system has to provide while an array of 64 MB is made and dropped; huge pages have 2 MB.
COUNT = """
import resource
import numpy as np, theano, theano.tensor as T
from theano_spp import keep_memory, superpixel_unpool
p, m = T.ftensor3(), T.itensor3()
paint = theano.function([p, m], superpixel_unpool(p, m))
values, labels = np.ones((1, 16, 3), 'float32'), np.ones((1, 1024, 1024), 'int32')
def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    assert paint(values, labels).min() == 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
pages(), pages()
print(pages(), keep_memory(), keep_memory())
pages(), pages()
print(pages())
"""


class KeepMemoryTest(unittest.TestCase):

    @unittest.skipUnless(platform.libc_ver()[0] == 'glibc', 'another C library than that of GNU')
    def test_an_array_as_large_as_the_one_before_needs_no_new_pages(self):
        before, *kept, after = run_python(COUNT).split()
        self.assertEqual(kept, ['True', 'True'])
        self.assertGreaterEqual(int(before), 32)
        self.assertLess(int(after), 8)

    def test_a_c_library_that_cannot_is_left_alone(self):
        with mock.patch('ctypes.CDLL', return_value=object()):
            self.assertIs(keep_memory(), False)
