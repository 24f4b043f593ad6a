"""Every kernel is compiled by CUDA's own compiler for cards from 2014 to 2022, none of which is needed."""
import collections
import itertools
import re
import unittest


from tests.gpuarray import nvrtc
from theano_spp.gpuarray.gpu_version import GpuVersion
from theano_spp.gpuarray.labels import GpuCountedPixels, GpuSortedPixels
from theano_spp.gpuarray.max_min import GpuSuperpixelExtremum
from theano_spp.ops.max_min import SuperpixelExtremum
from theano_spp.ops.weighted import WeightedUnpool

ARCHITECTURES = ('compute_52', 'sm_52', 'sm_61', 'sm_70', 'sm_86', 'sm_90')
LABEL_DTYPES = ('int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64')
#: How to make an op of whose arguments not all have a default.
ARGUMENTS = {'GpuWeightedUnpool': lambda: WeightedUnpool('float32')}
#: The shared memory that each card has for a group, and the registers that leave room for eight groups of warps.
SHARED_MEMORY, REGISTERS = 48 * 1024, 128


def kernels():
    """Yield (op, types, kernel) for every op on the device, feature dtype, label dtype and, if it matters, axes."""
    ops = [GpuSuperpixelExtremum(SuperpixelExtremum(resize='nearest')), GpuSortedPixels('an op'),
           GpuCountedPixels('an op')]
    ops += [gpu_op(ARGUMENTS.get(gpu_op.__name__, gpu_op.cpu_op)()) for gpu_op in GpuVersion.__subclasses__()]
    for op in sorted(ops, key=str):
        inputs = [collections.namedtuple('Input', 'dtype ndim')(None, 4)] * 5
        for dtypes in itertools.product(*[LABEL_DTYPES if name == 'LABEL' else ('float32', 'float64')
                                          for name in sorted(op.c_types)]):
            for name, dtype in zip(sorted(op.c_types), dtypes):
                inputs[op.c_types[name]] = inputs[0]._replace(dtype=dtype)
            # The same texts three times, unless the number of spatial axes is part of them.
            for ndim in 4, 3, 5:
                node = collections.namedtuple('Node', 'inputs')([i._replace(ndim=ndim) for i in inputs])
                for kernel in op.gpu_kernels(node, 'node'):
                    yield str(op), ', '.join(dtypes), kernel


class CudaTest(unittest.TestCase):

    def test_every_kernel_compiles_for_every_dtype_and_card_without_a_warning(self):
        seen, use = set(), {}
        for op, types, kernel in kernels():
            text = nvrtc.preprocessed(kernel.code)
            if text in seen:
                continue
            seen.add(text)
            for architecture in ARCHITECTURES if set(types.split(', ')) <= {'float32', 'int32'} else ('sm_52',):
                succeeded, log = nvrtc.compile_kernel(kernel.code, architecture)
                where = '%s of %s for %s, %s' % (kernel.name, op, types, architecture)
                self.assertTrue(succeeded, '%s:\n%s' % (where, log))
                said = [line for line in log.splitlines() if 'ptxas info' not in line and 'stack frame' not in line]
                self.assertEqual(said, [], '%s:\n%s' % (where, log))
                if architecture.startswith('sm_'):
                    registers = int(re.search(r'Used (\d+) registers', log).group(1))
                    shared = re.search(r'(\d+) bytes smem', log)
                    shared = int(shared.group(1)) if shared else 0
                    self.assertIn(' 0 bytes spill stores, 0 bytes spill loads', log, where)
                    self.assertLessEqual(shared, SHARED_MEMORY, where)
                    self.assertLessEqual(registers, REGISTERS, where)
                    most = use.setdefault((op, kernel.name), [0, 0])
                    most[:] = max(most[0], registers), max(most[1], shared)
        print('%d kernels; at most:' % len(seen))
        for (op, name), (registers, shared) in sorted(use.items()):
            print('  %-58s %-18s %3d registers, %5d bytes of shared memory' % (op, name, registers, shared))

    def test_an_error_and_a_warning_that_were_planted_are_seen(self):
        op, types, kernel = next(kernels())
        body = kernel.code.rindex('}')
        succeeded, log = nvrtc.compile_kernel(kernel.code[:body] + 'undeclared = 1; }', 'sm_70')
        self.assertFalse(succeeded)
        self.assertIn('identifier "undeclared" is undefined', log)
        succeeded, log = nvrtc.compile_kernel(kernel.code[:body] + 'int never_used; }', 'sm_70')
        self.assertTrue(succeeded)
        self.assertIn('warning', log)
