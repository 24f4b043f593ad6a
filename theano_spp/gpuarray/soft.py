"""Soft superpixels on the GPU: pooling, unpooling and comparison, as on the CPU."""
from ..ops.soft import SoftAssociation, SoftDot, SoftPool, SoftUnpool
from .gpu_version import GpuVersion, params_of


class OnGrid:
    """What the ops have in common: `grid` stays on the host."""

    host_inputs = (2,)
    c_types = {'FEATURE': 0}

    def node_settings(self, node):
        """Return macros with the number of spatial axes and of neighbours: loops over these are unrolled."""
        axes = node.inputs[self.c_types['FEATURE']].ndim - 2
        return '#define SPP_SOFT_AXES %d\n#define SPP_NEIGHBOURS %d' % (axes, 3 ** axes)


class GpuSoftPool(OnGrid, GpuVersion):
    """:class:`theano_spp.ops.soft.SoftPool` on the GPU."""

    cpu_op = SoftPool
    params_type = params_of(SoftPool)
    c_file = 'ops/soft_pool.cc'
    c_function = 'soft_pool'


class GpuSoftUnpool(OnGrid, GpuVersion):
    """:class:`theano_spp.ops.soft.SoftUnpool` on the GPU."""

    cpu_op = SoftUnpool
    params_type = params_of(SoftUnpool)
    c_file = 'ops/soft_unpool.cc'
    c_function = 'soft_unpool'
    c_types = {'FEATURE': 1}


class Comparison(OnGrid):
    """What the two ops have in common that compare pixels with the superpixels around them."""

    params_type = params_of(SoftDot, 'kind')
    c_file = 'ops/soft_comparison.cc'
    c_function = 'soft_comparison'


class GpuSoftDot(Comparison, GpuVersion):
    """:class:`theano_spp.ops.soft.SoftDot` on the GPU."""

    cpu_op = SoftDot


class GpuSoftAssociation(Comparison, GpuVersion):
    """:class:`theano_spp.ops.soft.SoftAssociation` on the GPU."""

    cpu_op = SoftAssociation
